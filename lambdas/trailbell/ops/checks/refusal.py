"""What it means that AWS gave an error: nobody may look, it cannot be known, or what was to be checked is gone."""

from trailbell.ops.answers import GONE
from trailbell.ops.checks.finding import PROBLEM, UNKNOWN, Finding, found
from trailbell.text.safe_text import one_line


_DENIED = ("403", "AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation")


def refusal_finding(check: str, reason: str, code: str = "") -> Finding:
    """A check by the code of AWS's error: refused, gone, or failed for another reason."""
    said = one_line(reason, 300)
    if code in GONE:
        return found(PROBLEM, check, "check.gone", reason=said)
    return found(UNKNOWN, check, "check.not-permitted" if code in _DENIED else "check.not-possible", reason=said)
