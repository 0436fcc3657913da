"""docs/audit.md says of every kind of finding what it is told of (that the table is current: test_aws_cli.py)."""

import re

from tests.audit.page import PAGE
from trailbell.hits.audit_finding import Found


def test_every_kind_of_finding_is_told_of_something() -> None:
    """A kind that nothing leads to is dead, or untried."""
    table = PAGE.read_text(encoding="utf-8").partition("<!-- live -->")[2].partition("<!-- /live -->")[0]

    assert set(re.findall(r"`(audit-[a-z-]+)`", table)) == {found.value for found in Found}
