"""The served page in a real browser: hostile text, two tabs, an AWS that is away, the countdown, copying, a phone."""

import http.server
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from tests.browser.chromium import Page
from tests.browser.live_table import embedded_aws, example_hits, fill
from tests.browser.test_report import HOSTILE
from tests.served import Served, serving
from trailbell.cli.main import cli
from trailbell.cli.serve import checks
from trailbell.cli.serve.callers_aws import CallersAws
from trailbell.cli.serve.watcher import Pace
from trailbell.cli.serve.work import Work
from trailbell.hits.hit import Hit
from trailbell.hits.query import HitQuery
from trailbell.ops.checks.finding import Finding


EXPIRED = ClientError({"Error": {"Code": "ExpiredTokenException", "Message": "expired"}}, "Query")


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> list[Hit]:
    return example_hits(tmp_path_factory.mktemp("morning"))


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with embedded_aws() as client:
        yield client


@pytest.fixture(autouse=True, scope="module")
def _impatient(page: Page) -> None:
    """The page asks what is new every 0.2 seconds instead of 2: most of what tests do is to wait for that."""
    script = "const later = setTimeout; globalThis.setTimeout = (act, wait) => later(act, wait === 2000 ? 200 : wait)"
    page.devtools("Page.addScriptToEvaluateOnNewDocument", source=script)


@pytest.fixture
def served(dynamodb: Any, examples: list[Hit], page: Page) -> Iterator[Served]:
    """A page that is served from the examples, and open in the browser."""
    fill(dynamodb, examples)
    now = datetime.now(UTC)
    query = HitQuery(since=now - timedelta(days=30), until=now + timedelta(days=1))
    with serving(query, pace=Pace(new=0.2, states=0.2)) as found:
        found.watcher.look()
        found.watcher.start()
        page.open_address(found.address)
        until(lambda: len(rows(page)) > 0)
        yield found
        page.open_address("about:blank")
        assert page.complaints() == []


def until(condition: Callable[[], object]) -> None:
    """Wait for what the page, or a thread, does."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def rows(page: Page) -> list[str]:
    return list(page.run("return [...document.querySelectorAll('.row')].map(row => row.textContent)"))


def text(page: Page, selector: str) -> str:
    return str(page.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector))


def open_hit(page: Page, name: str) -> None:
    """Filter for one hit, and open it."""
    page.run(
        "const box = document.getElementById('search'); box.value = arguments[0];box.dispatchEvent(new Event('input'))",
        name,
    )
    until(lambda: len(rows(page)) == 1)
    page.click(".row")
    until(lambda: "notified" in text(page, ".story"))


def press(page: Page, title: str) -> None:
    """Press a button of the open hit by what stands on it."""
    found = page.run(
        "const one = [...document.querySelectorAll('#detail button')].find(b => b.textContent === arguments[0]);"
        "one?.scrollIntoView(); one?.click(); return Boolean(one)",
        title,
    )
    assert found, title


def test_key_leaves_the_address_bar_and_stays_with_the_tab(served: Served, page: Page) -> None:
    """Whoever looks over a shoulder, or at the history, sees no key; reloading still works."""
    assert page.run("return location.href") == f"http://{served.host}{served.path}"
    assert page.run("return document.cookie") == ""
    page.devtools("Page.reload")
    until(lambda: len(rows(page)) > 0)

    page.run("sessionStorage.clear()")
    page.devtools("Page.reload")
    until(lambda: "This tab has no key" in text(page, "#status"))
    assert rows(page) == []
    page.open_address(served.address)  # as it stands in the history
    page.devtools("Page.reload")
    until(lambda: "no key" in text(page, "#status") or "opened a tab already" in text(page, "#status"))
    assert rows(page) == []
    assert [line for line in page.complaints() if "403" not in line] == []  # the browser notes what it was refused


def test_address_in_the_history_opens_nothing(served: Served, page: Page) -> None:
    """The next one that is printed opens another tab, also where the page is open already."""
    first = page.tab()
    page.new_tab()
    page.open_address(served.address)
    until(lambda: "This address opened a tab already" in text(page, "#status"))
    assert rows(page) == []
    page.open_address(served.parts.address)
    until(lambda: len(rows(page)) > 0)
    assert [line for line in page.complaints() if "403" not in line] == []
    page.close_tab()
    page.to_tab(first)


class Impostor(http.server.BaseHTTPRequestHandler):
    """Answers as the page likes it, but for the proof."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = json.dumps({"hits": {"number": 9, "whole": True, "columns": [], "pool": [], "hits": []}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_whoever_has_the_port_later_is_not_believed(dynamodb: Any, page: Page, examples: list[Hit]) -> None:
    """It is asked once, by then it is known for a stranger."""
    fill(dynamodb, examples)
    now = datetime.now(UTC)
    with serving(HitQuery(now - timedelta(days=30), now + timedelta(days=1))) as found:
        found.watcher.look()
        page.open_address(found.address)
        until(lambda: len(rows(page)) > 0)
        shown, port = rows(page), int(found.host.rpartition(":")[2])
    until(lambda: "does not answer: it was ended" in text(page, "#status"))
    with http.server.HTTPServer(("127.0.0.1", port), Impostor) as impostor:
        thread = threading.Thread(target=impostor.serve_forever, args=(0.02,))
        thread.start()
        until(lambda: "something else answers at its address" in text(page, "#status"))
        page.click(".row")
        until(lambda: "This could not be read" in text(page, ".story"))
        press(page, "Acknowledge")
        until(lambda: "Not done." in text(page, ".said"))
        impostor.shutdown()
        thread.join()

    assert rows(page) == shown
    assert len(Impostor.asked) == 1
    page.open_address("about:blank")
    assert [line for line in page.complaints() if "ERR_CONNECTION" not in line] == []


