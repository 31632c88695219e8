"""Views of the entries with a name: saved, shown again, removed."""

from collections.abc import Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from engine.text import literal
from wfe_tui.memory import Shown
from wfe_tui.surviving import Dialog
from wfe_tui.widgets.cut import cut


class ViewsScreen(Dialog[tuple[dict[str, Shown], Shown | None] | None]):
    """Answers the views as they are to be kept, and the one that is to be shown.

    Args:
        views: those that were saved, by name.
        now: what is shown now, for a name that is typed.
    """

    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Close", show=False),
        Binding("delete,d", "remove", "Remove", show=False),
        Binding("n", "new", "New", show=False),
    ]

    def __init__(self, views: Mapping[str, Shown], now: Shown) -> None:
        super().__init__()
        self._views = dict(views)
        self._now = now

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = "Views"
            box.border_subtitle = "enter shows · n saves what is shown · d removes · esc closes"
            yield OptionList(markup=False)
            yield Static(Content.styled(f"now: {_words(self._now)}", "$text-muted"), markup=False)
            yield Input(placeholder="a name for what is shown now (n)", compact=True)

    def on_mount(self) -> None:
        """Show what there is."""
        self._fill()

    def _fill(self) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            Option(Content.assemble((literal(name), "bold"), (f"  {_words(view)}", "$text-muted")))
            for name, view in sorted(self._views.items())
        )
        options.display = bool(self._views)
        options.highlighted = 0 if self._views else None
        if not self._views:
            self.query_one(Input).focus()

    @on(OptionList.OptionSelected)
    def _chosen(self, message: OptionList.OptionSelected) -> None:
        self.dismiss((self._views, self._views[sorted(self._views)[message.option_index]]))

    @on(Input.Submitted)
    def _save(self, message: Input.Submitted) -> None:
        if name := literal(message.value.strip()):
            self._views[name] = self._now
            self.dismiss((self._views, None))

    def action_new(self) -> None:
        """Save what is shown under a name."""
        self.query_one(Input).focus()

    def action_remove(self) -> None:
        """Remove the view at the cursor."""
        at = self.query_one(OptionList).highlighted
        if at is not None and self._views:
            del self._views[sorted(self._views)[at]]
            self._fill()

    def action_close(self) -> None:
        """Keep what is left."""
        self.dismiss((self._views, None))


def _words(view: Shown) -> str:
    order = "" if view.order == "arrival" else f"  by {view.order}{', reversed' if view.reverse else ''}"
    return literal(cut(view.filter or "all", 60)) + order
