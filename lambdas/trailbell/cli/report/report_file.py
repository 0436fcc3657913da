"""A report as one HTML file: page, style and script from page/, hits inside, nothing from anywhere else.

The page says itself what it may do (Content-Security-Policy): run this script, use this style, open no connection.
"""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from trailbell.lookback.report import embedded_json
from trailbell.text.safe_text import one_line


_SCRIPTS = (
    *("1_standing.js", "2_data.js", "3_names.js", "4_elements.js"),
    *("4_cuts.js", "5_overview.js", "6_rows.js", "7_table.js", "8_detail.js", "9_page.js"),
)


def report_html(document: dict[str, Any], *, scripts: Sequence[str] = (), style: str = "", connect: str = "") -> str:
    """The file's content for packed hits (lookback/report.py); `made`, `source` and `note` are shown as text.

    A page that is alive has more: scripts (they run after the page's own, and see the global `trailbell` with
    `showPage`, `onDetail` and `status`), more style, and `connect`, what the policy lets them connect to ("'self'").
    """
    document = {name: one_line(value) if isinstance(value, str) else value for name, value in document.items()}
    parts = files("trailbell.cli.report").joinpath("page")
    page, sheet = (parts.joinpath(name).read_text(encoding="utf-8") for name in ("page.html", "page.css"))
    style = sheet + style
    script = "\n".join((*(parts.joinpath(name).read_text(encoding="utf-8") for name in _SCRIPTS), *scripts))
    script = f'"use strict";(() => {{\n{script}\n}})();'
    policy = (
        f"default-src 'none'; script-src {_source(script)}; style-src {_source(style)}; "
        "base-uri 'none'; form-action 'none'" + (f"; connect-src {connect}" if connect else "")
    )
    # Data last, so that nothing in it can be taken for a place to fill.
    for name, value in (("csp", policy), ("style", style), ("script", script), ("data", embedded_json(document))):
        page = page.replace(f"%{name}%", value, 1)
    return page


def _source(content: str) -> str:
    """What a policy calls this very content."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
