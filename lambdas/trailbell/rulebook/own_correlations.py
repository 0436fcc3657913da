"""What is demanded of one's own correlations, beside the words in them: no rule falls silent, none is counted in vain.

A correlation says `generate: false` where it says nothing, and then the rules that it counts report nothing alone: so
Sigma has it. A rule that pages somebody today must not end like that unseen.
"""

from collections.abc import Iterable, Iterator, Sequence

from trailbell.engine.correlation import NO_MATCH, Correlation, silenced
from trailbell.engine.rulebook import Level, Rule
from trailbell.rulebook.documents import Document, Refused
from trailbell.rulebook.misfits import Keys, Misfit
from trailbell.rulebook.own_rules import fault_of_fact, located
from trailbell.rulebook.record_fields import fault_of_field


Linked = tuple[Document, Correlation]


def faults_of_linked(
    rules: Iterable[tuple[Document, Rule]], linked: Sequence[Linked], *, all_there: bool
) -> Iterator[Refused]:
    """What is wrong in how correlations count rules, each with the document that is to be changed.

    all_there: whether no correlation is left out; one that is may count a rule that nothing else does.
    """
    compiled = [*rules]
    correlations = [one for _, one in linked]
    reports = {rule.rule_id: rule for rule in (*(rule for _, rule in compiled), *(one.rule for one in correlations))}
    silent = silenced((), correlations)
    counted = {rule_id for one in correlations for rule_id in one.rules}
    for document, correlation in linked:
        faults = [*_silences(document, correlation, reports, silent), *_paths(document, correlation, reports)]
        if faults:
            yield Refused.of(document, "; ".join(located(document, one) for one in faults))
    for document, rule in compiled:
        if rule.counts_only and (fault := _fault_of_counted(rule, counted if all_there else {rule.rule_id})):
            yield Refused.of(document, located(document, Misfit(("generate",), fault)))


def _silences(
    document: Document, correlation: Correlation, reports: dict[str, Rule], silent: frozenset[str]
) -> Iterator[Misfit]:
    """Rules that report today, and would no longer."""
    if correlation.generate:
        return
    loud = [reports[one] for one in correlation.rules if one in silent and reports[one].level > Level.INFORMATIONAL]
    for rule in (one for one in loud if not one.counts_only):
        yield Misfit(
            ("correlation", "rules"),
            f"{rule.name} has level {rule.level.word} and would report nothing alone any more: write `generate: true`"
            " here, or give that rule level informational",
        )


def _paths(document: Document, correlation: Correlation, reports: dict[str, Rule]) -> Iterator[Misfit]:
    """Fields that no record has."""
    named = {rule_id for rule_id in correlation.rules if reports[rule_id].detection != NO_MATCH}
    places: tuple[tuple[Keys, tuple[tuple[str, ...], ...]], ...] = (
        (("correlation", "group-by"), correlation.group_paths),
        (("correlation", "condition", "field"), correlation.value_paths),
    )
    for keys, by_rule in places:
        chosen = [paths for rule_id, paths in zip(correlation.rules, by_rule, strict=True) if rule_id in named]
        for path in dict.fromkeys(path for paths in chosen for path in paths):
            if fault := fault_of_fact(path) or fault_of_field(path):
                yield Misfit(keys, fault)


def _fault_of_counted(rule: Rule, counted: set[str]) -> str:
    if rule.level > Level.INFORMATIONAL:
        return f"generate: false is for rules of level informational, and this one is {rule.level.word}"
    if rule.rule_id not in counted:
        return "generate: false, and no correlation counts this rule: nobody would ever hear of it"
    return ""
