"""What it means that AWS refused an answer: a check that nobody could make says nothing of what it checks."""

from trailbell.ops.checks.finding import UNKNOWN, Finding, found
from trailbell.text.safe_text import one_line


_DENIED = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation")


def refusal_finding(check: str, reason: str, code: str = "") -> Finding:
    """A check that was refused, by the code of AWS's error, or that failed for another reason."""
    condition = "check.not-permitted" if code in _DENIED else "check.not-possible"
    return found(UNKNOWN, check, condition, reason=one_line(reason, 300))
