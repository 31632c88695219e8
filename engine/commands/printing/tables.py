"""How results are drawn: what prints for people says what stands where; only here it is drawn.

On a terminal they are as wide as it is, with colours as `rich` has them: none with NO_COLOR or TERM=dumb. In a pipe
each row is one line, however long, so that no key is cut or folded; it takes no `rich` there, but for FORCE_COLOR.
"""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from engine.text import literal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

Cell = str | tuple[str, str]
"""A text, which is made literal; or such a text with a style of `rich`."""


def json_line(value: dict[str, Any]) -> None:
    """One object for programs."""
    sys.stdout.write(orjson.dumps(value).decode() + "\n")


def line(*parts: Cell) -> None:
    """One line, of parts that follow one another."""
    if _is_plain():
        _write("".join(map(_literal, parts)))
        return
    from rich.text import Text

    _console().print(Text.assemble(*map(_text, parts)))


def block(text: str) -> None:
    """A text on lines of its own."""
    if _is_plain():
        _write(literal(text, lines=True))
        return
    from rich.text import Text

    _console().print(Text(literal(text, lines=True)))


def table(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Rows of cells, each as many as there are heads, in columns under these."""
    if _is_plain():
        _write_columns([heads, *([_literal(cell) for cell in row] for row in rows)])
        return
    from rich.table import Table

    drawn = Table(box=None, pad_edge=False, header_style="dim")
    for head in heads:
        drawn.add_column(head, overflow="fold", no_wrap=head in _WHOLE)
    for row in rows:
        drawn.add_row(*(_text(cell) for cell in row))
    _console().print(drawn)


_WHOLE = ("STATE", "DONE", "AGE")
"""The columns that are not broken into lines, however narrow the terminal is."""


def width() -> int | None:
    """How many columns the terminal has; None where there is none, and a line may be as long as it likes."""
    return _console().width if sys.stdout.isatty() else None


def _is_plain() -> bool:
    return not (sys.stdout.isatty() or os.environ.get("FORCE_COLOR"))


def _write(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _write_columns(rows: Sequence[Sequence[str]]) -> None:
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True))
        _write("  ".join(cells).rstrip())


def _literal(cell: Cell) -> str:
    return literal(cell if isinstance(cell, str) else cell[0])


def _console() -> "Console":
    from rich.console import Console

    is_terminal = sys.stdout.isatty()
    return Console(width=None if is_terminal else 10_000, soft_wrap=not is_terminal, highlight=False)


def _text(cell: Cell) -> "Text":
    from rich.text import Text

    return Text(_literal(cell), "" if isinstance(cell, str) else cell[1])
