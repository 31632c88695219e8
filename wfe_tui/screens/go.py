"""Asks for the path of a place."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from wfe_tui.surviving import Dialog

EXAMPLES = (
    "entries · entries?state:failed · entries/KEY · errors · errors/v1:9f2a · errors/ERROR_ID · runs/12 · actions/7"
    " · share?state:failed · compare/KEY · compare/KEY?attempts:1,3 · compare/KEY?with:KEY"
)


class GoScreen(Dialog[str | None]):
    """Answers what was typed.

    Args:
        here: the path of the place that is shown, to begin from.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Close", show=False)]

    def __init__(self, here: str) -> None:
        super().__init__()
        self._here = here

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = "Go to"
            box.border_subtitle = "enter goes · esc closes"
            yield Static(EXAMPLES, markup=False)
            yield Input(self._here, compact=True, suggester=SuggestFromList(["entries", "errors", "runs", "actions"]))

    @on(Input.Submitted)
    def _submitted(self, message: Input.Submitted) -> None:
        self.dismiss(message.value.strip() or None)
