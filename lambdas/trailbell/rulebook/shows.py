"""How a rule says what it shows of a record: the YAML's `shows`, checked and compiled (hits/shown.py).

shows:
    grantee: [requestParameters.granteePrincipal, requestParameters.granteeServicePrincipal]
    operations: requestParameters.operations
    accounts: facts.external_accounts
"""

from typing import Any

from trailbell.errors import RuleError
from trailbell.hits.shown import MAX_SHOWN, Shows, unknown_show
from trailbell.rulebook.members import FACTS


def compile_shows(content: Any, place: str) -> Shows:
    """Compile `shows`. Raises RuleError."""
    if content is None:
        return ()
    if not isinstance(content, dict) or not all(isinstance(label, str) and label for label in content):
        raise RuleError(f"{place}: shows is a map from labels to paths")
    if len(content) > MAX_SHOWN:
        raise RuleError(f"{place}: shows has more than {MAX_SHOWN} labels")
    return tuple((label, _paths(label, value, place)) for label, value in content.items())


def _paths(label: str, value: Any, place: str) -> tuple[str, ...]:
    paths = value if isinstance(value, list) else [value]
    if not paths or not all(isinstance(path, str) for path in paths):
        raise RuleError(f"{place}: shows.{label} is a path, or a list of paths")
    malformed = [path for path in paths if unknown_show(path, FACTS)]
    if malformed:
        raise RuleError(f"{place}: shows names what no record has, or a secret: {', '.join(malformed)}")
    return tuple(paths)
