"""What a line of a table is made of: which columns a width has room for, and how their cells become one strip."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal, TypeVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.text import Text
from textual.content import Content
from textual.strip import Strip
from textual.style import Style

from engine.clock import Clock
from engine.text import literal

MARK, BUSY, THEIRS = "●", "◌", "⇄"
MARKS = 2
"""Cells before the first column: one for what the operator marked, one for what another has changed."""
GAP = "  "


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Args:
        name: what it is sorted by: a name of `wfe_tui.window.ORDERS`, if it can be sorted.
        title: stands in the header.
        width: in cells; the least width if the column grows.
        justify: the side its text keeps to.
        grow: how many shares it takes of the width that is left over.
        priority: who goes first when the terminal is too narrow: the highest number, of equal ones the rightmost.
            A column of priority 0 never goes.
        is_extra: shown only where the user has chosen it.
    """

    name: str
    title: str
    width: int
    justify: Literal["left", "right"] = "left"
    grow: int = 0
    priority: int = 0
    is_extra: bool = False


Chosen = Sequence[tuple[str, int | None]]
"""The columns that a user has chosen: their names from left to right, each with its width, None for its own."""

Cell = Callable[[Any, Column], Text | Content]
"""Says what stands in a row's cell. It is asked once for a row as it was read: what shows the time that passes, an age,
needs `Window.forget` and a refresh of the table to be asked again."""


Row = TypeVar("Row")
Cells = Mapping[str, Callable[[Row, datetime], Content]]
"""What stands in the cell of a row, by the name of its column, at a moment."""


def cells(found: Cells[Any], now: Clock) -> Cell:
    """The cells of rows; `now` is the moment that ages are taken at."""
    return lambda row, column: found[column.name](row, now())


def arranged(columns: Sequence[Column], chosen: Chosen | None) -> list[Column]:
    """The columns as a user has chosen them; without a choice, all that are no extras.

    A width that was chosen stays: the column neither grows, nor goes where the terminal is narrow.
    """
    if chosen is None:
        return [column for column in columns if not column.is_extra]
    known = {column.name: column for column in columns}
    return [
        known[name] if width is None else replace(known[name], width=max(1, width), grow=0, priority=0)
        for name, width in chosen
        if name in known
    ]


def fit(columns: Sequence[Column], width: int) -> list[tuple[Column, int]]:
    """The columns that a table of `width` cells shows, each with its width in cells.

    Columns go by priority until the rest fits, then the growing ones share what is left. Where even the columns of
    priority 0 do not fit, the table is wider than its place and scrolls sideways.
    """
    shown = list(columns)
    while total_width(shown) > width and any(column.priority for column in shown):
        shown.remove(max(reversed(shown), key=lambda column: column.priority))
    left, shares = max(0, width - total_width(shown)), sum(column.grow for column in shown)
    fitted = []
    for column in shown:
        extra = -(-left * column.grow // shares) if column.grow else 0
        fitted.append((column, column.width + extra))
        left, shares = left - extra, shares - column.grow
    return fitted


def total_width(columns: Iterable[Column]) -> int:
    """The cells that columns need at least, with the marks before them and the gaps between them."""
    return MARKS + sum(column.width + len(GAP) for column in columns) - len(GAP)


def column_at(x: int, shown: Iterable[tuple[Column, int]]) -> Column | None:
    """The column that stands `x` cells from the left, the gap behind it included; None over the marks and beyond."""
    left = MARKS
    for column, width in shown:
        if left <= x < left + width + len(GAP):
            return column
        left += width + len(GAP)
    return None


def header(shown: Iterable[tuple[Column, int]], order: str, reverse: bool, style: Style) -> Strip:
    """The line of the titles, with an arrow at the column named `order`: ▲ the least first, ▼ the greatest first."""
    runs = [(" " * MARKS, style)]
    for column, width in shown:
        title = column.title
        if column.name == order:
            title = set_cell_size(title, min(cell_len(title), width - 1)) + ("▼" if reverse else "▲")
        runs += [*_padded(Content(title), width, column.justify, style), (GAP, style)]
    return _strip(runs)


def line(cells: Iterable[tuple[Text | Content, Column, int]], mark: str, base: Style, over: Style) -> Strip:
    """The line of a row.

    Args:
        cells: each with its column and that column's width.
        mark: what it begins with, in the place for marks.
        base: the style beneath the cells' own.
        over: the style above them, as the cursor's is.
    """
    runs = [(mark.ljust(MARKS), base + over)]
    for cell, column, width in cells:
        runs += [(text, style + over) for text, style in _padded(_literal(cell), width, column.justify, base)]
        runs.append((GAP, base + over))
    return _strip(runs)


def _literal(cell: Text | Content) -> Content:
    # Whoever makes cells should have made their text literal; where he forgot, the styles' places fit no longer.
    content = cell if isinstance(cell, Content) else Content.from_rich_text(cell)
    plain = literal(content.plain)
    return content if plain == content.plain else Content(plain)


def _padded(content: Content, width: int, justify: str, base: Style) -> Iterator[tuple[str, Style]]:
    content = content.truncate(width, ellipsis=True)
    padding = (" " * (width - content.cell_length), base)
    if justify == "right":
        yield padding
    yield from content.render(base, end="")
    if justify == "left":
        yield padding


def _strip(runs: Iterable[tuple[str, Style]]) -> Strip:
    # Neighbours of one style become one segment: a frame is half as long, which ssh feels.
    visible = (run for run in runs if run[0])
    merged = groupby(visible, key=itemgetter(1))
    return Strip([Segment("".join(text for text, _ in group), style.rich_style) for style, group in merged])
