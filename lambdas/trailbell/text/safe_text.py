"""Log content is hostile: what attackers wrote is shown as data, on one line, in characters that do nothing.

User agents, session names, document names and error messages are chosen by whoever makes the call. In a
mail's subject a line break adds a header, in a terminal an escape sequence moves the cursor, in any
reader a bidirectional override reverses the order of the text, and a Cyrillic letter looks like a Latin one.
"""

import re
import unicodedata

from trailbell.text.lazy_pattern import lazy_pattern


CUT = "[...]"

# Printable to Python, yet invisible: fillers, joiners, variation selectors.
# https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point
_INVISIBLE = lazy_pattern(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# More than three marks on one letter cover the neighbouring lines.
_MARK = "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_PILED = lazy_pattern(f"(?<={_MARK * 3}){_MARK}")

# Scripts with letters that look like ASCII's; inside a word that has ASCII letters they pose as them.
# https://www.unicode.org/reports/tr39/#Mixed_Script_Detection
_LOOKALIKES = ("ARMENIAN ", "CHEROKEE ", "COPTIC ", "CYRILLIC ", "FULLWIDTH ", "GREEK ", "LISU ", "MATHEMATICAL ")
_WORD = lazy_pattern(r"[^\W\d_]+")
_ASCII_LETTER = lazy_pattern(r"[A-Za-z]")

# Mail programs and chats make links of these anywhere in a text.
_LINK = lazy_pattern(r"(?i)(https?|ftps?)://|www\.(?=[^\s.])")

# What a spreadsheet takes for the start of a formula, at the start of a cell or of what another locale's
# separator makes a cell; full-width forms included, which some turn into the plain ones.
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = lazy_pattern("(^|[;|,])([ '\"]*)(?=[=+@|%\\-\uff1d\uff0b\uff0d\uff20])")


def one_line(text: str, limit: int = 1024) -> str:
    """The text with unsafe characters written as \\u escapes, cut to `limit` characters (the cut is marked).

    Unsafe is what Python does not call printable: control and format characters (bidirectional overrides,
    zero width), surrogates, private use, unassigned, and every separator but the blank. So is what cannot be
    seen, what is piled up on one letter, and a letter that poses as one of ASCII.
    """
    shown = text[:limit]
    if not (shown.isascii() and shown.isprintable()):
        shown = _escaped(shown)
    return shown if len(text) <= limit and len(shown) <= limit else shown[: max(limit - len(CUT), 0)] + CUT


def ascii_line(text: str, limit: int, cut: str = CUT) -> str:
    """The text as printable ASCII: letters lose their accents, whatever else is not ASCII becomes "?"."""
    folded = unicodedata.normalize("NFKD", one_line(text, limit * 4))
    plain = "".join(char for char in folded if not unicodedata.combining(char))
    line = plain.encode("ascii", "replace").decode("ascii")
    return line if len(line) <= limit else line[: max(limit - len(cut), 0)] + cut


def unlinked(text: str) -> str:
    """The text with addresses that no mail program turns into a link: https[:]//example.com."""
    if "://" not in text and "www." not in text.lower():
        return text
    return _LINK.sub(lambda link: link[0].replace("://", "[:]//").replace(".", "[.]"), text)


def csv_cell(text: str, limit: int = 32_000) -> str:
    """The text as one cell of a CSV file: one line, and no formula in any spreadsheet.

    For every writer of CSV: pass each cell that holds text from records through this, then to csv.writer, which
    quotes. What would begin a formula gets an apostrophe before it, which spreadsheets show or hide but never
    compute; tabs and line breaks come out as \\x escapes. Excel takes 32,767 characters to a cell.
    """
    return _FORMULA.sub(r"\1\2'", one_line(text, limit))


def is_safe(text: str) -> bool:
    """Whether a text is already one line of harmless characters."""
    return text.isprintable() and (text.isascii() or _escaped(text) == text)


def encodable(text: str) -> str:
    """The text with lone surrogates, which JSON can hold but UTF-8 cannot, written as \\u escapes."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _escaped(text: str) -> str:
    if not text.isascii():
        for pattern in (_PILED, _INVISIBLE):
            text = pattern.sub(lambda match: _escape(match[0]), text)
        text = _WORD.sub(_unmasked, text)
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _unmasked(word: re.Match[str]) -> str:
    letters = word[0]
    if letters.isascii() or not _ASCII_LETTER.search(letters):
        return letters
    return "".join(_escape(char) if _poses(char) else char for char in letters)


def _poses(char: str) -> bool:
    return not char.isascii() and unicodedata.name(char, "").startswith(_LOOKALIKES)


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
