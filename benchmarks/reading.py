"""What reading and matching cost: against inflating alone, against Python's own modules, and as rules grow.

All on fresh log files, none seen in warm-up: repeated input flatters everything that remembers. One core.
The floor is ISA-L inflating in blocks, fed 8 KB and giving at most 96 KB, as measured best.
"""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from isal import isal_zlib

from benchmarks.corpus import MIXES, log_file
from benchmarks.measure import Contender, Row, ratios, row, take_turns
from benchmarks.rulebooks import dense_rules, wide_rules
from trailbell.cli.options.rulebooks import find_rulebook
from trailbell.cloudtrail.object_key import classify_key
from trailbell.engine.rulebook import Rule, Rulebook
from trailbell.hits.detect import DetectionCounts, HitDetector
from trailbell.rulebook.cases import CASE_SETTINGS
from trailbell.rulebook.load import load_rules


_ROOT = Path(__file__).resolve().parent.parent
_SIGMAHQ = _ROOT.parent / "shared" / "data" / "sigmahq"
# Matches every call of every role's session: with it, what is measured is the making of hits.
_MATCHES_EVERYTHING = "aws_sts_assumerole_misuse"
_TYPICAL, _LARGE = 1000, 40_000


def reading(rounds: int = 25) -> Iterator[Row]:
    """Targets a, b and c."""
    contenders: dict[str, Contender] = {
        "floor": floor,
        "zlib": inflate_with_zlib,
        "json": parse_fully,
        "detector": _as_detector(),
        "shipped": _detecting(shipped_rules()),
        "plain": _detecting(shipped_rules(), full_parse_bytes=10**12),
    }
    if _SIGMAHQ.exists():
        others = load_rules(_SIGMAHQ, CASE_SETTINGS).rules
        contenders["57 more"] = _detecting(shipped_rules() + others)
        contenders["56 more"] = _detecting(
            shipped_rules() + tuple(rule for rule in others if rule.stem != _MATCHES_EVERYTHING)
        )
    for mix, more_target in zip(MIXES, ("<= 4.5", "<= 3.5"), strict=True):
        for size, count, least in ((_TYPICAL, rounds, ">= 4"), (_LARGE, 5, ">= 7")):
            costs = _costs(mix, size, count, contenders)
            where = f"{mix}, {size:,} records"
            target = ("<= 2.5" if mix == "general" else "<= 2.2") if size == _LARGE else ""
            yield row(f"a. as the detector runs / inflating alone, {where}", target, ratios(costs, "detector", "floor"))
            yield row(f"a. shipped rules / inflating alone, {where}", "<= 3.0", ratios(costs, "shipped", "floor"))
            yield row(f"b. gzip + json.loads / shipped rules, {where}", least, ratios(costs, "json", "shipped"))
            yield row(f"   the same without the prefilter / inflating, {where}", "", ratios(costs, "plain", "floor"))
            yield row(f"   zlib inflating in blocks / ISA-L, {where}", "", ratios(costs, "zlib", "floor"))
            for more in ("56 more", "57 more"):
                if more in contenders:
                    target = more_target if more == "57 more" else ""
                    yield row(f"c. and {more} of SigmaHQ / inflating, {where}", target, ratios(costs, more, "floor"))


def growth(rounds: int = 9) -> Iterator[Row]:
    """Target d."""
    sizes = (10, 100, 1000, 10_000)
    for kind, make in (("wide", wide_rules), ("dense", dense_rules)):
        contenders: dict[str, Contender] = {str(count): _detecting(make(count)) for count in sizes}
        for mix in MIXES:
            costs = _costs(mix, _TYPICAL, rounds, {"floor": floor, **contenders})
            yield row(f"d. 10 {kind} rules / inflating alone, {mix}", "", ratios(costs, "10", "floor"))
            for count in sizes[1:]:
                target = "<= 2.5" if count == sizes[-1] else ""
                yield row(f"d. {count:,} {kind} rules / 10, {mix}", target, ratios(costs, str(count), "10"))


def floor(body: bytes) -> None:
    """Inflate, and nothing else."""
    _inflate(isal_zlib.decompressobj(31), body)


def inflate_with_zlib(body: bytes) -> None:
    """The same with Python's own zlib."""
    _inflate(zlib.decompressobj(31), body)


def _inflate(member: Any, body: bytes) -> None:
    for at in range(0, len(body), 8192):
        fed = body[at : at + 8192]
        while fed:
            member.decompress(fed, 96 * 1024)
            fed = member.unconsumed_tail


def parse_fully(body: bytes) -> None:
    """What one writes without thinking about it; no rules."""
    json.loads(gzip.decompress(body))


def shipped_rules() -> tuple[Rule, ...]:
    """The product's rules."""
    return load_rules(_ROOT / "rules", CASE_SETTINGS).rules


def _detecting(rules: tuple[Rule, ...], full_parse_bytes: int = 0) -> Callable[[bytes], int]:
    hit_detector = HitDetector(Rulebook(rules), full_parse_bytes=full_parse_bytes)

    def detect(body: bytes) -> int:
        hits = hit_detector.detect([body], "bucket", classify_key("key"), "2026-11-20T10:00:00Z", DetectionCounts())
        return sum(1 for _ in hits)

    return detect


def _as_detector() -> Callable[[bytes], int]:
    """With correlations, and what undoes an act."""
    detector = HitDetector(find_rulebook(None, ()), full_parse_bytes=0, undoings=True, correlating=True)
    key = classify_key("key")
    return lambda body: sum(1 for _ in detector.detect_all([body], "", key, "2026-11-20T10:00:00Z", DetectionCounts()))


def _costs(mix: str, size: int, rounds: int, contenders: dict[str, Contender]) -> dict[str, list[float]]:
    for seed in range(6):
        for contender in contenders.values():
            contender(log_file(mix, _TYPICAL, 1_000_000 + seed))
    return take_turns(contenders, (log_file(mix, size, seed) for seed in range(rounds)))
