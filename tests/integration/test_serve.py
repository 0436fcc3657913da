"""`trailbell serve`: who is let in, what an action does to the table, and what is told while AWS is away."""

import gzip
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError
from click.testing import CliRunner

from tests.integration.test_undo_command import given_act, given_episode
from tests.served import Answer, Served, serving
from trailbell.audit.newest import AuditedDigest
from trailbell.cli.local.local_aws import LocalAws
from trailbell.cli.main import cli, main
from trailbell.cli.options.connection import Connection
from trailbell.cli.serve import checks as checks_module
from trailbell.cli.serve import watcher as watcher_module
from trailbell.cli.serve.callers_aws import CallersAws
from trailbell.cli.serve.known_hits import KnownHits, ref_of
from trailbell.cli.serve.listening import listen, private_redirect
from trailbell.cli.serve.outage import LONGEST_PAUSE, Outage, met, who_acts
from trailbell.cli.serve.watcher import Pace
from trailbell.cloudtrail.digest_key import parse_digest_key
from trailbell.errors import SettingsError, TableError
from trailbell.hits.hit import Hit
from trailbell.hits.hit_state import HitState
from trailbell.hits.query import HitQuery
from trailbell.ops.checks.finding import Finding
from trailbell.store.audits import DynamoAudits
from trailbell.store.deliveries import DynamoDeliveryRecords
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.query.hit_query import FoundHit


GivenHit = Callable[..., Hit]
ROOT = Path(__file__).resolve().parents[2]
WINDOW = HitQuery(since=datetime(2026, 9, 1, tzinfo=UTC), until=datetime(2026, 9, 30, tzinfo=UTC))
HOSTILE = "</script><script>alert(1)</script>\u202e\x1b[31m'\"%00/../\n#&"
OTHERS = ("0.0.0.0", "::", "192.168.1.7", "::ffff:127.0.0.1", "example.com", "", "127.0.0.1.nip.io")  # noqa: S104
EXPIRED = ClientError({"Error": {"Code": "ExpiredTokenException", "Message": "expired"}}, "Query")


@pytest.fixture
def keep(dynamodb: Any, table: str) -> Callable[..., list[Hit]]:
    def make(*hits: Hit) -> list[Hit]:
        DynamoHitTable(dynamodb, table, 400).keep(hits)
        return list(hits)

    return make


@pytest.fixture
def served(table: str) -> Iterator[Served]:
    with serving(WINDOW) as found:
        yield found


def change(served: Served, ref: str, action: str, version: int, **more: str) -> Answer:
    return served.post("/api/change", {"ref": ref, "action": action, "version": version, **more})


# Who is let in.


@pytest.mark.parametrize(
    "path", ["/", "/api/changes", "/api/hit?ref=x", "/api/record?ref=x", "/nothing", "/favicon.ico"]
)
def test_other_person_of_this_machine_is_refused(served: Served, path: str) -> None:
    """Whoever lacks the address learns nothing: not what is served, nor which paths there are."""
    for headers in (
        {},
        {"X-Trailbell-Token": "x"},
        {"X-Trailbell-Token": ""},
        {"X-Trailbell-Token": served.token[:-1]},
    ):
        answer = served.send("GET", path, headers)
        assert answer.status == 403
        assert answer.body.startswith(b"403: open the address that `trailbell serve` printed")


def test_address_opens_a_page_that_holds_nothing(
    served: Served, keep: Callable[..., list[Hit]], given_hit: GivenHit
) -> None:
    """Its path is in the browser's history; what opens the hits is not, and not in the page either."""
    (hit,) = keep(given_hit(1, title="Key of the Treasury"))
    served.watcher.look()

    page = served.send("GET", served.path, {})

    assert page.status == 200
    assert hit.title not in page.body.decode()
    assert served.token not in page.body.decode()
    assert "set-cookie" not in page.headers  # cookies go to all ports of a host, and so to other people's servers
    assert served.path != f"/{served.token}/"
    assert served.token not in served.address
    assert [found["title"] for found in served.hits().values()] == [hit.title]


def test_printed_key_is_good_for_one_exchange(served: Served) -> None:
    """The browser's history keeps it: whoever reads it there later has nothing."""
    first = served.address.partition("#key=")[2]
    ours = {"Origin": f"http://{served.host}", "X-Trailbell-Token": first}
    assert served.send("GET", "/api/changes", ours).status == 403
    assert served.send("GET", "/api/session", ours).status == 403
    assert served.send("POST", "/api/session", {"X-Trailbell-Token": first}).status == 403
    for wrong in ("", first[:-1], served.token, served.path.strip("/")):
        assert served.send("POST", "/api/session", ours | {"X-Trailbell-Token": wrong}).status == 403

    answers = [served.send("POST", "/api/session", ours) for _ in range(2)]

    assert [one.status for one in answers] == [200, 403]
    assert answers[0].json == {"token": served.token, "proof": served.parts.keys.proof}
    second = served.parts.address.partition("#key=")[2]
    assert second != first
    assert served.send("POST", "/api/session", ours | {"X-Trailbell-Token": second}).status == 200


def test_answers_prove_whose_they_are_to_those_with_the_token_alone(served: Served) -> None:
    """A program that has the port later knows what the page sends it, and no more."""
    proof = served.parts.keys.proof

    for answer in (served.get("/api/changes"), served.get("/api/nothing"), served.post("/api/change", {})):
        assert answer.headers["x-trailbell-proof"] == proof
    for answer in (served.send("GET", served.path, {}), served.send("GET", "/api/changes", {})):
        assert proof not in f"{answer.headers}{answer.body.decode()}"


