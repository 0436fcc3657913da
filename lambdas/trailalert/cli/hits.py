"""`trailalert hits`: recent hits from the deployed (or local) table, newest first."""

import re
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from trailalert.aws.hit_query import Question, find_hits
from trailalert.cli.display import print_hits
from trailalert.cli.local_state import load_local
from trailalert.cli.paths import default_rules
from trailalert.cli.rulebooks import find_placeholders
from trailalert.core.rulebook import Level
from trailalert.errors import SettingsError
from trailalert.rulebook.load import load_rules


_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST = timedelta(days=3650)  # hits are not kept longer (setting hit_retention_days)
_CLOCK_SKEW = timedelta(minutes=5)


@click.command()
@click.option(
    "--since", default="24h", show_default=True, help="How far back: 90m, 24h, 7d, 2w, or a date such as 2026-11-01."
)
@click.option("--rule", default="", help="A rule's name, file stem or id.")
@click.option("--actor", default="", help="An actor's key (role ARN), or part of what the actor column shows.")
@click.option("--resource", default="", help="An ARN, or part of one.")
@click.option("--account", default="", help="An account id.")
@click.option("--service", default="", help="kms, cloudhsm, ssm, iotfleethub, cloudtrail ...")
@click.option("--level", default="", type=click.Choice(["", *(level.word for level in Level)]), show_choices=True)
@click.option("--format", "form", type=click.Choice(["table", "jsonl"]), default="table", show_default=True)
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1))
@click.option("--local", is_flag=True, help="Ask the table kept by `trailalert local --keep`.")
@click.option("--table", default="", help="The table's name (default: looked up from the stack's outputs).")
@click.option("--stack", default="trailalert", show_default=True, help="The stack to look the table up from.")
def hits(
    since: str,
    rule: str,
    actor: str,
    resource: str,
    account: str,
    service: str,
    level: str,
    form: str,
    limit: int,
    local: bool,
    table: str,
    stack: str,
) -> None:
    """Show hits, newest first. Conditions are combined; credentials and region come from the AWS environment.

    \b
    Example:
      trailalert hits --since 7d --service kms --level critical
    """
    client = load_local().client if local else boto3.client
    now = datetime.now(UTC)
    question = Question(
        since=parse_since(since, now),
        until=now + _CLOCK_SKEW,
        rules=_rule_ids(rule) if rule else (),
        actor=actor,
        resource=resource,
        account=account,
        service=service,
        level=level,
    )
    try:
        name = table or find_output(client("cloudformation"), stack, "HitTable")
        print_hits(islice(find_hits(client("dynamodb"), name, question), limit), form)
    except (BotoCoreError, ClientError) as error:
        raise SettingsError(f"AWS: {error}") from error


def parse_since(text: str, now: datetime) -> datetime:
    """A duration before now, or a UTC date or time. Raises SettingsError for anything else."""
    found = re.fullmatch(r"(\d{1,5})([mhdw])", text)
    if found:
        return now - min(timedelta(**{_UNITS[found[2]]: int(found[1])}), _LONGEST)
    try:
        moment = datetime.fromisoformat(text)
        return max(moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC), now - _LONGEST)
    except (ValueError, OverflowError):
        raise SettingsError(f"--since {text}: give 90m, 24h, 7d, 2w, or a date such as 2026-11-01") from None


def find_output(cloudformation: Any, stack: str, name: str) -> str:
    """The value of one of the stack's outputs. Raises SettingsError when there is no such stack or output."""
    try:
        (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            raise SettingsError(f"no stack {stack} in this account and region: deploy it, or give --table") from None
        raise
    for output in found.get("Outputs", ()):
        if output["OutputKey"] == name:
            return str(output["OutputValue"])
    raise SettingsError(f"stack {stack} has no output {name}: is it a trailalert stack?")


def _rule_ids(given: str) -> tuple[str, ...]:
    """The id of a rule called by name, stem or id; an unknown one is taken for the id of a rule long gone."""
    for rule in load_rules(default_rules(), find_placeholders(())).rules:
        if given in (rule.name, rule.stem, rule.rule_id):
            return (rule.rule_id,)
    if re.fullmatch(r"[0-9a-f-]{36}", given):
        return (given,)
    raise SettingsError(f"--rule {given}: no rule of that name (see: trailalert rules list)")
