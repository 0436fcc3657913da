"""Rules as people name them, and the services they are about: for options and for completing them in a shell."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import click

from trailbell.cli.paths import default_rules
from trailbell.engine.rulebook import Rule
from trailbell.errors import SettingsError, TrailbellError
from trailbell.text.safe_text import one_line


if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_NAME = re.compile(r"^name: *(?P<name>[\w-]+)", re.MULTILINE)
_TITLE = re.compile(r"^title: *(?P<title>.+)", re.MULTILINE)
_SOURCE = re.compile(r"\b([a-z0-9-]+)\.amazonaws\.com\b")


def rule_ids(given: Iterable[str]) -> tuple[str, ...]:
    """The ids of rules called by name, file stem, id or pattern (kms-*); an unknown id is a rule's long gone.

    Raises SettingsError for a name that no rule has.
    """
    names = list(given)
    if not names:
        return ()
    from trailbell.cli.options.rulebooks import rules_of  # here, as pySigma is not for a shell that waits

    return ids_among(names, rules_of(None, ())[0])


def ids_among(given: Iterable[str], rules: Iterable[Rule]) -> tuple[str, ...]:
    """The ids of those of some rules that are called by name, file stem, id or pattern (kms-*).

    An unknown id is a rule's long gone. Raises SettingsError for a name that no rule has, with the nearest one.
    """
    every = list(rules) if given else []
    found = dict[str, None]()
    for name in given:
        matching = ids_called(name, every)
        if not matching and re.fullmatch(r"[0-9a-f-]{36}", name):
            matching = [name]
        if not matching:
            raise unknown_rule(name, every)
        found |= dict.fromkeys(matching)
    return tuple(found)


def ids_called(name: str, rules: Iterable[Rule]) -> list[str]:
    """The ids of the rules whose name, file stem or id is this, or fits this pattern."""
    return [one.rule_id for one in rules if any(fnmatchcase(each, name) for each in (one.name, one.stem, one.rule_id))]


def unknown_rule(name: str, rules: Iterable[Rule]) -> SettingsError:
    """The error for a name that none of some rules has, with the nearest one."""
    from trailbell.rulebook.misspellings import question  # here, as it is for a mistake only

    meant = question(name, [one.name for one in rules])
    return SettingsError(f"--rule {one_line(name, 80)}: no rule of that name{meant} (see: trailbell rules list)")


class RuleType(click.ParamType[str]):
    """A rule's name. Completed from the rules' files as text: compiling them would keep the shell waiting."""

    name = "rule"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        """Names that begin like this, with their titles."""
        from click.shell_completion import CompletionItem  # here, as only a shell that completes needs it

        found = []
        for text in _rule_files():
            name, title = _NAME.search(text), _TITLE.search(text)
            if name and name["name"].startswith(incomplete):
                found.append(CompletionItem(name["name"], help=title["title"].strip() if title else None))
        return sorted(found, key=lambda item: str(item.value))


class ServiceType(click.ParamType[str]):
    """A service as hits name it: kms, cloudhsm, ssm ..."""

    name = "service"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        """Services that some rule is about."""
        from click.shell_completion import CompletionItem  # here, as only a shell that completes needs it

        services = {service for text in _rule_files() for service in _SOURCE.findall(text)}
        return [CompletionItem(service) for service in sorted(services) if service.startswith(incomplete)]


def _rule_files() -> list[str]:
    try:
        files = (file for file in default_rules().rglob("*.yml") if file.parent.name != "cases")
        return [file.read_text(encoding="utf-8") for file in files]
    except (TrailbellError, OSError):  # a shell that completes must not print an error into the line
        return []
