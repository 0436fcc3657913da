"""Where the pointers of a question stand: the narrowest partitions that hold every answer, newest first."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from trailbell.hits.hit import kept_actor, kept_resource
from trailbell.hits.query import Question
from trailbell.store import rows


# How an actor's key begins where it is no ARN (facts/actor.py).
_ACTOR_KEYS = ("arn:", "root:", "svc:", "idc:", "sha256-")


def windows(question: Question) -> Iterator[Question]:
    """The question, and then again for what stands at the beginning of its first day.

    A hit that stands for a whole day is placed there (store/rows.py), before a window that begins later that day.
    Whoever reads it looks at the hit's own time.
    """
    if question.since <= question.until:
        yield question
    midnight = question.since.replace(hour=0, minute=0, second=0, microsecond=0)
    if midnight < question.since:
        yield replace(question, since=midnight, until=midnight)


def exact_groups(question: Question) -> Iterator[list[str]]:
    """The partitions of a resource or actor that looks like a whole ARN or key; none if neither does."""
    if question.resource.startswith("arn:"):
        yield [rows.resource_partition(kept_resource(question.resource))]
    elif question.actor.startswith(_ACTOR_KEYS):
        actor = kept_actor(question.actor)
        yield from ([rows.actor_partition(actor, month)] for month in _periods(question, "%Y-%m"))


def broad_groups(question: Question) -> Iterator[list[str]]:
    """The narrowest groups of partitions when names are taken for parts of names."""
    months = _periods(question, "%Y-%m")
    if question.rules:
        yield from ([rows.rule_partition(rule, month) for rule in question.rules] for month in months)
    elif question.account:
        yield from ([rows.account_partition(question.account, month)] for month in months)
    else:
        yield from day_groups(question)


def day_groups(question: Question, shards: tuple[int, ...] = tuple(range(rows.SHARDS))) -> Iterator[list[str]]:
    """Each day of the window with its shards."""
    for day in _periods(question, "%Y-%m-%d"):
        yield [rows.time_partition(day, shard) for shard in shards]


def _periods(question: Question, form: str) -> list[str]:
    """The months or days of a question's time window, newest first."""
    day, periods = question.until, dict[str, None]()
    while day.date() >= question.since.date():
        periods[day.strftime(form)] = None
        day -= timedelta(days=1)
    return list(periods)
