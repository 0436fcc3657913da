"""The doctor's checks of live events: of the stack that they go to, and of a member that forwards them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from trailbell.hits.query import HitQuery
from trailbell.ops.answers import LiveRule
from trailbell.ops.checks.finding import Finding
from trailbell.ops.checks.live import live_rule_findings, member_findings, member_stack_finding, seen_by_place
from trailbell.ops.health import CENTRAL_BUS, Health
from trailbell.rulebook.live_calls import live_of
from trailbell.rulebook.live_patterns import fingerprint, patterns_of, resolved
from trailbell.rulebook.member_template import DEAD_LETTERS
from trailbell.store.query.hit_query import find_hits


_DAYS = 7
_MOST_HITS = 5000


def check_live_rules(health: Health, now: datetime) -> Iterator[Finding]:
    """Nothing where the setting `live` is off."""
    if not health.stack.has_output(CENTRAL_BUS):
        return
    patterns = patterns_of(health.rulebook)
    named = {f"Live{one.name}": one for one in patterns.own}
    named |= {f"LiveForwarded{one.name}": one for one in patterns.forwarded}
    expected = {
        name: LiveRule(name, resolved(one.pattern, health.stack.account), one.state, 1) for name, one in named.items()
    }
    yield from live_rule_findings(expected, health.live_rules(), fingerprint(patterns.own))


def check_members(health: Health, now: datetime) -> Iterator[Finding]:
    """Hits of the last days since events come, by whether an event or a log file brought them first.

    Only of rules all of whose calls come live: what is left to the log files says nothing of a member.
    """
    if not health.stack.has_output(CENTRAL_BUS):
        return
    rulebook = health.rulebook
    live = {rule.rule_id for rule in rulebook.rules if not live_of(rule, rulebook.trusted_accounts).left_out}
    since = max(now - timedelta(days=_DAYS), health.live_since() or now - timedelta(days=_DAYS))
    hits = find_hits(health.clients("dynamodb"), health.stack.output("HitTable"), HitQuery(since, now))
    taken = (hit for hit in islice(hits, _MOST_HITS) if hit.rule_id in live)
    yield from member_findings(seen_by_place((hit.account, hit.region, hit.live is not None) for hit in taken), _DAYS)


def check_member_queue(health: Health, now: datetime) -> Iterator[Finding]:
    """Of a member: what could not be forwarded."""
    yield member_stack_finding(health.stack.dead_letter_queue(DEAD_LETTERS).waiting)
