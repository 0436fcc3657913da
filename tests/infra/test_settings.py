"""Settings are read in every form the CDK hands them over, and every wrong one is told with what is allowed."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pytest

from infra.settings import Settings, channel_defaults, channel_settings, check_quiet_names, read_settings
from trailbell.errors import SettingsError
from trailbell.rulebook.placeholders import DEPLOYER_ROLES, NAMES


OURS = [setting.name for setting in fields(Settings) if setting.name not in ("placeholders", "channels")]
SETTINGS = [*OURS, *channel_settings()]
TOPIC = "arn:aws:sns:eu-central-1:111122223333:trail"
KEY = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"


def read(context: Mapping[str, Any]) -> Settings:
    return read_settings(context.get, context)


def fault_of(context: Mapping[str, Any]) -> str:
    with pytest.raises(SettingsError) as caught:
        read(context)
    return str(caught.value)


def test_nothing_given_is_the_defaults() -> None:
    """A newcomer deploys a working stack without choosing anything."""
    assert read({}) == Settings(
        trail_bucket="",
        trail_prefix="",
        trail_key_arn="",
        channels=channel_defaults(),
        architecture="arm64",
        hit_retention_days=400,
        log_retention_days=90,
        max_inflated_mb=100,
        detector_memory_mb=1024,
        detector_seconds=120,
        python="3.13",
        placeholders=dict.fromkeys(NAMES, ())
        | {
            "own_resources": ("trailbell",),
            "trails": ("trailbell",),
            "trail_prefixes": ("",),
            "deployer_roles": DEPLOYER_ROLES,
        },
    )


def test_cdk_json_offers_every_setting_at_its_default(context: dict[str, Any]) -> None:
    """The file is where a deployer looks for what can be set; two defaults for one setting are one too many."""
    ours = {name for name in context if not name.startswith("@")}

    assert read(context) == read({})
    assert ours == {*SETTINGS, *NAMES}


def test_every_setting_is_taken() -> None:
    """A setting that is read and dropped deploys something else than was asked for."""
    given: dict[str, Any] = {
        "trail_bucket": "central-logs.example",
        "trail_prefix": "org/trails",
        "trail_topic_arn": "arn:aws:sns:eu-central-1:111122223333:trail",
        "trail_key_arn": KEY,
        "operations_emails": ("sre@example.com",),
        "alert_on": ("ec2:TerminateInstances", "s3:DeleteBucket"),
        "runbook_url": "https://wiki.example.com/{service}/{rule}?level={level}",
        "live": True,
        "live_accounts": ("111122223333", "444455556666"),
        "account_names": {"111122223333": "payments", "444455556666": "Straße & Söhne <b>"},
        "audit": True,
        "silence_minutes": 0,
        "canary_minutes": 0,
        "report_day": "friday",
        "reminders": (72, 24),
        "quiet_minutes": {"default": 30, "critical": 0},
        "architecture": "x86_64",
        "hit_retention_days": 30,
        "log_retention_days": 7,
        "max_inflated_mb": 200,
        "detector_memory_mb": 2048,
        "detector_seconds": 900,
        "python": "3.14",
    }
    lists = {
        "trusted_accounts": ["444455556666"],
        "trail_buckets": ["other-logs"],
        "trail_keys": [KEY.replace("1111", "2222")],
        "home_regions": ["eu-central-1", "us-gov-west-1"],
        "automation_roles": ["arn:aws:iam::*:role/terraform-*"],
        "own_resources": ["trailbell"],
        "trails": ["management-*"],
        "trail_prefixes": ["old"],
        "deployer_roles": ["arn:aws:iam::111122223333:role/ci"],
    }

    settings = read({name: list(value) if isinstance(value, tuple) else value for name, value in given.items()} | lists)

    assert {name: getattr(settings, name) for name in given} == given
    assert settings.placeholders == {
        **{name: tuple(values) for name, values in lists.items()},
        "trail_buckets": ("other-logs", "central-logs.example"),
        "trail_keys": (KEY.replace("1111", "2222"), KEY),
        "trail_prefixes": ("old", "org/trails"),
    }
    # Neither of the first two goes with an existing bucket and its topic, nor the third with a list of accounts.
    exclusive = {"eventbridge", "organization_id", "live_organization"}
    assert set(given) | set(lists) | exclusive == {*OURS, *NAMES}
    assert read({"eventbridge": "true"}).eventbridge is True
    assert read({"organization_id": "o-a1b2c3d4e5"}).organization_id == "o-a1b2c3d4e5"
    assert read({"live": True, "live_organization": "o-a1b2c3d4e5"}).live_organization == "o-a1b2c3d4e5"


def test_settings_of_channels_are_taken() -> None:
    """Their names and meaning are those that deployers have in cdk.json."""
    given = {"alert_emails": {"ops@example.com": "high"}, "chat_topic": "high", "event_bus": True}

    channels = read(given).channels

    assert {name: channels[name] for name in given} == given
    assert channel_defaults().items() >= {"alert_emails": {}, "chat_topic": "", "event_bus": False}.items()


def test_every_trail_may_be_the_one_that_writes_into_an_existing_bucket() -> None:
    """Its name is not known; taking another for it is a false alarm, taking it for another is a miss."""
    assert read({"trail_bucket": "my-trail-logs"}).placeholders["trails"] == ("*",)
    assert read({"trail_bucket": "my-trail-logs", "trails": "main"}).placeholders["trails"] == ("main",)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param([], {}, id="empty-list"),
        pytest.param("", {}, id="empty-text"),
        pytest.param("a@example.com", {"a@example.com": "medium"}, id="one"),
        pytest.param(
            "a@example.com, b@example.com,", {"a@example.com": "medium", "b@example.com": "medium"}, id="commas"
        ),
        pytest.param('["a@example.com"]', {"a@example.com": "medium"}, id="json-list"),
        pytest.param('{"a@example.com": "low"}', {"a@example.com": "low"}, id="json-map"),
        pytest.param(["a@example.com", "a@example.com"], {"a@example.com": "medium"}, id="twice"),
        pytest.param({"a@example.com": "critical"}, {"a@example.com": "critical"}, id="map"),
    ],
)
def test_addresses_are_read_in_every_form(given: object, expected: dict[str, str]) -> None:
    """cdk.json holds lists and maps, `-c alert_emails=...` only text."""
    assert read({"alert_emails": given}).channels["alert_emails"] == expected


@pytest.mark.parametrize(
    ("given", "expected"), [(True, "medium"), ("true", "medium"), (False, ""), ("", ""), ("low", "low")]
)
def test_chat_takes_a_level_or_the_usual_one(given: object, expected: str) -> None:
    """Who asks for chat without thinking of levels is not flooded."""
    assert read({"chat_topic": given}).channels["chat_topic"] == expected


def test_lists_for_rules_are_read_from_the_command_line() -> None:
    """`-c trusted_accounts=...` arrives as text with commas."""
    given = {"trusted_accounts": "111122223333, 444455556666,111122223333"}

    assert read(given).placeholders["trusted_accounts"] == ("111122223333", "444455556666")


@pytest.mark.parametrize("name", ["hit_retention_days", "log_retention_days", "max_inflated_mb", "detector_seconds"])
def test_numbers_from_the_command_line_are_read(name: str) -> None:
    """`-c hit_retention_days=30` arrives as text."""
    assert getattr(read({name: "30"}), name) == 30


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("trail_bucket", "Upper_Case", "the name of an existing bucket"),
        ("trail_bucket", "s3://trail", "the name of an existing bucket"),
        ("trail_bucket", "ab", "the name of an existing bucket"),
        ("trail_bucket", "x" * 64, "the name of an existing bucket"),
        ("trail_bucket", ["trail"], "the name of an existing bucket"),
        ("trail_prefix", "org/", "without a slash at either end"),
        ("trail_prefix", "/org", "without a slash at either end"),
        ("trail_prefix", "my org", "without a slash at either end"),
        ("trail_key_arn", "alias/trail", "the ARN of a KMS key"),
        ("trail_key_arn", "arn:aws:kms:eu-central-1:111122223333:alias/trail", "not of an alias"),
        ("trail_key_arn", KEY + " ", "the ARN of a KMS key"),
        ("alert_emails", "nobody", '["ops@example.com"]'),
        ("alert_emails", ["a@example.com", 7], '["ops@example.com"]'),
        ("alert_emails", '["a@example.com"', '["ops@example.com"]'),
        ("alert_emails", "7", '["ops@example.com"]'),
        ("alert_emails", {"a@example.com": "urgent"}, "informational, low, medium, high, critical"),
        ("alert_emails", {"a@example.com": None}, "informational, low, medium, high, critical"),
        ("chat_topic", "urgent", "false, true (medium and above) or the lowest level"),
        ("chat_topic", 1, "false, true (medium and above) or the lowest level"),
        ("event_bus", "maybe", "true or false"),
        ("runbook_url", "http://wiki.example.com/", "an https address"),
        ("runbook_url", "wiki", "an https address"),
        ("runbook_url", "https://wiki.example.com/{name}", "{rule}, {service}, {level}"),
        ("runbook_url", "https://wiki.example.com/{rule", "{rule}, {service}, {level}"),
        ("architecture", "sparc", "arm64 or x86_64"),
        ("architecture", "", "arm64 or x86_64"),
        ("architecture", 64, "arm64 or x86_64"),
        ("hit_retention_days", 0, "from 1 to 3650"),
        ("hit_retention_days", 3651, "from 1 to 3650"),
        ("hit_retention_days", "forever", "from 1 to 3650"),
        ("hit_retention_days", -1, "from 1 to 3650"),
        ("hit_retention_days", 1.5, "from 1 to 3650"),
        ("hit_retention_days", True, "from 1 to 3650"),
        ("hit_retention_days", "", "from 1 to 3650"),
        ("hit_retention_days", "٣٠", "from 1 to 3650"),
        ("log_retention_days", 91, "one of 1, 3, 5, 7, 14, 30, 60, 90, 120"),
        ("log_retention_days", "two weeks", "one of 1, 3, 5, 7, 14, 30, 60, 90, 120"),
        ("max_inflated_mb", 0, "from 1 to 200"),
        ("max_inflated_mb", 201, "from 1 to 200"),
        ("max_inflated_mb", "1e2", "from 1 to 200"),
        ("detector_memory_mb", 256, "from 512 to 10240"),
        ("detector_seconds", 901, "from 30 to 900"),
        ("python", "3.10", "3.11 or 3.12 or 3.13 or 3.14"),
        ("python", 3.13, "3.11 or 3.12 or 3.13 or 3.14"),
        ("trusted_accounts", [111122223333], "account ids of 12 digits (as text, in quotes)"),
        ("trusted_accounts", "1111-2222-3333", "account ids of 12 digits"),
        ("trail_buckets", ["My Bucket"], "bucket names"),
        ("trail_keys", ["alias/trail"], "ARNs of KMS keys"),
        ("home_regions", "Frankfurt", "regions such as eu-west-1"),
        ("automation_roles", ["role/terraform"], "ARNs of IAM roles"),
        ("own_resources", [""], "the alerting stack's own resources"),
        ("own_resources", {"trailbell": True}, "the alerting stack's own resources"),
        ("trails", ["arn:aws:cloudtrail:us-east-1:111122223333:trail/main"], "names of trails"),
        ("trail_prefixes", ["two words"], "key prefixes"),
        ("deployer_roles", ["ci"], "ARNs of IAM roles or users"),
    ],
)
def test_wrong_value_is_told_with_its_setting_and_what_is_allowed(name: str, value: object, allowed: str) -> None:
    """The deployer must be able to mend it without reading our code."""
    fault = fault_of({name: value})

    assert fault.startswith(f"setting {name} is {value!r}; allowed: ")
    assert allowed in fault
    assert "\n" not in fault


def test_all_faults_are_told_at_once() -> None:
    """A synth takes seconds; five faults one at a time take a coffee."""
    wrong: dict[str, Any] = {
        "trail_bucket": "Upper_Case",
        "trail_prefix": "/org/",
        "trail_key_arn": "alias/trail",
        "alert_emails": "nobody",
        "alert_email": "a@example.com",
        "architecture": "sparc",
        "hit_retention_days": 0,
        "log_retention_days": 91,
        "max_inflated_mb": 0,
        "python": "2.7",
        "trusted_accounts": "me",
    }

    faults = fault_of(wrong).splitlines()

    assert len(faults) == len(wrong)
    assert {fault.split()[1] for fault in faults} == set(wrong)


def test_unknown_name_is_told_with_the_known_ones() -> None:
    """A misspelt setting that is passed over deploys a stack that mails nobody."""
    fault = fault_of({"alert_email": "a@example.com"})

    assert fault.startswith("setting alert_email is unknown; known: ")
    assert [name for name in (*SETTINGS, *NAMES) if name not in fault] == []


@pytest.mark.parametrize("name", ["alertEmails", "alert_emails2"])
def test_unknown_name_is_told_however_it_is_spelt(name: str) -> None:
    """The names that are let through as the CDK's own hold "@", ":" or "-"; these hold none."""
    assert fault_of({name: "a@example.com"}).startswith(f"setting {name} is unknown")


