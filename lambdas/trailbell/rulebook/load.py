"""From a folder of rules to compiled rules: every error names the file, and all files are looked at."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule

from trailbell.engine.rulebook import Level, Rule, Undo
from trailbell.errors import RuleError
from trailbell.hits.undo import unknown_places
from trailbell.rulebook.compile import Compiler, Node, UnsupportedError, gate_of
from trailbell.rulebook.documents import Document, Kind, Refused, is_of_sigma
from trailbell.rulebook.lint import faults_of, normalised
from trailbell.rulebook.own_rules import faults_of_own
from trailbell.rulebook.placeholders import Placeholders, known_operations
from trailbell.rulebook.source import LOCAL, judge_documents, rule_files


_UNDO_MEMBERS = {"steps", "until", "within", "note"}


# What pySigma and its parsers raise beside their own errors when they meet what they did not expect.
_PARSER_FAILURES = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """What a folder gave.

    rules:     the compiled rules.
    documents: where each of them comes from, in the same order.
    left_out:  every document that is no rule here, with the reason.
    filters:   Sigma filters that stand among the rules. At synth that is a fault: they belong into exceptions/.
    """

    rules: tuple[Rule, ...]
    documents: tuple[Document, ...] = ()
    left_out: tuple[Refused, ...] = ()
    filters: tuple[Document, ...] = ()

    @property
    def refused(self) -> tuple[Refused, ...]:
        """Documents that are meant as rules and cannot run."""
        return tuple(one for one in self.left_out if one.kind in (Kind.REFUSED, Kind.CORRELATION))

    @property
    def faults(self) -> tuple[Refused, ...]:
        """Each document that is a fault in rules of one's own, and rules that are not distinct."""
        faults = (one for one in self.left_out if one.kind is not Kind.OTHER_SOURCE)
        return (*faults, *_duplicates(zip(self.documents, self.rules, strict=True)))

    @property
    def errors(self) -> tuple[str, ...]:
        """One message for each of the faults."""
        return tuple(one.message for one in self.faults)

    @property
    def skipped(self) -> tuple[Path, ...]:
        """Files of the rules whose log source is not CloudTrail, which can never match."""
        return tuple(one.path for one in self.left_out if one.kind is Kind.OTHER_SOURCE)


def load_rules(
    where: Path, placeholders: Placeholders, *, any_source: bool = False, own: bool = False
) -> RuleSet:
    """Compile every rule below a folder (or in one file); each document is judged alone, none costs another.

    A coverage.csv in the folder adds its operations to the placeholders.
    any_source: take rules of every log source.
    own:        hold them to what is demanded of one's own rules (rulebook/own_rules.py).
    """
    left_out: list[Refused] = []
    try:
        placeholders = {**placeholders, **known_operations(where)}
    except RuleError as error:
        left_out.append(Refused.of_file(where, error))
    compiler = Compiler(placeholders)
    compiled: list[tuple[Document, Rule]] = []
    filters: list[Document] = []
    for document in _documents(where):
        if isinstance(document, Document) and own and (misspelt := _misspelt(document)):
            left_out.append(misspelt)
            continue
        judged = document if isinstance(document, Refused) else _judge(document, compiler, any_source=any_source)
        if isinstance(judged, Rule) and isinstance(document, Document):
            compiled.append((document, judged))
        elif isinstance(judged, Document):
            filters.append(judged)
        elif isinstance(judged, Refused):
            left_out.append(judged)
    if not where.is_dir():  # who names a file means a rule
        left_out = [replace(one, kind=Kind.REFUSED) if one.kind is Kind.NO_RULE else one for one in left_out]
    documents, rules = tuple(zip(*compiled, strict=True)) or ((), ())
    return RuleSet(rules, documents, tuple(left_out), tuple(filters))


def _documents(where: Path) -> Iterator[Document | Refused]:
    for path in rule_files(where):
        try:
            yield from judge_documents(path)
        except RuleError as error:
            yield Refused.of_file(path, error)


def _judge(document: Document, compiler: Compiler, *, any_source: bool) -> Rule | Document | Refused:
    """The rule a document makes, the document itself if it is a filter, or why it is neither."""
    content = document.content
    if not is_of_sigma(content):
        return Refused.of(document, "is no rule: it has no detection", Kind.NO_RULE)
    if not any_source and not _is_for_cloudtrail(content):
        return Refused.of(document, "log source is not aws/cloudtrail", Kind.OTHER_SOURCE)
    if "filter" in content:
        return document
    try:
        return compile_rule(document, compiler)
    except RuleError as error:
        kind = Kind.CORRELATION if "correlation" in content else Kind.REFUSED
        return Refused.of(document, str(error).removeprefix(f"{document.place}: "), kind)
    except RecursionError:
        return Refused.of(document, "conditions are nested too deeply")
    except _PARSER_FAILURES as error:
        return Refused.of(document, f"cannot be parsed: {type(error).__name__}: {error}")


def _misspelt(document: Document) -> Refused | None:
    """A rule of one's own with words that mean nothing."""
    content = document.content
    if "filter" in content or "correlation" in content or not (is_of_sigma(content) and _is_for_cloudtrail(content)):
        return None
    faults = faults_of_own(document)
    return Refused.of(document, "; ".join(faults)) if faults else None


