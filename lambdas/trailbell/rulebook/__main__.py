"""`python -m trailbell.rulebook RULES FILE`: compile a folder of rules with the default settings, without exceptions.

How the wheel gets the rulebook that it carries (setup.py). Exit status 1 with every fault, one a line.
"""

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from trailbell.engine.rulebook import dump_rulebook
from trailbell.errors import TrailbellError
from trailbell.hits.canary import CANARY_RULE_ID
from trailbell.rulebook.build import build_rulebook
from trailbell.rulebook.placeholders import read_placeholders, with_our_own


def main(rules: Path, target: Path) -> None:
    """Compile and write."""
    try:
        placeholders = with_our_own(read_placeholders({}), {})
        built, _ = build_rulebook(rules, None, placeholders, datetime.now(UTC).date())
    except TrailbellError as error:
        sys.exit(str(error))
    # Canaries are a deployed stack's; a scan of anybody's log files has no rule for them.
    rulebook = replace(built, rules=tuple(rule for rule in built.rules if rule.rule_id != CANARY_RULE_ID))
    target.write_text(dump_rulebook(rulebook), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
