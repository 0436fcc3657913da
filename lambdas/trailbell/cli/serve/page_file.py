"""The page that is served: the report's own, empty, with what makes it alive (page/) and what it may do as a header."""

import re
from dataclasses import dataclass
from importlib.resources import files

from trailbell.cli.report.report_file import report_html
from trailbell.lookback.report import pack_hits


_SCRIPTS = ("1_asking.js", "2_status.js", "3_actions.js", "4_story.js", "5_checks.js", "6_live.js")
_META = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">')

# What a policy inside of a page cannot say, and that no text ever becomes markup or script.
# https://w3c.github.io/webappsec-csp/#meta-element, https://w3c.github.io/trusted-types/dist/spec/
_MORE = "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"


@dataclass(frozen=True, slots=True)
class ServedPage:
    """The page's content, and its Content-Security-Policy as a header has it."""

    html: str
    policy: str


def served_page(source: str) -> ServedPage:
    """The page before it asked for anything. source: where its hits will be from."""
    parts = files("trailbell.cli.serve").joinpath("page")
    scripts = [parts.joinpath(name).read_text(encoding="utf-8") for name in _SCRIPTS]
    style = parts.joinpath("live.css").read_text(encoding="utf-8")
    document = {"made": "now", "source": source, "note": "", **pack_hits(())}
    html = report_html(document, scripts=scripts, style=style, connect="'self'")
    found = _META.search(html)
    assert found, "the report's page says what it may do"
    return ServedPage(html, f"{found[1]}; {_MORE}")
