"""From records to the hit of an episode: what it holds, how its mail reads, and that it survives its row."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.log_files import log_file
from trailbell.alerts.mail import mail_text
from trailbell.cli.scan.run import Plan, Scan, run_scan
from trailbell.cli.terminal.progress import Progress
from trailbell.cloudtrail.selection import Selection
from trailbell.engine.rulebook import Rulebook, dump_rulebook, load_rulebook
from trailbell.facts.actor import Actor
from trailbell.hits.base_match import SEVERAL
from trailbell.hits.hit import Hit, hit_document, hit_from_document
from trailbell.rulebook.cases import BASE_RECORD, merged
from trailbell.rulebook.load import load_rules


RULES = """\
title: Key disabled
id: 11111111-1111-4111-8111-111111111111
name: disabled
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventSource: kms.amazonaws.com, eventName: DisableKey}, condition: s}
level: high
undo:
  steps: ["aws kms enable-key --key-id {resource.key} --region {region}"]
  within: 7
---
title: Parameter read
name: read
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventSource: ssm.amazonaws.com, eventName: GetParameter}, condition: s}
level: informational
generate: false
---
title: Many keys disabled
id: 22222222-2222-4222-8222-222222222222
name: wave
correlation:
  type: event_count
  rules: disabled
  group-by: facts.actor.key
  timespan: 10m
  condition: {gte: 3}
  generate: true
level: critical
description: Several keys go at once.
---
title: Parameters swept
name: sweep
correlation:
  type: value_count
  rules: [read]
  group-by: [facts.actor.key, recipientAccountId]
  timespan: 10m
  condition: {gte: 12, field: requestParameters.name}
