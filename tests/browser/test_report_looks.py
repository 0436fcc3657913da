"""The report as it is looked at: names told apart, on a phone, on paper, in both colours; in a real browser."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import Page
from tests.browser.test_report import HIT, HOSTILE, count, lives, many, wait_until, write
from trailbell.cloudtrail.origin import NO_PLACE, LiveEvent
from trailbell.hits.episode import EpisodeAct, HitEpisode
from trailbell.hits.hit import Hit
from trailbell.hits.hit_state import HitState


PREFIX = "a-name-that-is-much-longer-than-any-column-and-says-nothing-until-its-very-end-"
LONG = PREFIX * 3


@pytest.fixture(autouse=True)
def no_complaints(page: Page) -> Any:
    """Whatever a test does, the browser has nothing to say about it on its console."""
    yield
    assert page.complaints() == []


@pytest.fixture
def phone(page: Page) -> Iterator[Page]:
    """A window as small as phones have it."""
    page.devtools("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=1, mobile=True)
    yield page
    page.devtools("Emulation.clearDeviceMetricsOverride")


@pytest.fixture
def paper(page: Page) -> Iterator[Page]:
    """What is printed: the style of print, as wide as a sheet."""
    page.devtools("Emulation.setEmulatedMedia", media="print")
    yield page
    page.run("window.dispatchEvent(new Event('afterprint'))")
    page.devtools("Emulation.setEmulatedMedia", media="")


def twins() -> list[Hit]:
    """Things that are called alike: people, roles, keys, bare names, accounts."""

    def hit(number: int, account: str, region: str, actor: dict[str, Any], resource: str, name: str) -> Hit:
        by = replace(HIT.actor, account=account, **actor)
        members: dict[str, Any] = {
            "account": account,
            "region": region,
            "account_name": name,
            "actor": by,
            "resources": (resource,),
        }
        return replace(HIT, event_id=f"twin-{number}", kept_as="act", **members)

    def role(account: str, path: str = "") -> dict[str, Any]:
        arn = f"arn:aws:iam::{account}:role/{path}Deploy"
        return {"key": arn, "role": arn, "name": "role/Deploy"}

    one, other = "111122223333", "444455556666"
    key = "arn:aws:kms:{}:{}:key/same"
    return [
        hit(1, one, "eu-central-1", role(one), key.format("eu-central-1", one), "prod"),
        hit(2, one, "us-east-1", role(one, "ci/"), key.format("us-east-1", one), "prod"),
        hit(3, other, "eu-central-1", role(other), key.format("eu-central-1", other), "prod"),
        hit(4, one, "eu-central-1", {"key": "u", "kind": "iam-user", "name": "role/Deploy"}, "bare", "prod"),
        hit(5, other, "eu-central-1", {"key": "v", "kind": "iam-user", "name": "role/Deploy"}, "bare", "prod"),
        hit(6, one, "us-east-1", role(one), f"arn:aws:ssm:us-east-1:{one}:document/same", "prod"),
    ]


def long_ones() -> list[Hit]:
    """Names that differ in their last characters alone."""
    ends = ("blue", "green")
    return [
        replace(
            HIT,
            event_id=f"long-{end}",
            title=LONG + end,
            name=LONG + end,
            event_name=LONG + end,
            account_name=LONG + end,
            actor=replace(HIT.actor, name=LONG + end, key=LONG + end, role=f"arn:aws:iam::1:role/{LONG}{end}"),
            resources=(f"arn:aws:ssm:eu-central-1:111122223333:document/{LONG}{end}", LONG + end),
            undo=(f"aws ssm delete-document --name {LONG}{end}",),
        )
        for end in ends
    ]


def entries(page: Page, facet: str) -> list[str]:
    """What stands in a top list: name and detail, as they are read."""
    script = "return [...document.querySelectorAll(`.facet.${arguments[0]} .name`)].map(one => one.innerText)"
    return list(page.run(script, facet))


@pytest.mark.parametrize(("facet", "number"), [("actorKey", 5), ("resources", 6), ("account", 2)])
def test_things_that_are_called_alike_are_told_apart(page: Page, tmp_path: Path, facet: str, number: int) -> None:
    """Two equal lines with different counts are a riddle: account, Region, kind or at last the whole key differ."""
    page.open(write(tmp_path / "report.html", twins()))

    found = entries(page, facet)

    assert len(found) == len(set(found)) == number
    if facet == "resources":
        assert "same\nKMS key · prod 111122223333 · us-east-1" in found
        assert "bare\nprod 444455556666 · eu-central-1" in found


def test_filter_of_a_bare_name_is_of_its_account(page: Page, tmp_path: Path) -> None:
    """What is told apart is filtered apart, and the filter says by which."""
    page.open(write(tmp_path / "report.html", twins()))

    page.run(
        "[...document.querySelectorAll('.facet.resources button')].find(one => one.innerText.includes('bare')).click()"
    )
    chip = page.run("return document.querySelector('#chips button').textContent")

    assert count(page) == "1 of 6 hits"
    assert re.fullmatch(r"Resources bare · prod \d{12} · eu-central-1 \u00d7", chip)


@pytest.mark.parametrize("width", [1280, 360])
def test_end_of_a_name_is_in_sight(page: Page, tmp_path: Path, width: int) -> None:
    """Names mostly differ at their end: it is drawn inside its cell, and the whole name is there once."""
    page.devtools(
        "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500
    )
    page.open(write(tmp_path / "report.html", long_ones()))

    cut = page.run(
        "const right = (one) => one.getBoundingClientRect().right;"
        "return [...document.querySelectorAll('.row .mid')].map(one => [one.textContent, one.title, one.dataset.cut,"
        "one.closest('.line').scrollWidth - one.closest('.line').clientWidth,"
        "one.closest('.line').scrollHeight - one.closest('.line').clientHeight, right(one) - right(one.closest('td'))])"
    )
    page.devtools("Emulation.clearDeviceMetricsOverride")

    assert [text for text, *_ in cut if text.endswith("green")]
    for text, title, shortened, hidden, below, outside in cut:
        head, tail = shortened.split("…")
        assert text == title
        assert text.startswith(head)
        assert text.endswith(tail)
        assert len(tail) > 5
        assert hidden <= 1, shortened
        assert below <= 1, shortened
        assert outside <= 1, text[-20:]


def test_whole_name_is_read_aloud_and_copied(page: Page, tmp_path: Path) -> None:
    """Half a name, or a name in two pieces, is none."""
    page.open(write(tmp_path / "report.html", long_ones()))

    nodes = page.devtools("Accessibility.getFullAXTree")["nodes"]
    read = [node["name"]["value"] for node in nodes if not node["ignored"] and node["role"]["value"] == "cell"]
    copied = page.run(
        "getSelection().selectAllChildren(document.querySelector('.row [data-part=who] .mid'));"
        "return String(getSelection())"
    )
    page.run("getSelection().removeAllRanges()")

    assert sum(name.startswith(LONG + "green") for name in read) == 3  # what, who, resource
    assert copied in (LONG + "blue", LONG + "green")


def test_phone_needs_no_scrolling_sideways(phone: Page, tmp_path: Path) -> None:
    """With long names, hostile ones, all lists and a hit open; a hit is a card with all that a row has."""
    hostile = replace(
        HIT, event_id="h", title=HOSTILE, resources=(HOSTILE,), actor=replace(HIT.actor, name=HOSTILE, key="h")
    )
    phone.open(write(tmp_path / "report.html", [*long_ones(), hostile, *twins(), *many(40)]))
    wide = "return Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"

    found = [phone.run(wide)]
    phone.click("#more summary")
    phone.click(".facet.actorKey .more")
    found.append(phone.run(wide))
    phone.run("document.querySelector('.row').scrollIntoView()")
    shown = phone.run(
        "return [...document.querySelector('.row').cells].map(cell => cell.getBoundingClientRect())"
        ".every(one => one.width > 20 && one.left >= 0 && one.right <= innerWidth)"
    )
    phone.click(".row")
    found += [phone.run(wide), phone.run("return document.getElementById('detail').scrollWidth")]
    phone.press("Escape")

    assert found == [360] * 4
    assert shown is True


@pytest.mark.parametrize("width", [360, 390])
def test_phone_wraps_titles_and_cuts_no_word(page: Page, tmp_path: Path, width: int) -> None:
    """There is room below: a title takes lines, an id two before it is cut, and each card is as high as its lines."""
    page.devtools("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=True)
    until = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d %H:%M:%S} UTC"
    title, key = "KMS Key Deletion With the Shortest Window", "df384ae9-7c77-4f5a-8f53-6aab01f2eb2a-and-some-more"
    hits = [
        replace(
            HIT, event_id="w", title=title, level="critical", undo_until=until, resources=(f"arn:aws:x:::key/{key}",)
        ),
        replace(HIT, event_id="short"),
    ]
    page.open(write(tmp_path / "report.html", hits))

    lines = page.run(
        "return [...document.querySelectorAll('.row .line')].map(one => [one.innerText,"
        "one.scrollHeight - one.clientHeight, one.scrollWidth - one.clientWidth,"
        "one.querySelector('.mid') ? one.textContent : ''])"
    )
    heights = page.run("return [...document.querySelectorAll('.row')].map(one => one.getBoundingClientRect().height)")
    page.devtools("Emulation.clearDeviceMetricsOverride")

    assert title in [text for text, *_ in lines]
    assert [cut for *_, cut in lines if cut] == []
    for text, below, beside, _ in lines:
        assert below <= 1, text
        assert beside <= 1, text
    assert heights[0] > heights[1]


@pytest.mark.parametrize(
    "text", ["KMS Key Deletion With the Shortest Window " * 2, "df384ae9-7c77-4f5a-8f53-6aab01f2eb2a-" * 2]
)
def test_cuts_leave_no_half_words(page: Page, tmp_path: Path, text: str) -> None:
    """Where separators are near, a cut is at one; and no space stands beside the ellipsis."""
    page.open(write(tmp_path / "report.html", [replace(HIT, title=text, name="n")]))

    head, tail = page.run("return document.querySelector('.row [data-part=what] .mid').dataset.cut").split("…")

    words = re.split("[ -]", text)
    assert (head.strip(), tail.lstrip()) == (head, tail)
    assert re.split("[ -]", head.rstrip("-"))[-1] in words
    assert re.split("[ -]", tail)[0] in words


def test_phone_sorts_and_scrolls_with_the_page(phone: Page, tmp_path: Path) -> None:
    """There are no heads to press there, and no box inside the page: three thousand hits scroll like ten."""
    phone.open(write(tmp_path / "report.html", many(3000)))
    phone.run("const s = document.getElementById('sort'); s.value = 'level'; s.dispatchEvent(new Event('change'))")
    first = phone.run("return document.querySelector('.row .level').textContent")
    phone.run("scrollTo(0, 100000)")
    wait_until(lambda: bool(phone.run("return Number(document.querySelector('.row').dataset.index) > 600")))

    in_sight = phone.run(
        "return [...document.querySelectorAll('.row')].some(one => { const r = one.getBoundingClientRect();"
        "return r.top <= 300 && r.bottom >= 300; })"
    )
    fits = phone.run("return [...document.querySelectorAll('.row')].every(one => one.scrollHeight <= one.clientHeight)")

    assert first == "critical"
    assert in_sight is True
    assert fits is True


def test_paper_leaves_nothing_out_in_silence(paper: Page, tmp_path: Path) -> None:
    """All rows to a limit; beyond it, and of the top lists, how many are missing and how to get them."""
    paper.open(write(tmp_path / "report.html", many(2400)))
    paper.run("window.dispatchEvent(new Event('beforeprint'))")

    rows = paper.run("return document.querySelectorAll('.row').length")
    visible = "return [...document.querySelectorAll('.unprinted')].map(one => one.innerText).filter(Boolean)"
    said = paper.run(visible)
    buttons = paper.run(
        "return [...document.querySelectorAll('button')].filter(one => one.checkVisibility()).map(one => one.className)"
    )

    tables = paper.run(
        "return [...document.querySelectorAll('.sheets')]"
        ".map(one => [one.caption.innerText, one.querySelectorAll('.row').length])"
    )

    assert rows == 2000
    assert len(tables) == 40
    assert tables[-1] == ["Hits 1,951 to 2,000 of 2,400", 50]
    assert "293 more are not on paper; “more” in the file shows them." in said
    assert any("the first 2,000 of 2,400 hits in this order; 400 are not." in text for text in said)
    assert "more" not in buttons


def test_paper_has_filters_order_acts_and_whole_names(page: Page, tmp_path: Path) -> None:
    """Who gets the sheet sees what was asked, and names to their end, as nothing can be pointed at."""
    acts = tuple(
        EpisodeAct(
            f"2026-09-15T10:0{at}:00Z",
            "111122223333",
            f"a{at}",
            "kms.amazonaws.com",
            "DisableKey",
            "eu",
            "r",
            "R",
            actor="dana",
        )
        for at in (1, 2)
    )
    episode = HitEpisode((("a", "b"),), acts[0].at, acts[1].at, 2, acts)
    page.open(write(tmp_path / "report.html", [replace(HIT, event_id="ep", episode=episode), *long_ones()]))
    page.type("#search", "111122223333")
    wait_until(lambda: bool(page.run("return document.querySelectorAll('#chips button').length")))
    page.devtools("Emulation.setEmulatedMedia", media="print")
    page.run("window.dispatchEvent(new Event('beforeprint'))")
    text = page.run("return document.body.innerText")
    cut = page.run("return document.querySelectorAll('.mid').length")
    page.run("window.dispatchEvent(new Event('afterprint'))")
    page.devtools("Emulation.setEmulatedMedia", media="")

    assert "Search 111122223333" in text
    assert "In order of Time (UTC), descending. On paper: all 3 hits." in text
    assert "2026-09-15T10:01:00Z DisableKey, by dana" in text
    assert text.count(LONG + "green") >= 4
    assert cut == 0


def test_episodes_lead_to_their_acts_and_back(page: Page, tmp_path: Path) -> None:
    """A story is read along its acts; those that are hits themselves are one press away."""
    act = replace(HIT, event_id="act-1", kept_as="act")
    members = EpisodeAct(
        act.event_time,
        act.account,
        act.event_id,
        "kms.amazonaws.com",
        "DisableKey",
        "eu-central-1",
        "r",
        "R",
        is_hit=True,
    )
    story = HitEpisode((), act.event_time, act.event_time, 1, (members,))
    page.open(write(tmp_path / "report.html", [replace(HIT, event_id="ep", title="The story", episode=story), act]))

    page.click('#states [data-value="episode"]')
    page.click(".row")
    page.click("#detail .acts .link")
    of_act = page.run("return document.getElementById('detail').innerText")
    page.run("[...document.querySelectorAll('#detail .link')].at(-1).click()")
    title = page.run("return document.getElementById('detail-title').textContent")
    page.press("Escape")

    assert "act-1" in of_act
    assert "The story: 1 act from 2026-09-15T10:00:00Z" in of_act
    assert title == "The story"


def test_undo_of_an_episode_says_what_is_done_and_until_when_the_rest_works(page: Page, tmp_path: Path) -> None:
    """A command of an act that a colleague has undone is no offer any more; each other has a deadline of its own."""
    acts = tuple(
        EpisodeAct(
            HIT.event_time,
            HIT.account,
            f"act-{number}",
            "kms.amazonaws.com",
            "DisableKey",
            "eu-central-1",
            "r",
            "R",
            undo=(f"aws undo {number}",),
            undo_until=until,
        )
        for number, until in enumerate(
            ("2120-01-01 00:00:00 UTC", "2120-01-02 00:00:00 UTC", "2020-01-01 00:00:00 UTC", "")
        )
    )
    undo = tuple(step for act in acts for step in act.undo)
    story = replace(HIT, event_id="ep", episode=HitEpisode((), HIT.event_time, HIT.event_time, 4, acts), undo=undo)
    own = [replace(HIT, event_id=f"act-{number}", kept_as="act", undo=()) for number in (0, 1)]
    states = {own[0].identity: HitState("undone", 1, "dana", "2026-09-15T11:00:00Z")}
    page.open(write(tmp_path / "report.html", [story, *own], states))

    page.click('#states [data-value="episode"]')
    page.click(".row")
    copied = page.run("return [...document.querySelectorAll('#detail .command code')].map(one => one.innerText)")
    over = page.run("return [...document.querySelectorAll('#detail .over')].map(one => one.innerText)")
    text = page.run("return document.getElementById('detail').innerText").partition("Undo")[2]
    page.press("Escape")
    page.run("window.dispatchEvent(new Event('beforeprint'))")
    paper = page.run("return [...document.querySelectorAll('.onpaper code')].map(one => one.textContent)")
    page.run("window.dispatchEvent(new Event('afterprint'))")

    assert (over, copied) == (["aws undo 0", "aws undo 2"], ["aws undo 1", "aws undo 3"])
    assert "Undone after 1 h, by dana" in text
    assert "until 2120-01-02 00:00:00 UTC: " in text
    assert "deadline passed: 2020-01-01 00:00:00 UTC" in text
    assert text.count("without a deadline") == 1
    assert "aws undo 0" not in paper


def test_steps_of_an_episode_are_over_as_the_undo_command_judges_them(page: Page, tmp_path: Path) -> None:
    """Undone in time, muted, shared by two acts, raised, or of a row that knows no act's deadline."""
    past, ahead, later = (f"{year}-01-01 00:00:00 UTC" for year in (2020, 2120, 2121))
    steps = (("a", past), ("b", ahead), ("shared", later), ("shared", later), ("c", ahead), ("d", past))
    acts = tuple(
        EpisodeAct(
            HIT.event_time,
            HIT.account,
            f"act-{at}",
            "s",
            "DisableKey",
            "r",
            "n",
            "N",
            undo=(f"aws {text}",),
            undo_until=until,
        )
        for at, (text, until) in enumerate(steps)
    )
    undo = tuple(dict.fromkeys(step for act in acts for step in act.undo))
    story = replace(HIT, event_id="ep", undo=undo, undo_until=past)
    own = [replace(HIT, event_id=f"act-{at}", kept_as="act", undo=()) for at in (0, 1, 2, 4)]
    own[1] = replace(own[1], muted_by="night")
    raised = replace(own[3], kept_as="raised-to-critical")
    done = HitState("undone", 1, "dana", "2026-09-15T11:00:00Z")
    states = {one.identity: done for one in (own[0], own[2], own[3])}
    older = replace(
        story,
        event_id="old",
        title="The older",
        undo_until=later,
        episode=HitEpisode((), "", "", 1, (replace(acts[1], undo_until=""),)),
        undo=acts[1].undo,
    )
    whole = replace(story, title="The whole", episode=HitEpisode((), HIT.event_time, HIT.event_time, 6, acts))
    page.open(write(tmp_path / "report.html", [whole, raised, *own, older], states))

    search = (
        "const one = document.getElementById('search'); one.value = arguments[0]; one.dispatchEvent(new Event('input'))"
    )

    def detail(title: str) -> list[list[str]]:
        """What is said above the commands, and these, those that are over with a minus."""
        page.run(search, title)
        row = "const all = document.querySelectorAll('.row'); return all.length === 1 ? all[0].textContent : ''"
        wait_until(lambda: title in page.run(row))
        page.click(".row")
        said = page.run(
            "return [...document.querySelectorAll('#detail :is(p[data-until], .over, .command code)')].map(one =>"
            " [one.matches('.over') ? '-' : one.matches('p') ? 'said' : '+', one.dataset.until ?? '', one.innerText])"
        )
        page.press("Escape")
        return list(said)

    undone = "Undone after 1 h, by dana, 2026-09-15 11:00:00 UTC."
    assert [[kind, until, text.partition(": ")[0]] for kind, until, text in detail("The whole")] == [
        ["said", "", undone],
        ["-", "", "aws a"],
        ["said", ahead, f"until {ahead}"],
        ["+", "", "aws b"],
        ["said", later, f"until {later}"],
        ["+", "", "aws shared"],
        ["said", "", undone],
        ["-", "", "aws c"],
        ["said", past, "deadline passed"],
        ["-", "", "aws d"],
    ]
    assert [[kind, until] for kind, until, _ in detail("The older")] == [["said", later], ["+", ""]]
    page.run(search, "")


