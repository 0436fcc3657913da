"""What docstrings, comments and pages name is there: files, folders, tests and modules of this repository."""

import ast
import importlib.util
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest


ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "lambdas" / "trailbell"
CHANGELOG = ROOT / "CHANGELOG.md"
PASSED_OVER = {"node_modules", "build", "cdk.out", "__pycache__"}  # and whatever begins with a dot
MADE = {"rulebook.json"}  # by the synth, so that no checkout has it
FORMATS = {"trailbell.alert", "trailbell.scan"}  # names in JSON that look like modules: schema trailbell.alert/1

URL = re.compile(r"\w+://\S+|\b(?:[\w-]+\.)+(?:com|io|org|dev|net)/\S*")
FILE = re.compile(
    r"(?<![\w/.@*{}<>$~%:-])"
    r"(?P<path>(?:\.\./)*(?:[\w-][\w.-]*/)*[\w-][\w.-]*\.(?P<kind>py|md|toml|json|jsonl|yml|in|txt|csv|png|html))"
    r"(?:::(?P<test>\w+))?(?![\w/*{}<>-])"
)
FOLDER = re.compile(r"`(?P<path>(?:[\w-][\w.-]*/)+)`")
MODULE = re.compile(r"(?<![\w./@-])(?P<name>(?:trailbell|tests|infra|tools|benchmarks)(?:\.[A-Za-z_]\w*)+)(?![\w(])")


def files() -> Iterator[Path]:
    """Every file of the checkout that is ours."""
    waiting = [ROOT]
    while waiting:
        for entry in sorted(waiting.pop().iterdir()):
            if entry.name.startswith(".") or entry.name in PASSED_OVER or entry.name.endswith(".egg-info"):
                continue
            if entry.is_dir():
                waiting.append(entry)
            else:
                yield entry


FILES = list(files())
NAMES = {file.name for file in FILES}
# Not the changelog: it names what was, too. Its links are held by test_documentation.py, like every page's.
READ = [file for file in FILES if (file.suffix in (".py", ".md") or file.name == "Makefile") and file != CHANGELOG]


def prose_of(file: Path) -> str:
    """What a file says to people: a page whole; of Python, docstrings and comments."""
    source = file.read_text(encoding="utf-8")
    if file.suffix == ".md":
        return source
    if file.name == "Makefile":
        return "\n".join(re.findall(r"#.*", source))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [*ast.walk(ast.parse(source))]
    said = [ast.get_docstring(node) or "" for node in nodes if isinstance(node, documented)]
    said += [
        node.value.value
        for node in nodes
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    said += [token.string for token in tokens if token.type == tokenize.COMMENT]
    return "\n".join(dict.fromkeys(said))


def missing_in(text: str, file: Path) -> list[str]:
    """The names in a text, read from a file, that lead nowhere."""
    text = URL.sub(" ", text)
    found = [match[0] for match in FILE.finditer(text) if not leads_to_a_file(match, file)]
    found += [match["path"] for match in FOLDER.finditer(text) if not leads_to_a_folder(match["path"], file)]
    found += [
        match["name"]
        for match in MODULE.finditer(text)
        if match["name"] not in FORMATS and not leads_to_a_module(match["name"])
    ]
    return found


def bases(file: Path) -> tuple[Path, ...]:
    """Where a path that a file names may begin: the checkout, the package, beside the file."""
    return (ROOT, PACKAGE, PACKAGE.parent, file.parent)


def leads_to_a_file(match: re.Match[str], file: Path) -> bool:
    path, ours = match["path"], match["kind"] in ("py", "md", "toml")
    head, slash, _ = path.partition("/")
    if not slash:  # a name alone: of another kind it may be a reader's own, such as report.html
        return not ours or path in NAMES | MADE
    if not ours and not any((base / head).is_dir() for base in bases(file)):
        return True
    there = [base / path for base in bases(file) if (base / path).is_file()]
    return bool(there) and (not match["test"] or f"def {match['test']}(" in there[0].read_text(encoding="utf-8"))


def leads_to_a_folder(path: str, file: Path) -> bool:
    return any((base / path).is_dir() for base in bases(file)) or not any(
        (base / path.partition("/")[0]).is_dir() for base in bases(file) if "/" in path.rstrip("/")
    )


@cache
def leads_to_a_module(name: str) -> bool:
    """Whether it is a module, or what one holds."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        module, rest = ".".join(parts[:length]), parts[length:]
        try:
            spec = importlib.util.find_spec(module)
        except ModuleNotFoundError:
            continue
        if spec and spec.origin and length > 1:
            source = Path(spec.origin).read_text(encoding="utf-8")
            return not rest or re.search(rf"\b{rest[0]}\b", source) is not None
        if spec and not rest:
            return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("file", READ, ids=lambda file: str(file.relative_to(ROOT)))
def test_what_is_named_is_there(file: Path) -> None:
    """A name that leads nowhere costs a reader the search, and after a move every name does."""
    assert missing_in(prose_of(file), file) == []


@pytest.mark.parametrize(
    "text",
    [
        "see store/nosuch.py",
        "DESIGN.md section 2",
        "(as `nosuch.md` says)",
        "`docs/nosuch.md`",
        "docs/nosuch.md#anchor",
        "tests/unit/test_named_files.py::test_nosuch",
        "tests/unit/nosuch/test_named_files.py",
        "rules/nosuch/rule.yml",
        "`store/nosuch/`",
        "python -m tests.nosuch",
        "trailbell.store.nosuch",
        "core/rows.py: keys",
        "[text](nosuch.md)",
    ],
)
def test_a_name_that_leads_nowhere_is_found(text: str) -> None:
    """The test's own eyes."""
    assert len(missing_in(text, ROOT / "docs" / "README.md")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "store/rows.py, store/query/pointers.py and `handlers/notifier.py`.",
        "docs/operating.md#silence",
        "rows.py",
        "tests/unit/test_named_files.py::test_what_is_named_is_there",
        "https://github.com/aws/aws-cdk/blob/main/nosuch.md and docs.aws.amazon.com/nosuch/page.html",
        "trailbell report -o report.html; hits.csv; s3://bucket/AWSLogs/x.json",
        "`store/query/`",
        "trailbell.store.rows",
        "trailbell.engine.rulebook.Level",
        "operating.md",
        "{bucket}/name.py",
        "trailbell rules import ./my-rule.yml",
    ],
)
def test_a_name_that_leads_somewhere_is_not(text: str) -> None:
    """Nor one that is somebody else's."""
    assert missing_in(text, ROOT / "docs" / "README.md") == []
