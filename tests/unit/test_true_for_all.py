"""What an alert says without a number or a name is true for every hit of it: compared fact by fact."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from trailbell.alerts.alert import Alert, alert_document
from trailbell.alerts.chat_text import chat_text
from trailbell.alerts.links import links_of
from trailbell.alerts.mail import mail_text
from trailbell.alerts.mail_head import _OUTCOMES
from trailbell.cloudtrail.origin import LiveEvent, Place
from trailbell.cloudtrail.record import NO_TIME
from trailbell.facts.actor import Actor
from trailbell.hits.hit import Hit


GROUPS = 600
_PASSED = r"(?: muted them when they were found, and mutes them no more)?(?: \(SourceQ\dQ\)|\))?"
LIMIT = 1_000_000

# Members that all hits of an alert share (alerts/grouping.py), those of the rule, and those that no text shows.
OF_THE_GROUP = {"account", "account_name", "rule_id", "level", "raised_from"}
OF_THE_RULE = {"rule", "name", "title", "short_title", "author", "tags"}
NOT_SHOWN = {
    "partition",
    "also_ids",
    "muted_by",
    "muted_owner",
    "muted_until",
    "undo_links",
    "muted_reason",
    "once",
    "replayed",
    "kept_as",
    "format",
    "seen_keys",
    "seen_what",
    "filed_at",  # a mail is sent before
    "episode",  # its acts are listed hit by hit
}


def token(member: str, choices: int = 3) -> st.SearchStrategy[str]:
    """One of a few texts that stand for a member's value and occur in no other."""
    return st.sampled_from([f"{member.title().replace('_', '')}Q{number}Q" for number in range(choices)])


def tokens(member: str, most: int = 2) -> st.SearchStrategy[tuple[str, ...]]:
    """A few of them, each once."""
    return st.lists(token(member), max_size=most, unique=True).map(tuple)


TIMES = st.sampled_from([NO_TIME, *(f"2026-09-01T09:{minute:02}:00Z" for minute in (1, 5, 14, 58))])
DEADLINES = ("", "2026-09-01 09:10:00 UTC", "2026-09-08 09:00:00 UTC", "2026-10-01 09:00:00 UTC", "some day")
KEYS = tuple(f"arn:aws:kms:us-east-1:111122223333:key/KeyQ{number}Q" for number in range(4))
SEEN = st.sampled_from([f"2026-09-01T09:{minute}:30Z" for minute in (12, 20, 59)])

