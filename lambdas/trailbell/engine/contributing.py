"""What an event adds to correlations: the groups that it belongs to, and the values that are counted in them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, product
from typing import Any

from trailbell.engine.correlation import Correlation
from trailbell.engine.fields import members, text_of
from trailbell.engine.predicates import Roots, compile_finder
from trailbell.lazy_dataclass import dataclass


Group = tuple[str, ...]
"""The values of a correlation's group_by, as text."""

Values = tuple[str, ...]
"""One of the values that value_count counts: of one field, or of several together."""

_Find = Callable[[Roots], list[Any]]


@dataclass(frozen=True, slots=True)
class Share:
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
        for one in correlations:
            for at, rule_id in enumerate(one.rules):
                group, value = one.group_paths[at], one.value_paths[at]
                for path in (*group, *value):
                    self._finders[path] = compile_finder(path, dotted_root=dotted_root)
                self._counted.setdefault(rule_id, []).append(_Counted(one, at, group, value))
        self.rule_ids = frozenset(self._counted)
        """Ids of the rules and correlations that are counted."""

    def shares(self, rule_id: str, roots: Roots) -> Iterator[Share]:
        """What an event that matches a rule adds, to each correlation that counts the rule."""
        return self.shares_of((rule_id,), roots)

    def shares_of(self, rule_ids: Iterable[str], roots: Roots) -> Iterator[Share]:
        """The same of an event that matches several rules, for one after the other."""
        known = dict[str, list[str]]()  # correlations mostly ask for the same fields
        ways = dict[tuple[str, ...], list[Values]]()
        for rule_id in rule_ids:
            for counted in self._counted.get(rule_id, ()):
                groups = self._few(counted.group, roots, known, ways)
                values = self._few(counted.value, roots, known, ways)
                if len(groups) == len(values) == 1:  # mostly: there is nothing to combine
                    yield Share(counted.correlation, groups[0], counted.rule, values[0])
                elif groups and values:
                    yield from self._combined(counted, roots, known)

    def _few(
        self,
        paths: tuple[str, ...],
        roots: Roots,
        known: dict[str, list[str]],
        ways: dict[tuple[str, ...], list[Values]],
    ) -> list[Values]:
        """The first two of the combinations of some fields' texts, kept in `ways`."""
        found = ways.get(paths)
        if found is None:
            texts = [self._texts(path, roots, known) for path in paths]
            found = ways[paths] = [*islice(product(*texts), 2)]
        return found

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
