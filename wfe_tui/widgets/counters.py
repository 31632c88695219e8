"""How many entries stand in each state, in one line; a click filters by it."""

from collections import Counter
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from engine.state import URGENCY, State
from engine.text import counted
from wfe_tui.widgets.states import COLOURS, GLYPHS


class StateCount(Static):
    """One state's count."""

    @dataclass
    class Chosen(Message):
        """A count was clicked."""

        state: State | None

    def __init__(self, state: State | None) -> None:
        super().__init__(markup=False)
        self.state = state
        self._number: int | None = None

    def show(self, number: int) -> None:
        """Show a count; that of a state without entries is not shown."""
        if number == self._number:
            return
        self._number = number
        self.display = bool(number) or self.state is None
        if self.state is None:
            self.update(Content(counted(number, "entry", "entries")).stylize("bold", 0, len(str(number))))
        else:
            self.update(Content.styled(f"{GLYPHS[self.state]} {number} {self.state}", COLOURS[self.state]))

    def on_click(self) -> None:
        """Tell which state it was."""
        self.post_message(self.Chosen(self.state))


class Counters(Horizontal):
    """The counts of all states, of the same entries as the list shows."""

    def compose(self) -> ComposeResult:
        yield StateCount(None)
        for state in URGENCY:
            yield StateCount(state)
        yield Static(id="marks", markup=False)
        yield Static(id="liveness", markup=False)

    def show_marks(self, number: int) -> None:
        """Show how many entries are marked."""
        self.query_one("#marks", Static).update(f"● {number} marked" if number else "")

    def show_liveness(self, text: str) -> None:
        """Show that the rows stand still, and how many changes wait."""
        self.query_one("#liveness", Static).update(text)

    def show(self, counts: Counter[State]) -> None:
        """Show these counts."""
        for counter in self.query(StateCount):
            counter.show(counts.total() if counter.state is None else counts[counter.state])