ACTORS = st.builds(
    Actor,
    kind=st.sampled_from(["role", "iam-user", "root"]),
    text=token("text"),
    key=st.sampled_from(["arn:k1", "arn:k2"]),
    arn=token("principal"),
    account=st.sampled_from(["111122223333", "444455556666", ""]),
    name=token("name"),
    via=st.sampled_from(["", "ViaQ0Q", "ViaQ1Q"]),
    credential=st.sampled_from(["long-term", "temporary", ""]),
    key_hint=st.sampled_from(["HNT0", "HNT1", ""]),
    session=st.sampled_from(["2026-09-01T08:00:00Z", "2026-09-01T07:00:00Z", ""]),
    mfa=st.sampled_from(["true", "false", ""]),
    console=st.booleans(),
)
MEMBERS: dict[str, st.SearchStrategy[Any]] = {
    "event_time": TIMES,
    "event_source": token("source"),
    "event_name": token("call", 7),
    "event_type": st.sampled_from(["AwsApiCall", "AwsServiceEvent"]),
    "region": st.sampled_from(["us-east-1", "eu-west-1", ""]),
    "outcome": st.sampled_from(list(_OUTCOMES)),
    "actor": ACTORS,
    "resources": st.lists(st.sampled_from(KEYS), max_size=2, unique=True).map(tuple),
    "acted_on": st.sampled_from([(), KEYS[:1], KEYS[1:3]]),
    "shown": st.dictionaries(st.sampled_from(["window", "to"]), token("shown")).map(lambda given: tuple(given.items())),
    "place": st.builds(Place, st.just("b"), token("file"), st.integers(0, 3)),
    "seen_at": SEEN,
    "error_code": st.sampled_from(["", "CodeQ0Q", "CodeQ1Q"]),
    "error_message": st.sampled_from(["", "MessageQ0Q", "MessageQ1Q"]),
    "source_ip": token("address", 7),
    "user_agent": st.sampled_from(["AgentQ0Q", "AgentQ1Q exec-env/AWS_Lambda_python3.13", ""]),
    "request_id": token("request"),
    "shared_event_id": st.sampled_from(["", "shared"]),
    "meaning": token("meaning"),
    "references": tokens("reference"),
    "falsepositives": tokens("harmless"),
    "check": tokens("check"),
    "undo": st.lists(st.sampled_from([f"aws StepQ{number}Q" for number in range(4)]), max_size=2, unique=True).map(
        tuple
    ),
    "undo_until": st.sampled_from(DEADLINES),
    "undo_note": st.sampled_from(["", "NoteQ0Q", "NoteQ1Q"]),
    "also": tokens("also"),
    "also_muted": tokens("muted"),
    "level_note": st.sampled_from(["", "LevelQ0Q", "LevelQ1Q"]),
    "seen_note": st.sampled_from(["", "SeenQ0Q", "SeenQ1Q"]),
    "raised_from_rule": token("before"),
    "muted_before": st.sampled_from(["", "ExceptionQ0Q", "ExceptionQ1Q"]),
    "quiet": st.booleans(),
    "live": st.sampled_from([None, LiveEvent("id", "111122223333", "us-east-1")]),
}


@st.composite
def groups(draw: st.DrawFn) -> tuple[dict[str, Any], ...]:
    """The members of 2 to 12 hits: some drawn for each hit, the others once for all."""
    differing = draw(st.sets(st.sampled_from(list(MEMBERS)), min_size=1))
    shared = {name: draw(given) for name, given in MEMBERS.items() if name not in differing}
    size = draw(st.integers(2, 12))
    return tuple({**shared, **{name: draw(MEMBERS[name]) for name in sorted(differing)}} for _ in range(size))


def hits_of(base: Hit, group: Sequence[dict[str, Any]], raised_from: str) -> list[Hit]:
    hits = [replace(base, event_id=f"e{number}", raised_from=raised_from, **one) for number, one in enumerate(group)]
    return sorted(hits, key=lambda hit: (hit.event_time, hit.event_id))


def test_every_member_of_a_hit_is_in_the_groups() -> None:
    """A member that is added is compared, too, or named as one that says nothing about an act."""
    assert {part.name for part in fields(Hit)} - set(MEMBERS) == OF_THE_GROUP | OF_THE_RULE | NOT_SHOWN | {"event_id"}


