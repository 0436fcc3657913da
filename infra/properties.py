"""The construct's properties, typed for editors and type checkers: every setting, by its name in cdk.json.

What is allowed is decided in one place, settings.py and the channels' declarations; a test holds the names together.
"""

from typing import TypedDict


class Properties(TypedDict, total=False):
    """The settings as cdk.json has them, each optional; docs/settings.md says what each does and allows."""

    trail_bucket: str
    trail_prefix: str
    trail_topic_arn: str
    eventbridge: bool
    organization_id: str
    trail_key_arn: str
    alert_emails: list[str] | dict[str, str]
    operations_emails: list[str]
    chat_topic: bool | str
    event_bus: bool
    webhook: str
    webhook_form: str
    webhook_level: str
    webhook_signing_secret: str
    webhook_key_arn: str
    runbook_url: str
    live: bool
    live_organization: str
    live_accounts: list[str]
    account_names: dict[str, str]
    alert_on: list[str]
    audit: bool
    silence_minutes: int
    canary_minutes: int
    report_day: str
    reminders: list[int]
    quiet_minutes: int | dict[str, int]
    architecture: str
    hit_retention_days: int
    log_retention_days: int
    max_inflated_mb: int
    detector_memory_mb: int
    detector_seconds: int
    python: str
    trusted_accounts: list[str]
    trail_buckets: list[str]
    trail_keys: list[str]
    home_regions: list[str]
    automation_roles: list[str]
    own_resources: list[str]
    trails: list[str]
    trail_prefixes: list[str]
    deployer_roles: list[str]
