"""What every list can do: filter, sort, choose columns, keep views, export, stand still, and be remembered."""

import csv
from pathlib import Path
from typing import Any

import orjson
import pytest
from tinydb import where

from engine.clock import utc_now
from engine.exceptions import InputError
from engine.store import Store
from wfe_tui import sources
from wfe_tui.exporting import Cells as Exported
from wfe_tui.exporting import export
from wfe_tui.memory import Memory, Shown
from wfe_tui.widgets.columns import arranged, cells, fit
from wfe_tui.widgets.entry_columns import CELLS, COLUMNS
from wfe_tui.window import Window

NOW = utc_now()

# --- filter


async def test_what_is_wrong_with_a_filter_is_said_where_it_is_and_the_last_rows_stay(console: Any, place: Any) -> None:
    async with console(place.store, size=(120, 30)) as operator:
        await operator.press("slash", *"state:failed")
        await operator.sees("3 entries")
        await operator.press("space", "left_parenthesis")
        await operator.sees("at 14, (: this parenthesis is not closed", "✗ 3 failed", "A-7")
        await operator.press("backspace", "backspace")
        await operator.no_longer_sees("not closed")


async def test_fields_and_values_are_offered_while_one_types_and_taken_by_right(console: Any, place: Any) -> None:
    async with console(place.store, size=(120, 30)) as operator:
        await operator.press("slash", *"sta")
        await operator.sees("→ state:")
        await operator.press("right", *"fa")
        await operator.sees("→ failed")
        await operator.press("right")
        await operator.sees("3 entries", "✗ 3 failed")
        await operator.press("space", *"task:")
        await operator.sees("→ Fetch  Check  Send")


async def test_the_counts_are_of_what_the_list_shows_whatever_the_filter(console: Any, place: Any) -> None:
    async with console(place.store, size=(120, 30)) as operator:
        for text, counts in (
            ("-state:finished", ["5 entries", "✗ 3 failed", "◼ 1 interrupted", "◷ 1 waiting"]),
            ("customer", ["4 entries", "✗ 3 failed", "◼ 1 interrupted"]),
            ("data.fate:raise | key=A-1", ["4 entries", "✗ 3 failed", "✓ 1 finished"]),
        ):
            operator.entries.set_filter(text)
            await operator.sees(*counts)


async def test_brackets_and_f_go_to_the_next_and_the_previous_failure(console: Any, place: Any) -> None:
    async with console(place.store, size=(120, 30)) as operator:
        await operator.go_to("A-1")

        async def goes(keys: tuple[str, ...], key: str) -> None:
            await operator.press(*keys)
            await operator.until(lambda: (row := operator.entries.row_at_cursor()) is not None and row.key == key)

        for key in ("A-2", "A-3", "A-6", "A-7"):
            await goes(("right_square_bracket", "f"), key)
        await operator.press("right_square_bracket", "f")
        await operator.hears("there is no failure further on")
        await goes(("left_square_bracket", "f"), "A-6")
        await operator.press("right_square_bracket", "j")
        await operator.until(lambda: operator.entries.row_at_cursor().key == "A-7")
        assert not operator.entries.filter_bar.value


# --- columns


def test_columns_are_shown_as_chosen_and_a_width_that_was_chosen_stays() -> None:
    chosen = arranged(COLUMNS, [("processor", None), ("key", 30), ("gone", 5), ("state", None)])
    assert [column.name for column in chosen] == ["processor", "key", "state"]
    assert {column.name: width for column, width in fit(chosen, 100)}["key"] == 30
    assert "processor" not in [column.name for column in arranged(COLUMNS, None)]


async def test_columns_are_chosen_moved_and_sized_by_keys(console: Any, place: Any) -> None:
    async with console(place.store, size=(120, 30)) as operator:
        await operator.sees("8 entries")
        await operator.press("c")
        await operator.sees("Columns", "● Entry", "  Processor")
        await operator.press("J", "up", "space", "plus", "enter")
        assert [name for name, _ in operator.entries._arrangement][:2] == ["key", "progress"]
        await operator.until(lambda: "State" not in operator.lines[3])
        await operator.press("c", "r")
        await operator.until(lambda: "State" in operator.lines[3])


# --- export


@pytest.fixture
def exported(tmp_path: Path, place: Any) -> Any:
    with Store(place.store) as store:
        store.entries.update({"reason": "=cmd()|x", "key": 'A-2 "q", ü'}, where("key") == "A-2")
        window = Window(store, sources.entries(store, lambda: NOW))
        window.accept(window.load())
        yield Exported(
            window, arranged(COLUMNS, [("key", None), ("state", None), ("reason", None)]), cells(CELLS, lambda: NOW)
        )