@settings(max_examples=examples(GROUPS), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(group=groups(), raised_from=st.sampled_from(["", "low"]), as_of=st.sampled_from(["", "2026-09-02T00:00:00Z"]))
def test_each_printed_fact_holds_for_every_hit(
    given_hit: Callable[..., Hit], group: tuple[dict[str, Any], ...], raised_from: str, as_of: str
) -> None:
    """One hit's deadline, address or person printed as everybody's sends the reader after the wrong thing."""
    hits = hits_of(given_hit(), group, raised_from)
    text = mail_text(hits, LIMIT, as_of=as_of)
    title, head, *rest = text.rstrip("\n").split("\n\n")
    sections = {section.split(" ")[0].split("\n")[0]: section.split("\n") for section in rest}

    assert title == f"HIGH - KMS Key Disabled ({len(hits)} times{_by_actors(hits)})"
    check_head(" ".join(head.split()), hits)
    check_asked_for(sections.get("Asked", []), hits)
    check_undo(sections.get("Undo", []), hits)
    check_who(sections["Who"], hits)
    for section, member in (("Resource", "resources"), ("Resources", "resources"), ("Check", "check")):
        if {hit.acted_on for hit in hits} != {()} and member == "resources":
            continue  # a subset of the resources in all that is recorded, and of none here
        listed = set(re.findall(r"(?:Key|Check)Q\dQ", "\n".join(sections.get(section, []))))
        assert not listed or listed == set(
            re.findall(r"(?:Key|Check)Q\dQ", str([getattr(hit, member) for hit in hits]))
        )
    ids = sections["rule"]
    listed_hits = [line.removeprefix("hit ") for line in ids if line.startswith("hit ")]
    assert listed_hits == [f"{hit.short_id} ({hit.hit_id})" for hit in hits[:10]]
    assert [line for line in ids if re.match("record|request", line) and "(the first hit's)" not in line] == []
    events = dict(_split(line) for line in sections.get("Links", []) if "event" in line)
    assert events.get("first event") == links_of(hits[0]).get("event")
    assert events.get("last event") == links_of(hits[-1]).get("event")
    check_document(alert_document(Alert(tuple(hits), as_of=as_of), max_text=LIMIT), hits)
    check_chat(chat_text(Alert(tuple(hits)), LIMIT), hits)


def _by_actors(hits: Sequence[Hit]) -> str:
    actors = len({hit.actor.key for hit in hits})
    return f", by {actors} actors" if actors > 1 else ""


def _split(line: str) -> tuple[str, str]:
    label, _, address = line.strip().partition("  ")
    return label.strip(), address.strip()


def times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def check_head(head: str, hits: Sequence[Hit]) -> None:
    """Every value in the first paragraph is every hit's, or has its number beside it."""
    total = len(hits)
    valued: dict[str, Callable[[Hit], object]] = {
        "Call": lambda hit: (hit.event_name,),
        "Source": lambda hit: (hit.event_source,),
        "Level": lambda hit: (hit.level_note,),
        "Before": lambda hit: (hit.raised_from_rule,),
        "Exception": lambda hit: (hit.muted_before,),
        "Also": lambda hit: hit.also,
        "Muted": lambda hit: hit.also_muted,
        "Text": lambda hit: (hit.actor.text,),
        "Name": lambda hit: (hit.actor.name,),
    }
    calls = {(hit.event_name, hit.event_source) for hit in hits}
    for kind, values in valued.items():
        for found in re.finditer(rf"{kind}Q\dQ", head):
            having = [hit for hit in hits if found[0] in str(values(hit))]
            assert having, found[0]
            if len(having) == total:
                continue
            number = re.match(
                _PASSED + r"(?: \(SourceQ\dQ\)|\))?(?: by \w+)?,? ?\(?(once|\d+ times)", head[found.end() :]
            )
            assert number, f"{found[0]} is not of all, and has no number: {head}"
            if kind in ("Call", "Source"):
                source = re.match(r" \((SourceQ\dQ)\)", head[found.end() :])
                having = [one for one in having if not source or one.event_source == source[1]]
                if kind == "Source":
                    continue  # the number after it is the call's, compared there
            assert number[1] == times(len(having)), head
    assert len(calls) > 5 or all(name in head for name, _ in calls)
    check_errors(head, hits)
    check_times(head, hits)
    outcomes = {hit.outcome for hit in hits}
    if len(outcomes) > 1:
        for outcome in outcomes:
            assert f"{sum(hit.outcome == outcome for hit in hits)} {_OUTCOMES[outcome]}" in head
    else:
        assert re.search(r"All (?:were |succeeded|failed)", head)
    regions = sorted({hit.region or "no region" for hit in hits})
    assert all(region in head for region in regions)
    resources = {one for hit in hits for one in hit.acted_on or hit.resources}
    shown = re.search(r"KMS key KeyQ\dQ(?: and (\d+) more)? in", head)
    assert int(shown[1] or 0) + 1 == len(resources) if shown else not resources
    verbs = {"reported" if hit.event_type == "AwsServiceEvent" else _verb(hit) for hit in hits}
    assert {verb for verb in ("reported", "tried", "called") if re.search(rf"\b{verb}\b", head)} == verbs
    foreign = re.search(r" of account (\d+)", head)
    assert not foreign or {hit.actor.account for hit in hits} == {foreign[1]}
    shared = sum(bool(hit.shared_event_id) for hit in hits)
    assert ("Two accounts record" in head) == bool(shared)
    assert shared in (0, len(hits)) or f"record {shared} of these" in head


def _verb(hit: Hit) -> str:
    return "tried" if hit.outcome in ("denied", "failed") else "called"


def check_errors(head: str, hits: Sequence[Hit]) -> None:
    failed = [(hit.error_code, hit.error_message) for hit in hits if hit.error_code and hit.outcome != "dryrun"]
    said = 0
    for code, message in set(failed):
        count = failed.count((code, message))
        error = code + (f": {message}" if message else "")
        said += error + ("" if count == len(hits) else f", {times(count)}") in head
    assert said >= min(len(set(failed)), 5)
    printed = set(re.findall(r"(?:Code|Message)Q\dQ", head))
    assert printed <= set(re.findall(r"(?:Code|Message)Q\dQ", str(failed)))


def check_times(head: str, hits: Sequence[Hit]) -> None:
    """First and last, how many without a time, and how late they were found."""
    known = sorted(hit.event_time for hit in hits if hit.event_time != NO_TIME)
    if not known:
        assert "Time unknown: the records have no valid time." in head
    else:
        first, last = (moment.replace("T", " ").replace("Z", " UTC") for moment in (known[0], known[-1]))
        at = f" at {first}." if first == last and len(known) == len(hits) else f" from {first} to {last}."
        assert f"{len(hits)} times{at}" in head
        unknown = len(hits) - len(known)
        assert (f"Of these {times(unknown)} at an unknown time" in head) == bool(unknown)
    quiet = sum(hit.quiet for hit in hits)
    assert ("Found by a replay" in head) == (quiet == len(hits))
    assert (f"(by a replay {times(quiet)}" in head) == (0 < quiet < len(hits))
    live = sum(hit.live is not None for hit in hits)
    assert ("Detected live " in head) == (live == len(hits) and not quiet)
    assert (f"live {times(live)})" in head) == (live > 0 and quiet < len(hits) and "Detected live " not in head)
    how = r"(?:Detected(?: live)?|Found by a replay)(?: \((?:by a replay|live) [^)]*\))?"
    said = re.search(rf"{how} ([\w ]+) after the event", head)
    if said:
        delays = {hit.delay for hit in hits}
        assert said[1] == " to ".join(dict.fromkeys(map(_span, (min(delays), max(delays)))))
        assert all(hit.event_time <= hit.seen_at and hit.event_time != NO_TIME for hit in hits)
    else:
        seen = sorted(hit.seen_at.replace("T", " ").replace("Z", " UTC") for hit in hits)
        assert seen[0] in head
        assert seen[-1] in head


def _span(seconds: int) -> str:
    parts = [(seconds // 3600, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    return " ".join([f"{number} {unit}" for number, unit in parts if number][:2]) or "0 s"


def check_asked_for(section: Sequence[str], hits: Sequence[Hit]) -> None:
    """Each value of a label is every hit's, or has the number of those that have it; none is missing."""
    given = [(label, value) for hit in hits for label, value in hit.shown]
    printed, label = {}, ""
    for line in section[1:]:
        label = line[2:14].strip() or label
        value, _, number = line[15:].partition(", ")
        printed[label, value] = number
    assert printed == {one: "" if given.count(one) == len(hits) else times(given.count(one)) for one in set(given)}


def check_undo(section: Sequence[str], hits: Sequence[Hit]) -> None:
    """Each command stands under a deadline that a hit with this command has; none of the ten most urgent is missing."""
    given = {(hit.undo_until, step) for hit in hits for step in hit.undo}
    notes = {hit.undo_note for hit in hits if hit.undo_note}
    assert bool(section) == bool(given or notes)
    if not section:
        return
    untils = {until for until, _ in given}
    heading = re.match(r"Undo(?: \(until (.+? UTC|some day).*\))?$", section[0])
    until = (heading and heading[1]) or ""
    printed = set()
    for line in section[1:]:
        if found := re.match(r"  until (.+? UTC|some day)", line):
            until = found[1]
        elif line == "  without a deadline:":
            until = ""
        elif "StepQ" in line:
            printed.add((until, line.strip()))
    assert printed <= given
    if len([hit for hit in hits if hit.undo]) <= 10:
        assert printed == given
    assert set(re.findall(r"NoteQ\dQ", "\n".join(section))) == notes
    if len(untils) > 1:
        earliest = min(untils, key=lambda one: DEADLINES.index(one) or 9)
        whose = re.search(r"earliest is that of (?:KMS key )?(\S+), (.*)\)$", section[0])
        assert whose
        assert whose[2] == earliest
        assert any(
            hit.undo_until == earliest
            and whose[1] in (hit.event_name, *(one.split("/")[1] for one in (hit.acted_on or hit.resources)[:1]))
            for hit in hits
            if hit.undo
        )


ROWS: dict[str, Callable[[Hit], str]] = {
    "principal": lambda hit: hit.actor.arn,
    "through": lambda hit: hit.actor.via,
    "address": lambda hit: hit.source_ip,
    "agent": lambda hit: hit.user_agent,
}
HINTS: dict[str, Callable[[Hit], bool]] = {
    "ending in HNT0": lambda hit: hit.actor.key_hint == "HNT0",
    "ending in HNT1": lambda hit: hit.actor.key_hint == "HNT1",
    "session since 2026-09-01 08": lambda hit: hit.actor.session == "2026-09-01T08:00:00Z",
    "session since 2026-09-01 07": lambda hit: hit.actor.session == "2026-09-01T07:00:00Z",
    "with MFA": lambda hit: hit.actor.mfa == "true",
    "without MFA": lambda hit: hit.actor.mfa == "false",
    "from the console": lambda hit: hit.actor.console,
    "long-term key": lambda hit: hit.actor.credential == "long-term",
    "temporary key": lambda hit: hit.actor.credential == "temporary",
}


def check_who(section: Sequence[str], hits: Sequence[Hit]) -> None:
    """Every person with the number of their hits, and what is printed of one is true for each of these hits."""
    people = {(hit.actor.key, hit.actor.text) for hit in hits}
    own, printed, label = list(hits), [], ""
    for line in section[1:]:
        if person := re.match(r" +(\d+) x (TextQ\dQ)$", line):
            fitting = [
                group
                for key in {hit.actor.key for hit in hits}
                if (group := [hit for hit in hits if (hit.actor.key, hit.actor.text) == (key, person[2])])
                and len(group) == int(person[1])
            ]
            assert fitting, line
            own = fitting[0] if len(fitting) == 1 else []
            printed.append(person[2])
        elif line == "  All of them:":
            own = list(hits)
        elif found := re.match(r" +(\S+)?  +(\S.*?)(?:, (once|\d+ times))?$", line):
            label = found[1] or label
            if own:
                check_row(label, found[2], found[3], own)
        elif "Lambda" in line:
            assert all("AWS_Lambda" in hit.user_agent and hit.actor.kind == "role" for hit in hits)
    if len(people) > 1:
        assert sorted(printed) == sorted(text for _, text in people)
    for label, value in ROWS.items():
        if len({value(hit) for hit in hits if value(hit)}) <= 5:
            assert all(value(hit) in "\n".join(section) for hit in hits), label


def check_row(label: str, value: str, number: str | None, own: Sequence[Hit]) -> None:
    if value.startswith("... and"):
        return
    if label in ROWS:
        having = sum(ROWS[label](hit) == value for hit in own)
    elif label == "credentials":
        held = [holds for hint, holds in HINTS.items() if hint in value]
        having = sum(all(holds(hit) for holds in held) for hit in own)
        assert number or having == len(own)
        return
    else:
        return
    assert having == len(own) if number is None else times(having) == number, (label, value)


def check_document(document: dict[str, Any], hits: Sequence[Hit]) -> None:
    """What the JSON says about the alert is counted, a list of all, or said to be the first hit's."""
    assert {one["address"]: one["count"] for one in document["addresses"]} == {
        address: sum(hit.source_ip == address for hit in hits) for address in {hit.source_ip for hit in hits}
    }
    assert {one["outcome"]: one["count"] for one in document["outcomes"]} == {
        outcome: sum(hit.outcome == outcome for hit in hits) for outcome in {hit.outcome for hit in hits}
    }
    assert set(document["regions"]) == {hit.region for hit in hits}
    assert sum(actor["count"] for actor in document["actors"]) == len(hits)
    untils = [hit.undo_until for hit in hits if hit.undo and hit.undo_until]
    assert ("deadline" in document) == bool(untils)
    if untils:
        assert document["deadline"]["until"] == min(untils, key=DEADLINES.index)
        (whose,) = (hit for hit in hits if hit.hit_id == document["deadline"]["hitId"])
        assert whose.undo_until == document["deadline"]["until"]
    known = [hit.event_time for hit in hits if hit.event_time != NO_TIME] or [NO_TIME]
    assert (document["firstEventTime"], document["lastEventTime"]) == (min(known), max(known))
    json.dumps(document)


def check_chat(text: str, hits: Sequence[Hit]) -> None:
    """The chat names nothing of one hit as all hits', and gives each command with its own deadline."""
    first, *rest = text.split("\n\n")
    people = {(hit.actor.key, hit.actor.text) for hit in hits}
    assert ("`TextQ" in first) == (len(people) == 1)
    assert set(re.findall(r"CallQ\dQ", first)) <= {hit.event_name for hit in hits}
    calls = len({hit.event_name for hit in hits})
    assert len(re.findall(r"CallQ\dQ", first)) == min(calls, 5)
    assert all((hit.region or "no region") in first for hit in hits)
    outcomes = {hit.outcome for hit in hits}
    assert all(len(outcomes) == 1 or f"{sum(hit.outcome == one for hit in hits)} {one}" in first for one in outcomes)
    given = {(hit.undo_until, step) for hit in hits for step in hit.undo}
    for paragraph in rest:
        if paragraph.startswith("*Undo*"):
            found = re.match(r"\*Undo\* \(until (.*?)\)\n", paragraph)
            for step in re.findall(r"aws StepQ\dQ", paragraph):
                assert (found[1] if found else "", step) in given


@pytest.mark.parametrize("count", [1, 2])
def test_deadline_is_as_of_when_it_is_read(given_hit: Callable[..., Hit], count: int) -> None:
    """What was left when the hit was detected is no help to who reads it a week later."""
    hits = [
        replace(given_hit(), event_id=f"e{number}", undo_until="2026-09-08 09:14:07 UTC") for number in range(count)
    ]

    detected, read = mail_text(hits), mail_text(hits, as_of="2026-09-07T09:14:07Z")
    late = mail_text(hits, as_of="2026-09-10T09:14:07Z")

    assert "Undo (until 2026-09-08 09:14:07 UTC: 6 d 23 h left when this was detected)" in detected
    assert "Undo (until 2026-09-08 09:14:07 UTC: 1 d left as of 2026-09-07 09:14:07 UTC)" in read
    assert "Undo (until 2026-09-08 09:14:07 UTC: over since 2 d as of 2026-09-10 09:14:07 UTC)" in late
