"""Writes what is shown into a new file; what a list shows, its rows in their order and its columns, as CSV, or as one
JSON object a line."""

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson
from textual.content import Content

from engine.exceptions import InputError
from wfe_tui.widgets.columns import Cell, Column
from wfe_tui.window import PAGE, Window

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula, and executes."""


@dataclass(frozen=True)
class Cells:
    """What a list shows, as text; read page by page, in any thread."""

    window: Window[Any]
    columns: Sequence[Column]
    cell: Cell

    def rows(self) -> Iterator[list[str]]:
        """The cells of each row, in full, from left to right."""
        ids = self.window.ids[:]
        for start in range(0, len(ids), PAGE):
            page = ids[start : start + PAGE]
            found = self.window.read(page)
            for number in page:
                if number in found:
                    yield [_plain(self.cell(found[number], column)) for column in self.columns]

    def __len__(self) -> int:
        return len(self.window.ids)


def export(cells: Cells, path: Path, progress: Callable[[int, int], object] = lambda done, of: None) -> int:
    """Write a new file that its user alone may read; how many rows were written.

    Args:
        cells: what is shown.
        path: ends with `.csv`, or `.jsonl` for one JSON object a line.
        progress: is told how many rows of how many are written.

    Raises:
        InputError: the file is there already, cannot be written, or has another ending.
    """
    if path.suffix not in (".csv", ".jsonl"):
        raise InputError(f"{path.name} has to end with .csv or .jsonl, which says how it is written")
    written = 0
    with new_file(path) as file:
        table = csv.writer(file)
        names = [column.name for column in cells.columns]
        if path.suffix == ".csv":
            table.writerow(names)
        for row in cells.rows():
            if path.suffix == ".csv":
                table.writerow([f"'{text}" if text.startswith(FORMULA) else text for text in row])
            else:
                file.write(orjson.dumps(dict(zip(names, row, strict=True))).decode() + "\n")
            written += 1
            if written % (16 * PAGE) == 0:
                progress(written, len(cells))
    return written


@contextmanager
def new_file(path: Path) -> Iterator[IO[str]]:
    """A new file to write into, that its user alone may read.

    Raises:
        InputError: it is there already, or cannot be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            yield file
    except FileExistsError:
        raise InputError(f"{path} is there already: name another file") from None
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error


def _plain(content: Any) -> str:
    return content.plain if isinstance(content, Content) else str(content)