level: high
"""


def rulebook(tmp_path: Path, rules: str = RULES) -> Rulebook:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "all.yml").write_text(rules)
    found = load_rules(tmp_path / "rules", {})
    assert not found.errors
    return load_rulebook(dump_rulebook(Rulebook(found.rules, correlations=found.correlations)))


def disable(number: int, minute: int) -> dict[str, Any]:
    arn = f"arn:aws:kms:us-east-1:111122223333:key/{number:08}-0000-4000-8000-000000000000"
    return merged(
        BASE_RECORD,
        {
            "eventSource": "kms.amazonaws.com",
            "eventName": "DisableKey",
            "eventID": f"d-{number}",
            "eventTime": f"2026-09-01T09:{minute:02}:00Z",
            "requestParameters": {"keyId": arn},
            "resources": [{"ARN": arn, "type": "AWS::KMS::Key"}],
        },
    )


def read(number: int) -> dict[str, Any]:
    return merged(
        BASE_RECORD,
        {
            "eventSource": "ssm.amazonaws.com",
            "eventName": "GetParameter",
            "eventID": f"r-{number}",
            "eventTime": f"2026-09-01T10:00:{number:02}Z",
            "requestParameters": {"name": f"/prod/secret-{number}", "withDecryption": True},
            "readOnly": True,
        },
    )


def scanned(
    tmp_path: Path, files: list[list[dict[str, Any]]], jobs: int = 1, rules: str = RULES
) -> tuple[list[Hit], Scan]:
    paths = list[Path]()
    for number, records in enumerate(files):
        paths.append(tmp_path / f"{number}.json")
        paths[-1].write_bytes(log_file(*records))
    result = Scan()
    plan = Plan(
        rulebook(tmp_path, rules),
        Selection(),
        "2026-09-01T10:05:00Z",
        jobs,
        Progress(1, 1, "files"),
        stopped=lambda: False,
    )
    return list(run_scan([*paths], plan, result)), result


@pytest.mark.parametrize("jobs", [1, 2])
def test_episodes_come_from_all_files_and_duplicates_count_once(tmp_path: Path, jobs: int) -> None:
    """Three keys in three files, one of them twice; a fourth too late for all of them but the last."""
    hits, result = scanned(tmp_path, [[disable(3, 12)], [disable(1, 5), disable(3, 12)], [disable(2, 8)]], jobs)

    waves = [hit for hit in hits if hit.episode]
    assert [hit.name for hit in hits if not hit.episode] == ["disabled"] * 4
    (wave,) = waves
    assert result.episodes == 1
    assert (wave.name, wave.level, wave.event_time) == ("wave", "critical", "2026-09-01T09:12:00Z")
    assert wave.episode
    assert (wave.episode.first, wave.episode.last) == ("2026-09-01T09:05:00Z", "2026-09-01T09:12:00Z")
    assert wave.episode.count == 3
    assert [act.event_id for act in wave.episode.acts] == ["d-1", "d-2", "d-3"]
    assert all(act.is_hit for act in wave.episode.acts)
    assert len(wave.undo) == 3
    assert [act.undo_until for act in wave.episode.acts] == [
        f"2026-09-08 09:{at} UTC" for at in ("05:00", "08:00", "12:00")
    ]
    assert wave.undo_until == "2026-09-08 09:05:00 UTC"
    assert wave.resources == tuple(act.resources[0] for act in wave.episode.acts)


def test_the_hit_of_an_episode_survives_its_row(tmp_path: Path) -> None:
    """What is kept is read back whole."""
    hits, _ = scanned(tmp_path, [[disable(number, number) for number in range(4)]])
    wave = next(hit for hit in hits if hit.episode)

    assert hit_from_document(json.loads(json.dumps(hit_document(wave)))) == replace(wave)


def test_rules_that_only_count_are_silent_and_the_mail_tells_the_story(tmp_path: Path) -> None:
    """Thirty reads are one hit: how many, in what time, the first and the last of them."""
    hits, _ = scanned(tmp_path, [[read(number) for number in range(30)]])

    (sweep,) = hits
    assert sweep.episode
    assert sweep.episode.count == 30
    text = mail_text([sweep])
    assert "30 acts within 29 s. Of these some in account 111122223333, us-east-1" in " ".join(text.split())
    assert "role/Admin: 30 acts" in text  # no session is named: of twenty acts none is held
    assert "2026-09-01 10:00:00 UTC  GetParameter on parameter /prod/secret-0" in text
    assert "... 20 more ..." in text
    assert "secret-29" in text


def swept(tmp_path: Path, *sessions: tuple[str, str]) -> Hit:
    """The episode of an account whose parameters are read by sessions of roles, (role, session)."""
    records = [
        merged(
            read(number),
            {
                "userIdentity": {
                    "arn": f"arn:aws:sts::111122223333:assumed-role/{role}/{session}",
                    "sessionContext": {
                        "sessionIssuer": {"userName": role, "arn": f"arn:aws:iam::111122223333:role/{role}"}
                    },
                }
            },
        )
        for number, (role, session) in enumerate(sessions)
    ]
    hits, _ = scanned(tmp_path, [records], rules=RULES.replace("[facts.actor.key, recipientAccountId]", "awsRegion"))
    (hit,) = hits
    return hit


def test_who_alone_is_known_is_named_and_has_the_own_key(tmp_path: Path) -> None:
    """That there may be others does not make a person nobody: tables, rows and lists show a name."""
    actor = swept(tmp_path, *[("Admin", "alice")] * 12).actor

    assert actor == Actor(
        "role",
        "role Admin, session alice, and maybe others",
        "arn:aws:iam::111122223333:role/Admin",
        account="111122223333",
        name="role/Admin",
        role="arn:aws:iam::111122223333:role/Admin",
    )


def test_sessions_of_one_role_are_one_actor(tmp_path: Path) -> None:
    """They have one key, so they are not two."""
    actor = swept(tmp_path, *[("Admin", "alice"), ("Admin", "bob")] * 6).actor

    assert (actor.text, actor.name) == ("role/Admin, and maybe others", "role/Admin")
    assert actor.key == "arn:aws:iam::111122223333:role/Admin"


def test_several_actors_are_counted_under_a_key_of_their_own(tmp_path: Path) -> None:
    """Nobody's list of acts is mixed with theirs."""
    actor = swept(tmp_path, *[("Admin", "alice"), ("Deploy", "ci")] * 6).actor

    assert (actor.kind, actor.text, actor.name, actor.key) == (SEVERAL, "2 actors or more", "2 actors or more", SEVERAL)
