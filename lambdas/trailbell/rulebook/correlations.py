"""Sigma's correlation documents: read, resolved against the rules they name, and refused where they cannot be exact.

Specification 2.1: https://github.com/SigmaHQ/sigma-specification/blob/main/specification/sigma-correlation-rules-specification.md
Where it does not say, this module and engine/episodes.py decide (rules/README.md, "Correlations").
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from trailbell.engine.correlation import Correlation, CorrelationType
from trailbell.engine.rulebook import Rule
from trailbell.errors import RuleError
from trailbell.rulebook.compile import Compiler
from trailbell.rulebook.correlation_body import CorrelationBody, read_correlation
from trailbell.rulebook.detection import PARSER_FAILURES
from trailbell.rulebook.documents import Document, Kind, Refused
from trailbell.rulebook.rule import compile_report


DEPTH_MAX = 3
"""Of correlations over correlations; one over rules alone is of depth 1."""


@dataclass(frozen=True, slots=True)
class Correlations:
    """The correlations that run, and the documents that are refused, both in the order of the documents."""

    compiled: tuple[Correlation, ...]
    refused: tuple[Refused, ...]


def compile_correlations(
    documents: Sequence[Document], rules: Iterable[tuple[Document, Rule]], compiler: Compiler, *, own: bool = False
) -> Correlations:
    """Compile correlation documents against compiled rules, each with the document that it comes from.

    A rule is named by its `id` or `name`, in any file and in any order; of two that are named alike neither can be.
    own: rules go by the name that is made of their file's, too.
    """
    linker = _Linker(compiler, own)
    for document, rule in rules:
        linker.add_rule(document, rule)
    for document in documents:
        linker.add(document)
    return linker.compiled()


@dataclass(slots=True)
class _Linker:
    """Correlation documents and what they name."""

    compiler: Compiler
    own: bool
    named: dict[str, list[Rule | Document]] = field(default_factory=dict)
    documents: list[Document] = field(default_factory=list)
    done: dict[int, Correlation | str] = field(default_factory=dict)
    under_way: list[int] = field(default_factory=list)

    def add_rule(self, document: Document, rule: Rule) -> None:
        """A rule, by what it may be called."""
        for name in _names(document) | ({rule.name} if self.own else set()):
            self.named.setdefault(name, []).append(rule)

    def add(self, document: Document) -> None:
        """A correlation, which others may name."""
        self.documents.append(document)
        for name in _names(document):
            self.named.setdefault(name, []).append(document)

    def compiled(self) -> Correlations:
        """What became of each document."""
        outcomes = [(document, self._outcome(document)) for document in self.documents]
        return Correlations(
            tuple(one for _, one in outcomes if isinstance(one, Correlation)),
            tuple(Refused.of(document, one, Kind.CORRELATION) for document, one in outcomes if isinstance(one, str)),
        )

    def _outcome(self, document: Document) -> Correlation | str:
        """The correlation of a document, or why it is refused."""
        key = id(document)
        if key not in self.done:
            if key in self.under_way:
                return "refers to itself, if only through others"
            self.under_way.append(key)
            try:
                self.done[key] = self._compile(document)
            except RuleError as error:
                self.done[key] = str(error).removeprefix(f"{document.place}: ")
            except PARSER_FAILURES as error:  # RecursionError is one of them
                self.done[key] = f"cannot be parsed: {type(error).__name__}: {error}"
            self.under_way.pop()
        return self.done[key]

    def _compile(self, document: Document) -> Correlation:
        body = read_correlation(document)
        counted = [self._resolved(name) for name in body.rules]
        ids = [_id_of(one) for one in counted]
        if len(set(ids)) < len(ids):
            raise RuleError("rules names the same rule twice, which can never be two")
        if body.kind is CorrelationType.EVENT_COUNT and any(isinstance(one, Correlation) for one in counted):
            raise RuleError(
                "event_count over a correlation cannot be decided while events still arrive: a late event may join two"
                " of its episodes; write value_count over a field of its group-by"
            )
        report = compile_report(document, self.compiler, max(_level_of(one) for one in counted))
        depth = 1 + max(one.depth if isinstance(one, Correlation) else 0 for one in counted)
        if depth > DEPTH_MAX:
            raise RuleError(f"is {depth} correlations deep; at most {DEPTH_MAX}")
        paths = _Paths(body, counted, self._aliases(body))
        return Correlation(
            rule=report,
            kind=body.kind,
            rules=tuple(ids),
            group_by=body.group_by,
            group_paths=tuple(paths.of(at, body.group_by, "group-by") for at in range(len(ids))),
            value_paths=tuple(paths.of(at, body.fields, "field") for at in range(len(ids))),
            timespan_seconds=body.timespan_seconds,
            threshold=body.threshold,
            generate=body.generate,
            depth=depth,
        )

    def _resolved(self, name: str) -> Rule | Correlation:
        """What a name stands for. Raises RuleError."""
        found = self.named.get(name) or self.named.get(name.lower(), [])
        if not found:
            raise RuleError(f"refers to {name!r}, which is the id or name of no rule that runs here")
        if len(found) > 1:
            raise RuleError(f"refers to {name!r}, which is the id or name of {len(found)} rules")
        (one,) = found
        if isinstance(one, Rule):
            return one
        outcome = self._outcome(one)
        if isinstance(outcome, str):
            raise RuleError(f"refers to {name!r}, which is refused: {outcome}")
        return outcome

    def _aliases(self, body: CorrelationBody) -> Mapping[str, Mapping[str, str]]:
        """The fields that aliases stand for, by the ids of rules. Raises RuleError."""
        return {
            alias: {_id_of(self._resolved(name)): path for name, path in fields.items()}
            for alias, fields in body.aliases.items()
        }


@dataclass(frozen=True, slots=True)
class _Paths:
    """Where in the events of each rule the values of a correlation are."""

    body: CorrelationBody
    counted: Sequence[Rule | Correlation]
    aliases: Mapping[str, Mapping[str, str]]

    def of(self, at: int, names: Sequence[str], member: str) -> tuple[str, ...]:
        """The paths of some names in the events of one of the rules. Raises RuleError."""
        return tuple(self._path(self.counted[at], name, self.body.rules[at], member) for name in names)

    def _path(self, counted: Rule | Correlation, name: str, called: str, member: str) -> str:
        path = name
        if name in self.aliases:
            own = self.aliases[name]
            if _id_of(counted) not in own:
                raise RuleError(f"alias {name!r} says nothing of rule {called!r}, so {member} has no value there")
            path = own[_id_of(counted)]
        if isinstance(counted, Correlation) and path not in counted.group_by:
            raise RuleError(
                f"{member} asks for {path!r} of correlation {called!r}, whose episodes hold many values of it: add it"
                f" to the group-by of {called!r}"
            )
        return path


def _names(document: Document) -> set[str]:
    """What a document may be referred to by: its id, in lower case, and its name."""
    given = document.content.get("id"), document.content.get("name")
    own_id, name = (str(one) if isinstance(one, str | int) and not isinstance(one, bool) else "" for one in given)
    return {own_id.lower(), name} - {""}


def _id_of(counted: Rule | Correlation) -> str:
    return counted.rule_id if isinstance(counted, Rule) else counted.correlation_id


def _level_of(counted: Rule | Correlation) -> int:
    return (counted if isinstance(counted, Rule) else counted.rule).level
