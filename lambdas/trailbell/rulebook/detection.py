"""A document's detection, through pySigma's parser to our tree, or an error that names its place."""

from typing import Any

from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule

from trailbell.errors import RuleError
from trailbell.rulebook.compile import Compiler, Node, UnsupportedError
from trailbell.rulebook.lint import faults_of, normalised, refused_field


PARSER_FAILURES = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What pySigma and its parsers raise beside their own errors when they meet what they did not expect."""


def parse_rule(content: dict[str, Any], place: str) -> SigmaRule:
    """Lint, then let pySigma parse and validate. Raises RuleError."""
    faults = list(faults_of(content.get("detection")))
    if faults:
        raise RuleError(f"{place}: {'; '.join(faults)}")
    try:
        (parsed,) = SigmaCollection.from_dicts([normalised(content)]).rules
    except SigmaError as error:
        reason = refused_field(content.get("detection")) if isinstance(content.get("detection"), dict) else ""
        raise RuleError(f"{place}: {' '.join((reason or str(error)).split())}") from None
    except (AttributeError, TypeError, ValueError) as error:  # how pySigma meets a number where text belongs
        raise RuleError(f"{place}: a field is of the wrong type: {error}") from None
    if not isinstance(parsed, SigmaRule):
        raise RuleError(f"{place}: not a detection rule")
    return parsed


def compile_detection(parsed: SigmaRule, compiler: Compiler, place: str) -> Node:
    """The detection tree. Raises RuleError."""
    try:
        return compiler.detection(parsed)
    except (SigmaError, UnsupportedError) as error:
        raise RuleError(f"{place}: {' '.join(str(error).split())}") from None
