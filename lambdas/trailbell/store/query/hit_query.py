"""Queries of the hit table: answered newest first, through the pointers of the narrowest partitions.

Nothing is scanned. Pointers are enough for most conditions; a hit is read to be shown, and where only the hit itself
can tell.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, islice
from typing import Any

from trailbell.hits.hit import Hit
from trailbell.hits.hit_state import HitState, is_in
from trailbell.hits.query import HitQuery, answers
from trailbell.store import rows
from trailbell.store.deliveries import delivery_levels
from trailbell.store.dynamo import GET_LIMIT, Row, batches, get_all
from trailbell.store.log_places import with_log_places
from trailbell.store.query.page_token import BROAD, EXACT, make_token, moment_of, parse_token
from trailbell.store.query.partitions import broad_groups, exact_groups, windows
from trailbell.store.query.pointer_filter import Pointer
from trailbell.store.query.pointers import WORKERS, PointerReader
from trailbell.store.states import state_of


_LARGEST_CHUNK = 800


@dataclass(frozen=True, slots=True)
class FoundHit:
    """A hit, its state, and its place in the order (its pointer's sort key).

    notified_later: it was muted when it was found, and delivered since (ops/muted.py).
    """

    hit: Hit
    state: HitState
    place: str
    notified_later: bool = False


@dataclass(frozen=True, slots=True)
class HitPage:
    """Some hits of an answer, newest first, and the token of the page after them, "" after the last."""

    hits: list[FoundHit]
    next_token: str


def find_hits(client: Any, table: str, query: HitQuery) -> Iterator[Hit]:
    """The hits that `find_found` finds. Raises what it raises."""
    return (found.hit for found in find_found(client, table, query))


def find_found(client: Any, table: str, query: HitQuery) -> Iterator[FoundHit]:
    """Hits that answer a query, with their states, newest first, read page by page as they are taken.

    A text that looks like a whole ARN is looked up as one; only if nothing is found, it is taken for a part of one.
    Raises NewerFormatError when the table holds hits of a newer version.
    """
    with workers() as pool:
        for groups in (exact_groups, broad_groups):
            with closing(search(client, table, pool, query, groups)) as matching:
                first = next(matching, None)
                if first is not None:
                    yield first
                    yield from matching
                    return


def find_page(client: Any, table: str, query: HitQuery, limit: int, token: str = "") -> HitPage:
    """At most `limit` hits that answer a query, from where `token` (of the page before) says.

    Raises SettingsError for a token that is none, NewerFormatError when the table holds hits of a newer version.
    """
    mode, before = parse_token(token) if token else ("", "")
    if before:
        query = replace(query, until=moment_of(before))
    with workers() as pool:
        for name, groups in ((EXACT, exact_groups), (BROAD, broad_groups)):
            if mode not in ("", name):
                continue
            with closing(search(client, table, pool, query, groups, limit + 1, before)) as matching:
                page = list(islice(matching, limit + 1))
            if page:
                following = make_token(name, page[limit - 1].place) if len(page) > limit else ""
                return HitPage(page[:limit], following)
    return HitPage([], "")


@contextmanager
def workers() -> Iterator[Executor]:
    """Threads for requests that do not wait for each other; those not begun are dropped at the end."""
    pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="ask")
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def search(
    client: Any,
    table: str,
    pool: Executor,
    query: HitQuery,
    groups: Callable[[HitQuery], Iterable[list[str]]],
    want: int = 0,
    before: str = "",
) -> Generator[FoundHit, None, None]:
    """What the pointers in some groups of partitions lead to, newest first; `want` sizes the first requests."""
    for window in windows(query):
        pointers = PointerReader(client, table, pool, window, want, before).read(groups(window))
        with closing(pointers):
            size, yielded = min(want or GET_LIMIT, _LARGEST_CHUNK), 0
            while chunk := list(islice(pointers, size)):
                read = read_found(client, table, pool, query, chunk)
                matching = [one for one in read if is_answer(one, query)]
                yield from matching
                yielded += len(matching)
                size = _next_size(len(chunk), len(matching), want - yielded)


def _next_size(read: int, matching: int, missing: int) -> int:
    """How many hits to read next: as many as are missing, more where only some of those read were answers."""
    if missing <= 0:  # as many as there are
        return min(read * 2, _LARGEST_CHUNK)
    likely = missing * read // matching + 1 if matching else read * 4
    return min(missing if matching == read else likely, _LARGEST_CHUNK)


def is_answer(found: FoundHit, query: HitQuery) -> bool:
    """Whether a hit in its state answers a query; one with a dedup window of a day is judged by its own time."""
    if found.hit.once and datetime.fromisoformat(found.hit.event_time) < query.since:
        return False
    muted = bool(found.hit.muted_by) and not found.notified_later
    in_state = not query.states or is_in(found.state, muted, query.states)
    return in_state and answers(found.hit, query)


def read_found(client: Any, table: str, pool: Executor, query: HitQuery, chunk: list[Pointer]) -> Iterator[FoundHit]:
    """The hits that some pointers name, as far as they exist, and their states.

    Where states decide they are read first, and hits in other states are not read.
    """
    rows_by_key = dict[tuple[str, str], Row]()
    if query.states:
        rows_by_key = _get(client, table, pool, (_state_key(pointer) for pointer in chunk))
        chunk = [one for one in chunk if state_of(rows_by_key.get(_named(_state_key(one)))).word in query.states]
        keys = [rows.pointed_at(pointer) for pointer in chunk]
    else:
        keys = [key for pointer in chunk for key in (rows.pointed_at(pointer), _state_key(pointer))]
    rows_by_key |= _get(client, table, pool, keys)
    named = ((pointer, rows_by_key.get(_named(rows.pointed_at(pointer)))) for pointer in chunk)
    hits = [(pointer, rows.read_hit(row)) for pointer, row in named if row and rows.is_alive(row)]
    delivered = _delivered_later(client, table, [hit for _, hit in hits if hit.muted_by])
    placed = with_log_places(client, table, [hit for _, hit in hits])
    for (pointer, _), hit in zip(hits, placed, strict=True):
        state = state_of(rows_by_key.get(_named(_state_key(pointer))))
        yield FoundHit(hit, state, pointer["sk"], hit.identity in delivered)


def _delivered_later(client: Any, table: str, muted: list[Hit]) -> set[tuple[str, str, str]]:
    """The identities of those muted hits that somebody was notified of after all."""
    if not muted:
        return set()
    keys = {hit.identity: set(hit.delivery_identities) for hit in muted}
    levels = delivery_levels(client, table, {one for ones in keys.values() for one in ones})
    return {identity for identity, ones in keys.items() if ones & levels.keys()}


def _get(client: Any, table: str, pool: Executor, keys: Iterable[Row]) -> dict[tuple[str, str], Row]:
    """Rows by key, 100 to a request, requests side by side."""
    results = pool.map(lambda batch: list(get_all(client, table, batch)), batches(keys, GET_LIMIT))
    return {_named(row): row for row in chain.from_iterable(results)}


def _state_key(pointer: Pointer) -> Row:
    return rows.state_key(*rows.identity_of(pointer))


def _named(key: Row) -> tuple[str, str]:
    return key["pk"], key["sk"]
