"""Other people's rules: one document that cannot run costs no other, and no two of them are taken for one."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from trailbell.cli.main import cli
from trailbell.errors import RuleError
from trailbell.rulebook.cases import BASE_RECORD
from trailbell.rulebook.documents import Kind
from trailbell.rulebook.foreign import counts, left_out, sentence, told_apart
from trailbell.rulebook.load import RuleSet, load_rules
from trailbell.rulebook.source import rule_files


RECORD = {**BASE_RECORD, "eventSource": "kms.amazonaws.com", "eventName": "DisableKey"}
IDS = "3c1f7f0e-6a3b-4d0b-9d7e-6f5a2b1c8e0"
LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))


def rule(title: str = "Good", more: str = "", source: str = "{product: aws, service: cloudtrail}") -> str:
    """A rule on DisableKey; `more` stands at its end."""
    return f"title: {title}\nlogsource: {source}\ndetection:\n  s: {{eventName: DisableKey}}\n  condition: s\n{more}"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    return folder


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "log.json"
    file.write_text(json.dumps({"Records": [RECORD]}))
    return file


def titles(found: RuleSet) -> list[str]:
    return [one.title for one in found.rules]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("a: [\n", "line 10: did not find expected"),
        ("title: x\ttab\n\tlevel: low\n", "line 9: found a tab"),
        ("title: \x07bell\n", "control characters are not allowed"),
        ("title: é\n".encode("latin-1"), "not UTF-8 text"),
        ("\ufefftitle: x\n".encode("utf-16-le"), "not UTF-8 text"),
        (rule("Twice", "title: again\n"), "Duplicate key 'title'"),
        (rule("Octal", "x: 012345670123\n"), "write '012345670123' in quotes"),
        (rule("Modifier").replace("eventName:", "eventName|nosuch:"), "unknown modifier 'nosuch'; known: all, base64"),
        (rule("Empty").replace("eventName: DisableKey", "'eventName|contains':"), "eventName|contains has no value"),
        (rule("None").replace("eventName: DisableKey", "'eventName|re':"), "eventName|re has no value"),
        (rule("Regex").replace("eventName:", "eventName|re:").replace("Dis", "(?=Dis)"), "RE2"),
        (rule("Expand").replace("eventName: DisableKey", "'eventName|expand': '%nobody%'"), "%nobody% is unknown"),
        (rule("Count").replace("condition: s", "condition: s | count() > 5"), "condition"),
        (rule("Long").replace("condition: s", f"condition: s{' and s' * 2000}"), "condition of 12001 characters"),
        (
            rule("Wide").replace(
                "condition: s",
                f"condition: {'1 of them or ' * 700}s{''.join(f'{chr(10)}  s{n}: {{a: b}}' for n in range(50))}",
            ),
            "refers to selections more than 10000 times",
        ),
        (rule("Level", "level: loud\n"), "loud"),
        (rule("Id", "id: one\n"), "UUID"),
        (rule("Title").replace("title: Title\n", ""), "title"),
        (rule("Detection").split("detection")[0], "detection"),
        (rule("Shape").replace("eventName: DisableKey", "eventName: [[a]]"), "list or map among its values"),
        (rule("Text").split("detection")[0] + "detection: DisableKey\n", "must be a valid YAML map"),
        (rule("Deep").replace("condition: s", f"condition: {'not ' * 500}s"), "nested too deeply"),
        (
            "correlation: {type: event_count, rules: [good], group-by: [a], timespan: 5m}\ntitle: C\n",
            "condition is missing",
        ),
        (LAUGHS + rule("Laughs").replace("eventName: DisableKey", "eventName: *a9"), "billion laughs"),
        (LAUGHS + rule("Laughs").replace("{eventName: DisableKey}", "*a9"), "billion laughs"),
        (f"x: &x [*x]\n{rule('Self').replace('{eventName: DisableKey}', '*x')}", "Recursive YAML structure"),
        (f"title: Brackets\nx: {'[' * 200_000}\n", "nested more than 64 levels deep"),
        (rule("Long", f"x: '{'y' * 2**20}'\n"), "a document of more than 1 MiB"),
        (rule("Action", "action: invent\n"), "unknown action 'invent'"),
        (rule("Set").replace("{eventName: DisableKey}", "!!set {a, b}"), "set"),
        (rule("Tag", "x: !Ref bucket\n"), "could not determine a constructor"),
        ("%YAML 9.9\n" + rule("Percent"), "found incompatible YAML document"),
    ],
)
def test_document_that_cannot_run_costs_no_other(rules: Path, bad: str | bytes, reason: str) -> None:
    """Before, one such document stopped a scan with hundreds of rules, or the whole process."""
    content = bad if isinstance(bad, bytes) else bad.encode()
    (rules / "many.yml").write_bytes(b"\n---\n".join([rule("First").encode(), content, rule("Last").encode()]))
    (rules / "other.yaml").write_text(rule("Other"))

    found = load_rules(rules, {})

    assert titles(found) == ["First", "Last", "Other"]
    (one,) = left_out(found)
    assert reason in one.reason
    assert sentence(one).startswith(f"left out: {rules / 'many.yml'}:8 (document 2)")


@settings(deadline=None, max_examples=examples(150))
@given(garbage=st.binary(max_size=80) | st.text("-.%#:{}[]&*!|>'\"? \t\r\n\x85\u2028ab", max_size=80).map(str.encode))
def test_any_bytes_between_two_documents_cost_neither(tmp_path_factory: pytest.TempPathFactory, garbage: bytes) -> None:
    """A file is cut into its documents before any of them is parsed."""
    file = tmp_path_factory.mktemp("rules") / "many.yml"
    file.write_bytes(b"\n---\n".join([rule("First").encode(), garbage, rule("Last").encode()]))

    assert titles(load_rules(file.parent, {})) == ["First", "Last"]


@settings(deadline=None, max_examples=examples(150))
@given(st.data())
def test_any_change_to_a_document_costs_no_other(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Half-written rules are the likelier garbage: bytes are cut out, put in, and repeated."""
    whole = rule("Changed", "level: low\nstatus: test\ntags: [attack.impact]\nundo: {steps: [x], within: 3}\n").encode()
    begin = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(begin, min(len(whole), begin + 20)))
    put_in = data.draw(
        st.binary(max_size=6) | st.sampled_from([b"[", b"{", b": ", b"null", b"!!binary ", b"|", b"1e9"])
    )
    changed = whole[:begin] + put_in + whole[end:]
    assume(b"action" not in changed)
    file = tmp_path_factory.mktemp("rules") / "many.yml"
    file.write_bytes(b"\n---\n".join([rule("First").encode(), changed, rule("Last").encode()]))

    found = titles(load_rules(file.parent, {}))

    assert (found[0], found[-1]) == ("First", "Last")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["s", "1 of s*", "all of them", "a*", "%x%", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["f", "f|re", "f|all", "|contains", "f|cidr", "f|gte", "s"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)
MEMBERS = "title id name level status logsource detection tags author date references undo check fields once_per_day"


@settings(deadline=None, max_examples=examples(200))
@given(
    members=st.dictionaries(st.sampled_from(MEMBERS.split()), VALUES, max_size=4),
    detection=st.dictionaries(st.sampled_from(["s", "t", "condition"]), VALUES, max_size=3),
)
def test_values_of_any_kind_are_refused_or_run(
    tmp_path_factory: pytest.TempPathFactory, members: dict[str, object], detection: dict[str, object]
) -> None:
    """A number where text belongs made pySigma raise what nobody caught."""
    folder = tmp_path_factory.mktemp("rules")
    base = {"title": "T", "logsource": {"product": "aws"}, "detection": {"s": {"f": "x"}, "condition": "s"}}
    (folder / "a.yml").write_text(json.dumps({**base, "detection": {**base["detection"], **detection}, **members}))  # type: ignore[dict-item]

    found = load_rules(folder, {}, any_source=True)

    assert len(found.rules) + len(found.left_out) == 1


def test_rules_of_equal_names_ids_and_titles_all_run_and_are_told_apart(rules: Path, log: Path) -> None:
    """Sets with a folder for each attack name files by technique; a rule silently lost is an attack not seen."""
    same = f"name: same\nid: {IDS}1\n"
    for folder in ("one/x", "two/x", "two/y"):
        (rules / folder).mkdir(parents=True)
        (rules / folder / "aws_t1098.yml").write_text(f"{rule('T', same)}\n---\n{rule('T', same)}")
        (rules / folder / "aws_t1485.yml").write_text(rule("U"))

    result = run("scan", log, "--rules", rules, "--format", "jsonl")

    (line,) = (json.loads(text) for text in result.stdout.splitlines())
    assert result.exit_code == 0
    found = told_apart(load_rules(rules, {}), rules)
    assert len(found.rules) == 9
    assert {line["name"], *line["also"]} == {one.name for one in found.rules}
    for member in ("name", "stem", "rule_id"):
        assert len({getattr(one, member).lower() for one in found.rules}) == 9, member
    assert [one.rule_id for one in found.rules].count(f"{IDS}1") == 1
    assert {"one-x-same", "two-x-same", "two-y-same", "two-y-same-2", "one-x-t1485"} <= {
        one.name for one in found.rules
    }


def test_placeholders_side_by_side_do_not_multiply_without_end(rules: Path) -> None:
    """Five hundred operations three times in one value are more texts than memory holds."""
    (rules / "a.yml").write_text(rule().replace("eventName: DisableKey", "'eventName|expand': '%many%%many%%many%'"))

    (one,) = load_rules(rules, {"many": tuple(map(str, range(500)))}).left_out

    assert "125000000 texts" in one.reason


def test_names_that_nothing_shares_stay_as_they_were(rules: Path) -> None:
    """Who knows a rule by its name finds it."""
    (rules / "sub").mkdir()
    (rules / "sub/aws_a.yml").write_text(rule("A", f"id: {IDS}1\n"))
    (rules / "b.yml").write_text(rule("B", "name: my_b\n"))

    found = told_apart(load_rules(rules, {}), rules)

    assert sorted((one.name, one.stem, one.rule_id) for one in found.rules) == [
        ("a", "aws_a", f"{IDS}1"),
        ("my_b", "b", "my_b"),
    ]


@pytest.mark.parametrize(
    ("documents", "running"),
    [
        (["action: global\nlevel: [\n", rule("A"), "action: reset\n", rule("B")], ["B"]),
        (["action: global\ndetection: {t: {f: x}}\n", rule("A"), rule("L").split("detection")[0]], ["A"]),
        (["action: global\ndetection: text\n", rule("A"), "action: reset\n", rule("B")], ["B"]),
        ([rule("A"), "a: [\n", "action: repeat\ntitle: B\n", rule("C")], ["A", "C"]),
        ([rule("A"), "action: repeat\ntitle: B\n", "action: repeat\ndetection: 5\n", rule("D")], ["A", "B", "D"]),
        (["action: repeat\ntitle: A\n", rule("B")], ["B"]),
    ],
)
def test_what_builds_on_a_broken_document_is_refused_with_it(
    rules: Path, documents: list[str], running: list[str]
) -> None:
    """Without its template, a rule would mean something else than its author wrote."""
    (rules / "many.yml").write_text("---\n".join(documents))

    assert titles(load_rules(rules, {})) == running


def test_a_template_changes_only_what_follows_it(rules: Path) -> None:
    """Aliases share maps in memory: laying a template over one place must not change the other."""
    text = rule("A").replace("s: {eventName: DisableKey}", "s: &s {eventName: DisableKey}\n  t: *s")
    (rules / "a.yml").write_text(f"action: global\ndetection: {{s: {{readOnly: false}}}}\n---\n{text}")

    (found,) = load_rules(rules, {}).rules

    assert found.detection == [
        "and",
        [["field", "eventName", ["eq", "disablekey"]], ["field", "readOnly", ["eq", "false"]]],
    ]


@pytest.mark.parametrize(
    ("source", "runs"),
    [
        ("{product: aws, service: cloudtrail}", True),
        ("{product: AWS, service: CloudTrail}", True),
        ("{product: aws}", True),
        ("{service: cloudtrail}", True),
        ("{product: aws, service: cloudtrail, category: x}", True),
        ("{product: aws, service: guardduty}", False),
        ("{product: azure, service: activitylogs}", False),
        ("{category: process_creation}", False),
        ("{category: process_creation, product: windows}", False),
    ],
)
def test_rules_for_other_log_sources_are_counted_apart(rules: Path, source: str, runs: bool) -> None:
    """They are no faults; in a public repository they are most of what there is."""
    (rules / "a.yml").write_text(rule("A", source=source))
    (rules / "filter.yml").write_text(
        f"title: F\nlogsource: {source}\nfilter: {{rules: any, s: {{a: b}}, condition: s}}"
    )

    found = load_rules(rules, {})

    assert len(found.rules) == runs
    assert [one.kind for one in found.left_out] == ([] if runs else [Kind.OTHER_SOURCE] * 2)
    assert [one.kind for one in left_out(found)] == ([Kind.FILTER] if runs else [])


def test_yaml_beside_rules_is_no_fault_unless_it_is_named(rules: Path) -> None:
    """Repositories of rules hold workflows and settings; who names such a file means a rule."""
    (rules / ".github").mkdir()
    (rules / ".github/ci.yml").write_text("name: ci\non: [push]\naction: x\njobs: {}\n")
    (rules / "list.yml").write_text("- a\n- b\n")
    (rules / "a.yml").write_text(rule())

    found = load_rules(rules, {})

    assert (left_out(found), counts(found)) == ((), "rules: 1 run; 2 documents are no rules")
    assert [one.kind for one in load_rules(rules / "list.yml", {}).left_out] == [Kind.REFUSED]


def test_document_with_a_title_and_a_level_is_meant_as_a_rule(rules: Path) -> None:
    """A rule that lost its detection must be named, not counted among other YAML."""
    (rules / "a.yml").write_text("title: Lost\nlevel: high\n")
    (rules / "b.yml").write_text(rule("Port", "").replace("eventName: DisableKey", "port|gt: many"))

    first, second = left_out(load_rules(rules, {}))

    assert "must have" in first.reason
    assert second.reason == "s: port|gt does not take the value 'many'"


def test_text_of_rules_moves_no_cursor(rules: Path, tmp_path: Path) -> None:
    """Titles, names and files of other people's rules are data: an escape sequence is shown, not sent."""
    (rules / "a\x1b[2J.yml").write_text(rule('"T\\e[2J"', 'name: "n\\e[2J/../x"\n'))
    (rules / "b.yml").write_text(rule('"B\\e[2J"', "level: loud\n"))
    (tmp_path / "events.jsonl").write_text(json.dumps(RECORD))
    (tmp_path / "log.json").write_text(json.dumps({"Records": [RECORD]}))

    for words in (
        ("rules", "check", rules),
        ("rules", "check", rules, "--format", "jsonl"),
        ("rules", "match", "--rules", rules, "--events", tmp_path / "events.jsonl"),
        ("scan", tmp_path / "log.json", "--rules", rules),
        ("scan", tmp_path / "log.json", "--rules", rules, "--format", "csv"),
    ):
        assert "\x1b" not in run(*words).output, words
    (left,) = left_out(load_rules(rules, {}))
    assert sentence(left).isprintable()
    assert left.message.isprintable()


def test_files_are_found_wherever_links_lead_and_taken_once(rules: Path, tmp_path: Path) -> None:
    """What is not looked at is said so; a pipe is not waited for, a loop not walked."""
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "linked.yml").write_text(rule("Linked"))
    (rules / "sub").mkdir()
    (rules / "sub/A.YAML").write_text(rule("A"))
    (rules / "sub/loop").symlink_to(rules)
    (rules / "again.yml").symlink_to(rules / "sub/A.YAML")
    (rules / "linked.yml").symlink_to(outside / "linked.yml")
    (rules / "folder").symlink_to(outside / "deep")
    (rules / "gone.yml").symlink_to(rules / "nowhere.yml")
    (rules / "self.yml").symlink_to(rules / "self.yml")
    os.mkfifo(rules / "pipe.yml")

    found = load_rules(rules, {})

    assert sorted(titles(found)) == ["A", "Linked"]
    assert {one.path.name: one.reason.split(";")[0] for one in found.left_out} == {
        "folder": "a link to a folder outside is not followed",
        "gone.yml": "No such file or directory",
        "self.yml": "Too many levels of symbolic links",
        "pipe.yml": "is no file",
    }


