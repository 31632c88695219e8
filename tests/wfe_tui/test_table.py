"""The table as the operator sees it: what is painted, where the cursor stays, what a key or a click does."""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.text import Text
from textual.app import App, ComposeResult
from textual.content import Content
from textual.events import MouseScrollDown
from textual.message import Message
from textual.pilot import Pilot
from textual.strip import Strip
from tinydb import where
from waiting import until_async

from engine.clock import to_text, utc_now
from engine.lookup.rows import EntryRow
from engine.store import Store
from engine.text import literal
from wfe_tui import sources
from wfe_tui.widgets.columns import Column, fit
from wfe_tui.widgets.table import StoreTable
from wfe_tui.window import PAGE, View, Window

COLUMNS = [
    Column("key", "Key", 12),
    Column("state", "State", 11),
    Column("progress", "Done", 5, justify="right", priority=1),
    Column("task", "Task", 10, priority=3),
    Column("reason", "Reason", 12, grow=1, priority=2),
    Column("attempts", "Tries", 5, justify="right", priority=4),
]
NOON = to_text(datetime(2026, 11, 23, 12, tzinfo=UTC))


def cell(row: EntryRow, column: Column) -> Text | Content:
    if column.name == "state":
        return Content.styled(row.state, "$error" if row.state == "failed" else "")
    if column.name == "progress":
        return Text(f"{row.done}/{row.total}", style="green")
    return Content(literal(str(getattr(row, column.name) or "")))