def test_episode_of_many_acts_by_several_people_says_what_it_leaves_out(page: Page, tmp_path: Path) -> None:
    """Ten of forty acts are not forty, and several people are no actor beside them."""
    acts = tuple(
        EpisodeAct(f"2026-09-15T10:{minute:02}:00Z", "111122223333", f"e-{minute}", "s", "DisableKey", "r", "n", "N")
        for minute in (0, 1, 2, 37, 38, 39)
    )
    story = HitEpisode((), acts[0].at, acts[-1].at, 40, acts)
    several = replace(HIT.actor, kind="several", key="several", name="3 actors")
    hits = [HIT, replace(HIT, event_id="ep", episode=story, actor=several, resources=("a", "b"))]
    page.open(write(tmp_path / "report.html", hits))

    headline = page.run("return document.getElementById('subline').textContent")
    page.click('#states [data-value="episode"]')
    page.click(".row")
    lines = page.run("return [...document.querySelectorAll('#detail .acts li')].map(one => one.innerText)")

    assert headline.startswith("1 actor in 1 account.")
    assert headline.count("window.hacked") == 4  # the source, and the note: what is left out is said with the number
    assert lines[3] == "... 34 more ..."
    assert [line[11:16] for line in lines[:3] + lines[4:]] == ["10:00", "10:01", "10:02", "10:37", "10:38", "10:39"]


