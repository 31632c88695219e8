"""Asks for the file into which what is shown is written, and writes it."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from engine.exceptions import EngineError
from engine.text import literal
from wfe_tui.surviving import Dialog

if TYPE_CHECKING:
    from wfe_tui.app import WfeApp

Write = Callable[[Path, Callable[[str], object]], str]
"""Writes a file, and answers what it has written; meanwhile it says how far it is."""


class ExportScreen(Dialog[None]):
    """A line for the name of the file.

    Args:
        title: what is written.
        question: what is asked.
        name: that is proposed.
        write: writes it; called in a thread.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Close", show=False)]

    def __init__(self, title: str, question: str, name: str, write: Write) -> None:
        super().__init__()
        self._title = title
        self._question = question
        self._proposed = name
        self._writes = write

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = self._title
            box.border_subtitle = "enter writes · esc closes"
            yield Static(self._question, markup=False)
            yield Input(self._proposed, compact=True)
            yield Static(id="said", markup=False)

    @on(Input.Submitted)
    @work
    async def _write(self, message: Input.Submitted) -> None:
        said, path = self.query_one("#said", Static), Path(message.value).expanduser().absolute()

        def progress(text: str) -> None:
            self.app.call_from_thread(said.update, text)

        try:
            written = await asyncio.to_thread(self._writes, path, progress)
        except EngineError as error:
            said.update(literal(str(error)))
            return
        cast("WfeApp", self.app).say(f"{written} written to {path}")
        self.dismiss()


def file_name(what: str, ending: str, moment: datetime) -> str:
    """The name that is proposed for a file that is written at a moment (aware)."""
    return f"{what}-{moment.astimezone():%Y%m%d-%H%M%S}.{ending}"
