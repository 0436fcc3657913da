"""Today's verdict: what a rulebook makes now of an act that was kept as a hit then.

An exception decides when a record is read. Once it is gone, has expired or says something else, what it muted is
still muted in the table; here the act is judged again, by its record where that can be had.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from trailbell.cloudtrail.object_key import classify_key
from trailbell.cloudtrail.record import make_record
from trailbell.engine.rulebook import Rulebook
from trailbell.hits.detect import HitDetector
from trailbell.hits.hit import Hit


_OTHER_RECORD = "another record stands at its place now"
_EPISODE = "an episode follows from several records"


class Today(StrEnum):
    """What would become of an act, were it found today."""

    NOTIFIED = "notified"
    MUTED = "muted"
    NO_RULE = "no rule"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Today's verdict on a hit.

    hit:  the act's hit as it would be found today, with the time of judging as seen_at; None with NO_RULE.
    why:  what became of the exception that muted it then; "" where none did, and where it still does.
    note: why it was judged without its record, by the names of its rule and exception alone; "" where it was not.
    """

    today: Today
    hit: Hit | None
    why: str = ""
    note: str = ""

    @property
    def text(self) -> str:
        """The verdict in words: not muted (nightly is gone)."""
        details = [part for part in (self.why, self.note and f"judged without its record: {self.note}") if part]
        return self._said() + (f" ({'; '.join(details)})" if details else "")

    def _said(self) -> str:
        if self.hit is None:
            return "no rule reports it"
        if self.today is Today.MUTED:
            return muted_text(self.hit)
        return "not muted" if self.hit.muted_before else f"reported by {self.hit.name}, {self.hit.level}"


class Judge:
    """A rulebook, ready to judge hits again at a time (UTC, ISO 8601 with Z)."""

    def __init__(self, rulebook: Rulebook, now: str) -> None:
        self._detector, self._now = HitDetector(rulebook), now
        self._rules = {rule.rule_id for rule in rulebook.rules} | {one.correlation_id for one in rulebook.correlations}
        self._last_days: dict[str, str] = {}
        for exception in (one for rule in rulebook.rules for one in rule.exceptions):
            self._last_days[exception.name] = max(exception.expires, self._last_days.get(exception.name, ""))

    def judge(self, hit: Hit, record: Mapping[str, Any] | str) -> Verdict:
        """Judge a hit by its record, or, where `record` says why that cannot be had, by the names in the hit."""
        if isinstance(record, str):
            return self._by_name(hit, record)
        if hit.episode:
            return self._by_name(hit, _EPISODE)
        if not _is_record_of(hit, record):
            return self._by_name(hit, _OTHER_RECORD)
        found = self._detector.detect_record(record, self._now, hit.place)
        if found is None:
            return Verdict(Today.NO_RULE, None)
        if found.muted_by:
            return Verdict(Today.MUTED, found, "" if found.muted_by == hit.muted_by else self._became_of(hit))
        return Verdict(Today.NOTIFIED, replace(found, muted_before=hit.muted_by), self._became_of(hit))

    def _by_name(self, hit: Hit, reason: str) -> Verdict:
        """Without the record: an exception that still works still mutes, as far as anybody can tell."""
        if hit.rule_id not in self._rules:
            return Verdict(Today.NO_RULE, None, note=reason)
        found = replace(hit, seen_at=self._now)
        if hit.muted_by and self._works(hit.muted_by):
            return Verdict(Today.MUTED, replace(found, muted_until=self._last_days[hit.muted_by]), note=reason)
        found = replace(found, muted_by="", muted_owner="", muted_reason="", muted_until="", muted_before=hit.muted_by)
        return Verdict(Today.NOTIFIED, found, self._became_of(hit), reason)

    def _works(self, exception: str) -> bool:
        return self._last_days.get(exception, "") >= self._now[:10]

    def _became_of(self, hit: Hit) -> str:
        """What became of the exception that had muted a hit and does so no more."""
        name = hit.muted_by
        if not name:
            return ""
        if self._works(name):
            return f"the exception {name} does not cover it any more"
        last_day = self._last_days.get(name) or hit.muted_until
        if last_day and last_day < self._now[:10]:
            return f"the exception {name} expired on {last_day}"
        return f"the exception {name} is gone"


def muted_text(hit: Hit) -> str:
    """By which exception a hit is muted, and its last day where it is known; "" for a hit that is not muted."""
    until = f" until {hit.muted_until}" if hit.muted_until else ""
    return f"muted by {hit.muted_by}{until}" if hit.muted_by else ""


def verdict_text(hit: Hit, verdict: Verdict) -> str:
    """The verdict at the time beside today's, for people."""
    still = verdict.today is Today.MUTED and verdict.hit is not None and verdict.hit.muted_by == hit.muted_by
    before = muted_text(hit) or f"reported by {hit.name}, {hit.level}"
    return f"{before}; today: {'still ' if still else ''}{verdict.text}"


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """The verdict for machines: empty values left out."""
    hit = verdict.hit
    members = {
        "verdict": str(verdict.today),
        "rule": hit.name if hit else "",
        "level": hit.level if hit else "",
        "mutedBy": hit.muted_by if hit else "",
        "mutedUntil": hit.muted_until if hit else "",
        "why": verdict.why,
        "withoutRecord": verdict.note,
    }
    return {name: value for name, value in members.items() if value}


def _is_record_of(hit: Hit, record: Mapping[str, Any]) -> bool:
    """Whether a record is the hit's: log files are replaced now and then."""
    return make_record(record, hit.place.index, classify_key(hit.place.key).account).event_id == hit.event_id
