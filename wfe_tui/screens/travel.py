"""Asks for a moment that has passed, to see everything as it was then."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Input, Static

from engine.clock import Clock, age, in_words, local_time, parse_past
from engine.exceptions import EngineError, InputError
from engine.past.looking_back import Past, errors_over, reach
from engine.store import Store
from engine.text import counted, literal
from wfe_tui.surviving import Dialog
from wfe_tui.widgets.time_bar import TimeBar


@dataclass(frozen=True)
class Destination:
    """A moment that has passed; None is the present."""

    moment: datetime | None


class TravelScreen(Dialog[Destination | None]):
    """Answers where to go.

    Args:
        store: as it is now.
        past: what is looked at, if it is the past.
        clock: the present.
    """

    AUTO_FOCUS = "TimeBar"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close", show=False),
        Binding("enter", "go", "Go", show=False),
        Binding("n", "now", "Now", show=False),
    ]

    said = query_one("#said", Static)

    def __init__(self, store: Store, past: Past | None, clock: Clock) -> None:
        super().__init__()
        self._store = store
        self._past = past
        self._clock = clock
        self._now = clock()
        self._begin: datetime | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = "Time travel"
            box.border_subtitle = "enter goes · n now · esc closes"
            yield Static(id="moment", markup=False)
            with Vertical(id="bar"):
                yield Static("looking how far back is known …", markup=False)
            yield Static("← → a minute · shift ten · ↑ ↓ an hour · pgup pgdn a day · home end", markup=False, id="keys")
            yield Input(placeholder="or type it: 02:15, 2026-11-27 02:15, 2h", compact=True, select_on_focus=False)
            yield Static(id="said", markup=False)

    def on_mount(self) -> None:
        """Find out how far back the store knows."""
        if self._past is not None:
            unknown = [f"· {literal(sentence)}" for sentence in self._past.unknown]
            title = f"Not known of {local_time(self._past.moment)}:" if unknown else ""
            self.said.update("\n".join([title, *unknown]))
        self._look()

    @work
    async def _look(self) -> None:
        try:
            self._begin = await asyncio.to_thread(reach, self._store)
        except EngineError as error:
            self.said.update(literal(str(error)))
            return
        if self._begin is None:
            self.said.update("nothing has happened yet: there is no past to look at")
            return
        bar = TimeBar(self._begin, self._now, self._past.moment if self._past else self._now)
        await self.query_one("#bar").remove_children()
        await self.query_one("#bar").mount(bar)
        bar.focus()
        self._show(TimeBar.Moved(bar.moment))
        self.call_after_refresh(self._count, bar)

    @work
    async def _count(self, bar: TimeBar) -> None:
        bar.show_errors(await asyncio.to_thread(errors_over, self._store, bar.begin, bar.end, bar.parts))
        self._show(TimeBar.Moved(bar.moment))

    @on(TimeBar.Moved)
    def _show(self, message: TimeBar.Moved) -> None:
        bar = self.query_one(TimeBar)
        if bar.moment >= bar.end:
            self.query_one("#moment", Static).update(Content.styled("now", "bold"))
            return
        each = in_words((bar.end - bar.begin).total_seconds() / bar.parts)
        errors = f" · {counted(bar.errors[bar.place], 'error')} within {each}" if bar.errors else ""
        said = f"  {age(bar.moment, self._now)} ago{errors}"
        self.query_one("#moment", Static).update(Content.assemble((local_time(bar.moment), "bold"), said))

    # --- keys

    def on_key(self, event: events.Key) -> None:
        """Whoever types a moment need not go to the field first."""
        field = self.query_one(Input)
        typed = event.character if event.is_printable and event.character else ""
        if typed and not field.has_focus and (field.value or typed.isdigit()):
            field.value += typed
            field.cursor_position = len(field.value)
            field.focus()
            event.stop()

    def action_go(self) -> None:
        """Go to where the slider points."""
        for bar in self.query(TimeBar):
            self.dismiss(Destination(bar.moment if bar.moment < bar.end else None))

    def action_now(self) -> None:
        """Come back to the present."""
        self.dismiss(Destination(None))

    @on(Input.Submitted)
    def _submitted(self, message: Input.Submitted) -> None:
        message.stop()
        try:
            moment = parse_past(message.value, self._clock())
            if self._begin is None or moment < self._begin:
                first = f"knows nothing of before {local_time(self._begin)}" if self._begin else "is empty"
                raise InputError(f"nothing can be said of {local_time(moment)}: the store {first}")
        except InputError as error:
            self.said.update(literal(str(error)))
        else:
            self.dismiss(Destination(moment))
