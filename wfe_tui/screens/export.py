"""Asks for the file into which what is shown is written, and writes it."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from engine.exceptions import EngineError
from engine.text import counted, literal
from wfe_tui.exporting import Cells, export
from wfe_tui.surviving import Dialog

if TYPE_CHECKING:
    from wfe_tui.app import WfeApp


class ExportScreen(Dialog[None]):
    """A line for the name of the file.

    Args:
        area: what the list is of.
        cells: what is written.
        moment: for the name that is proposed (UTC).
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Close", show=False)]

    def __init__(self, area: str, cells: Cells, moment: datetime) -> None:
        super().__init__()
        self._cells = cells
        self._proposed = f"{area}-{moment.astimezone():%Y%m%d-%H%M%S}.csv"

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = (
                f"Export {counted(len(self._cells), 'row')}, {counted(len(self._cells.columns), 'column')}"
            )
            box.border_subtitle = "enter writes · esc closes"
            yield Static("Into which file? .csv, or .jsonl for one JSON object a line.", markup=False)
            yield Input(self._proposed, compact=True)
            yield Static(id="said", markup=False)

    @on(Input.Submitted)
    @work
    async def _write(self, message: Input.Submitted) -> None:
        said, path = self.query_one("#said", Static), Path(message.value).expanduser().absolute()

        def progress(done: int, of: int) -> None:
            self.app.call_from_thread(said.update, f"{done} of {of} rows")

        try:
            written = await asyncio.to_thread(export, self._cells, path, progress)
        except EngineError as error:
            said.update(literal(str(error)))
            return
        cast("WfeApp", self.app).say(f"{counted(written, 'row')} written to {path}")
        self.dismiss()