@pytest.mark.parametrize(
    "name",
    ["@aws-cdk/core:explicitStackTags", "aws:cdk:bundling-stacks", "availability-zones:account=1:region=eu-west-1"],
)
def test_names_of_the_cdk_are_not_ours_to_judge(name: str) -> None:
    """The context is shared with the CDK's flags and look-ups."""
    assert read({name: True}) == read({})


@pytest.mark.parametrize(("name", "value"), [("trail_prefix", "org"), ("trail_topic_arn", TOPIC)])
def test_setting_of_an_existing_bucket_is_refused_without_one(name: str, value: str) -> None:
    """A new trail would silently ignore it: notifications on the wrong prefix, or a topic nobody uses."""
    assert fault_of({name: value}).startswith(f"setting {name} needs trail_bucket")


def test_both_settings_of_an_existing_bucket_are_refused_at_once() -> None:
    """Every fault is reported at once, says the module."""
    assert len(fault_of({"trail_prefix": "org", "trail_topic_arn": TOPIC}).splitlines()) == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"trail_bucket": "logs", "trail_topic_arn": "arn:aws:sns:r:111122223333:t", "eventbridge": True},
            "one of them",
        ),
        ({"trail_bucket": "logs", "organization_id": "o-a1b2c3d4e5"}, "cannot go with trail_bucket"),
        ({"live_accounts": ["111122223333"]}, "setting live_accounts needs live"),
        ({"live_organization": "o-a1b2c3d4e5"}, "setting live_organization needs live"),
        (
            {"live": True, "live_organization": "o-a1b2c3d4e5", "live_accounts": ["111122223333"]},
            "allowed is one of them",
        ),
        ({"live": True, "live_accounts": [111122223333]}, "account ids of 12 digits"),
        ({"live": True, "live_accounts": ["1111-2222-3333"]}, "account ids of 12 digits"),
        ({"account_names": {"payments": "111122223333"}}, "a map of account ids"),
        ({"account_names": {"111122223333": "two\nlines"}}, "printable characters"),
        ({"account_names": "{"}, "a map of account ids"),
        ({"trail_topic_arn": "arn:aws:sns:r:111122223333:t"}, "trail_topic_arn needs trail_bucket"),
        ({"alert_on": ["DisableKey"]}, "service:EventName"),
        ({"eventbridge": "maybe"}, "true or false"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(given: dict[str, Any], message: str) -> None:
    """Two ways in at once would read every log file twice."""
    assert message in fault_of(given)


def test_names_of_quiet_minutes_are_levels_or_rules() -> None:
    """A misspelt name would gather nothing, and nobody would notice; all of them are named, with what was meant."""
    known = ["kms-key-disabled", "ssm-session-started"]
    check_quiet_names({"default": 60, "critical": 0, "ssm-session-started": 1440}, known)

    with pytest.raises(SettingsError) as caught:
        check_quiet_names({"default": 60, "critcal": 0, "ssm_session_startet": 5, "poem": 1}, known)

    assert str(caught.value).splitlines() == [
        "setting quiet_minutes names 'critcal', which is no level and no rule; did you mean 'critical'?",
        "setting quiet_minutes names 'ssm_session_startet', which is no level and no rule;"
        " did you mean 'ssm-session-started'?",
        "setting quiet_minutes names 'poem', which is no level and no rule",
    ]


@pytest.mark.parametrize(
    ("name", "most", "more"),
    [
        ("reminders", [1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6]),
        ("quiet_minutes", {f"r{n}": 1 for n in range(50)}, {f"r{n}": 1 for n in range(51)}),
    ],
)
def test_lists_of_settings_end_somewhere(name: str, most: Any, more: Any) -> None:
    """What stands in a function's environment, or makes rows for each hit, is no place for a thousand."""
    read({name: most})
    assert "at most" in fault_of({name: more})
