"""From a folder of rules to compiled rules: each document is judged alone, and all files are looked at."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from trailbell.engine.correlation import Correlation
from trailbell.engine.rulebook import Rule
from trailbell.errors import RuleError
from trailbell.rulebook.compile import Compiler
from trailbell.rulebook.correlations import compile_correlations, names_counted, names_of
from trailbell.rulebook.detection import PARSER_FAILURES
from trailbell.rulebook.documents import Document, Kind, Refused, is_of_sigma
from trailbell.rulebook.high_operations import asks_for_high_operations, high_operations, would_be_high
from trailbell.rulebook.own_correlations import faults_of_linked
from trailbell.rulebook.own_rules import faults_of_own
from trailbell.rulebook.placeholders import Placeholders, coverage_folder, known_operations, watched_sources
from trailbell.rulebook.rule import compile_rule
from trailbell.rulebook.source import LOCAL, judge_documents, rule_files


@dataclass(frozen=True, slots=True)
class RuleSet:
    """What a folder gave.

    rules:     the compiled rules.
    documents: where each of them comes from, in the same order.
    left_out:  every document that is no rule here, with the reason.
    filters:   Sigma filters that stand among the rules. At synth that is a fault: they belong into exceptions/.
    linked:    the compiled correlations over the rules, each with its document.
    correlating: the documents of all correlations, also of those that are left out.
    lints:     what is wrong with rules of one's own beside the documents that are left out.
    """

    rules: tuple[Rule, ...]
    documents: tuple[Document, ...] = ()
    left_out: tuple[Refused, ...] = ()
    filters: tuple[Document, ...] = ()
    linked: tuple[tuple[Document, Correlation], ...] = ()
    correlating: tuple[Document, ...] = ()
    lints: tuple[Refused, ...] = ()

    @property
    def correlations(self) -> tuple[Correlation, ...]:
        """The compiled correlations over the rules."""
        return tuple(one for _, one in self.linked)

    @property
    def refused(self) -> tuple[Refused, ...]:
        """Documents that are meant as rules and cannot run."""
        return tuple(one for one in self.left_out if one.kind in (Kind.REFUSED, Kind.CORRELATION))

    @property
    def faults(self) -> tuple[Refused, ...]:
        """Each document that is a fault in rules of one's own, and rules that are not distinct."""
        faults = (one for one in self.left_out if one.kind is not Kind.OTHER_SOURCE)
        reported = ((document, one.rule) for document, one in self.linked)
        named = (*zip(self.documents, self.rules, strict=True), *reported)
        return (*faults, *self.lints, *_duplicates(named))

    @property
    def errors(self) -> tuple[str, ...]:
        """One message for each of the faults."""
        return tuple(one.message for one in self.faults)

    @property
    def skipped(self) -> tuple[Path, ...]:
        """Files of the rules whose log source is not CloudTrail, which can never match."""
        return tuple(one.path for one in self.left_out if one.kind is Kind.OTHER_SOURCE)


@dataclass(slots=True)
class _Judged:
    """What the documents of a folder were found to be, so far."""

    compiled: list[tuple[Document, Rule]] = field(default_factory=list)
    filters: list[Document] = field(default_factory=list)
    asking: list[Document] = field(default_factory=list)
    correlating: list[Document] = field(default_factory=list)
    left_out: list[Refused] = field(default_factory=list)
    elsewhere: list[Document] = field(default_factory=list)

    @property
    def rules(self) -> tuple[Rule, ...]:
        return tuple(rule for _, rule in self.compiled)

    def set_aside_elsewhere(self) -> None:
        """Set aside the correlations over rules of other log sources, and those over these."""
        ours = [*(document for document, _ in self.compiled), *self.asking]
        while True:
            here = {name for one in (*ours, *self.correlating) for name in names_of(one)}
            others = {name for one in self.elsewhere for name in names_of(one)} - here
            found = [one for one in self.correlating if not others.isdisjoint(names_counted(one))]
            if not found:
                return
            self.correlating = [one for one in self.correlating if one not in found]
            self.elsewhere += found
            reason = "counts rules whose log source is not aws/cloudtrail"
            self.left_out += [Refused.of(one, reason, Kind.OTHER_SOURCE) for one in found]

    def sort(self, document: Document, compiler: Compiler, *, any_source: bool) -> None:
        """Compile a document, or set it aside."""
        content = document.content
        if not is_of_sigma(content):
            self.left_out.append(Refused.of(document, "is no rule: it has no detection", Kind.NO_RULE))
        elif not any_source and not _is_for_cloudtrail(content):
            self.left_out.append(Refused.of(document, "log source is not aws/cloudtrail", Kind.OTHER_SOURCE))
            self.elsewhere.append(document)
        elif "filter" in content:
            self.filters.append(document)
        elif "correlation" in content:
            self.correlating.append(document)
        elif asks_for_high_operations(content):
            self.asking.append(document)
        else:
            self.compile(document, compiler)

    def compile(self, document: Document, compiler: Compiler) -> None:
        """Compile a document, or say why it cannot be."""
        try:
            self.compiled.append((document, compile_rule(document, compiler)))
        except RuleError as error:
            self.left_out.append(Refused.of(document, str(error).removeprefix(f"{document.place}: ")))
        except RecursionError:
            self.left_out.append(Refused.of(document, "conditions are nested too deeply"))
        except PARSER_FAILURES as error:
            self.left_out.append(Refused.of(document, f"cannot be parsed: {type(error).__name__}: {error}"))


