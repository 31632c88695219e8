"""How results are drawn: what prints for people says what stands where; only here, and only then, `rich` is loaded.

On a terminal they are as wide as it is; in a pipe each row is one line, however long, so that no key is cut or folded.
Colours are as `rich` has them: none in a pipe unless FORCE_COLOR is set, none with NO_COLOR or TERM=dumb.
"""

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
    from rich.text import Text

    _console().print(Text.assemble(*map(_text, parts)))


def block(text: str) -> None:
    """A text on lines of its own."""
    from rich.text import Text

    _console().print(Text(literal(text, lines=True)))


def table(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Rows of cells, each as many as there are heads, in columns under these."""
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


def _console() -> "Console":
    from rich.console import Console

    is_terminal = sys.stdout.isatty()
    return Console(width=None if is_terminal else 10_000, soft_wrap=not is_terminal, highlight=False)


def _text(cell: Cell) -> "Text":
    from rich.text import Text

    text, style = (cell, "") if isinstance(cell, str) else cell
    return Text(literal(text), style)
