"""`trailbell members`: what other Regions and accounts get, so that their events come live."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from trailbell.cli.options.connection import Connection, stack_options
from trailbell.cli.options.rulebooks import find_placeholders, setting_option
from trailbell.engine.rulebook import Rulebook
from trailbell.ops.deployed_rulebook import deployed_rulebook
from trailbell.rulebook.live_patterns import live_patterns
from trailbell.rulebook.member_template import member_template, template_text
from trailbell.text.safe_text import one_line


_MAX_NAME = 50  # AWS's own limit


@click.group()
def members() -> None:
    """Take in other Regions and accounts.

    Prints the template for their stacks, and the names of accounts.

    \b
    Example:
      trailbell members template > member.template.json
    """


@members.command("template")
@stack_options("The stack that events go to.", "Ask what `trailbell local --keep` left running.")
@click.option(
    "--rules",
    type=click.Path(path_type=Path),
    help="Compile this folder instead of asking the deployed stack for its rules (takes the extra `rules`).",
)
@setting_option
def show_template(connection: Connection, rules: Path | None, settings: tuple[str, ...]) -> None:
    """Print the CloudFormation template of a member.

    It is for the rules that the deployed stack runs.

    It has no assets and no names of its own: one template for all Regions and accounts, by StackSets or by hand
    (docs/members.md). Its parameter is the central bus, by default the deployed stack's.

    \b
    Example:
      trailbell members template > member.template.json
    """
    if rules:
        template = member_template(live_patterns(_compiled(rules, settings)))
    else:
        stack = connection.deployed
        bus = stack.output("CentralBus")
        template = member_template(live_patterns(deployed_rulebook(connection.client, stack)), bus)
    click.echo(template_text(template), nl=False)


def _compiled(rules: Path, settings: tuple[str, ...]) -> Rulebook:
    from trailbell.rulebook.build import build_rulebook  # here, as this needs pySigma

    return build_rulebook(rules, None, find_placeholders(settings), datetime.now(UTC).date())[0]


@members.command("names")
@stack_options("Not looked at; for the sake of --local.", "Ask what `trailbell local --keep` left running.")
def show_names(connection: Connection) -> None:
    """Print the setting account_names for your organisation.

    It is ready to be pasted into cdk.json.

    Run it where organizations:ListAccounts is allowed: in the management account, or that of a delegated administrator.
    Closed accounts are left out.

    \b
    Example:
      trailbell members names
    """
    pages = connection.client("organizations").get_paginator("list_accounts").paginate()
    accounts = [account for page in pages for account in page["Accounts"] if account.get("Status") == "ACTIVE"]
    names = {str(account["Id"]): one_line(str(account.get("Name", "")), _MAX_NAME).strip() for account in accounts}
    found = {account: names[account] for account in sorted(names) if names[account]}
    click.echo(json.dumps({"account_names": found}, ensure_ascii=False, indent=2))