def test_live_gathered_and_waiting_notices_are_told(page: Page, tmp_path: Path) -> None:
    """Whether a log file has it yet, whether somebody was notified, and with how many others in one message."""
    live = LiveEvent("eu-central-1", "m", "2026-09-15T10:00:03Z")
    hits = [
        replace(HIT, event_id="l", kept_as="act", live=live, place=NO_PLACE),
        *(replace(HIT, event_id=f"g{number}", kept_as="act") for number in range(3)),
    ]
    alerts = {hit.identity: hits[1].hit_id for hit in hits[1:]}
    page.open(write(tmp_path / "report.html", hits, {}, alerts))

    pills = page.run("return [...document.querySelectorAll('#states button')].map(one => one.textContent)")
    page.click('#states [data-value="live"]')
    page.click(".row")
    waiting = page.run("return document.getElementById('detail').innerText")
    page.press("Escape")
    page.click('#states [data-value="live"]')
    page.type("#search", "g1")
    wait_until(lambda: count(page) == "1 of 4 hits")
    page.click(".row")
    gathered = page.run("return document.getElementById('detail').innerText")
    page.press("Escape")

    assert pills == ["live 1", "not notified yet 1"]
    assert "Nobody was notified of it yet." in waiting
    assert "no log file yet" in waiting
    assert "Notified in one message with 2 other hits of this report." in gathered