def test_defect_of_ours_is_named_one_with_all_headers(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(KnownHits, "since", broken)
    answer = served.get("/api/changes")

    assert answer.status == 500
    assert answer.json == {"error": "trailbell has a defect and could not answer this: its terminal says what broke"}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-trailbell-proof"] == served.parts.keys.proof


@pytest.mark.parametrize(
    ("headers", "what"),
    [
        ({"Host": "evil.example:{port}"}, "a name that somebody points to 127.0.0.1"),
        ({"Host": "127.0.0.1"}, "no port"),
        ({"Host": "127.0.0.1:1"}, "another port"),
        ({"Host": "127.0.0.1:{port}.evil.example"}, "more behind it"),
        ({"Host": ""}, "none"),
        ({"Origin": "https://evil.example"}, "another site"),
        ({"Origin": "null"}, "a file, or a sandbox"),
        ({"Origin": "https://127.0.0.1:{port}"}, "another scheme"),
        ({"Origin": "http://127.0.0.1:1"}, "another person's server on this machine"),
        ({"Origin": "http://localhost:{port}"}, "not the host that was asked"),
        ({"Sec-Fetch-Site": "cross-site"}, "another site"),
        ({"Sec-Fetch-Site": "same-site"}, "another port of this machine"),
        ({"X-Trailbell-Token": "{path}"}, "the page's path is no token"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_request_that_is_not_our_pages_is_refused(
    served: Served, method: str, headers: dict[str, str], what: str
) -> None:
    """With the right token, too: a browser that was led here by another site has all but the right names."""
    port, right = served.host.rpartition(":")[2], {"X-Trailbell-Token": served.token, "Origin": f"http://{served.host}"}
    given = right | {name: text.format(port=port, path=served.path.strip("/")) for name, text in headers.items()}
    path, body = ("/api/changes", None) if method == "GET" else ("/api/retry", b"{}")

    assert served.send(method, path, right, body).status in (200, 202)
    assert served.send(method, path, given, body).status == 403
    if "Host" in headers:
        assert served.send("GET", served.path, {"Host": given["Host"]}).status == 403


def test_state_is_changed_by_nothing_but_a_post_with_the_token_and_our_origin(
    served: Served,
    keep: Callable[..., list[Hit]],
    given_hit: GivenHit,
    read_rows: Callable[[str], list[dict[str, Any]]],
) -> None:
    """A form of another site can post, but neither set a header nor choose its Origin."""
    (hit,) = keep(given_hit(1))
    served.watcher.look()
    document = {"ref": ref_of(hit.identity), "action": "ack", "version": 0}
    body, ours = json.dumps(document).encode(), {"Origin": f"http://{served.host}"}
    token = {"X-Trailbell-Token": served.token}

    assert served.send("POST", "/api/change", ours, body).status == 403
    assert served.send("POST", "/api/change", token, body).status == 403  # no Origin: no browser of today
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        assert served.send(method, "/api/change", {**ours, **token}, body).status == 405
    assert served.send("POST", served.path, {**ours, **token}, body).status == 403
    assert read_rows("state") == []
    assert served.send("POST", "/api/change", {**ours, **token}, body).status == 200


def test_every_answer_keeps_to_itself(served: Served) -> None:
    """Refusals and errors, too: not kept, not framed, not sniffed, no address passed on, nothing of others run."""
    answers = [
        served.send("GET", served.path, {}),
        served.send("GET", "/", {}),
        served.get("/api/changes"),
        served.get("/api/hit?ref=none"),
        served.get("/api/nothing"),
        served.post("/api/change", {"wrong": 1}),
    ]

    assert [one.status for one in answers] == [200, 403, 200, 404, 404, 400]
    for one in answers:
        assert one.headers["cache-control"] == "no-store"
        assert one.headers["referrer-policy"] == "no-referrer"
        assert one.headers["x-content-type-options"] == "nosniff"
        assert one.headers["x-frame-options"] == "DENY"
        assert one.headers["cross-origin-opener-policy"] == "same-origin"
        assert one.headers["cross-origin-resource-policy"] == "same-origin"
        assert "server" not in one.headers
        assert "access-control-allow-origin" not in one.headers
        policy = dict(
            part.strip().split(" ", 1)
            for part in one.headers["content-security-policy"].split(";")
            if " " in part.strip()
        )
        assert (policy["default-src"], policy["frame-ancestors"]) == ("'none'", "'none'")
        assert "unsafe" not in one.headers["content-security-policy"]
    page = answers[0].headers["content-security-policy"]
    assert re.search(r"script-src 'sha256-[\w+/=]+'; style-src 'sha256-[\w+/=]+';", page)
    assert "connect-src 'self'" in page
    assert "require-trusted-types-for 'script'" in page


@pytest.mark.parametrize("host", OTHERS)
def test_no_address_but_loopback_is_listened_to(host: str) -> None:
    """A name is not looked up: it may lead anywhere."""
    result = CliRunner().invoke(cli, ["serve", "--table", "hits", "--host", host])

    assert isinstance(result.exception, SettingsError)
    assert "only this machine may connect" in str(result.exception)
    with pytest.raises(SettingsError):
        listen(host, 0)


def test_the_port_is_bound_on_loopback_alone_and_told_if_it_is_taken(served: Served) -> None:
    port = int(served.host.rpartition(":")[2])
    with pytest.raises(SettingsError, match=f"--port {port}: Address already in use"):
        listen("127.0.0.1", port)
    with listen("localhost", 0) as bound:
        assert bound.getsockname()[0] == "127.0.0.1"


def test_ipv6_loopback_serves_as_well(table: str) -> None:
    try:
        with serving(WINDOW, host="::1") as served:
            assert served.host.startswith("[::1]:")
            assert served.get("/api/changes").status == 200
    except SettingsError as error:
        pytest.skip(f"this machine has no IPv6: {error}")


def test_browser_is_led_by_a_file_that_only_its_owner_reads() -> None:
    """What a program is started with stands in the list of processes, which everybody sees."""
    with private_redirect("http://127.0.0.1:1/p/#key=secret") as address:
        file = Path(address.removeprefix("file://"))
        assert "secret" not in address
        assert "#key=secret" in file.read_text(encoding="utf-8")
        assert file.stat().st_mode & 0o077 == 0
    assert not file.exists()


# What an action does.


def rows_of(rows: list[dict[str, Any]], hit: Hit) -> list[dict[str, Any]]:
    """A hit's rows of state and history, without its name and what depends on the clock."""
    mine = [row for row in rows if hit.event_id in row["pk"] and row["kind"] in ("state", "state-change")]
    left_out = {"pk", "at", "expiresAt"}
    return sorted(({k: v for k, v in row.items() if k not in left_out} for row in mine), key=lambda row: str(row["sk"]))


STEPS = [
    [("ack", "", "")],
    [("ack", "asking alice", ""), ("resolve", "planned, CHG-4711", "false")],
    [("resolve", "", ""), ("resolve", "it was her", "confirmed"), ("reopen", "no, again", "")],
    [("note", "alice says \u202eit was her\x1b[31m <b>", ""), ("ack", "", ""), ("note", "x" * 1000, "")],
]


@pytest.mark.parametrize("steps", STEPS, ids=lambda steps: "-".join(step[0] for step in steps))
def test_actions_write_what_the_commands_write(
    served: Served,
    keep: Callable[..., list[Hit]],
    given_hit: GivenHit,
    read_rows: Callable[[str], list[dict[str, Any]]],
    steps: list[tuple[str, str, str]],
) -> None:
    """Row for row: nobody can tell later where somebody clicked or typed."""
    clicked, typed = keep(given_hit(1), given_hit(2))
    served.watcher.look()

    for version, (action, note, resolved_as) in enumerate(steps):
        more = {"as": resolved_as} if resolved_as else {}
        assert change(served, ref_of(clicked.identity), action, version, note=note, **more).status == 200
        words = [action, typed.short_id] + ([note] if action == "note" else ["--note", note])
        words += ["--as", resolved_as] if resolved_as else []
        assert CliRunner().invoke(cli, [*words, "--table", "hits"], catch_exceptions=False).exit_code == 0

    rows = read_rows("")
    assert len(rows_of(rows, clicked)) == len(steps) + 1
    assert rows_of(rows, clicked) == rows_of(rows, typed)
    assert {row["by"] for row in rows_of(rows, clicked)} == {"arn:aws:sts::123456789012:user/moto"}


def test_action_of_one_tab_is_in_the_other_at_its_next_question(
    served: Served, keep: Callable[..., list[Hit]], given_hit: GivenHit
) -> None:
    """And only what changed comes: two tabs know different things."""
    hit, _ = keep(given_hit(1), given_hit(2))
    served.watcher.look()
    before = served.get("/api/changes").json["hits"]["number"]

    answer = change(served, ref_of(hit.identity), "ack", 0, note="mine")
    other = served.hits(before)

    assert answer.json["said"] == f"{hit.short_id} kms-key-disabled: acked (was open)"
    assert [(one["shortID"], one["state"], one["stateNote"], one["version"]) for one in other.values()] == [
        (hit.short_id, "acked", "mine", "1")
    ]
    assert served.hits(before + 1) == {}


def test_second_of_two_who_saw_the_same_is_told_who_was_first(
    served: Served,
    keep: Callable[..., list[Hit]],
    given_hit: GivenHit,
    read_rows: Callable[[str], list[dict[str, Any]]],
) -> None:
    """Also where the table would take it: it is not what they meant."""
    (hit,) = keep(given_hit(1))
    served.watcher.look()
    CliRunner().invoke(
        cli, ["ack", hit.short_id, "--note", "alice is on it", "--table", "hits"], catch_exceptions=False
    )

    late = change(served, ref_of(hit.identity), "resolve", 0, note="nothing to see")

    assert late.status == 409
    assert "it was changed since you looked: it is acked by arn:aws:sts::123456789012:user/moto" in late.json["error"]
    assert "alice is on it" in late.json["error"]
    assert [row["action"] for row in read_rows("state-change")] == ["ack"]
    assert served.hits()[hit.short_id]["state"] == "acked"  # the page has it now, without another look
    assert change(served, ref_of(hit.identity), "ack", 1).status == 409
    assert "acked already" in change(served, ref_of(hit.identity), "ack", 1).json["error"]
    assert change(served, ref_of(hit.identity), "note", 0, note="a note harms nobody").status == 200


def test_of_many_at_the_same_moment_one_is_done(
    served: Served,
    keep: Callable[..., list[Hit]],
    given_hit: GivenHit,
    read_rows: Callable[[str], list[dict[str, Any]]],
) -> None:
    """The condition of the write decides, not what was read before it."""
    (hit,) = keep(given_hit(1))
    served.watcher.look()
    answers = list[int]()
    start = threading.Barrier(6)

    def click() -> None:
        start.wait()
        answers.append(change(served, ref_of(hit.identity), "resolve", 0).status)

    threads = [threading.Thread(target=click) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [200, 409, 409, 409, 409, 409]
    assert [row["version"] for row in read_rows("state-change")] == [1]


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"action": "note", "note": " "}, "write something"),
        ({"action": "note", "note": "x" * 1001}, "at most 1000 characters"),
        ({"action": "ack", "as": "false"}, "only what is resolved"),
        ({"action": "undo"}, "Invalid enum value"),
        ({"action": "resolve", "as": "maybe"}, "Invalid enum value"),
        ({"action": "ack", "version": "0"}, "Expected `int`"),
        ({"action": "ack", "version": -1}, "Expected `int` >= 0"),
        ({"action": "ack", "by": "arn:aws:iam::1:user/somebody-else"}, "unknown field `by`"),
        ({}, "missing required field"),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_what_is_no_action_is_refused_and_changes_nothing(
    served: Served,
    keep: Callable[..., list[Hit]],
    given_hit: GivenHit,
    read_rows: Callable[[str], list[dict[str, Any]]],
    document: dict[str, object],
    says: str,
) -> None:
    (hit,) = keep(given_hit(1))
    served.watcher.look()

    answer = served.post("/api/change", {"ref": ref_of(hit.identity), "version": 0, **document})

    assert answer.status == 400
    assert says in answer.json["error"]
    assert read_rows("state") == []


def test_bodies_that_are_none_are_refused(served: Served) -> None:
    right = {"X-Trailbell-Token": served.token, "Origin": f"http://{served.host}"}

    for body in (b"", b"{", b"[]", b"\xff\xfe", b"null", b'{"ref": "\\ud800"}'):
        assert served.send("POST", "/api/change", right, body).status == 400
    assert served.send("POST", "/api/change", right, b"[" * 70_000).status == 413
    assert change(served, "x" * 129, "ack", 0).status == 400
    assert change(served, "sha256-none", "ack", 0).status == 404


def test_numbers_and_ids_that_are_none_are_refused(
    served: Served, keep: Callable[..., list[Hit]], given_hit: GivenHit
) -> None:
    """With words, and never as a defect of ours: whoever asks has mistaken something."""
    (hit,) = keep(given_hit(1))
    served.watcher.look()
    for since in (
        "",
        "x",
        "-",
        "--1",
        "-+1",
        "+1",
        "1_0",
        "1" * 16,
        "%C2%B2",
        "%D9%A3",
        "1e9",
        "1.0",
        "%201",
        "%00",
        "1%0A",
    ):
        answer = served.get(f"/api/changes?since={since}")
        assert (answer.status, answer.json["error"].partition(":")[0]) == (400, "since")
    for since in ("-1", "-2", "0", "-0", "9" * 15, "-1&since=-2"):
        assert served.get(f"/api/changes?since={since}").status == 200
    for ref in ("", "x", "%00", "%FF", "%ED%A0%80", "x" * 5000, "..%2F..", "a&ref=b"):
        for what in ("hit", "record"):
            assert served.get(f"/api/{what}?ref={ref}").status == 404
    assert served.get("/api/hit").status == 404
    assert change(served, ref_of(hit.identity), "ack", 10**15 - 1).status == 409
    for number in ("1e400", "1.5", "-1", "1" * 16, "1" * 400, "1" * 5000, "null", "true", "NaN", '"0"', "[" * 5000):
        body = f'{{"ref": "{ref_of(hit.identity)}", "action": "ack", "version": {number}}}'.encode()
        ours = {"X-Trailbell-Token": served.token, "Origin": f"http://{served.host}"}
        assert served.send("POST", "/api/change", ours, body).status == 400


def test_hostile_ids_and_texts_are_data(
    served: Served,
    keep: Callable[..., list[Hit]],
    given_hit: GivenHit,
    read_rows: Callable[[str], list[dict[str, Any]]],
) -> None:
    """Whoever calls an API may choose much of a record; the page names a hit by a digest."""
    texts = dict.fromkeys(("title", "user_agent", "error_message", "event_name", "source_ip", "meaning"), HOSTILE)
    hit = replace(given_hit(1, **texts), event_id=HOSTILE, resources=(HOSTILE,))
    keep(hit)
    served.watcher.look()

    (found,) = served.hits().values()
    raw = served.get("/api/changes").body

    assert found["ref"] == ref_of(hit.identity)
    assert re.fullmatch(r"sha256-[0-9a-f]{32}", str(found["ref"]))
    assert "\u202e" not in json.loads(raw)["hits"]["pool"]
    assert "\\u202e" in str(found["title"])
    assert raw.isascii()
    assert change(served, str(found["ref"]), "ack", 0, note=HOSTILE).status == 200
    assert served.get(f"/api/hit?ref={found['ref']}").status == 200
    (row,) = read_rows("state")
    assert "\n" not in row["note"]
    assert "\x1b" not in row["note"]


# What is told of hits.


def test_story_is_that_of_the_command_with_the_undo_of_its_alert(
    served: Served, keep: Callable[..., list[Hit]], given_hit: GivenHit
) -> None:
    undo = ("aws kms enable-key --key-id 1",)
    first, second = keep(given_hit(1, undo=undo), given_hit(2, undo=undo, event_time="2026-09-15T10:00:30Z"))
    served.watcher.look()
    change(served, ref_of(first.identity), "ack", 0, note="mine")

    told = served.get(f"/api/hit?ref={ref_of(first.identity)}").json
    words = ["hit", first.short_id, "--no-record", "--format", "json", "--table", "hits"]
    typed = json.loads(CliRunner().invoke(cli, words, catch_exceptions=False).output)

    for name in ("id", "hit", "state", "history", "followUps", "told", "relatedByActor"):
        assert told[name] == typed[name]
    assert [one["note"] for one in told["history"]] == ["mine"]
    assert [one["shortId"] for one in told["undo"]["hits"]] == [first.short_id, second.short_id]
    script = CliRunner().invoke(cli, ["undo", first.short_id, "--table", "hits"], catch_exceptions=False).output
    timeless = [re.sub(r"(: .+ left)?$", "", line) for line in script.splitlines()[1:]]  # the first says when
    assert [re.sub(r"(: .+ left)?$", "", line) for line in told["undoScript"].splitlines()[1:]] == timeless


def test_undo_of_an_episode_goes_by_the_hits_of_its_acts(
    served: Served, keep: Callable[..., list[Hit]], given_hit: GivenHit
) -> None:
    """What a colleague has undone is a comment here, too: the page reads what the command reads."""
    acts = [given_act(given_hit, number) for number in (1, 2)]
    keep(*acts)
    (episode,) = keep(given_episode(given_hit, acts))
    served.watcher.look()
    change(served, ref_of(acts[0].identity), "resolve", 0, note="mine")

    told = served.get(f"/api/hit?ref={ref_of(episode.identity)}").json
    script = CliRunner().invoke(cli, ["undo", episode.short_id, "--table", "hits"], catch_exceptions=False).output

    assert f"# resolved already: {acts[0].undo[0]}" in told["undoScript"].splitlines()
    assert acts[1].undo[0] in told["undoScript"].splitlines()
    timeless = [re.sub(r"(: .+ left)?$", "", line) for line in script.splitlines()[1:]]  # the first says when
    assert [re.sub(r"(: .+ left)?$", "", line) for line in told["undoScript"].splitlines()[1:]] == timeless


def test_record_comes_from_the_trail_bucket_with_its_secrets_hidden(
    served: Served, keep: Callable[..., list[Hit]], given_hit: GivenHit
) -> None:
    s3, hit = boto3.client("s3"), given_hit(1)
    keep(hit, given_hit(2, place=replace(hit.place, key="AWSLogs/gone.json.gz")))
    s3.create_bucket(Bucket="trail", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    record = {"eventName": "DisableKey", "requestParameters": {"password": "hunter2", "keyId": "1"}}
    s3.put_object(Bucket="trail", Key=hit.place.key, Body=gzip.compress(json.dumps({"Records": [record]}).encode()))
    served.watcher.look()

    found = served.get(f"/api/record?ref={ref_of(hit.identity)}")
    gone = served.get(f"/api/record?ref={ref_of(given_hit(2).identity)}")

    assert found.json == {
        "record": {"eventName": "DisableKey", "requestParameters": {"password": "[redacted]", "keyId": "1"}}
    }
    assert b"hunter2" not in found.body
    assert gone.status == 200
    assert "does not exist" in gone.json["missing"] or "NoSuchKey" in gone.json["missing"]


def test_hit_that_left_the_table_is_said_to_be_gone(
    served: Served, keep: Callable[..., list[Hit]], given_hit: GivenHit, dynamodb: Any
) -> None:
    (hit,) = keep(given_hit(1))
    served.watcher.look()
    dynamodb.delete_item(
        TableName="hits", Key={"pk": {"S": f"H#{hit.account}#{hit.event_id}"}, "sk": {"S": hit.identity[2]}}
    )

    answer = change(served, ref_of(hit.identity), "ack", 0)

    assert answer.status == 404
    assert "no such hit in the table: it may have expired" in answer.json["error"]


def test_new_hits_and_changes_of_others_come_by_themselves(
    table: str, keep: Callable[..., list[Hit]], given_hit: GivenHit
) -> None:
    """From the log file to the page, and from a colleague's terminal."""
    now = datetime.now(UTC)
    times = [f"{now - timedelta(minutes=number):%Y-%m-%dT%H:%M:%SZ}" for number in (20, 10)]
    (first,) = keep(given_hit(1, event_time=times[0]))
    window = HitQuery(since=now - timedelta(days=2), until=now + timedelta(minutes=5))
    with serving(window, pace=Pace(new=0.05, states=0.05)) as served:
        served.watcher.start()
        until(lambda: [*served.hits()] == [first.short_id])
        number = served.get("/api/changes").json["hits"]["number"]

        (second,) = keep(given_hit(2, event_time=times[1]))
        until(lambda: [*served.hits(number)] == [second.short_id])
        CliRunner().invoke(cli, ["resolve", first.short_id, "--as", "false", "--table", "hits"], catch_exceptions=False)
        until(lambda: served.hits()[first.short_id]["state"] == "resolved")

        assert served.hits()[first.short_id]["resolvedAs"] == "false"
        assert served.get("/api/changes").json["outage"] is None


def test_whether_somebody_was_notified_is_on_the_page_as_it_comes_to_be(
    table: str, keep: Callable[..., list[Hit]], given_hit: GivenHit, dynamodb: Any
) -> None:
    """The notifier comes seconds after the detector."""
    now = datetime.now(UTC)
    hits = [given_hit(number, event_time=f"{now - timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}") for number in (1, 2)]
    keep(*hits)
    with serving(HitQuery(now - timedelta(days=1), now), pace=Pace(states=0)) as served:
        served.watcher.look()
        assert {one["notified"] for one in served.hits().values()} == {"no"}

        DynamoDeliveryRecords(dynamodb, table, 400).record([hits[0]])
        number = served.get("/api/changes").json["hits"]["number"]
        served.watcher.look()

        assert [(one["shortID"], one["notified"]) for one in served.hits(number).values()] == [
            (hits[0].short_id, "yes")
        ]


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_table_is_left_alone_while_no_page_asks(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A laptop that sleeps in a bag costs nothing; the first question wakes it."""
    looks = list[float]()
    monkeypatch.setattr("trailbell.cli.serve.watcher.Watcher.look", lambda watcher: looks.append(time.monotonic()))
    with serving(WINDOW, pace=Pace(new=0.01, unwatched=0.1)) as served:
        thread = served.watcher.start()
        until(lambda: served.watcher._pause() is None)
        time.sleep(0.05)
        paused = len(looks)
        time.sleep(0.2)
        assert len(looks) <= paused + 1
        served.get("/api/changes")
        until(lambda: len(looks) > paused + 1)
        served.watcher.stop()
        thread.join(5)
        assert not thread.is_alive()


def test_newest_hits_of_a_big_table_are_shown_and_the_rest_is_said_to_be_left_out(
    table: str, keep: Callable[..., list[Hit]], given_hit: GivenHit
) -> None:
    hits = [
        given_hit(number, event_time=f"2026-09-15T{number // 60:02}:{number % 60:02}:00Z") for number in range(1, 400)
    ]
    keep(*hits)
    with serving(WINDOW, limit=150) as served:
        served.watcher.look()
        shown = served.hits()
        answer = served.get("/api/changes").json

        assert len(shown) == 150
        assert min(str(one["time"]) for one in shown.values()) == hits[-150].event_time
        assert "Older hits are in the table and not here" in answer["source"]
        number = answer["hits"]["number"]
        assert change(served, ref_of(hits[-1].identity), "ack", 0).status == 200
        assert [*served.hits(number)] == [hits[-1].short_id]  # one row, not 150 again


def test_known_hits_give_each_page_what_it_lacks(given_hit: GivenHit) -> None:
    """Also where hits left, and where an answer that was read earlier comes later."""

    def found(number: int, state: HitState | None = None) -> FoundHit:
        return FoundHit(given_hit(number, event_time=f"2026-09-15T10:00:{number:02}Z"), state or HitState(), "")

    known, acked = KnownHits(3), HitState("acked", 1, "me", "2026-09-15T11:00:00Z")
    known.take([found(1), found(2)])
    at_first = known.number
    known.take([found(2)])
    assert known.number == at_first  # nothing new: nothing to draw

    known.take([found(2, acked)])
    known.take_states({}, [found(2).hit])  # read before the change, and here after it
    held = known.hit(ref_of(found(2).hit.identity))
    assert held
    assert held.state == acked
    assert (known.since(at_first)["whole"], len(known.since(at_first)["hits"])) == (False, 1)

    known.take([found(3), found(4)])  # one more than are kept: the new ones come, and which left
    after = known.since(at_first)
    assert (after["whole"], len(after["hits"]), known.left_out) == (False, 3, True)
    assert after["left"] == [ref_of(found(1).hit.identity)]
    assert (known.since(-1)["whole"], len(known.since(-1)["hits"]), known.since(-1)["left"]) == (True, 3, [])

    number = known.number
    known.replace([found(3), found(4)], left_out=False)
    after = known.since(number)
    assert (after["whole"], after["hits"], after["left"]) == (False, [], [ref_of(found(2).hit.identity)])
    known.take([found(2, acked)])  # it is back
    after = known.since(number)
    assert (len(after["hits"]), after["left"]) == (1, [])
    assert known.since(known.number + 99)["whole"]  # of another start
    assert known.since(known.number)["hits"] == []

    known.take(found(one) for one in range(5, 13))  # more left than are remembered
    assert (known.since(number)["whole"], len(known.since(number)["hits"])) == (True, 3)
    number = known.number
    known.take([found(13)])
    after = known.since(number)
    assert (after["whole"], len(after["hits"]), after["left"]) == (False, 1, [ref_of(found(10).hit.identity)])


# An AWS that is away.


def refuse(error: Exception) -> Callable[[CallersAws, str], Any]:
    def client(aws: CallersAws, service: str) -> Any:
        raise error

    return client


@pytest.mark.parametrize(
    ("error", "says", "who"),
    [
        (EXPIRED, "the AWS credentials have expired", "the keys are of the environment"),
        (NoCredentialsError(), "no AWS credentials found", "the keys are of the environment"),
        (EndpointConnectionError(endpoint_url="https://x"), "AWS cannot be reached", "is there a network"),
        (ReadTimeoutError(endpoint_url="https://x"), "timeout", "is there a network"),
        (
            ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow"}}, "Query"),
            "AWS is throttling",
            "nobody: AWS has a moment's trouble",
        ),
        (
            ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "no"}}, "Query"),
            "no such table",
            "whoever deploys",
        ),
        (
            ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Query"),
            "not allowed",
            "whoever manages your permissions",
        ),
        (TableError("hits: 3 rows not taken"), "3 rows not taken", "nobody: AWS has a moment's trouble"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_aws_that_is_away_is_told_with_who_must_act_and_comes_back(
    served: Served,
    keep: Callable[..., list[Hit]],
    given_hit: GivenHit,
    monkeypatch: pytest.MonkeyPatch,
    read_rows: Callable[[str], list[dict[str, Any]]],
    error: Exception,
    says: str,
    who: str,
) -> None:
    """The page keeps what it knows, an action says why it was not done, and nobody has to start anything again."""
    (hit,) = keep(given_hit(1))
    served.watcher.look()
    read_at = served.get("/api/changes").json["readAt"]

    with monkeypatch.context() as away:
        away.setattr(CallersAws, "client", refuse(error))
        served.watcher.look()
        standing = served.get("/api/changes").json
        refused = change(served, ref_of(hit.identity), "ack", 0, note="kept in the page")
        story = served.get(f"/api/hit?ref={ref_of(hit.identity)}")

    assert says in standing["outage"]["problem"]
    assert who in standing["outage"]["who"]
    assert standing["readAt"] == read_at
    assert [*served.hits()] == [hit.short_id]
    assert (refused.status, story.status) == (503, 503)
    assert says in refused.json["error"]
    assert who in refused.json["who"]
    assert read_rows("state") == []

    served.watcher.look()
    assert served.get("/api/changes").json["outage"] is None
    assert change(served, ref_of(hit.identity), "ack", 0, note="kept in the page").status == 200


def test_question_that_gets_no_answer_is_told_before_it_is_given_up(
    table: str, keep: Callable[..., list[Hit]], given_hit: GivenHit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that says it is live while AWS is silent has somebody wait for hits that do not come."""
    (hit,) = keep(given_hit(1))
    silence = watcher_module._SILENCE
    client, asked, going = CallersAws.client, threading.Event(), threading.Event()

    def hang(aws: CallersAws, service: str) -> Any:
        asked.set()
        assert going.wait(20)
        return client(aws, service)

    with serving(WINDOW) as served:
        served.watcher.look()
        read_at = served.get("/api/changes").json["readAt"]
        monkeypatch.setattr(CallersAws, "client", hang)
        looking = threading.Thread(target=served.watcher.look)
        looking.start()
        assert asked.wait(20)
        assert served.get("/api/changes").json["outage"] is None  # a moment's silence is nothing
        monkeypatch.setattr(watcher_module, "_SILENCE", -1.0)
        told = served.get("/api/changes").json
        monkeypatch.setattr(watcher_module, "_SILENCE", silence)
        going.set()
        looking.join(20)

        assert told["outage"]["problem"].startswith("AWS does not answer")
        assert "is there a network" in told["outage"]["who"]
        assert (told["outage"]["nextTry"], told["readAt"]) == ("", read_at)
        monkeypatch.setattr(watcher_module, "_SILENCE", -1.0)
        assert served.get("/api/changes").json["outage"] is None  # nothing is under way
        assert [*served.hits()] == [hit.short_id]


@pytest.mark.parametrize("local", [False, True], ids=["aws", "local"])
def test_silent_aws_is_given_up_within_the_silence_that_is_told(local: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the embedded one: all tries together take less long than the page may look alive."""
    kept = LocalAws("http://127.0.0.1:1", 1, Path("log"))
    monkeypatch.setattr("trailbell.cli.local.local_state.load_local", lambda: kept)
    config = CallersAws(Connection(local, "hits", "trailbell")).client("dynamodb").meta.config

    tries = config.retries["total_max_attempts"]
    assert max(config.read_timeout, config.connect_timeout) * tries < 3 * Pace().new + watcher_module._SILENCE


def test_answer_of_aws_is_noticed_whatever_it_says(table: str) -> None:
    """A look that goes on for long is no silence while answers come."""
    aws = CallersAws(Connection(local=False, table_given="hits", stack="trailbell"))
    client, before = aws.client("dynamodb"), aws.answered_at
    client.describe_table(TableName=table)
    well = aws.answered_at
    with pytest.raises(ClientError):
        client.describe_table(TableName="none")

    assert before < well < aws.answered_at


def test_away_is_tried_less_and_less_often_and_the_first_moment_is_kept() -> None:
    now, outage = datetime(2026, 9, 15, tzinfo=UTC), None
    pauses = []
    for number in range(12):
        at = now + timedelta(minutes=number)
        outage = met(EXPIRED, outage, at, 5.0, fixed_credentials=False)
        assert isinstance(outage, Outage)
        pauses.append((outage.next_try - at).total_seconds())

    assert outage is not None
    assert (outage.since, outage.tries) == (now, 12)
    assert pauses[:5] == [5.0, 10.0, 20.0, 40.0, LONGEST_PAUSE]
    assert pauses == sorted(pauses)
    assert "goes on by itself" in who_acts(EXPIRED, fixed_credentials=False)


def test_credentials_are_read_anew_after_trouble(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who signed in again in another terminal need not start anything here."""
    with serving(WINDOW) as served:
        served.watcher.look()
        before = boto3.DEFAULT_SESSION
        with monkeypatch.context() as away:
            away.setattr(CallersAws, "client", refuse(EXPIRED))
            served.watcher.look()
        assert boto3.DEFAULT_SESSION is not before


def test_watcher_that_breaks_off_is_not_taken_for_one_that_lives(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trailbell.cli.serve.watcher.Watcher._look", lambda *_: 1 // 0)
    with serving(WINDOW) as served:
        with pytest.raises(ZeroDivisionError):
            served.watcher.run()
        assert "has a defect" in served.get("/api/changes").json["outage"]["problem"]


PROCESS_ANSWERS = [
    ("", "cannot be read: Expecting value"),
    ("not json", "cannot be read: Expecting value"),
    ("[1]", "it is no JSON object"),
    ('{"Version": 2}', "Unsupported version '2'"),
    ('{"Version": 1, "AccessKeyId": "a"}', "Missing required key"),
    ('{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "s3cr3t", "Expiration": "soon"}', "Unknown string format"),
    ('{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "s3cr3t", "Expiration": 5}', "it is no JSON object with"),
    (
        '{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "s", "Expiration": "2026-01-01T00:00:00"}',
        "no JSON object",
    ),
    (
        '{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "s", "Expiration": "2020-01-01T00:00:00Z"}',
        "have ended at",
    ),
]


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Sign in with what a program prints that this file holds; the returned file is its answer."""

    def sign_in(command: str) -> Path:
        config, answer = tmp_path / "config", tmp_path / "answer"
        config.write_text(f"[default]\ncredential_process = {command.format(answer=answer)}\n", encoding="utf-8")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name, raising=False)
        boto3.setup_default_session()
        return answer

    return sign_in


@pytest.mark.parametrize(("text", "says"), PROCESS_ANSWERS)
def test_bad_answer_of_a_credential_process_is_an_outage_that_ends_with_a_good_one(
    served: Served,
    keep: Callable[..., list[Hit]],
    given_hit: GivenHit,
    process: Callable[[str], Path],
    text: str,
    says: str,
) -> None:
    (hit,) = keep(given_hit(1))
    answer = process("cat {answer}")
    answer.write_text(text, encoding="utf-8")
    served.watcher.look()
    outage = served.get("/api/changes").json["outage"]
    refused = served.get(f"/api/hit?ref={ref_of(hit.identity)}")

    assert outage["problem"].startswith("the credential_process of your profile failed: ")
    assert says in outage["problem"]
    assert "s3cr3t" not in outage["problem"]
    assert "sign in" in outage["who"]
    assert refused.status == 404  # it shows none yet

    answer.write_text('{"Version": 1, "AccessKeyId": "testing", "SecretAccessKey": "testing"}', encoding="utf-8")
    served.watcher.look()
    assert served.get("/api/changes").json["outage"] is None
    assert [*served.hits()] == [hit.short_id]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("/nowhere/no-program", "it cannot be started: No such file or directory"),
        ("/", "it cannot be started: Permission denied"),
        ("sh -c 'unclosed", "No closing quotation"),
        ("''", "it cannot be started"),
        ("", "it names no program"),
        ("sh -c 'echo sign in first >&2; exit 3'", "sign in first"),
        ("sh -c 'exit 3'", "it ended with an error and said nothing"),
        ("printf '\\377'", "its answer is no UTF-8"),
    ],
)
@pytest.mark.parametrize(
    "words", [["hits"], ["doctor"], ["audit"], ["scan", "s3://a/AWSLogs/"], ["serve"]], ids=lambda words: str(words[0])
)
def test_credential_process_that_fails_is_one_line_of_every_command(
    table: str,
    process: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    command: str,
    says: str,
) -> None:
    process(command)
    monkeypatch.setattr("sys.argv", ["trailbell", *words])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("trailbell: ")
    assert "the credential_process of your profile failed: " in said
    assert says in said
    assert said.count("\n") == 1


def test_credentials_that_cannot_be_renewed_are_an_outage(
    served: Served, process: Callable[[str], Path], table: str
) -> None:
    """Those of the start end under the page; whether the program still answers shows only then.

    botocore renews what ends within ten minutes at each question.
    """
    now = datetime.now(UTC)
    good = {"Version": 1, "AccessKeyId": "testing", "SecretAccessKey": "testing"}
    answer = process("cat {answer}")
    answer.write_text(json.dumps({**good, "Expiration": (now + timedelta(minutes=5)).isoformat()}), encoding="utf-8")
    served.watcher.look()
    first = served.get("/api/changes").json["outage"]
    answer.write_text("", encoding="utf-8")
    served.watcher.look()

    assert first is None
    assert "credential_process of your profile failed" in served.get("/api/changes").json["outage"]["problem"]


# The doctor and the audit.


def test_checks_run_in_the_background_once_at_a_time_and_are_kept_with_their_time(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    going, runs = threading.Event(), list[str]()
    found = [Finding("problem", "alarms", HOSTILE, "fix it", "c"), Finding("ok", "trail", "it logs")]

    def check(clients: Any, stack: str, now: datetime, *, embedded: bool) -> list[Finding]:
        runs.append(stack)
        assert going.wait(20)
        return found

    monkeypatch.setattr(checks_module, "check_stack", check)
    assert served.get("/api/changes").json["checks"]["doctor"]["result"] is None
    assert served.post("/api/check", {"name": "doctor"}).json == {"started": True}
    assert served.post("/api/check", {"name": "doctor"}).json == {"started": False}
    assert served.get("/api/changes").json["checks"]["doctor"]["runningSince"]
    going.set()
    until(lambda: not served.get("/api/changes").json["checks"]["doctor"]["runningSince"])
    done = served.get("/api/changes").json["checks"]["doctor"]

    assert runs == ["trailbell"]
    assert done["madeAt"]
    assert done["result"]["counts"] == {"problem": 1, "unknown": 0, "warning": 0, "ok": 1}
    assert [(one["state"], one["check"], one["fix"]) for one in done["result"]["findings"]] == [
        ("problem", "alarms", "fix it"),
        ("ok", "trail", ""),
    ]
    assert served.post("/api/check", {"name": "rules"}).status == 400


def test_check_that_fails_says_why_and_keeps_the_result_before(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(name: str) -> dict[str, Any]:
        served.post("/api/check", {"name": name})
        until(lambda: not served.get("/api/changes").json["checks"][name]["runningSince"])
        return dict(served.get("/api/changes").json["checks"][name])

    nothing = run("audit")
    assert "nothing was audited: is the setting `audit` on" in nothing["failed"]
    assert nothing["failedAt"]

    with monkeypatch.context() as well:
        well.setattr(checks_module, "check_stack", lambda *_, **__: [Finding("ok", "trail", "it logs")])
        assert run("doctor")["result"]["counts"]["ok"] == 1
    monkeypatch.setattr(CallersAws, "client", refuse(EXPIRED))
    away = run("doctor")
    assert "the AWS credentials have expired" in away["failed"]
    assert away["result"]["counts"]["ok"] == 1


@pytest.mark.parametrize("local", [False, True])
def test_doctor_knows_what_the_embedded_aws_does_not_keep(local: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the command does with --local: the page would show problems on a stack that nobody has touched."""
    asked = list[bool]()

    def check(*_: object, embedded: bool) -> list[Finding]:
        asked.append(embedded)
        return []

    monkeypatch.setattr(checks_module, "check_stack", check)
    checks = checks_module.checks_of(CallersAws(Connection(local=local, table_given="", stack="trailbell")))

    checks.start("doctor")
    until(lambda: not checks.document()["doctor"]["runningSince"])

    assert asked == [local]


def test_audit_is_what_the_command_prints(served: Served, dynamodb: Any) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0)
    name = (
        "AWSLogs/111122223333/CloudTrail-Digest/eu-central-1/2026/11/20/"
        f"111122223333_CloudTrail-Digest_eu-central-1_trail_eu-central-1_{now:%Y%m%dT%H%M%SZ}.json.gz"
    )
    key = parse_digest_key(name)
    assert key is not None
    members = {"verdict": "valid", "sha256": "0" * 64, "listed": 3, "read": 2, "missing": 1}
    DynamoAudits(dynamodb, "hits", 400).keep(AuditedDigest(key, "trail", name, members))

    served.post("/api/check", {"name": "audit"})
    until(lambda: served.get("/api/changes").json["checks"]["audit"]["madeAt"])
    result = served.get("/api/changes").json["checks"]["audit"]["result"]
    typed = CliRunner().invoke(cli, ["audit", "--table", "hits", "--format", "json"], catch_exceptions=False)

    assert typed.exit_code == 1
    assert result["green"] is False
    assert {name: result[name] for name in ("days", "overdue", "silent")} == json.loads(typed.output)
    assert [(day["listed"], day["missing"]) for day in result["days"]] == [(3, 1)]


# The command.

PROGRAM = """
import boto3, sys
from moto import mock_aws
from trailbell.cli.main import main
with mock_aws():
    boto3.client("dynamodb").create_table(
        TableName="hits", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
    sys.argv = ["trailbell", "serve", "--table", "hits", *sys.argv[1:]]
    main()
"""


def exchange(address: str) -> int:
    """Open a printed address as the page does; the status."""
    host, key = address.split("/")[2], address.partition("#key=")[2]
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.request("POST", "/api/session", headers={"Origin": f"http://{host}", "X-Trailbell-Token": key})
    status = connection.getresponse().status
    connection.close()
    return status


def test_ctrl_c_ends_it_with_130_and_frees_its_port() -> None:
    """The address alone is on standard output, for programs; once it was used, the next is told."""
    command = [sys.executable, "-c", PROGRAM, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as started:
        try:
            assert started.stdout
            assert started.stderr
            address = started.stdout.readline().strip()
            words = started.stderr.readline().strip()
            port = int(address.split("/")[2].partition(":")[2])
            used = started.stderr.readline() if exchange(address) == 200 else ""
            refused = exchange(address)
            started.send_signal(signal.SIGINT)
            assert started.wait(30) == 130
            said = started.stderr.read()
        finally:
            started.kill()

    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{43}/#key=[\w-]{43}", address)
    assert words == "Whoever opens this address first can do what you can; Ctrl-C ends it."
    assert said == "ended\n"
    next_one = used.rpartition(" ")[2].strip()
    assert used.startswith(
        "A tab was opened with that address, which opens no other. For another tab: http://127.0.0.1:"
    )
    assert next_one.partition("#")[0] == address.partition("#")[0]
    assert next_one != address
    assert refused == 403
    with listen("127.0.0.1", port):
        pass


@pytest.mark.parametrize(
    ("browser", "says"),
    [
        (
            "#!/bin/sh\n: > $0.on\nexec /bin/sleep 60\n",
            "",
        ),  # one that ends when the reader closes it, and by our Ctrl-C
        ("#!/bin/sh\nexit 1\n", "trailbell: no browser could be opened: open the address yourself\n"),
        ("#!/bin/sh\nexit 0\n", ""),
    ],
    ids=["waits", "fails", "opens"],
)
def test_browser_is_not_waited_for_and_said_to_be_none_where_there_is_none(
    tmp_path: Path, browser: str, says: str
) -> None:
    program = tmp_path / "browser"
    program.write_text(browser, encoding="utf-8")
    program.chmod(0o700)
    hidden = ("DISPLAY", "WAYLAND_DISPLAY")  # with no PATH nor display, Python knows no other browser
    environment = {name: text for name, text in os.environ.items() if name not in hidden}
    environment |= {"BROWSER": f"{program} %s", "PATH": str(tmp_path)}
    command = [sys.executable, "-c", PROGRAM, "--port", "0", "--browser"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
        start_new_session=True,
    ) as started:
        try:
            assert started.stdout
            assert started.stderr
            _, _, host, path, _ = started.stdout.readline().split("/")
            started.stderr.readline()
            asking = http.client.HTTPConnection(host, timeout=20)
            asking.request("GET", f"/{path}/")
            assert asking.getresponse().status == 200
            asking.close()
            heard = started.stderr.readline() if says else ""
            # What is on its way to be a browser does not hear Ctrl-C.
            until(lambda: (tmp_path / "browser.on").exists() or "sleep" not in browser)
            os.killpg(started.pid, signal.SIGINT)  # as a terminal does
            assert started.wait(30) == 130
            rest = started.stderr.read()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)

    assert (heard, rest) == (says, "ended\n")


def test_ctrl_c_does_not_wait_for_an_aws_that_never_answers() -> None:
    """A network that swallows everything holds a request for a minute; whoever ends it has seen enough."""
    with listen("127.0.0.1", 0) as silent:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "eu-central-1",
        }
        command = [str(Path(sys.executable).parent / "trailbell"), "serve", "--table", "hits"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as one:
            try:
                assert one.stdout
                assert one.stdout.readline().startswith("http://127.0.0.1:")
                asking, _ = silent.accept()
                with asking:
                    one.send_signal(signal.SIGINT)
                    assert one.wait(15) == 130
            finally:
                one.kill()


def test_aws_that_cannot_be_asked_at_the_start_is_one_line(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing error in --stack is told where it was made, and not by a page that never fills."""
    monkeypatch.setattr(CallersAws, "client", refuse(NoCredentialsError()))

    result = CliRunner().invoke(cli, ["serve"])

    assert isinstance(result.exception, SettingsError)
    assert str(result.exception).startswith("no AWS credentials found: set AWS_PROFILE")
    assert result.output == ""


@pytest.mark.parametrize("name", ["scan", "hits", "report", "ack", "doctor"])
def test_other_commands_import_nothing_of_it(name: str) -> None:
    """Who never serves pays nothing for it."""
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom trailbell.cli.main import cli\n"
        f"assert CliRunner().invoke(cli, [{name!r}, '--help']).exit_code == 0\n"
        "print([name for name in ('starlette', 'uvicorn', 'h11', 'anyio') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)

    assert ended.stdout == "[]\n"