def test_defect_is_told_as_one(served: Served, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting again helps nobody; the terminal says what broke."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(Work, "changes", broken)
        until(lambda: "railbell has a defect" in text(page, "#status"))
        assert "Who must act: you: report what its terminal says" in text(page, "#status")
    until(lambda: text(page, "#status").startswith("Live"))
    page.run(
        "globalThis.fetchNow = fetch; globalThis.fetch = async (path, ...more) => {"
        " const answer = await fetchNow(path, ...more); answer.json = async () => JSON.parse('<'); return answer }"
    )
    until(lambda: "it answered with what is no answer" in text(page, "#status"))
    assert [line for line in page.complaints() if "500" not in line] == []


def test_hit_is_acknowledged_and_resolved_with_who_and_why(served: Served, page: Page) -> None:
    """In the row, in the detail, in its history, and in the table for everybody else."""
    open_hit(page, "hsm-backup-deleted")
    assert "Nobody was notified of it; nobody has done anything about it yet." in text(page, ".story")

    page.type("#detail textarea", "asking <b>dana</b>")
    press(page, "Acknowledge")
    until(lambda: "Done:" in text(page, ".said"))
    until(lambda: "asking <b>dana</b>" in text(page, ".history"))
    assert page.run("return document.querySelector('#detail textarea').value") == ""
    assert "acked" in rows(page)[0]
    page.run(
        "const one = document.querySelector('#detail select'); one.value = 'confirmed';"
        "one.dispatchEvent(new Event('change'))"
    )
    press(page, "Resolve")
    until(lambda: "as confirmed" in text(page, ".history"))

    (hit,) = (one for one in served.hits().values() if one["rule"] == "hsm-backup-deleted")
    assert (hit["state"], hit["resolvedAs"], hit["stateBy"]) == (
        "resolved",
        "confirmed",
        "arn:aws:sts::123456789012:user/moto",
    )
    buttons = page.run("return [...document.querySelectorAll('.buttons button')].map(one => one.textContent)")
    assert buttons == ["Reopen", "Add note"]  # Resolve comes back with another judgement


def test_two_tabs_show_each_others_actions_and_the_later_is_told(served: Served, page: Page) -> None:
    """With what was begun in the other tab still there."""
    first = page.tab()
    second = page.new_tab()
    page.open_address(served.parts.address)
    until(lambda: len(rows(page)) > 0)
    open_hit(page, "hsm-backup-deleted")
    page.type("#detail textarea", "I was writing this")

    page.to_tab(first)
    open_hit(page, "hsm-backup-deleted")
    press(page, "Acknowledge")
    until(lambda: "Done:" in text(page, ".said"))

    page.to_tab(second)
    until(lambda: "acked" in rows(page)[0])
    assert page.run("return document.querySelector('#detail textarea').value") == "I was writing this"
    # The other tab resolves while this one does not look: its answer is still on the way.
    page.run(
        "globalThis.fetchNow = fetch; globalThis.fetch = (path, ...more) =>"
        " path.includes('changes') ? new Promise(() => {}) : fetchNow(path, ...more)"
    )
    page.to_tab(first)
    press(page, "Resolve")
    until(lambda: "resolved" in rows(page)[0])
    page.to_tab(second)
    press(page, "Resolve")
    until(lambda: "Not done." in text(page, ".said"))

    assert "It was changed since you looked: it is resolved by arn:aws:sts::123456789012:user/moto" in text(
        page, ".said"
    )
    assert page.run("return document.querySelector('#detail textarea').value") == "I was writing this"
    assert [line for line in page.complaints() if "409" not in line] == []
    page.close_tab()
    page.to_tab(first)


def test_action_of_a_colleague_and_new_hits_appear_where_the_reader_is(
    served: Served, page: Page, dynamodb: Any, examples: list[Hit]
) -> None:
    """Filters, the open detail and what is written in it stay; how many are new is said."""
    open_hit(page, "hsm-backup-deleted")
    page.type("#detail textarea", "half a sent")
    (hit,) = (one for one in served.hits().values() if one["rule"] == "hsm-backup-deleted")

    CliRunner().invoke(
        cli, ["ack", str(hit["shortID"]), "--note", "from a terminal", "--table", "hits"], catch_exceptions=False
    )
    until(lambda: "from a terminal" in text(page, ".history"))
    at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    fill(dynamodb, [replace(examples[0], event_id="ca7e0000-0000-4000-8000-00000000abcd", event_time=at)])
    until(lambda: "1 new hit" in text(page, "#status"))

    assert page.run("return document.querySelector('#detail').open")
    assert page.run("return document.querySelector('#detail textarea').value") == "half a sent"
    assert len(rows(page)) == 1
    page.press("Escape")
    page.click("#status button")
    assert "new hit" not in text(page, "#status")


def test_hit_that_no_longer_fits_leaves_the_page_as_a_new_one_comes(
    dynamodb: Any, page: Page, examples: list[Hit]
) -> None:
    """--limit says how many are shown; the others are not sent again for it."""

    def at(number: int, minutes: int) -> Hit:
        moment = datetime.now(UTC) - timedelta(minutes=minutes)
        event_id = f"ca7e0000-0000-4000-8000-00000000ab{number:02}"
        title = f"Number {number}"
        return replace(examples[0], event_id=event_id, title=title, event_time=f"{moment:%Y-%m-%dT%H:%M:%SZ}")

    def shown() -> list[str]:
        return sorted(re.findall(r"Number \d", " ".join(rows(page))))

    fill(dynamodb, [at(1, 30), at(2, 20)])
    now = datetime.now(UTC)
    query = HitQuery(since=now - timedelta(days=30), until=now + timedelta(days=1))
    with serving(query, limit=2, pace=Pace(new=0.2)) as found:
        found.watcher.start()
        page.open_address(found.address)
        until(lambda: shown() == ["Number 1", "Number 2"])
        number = found.get("/api/changes").json["hits"]["number"]
        fill(dynamodb, [at(3, 1)])
        until(lambda: shown() == ["Number 2", "Number 3"])
        after = found.get(f"/api/changes?since={number}").json["hits"]
        page.open_address("about:blank")

    assert (after["whole"], len(after["hits"]), len(after["left"])) == (False, 1, 1)
    assert page.complaints() == []


def test_aws_that_goes_away_and_comes_back(served: Served, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known stays, with since when and who must act; an action says why not, and its note is not lost."""
    open_hit(page, "hsm-backup-deleted")
    shown = len(served.hits())
    page.type("#detail textarea", "a long and careful note")

    def away(aws: CallersAws, service: str) -> Any:
        raise EXPIRED

    with monkeypatch.context() as patch:
        patch.setattr(CallersAws, "client", away)
        until(lambda: "Not live" in text(page, "#status"))
        status = text(page, "#status")
        press(page, "Acknowledge")
        until(lambda: "Not done." in text(page, ".said"))
        said = text(page, ".said")
        note = page.run("return document.querySelector('#detail textarea').value")

    assert "The AWS credentials have expired" in status
    assert "Who must act: you: the keys are of the environment" in status
    assert "What you see is as of" in status
    assert "Next try in" in status
    assert "The AWS credentials have expired" in said
    assert note == "a long and careful note"
    assert len(served.hits()) == shown
    until(lambda: text(page, "#status").startswith("Live"))
    press(page, "Acknowledge")
    until(lambda: "a long and careful note" in text(page, ".history"))
    assert [line for line in page.complaints() if "503" not in line] == []


def test_server_that_was_ended_is_told(dynamodb: Any, page: Page) -> None:
    """The page stays readable, and says that it is not live any more."""
    with serving(HitQuery(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))) as found:
        found.watcher.look()
        page.open_address(found.address)
        until(lambda: text(page, "#status").startswith("Live"))
    until(lambda: "does not answer: it was ended" in text(page, "#status"))

    assert "Who must act: you: start it again" in text(page, "#status")
    page.open_address("about:blank")
    assert [line for line in page.complaints() if "ERR_CONNECTION" not in line] == []


def new_hit(hit: Hit, number: int) -> Hit:
    """Another one like it, of now."""
    at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return replace(hit, event_id=f"ca7e0000-0000-4000-8000-{number:012d}", event_time=at)


def test_story_is_read_anew_whenever_a_hit_is_opened(
    served: Served, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What undoes the rest of its alert changes without a change of the hit itself."""
    asked: list[str] = []
    read = Work.story

    def story(work: Work, ref: str) -> dict[str, Any]:
        asked.append(ref)
        return read(work, ref) | {"notified": len(asked) > 1}

    monkeypatch.setattr(Work, "story", story)
    open_hit(page, "hsm-backup-deleted")
    assert text(page, ".story").startswith("Nobody was notified")
    page.press("Escape")
    page.click(".row")
    until(lambda: text(page, ".story").startswith("Somebody was notified"))
    assert len(asked) == 2


def test_new_hits_leave_whoever_types_alone(served: Served, page: Page, dynamodb: Any, examples: list[Hit]) -> None:
    """The field is the same one, with its caret and its size, and what is around it is new all the same."""
    open_hit(page, "hsm-backup-deleted")
    page.type("#detail textarea", "hello world")
    page.run(
        "globalThis.field = document.querySelector('#detail textarea');"
        "field.setSelectionRange(5, 5); field.style.height = '200px';"
    )
    (hit,) = (one for one in served.hits().values() if one["rule"] == "hsm-backup-deleted")
    CliRunner().invoke(cli, ["ack", str(hit["shortID"]), "--table", "hits"], catch_exceptions=False)
    fill(dynamodb, [new_hit(examples[0], 1)])
    until(lambda: "1 new hit" in text(page, "#status") and "Acknowledged by" in text(page, "#detail .became"))
    until(lambda: "acknowledged" in text(page, ".history"))

    state = "field === document.activeElement, field.isConnected, field.selectionStart, field.style.height, field.value"
    assert page.run(f"return [{state}]") == [True, True, 5, "200px", "hello world"]
    assert page.run("return document.querySelectorAll('#detail .actions, #detail textarea, #close').length") == 3
    page.run("field.setSelectionRange(0, 5)")  # marked in a field: holds nothing up
    fill(dynamodb, [new_hit(examples[0], 2)])
    until(lambda: "2 new hits" in text(page, "#status"))
    assert "Held" not in text(page, "#status")
    page.run("document.getElementById('close').focus()")
    fill(dynamodb, [new_hit(examples[0], 3)])
    until(lambda: "3 new hits" in text(page, "#status"))
    found = page.run("const one = document.querySelector('#detail textarea'); return [one.value, one.style.height]")
    assert found == ["hello world", "200px"]


def test_hit_that_left_the_page_says_so(dynamodb: Any, page: Page, examples: list[Hit]) -> None:
    """Nothing can be done about it here; what was written is still there, and where to do it is said."""
    fill(dynamodb, [new_hit(examples[0], 1)])
    now = datetime.now(UTC)
    question = HitQuery(now - timedelta(days=30), now + timedelta(days=1))
    with serving(question, limit=1, pace=Pace(new=0.2, states=0.2)) as found:
        found.watcher.start()
        page.open_address(found.address)
        until(lambda: len(rows(page)) == 1)
        page.click(".row")
        until(lambda: "notified" in text(page, ".story"))
        page.type("#detail textarea", "my note")
        later = replace(new_hit(examples[0], 2), event_time=f"{now + timedelta(seconds=5):%Y-%m-%dT%H:%M:%SZ}")
        fill(dynamodb, [later])
        until(lambda: "This page shows this hit no more" in text(page, ".gone"))

        assert "trailbell hit " in text(page, ".gone")
        assert page.run("return document.querySelector('#detail textarea').value") == "my note"
        assert page.run("return [...document.querySelectorAll('.buttons button')].every(one => one.disabled)")
        page.open_address("about:blank")
    assert page.complaints() == []


def test_marked_text_holds_new_hits_back_and_says_so(
    served: Served, page: Page, dynamodb: Any, examples: list[Hit]
) -> None:
    """With how many there are, and a button; an action shows its result all the same."""
    before = rows(page)[0]
    page.run("getSelection().selectAllChildren(document.getElementById('foot'))")
    fill(dynamodb, [new_hit(examples[1], 1)])
    until(lambda: "Held while text is marked" in text(page, "#status") and "1 new hit" in text(page, "#status"))
    assert rows(page)[0] == before
    page.click('[data-key="release"]')
    until(lambda: rows(page)[0] != before)
    until(lambda: text(page, "#status").startswith("Live"))

    open_hit(page, "hsm-backup-deleted")
    page.run("getSelection().selectAllChildren(document.querySelector('#detail dd'))")
    press(page, "Acknowledge")
    until(lambda: "Done:" in text(page, ".said") and "Acknowledged by" in text(page, "#detail .became"))


def test_deadline_counts_down_by_the_second(served: Served, page: Page) -> None:
    open_hit(page, "hsm-backup-deleted")
    first = text(page, "#detail .soon")
    until(lambda: text(page, "#detail .soon") != first)

    assert re.fullmatch(r"until [\d-]+ [\d:]+ UTC: (\d+ d )?\d+:\d\d:\d\d left", first)


def test_each_step_of_an_episode_counts_down_to_its_own_deadline(served: Served, page: Page) -> None:
    lines = (
        "return [...document.querySelectorAll('#detail p[data-until]')].map(one => [one.dataset.until, one.innerText])"
    )
    open_hit(page, "kms-key-destruction-wave")
    first = page.run(lines)
    until(lambda: page.run(lines) != first)

    assert len({deadline for deadline, _ in first if deadline}) > 1
    for deadline, said in (*first, *page.run(lines)):
        assert f"{deadline}: " in said if deadline else said == "without a deadline"


def test_undo_and_record_are_copied_as_they_are(served: Served, page: Page) -> None:
    """Pasted into a shell, one character more or less is another command."""
    page.devtools("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    open_hit(page, "hsm-backup-deleted")
    command = text(page, "#detail .command code")
    page.click("#detail .command .copy")
    until(lambda: text(page, "#detail .command .copy") == "Copied")

    copied = page.run_async(
        "const done = arguments[0]; navigator.clipboard.readText().then(done, error => done(String(error)))"
    )

    assert copied == command
    assert command.startswith("aws cloudhsmv2 restore-backup --region eu-central-1 --backup-id ")
    press(page, "Fetch it from the trail bucket")
    until(lambda: "log file" in text(page, "#detail") and "Fetch it" not in text(page, "#detail"))


def test_checks_are_run_from_the_page(served: Served, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Finding("ok", "trail", "it logs"), Finding("problem", "alarms", HOSTILE[:80], "fix <b>it</b>", "c")]
    monkeypatch.setattr(checks, "check_stack", lambda *_, **__: found)
    page.click("#to-checks")
    page.run("for (const name of ['doctor', 'audit']) document.querySelector(`[data-key=\"run ${name}\"]`).click()")
    until(lambda: "1 problem, 1 ok" in text(page, '[data-check="doctor"]'))
    until(lambda: "nothing was audited" in text(page, '[data-check="audit"]'))

    assert "As of " in text(page, '[data-check="doctor"]')
    assert "fix <b>it</b>" in text(page, '[data-check="doctor"]')
    assert text(page, "#to-checks") == "Checks: 1 problem"


def test_hostile_text_stays_text_in_all_that_is_live(dynamodb: Any, page: Page, examples: list[Hit]) -> None:
    """In rows, in a note, in history, in a refusal, in what another wrote."""
    hit = replace(
        examples[0], title=HOSTILE, event_id="ca7e0000-0000-4000-8000-00000000abcd", user_agent=HOSTILE, undo=(HOSTILE,)
    )
    fill(dynamodb, [hit])
    now = datetime.now(UTC)
    with serving(HitQuery(now - timedelta(days=30), now + timedelta(days=1)), pace=Pace(new=0.2)) as found:
        found.watcher.start()
        page.open_address(found.address)
        until(lambda: len(rows(page)) == 1)
        page.click(".row")
        until(lambda: "notified" in text(page, ".story"))
        page.type("#detail textarea", "</script><img src=x onerror=window.hacked=1>${1}")
        press(page, "Acknowledge")
        until(lambda: "<img src=x" in text(page, ".history"))

        assert page.run("return window.hacked ?? null") is None
        assert page.run("return document.querySelectorAll('img, iframe, script').length") == 2
        assert (
            page.run("try { document.body.innerHTML = '<b>x</b>'; return 'taken' } catch (error) { return error.name }")
            == "TypeError"
        )
        page.open_address("about:blank")
    assert [line for line in page.complaints() if "TrustedHTML" not in line] == []


def test_on_a_phone_nothing_is_wider_than_the_screen(served: Served, page: Page) -> None:
    page.devtools("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=1, mobile=True)
    try:
        assert page.run("return document.documentElement.scrollWidth") <= 390
        open_hit(page, "hsm-backup-deleted")
        assert page.run("return document.getElementById('detail').scrollWidth") <= 390
        sizes = page.run(
            "return [...document.querySelectorAll('.actions button, .actions select')]"
            ".map(one => [one.offsetHeight, one.getBoundingClientRect().right])"
        )
        assert len(sizes) >= 4
        assert all(height >= 36 and right <= 390 for height, right in sizes)
    finally:
        page.devtools("Emulation.clearDeviceMetricsOverride")


def test_every_control_of_the_live_parts_has_a_name(served: Served, page: Page) -> None:
    open_hit(page, "hsm-backup-deleted")
    nodes = page.devtools("Accessibility.getFullAXTree")["nodes"]
    roles = {"button", "textbox", "combobox", "link", "searchbox"}
    controls = [node for node in nodes if not node["ignored"] and node["role"]["value"] in roles]

    assert {"Acknowledge", "Resolve", "Note", "Resolve as"} <= {node["name"]["value"] for node in controls}
    assert [node["role"]["value"] for node in controls if not node["name"]["value"]] == []
