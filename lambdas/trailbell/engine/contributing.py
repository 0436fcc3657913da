"""What an event adds to correlations: the groups that it belongs to, and the values that are counted in them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, product
from operator import itemgetter
from typing import Any, NamedTuple

from trailbell.engine.correlation import Correlation
from trailbell.engine.fields import members, text_of, way_of
from trailbell.engine.predicates import Roots, compile_finder
from trailbell.lazy_dataclass import dataclass


Group = tuple[str, ...]
"""The values of a correlation's group_by, as text."""

Values = tuple[str, ...]
"""One of the values that value_count counts: of one field, or of several together."""

_Find = Callable[[Roots], list[Any]]

_TextIn = Callable[[Roots], str | None]

_Pick = Callable[[Sequence[str]], tuple[str, ...]]

_MAX_TOGETHER = 256


class Share(NamedTuple):
    """What an event adds to one group of one correlation.

    rule: position of the rule that it matches in the correlation's rules.
    is_cut: whether the event has more for this correlation, which is left out after this.
    """

    correlation: Correlation
    group: Group
    rule: int
    value: Values
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class _Counted:
    correlation: Correlation
    rule: int
    group: tuple[str, ...]
    value: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Together:
    """All that some rules add.

    texts_in: for each field that the rules' correlations ask for, once, what gives its text, None where it has not just
    one; adds: for each share its correlation, the position of the rule in it, and what picks its group and its values
    from the texts of these fields.
    """

    texts_in: tuple[_TextIn, ...]
    adds: tuple[tuple[Correlation, int, _Pick, _Pick], ...]


class Contributing:
    """Correlations, by the rules that they count.

    shares_max: of one event in one correlation; what is more is left out, and the last share says so. None: no limit.
    """

    def __init__(
        self, correlations: Sequence[Correlation], shares_max: int | None = None, *, dotted_root: bool = True
    ) -> None:
        self._shares_max = shares_max
        self._counted = dict[str, list[_Counted]]()
        self._finders = dict[str, _Find]()
        self._together = dict[tuple[str, ...], _Together]()
        for one in correlations:
            for at, rule_id in enumerate(one.rules):
                group, value = one.group_paths[at], one.value_paths[at]
                for path in (*group, *value):
                    self._finders[path] = compile_finder(path, dotted_root=dotted_root)
                self._counted.setdefault(rule_id, []).append(_Counted(one, at, group, value))
        self.rule_ids = frozenset(self._counted)
        """Ids of the rules and correlations that are counted."""

    def shares(self, rule_id: str, roots: Roots) -> Iterable[Share]:
        """What an event that matches a rule adds, to each correlation that counts the rule."""
        return self.shares_of((rule_id,), roots)

    def shares_of(self, rule_ids: Sequence[str], roots: Roots) -> Iterable[Share]:
        """The same of an event that matches several rules, for one after the other."""
        key = tuple(rule_ids)
        together = self._together.get(key) or self._made_together(key)
        texts = list[str]()
        for text_in in together.texts_in:
            text = text_in(roots)
            if text is None:
                return self._each_combined(key, roots)
            texts.append(text)
        # mostly: there is nothing to combine
        return [Share(one, group(texts), rule, values(texts)) for one, rule, group, values in together.adds]

    def _made_together(self, rule_ids: tuple[str, ...]) -> _Together:
        every = [counted for rule_id in rule_ids for counted in self._counted.get(rule_id, ())]
        paths = [*dict.fromkeys(path for one in every for path in (*one.group, *one.value))]
        adds = [(one.correlation, one.rule, _picking(paths, one.group), _picking(paths, one.value)) for one in every]
        if len(self._together) >= _MAX_TOGETHER:
            self._together.clear()
        made = _Together(tuple(_finding_text(path, self._finders[path]) for path in paths), tuple(adds))
        self._together[rule_ids] = made
        return made

    def _each_combined(self, rule_ids: tuple[str, ...], roots: Roots) -> Iterator[Share]:
        known = dict[str, list[str]]()  # correlations mostly ask for the same fields
        for rule_id in rule_ids:
            for counted in self._counted.get(rule_id, ()):
                yield from self._combined(counted, roots, known)

    def _combined(self, counted: _Counted, roots: Roots, known: dict[str, list[str]]) -> Iterator[Share]:
        """A share for each combination of texts, as many as there may be."""
        groups, values = (
            product(*[self._texts(path, roots, known) for path in paths]) for paths in (counted.group, counted.value)
        )
        pairs = product(groups, values)
        taken = [*islice(pairs, self._shares_max)]
        is_cut = len(taken) == self._shares_max and next(pairs, None) is not None
        for number, (group, value) in enumerate(taken, start=1):
            yield Share(counted.correlation, group, counted.rule, value, is_cut and number == len(taken))

    def _texts(self, path: str, roots: Roots, known: dict[str, list[str]]) -> list[str]:
        """The texts of a field, each once, kept in `known`.

        A member of a list is a value of its own. Null and objects are none; case is kept, for names and ARNs differ by
        it.
        """
        texts = known.get(path)
        if texts is None:
            found = self._finders[path](roots)
            if len(found) == 1 and isinstance(found[0], str):
                texts = found
            else:
                texts = list(dict.fromkeys(text for text in map(text_of, members(found)) if text is not None))
            known[path] = texts
        return texts

    def of_episode(self, correlation: Correlation, group: Group) -> Iterator[Share]:
        """What a correlation that has come true in a group adds to those that count it."""
        named = dict(zip(correlation.group_by, group, strict=True))
        for counted in self._counted.get(correlation.correlation_id, ()):
            outer, at = counted.correlation, counted.rule
            chosen, value = (
                tuple(named[name] for name in paths[at]) for paths in (outer.group_paths, outer.value_paths)
            )
            yield Share(outer, chosen, at, value)


def _finding_text(path: str, find: _Find) -> _TextIn:
    """What gives the text of a field that has just one, alone or in a list; None where it has none, several, or
    another value. Mostly it is a text at the end of a way through objects, and no list of values is made.
    """

    def text_in(roots: Roots) -> str | None:
        found = find(roots)
        if len(found) == 1 and isinstance(found[0], list):
            found = found[0]
        return found[0] if len(found) == 1 and isinstance(found[0], str) else None

    def text_of_event(roots: Any) -> str | None:
        event = roots[0]
        value = event.get(path) if isinstance(event, dict) else None
        return value if isinstance(value, str) else text_in(roots)

    if "." not in path:
        return text_of_event
    way = way_of(find)
    if not way:
        return text_in
    position, head, steps, last = way

    def text_at(roots: Any) -> str | None:
        node = roots[position]
        try:
            node = node[head]
            for name, dotted in steps:
                if not (isinstance(node, dict) and node.keys().isdisjoint(dotted)):
                    return text_in(roots)
                node = node[name]
            value = node[last] if isinstance(node, dict) else None
        except (KeyError, TypeError):
            return text_in(roots)
        return value if isinstance(value, str) else text_in(roots)

    return text_at


def _picking(paths: Sequence[str], some: Sequence[str]) -> _Pick:
    """What takes the texts of some of the paths from those of all, in their order."""
    at = [paths.index(path) for path in some]
    if len(at) > 1:
        return itemgetter(*at)
    return (lambda texts: (texts[at[0]],)) if at else _pick_none


def _pick_none(_: Sequence[str]) -> tuple[str, ...]:
    return ()