class Table(StoreTable):
    """Notes which lines were painted."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.painted: list[int] = []

    def render_line(self, y: int) -> Strip:
        self.painted.append(y)
        return super().render_line(y)


class Console(App[None]):
    def __init__(self, store: Store, columns: list[Column], cell: Any) -> None:
        super().__init__()
        self.window = Window(store, sources.entries(store, utc_now))
        self.window.ask(View(order="key"))
        self.window.accept(self.window.load())
        self.table = Table(self.window, columns, cell)
        self.heard: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def run_at(self, width: int, height: int) -> AbstractAsyncContextManager[Pilot[None]]:
        return self.run_test(size=(width, height), message_hook=self._hear)

    def _hear(self, message: Message) -> None:
        if type(message).__qualname__.startswith("StoreTable.") and all(message is not known for known in self.heard):
            self.heard.append(message)

    def said(self, kind: type[Message]) -> list[Any]:
        """What the table said of a kind; the next call says what is new."""
        said = [message for message in self.heard if isinstance(message, kind)]
        self.heard = [message for message in self.heard if not isinstance(message, kind)]
        return said

    def screen_lines(self) -> list[str]:
        return [strip.text for strip in self.screen._compositor.render_strips()]

    def page(self) -> list[str]:
        """The lines without the scrollbar at their end."""
        return [line[:-1] for line in self.screen_lines()]

    def cursor_line(self) -> int:
        """The line of the screen that is drawn as the cursor."""
        color = self.table.get_visual_style("store-table--cursor").rich_style.bgcolor
        strips = self.screen._compositor.render_strips()
        [line] = [y for y, strip in enumerate(strips) if any(s.style and s.style.bgcolor == color for s in strip)]
        return line

    def cursor_key(self) -> str:
        return self.screen_lines()[self.cursor_line()].strip("● ").split()[0]

    def show(self, view: View | None = None) -> None:
        self.window.ask(view or self.window.view)
        assert self.window.accept(self.window.load())
        self.table.window_changed()


async def shows(pilot: Pilot[None], app: Console, text: str) -> None:
    """Wait until a row that is read in a thread stands on the screen."""
    await until_async(
        lambda: text in "\n".join(app.screen_lines()), told=lambda: f"{text!r} was not drawn", rest=pilot.pause
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "wfe.db") as store:
        yield store


def fill(store: Store, count: int = 100, **fields: Any) -> list[int]:
    """Entries k-000, k-010, k-020 …, so that there is room between them."""
    return list(
        store.entries.insert_multiple(entry(f"k-{10 * n:04}", attempts=count - n, **fields) for n in range(count))
    )


def entry(key: str, **fields: Any) -> dict[str, Any]:
    common = {
        "processor": "shop:Orders",
        "tasks": ["fetch", "check", "send"],
        "data": {},
        "executions": [],
        "task": None,
    }
    progress = {"due_date": None, "finished": None, "source": None, "state": "ready", "reason": "", "error_id": None}
    shown = {"repeat": False, "attempts": 0, "done": 1, "due": None, "updated": NOON, "owner": None, "run": 1}
    return {"key": key, **common, **progress, **shown, **fields}


def console(store: Store, columns: list[Column] = COLUMNS, cell: Any = cell) -> Console:
    return Console(store, columns, cell)


# What is painted


@pytest.mark.parametrize(
    ("width", "height", "header"),
    [
        (40, 10, ["Key▲", "State", "Done"]),
        (80, 24, ["Key▲", "State", "Done", "Task", "Reason", "Tries"]),
        (160, 48, ["Key▲", "State", "Done", "Task", "Reason", "Tries"]),
    ],
)
async def test_a_terminal_shows_the_columns_it_has_room_for(
    store: Store, width: int, height: int, header: list[str]
) -> None:
    fill(store, reason="the price list of the supplier is older than the order, ask for a new one")
    app = console(store)
    async with app.run_at(width, height):
        lines = app.screen_lines()
        assert lines[0].split() == header
        assert lines[1].split()[:3] == ["k-0000", "ready", "1/3"]
        assert len(lines) == height
        assert all(cell_len(line) == width for line in lines)
        assert ("…" in lines[1]) is (width == 80)
        assert not app.table.show_horizontal_scrollbar


async def test_neighbours_of_one_style_are_one_segment(store: Store) -> None:
    fill(store, 3, state="failed", task="check", reason="timeout")
    app = console(store, [column for column in COLUMNS if column.name != "progress"])
    async with app.run_at(80, 24):
        segments = [" ".join(segment.text.split()) for segment in app.table.render_line(2)]
        assert segments == ["k-0010", "failed", "check timeout 2"]


async def test_only_the_rows_on_the_screen_are_read(store: Store) -> None:
    fill(store, 50 * PAGE)
    app = console(store)
    async with app.run_at(80, 24) as pilot:
        assert len(app.window._rows) <= 3 * PAGE
        await pilot.press("G")
        await shows(pilot, app, "k-9990")
        assert app.cursor_key() == "k-9990"
        assert len(app.window._rows) <= 6 * PAGE


async def test_a_change_off_the_screen_paints_nothing(store: Store) -> None:
    ids = fill(store)
    app = console(store)
    async with app.run_at(80, 24) as pilot:
        await pilot.pause()
        app.table.painted.clear()
        seq = store.seq()
        store.entries.update({"reason": "timeout"}, doc_ids=ids[23:])
        app.window.changed(store.changes(seq))
        app.table.rows_changed(ids[23:])
        await pilot.pause()
        assert app.table.painted == []


async def test_a_change_on_the_screen_paints_its_own_line_only(store: Store) -> None:
    ids = fill(store)
    app = console(store)
    async with app.run_at(80, 24) as pilot:
        await pilot.press(*["j"] * 30)
        app.table.painted.clear()
        seq = store.seq()
        store.entries.update({"reason": "timeout"}, doc_ids=[ids[20], ids[80]])
        app.window.changed(store.changes(seq))
        app.table.rows_changed([ids[20], ids[80]])
        await shows(pilot, app, "timeout")
        [line] = app.table.painted
        assert app.screen_lines()[line].split()[:4] == ["k-0200", "ready", "1/3", "timeout"]


async def test_what_shows_passing_time_is_drawn_anew_on_demand(store: Store) -> None:
    fill(store, 3)
    now = "1 m"
    app = console(store, [Column("age", "Age", 5)], lambda row, column: Content(now))
    async with app.run_at(80, 24) as pilot:
        assert [line.strip() for line in app.screen_lines()[1:4]] == ["1 m"] * 3
        now = "2 m"
        app.window.forget()
        app.table.redraw()
        await pilot.pause()
        assert [line.strip() for line in app.screen_lines()[1:4]] == ["2 m"] * 3


async def test_an_empty_store_shows_a_header_and_takes_every_key(store: Store) -> None:
    app = console(store)
    async with app.run_at(80, 24) as pilot:
        await pilot.press("j", "k", "pagedown", "pageup", "G", "g", "space", "enter", "left", "right")
        assert await pilot.click(Table, offset=(5, 5))
        lines = app.screen_lines()
        assert lines[0].split()[0] == "Key▲"
        assert not any(line.strip() for line in lines[1:])
        assert app.heard == []


@pytest.mark.parametrize("theme", ["textual-light", "nord", "ansi-dark"])
async def test_another_theme_paints_every_line_in_its_colours(store: Store, theme: str) -> None:
    fill(store, 3)
    app = console(store)
    async with app.run_at(80, 24) as pilot:
        before = app.table.render_line(2)
        app.theme = theme
        await pilot.pause()
        assert [segment.style for segment in app.table.render_line(2)] != [segment.style for segment in before]
        assert app.cursor_line() == 1


async def test_the_cursor_shows_whether_the_table_has_the_focus(store: Store) -> None:
    fill(store, 3)
    app = console(store)
    async with app.run_at(80, 24) as pilot:
        focused = app.table.render_line(1)
        app.set_focus(None)
        await pilot.pause()
        assert app.table.render_line(1)._segments != focused._segments
        assert app.cursor_line() == 1


# Text from outside


HOSTILE = [
    "[/foo] [red]x",
    "KeyError: ['a'] in dict[str, int]",
    "\x1b]0;owned\x07",
    "\x1b[31mred",
    "\u202egnp.exe",
    "two\nlines\ttab",
    "注文番号" * 9,
    "e\u0301\u0302\u0303" * 40,
    "👩\u200d🚀 ❤\ufe0f" * 5,
    "\ud83d lone",
    "a\u0301",
    "\u0301",
]


@pytest.mark.parametrize("careless", [False, True])
@pytest.mark.parametrize("width", [40, 80])
async def test_hostile_text_is_shown_literally_and_keeps_the_columns_in_line(
    store: Store, careless: bool, width: int
) -> None:
    def raw(row: EntryRow, column: Column) -> Text:
        return Text(HOSTILE[int(row.key)] + "|" if column.name == "reason" else row.key, style="bold")

    def safe(row: EntryRow, column: Column) -> Content:
        return Content(literal(raw(row, column).plain))

    store.entries.insert_multiple(entry(f"{number:02}") for number in range(len(HOSTILE)))
    columns = [Column("key", "Key", 2), Column("reason", "Reason", 28), Column("task", "End", 2)]
    app = console(store, columns, raw if careless else safe)
    async with app.run_at(width, 20):
        lines = app.screen_lines()
        assert all(cell_len(line) == width for line in lines)
        assert all(line.isprintable() for line in lines)
        assert lines[1].startswith("  00  [/foo] [red]x|")
        assert lines[2].startswith("  01  KeyError: ['a'] in dict[str…")
        assert [line.rstrip()[-2:] for line in lines[1 : len(HOSTILE) + 1]] == [f"{n:02}" for n in range(len(HOSTILE))]
        ends = [line[: line.rindex(f"{number:02}")] for number, line in enumerate(lines[1 : len(HOSTILE) + 1])]
        assert {cell_len(end) for end in ends} == {36}


# The cursor


async def test_keys_move_the_cursor_and_the_page_follows(store: Store) -> None:
    ids = fill(store)
    app = console(store)
    async with app.run_at(80, 24) as pilot:
        assert [message.id for message in app.said(StoreTable.RowHighlighted)] == [ids[0]]
        for keys, index, line in [
            (["down", "j"], 2, 3),
            (["up", "k", "k"], 0, 1),
            (["pagedown"], 23, 23),
            (["pagedown"], 46, 23),
            (["up"], 45, 22),
            (["pageup"], 22, 1),
            (["end"], 99, 23),
            (["j"], 99, 23),
            (["home"], 0, 1),
            (["G"], 99, 23),
            (["g"], 0, 1),
        ]:
            await pilot.press(*keys)
            assert app.window.cursor == index
            assert app.cursor_line() == line
            assert app.cursor_key() == f"k-{10 * index:04}"
        assert app.said(StoreTable.RowHighlighted)[-1].id == ids[0]


async def test_an_entry_inserted_above_moves_neither_the_cursor_nor_the_page(store: Store) -> None:
    fill(store)
    app = console(store)
    async with app.run_at(80, 24) as pilot:
        await pilot.press(*["j"] * 30)
        lines = app.page()
        app.said(StoreTable.RowHighlighted)
        store.entries.insert_multiple(entry(key) for key in ("k-0005", "k-0015", "k-0025"))
        app.show()
        await pilot.pause()
        assert app.page() == lines
        assert app.window.cursor == 33
        assert app.said(StoreTable.RowHighlighted) == []


async def test_after_another_sorting_the_cursor_is_on_its_entry_and_line(store: Store) -> None:
    fill(store)
    app = console(store)
    async with app.run_at(80, 24) as pilot:
        await pilot.press("pagedown", "pagedown", "k", "k")
        assert (app.cursor_key(), app.cursor_line()) == ("k-0440", 21)
        app.show(View(order="attempts"))
        await pilot.pause()
        assert (app.cursor_key(), app.cursor_line()) == ("k-0440", 21)
        assert app.window.cursor == 55
        app.show(View(order="attempts", reverse=True, filter="k-04"))
        await pilot.pause()
        assert app.cursor_key() == "k-0440"


async def test_the_cursor_is_in_sight_when_a_short_list_becomes_a_long_one(store: Store) -> None:
    fill(store)
    app = console(store)
    async with app.run_at(80, 24) as pilot:
        app.show(View(filter="key:k-09"))
        await pilot.press("G")
        assert not app.table.show_vertical_scrollbar
        app.show(View(order="key"))
        await pilot.pause()
        assert (app.cursor_key(), app.cursor_line()) == ("k-0990", 23)
        assert app.table.show_vertical_scrollbar


async def test_the_page_stays_where_the_operator_scrolled_to_without_the_cursor(store: Store) -> None:
    fill(store)
    app = console(store)
    async with app.run_at(80, 24) as pilot:
        await pilot.pause()
        app.table.scroll_to(y=50, animate=False)
        await pilot.pause()
        lines = app.page()
        assert lines[1].split()[0] == "k-0500"
        store.entries.insert_multiple(entry(key) for key in ("k-0005", "k-0015"))
        store.entries.remove(where("key") == "k-0900")
        app.show()
        await pilot.pause()
        assert app.page() == lines
        await pilot.press("j")
        assert app.cursor_key() == "k-0005"


async def test_when_the_cursors_entry_goes_the_table_says_which_is_next(store: Store) -> None:
    ids = fill(store, 3)
    app = console(store)
    async with app.run_at(80, 24) as pilot:
        await pilot.press("j")
        store.entries.remove(doc_ids=[ids[1]])
        app.show()
        await pilot.pause()
        assert app.said(StoreTable.RowHighlighted)[-1].id == ids[2]
        store.entries.truncate()
        app.show()
        await pilot.pause()
        assert app.said(StoreTable.RowHighlighted)[-1].id is None


async def test_the_cursor_is_never_beneath_the_horizontal_scrollbar(store: Store) -> None:
    fill(store)
    app = console(store, [Column("key", "Key", 12), Column("task", "Task", 20), Column("reason", "Reason", 30)])
    async with app.run_at(80, 24) as pilot:
        await pilot.press(*["j"] * 22)
        assert app.cursor_line() == 23
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        assert app.table.show_horizontal_scrollbar
        assert app.cursor_key() == "k-0220"
        await pilot.press("j", "pagedown", "G")
        assert (app.cursor_key(), app.cursor_line()) == ("k-0990", 8)


async def test_a_table_wider_than_the_terminal_scrolls_sideways_with_its_header(store: Store) -> None:
    fill(store, 3, reason="timeout")
    app = console(store, [Column("key", "Key", 12), Column("task", "Task", 20), Column("reason", "Reason", 30)])
    async with app.run_at(40, 10) as pilot:
        assert "Reason" not in app.screen_lines()[0]
        await pilot.press(*["right"] * 9)
        header, first, *_ = app.screen_lines()
        assert header.index("Reason") == first.index("timeout")
        await pilot.press(*["left"] * 9)
        assert app.screen_lines()[1].split()[0] == "k-0000"


@pytest.mark.parametrize(("width", "height"), [(12, 3), (3, 2), (2, 1)])
async def test_a_terminal_too_small_to_use_breaks_nothing(store: Store, width: int, height: int) -> None:
    fill(store)
    app = console(store)
    async with app.run_at(width, height) as pilot:
        await pilot.press("G", "k", "pageup", "right", "space")
        app.table.scroll_to(y=100, animate=False, force=True)
        store.entries.insert(entry("k-0005"))
        app.show()
        await pilot.resize_terminal(80, 24)
        await pilot.press("end")
        assert app.cursor_key() == "k-0990"


# Marks


async def test_space_marks_an_entry_and_goes_on(store: Store) -> None:
    ids = fill(store, 5)
    app = console(store)
    async with app.run_at(80, 24) as pilot:
        await pilot.press("space", "j", "space")
        assert app.window.marks == {ids[0], ids[2]}
        assert [line[0] for line in app.screen_lines()[1:6]] == ["●", " ", "●", " ", " "]
        assert app.window.cursor == 3
        assert len(app.said(StoreTable.MarksChanged)) == 2
        await pilot.press("g", "space")
        assert app.window.marks == {ids[2]}


async def test_all_that_match_are_marked_and_stay_so_in_another_view(store: Store) -> None:
    ids = fill(store)
    app = console(store)
    async with app.run_at(80, 24) as pilot:
        app.show(View(filter="k-09"))
        app.table.action_mark_all()
        app.show(View(order="key", reverse=True))
        await pilot.press("g")
        assert app.window.marks == set(ids[90:])
        assert [line[0] for line in app.screen_lines()[1:14]] == ["●"] * 10 + [" "] * 3
        app.table.action_mark_none()
        await pilot.pause()
        assert not any(line.startswith("●") for line in app.screen_lines())
        assert len(app.said(StoreTable.MarksChanged)) == 2


async def test_what_somebody_else_has_changed_stands_beside_the_marks_in_two_cells(store: Store) -> None:
    ids = fill(store, 4)
    app = console(store)
    async with app.run_at(80, 24) as pilot:
        await pilot.press("space")
        app.window.theirs = {ids[0], ids[2]}
        app.window.busy = {ids[2]}
        app.table.redraw()
        await pilot.pause()
        assert [line[:8] for line in app.screen_lines()[1:5]] == ["●⇄k-0000", "  k-0010", "◌⇄k-0020", "  k-0030"]
        app.window.theirs = ()
        app.table.refresh()
        await pilot.pause()
        assert [line[:8] for line in app.screen_lines()[1:5]] == ["● k-0000", "  k-0010", "◌ k-0020", "  k-0030"]


async def test_the_table_tells_when_a_removal_takes_a_mark_away(store: Store) -> None:
    ids = fill(store, 3)
    app = console(store)
    async with app.run_at(80, 24) as pilot:
        await pilot.press("j", "space")
        app.said(StoreTable.MarksChanged)
        seq = store.seq()
        store.entries.remove(doc_ids=[ids[1]])
        assert app.window.changed(store.changes(seq))
        app.show()
        await pilot.pause()
        assert len(app.said(StoreTable.MarksChanged)) == 1


# The mouse, and what is chosen


async def test_enter_opens_the_cursors_entry(store: Store) -> None:
    ids = fill(store, 3)
    app = console(store)
    async with app.run_at(80, 24) as pilot:
        await pilot.press("j", "enter")
        assert [message.id for message in app.said(StoreTable.RowChosen)] == [ids[1]]


async def test_a_click_moves_the_cursor_and_a_second_one_opens_the_entry(store: Store) -> None:
    ids = fill(store)
    app = console(store)
    async with app.run_at(80, 24) as pilot:
        await pilot.press("G")
        await pilot.click(Table, offset=(5, 4))
        assert (app.cursor_line(), app.cursor_key()) == (4, "k-0800")
        assert app.said(StoreTable.RowChosen) == []
        await pilot.double_click(Table, offset=(5, 6))
        assert [message.id for message in app.said(StoreTable.RowChosen)] == [ids[82]]


async def test_a_click_below_the_last_row_does_nothing(store: Store) -> None:
    fill(store, 3)
    app = console(store)
    async with app.run_at(80, 24) as pilot:
        await pilot.click(Table, offset=(5, 10))
        assert app.cursor_line() == 1


async def test_the_wheel_scrolls_and_leaves_the_cursor(store: Store) -> None:
    fill(store)
    app = console(store)
    async with app.run_at(80, 24) as pilot:
        await pilot.pause()
        await pilot._post_mouse_events([MouseScrollDown], Table, offset=(5, 5), button=0)
        await pilot.pause()
        assert app.table.scroll_offset.y > 0
        assert app.window.cursor == 0


async def test_a_click_on_a_header_tells_its_column_and_the_arrow_shows_the_sorting(store: Store) -> None:
    fill(store)
    app = console(store)
    async with app.run_at(80, 24) as pilot:
        for title, name in [("State", "state"), ("Tries", "attempts"), ("Reason", "reason")]:
            await pilot.click(Table, offset=(app.screen_lines()[0].index(title), 0))
            assert [message.column.name for message in app.said(StoreTable.HeaderSelected)] == [name]
        await pilot.click(Table, offset=(0, 0))
        assert app.said(StoreTable.HeaderSelected) == []
        app.show(View(order="attempts"))
        await pilot.pause()
        assert app.screen_lines()[0].split() == ["Key", "State", "Done", "Task", "Reason", "Trie▲"]
        app.show(View(order="state", reverse=True))
        await pilot.pause()
        assert app.screen_lines()[0].split() == ["Key", "State▼", "Done", "Task", "Reason", "Tries"]


# Which columns fit


def test_columns_go_by_priority_and_of_equal_ones_the_rightmost_first() -> None:
    columns = [Column("a", "A", 10), Column("b", "B", 10, priority=1), Column("c", "C", 10, priority=1)]
    names = [[column.name for column, _ in fit(columns, width)] for width in (36, 35, 23, 5)]
    assert names == [["a", "b", "c"], ["a", "b"], ["a"], ["a"]]


def test_growing_columns_share_what_is_left() -> None:
    columns = [Column("a", "A", 10), Column("b", "B", 10, grow=1), Column("c", "C", 5, grow=1)]
    assert [width for _, width in fit(columns, 42)] == [10, 16, 10]
    assert [width for _, width in fit(columns, 20)] == [10, 10, 5]
