"""Which columns a list shows, in which order and how wide."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from wfe_tui.surviving import Dialog
from wfe_tui.widgets.columns import Chosen, Column, arranged


class ColumnsScreen(Dialog[list[tuple[str, int | None]] | None]):
    """Answers the columns that are shown, from left to right; an empty list for those of the beginning, None for no
    change.

    Args:
        columns: all that there are.
        chosen: those that are shown now; None for those of the beginning.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("space", "show_column", "Show", show=False),
        Binding("J,shift+down", "shift(1)", "Later", show=False),
        Binding("K,shift+up", "shift(-1)", "Earlier", show=False),
        Binding("plus,right,l", "widen(1)", "Wider", show=False),
        Binding("minus,left,h", "widen(-1)", "Narrower", show=False),
        Binding("equals_sign", "own_width", "Own width", show=False),
        Binding("r", "dismiss([])", "Reset", show=False),
        Binding("enter", "done", "Done", show=False),
        Binding("escape,q", "dismiss(None)", "Close", show=False),
    ]

    def __init__(self, columns: Sequence[Column], chosen: Chosen | None) -> None:
        super().__init__()
        widths = dict(chosen or ())
        shown = [column.name for column in arranged(columns, chosen)]
        self._known = {column.name: column for column in columns}
        self._names = shown + [column.name for column in columns if column.name not in shown]
        self._shown = set(shown)
        self._widths = {name: widths.get(name) for name in self._names}
        self._at = 0

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="box", can_focus=False) as box:
            box.border_title = "Columns"
            box.border_subtitle = "space shows · J K move · + - width · = its own · r as at first · enter done"
            yield Static(markup=False)

    def on_mount(self) -> None:
        """Show them."""
        self._show()

    def _show(self) -> None:
        lines = []
        for place, name in enumerate(self._names):
            width = self._widths[name]
            mark = "●" if name in self._shown else " "
            text = f"{mark} {self._known[name].title:<12} {f'{width} wide' if width else ''}"
            lines.append(Content.styled(f" {text:<28}", "reverse" if place == self._at else ""))
        self.query_one(Static).update(Content("\n").join(lines))

    def action_move(self, by: int) -> None:
        """Go to another column."""
        self._at = (self._at + by) % len(self._names)
        self._show()

    def action_show_column(self) -> None:
        """Show the column, or show it no more; the last one stays."""
        name = self._names[self._at]
        if self._shown != {name}:
            self._shown ^= {name}
        self._show()

    def action_shift(self, by: int) -> None:
        """Move the column."""
        to = self._at + by
        if 0 <= to < len(self._names):
            self._names[self._at], self._names[to] = self._names[to], self._names[self._at]
            self._at = to
        self._show()

    def action_widen(self, by: int) -> None:
        """Make the column wider or narrower."""
        name = self._names[self._at]
        self._widths[name] = max(3, (self._widths[name] or self._known[name].width) + by)
        self._show()

    def action_own_width(self) -> None:
        """Give the column the width that it has by itself."""
        self._widths[self._names[self._at]] = None
        self._show()

    def action_done(self) -> None:
        """Show the list so."""
        self.dismiss([(name, self._widths[name]) for name in self._names if name in self._shown])