CONTRAST = """
const parse = (colour) => { const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number); return { r, g, b, a }; };
const channel = (value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
const light = ({ r, g, b }) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const behind = (element) => {
  for (let one = element; one; one = one.parentElement) {
    const colour = parse(getComputedStyle(one).backgroundColor);
    if (colour.a === 1) return colour;
  }
  return { r: 255, g: 255, b: 255 };
};
const poor = new Set();
let tried = 0;
for (const element of document.querySelectorAll("body *")) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!own || !element.checkVisibility() || element.closest("script, style, option")) continue;
  const bar = element.closest("li button")?.querySelector(".fill");
  for (const back of [behind(element), ...(bar ? [parse(getComputedStyle(bar).backgroundColor)] : [])]) {
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(back)].sort((x, y) => y - x);
    tried += 1;
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.add(`${element.tagName}.${element.className} ${ratio.toFixed(2)}`);
  }
}
return [tried, [...poor]];
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_has_the_contrast_of_wcag_aa(page: Page, tmp_path: Path, theme: str) -> None:
    """4.5 to 1, also of quiet text, of levels, on bars and inside a hit."""
    hits, states = lives()
    levels = ["critical", "high", "medium", "low", "informational"]
    page.open(
        write(
            tmp_path / "report.html", [*hits, *(replace(HIT, event_id=level, level=level) for level in levels)], states
        )
    )
    page.run("document.documentElement.dataset.theme = arguments[0]", theme)
    page.click('#states [data-value="open"]')
    tried, poor = page.run(CONTRAST)
    page.click(".row")
    more, inside = page.run(CONTRAST)
    page.press("Escape")

    assert tried > 80
    assert more > tried
    assert poor == inside == []
