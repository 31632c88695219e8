"""What a line of a table is made of: which columns a width has room for, and how their cells become one strip."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Literal

from rich.segment import Segment
from rich.text import Text
from textual.content import Content
from textual.strip import Strip
from textual.style import Style

from engine.records import EntryRow
from engine.text import literal

MARK = "● "
GAP = "  "


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Args:
        name: what it is sorted by: a name of `wfe_tui.window.ORDERS`, if it can be sorted.
        title: stands in the header.
        width: in cells; the least width if the column grows.
        justify: the side its text keeps to.
        grow: takes a share of the width that is left over.
        priority: who goes first when the terminal is too narrow: the highest number, of equal ones the rightmost.
            A column of priority 0 never goes.
    """

    name: str
    title: str
    width: int
    justify: Literal["left", "right"] = "left"
    grow: bool = False
    priority: int = 0


Cell = Callable[[EntryRow, Column], Text | Content]
"""Says what stands in a row's cell."""


def fit(columns: Sequence[Column], width: int) -> list[tuple[Column, int]]:
    """The columns that a table of `width` cells shows, each with its width in cells.

    Columns go by priority until the rest fits, then the growing ones share what is left. Where even the columns of
    priority 0 do not fit, the table is wider than its place and scrolls sideways.
    """
    shown = list(columns)
    while total_width(shown) > width and any(column.priority for column in shown):
        shown.remove(max(reversed(shown), key=lambda column: column.priority))
    growing = [column for column in shown if column.grow]
    share, odd = divmod(max(0, width - total_width(shown)), len(growing) or 1)
    extra = {column: share + (place < odd) for place, column in enumerate(growing)}
    return [(column, column.width + extra.get(column, 0)) for column in shown]


def total_width(columns: Iterable[Column]) -> int:
    """The cells that columns need at least, with the marks before them and the gaps between them."""
    return len(MARK) + sum(column.width + len(GAP) for column in columns) - len(GAP)


def column_at(x: int, shown: Iterable[tuple[Column, int]]) -> Column | None:
    """The column that stands `x` cells from the left, the gap behind it included; None over the marks and beyond."""
    left = len(MARK)
    for column, width in shown:
        if left <= x < left + width + len(GAP):
            return column
        left += width + len(GAP)
    return None


def safe(cell: Text | Content) -> Content:
    """A cell's content made literal. It loses its styles where it was not: their places no longer fit the text."""
    content = cell if isinstance(cell, Content) else Content.from_rich_text(cell)
    plain = literal(content.plain)
    return content if plain == content.plain else Content(plain)


def padded(content: Content, width: int, justify: str, base: Style) -> Iterator[tuple[str, Style]]:
    """The text and styles of a cell of exactly `width` cells; what does not fit is cut with `…`."""
    content = content.truncate(width, ellipsis=True)
    padding = (" " * (width - content.cell_length), base)
    if justify == "right":
        yield padding
    yield from content.render(base, end="")
    if justify == "left":
        yield padding


def one_strip(runs: Iterable[tuple[str, Style]]) -> Strip:
    """The line of these texts. Neighbours of one style become one segment: a frame is half as long, which ssh feels."""
    visible = (run for run in runs if run[0])
    merged = groupby(visible, key=itemgetter(1))
    return Strip([Segment("".join(text for text, _ in group), style.rich_style) for style, group in merged])
