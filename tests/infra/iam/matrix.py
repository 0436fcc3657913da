"""The matrix: what each role must and must not be able to do, tried and printed as docs/security.md shows it."""

from tests.infra.iam.account_calls import account_calls, key_calls, log_calls
from tests.infra.iam.call import Call
from tests.infra.iam.message_calls import bus_calls, hub_calls, queue_calls, topic_calls
from tests.infra.iam.statements import ROLES
from tests.infra.iam.storage_calls import s3_calls, stream_calls, table_calls
from tests.infra.iam.world import World


_PARTS = (
    s3_calls,
    table_calls,
    stream_calls,
    topic_calls,
    bus_calls,
    hub_calls,
    queue_calls,
    log_calls,
    key_calls,
    account_calls,
)


def calls(world: World) -> list[Call]:
    """The matrix: every granted action, and what somebody who took over a function would try next."""
    return [call for role in ROLES for part in _PARTS for call in part(world, role)]


def matrix(world: World) -> list[str]:
    """The matrix as a Markdown table, both roles side by side: what was found, not what was hoped."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for call in calls(world):
        may = world.can(call) if call.by_moto else world.granted(call)
        text = (
            ("allowed" if may else "-") + ("" if call.by_moto else " *") + ("" if may == call.allowed else " (WRONG)")
        )
        on = "its own log group" if "log group" in call.on and "own" in call.on else call.on
        on = "the other's log group" if "'s log group" in on else on
        found.setdefault((call.action, on), {})[call.role] = text
    grouped: dict[tuple[str, ...], list[str]] = {}
    for (action, on), of in found.items():
        service, _, name = action.partition(":")
        grouped.setdefault((service, on, of["Detector"], of["Notifier"]), []).append(name)
    lines = ["| calls | on | detector | notifier |", "|---|---|---|---|"]
    lines += [f"| `{key[0]}:` {' '.join(names)} | {' | '.join(key[1:])} |" for key, names in grouped.items()]
    return lines
