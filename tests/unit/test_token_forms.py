"""The table of known beginnings of tokens comes from the rules of a pinned scanner, and from nowhere else."""

import re
import subprocess
from pathlib import Path

import pytest

from tools.token_forms import MODULE, module_text, token_forms
from trailbell.text import token_forms as table


ROOT = Path(__file__).resolve().parents[2]
SCANNER = ROOT / "build" / "tokens" / "bin" / "python"
END = r"""(?:\\?['"\x60]|[\s;]|\\[nr]|$)"""


@pytest.mark.parametrize(
    ("pattern", "forms"),
    [
        (r"(dop_v1_[abcdef0-9]{64})", {"dop_v1_": (16, "")}),
        (rf"\b(sk-ant-api03-[a-zA-Z0-9_\-]{{93}}AA){END}", {"sk-ant-api03-": (16, "-_")}),
        (r"\b((?:sk|rk)_(?:test|live)_[a-zA-Z0-9]{10,99})\b", dict.fromkeys(("rk_live_", "rk_test_"), (10, "")) | {
            "sk_live_": (10, ""), "sk_test_": (10, "")}),
        (r"\b(hf_(?i:[a-z]{34}))\b", {"hf_": (34, "")}),
        (r"(?i)(?:twitter)(?:[ \t\w.-]{0,20})[\s'\"]{0,3}(?:=|:)([a-z0-9]{25})", {}),
        (r"\b((?:AKIA|ASIA)[A-Z2-7]{16})\b", {}),
        (r"[0-9a-f]{32}", {}),
    ],
)  # fmt: skip
def test_form_is_taken_of_a_pattern(pattern: str, forms: dict[str, tuple[int, str]]) -> None:
    """A rule that needs the vendor's name nearby, or knows key ids, is none of a token's form."""
    assert token_forms([pattern]) == forms


def test_table_is_of_the_pinned_version() -> None:
    """Who raises the pin must make the table anew: `make token-forms`."""
    pinned = re.search(r"kingfisher-secret-scanner==(\S+)", (ROOT / "tools" / "tokens.in").read_text(encoding="utf-8"))

    assert pinned
    forms = {head: (least, signs) for head, least, signs in table.TOKEN_FORMS}
    assert MODULE.read_text(encoding="utf-8") == module_text(pinned[1], forms)
    assert len(forms) > 150


@pytest.mark.skipif(not SCANNER.exists(), reason="the scanner is not installed (make token-forms)")
def test_table_is_what_the_scanner_says() -> None:
    """A row that somebody wrote by hand would be gone with the next version."""
    before = MODULE.read_text(encoding="utf-8")

    subprocess.run([str(SCANNER), "-m", "tools.token_forms"], cwd=ROOT, check=True)

    assert MODULE.read_text(encoding="utf-8") == before
