"""A failure of the console itself costs what failed, and not the console: Textual would end the loop that called it."""

import math
import time
from contextlib import suppress
from typing import Literal

from textual.app import App
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import ModalScreen, ScreenResultType
from textual.worker import WorkerFailed

from wfe_tui.reporting import report_file, sentence

Severity = Literal["information", "warning", "error"]

MOST_FAILURES = 20
"""After so many failures of the console itself in a minute it ends: it would go on failing."""


class Surviving(MessagePump):
    """Goes on after a handler of its own has raised; the app tells of it. In tests that is to be seen, and ends it."""

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            if not getattr(self.app, "survives", False):
                raise
            self.app._handle_exception(error)

    async def _flush_next_callbacks(self) -> None:
        try:
            await super()._flush_next_callbacks()
        except Exception as error:
            if not getattr(self.app, "survives", False):
                raise
            self.app._handle_exception(error)


class Dialog(Surviving, ModalScreen[ScreenResultType]):
    """A modal screen of this console."""

    CSS_PATH = "screens.tcss"  # beside the module of the subclass


class SurvivingApp(Surviving, App[None]):
    """An app that tells of its own failures, and goes on; what is known of them is in a file."""

    def __init__(self) -> None:
        super().__init__()
        self.survives = False
        """A failure of the console itself is told, and it goes on; in tests it is to be seen."""
        self._failures: list[float] = []
        self._told: dict[str, float] = {}

    @property
    def place(self) -> str:
        """What is in front, for the report of a failure."""
        raise NotImplementedError

    def say(self, text: str, *, severity: Severity = "information") -> None:
        """Tell the operator something."""
        raise NotImplementedError

    def _handle_exception(self, error: Exception) -> None:
        cause = error.error if isinstance(error, WorkerFailed) and isinstance(error.error, Exception) else error
        said, now = sentence(cause), time.monotonic()
        self._failures = [then for then in self._failures if now - then < 60] + [now]
        if not self.survives or len(self._failures) > MOST_FAILURES:
            super()._handle_exception(error)
            return
        if now - self._told.get(said, -math.inf) < 60:
            return  # what fails each second is said once a minute
        self._told[said] = now
        path = report_file(cause, self.place, self.size)
        with suppress(Exception):  # what fails here fails while it is said that something failed
            self.say(f"{said}\nThe console goes on. A report to send: {path}", severity="error")
