"""Who switched a trail off, or its validation: the hits of the rules that watch this, found by rule and time."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from trailbell.cloudtrail.digest_key import Trail
from trailbell.engine.rulebook import Level, Rule
from trailbell.flows.audit_findings import Switch
from trailbell.store.dynamo import Row, query
from trailbell.store.rows import AFTER, rule_partition
from trailbell.text.times import iso_time


_SWITCHES = {"stoplogging", "updatetrail", "deletetrail"}


class DynamoSwitches:
    """Reads pointers. rules: of the rulebook, the watching ones among others.

    Of changes of a trail those count that a rule reports as high: others leave logging and validation as they are.
    """

    def __init__(self, client: Any, table: str, rules: Iterable[Rule]) -> None:
        self._client, self._table = client, table
        self._rule_ids = sorted(rule.rule_id for rule in rules if _watches(rule))

    def between(self, trail: Trail, first: datetime, last: datetime, *, anybodys: bool) -> list[Switch]:
        """The calls by which a trail was switched off between two moments, the earliest first.

        anybodys: whether the trail may be another account's, as an organisation's is.
        """
        found = {}
        for row in self._rows(iso_time(first), iso_time(last)):
            if str(row["eventName"]).lower() in _SWITCHES and row["outcome"] == "success":
                at = str(row.get("at") or str(row["sk"]).partition("#")[0])
                if _is_about(row, trail, anybodys=anybodys):
                    found[row["hitPk"]] = Switch(str(row["eventName"]), str(row["actor"]), at)
        return sorted(found.values(), key=lambda one: one.at)

    def _rows(self, first: str, last: str) -> Iterator[Row]:
        for rule_id in self._rule_ids:
            month = datetime.fromisoformat(first)
            while iso_time(month)[:7] <= last[:7]:
                partition = rule_partition(rule_id, iso_time(month)[:7])
                yield from query(self._client, self._table, partition, first, f"{last}{AFTER}")
                month = month.replace(day=28) + timedelta(days=4)


def _watches(rule: Rule) -> bool:
    sources, names = rule.gate.get("eventSource", ()), rule.gate.get("eventName", ())
    is_about_trails = "cloudtrail.amazonaws.com" in sources and bool(_SWITCHES & set(names))
    return is_about_trails and not rule.is_silent and rule.level >= Level.HIGH


def _is_about(row: Row, trail: Trail, *, anybodys: bool) -> bool:
    """Whether a hit is about a trail; one whose pointer has no room for names may be."""
    account = "" if anybodys else trail.account
    if account and row["hitPk"].split("#")[1] != account:
        return False
    names = str(row.get("resourceNames", "")).split("\n")
    return names == [""] or any(_names(name, trail) for name in names)


def _names(name: str, trail: Trail) -> bool:
    """Whether an ARN or a bare name, in lower case, is a trail's."""
    head, _, last = name.rpartition(":trail/")
    is_home = not head or head.split(":")[3:4] == [trail.home]
    return is_home and (last or name) == trail.trail.lower()