def compile_rules(where: Path, placeholders: Placeholders) -> tuple[Rule, ...]:
    """Compile a folder that must be without fault and not empty. Raises RuleError with all errors, one a line."""
    found = load_rules(where, placeholders, own=True)
    errors = list(found.errors) + [f"{path}: log source is not aws/cloudtrail" for path in found.skipped]
    errors += [f"{one.place}: a filter is an exception; put it into the folder exceptions/" for one in found.filters]
    if errors:
        raise RuleError("\n".join(errors))
    if not found.rules:
        raise RuleError(f"{where}: holds no rule")
    return found.rules


def compile_rule(document: Document, compiler: Compiler) -> Rule:
    """Parse, check and compile one rule. Raises RuleError."""
    content, place = document.content, document.place
    if "correlation" in content:
        raise RuleError(f"{place}: correlation rules are not supported yet; the rules they refer to are, alone")
    parsed = parse_rule(content, place)
    return _rule(parsed, compile_detection(parsed, compiler, place), document)


def parse_rule(content: dict[str, Any], place: str) -> SigmaRule:
    """Lint, then let pySigma parse and validate. Raises RuleError."""
    faults = list(faults_of(content.get("detection")))
    if faults:
        raise RuleError(f"{place}: {'; '.join(faults)}")
    try:
        (parsed,) = SigmaCollection.from_dicts([normalised(content)]).rules
    except SigmaError as error:
        raise RuleError(f"{place}: {' '.join(str(error).split())}") from None
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


def _rule(parsed: SigmaRule, detection: Node, document: Document) -> Rule:
    stem, content, place = document.path.stem, document.content, document.place
    nth = f"-{document.number}" if document.number > 1 else ""
    name = parsed.name or stem.removeprefix("aws_").replace("_", "-") + nth
    once = content.get("once_per_day", False)
    if not isinstance(once, bool):
        raise RuleError(f"{place}: once_per_day is true or false, not {once!r}")
    return Rule(
        rule_id=str(parsed.id) if parsed.id else name,
        name=name,
        stem=stem,
        title=parsed.title or stem,
        level=Level[parsed.level.name] if parsed.level else Level.MEDIUM,
        description=" ".join((parsed.description or "").split()),
        detection=detection,
        gate=gate_of(detection),
        precedence=_precedence(content, place),
        author=parsed.author or "",
        tags=tuple(f"{tag.namespace}.{tag.name}" for tag in parsed.tags),
        references=tuple(parsed.references or ()),
        falsepositives=tuple(parsed.falsepositives or ()),
        check=_sentences(content, "check", place),
        undo=_undo(content.get("undo"), place),
        once_per_day=once,
    )


def _is_for_cloudtrail(content: dict[str, Any]) -> bool:
    """A log source that is not given is taken for ours; one that names another product, service or kind is not."""
    source = content.get("logsource")
    if not isinstance(source, dict):
        return True
    product, service, category = (str(source.get(name) or "").lower() for name in ("product", "service", "category"))
    return product in ("", "aws") and service in ("", "cloudtrail") and bool(product or service or not category)


def _precedence(content: dict[str, Any], place: str) -> int:
    value = content.get("precedence", 0)
    if not isinstance(value, int) or isinstance(value, bool):
        raise RuleError(f"{place}: precedence is a whole number, not {value!r}")
    return value


def _sentences(content: dict[str, Any], name: str, place: str) -> tuple[str, ...]:
    values = content.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise RuleError(f"{place}: {name} is a list of texts")
    return tuple(" ".join(value.split()) for value in values)


def _undo(content: Any, place: str) -> Undo:
    if content is None:
        return Undo()
    if not isinstance(content, dict) or set(content) - _UNDO_MEMBERS:
        raise RuleError(f"{place}: undo is a map of {', '.join(sorted(_UNDO_MEMBERS))}")
    steps = _sentences(content, "steps", place)
    until, within = content.get("until", ""), content.get("within", 0)
    if not isinstance(within, int) or isinstance(within, bool) or within < 0:
        raise RuleError(f"{place}: undo.within is a number of days, not {within!r}")
    malformed = [name for step in (*steps, f"{{{until}}}" if until else "") for name in unknown_places(step)]
    if malformed:
        raise RuleError(f"{place}: undo names what no record has: {', '.join(malformed)}")
    return Undo(steps, until, within, " ".join(str(content.get("note", "")).split()))


def _duplicates(compiled: Iterable[tuple[Document, Rule]]) -> Iterator[Refused]:
    """Rules of different files that cannot be told apart; those that one file makes of a template may share an id.

    The deployer's own (rules/local/) are read last: they are the ones to be renamed.
    """
    seen = dict[str, Path]()
    for document, rule in sorted(compiled, key=lambda one: LOCAL in one[0].path.parts[:-1]):
        path = document.path
        for key in (f"id {rule.rule_id}", f"name {rule.name}"):
            other = seen.setdefault(key, path)
            if other != path:
                yield Refused.of(document, f"has the same {key} as {other}")
                break