def test_what_is_shown_is_written_as_csv_in_full_and_no_cell_is_a_formula(exported: Any, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    assert export(exported, path) == 8
    assert path.stat().st_mode & 0o777 == 0o600
    with path.open(newline="") as file:
        names, first, second, *_ = csv.reader(file)
    assert names == ["key", "state", "reason"]
    assert first == ["A-1", "✓ finished", "sent for 7"]
    assert second == ['A-2 "q", ü', "✗ failed", "'=cmd()|x"]


def test_what_is_shown_is_written_as_json_lines(exported: Any, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    export(exported, path)
    second = orjson.loads(path.read_text().splitlines()[1])
    assert second == {"key": 'A-2 "q", ü', "state": "✗ failed", "reason": "=cmd()|x"}


def test_no_file_is_overwritten_and_another_ending_refused(exported: Any, tmp_path: Path) -> None:
    (tmp_path / "there.csv").write_text("mine")
    with pytest.raises(InputError, match="is there already: name another file"):
        export(exported, tmp_path / "there.csv")
    with pytest.raises(InputError, match=r"has to end with .csv or .jsonl"):
        export(exported, tmp_path / "out.txt")
    with pytest.raises(InputError, match="cannot be written: No such file or directory"):
        export(exported, tmp_path / "no" / "out.csv")
    assert (tmp_path / "there.csv").read_text() == "mine"


async def test_exactly_the_rows_of_the_filter_are_exported(console: Any, place: Any, tmp_path: Path) -> None:
    async with console(place.store, size=(120, 30)) as operator:
        await operator.press("f")
        await operator.sees("3 entries")
        await operator.press("w")
        await operator.sees("Export 3 rows")
        operator.app.screen.query_one("Input").value = str(tmp_path / "failed.csv")
        await operator.press("enter")
        await operator.hears("3 rows written to")
    assert [line.split(",")[0] for line in (tmp_path / "failed.csv").read_text().splitlines()] == [
        "key", "A-2", "A-6", "A-7",
    ]  # fmt: skip


# --- views, and what is remembered


async def test_a_view_is_saved_under_a_name_shown_again_and_removed(console: Any, place: Any, tmp_path: Path) -> None:
    memory = tmp_path / "console.json"
    async with console(place.store, size=(120, 30), memory=memory) as operator:
        await operator.press("f")
        await operator.sees("3 entries")
        await operator.press("v")
        await operator.sees("Views", "now: state:failed")
        await operator.press(*"night", "enter", "escape")
        await operator.sees("8 entries")
        await operator.press("v")
        await operator.sees("night", "state:failed")
        await operator.press("enter")
        await operator.sees("3 entries", "entries?state:failed")
        await operator.until(lambda: "night" in Memory(memory).of(place.store).views)
        await operator.press("v")
        await operator.sees("night")
        await operator.press("d", "escape")
        await operator.until(lambda: not Memory(memory).of(place.store).views)


async def test_how_a_list_was_shown_survives_a_restart_of_the_console(console: Any, place: Any, tmp_path: Path) -> None:
    memory = tmp_path / "console.json"
    async with console(place.store, size=(120, 30), memory=memory) as operator:
        await operator.press("f")
        await operator.sees("3 entries")
        await operator.press("s", "r")
        await operator.until(lambda: Memory(memory).of(place.store).lists.get("entries") == Shown(
            filter="state:failed", order="key", reverse=True))  # fmt: skip
        operator.app.theme = "wfe-light"
        await operator.until(lambda: Memory(memory).theme == "wfe-light")
    async with console(place.store, size=(120, 30), memory=memory) as operator:
        await operator.sees("3 entries", "state:failed", "Entry▼")
        assert operator.app.theme == "wfe-light"
    assert memory.stat().st_mode & 0o777 == 0o600


def test_a_memory_that_cannot_be_read_is_begun_anew(tmp_path: Path) -> None:
    for text in ("", "{", '{"stores": 7}', '{"theme": {}}'):
        (tmp_path / "console.json").write_text(text)
        assert Memory(tmp_path / "console.json").of(tmp_path / "wfe.db").lists == {}


def test_two_consoles_keep_what_each_knows_of_its_store(tmp_path: Path) -> None:
    one, other = Memory(tmp_path / "console.json"), Memory(tmp_path / "console.json")
    one.keep(Path("/a.db"), lambda known: known.lists.update(entries=Shown(filter="a")))
    other.keep(Path("/b.db"), lambda known: known.lists.update(entries=Shown(filter="b")))
    again = Memory(tmp_path / "console.json")
    assert [again.of(Path(name)).lists["entries"].filter for name in ("/a.db", "/b.db")] == ["a", "b"]


# --- live, or standing still


async def test_rows_stand_still_while_one_looks_and_what_waits_is_counted(console: Any, place: Any) -> None:
    async with console(place.store, size=(120, 30)) as operator:
        await operator.sees("8 entries")
        await operator.press("p")
        await operator.sees("‖ standing still")
        with Store(place.store) as store:
            store.entries.update({"reason": "another word"}, where("key").one_of(["A-2", "A-6"]))
        await operator.sees("‖ standing still +2")
        assert "another word" not in operator.screen
        await operator.press("p")
        await operator.sees("another word")
        await operator.no_longer_sees("standing still")
