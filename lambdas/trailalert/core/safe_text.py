"""Log content is hostile: what attackers wrote is shown as data, on one line, in characters that do nothing.

User agents, session names, document names and error messages are chosen by whoever makes the call. In a
mail's subject a line break adds a header, in a terminal an escape sequence moves the cursor, in any
reader a bidirectional override reverses what is read.
"""

import html
import re
import unicodedata


CUT = "[...]"

# What a spreadsheet takes for the start of a formula, at the start of a cell or of what another locale's
# separator makes a cell; full-width forms included, which some turn into the plain ones.
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile("(^|[;|,])([ '\"]*)(?=[=+@\\-\uff1d\uff0b\uff0d\uff20])")


def one_line(text: str, limit: int = 1024) -> str:
    """The text with unsafe characters written as \\u escapes, cut to `limit` characters (the cut is marked).

    Unsafe is what Python does not call printable: control and format characters (bidirectional overrides,
    zero width), surrogates, private use, unassigned, and every separator but the blank.
    """
    shown = text[:limit]
    if not shown.isprintable():
        shown = "".join(char if char.isprintable() else _escape(char) for char in shown)
    return shown if len(text) <= limit and len(shown) <= limit else shown[: max(limit - len(CUT), 0)] + CUT


def ascii_line(text: str, limit: int, cut: str = CUT) -> str:
    """The text as printable ASCII: letters lose their accents, whatever else is not ASCII becomes "?"."""
    folded = unicodedata.normalize("NFKD", one_line(text, limit * 4))
    plain = "".join(char for char in folded if not unicodedata.combining(char))
    line = plain.encode("ascii", "replace").decode("ascii")
    return line if len(line) <= limit else line[: max(limit - len(cut), 0)] + cut


def csv_cell(text: str, limit: int = 32_000) -> str:
    """The text as one cell of a CSV file: one line, and no formula in any spreadsheet.

    For every writer of CSV: pass each cell that holds text from records through this, then to csv.writer, which
    quotes. What would begin a formula gets an apostrophe before it, which spreadsheets show or hide but never
    compute; tabs and line breaks come out as \\x escapes. Excel takes 32,767 characters to a cell.
    """
    return _FORMULA.sub(r"\1\2'", one_line(text, limit))


def html_text(text: str, limit: int = 1024) -> str:
    """The text for an HTML element or a quoted attribute: one line, nothing in it is markup."""
    return html.escape(one_line(text, limit), quote=True)


def is_safe(text: str) -> bool:
    """Whether a text is already one line of harmless characters."""
    return text.isprintable()


def encodable(text: str) -> str:
    """The text with lone surrogates, which JSON can hold but UTF-8 cannot, written as \\u escapes."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
