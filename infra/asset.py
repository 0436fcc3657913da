"""The functions' asset: what they import of our package, the run-time wheels for Lambda, the rulebook, AWS's models.

Built by uv from a lock with hashes, without Docker. The same input gives the same bytes, so a deployment
without changes changes nothing. Wheels are kept in build/ under a name made from what determines them.

Lambda cannot write where the asset is, so without bytecode each cold start compiles every module anew. Where the
functions' Python is at hand (it runs the synth, or is in PATH under its name), its bytecode is in the asset, too.
"""

import ast
import hashlib
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from uv import find_uv_bin

from trailbell.alerts.channels import declared_channels
from trailbell.engine.rulebook import Rulebook, dump_rulebook
from trailbell.rulebook.product import SOURCES, product_root

from .models import write_models


LOCK = product_root() / "lambdas" / "requirements.txt"
AUDIT_LOCK = LOCK.with_name("audit.txt")
"""The wheels of all functions, and those of the function `audit`, which has one more."""

_PLATFORMS = {"arm64": "aarch64-manylinux_2_34", "x86_64": "x86_64-manylinux_2_34"}  # Amazon Linux 2023
HANDLERS = (
    "trailbell.handlers.audit",
    "trailbell.handlers.clock",
    "trailbell.handlers.detector",
    "trailbell.handlers.notifier",
)
_KEPT_SECONDS = 2 * 24 * 3600
_TASK = "/var/task"  # where Lambda puts the asset: what tracebacks name
# Parts of Powertools that nothing here imports; their bytecode would be a fifth of the asset.
_NOT_COMPILED = r"aws_lambda_powertools/(event_handler/|utilities/(?!jmespath_utils/)[^/]+/)"


def build_asset(architecture: str, python: str, rulebook: Rulebook, build: Path, lock: Path = LOCK) -> Path:
    """Build the asset for an architecture and a Python (such as 3.13) below `build`, and return its folder.

    The folder is named by its content and never changes once it is there, because CDK copies it after this returns:
    with one name for all, a second synth at the same time would take it away in the middle. Those of the last days
    are left; they are some megabytes each.
    """
    compiler, exact = _compiler(python)
    wheels = _wheels(architecture, python, build, compiler, exact, lock)
    with _unfinished(build) as target:
        shutil.copytree(wheels, target, dirs_exist_ok=True)
        package = target / "trailbell"
        for module in shipped_modules():
            copy = target / module.relative_to(SOURCES)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(module, copy)
        write_models(package / "aws" / "models")
        (package / "rulebook.json").write_text(dump_rulebook(rulebook), encoding="utf-8")
        _compile(compiler, target, "trailbell")
        digest = _digest(target)
        finished = build / f"asset-{architecture}-{python}-{digest}"
        if finished.is_dir() and _digest(finished) != digest:  # somebody wrote into it
            shutil.rmtree(finished)
        _finish(target, finished)
    _remove_old(build, finished)
    return finished


def shipped_modules() -> list[Path]:
    """The package's files that the handlers import, at once or later, themselves or through others.

    Followed through the source and not listed by room, because a list grows stale: what only the command line needs
    would be read at every cold start, and a room that a handler begins to use would be missing in Lambda alone.
    """
    found: dict[str, Path] = {}
    # Channels are found by their folder, which no import in the source shows.
    names = [*HANDLERS, *(channel.open.__module__ for channel in declared_channels())]
    while names:
        name = names.pop()
        file = _module_file(name)
        if file is None or name in found:
            continue
        found[name] = file
        names += [name.rpartition(".")[0], *_imported_names(file)]
    return sorted(found.values())


def _module_file(name: str) -> Path | None:
    """The file of one of our modules or packages; None for what is neither."""
    if name.partition(".")[0] != "trailbell":
        return None
    path = SOURCES.joinpath(*name.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


# Python 3.11 counts how deep a tree is for all threads together: two that parse at once may both fail.
# https://github.com/python/cpython/issues/106905
_PARSING = threading.Lock()


def _imported_names(file: Path) -> Iterator[str]:
    """Everything a module may import, wherever in it; of `from a import b` both a and a.b."""
    with _PARSING:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _wheels(architecture: str, python: str, build: Path, compiler: str, exact: str, lock: Path) -> Path:
    """The folder of installed wheels, made once for each lock, platform and Python."""
    platform = _PLATFORMS[architecture]
    made_from = f"{platform} {python} {exact} {_NOT_COMPILED}\n{lock.read_text(encoding='utf-8')}"
    digest = hashlib.sha256(made_from.encode()).hexdigest()[:16]
    wheels = build / f"wheels-{digest}"
    if not wheels.exists():
        with _unfinished(build) as unfinished:
            command = [
                *(find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--require-hashes"),
                *("--only-binary", ":all:", "--requirement", str(lock), "--target", str(unfinished)),
                *("--python-platform", platform, "--python-version", python),
            ]
            subprocess.run(command, check=True)
            for leftover in (".lock", "bin"):  # uv's lock file; console scripts nobody calls in Lambda
                path = unfinished / leftover
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            _compile(compiler, unfinished, ".")
            _finish(unfinished, wheels)
    return wheels


@contextmanager
def _unfinished(build: Path) -> Iterator[Path]:
    """A folder of this build alone; what is left of it afterwards is removed."""
    build.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="unfinished-", dir=build, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _finish(unfinished: Path, finished: Path) -> None:
    """Give a folder its name, all at once; where another process was first, what it made is the same."""
    unfinished.chmod(0o755)  # a temporary folder is its owner's alone
    try:
        unfinished.rename(finished)
    except OSError:
        if not finished.is_dir():
            raise


def _digest(folder: Path) -> str:
    """Sixteen hexadecimal digits of the names and bytes of all files of a folder."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(folder)}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _remove_old(build: Path, kept: Path) -> None:
    """Remove assets of earlier days, which no running synth can be reading."""
    kept.touch()
    before = time.time() - _KEPT_SECONDS
    for folder in build.glob("asset-*"):
        if folder.stat().st_mtime < before:
            shutil.rmtree(folder, ignore_errors=True)


def _compiler(python: str) -> tuple[str, str]:
    """The program of the functions' Python and its exact version; "" twice where it is not at hand."""
    for program in (sys.executable, shutil.which(f"python{python}")):
        if program:
            command = [program, "-I", "-c", "import sys; print(sys.version)"]
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            if done.stdout.startswith(f"{python}."):  # a version manager's stand-in may be there and not work
                return program, done.stdout.strip()
    return "", ""


def _compile(compiler: str, asset: Path, part: str) -> None:
    """Put bytecode beside a part's modules.

    Never checked against the sources: their times are lost in Lambda, and nobody changes them there.
    In a process of its own, because what else is in memory can change bytecode's bytes.
    """
    if compiler:
        flags = ("-q", "--invalidation-mode", "unchecked-hash", "-s", str(asset), "-p", _TASK, "-x", _NOT_COMPILED)
        subprocess.run([compiler, "-I", "-m", "compileall", *flags, str(asset / part)], check=True)
