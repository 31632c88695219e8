"""Asks before an act on many entries, or one that cannot be undone."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.text import literal

NAMED = 8
"""How many of the entries are named; the others are counted."""


class Confirm(ModalScreen[bool]):
    """A question, and the entries that it is about."""

    CSS_PATH = "entries.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "dismiss(True)", "Yes", show=False),
        Binding("n,escape,q", "dismiss(False)", "No", show=False),
    ]

    def __init__(self, question: str, keys: Sequence[str]) -> None:
        super().__init__()
        self._question = question
        self._keys = keys

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_subtitle = "y yes · n no"
            more = [f"… and {len(self._keys) - NAMED} more"] if len(self._keys) > NAMED else []
            names = [literal(key) for key in self._keys[:NAMED]]
            yield Static(Content.styled(self._question, "bold"))
            yield Static(Content("\n".join(names + more)), id="named")
