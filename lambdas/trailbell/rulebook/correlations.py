"""Sigma's correlation documents: read, resolved against the rules they name, and refused where they cannot be exact.

Specification 2.1: https://github.com/SigmaHQ/sigma-specification/blob/main/specification/sigma-correlation-rules-specification.md
Where it does not say, this module and engine/episodes.py decide (rules/README.md, "Correlations").
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid5

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

_NAMESPACE = UUID("6a0b0f43-6f0e-5d0a-9d1c-3e9f1a5d2b77")
_REASON_LENGTH_MAX = 300


@dataclass(frozen=True, slots=True)
class Correlations:
    """What became of correlation documents, both in their order.

    compiled: the correlations that run, each with its document; no two have the same id.
    refused:  the others, with the reason.
    """

    compiled: tuple[tuple[Document, Correlation], ...]
    refused: tuple[Refused, ...]


def compile_correlations(
    documents: Sequence[Document], rules: Iterable[tuple[Document, Rule]], compiler: Compiler, *, own: bool = False
) -> Correlations:
    """Compile correlation documents against compiled rules, each with the document that it comes from.

    A rule is named by its `id` or `name`, in any file and in any order; of two that are named alike neither can be.
    Of correlations with the id of a rule or of another correlation, all but the first get one that is made of it.
    own: rules go by the name that is made of their file's, too; ids stay as they are, since equal ones are a fault.
    """
    linker = _Linker(compiler, own)
    for document, rule in rules:
        linker.add_rule(document, rule)
    for document in documents:
        linker.add(document)
    return linker.compiled()


@dataclass(slots=True)
class _Linker:
    """Correlation documents and what they name.

    named: rules and correlations by ("id", in lower case) and ("name", as it is written).
    bodies, done: by the id() of a document, since documents hold maps.
    """

    compiler: Compiler
    own: bool
    named: dict[tuple[str, str], list[Rule | Document]] = field(default_factory=dict)
    documents: list[Document] = field(default_factory=list)
    bodies: dict[int, CorrelationBody] = field(default_factory=dict)
    done: dict[int, Correlation | str] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)

    def add_rule(self, document: Document, rule: Rule) -> None:
        """A rule, by what it may be called."""
        for key in names_of(document) | ({("name", rule.name)} if self.own else set()):
            self.named.setdefault(key, []).append(rule)
        self.ids.add(rule.rule_id)

    def add(self, document: Document) -> None:
        """A correlation, which others may name."""
        self.documents.append(document)
        for key in names_of(document):
            self.named.setdefault(key, []).append(document)

    def compiled(self) -> Correlations:
        """What became of each document."""
        for document in self.documents:
            self._settle(document, self._read)
        self._link()
        outcomes = [(document, self.done[id(document)]) for document in self.documents]
        return Correlations(
            tuple((document, one) for document, one in outcomes if isinstance(one, Correlation)),
            tuple(Refused.of(document, one, Kind.CORRELATION) for document, one in outcomes if isinstance(one, str)),
        )

    def _link(self) -> None:
        """Compile each document once all that it names are; what is left then names itself, if through others."""
        waiting = [one for one in self.documents if id(one) not in self.done]
        while waiting:
            ready = [one for one in waiting if all(id(other) in self.done for other in self._named_by(one))]
            for document in ready:
                self._settle(document, self._compile)
            if not ready:
                self.done.update((id(one), "refers to itself, or to a correlation that does") for one in waiting)
            waiting = [one for one in waiting if id(one) not in self.done]

    def _settle(self, document: Document, how: Callable[[Document], Correlation | None]) -> None:
        """Do a step of a document, of which a correlation may come, or why it is refused."""
        try:
            outcome = how(document)
        except RuleError as error:
            self.done[id(document)] = str(error).removeprefix(f"{document.place}: ")
        except PARSER_FAILURES as error:
            self.done[id(document)] = f"cannot be parsed: {type(error).__name__}: {error}"
        else:
            if outcome:
                self.done[id(document)] = outcome

    def _read(self, document: Document) -> None:
        self.bodies[id(document)] = read_correlation(document)

    def _named_by(self, document: Document) -> Iterator[Document]:
        """The correlations that a document names."""
        body = self.bodies[id(document)]
        for name in {*body.rules, *(name for fields in body.aliases.values() for name in fields)}:
            yield from (one for one in self._found(name) if isinstance(one, Document))

    def _found(self, name: str) -> list[Rule | Document]:
        """What goes by a name; what has it both as its id and as its name is there once."""
        found = [*self.named.get(("id", _bare_id(name)), ()), *self.named.get(("name", name), ())]
        return [one for at, one in enumerate(found) if not any(one is other for other in found[:at])]

    def _own_id(self, report: Rule) -> str:
        """The id of a correlation: its own, or one made of it where that is taken."""
        taken, number = report.rule_id, 1
        while taken in self.ids and not self.own:
            number += 1
            taken = str(uuid5(_NAMESPACE, f"{report.rule_id} {number}"))
        self.ids.add(taken)
        return taken

    def _compile(self, document: Document) -> Correlation:
        body = self.bodies[id(document)]
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
            rule=replace(report, rule_id=self._own_id(report)),
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
        found = self._found(name)
        if not found:
            raise RuleError(f"refers to {name!r}, which is the id or name of no rule that runs here")
        if len(found) > 1:
            raise RuleError(f"refers to {name!r}, which is the id or name of {len(found)} rules")
        (one,) = found
        if isinstance(one, Rule):
            return one
        outcome = self.done[id(one)]
        if isinstance(outcome, str):
            raise RuleError(f"refers to {name!r}, which is refused: {outcome[:_REASON_LENGTH_MAX]}")
        return outcome

    def _aliases(self, body: CorrelationBody) -> Mapping[str, Mapping[str, str]]:
        """The fields that aliases stand for, by the ids of rules. Raises RuleError."""
        return {alias: dict(self._alias(alias, fields)) for alias, fields in body.aliases.items()}

    def _alias(self, alias: str, fields: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        said = dict[str, str]()
        for name, path in fields.items():
            rule_id = _id_of(self._resolved(name))
            if said.setdefault(rule_id, path) != path:
                raise RuleError(f"alias {alias!r} gives rule {name!r} two fields, {said[rule_id]!r} and {path!r}")
            yield rule_id, path


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


def names_of(document: Document) -> set[tuple[str, str]]:
    """What a document may be referred to by: its id, and its name."""
    own_id, name = (_name_in(document, member) for member in ("id", "name"))
    return {key for key in (("id", _bare_id(own_id)), ("name", name)) if key[1]}


def names_counted(document: Document) -> set[tuple[str, str]]:
    """What a correlation may mean by the rules that it counts; nothing for one that is wrong."""
    try:
        rules = read_correlation(document).rules
    except RuleError:
        return set()
    return {key for name in rules for key in (("id", _bare_id(name)), ("name", name))}


def _name_in(document: Document, member: str) -> str:
    given = document.content.get(member)
    return str(given) if isinstance(given, str | int) and not isinstance(given, bool) else ""


def _bare_id(text: str) -> str:
    """An id as it is compared: UUIDs may be written in capitals, and without hyphens."""
    try:
        return str(UUID(text))
    except ValueError:
        return text.lower()


def _id_of(counted: Rule | Correlation) -> str:
    return counted.rule_id if isinstance(counted, Rule) else counted.correlation_id


def _level_of(counted: Rule | Correlation) -> int:
    return (counted if isinstance(counted, Rule) else counted.rule).level
