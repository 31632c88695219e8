"""The apps beside which the console is measured, on stock Textual.

    .venv/bin/python tests/benchmarks/peer_apps.py empty|datatable|arrow STORE

Both tables hold all rows of the store, read once as the programmer of a small tool would: with plain SQL, before
anything is drawn.
"""

import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from textual.app import App, ComposeResult
from textual.events import Key
from textual.widgets import Static

COLUMNS = ("Entry", "State", "Progress", "Task", "Reason", "Repeat", "Att", "Age")
BATCH = 10_000


class Empty(App[None]):
    """The least that answers a key: one text."""

    pressed = 0

    def compose(self) -> ComposeResult:
        yield Static("pressed 0 times")

    def on_key(self, event: Key) -> None:
        """Any key but that which quits."""
        self.pressed += 1
        self.query_one(Static).update(f"pressed {self.pressed} times")


class Stock(App[None]):
    """Textual's own DataTable."""

    def compose(self) -> ComposeResult:
        from textual.widgets import DataTable

        table: DataTable[str] = DataTable(cursor_type="row")
        table.add_columns(*COLUMNS)
        table.add_rows(rows(sys.argv[2]))
        yield table


class Arrow(App[None]):
    """textual-fastdatatable over Arrow."""

    def compose(self) -> ComposeResult:
        import pyarrow
        from textual_fastdatatable import ArrowBackend, DataTable

        found, batches = rows(sys.argv[2]), []
        while some := list(islice(found, BATCH)):
            columns = [list(column) for column in zip(*some, strict=True)]
            batches.append(pyarrow.RecordBatch.from_pydict(dict(zip(COLUMNS, columns, strict=True))))
        backend = ArrowBackend(pyarrow.Table.from_batches(batches))
        yield DataTable(backend=backend, cursor_type="row", render_markup=False)


def rows(path: str) -> Iterator[tuple[str, ...]]:
    """What stands in the columns, entry by entry."""
    import orjson

    now = datetime.now(UTC)
    connection = sqlite3.connect(path)
    for (text,) in connection.execute("SELECT doc FROM entries ORDER BY id"):
        document = orjson.loads(text)
        updated = datetime.fromisoformat(document["updated"])
        yield (
            document["key"],
            document["state"],
            f"{document['done']}/{len(document['tasks'])}",
            document["task"] or "",
            document["reason"],
            "on" if document["repeat"] else "",
            str(document["attempts"]),
            f"{(now - updated).total_seconds() / 3600:.0f} h",
        )
    connection.close()


if __name__ == "__main__":
    {"empty": Empty, "datatable": Stock, "arrow": Arrow}[sys.argv[1]]().run()
