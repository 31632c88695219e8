"""What the engine processes that the console started have printed."""

import shlex
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from engine.text import literal
from wfe_tui.child import Child
from wfe_tui.surviving import Dialog


class OutputScreen(Dialog[None]):
    """The newest process first; it follows while one runs."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,o", "dismiss", "Close", show=False)]

    def __init__(self, children: Sequence[Child]) -> None:
        super().__init__()
        self._children = children
        self._shown = Content("")

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="box") as box:
            box.border_title = "Engine processes started here"
            box.border_subtitle = "esc closes"
            yield Static(markup=False)

    def on_mount(self) -> None:
        """Show the output, and what is added to it."""
        self._show()
        self.set_interval(0.5, self._show)

    def _show(self) -> None:
        parts = [_content(child) for child in reversed(self._children)]
        nothing = Content.styled("none yet: N starts a run, R restarts an entry", "$text-muted")
        shown = Content("\n").join(parts) if parts else nothing
        if shown != self._shown:  # what a mouse has selected in it stays selected
            self._shown = shown
            self.query_one(Static).update(shown)


def _content(child: Child) -> Content:
    if child.runs:
        fate = Content.styled("runs", "$text-accent")
    else:
        fate = Content.styled(
            f"ended with exit code {child.exit_code}", "$text-error" if child.failed else "$text-muted"
        )
    command = literal(shlex.join(child.command.argv))
    head = Content.assemble((literal(child.processor), "bold"), "  ", fate, "\n", (f"$ {command}", "$text-muted"), "\n")
    return head + Content(literal(child.output.rstrip(), lines=True) + "\n")
