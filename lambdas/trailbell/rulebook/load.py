"""From a folder of rules to compiled rules: every error names the file, and all files are looked at."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule

from trailbell.engine.rulebook import Level, Rule, Undo
from trailbell.errors import RuleError
from trailbell.hits.undo import unknown_places
from trailbell.rulebook.compile import Compiler, Node, UnsupportedError, gate_of
from trailbell.rulebook.high_operations import asks_for_high_operations, high_operations, would_be_high
from trailbell.rulebook.lint import faults_of, normalised
from trailbell.rulebook.placeholders import Placeholders, coverage_folder, known_operations, watched_sources
from trailbell.rulebook.source import Document, read_documents, rule_files


_BY_ACTOR = "actor"
_UNDO_MEMBERS = {"steps", "until", "within", "note"}


@dataclass(frozen=True, slots=True)
class RuleSet:
    """What a folder gave.

    rules:   the compiled rules.
    errors:  one message for each document that could not be compiled.
    skipped: files whose log source is not CloudTrail, which can never match.
    filters: Sigma filters that stand among the rules. At synth that is a fault: they belong into exceptions/.
    """

    rules: tuple[Rule, ...]
    errors: tuple[str, ...]
    skipped: tuple[Path, ...]
    filters: tuple[Document, ...] = ()


def load_rules(
    where: Path, placeholders: Placeholders, *, any_source: bool = False, others: Iterable[Rule] = ()
) -> RuleSet:
    """Compile every rule below a folder (or in one file), collecting errors rather than stopping at the first.

    A coverage.csv in the folder adds its operations to the placeholders. Rules that ask which operations the
    others report as high (rulebook/high_operations.py) are compiled last.
    any_source: take rules of every log source; others: rules from elsewhere whose operations count, too.
    """
    compiler = Compiler({**placeholders, **known_operations(where)})
    rules: list[tuple[Path, Rule]] = []
    errors: list[str] = []
    skipped: list[Path] = []
    filters: list[Document] = []
    asking: list[Document] = []
    for document in _documents(where, errors):
        if "filter" in document.content:
            filters.append(document)
        elif not any_source and not _is_for_cloudtrail(document.content):
            skipped.append(document.path)
        elif asks_for_high_operations(document.content):
            asking.append(document)
        else:
            _compile_into(rules, document, compiler, errors)
    if asking:
        _compile_asking(asking, rules, (*_whole(where, rules, placeholders), *others), compiler, where, errors)
    if not any_source:
        errors += _duplicates(rules)
    return RuleSet(tuple(rule for _, rule in rules), tuple(errors), tuple(skipped), tuple(filters))


def _documents(where: Path, errors: list[str]) -> Iterator[Document]:
    """The documents of every rule file; a file that cannot be read is one error, and the others are read."""
    for path in rule_files(where):
        try:
            documents = list(read_documents(path))
        except RuleError as error:
            errors.append(str(error))
            continue
        yield from documents


def _compile_into(rules: list[tuple[Path, Rule]], document: Document, compiler: Compiler, errors: list[str]) -> None:
    try:
        rules.append((document.path, compile_rule(document, compiler)))
    except RuleError as error:
        errors.append(str(error))


def compile_rules(where: Path, placeholders: Placeholders, others: Iterable[Rule] = ()) -> tuple[Rule, ...]:
    """Compile a folder that must be without fault and not empty. Raises RuleError with all errors, one a line.

    others: as in load_rules.
    """
    found = load_rules(where, placeholders, others=others)
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
    if not isinstance(once, bool) and once != _BY_ACTOR:
        raise RuleError(f"{place}: once_per_day is true, false or {_BY_ACTOR}, not {once!r}")
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
        once_per_day=bool(once),
        once_per_actor=once == _BY_ACTOR,
    )


def _whole(where: Path, rules: Iterable[tuple[Path, Rule]], placeholders: Placeholders) -> tuple[Rule, ...]:
    """The rules of the folder that `where` is a part of; it is the folder where coverage.csv stands."""
    root = coverage_folder(where)
    if root is None or root == where:
        return tuple(rule for _, rule in rules)
    return load_rules(root, placeholders).rules


def _compile_asking(
    asking: Iterable[Document],
    rules: list[tuple[Path, Rule]],
    counted: tuple[Rule, ...],
    compiler: Compiler,
    where: Path,
    errors: list[str],
) -> None:
    """Compile the rules that ask which operations others (`counted`) report as high."""
    compiler = Compiler({**compiler.placeholders, **high_operations(counted, watched_sources(where))})
    compiled: list[tuple[Path, Rule]] = []
    for document in asking:
        _compile_into(compiled, document, compiler, errors)
    rules += [(path, would_be_high(rule, counted)) for path, rule in compiled]


def _is_for_cloudtrail(content: dict[str, Any]) -> bool:
    """A log source that is not given is taken for ours; one that names another product or service is not."""
    source = content.get("logsource")
    if not isinstance(source, dict):
        return True
    return source.get("product") in (None, "aws") and source.get("service") in (None, "cloudtrail")


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


def _duplicates(rules: Iterable[tuple[Path, Rule]]) -> list[str]:
    """Rules of different files that cannot be told apart; those that one file makes of a template may share an id."""
    errors, seen = [], dict[str, Path]()
    for path, rule in rules:
        for key in (f"id {rule.rule_id}", f"name {rule.name}"):
            other = seen.setdefault(key, path)
            if other != path:
                errors.append(f"{path}: has the same {key} as {other}")
                break
    return errors
