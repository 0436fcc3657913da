"""Tables that fit: nothing is wider than the terminal, and the answer is always whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbell.cli.terminal.table import Cell, table_lines


COLUMNS = ["time (UTC)", "level", "rule", "call", "actor", "resource", "account", "region"]
ROW: list[str | Cell] = [
    *("2026-11-20 09:00:00", Cell("critical", "bold red"), "kms-key-deletion-scheduled", "ScheduleKeyDeletion"),
    *("role/KeyAdmin (dana@example.com)", "11112222-3333-4444-5555-666677778888", "111122223333", "eu-central-1"),
]


_CELLS = st.text(st.characters(min_codepoint=32, max_codepoint=0x17E), max_size=60)


def plain(text: str, style: str) -> str:
    return text


def test_pipe_cuts_nothing() -> None:
    """A program reads it."""
    lines, left_out = table_lines(COLUMNS, [ROW], None, plain)

    assert left_out == []
    assert all(str(cell.text if isinstance(cell, Cell) else cell) in lines[1] for cell in ROW)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 149, 160, 200])
def test_answer_is_whole_at_every_width(width: int) -> None:
    """Call, resource and account: without them a line of a table says nothing."""
    lines, left_out = table_lines(COLUMNS, [ROW], width, plain)
    text = "\n".join(lines)

    assert max(map(len, lines)) <= width
    assert all(part in text for part in ("ScheduleKeyDeletion", "11112222-3333-4444-5555-666677778888", "111122223333"))
    assert {name.partition(" ")[0] for name in left_out} <= {"time", "level", "region"}


def test_stacked_rows_have_everything_whole() -> None:
    """What gave way for the sake of one line comes back with several: the date with its year, level, Region, person."""
    lines, left_out = table_lines(COLUMNS, [ROW], 80, plain)
    text = "\n".join(lines)

    assert left_out == []
    assert all(str(cell.text if isinstance(cell, Cell) else cell) in text for cell in ROW)


@pytest.mark.parametrize("width", range(40, 200, 10))
def test_person_behind_a_role_is_readable_at_every_width(width: int) -> None:
    """It stands at the end, so that is kept."""
    assert "dana@example.com)" in "\n".join(table_lines(COLUMNS, [ROW], width, plain)[0])


@given(
    st.lists(
        st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=0x17F), max_size=60), min_size=8, max_size=8),
        max_size=4,
    ),
    st.integers(20, 220),
)
def test_no_line_is_wider_than_the_terminal(rows: list[list[str]], width: int) -> None:
    """Whatever stands in the cells."""
    safe = [
        ["".join(char if char.isprintable() and char.isascii() else "?" for char in cell) for cell in row]
        for row in rows
    ]
    lines, _ = table_lines(COLUMNS, safe, width, plain)

    assert all(len(line) <= width for line in lines)