def test_folder_that_cannot_be_listed_is_named(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules in a folder without permission would be missing, and nobody would know."""
    (rules / "a.yml").write_text(rule())
    (rules / "shut").mkdir()
    listed = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", refusing)

    assert rule_files(rules) == [rules / "a.yml", rules / "shut"]


def test_wrong_coverage_table_costs_no_rule(rules: Path) -> None:
    """A coverage.csv of somebody else's is not ours."""
    (rules / "coverage.csv").write_bytes(b"tactic,\xff\n")
    (rules / "a.yml").write_text(rule())

    found = load_rules(rules, {})

    assert titles(found) == ["Good"]
    assert "coverage.csv: is no table of operations" in left_out(found)[0].reason


@pytest.mark.parametrize(
    "text",
    [
        "%YAML 1.2\n---\n{}",
        "# comment\n---\n{}",
        "\ufeff---\n{}",
        "---\n{}...\n",
        "---\r\n{}\r\n",
        "\n\n{}\n...\n# end\n",
    ],
)
def test_ways_to_write_one_document_give_one_rule(rules: Path, text: str) -> None:
    """Marks, directives, byte order mark and comments are no documents of their own."""
    (rules / "a.yml").write_bytes(text.replace("{}", rule()).encode())

    found = load_rules(rules, {})

    assert (titles(found), found.left_out) == (["Good"], ())
    assert found.rules[0].name == "a"


def test_marks_inside_values_cut_nothing(rules: Path) -> None:
    """Only a whole `---` at the start of a line ends a document; ą ends in the byte of a line break."""
    description = "description: |\n  ---\n  ...\n  ą--- x\nx: ----\ny: 'ą---'\n"
    (rules / "a.yml").write_text(rule("A", description))

    found = load_rules(rules, {})

    assert (titles(found), found.left_out) == (["A"], ())


def test_match_goes_on_without_the_refused_and_says_so_in_its_status(rules: Path, tmp_path: Path) -> None:
    """Both rules of one id and title match; their lines differ."""
    for folder in ("one", "two"):
        (rules / folder).mkdir()
        (rules / folder / "a.yml").write_text(rule("T", f"id: {IDS}1\n", "{product: windows}"))
    (rules / "bad.yml").write_text(rule("Bad").replace("eventName:", "eventName|nosuch:"))
    (tmp_path / "events.jsonl").write_text(json.dumps(RECORD))
    arguments = ("rules", "match", "--rules", rules, "--events", tmp_path / "events.jsonl", "--format", "jsonl")

    result = run(*arguments)

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 2
    assert {line["ruleId"] for line in lines} == {f"{IDS}1"}
    assert sorted(line["name"] for line in lines) == ["one-a", "two-a"]
    assert f'{rules}/bad.yml:1 "Bad": s: eventName|nosuch has an unknown modifier' in result.stderr
    with pytest.raises(RuleError, match="nosuch"):
        run(*arguments, "--strict")


def test_check_gives_a_verdict_for_each_document(rules: Path) -> None:
    """No cases are demanded; the exit status says whether anything meant for us cannot run."""
    (rules / "a.yml").write_text(f"{rule('A')}---\n{rule('Old', 'status: deprecated')}")
    (rules / "b.yml").write_text(rule("W", source="{product: windows}"))

    result = run("rules", "check", rules, "--format", "jsonl")

    verdicts = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert [(one["status"], one["title"], one["line"], one["document"]) for one in verdicts] == [
        ("ok", "A", 1, 1),
        ("warning", "Old", 7, 2),
        ("not for CloudTrail", "W", 1, 1),
    ]
    assert "deprecated" in verdicts[1]["reasons"][0]
    (rules / "c.yml").write_text("title: C\ncorrelation: {}\n")
    result = run("rules", "check", rules, "--foreign")
    assert result.exit_code == 1
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["status", "ok", "warning", "not", "refused"]
    assert "rules: 2 run; 1 rules left out (1 correlation); 1 rules left out as not for CloudTrail" in result.stderr


def test_check_says_what_is_lost_or_renamed(rules: Path) -> None:
    """A list the deployer has not filled, and an id that two rules have, change what is seen."""
    expand = rule("A", f"id: {IDS}1\n").replace(
        "eventName: DisableKey", "'recipientAccountId|expand': '%trusted_accounts%'"
    )
    (rules / "a.yml").write_text(expand)
    (rules / "b.yml").write_text(rule("B", f"id: {IDS}1\n"))

    result = run("rules", "check", rules, "--format", "jsonl")

    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert "%trusted_accounts% has no values" in first["reasons"][0]
    assert f"another rule has its id {IDS}1" in second["reasons"][0]
    given = run("rules", "check", rules / "a.yml", "--format", "jsonl", "--setting", "trusted_accounts=111122223333")
    assert json.loads(given.stdout)["status"] == "ok"


def test_rules_that_can_never_match_run_with_a_warning(rules: Path, log: Path) -> None:
    """A reader takes their silence for "nothing happened"; bytes elsewhere that are no text do not stop the warning."""
    never = rule("Ecs").replace("eventName: DisableKey", "event.action: DisableKey")
    (rules / "a.yml").write_bytes(f"{rule()}---\n{never}---\n".encode() + b"title: \xff\n")

    result = run("scan", log, "--rules", rules)

    assert result.exit_code == 0
    assert "warning: " in result.stderr
    assert f"{rules}/a.yml:10: a-2: event.action" in result.stderr
    verdicts = [json.loads(line) for line in run("rules", "check", rules, "--format", "jsonl").stdout.splitlines()]
    assert [one["status"] for one in verdicts] == ["ok", "warning", "refused"]
    (rules / "a.yml").write_text(f"{never}level: low\n")
    with pytest.raises(RuleError, match=r"event\.action"):
        run("scan", log, "--rules", rules, "--strict")


def test_own_rules_are_still_held_to_their_cases(rules: Path) -> None:
    """The mode for foreign rules is no way around one's own checks."""
    (rules / "a.yml").write_text(rule(more="level: low\n"))
    (rules / "cases").mkdir()

    assert "missing; a rule needs cases" in run("rules", "check", rules).stderr
    assert "missing; a rule needs cases" in run("rules", "check", rules, "--own").stderr
    assert run("rules", "check", rules, "--foreign").exit_code == 0