def load_rules(
    where: Path,
    placeholders: Placeholders,
    *,
    any_source: bool = False,
    own: bool = False,
    others: Iterable[Rule] = (),
) -> RuleSet:
    """Compile every rule below a folder (or in one file); each document is judged alone, none costs another.

    A coverage.csv in the folder adds its operations to the placeholders. Rules that ask which operations the
    others report as high (rulebook/high_operations.py) are compiled last.
    any_source: take rules of every log source; others: rules from elsewhere whose operations count, too.
    own: hold the rules to what is demanded of one's own (rulebook/own_rules.py).
    """
    judged = _Judged()
    try:
        placeholders, watched = {**placeholders, **known_operations(where)}, watched_sources(where)
    except RuleError as error:
        judged.left_out.append(Refused.of_file(where, error))
        watched = frozenset()
    for document in _documents(where):
        if isinstance(document, Refused):
            judged.left_out.append(document)
        elif own and (misspelt := _misspelt(document)):
            judged.left_out.append(misspelt)
        else:
            judged.sort(document, Compiler(placeholders), any_source=any_source)
    if judged.asking:
        _compile_asking(judged, (*_whole(where, judged, placeholders), *others), placeholders, watched)
    judged.set_aside_elsewhere()
    linked = compile_correlations(judged.correlating, judged.compiled, Compiler(placeholders), own=own)
    judged.left_out += linked.refused
    if not where.is_dir():  # who names a file means a rule
        kinds = {Kind.NO_RULE: Kind.REFUSED}
        judged.left_out = [replace(one, kind=kinds.get(one.kind, one.kind)) for one in judged.left_out]
    documents = tuple(document for document, _ in judged.compiled)
    found = RuleSet(
        judged.rules,
        documents,
        tuple(judged.left_out),
        tuple(judged.filters),
        linked.compiled,
        tuple(judged.correlating),
    )
    return _linked_as_own(found, where, placeholders) if own else found


def _linked_as_own(found: RuleSet, where: Path, placeholders: Placeholders) -> RuleSet:
    """The rules with what is wrong in how correlations count them; of a part of a folder, as in the whole of it."""
    root = coverage_folder(where)
    counted = found.correlating or any(rule.counts_only for rule in found.rules)
    if root is None or root == where or not counted:
        compiled = zip(found.documents, found.rules, strict=True)
        missing = any(one.kind is Kind.CORRELATION for one in found.left_out)
        return replace(found, lints=tuple(faults_of_linked(compiled, found.linked, all_there=not missing)))
    whole = load_rules(root, placeholders, own=True)
    here = {path.resolve() for path in rule_files(where)}
    others = [one for one in found.left_out if one.kind is not Kind.CORRELATION]
    refused = [one for one in whole.left_out if one.kind is Kind.CORRELATION and one.path.resolve() in here]
    return replace(
        found,
        left_out=(*others, *refused),
        linked=tuple(one for one in whole.linked if one[0].path.resolve() in here),
        lints=tuple(one for one in whole.lints if one.path.resolve() in here),
    )


def _documents(where: Path) -> Iterator[Document | Refused]:
    for path in rule_files(where):
        try:
            yield from judge_documents(path)
        except RuleError as error:
            yield Refused.of_file(path, error)


def _misspelt(document: Document) -> Refused | None:
    """A rule of one's own with words that mean nothing."""
    content = document.content
    if "filter" in content or not (is_of_sigma(content) and _is_for_cloudtrail(content)):
        return None
    faults = faults_of_own(document)
    kind = Kind.CORRELATION if "correlation" in content else Kind.REFUSED
    return Refused.of(document, "; ".join(faults), kind) if faults else None


def compile_rules(where: Path, placeholders: Placeholders, others: Iterable[Rule] = ()) -> tuple[Rule, ...]:
    """The rules of a folder, as compile_rule_set compiles them."""
    return compile_rule_set(where, placeholders, others).rules


def compile_rule_set(where: Path, placeholders: Placeholders, others: Iterable[Rule] = ()) -> RuleSet:
    """Compile a folder that must be without fault and not empty. Raises RuleError with all errors, one a line.

    others: as in load_rules.
    """
    found = load_rules(where, placeholders, own=True, others=others)
    errors = list(found.errors) + [f"{path}: log source is not aws/cloudtrail" for path in found.skipped]
    errors += [f"{one.place}: a filter is an exception; put it into the folder exceptions/" for one in found.filters]
    if errors:
        raise RuleError("\n".join(errors))
    if not found.rules:
        raise RuleError(f"{where}: holds no rule")
    return found


def _whole(where: Path, judged: _Judged, placeholders: Placeholders) -> tuple[Rule, ...]:
    """The rules of the folder that `where` is a part of; it is the folder where coverage.csv stands."""
    root = coverage_folder(where)
    return judged.rules if root is None or root == where else load_rules(root, placeholders).rules


def _compile_asking(
    judged: _Judged, counted: tuple[Rule, ...], placeholders: Placeholders, watched: frozenset[str]
) -> None:
    """Compile the rules that ask which operations others (`counted`) report as high."""
    compiler = Compiler({**placeholders, **high_operations(counted, watched)})
    first = len(judged.compiled)
    for document in judged.asking:
        judged.compile(document, compiler)
    asked = [(document, would_be_high(rule, counted)) for document, rule in judged.compiled[first:]]
    judged.compiled[first:] = asked


_FINDINGS = ("trailbell", "audit")


def _is_for_cloudtrail(content: dict[str, Any]) -> bool:
    """A log source that is not given is taken for ours; one that names another product, service or kind is not.

    What the audit finds (hits/audit_finding.py) has rules like records have, and a log source of its own.
    """
    source = content.get("logsource")
    if not isinstance(source, dict):
        return True
    product, service, category = (str(source.get(name) or "").lower() for name in ("product", "service", "category"))
    if (product, service) == _FINDINGS:
        return True
    return product in ("", "aws") and service in ("", "cloudtrail") and bool(product or service or not category)


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
