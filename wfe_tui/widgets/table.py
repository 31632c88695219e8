"""The console's table. It holds no rows: it asks a `Window` for those on the screen and draws them line by line, so a
key costs the same over ten entries and over a million."""

import asyncio
from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import events
from textual.binding import BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size, clamp
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style

from engine.exceptions import EngineError
from wfe_tui.actions import bindings
from wfe_tui.surviving import Surviving
from wfe_tui.widgets.columns import BUSY, MARK, THEIRS, Cell, Column, column_at, fit, header, line, total_width
from wfe_tui.window import Window

SIDEWAYS = 8
"""Cells that one press of left or right scrolls."""


class StoreTable(Surviving, ScrollView, can_focus=True):
    """A table of rows with a header, a row cursor and marks.

    Rows, cursor and marks are its window's; rows that the window does not know yet are read in a thread, and drawn when
    they are there. Who changes the window says so: `rows_changed` after `Window.changed`, `window_changed` after
    `Window.accept`. A click on a header only posts `HeaderSelected`; sorting is the window's.

    Args:
        window: what is drawn.
        columns: from left to right.
        cell: the content of a cell; what would command the terminal is made visible, whoever forgot to.
        can_mark: its rows can be marked.
        id: the widget's id.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"store-table--header", "store-table--cursor", "store-table--marked"}
    DEFAULT_CSS = """
    StoreTable {
        height: 1fr;
        background: $surface;
        color: $foreground;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        & > .store-table--header { background: $panel; color: $foreground; text-style: bold; }
        & > .store-table--marked { background: $accent 20%; }
        & > .store-table--cursor {
            background: $block-cursor-blurred-background;
            color: $block-cursor-blurred-foreground;
        }
        &:focus > .store-table--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: $block-cursor-text-style;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("table")]

    @dataclass
    class RowHighlighted(Message):
        """The cursor is on another entry; None if there is none. A burst of them is handled as one."""

        id: int | None

        def can_replace(self, message: Message) -> bool:
            """Only where the cursor has come to rest matters."""
            return isinstance(message, StoreTable.RowHighlighted)

    @dataclass
    class RowChosen(Message):
        """The operator opens an entry."""

        id: int

    @dataclass
    class MarksChanged(Message):
        """Other entries are marked than before: `Window.marks`."""

    @dataclass
    class HeaderSelected(Message):
        """A column's header was clicked."""

        column: Column

    def __init__(
        self,
        window: Window[Any],
        columns: Sequence[Column],
        cell: Cell,
        *,
        can_mark: bool = True,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id)
        self._can_mark = can_mark
        self.window = window
        self.columns = tuple(columns)
        self._cell = cell
        self._shown: list[tuple[Column, int]] = []
        self._strips: LRUCache[Any, tuple[Any, bool, str, Strip]] = LRUCache(512)
        # What is drawn now: until `window_changed`, and to know afterwards what the operator was looking at.
        self._ids: array[int] = array("q")
        self._cursor: int | None = None
        self._marked = 0
        self._is_reading = False

    # What the window's owner tells

    def rows_changed(self, ids: Collection[int]) -> None:
        """These rows changed, not their order: read those that are on the screen, and repaint what looks different."""
        for index in self._on_screen(ids):
            self.window.row(index)
        self._read_soon()
        self._tell_marks()

    def redraw(self) -> None:
        """Draw every line anew: what is shown depends on the time that has passed."""
        self._strips.clear()
        self.refresh()

    def _on_screen(self, ids: Collection[Any]) -> list[int]:
        """Where those of these rows stand that are on the screen."""
        wanted, top = frozenset(ids), self.scroll_offset.y
        return [index for index, number in enumerate(self._ids[top : top + self._page], top) if number in wanted]

    def window_changed(self) -> None:
        """The window shows another answer: repaint it, and leave what the operator looks at where it is.

        The cursor's entry stays on its line of the screen; where the cursor is scrolled away, the topmost entry does.
        """
        top, window = self.scroll_offset.y, self.window
        before = None if self._cursor is None else self._ids[self._cursor]
        if self._cursor is not None and window.cursor is not None:
            topmost = self._ids[min(top, len(self._ids) - 1)]
            if top <= self._cursor < top + self._page:
                top += window.cursor - self._cursor
            elif topmost in window.ids:
                top = window.ids.index(topmost)
        self._ids, self._cursor = window.ids, window.cursor
        self._resize_content()
        self._scroll_down_to(top)
        self.refresh()
        if before != self._highlighted:
            self.post_message(self.RowHighlighted(self._highlighted))
        self._tell_marks()

    def show_columns(self, columns: Sequence[Column]) -> None:
        """Show these columns from now on."""
        self.columns = tuple(columns)
        self.on_resize()
        self.refresh()

    def action_mark_all(self) -> None:
        """Mark every entry that the window holds, on the screen or not."""
        self.window.marks.update(self.window.ids)
        self._marks_changed()

    def action_mark_none(self) -> None:
        """Take every mark away, those on entries that are not shown too."""
        self.window.marks.clear()
        self._marks_changed()

    def shows(self, name: str) -> bool:
        """Whether there is room for the column of this name."""
        return any(column.name == name for column, _ in self._shown)

    def action_mark(self) -> None:
        """Mark the cursor's row, or take its mark away, and go on to the next."""
        if self._cursor is not None and self._highlighted is not None:
            self.window.marks.symmetric_difference_update({self._highlighted})
            self._repaint(self._cursor)
            self._tell_marks()
            self._move_by(1)

    def move_to(self, index: int) -> None:
        """Move the cursor to the row at an index, and bring it into sight."""
        if self._cursor is None:
            return
        index = clamp(index, 0, len(self._ids) - 1)
        if index != self._cursor:
            self._repaint(self._cursor)
            self._repaint(index)
            self._cursor = self.window.cursor = index
            self.post_message(self.RowHighlighted(self._highlighted))
        self._reveal()

    # Keys and mouse

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There are marks only where they mean something."""
        return self._can_mark or not action.startswith("mark")

    def action_cursor_down(self) -> None:
        """Move the cursor to the next row."""
        self._move_by(1)

    def action_cursor_up(self) -> None:
        """Move the cursor to the row before."""
        self._move_by(-1)

    def action_page_down(self) -> None:
        """Move the cursor a page down."""
        self._move_by(self._page)

    def action_page_up(self) -> None:
        """Move the cursor a page up."""
        self._move_by(-self._page)

    def action_first(self) -> None:
        """Move the cursor to the first row."""
        self.move_to(0)

    def action_last(self) -> None:
        """Move the cursor to the last row."""
        self.move_to(len(self._ids) - 1)

    def action_scroll_left(self) -> None:
        """Scroll to the left."""
        self.scroll_relative(x=-SIDEWAYS, animate=False)

    def action_scroll_right(self) -> None:
        """Scroll to the right."""
        self.scroll_relative(x=SIDEWAYS, animate=False)

    def action_choose(self) -> None:
        """Open the cursor's entry."""
        if self._highlighted is not None:
            self.post_message(self.RowChosen(self._highlighted))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor, open an entry on the second click, or tell which header it was."""
        offset = event.get_content_offset(self)
        if event.widget is not self or offset is None:
            return
        index = self.scroll_offset.y + offset.y - 1
        if offset.y == 0:
            column = column_at(self.scroll_offset.x + offset.x, self._shown)
            if column is not None:
                self.post_message(self.HeaderSelected(column))
        elif event.chain == 2 and index == self._cursor:
            self.action_choose()
        elif index < len(self._ids):
            self.move_to(index)

    def on_mount(self) -> None:
        """Draw what the window holds already."""
        self.window_changed()

    def on_resize(self) -> None:
        """Choose the columns for the new width and keep the cursor in sight."""
        self._strips.clear()
        self._shown = fit(self.columns, self.scrollable_content_region.width)
        self._resize_content()
        self.call_after_refresh(self._reveal)  # a scrollbar may come or go with the columns

    # Drawing

    def render_line(self, y: int) -> Strip:
        """The line at `y` cells below the table's top: the header, a row, or nothing."""
        left, top = self.scroll_offset
        index, style = top + y - 1, self.visual_style
        if y == 0:
            style = self.get_visual_style("store-table--header")
            strip = header(self._shown, self.window.view.order, self.window.view.reverse, style)
        else:
            strip = self._row(index) if index < len(self._ids) else Strip([])
        return strip.crop_extend(left, left + self.size.width, style.rich_style)

    def notify_style_update(self) -> None:
        """Focus or theme changed: every line looks different."""
        super().notify_style_update()
        self._strips.clear()

    def _row(self, index: int) -> Strip:
        row = self.window.row(index)
        self._read_soon()
        if row is None:
            return Strip([])
        number = self._ids[index]
        is_cursor, is_marked = index == self._cursor, number in self.window.marks
        mark = BUSY if number in self.window.busy else MARK if is_marked else ""
        mark += THEIRS if number in self.window.theirs else ""
        drawn = self._strips.get(number)
        if drawn is not None and drawn[0] is row and drawn[1:3] == (is_cursor, mark):
            return drawn[3]
        base = self.get_visual_style("store-table--marked") if is_marked else self.visual_style
        over = self.get_visual_style("store-table--cursor") if is_cursor else Style.null()
        cells = ((self._cell(row, column), column, width) for column, width in self._shown)
        strip = line(cells, mark, base, over).extend_cell_length(self.size.width, (base + over).rich_style)
        self._strips[number] = (row, is_cursor, mark, strip)
        return strip

    def _read_soon(self) -> None:
        if self.window.is_wanting and not self._is_reading:
            self._is_reading = True
            self.call_later(self._read)

    def _read(self) -> None:
        wanted = self.window.take_wanted()
        if wanted and self.is_running:
            self.run_worker(self._read_rows(wanted), group="rows")
        else:
            self._is_reading = False

    async def _read_rows(self, ids: list[int]) -> None:
        """Read what was drawn and is not known: another process may hold the store, so not in the screen's thread."""
        try:
            rows = await asyncio.to_thread(self.window.read, ids)
        except EngineError:  # the feed tells; what was read before stays on the screen
            self.window.fail(ids)
            self._is_reading = False
            return
        different = self.window.put(ids, rows)
        self._is_reading = False
        for index in self._on_screen(different):
            self._repaint(index)
        if self.window.cursor_id in different:
            self.post_message(self.RowHighlighted(self._highlighted))
        self._read()  # what was drawn meanwhile

    # Where things are

    @property
    def _page(self) -> int:
        return max(1, self.scrollable_content_region.height - 1)

    @property
    def _highlighted(self) -> int | None:
        return None if self._cursor is None else self._ids[self._cursor]

    def _move_by(self, rows: int) -> None:
        if self._cursor is not None:
            self.move_to(self._cursor + rows)

    def _reveal(self) -> None:
        if self._cursor is not None:
            top = self.scroll_offset.y
            self._scroll_down_to(clamp(top, self._cursor - self._page + 1, self._cursor))

    def _scroll_down_to(self, top: int) -> None:
        # By force: a table that has just grown gets its scrollbar with the next layout, and its rows now.
        self.scroll_to(y=top, animate=False, force=True)

    def _repaint(self, index: int) -> None:
        y = index - self.scroll_offset.y + 1
        if 1 <= y <= self._page:
            self.refresh(Region(0, y, self.size.width, 1))

    def _marks_changed(self) -> None:
        self.refresh()
        self._tell_marks()

    def _tell_marks(self) -> None:
        if len(self.window.marks) != self._marked:
            self._marked = len(self.window.marks)
            self.post_message(self.MarksChanged())

    def _resize_content(self) -> None:
        self.virtual_size = Size(total_width(column for column, _ in self._shown), len(self._ids) + 1)
