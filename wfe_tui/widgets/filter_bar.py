"""Where a filter is typed: what completes it stands behind the cursor, what is wrong with it below."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.css.query import NoMatches
from textual.getters import query_one
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Static

from engine.exceptions import EngineError
from engine.filter import FilterError
from engine.filter.completion import Completion
from engine.text import literal

Completions = Callable[[str], Sequence[Completion]]
"""What may follow a text, asked in a thread."""

PLACEHOLDER = "words, or state:failed task:Ship key:A-* age:>2h data.country:DE  - not  | or  ( )  /regex/"
SHOWN = 8
"""So many completions are shown."""


class FilterBar(Vertical):
    """A line of words; see `engine.filter`. `source` completes them, if there is one: → takes the first completion."""

    class Changed(Message):
        """Another filter stands there."""

        def __init__(self, value: str) -> None:
            super().__init__()
            self.value = value

    class Submitted(Message):
        """The operator is done with typing."""

    line = query_one(Input)
    hint = query_one("#hint", Static)

    def __init__(self) -> None:
        super().__init__()
        self.source: Completions | None = None
        self._complaint: FilterError | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="hint", markup=False)
        yield _Line(placeholder=PLACEHOLDER, compact=True, suggester=_Completing(self))

    def on_mount(self) -> None:
        """Nothing is wrong yet."""
        self.hint.display = False

    @property
    def value(self) -> str:
        """The filter."""
        return self.line.value

    @value.setter
    def value(self, text: str) -> None:
        self.line.value = text

    def focus(self, scroll_visible: bool = True) -> "FilterBar":
        self.line.focus(scroll_visible)
        return self

    def complain(self, error: FilterError | None) -> None:
        """Say what is wrong with the filter, and where; None if nothing is."""
        self._complaint = error
        if error is not None:
            start, end = error.start, max(error.end, error.start + 1)
            where = literal(self.value[start:end]) or "the end"
            self.hint.update(Content.assemble((f"at {start + 1}, {where}: ", "bold $text-error"), literal(str(error))))
            self.hint.display = True

    def offer(self, found: Sequence[Completion]) -> None:
        """Show what may follow."""
        if self._complaint is None:
            self.hint.display = bool(found) and self.is_typed_in
            more = f"  … {len(found) - SHOWN} more" if len(found) > SHOWN else ""
            names = "  ".join(literal(each.text) for each in found[:SHOWN])
            self.hint.update(Content.assemble(("→ ", "bold"), names, more))

    @property
    def is_typed_in(self) -> bool:
        """Whether the operator types in it."""
        return self.line.has_focus

    @on(Input.Changed)
    def _changed(self, message: Input.Changed) -> None:
        message.stop()
        if self._complaint is not None:
            self._complaint = None
            self.hint.display = False
        self.post_message(self.Changed(message.value))

    @on(Input.Submitted)
    def _submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.offer([])
        self.post_message(self.Submitted())


class _Line(Input):
    def validate_value(self, value: str) -> str:
        """What is pasted may hold what commands the terminal: it becomes what the list shows of it."""
        return literal(value)


class _Completing(Suggester):
    """Asks the store in a thread."""

    def __init__(self, bar: FilterBar) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._bar = bar

    async def get_suggestion(self, value: str) -> str | None:
        if self._bar.source is None or self._bar.line.cursor_position < len(value):
            return None
        try:
            found = await asyncio.to_thread(self._bar.source, value)
        except EngineError:  # the feed tells
            return None
        with suppress(NoMatches):  # the screen is just being taken down
            if value == self._bar.value:
                self._bar.offer(found)
        return value[: found[0].start] + found[0].text if found else None
