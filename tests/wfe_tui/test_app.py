"""The console as an operator meets it: what its screens and keys show, and that nothing stored is obeyed."""

import os
import re
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tinydb import where

from engine.clock import utc_now
from engine.store import Store
from engine.store.connections import Connections
from engine.testing import ManualClock
from wfe_tui.actions import ACTIONS, bindings
from wfe_tui.demo import DEMO, demo_store
from wfe_tui.routes import Route
from wfe_tui.screens.help import TITLES
from wfe_tui.widgets.data_tree import MOST_NODES, DataTree

SIZES = [(40, 10), (200, 60), (12, 3)]


def assert_nothing_commands_the_terminal(text: str) -> None:
    for line in text.split("\n"):
        assert line.isprintable(), repr([c for c in line if not c.isprintable()])


# --- the list


async def test_the_list_shows_each_entry_with_state_progress_task_and_reason(console: Any, place: Any) -> None:
    async with console(place.store, size=(220, 40)) as operator:
        await operator.sees("A-8", "no customer in A-2")
        await operator.sees_of("A-1", "✓ finished")
        await operator.sees_of("A-2", "✗ failed", "1/3", "Check", "ValueError: no customer in A-2")
        await operator.sees_of("A-3", "◼ interrupted")
        await operator.sees_of("A-4", "◷ waiting")
        assert re.search(r"in (\d\dm|1h) · ", operator.line("A-4"))  # the store was made some time ago


async def test_the_counters_say_how_many_stand_in_each_state(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.sees("8 entries", "◷ 1 waiting", "◼ 1 interrupted", "✗ 3 failed", "✓ 3 finished")


async def test_the_run_line_says_how_the_newest_run_ended(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.sees("run 1 Orders completed", "8 entries in", "4 failed")


async def test_at_80_columns_the_whole_reason_of_the_cursors_entry_stands_below_the_list(
    console: Any, place: Any
) -> None:
    async with console(place.store) as operator:
        await operator.go_to("A-2")
        await operator.sees("ValueError: no customer in A-2")
        assert not operator.app.screen.query_one("EntryDetail").display


async def test_a_wide_terminal_has_the_detail_beside_the_list_a_narrow_one_has_not(console: Any, place: Any) -> None:
    async with console(place.store, size=(130, 30)) as operator:
        await operator.go_to("A-2")
        await operator.sees("Data", '"fate": "raise"', "Check failed")
        await operator.pilot.resize_terminal(129, 30)
        await operator.no_longer_sees('"fate": "raise"')
        await operator.pilot.resize_terminal(130, 30)
        await operator.sees('"fate": "raise"')


async def test_the_detail_follows_its_entry(console: Any, place: Any) -> None:
    async with console(place.store, size=(160, 40)) as operator:
        await operator.go_to("A-2")
        await operator.sees('"price": 7')
        place.repair()
        assert place.wfe("restart", "A-2").returncode == 0
        await operator.sees("it is finished", "sent for 7")


async def test_what_becomes_due_is_ready_without_any_change_in_the_store(console: Any, place: Any) -> None:
    clock = ManualClock(utc_now())
    async with console(place.store, clock=clock) as operator:
        await operator.sees("◷ 1 waiting")
        clock.turn(hours=2)
        await operator.sees("○ 1 ready")
        await operator.sees_of("A-4", "○ ready")


async def test_an_empty_store_is_shown_empty(console: Any, tmp_path: Path) -> None:
    Store(tmp_path / "wfe.db").close()
    async with console(tmp_path / "wfe.db") as operator:
        await operator.sees("0 entries", "no run yet")
        await operator.press("down", "space", "enter", "e", "y", "T", "R", "S", "K", "H", "L", "X", "D", "P", "N", "o")
        await operator.sees("none yet: N starts a run")


# --- filter and order


async def test_the_list_is_filtered_as_one_types_and_escape_shows_all_again(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.sees("A-8")
        await operator.press("slash", *"answer")
        await operator.sees("1 entry", "A-3")
        await operator.no_longer_sees("A-8")
        await operator.press("escape")
        await operator.sees("8 entries", "A-8")
        assert operator.app.focused is operator.app.screen.table


async def test_escape_shows_all_again_from_the_list_too(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.press("f")
        await operator.sees("3 entries")
        await operator.press("escape")
        await operator.sees("8 entries")


async def test_enter_leaves_the_filter_standing_and_goes_back_to_the_list(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.press("slash", *"state:failed", "enter")
        await operator.sees("3 entries", "state:failed")
        await operator.press("j", "space")
        await operator.sees("● 1 marked")


async def test_f_shows_failed_entries_alone_and_again_all(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.press("f")
        await operator.sees("3 entries")
        await operator.no_longer_sees("A-1")
        await operator.press("f")
        await operator.sees("8 entries")


async def test_a_click_on_a_counter_filters_by_its_state(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.sees("✓ 3 finished")
        counters = operator.lines[1]
        await operator.pilot.click(offset=(counters.index("✓ 3 finished") + 2, 1))
        await operator.sees("3 entries", "state:finished")


async def test_s_sorts_by_the_next_column_and_r_turns_it_round(console: Any, place: Any) -> None:
    def keys() -> list[str]:
        window = operator.app.screen.window
        return [window.row(index).key for index in range(len(window))]

    async with console(place.store) as operator:
        await operator.sees("A-8")
        await operator.press("s")
        await operator.sees("Entry▲")
        await operator.press("r")
        await operator.sees("Entry▼")
        await operator.until(lambda: keys() == [f"A-{n}" for n in range(8, 0, -1)])
        await operator.press("s")
        await operator.sees("State▲")
        await operator.until(lambda: keys()[:3] == ["A-2", "A-6", "A-7"])


async def test_an_order_that_no_header_shows_is_said(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.sees("A-8")
        await operator.press("s", "s", "s")
        assert operator.notices == []
        await operator.press("s")
        await operator.hears("sorted by task")


async def test_a_click_on_a_header_sorts_by_its_column(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.sees("A-8")
        await operator.pilot.click("StoreTable", offset=(3, 0))
        await operator.sees("Entry▲")
        await operator.pilot.click("StoreTable", offset=(3, 0))
        await operator.sees("Entry▼")


async def test_cursor_and_marks_stay_with_their_entries_while_rows_come_and_move(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.go_to("A-3")
        await operator.press("space", "s")
        await operator.sees("Entry▲")
        with Store(place.store) as store:
            first = dict(store.entries.all()[0])
            store.entries.insert_multiple({**first, "key": f"0-{n}"} for n in range(3))
        await operator.sees("11 entries", "0-2")
        window = operator.app.screen.window
        assert window.row(window.cursor).key == "A-4"
        assert operator.line("A-3").startswith("●")
        assert operator.line("0-1").startswith("  ")


# --- an entry


async def test_enter_opens_the_entry_and_escape_leads_back(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.go_to("A-2")
        await operator.press("enter")
        await operator.sees("entries/A-2", "✓ Fetch", "✗ Check", "· Send", "Check failed", "key  A-2")
        await operator.press("escape")
        await operator.sees("8 entries")


async def test_the_entrys_screen_follows_its_entry(console: Any, place: Any) -> None:
    async with console(place.store, route=Route("entries", "A-2")) as operator:
        await operator.sees("✗ Check")
        place.repair()
        assert place.wfe("restart", "A-2").returncode == 0
        await operator.sees("✓ Check", "it is finished", "2×")


async def test_an_entry_that_is_removed_is_said_to_be_gone(console: Any, place: Any) -> None:
    async with console(place.store, route=Route("entries", "A-2")) as operator:
        await operator.sees("✗ Check")
        with Store(place.store) as store:
            store.entries.remove(where("key") == "A-2")
        await operator.sees("there is no entry 'A-2'")
        await operator.press("e")
        await operator.hears("this entry has no error")


async def test_a_key_opened_from_the_shell_that_is_not_there_is_said_so(console: Any, place: Any) -> None:
    async with console(place.store, route=Route("entries", "B-9")) as operator:
        await operator.sees("there is no entry 'B-9'")


async def test_of_very_long_data_the_beginning_is_shown(console: Any, place: Any) -> None:
    with Store(place.store) as store:
        store.entries.update({"data": {"blob": ["word"] * 100_000}}, where("key") == "A-2")
    async with console(place.store, route=Route("entries", "A-2")) as operator:
        await operator.sees("blob")
        operator.app.screen.query_one(DataTree).root.expand_all()
        assert len(list(operator.app.screen.query_one(DataTree).root.children[0].children)) <= MOST_NODES


# --- a stack trace


async def test_e_opens_the_stack_trace_with_its_source_and_libraries_folded(console: Any, nasty: Path) -> None:
    async with console(nasty, size=(120, 50)) as operator:
        await operator.go_to("%s {0} $foo")
        await operator.press("e")
        await operator.sees("ValueError: no %s {0} $foo in dict[str, int] [/]", "a note on %s {0} $foo [/bar]")
        await operator.sees("❱", "raise failure from error", "in Blow.process_entry")


async def test_chained_exceptions_are_shown_each_with_its_own_frames(console: Any, nasty: Path) -> None:
    async with console(nasty, size=(120, 60)) as operator:
        await operator.go_to("--from-start")
        await operator.press("enter", "e")
        await operator.sees("which was caused by", "KeyError: '--from-start'", "{}[entry.key]", "errors/")


LIBRARY_FAILURE = """
import json
from orders import *

class Parse(Task):
    def process_entry(self, entry, dry_run=False):
        json.loads("{")

class Parsed(Orders):
    def get_tasks(self):
        return [Parse(self)]
"""


async def test_l_opens_the_frames_of_libraries_and_folds_them_again(console: Any, workplace: Any) -> None:
    (workplace.folder / "parsed.py").write_text(LIBRARY_FAILURE)
    assert workplace.wfe("run", "parsed:Parsed").returncode == 1
    async with console(workplace.store, size=(120, 80)) as operator:
        await operator.go_to("A-1")
        await operator.press("e")
        await operator.sees('json.loads("{")', "json/decoder.py")
        assert "obj, end = self.raw_decode" not in operator.screen
        await operator.press("l")
        await operator.sees("obj, end = self.raw_decode")
        await operator.press("l")
        await operator.no_longer_sees("obj, end = self.raw_decode")


async def test_the_trace_and_its_error_id_can_be_copied(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.go_to("A-2")
        await operator.press("e")
        await operator.sees("errors/")
        await operator.press("y")
        await operator.hears("copied the stack trace")
        copied = operator.app.clipboard
        assert "Traceback (most recent call last)" in copied
        assert "ValueError: no customer in A-2" in copied
        await operator.press("i")
        await operator.hears("copied the error id")
        assert operator.app.clipboard in copied


async def test_an_error_id_opens_its_trace_from_the_shell(console: Any, place: Any) -> None:
    with Store(place.store) as store:
        error_id = store.errors.all()[0]["error_id"]
    async with console(place.store, route=Route("errors", error_id[:8])) as operator:
        await operator.sees(f"errors/{error_id[:8]}", "ValueError: no customer in A-2")
        await operator.press("escape")
        await operator.sees("8 entries")


async def test_an_unknown_error_id_is_said_so_over_the_list(console: Any, place: Any) -> None:
    async with console(place.store, route=Route("errors", "[bold")) as operator:
        await operator.hears("there is no error '[bold'")
        await operator.sees("8 entries")


async def test_an_entry_without_an_error_has_no_trace_and_says_so(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.go_to("A-1")
        await operator.press("e")
        await operator.hears("this entry has no error")
        await operator.press("enter", "e")
        await operator.until(lambda: len(operator.notices) == 2)


# --- text from outside


async def test_hostile_text_is_shown_literally_in_the_list(console: Any, nasty: Path) -> None:
    async with console(nasty, size=(200, 40)) as operator:
        await operator.sees("[bold", "[/foo] [red]x[/red]", "[@click=app.quit]quit[/]", "␛]0;owned␇␛[31mred")
        await operator.sees(
            "«U+009B»2Jgone", "שלום עולם", "invoice«U+202E»fdp.exe", "two␊lines␉and a tab", "%s {0} $foo"
        )
        await operator.sees("%s {0} $foo", "xxxxx…")
        assert_nothing_commands_the_terminal(operator.screen)


@pytest.mark.slow
async def test_hostile_text_is_obeyed_on_no_screen(console: Any, nasty: Path) -> None:
    async with console(nasty, size=(100, 30)) as operator:
        await operator.sees("11 entries")
        for entry in operator.app.store.entries.all():
            operator.app.go(Route("entries", entry["key"]))
            await operator.sees("entries/", "✗ Blow")
            assert_nothing_commands_the_terminal(operator.screen)
            operator.app.go(Route("errors", entry["error_id"]))
            await operator.sees("errors/", "ValueError: no")
            assert_nothing_commands_the_terminal(operator.screen)
        await operator.press("1")
        await operator.sees("11 entries")
        await operator.press("a", "R")
        await operator.sees("Restart: 11 entries?", "[bold", "↻ 11 runs again")
        assert_nothing_commands_the_terminal(operator.screen)
        await operator.press("n", "slash", *"[/b")
        await operator.sees("0 entries")
        operator.app.screen.filter_bar.value = "\x1b[31m"
        await operator.sees("1 entry", "␛]0;owned␇␛[31mred")
        assert_nothing_commands_the_terminal(operator.screen)


async def test_a_notice_says_hostile_text_literally_and_not_at_length(console: Any, nasty: Path) -> None:
    async with console(nasty) as operator:
        operator.app.say("[bold [/foo] \x1b[31m " + "x" * 10_000, severity="error")
        await operator.sees("[bold [/foo] ␛[31m")
        assert_nothing_commands_the_terminal(operator.screen)
        assert max(map(len, operator.notices)) < 400


# --- every screen, every size


@pytest.mark.slow
async def test_every_screen_bears_every_size(console: Any, place: Any) -> None:
    screens: dict[str, tuple[str, ...]] = {
        "list": (), "filter": ("slash", *"a-"), "entry": ("enter",), "trace": ("e",), "help": ("question_mark",),
        "output": ("o",), "confirm": ("S",), "palette": ("ctrl+p",),
    }  # fmt: skip
    async with console(place.store) as operator:
        await operator.go_to("A-2")
        for keys in screens.values():
            await operator.press(*keys)
            for size in SIZES:
                await operator.pilot.resize_terminal(*size)
                assert_nothing_commands_the_terminal(operator.screen)
            await operator.pilot.resize_terminal(80, 24)
            if keys:
                await operator.press("escape")
        await operator.sees("8 entries")
        assert len(operator.app.screen_stack) == 2


async def test_the_welcome_bears_every_size(console: Any, tmp_path: Path) -> None:
    async with console(tmp_path / "none.db") as operator:
        for size in SIZES:
            await operator.pilot.resize_terminal(*size)


# --- keys, help, palette


async def test_the_help_lists_every_action(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.press("question_mark")
        await operator.sees("On the list")
        text = " ".join(str(operator.app.screen.query_one("Static").content).split())
        assert ACTIONS.keys() == TITLES.keys()
        for action in (action for actions in ACTIONS.values() for action in actions):
            assert action.help in text
        for state in ("in doubt", "interrupted", "waiting"):
            assert state in text
        await operator.press("question_mark")
        await operator.sees("8 entries")


def test_no_key_means_two_things_on_one_screen() -> None:
    for screen in TITLES:
        keys = [binding.key for binding in bindings(screen)]
        assert len(keys) == len(set(keys))


async def test_the_footer_shows_the_keys_at_80_columns(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.sees("8 entries")
        keys = ("R restart", "T repeat", "e Trace", "/ Filter", "f Failed", "? Help", "q Quit")
        await operator.until(lambda: all(words in operator.lines[-1] for words in keys))


@pytest.mark.parametrize(("keys", "screen"), [((), "entries"), (("enter",), "entry"), (("e",), "trace")])
async def test_the_palette_lists_each_action_of_the_screen_once(
    console: Any, place: Any, keys: tuple[str, ...], screen: str
) -> None:
    async with console(place.store) as operator:
        await operator.go_to("A-2")
        await operator.press(*keys)
        titles = [command.title for command in operator.app.get_system_commands(operator.app.screen)]
        for action in (*ACTIONS[screen], *ACTIONS["everywhere"]):
            if action.id != "back":
                assert titles.count(action.name) == 1
        assert len(titles) == len(set(titles))


async def test_an_action_of_the_palette_does_what_its_key_does(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.sees("8 entries")
        await operator.press("ctrl+p", *"mark all")
        await operator.sees("Mark all that the filter shows")
        await operator.press("enter")
        await operator.sees("● 8 marked")


async def test_what_is_marked_is_counted_whatever_is_shown(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.go_to("A-1")
        await operator.press("space", "space")
        await operator.sees("● 2 marked")
        await operator.press("f")
        await operator.sees("3 entries", "● 2 marked")
        await operator.press("a")
        await operator.sees("● 4 marked")
        await operator.press("minus")
        await operator.no_longer_sees("marked")


# --- opened on nothing


async def test_opened_on_nothing_it_says_what_to_do(console: Any, tmp_path: Path) -> None:
    async with console(tmp_path / "wfe.db") as operator:
        await operator.sees(
            "There is no store yet", "wfe run MODULE:PROCESSOR --store", "d opens the demo", "broken.", "q Quit"
        )
        assert "N New run" not in operator.screen
        assert not (tmp_path / "wfe.db").exists()


async def test_the_welcome_gives_way_to_a_store_that_appears(console: Any, workplace: Any) -> None:
    async with console(workplace.store) as operator:
        await operator.sees("There is no store yet")
        assert workplace.wfe("run", "orders:Orders").returncode == 0
        await operator.sees("2 entries", "A-1")


async def test_the_welcome_gives_way_only_once_though_help_is_open(console: Any, workplace: Any) -> None:
    async with console(workplace.store) as operator:
        await operator.sees("There is no store yet")
        await operator.press("question_mark")
        Store(workplace.store).close()
        await operator.pilot.pause(1.2)
        assert len(operator.app.screen_stack) == 3
        await operator.press("escape")
        await operator.sees("0 entries")
        assert len(operator.app.screen_stack) == 2


async def test_n_makes_the_store_with_a_run_of_the_processor_that_was_named(
    console: Any, workplace: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workplace.folder)
    async with console(workplace.store, processor="orders:Orders") as operator:
        await operator.sees("There is no store yet", "N starts this run", "N run", "wfe run orders:Orders")
        await operator.press("N")
        await operator.sees("✓ 2 finished")
        await operator.idle()
    assert workplace.done[0] == "Fetch A-1"


@pytest.fixture
def demo_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


@pytest.mark.slow
async def test_d_opens_the_demo_and_runs_it(console: Any, demo_home: Path) -> None:
    async with console(demo_home / "none.db") as operator:
        await operator.sees("There is no store yet")
        await operator.press("d")
        await operator.sees("missing-file 1.0", "✗ failed", "run 1 Audit")
        assert operator.app.store.path == demo_store()
        await operator.idle()
        assert {run["processor"] for run in operator.app.store.runs.all()} == {DEMO}
        assert not (demo_home / "none.db").exists()


# --- the console and the user's code


async def test_no_code_of_a_user_is_imported_into_the_console(console: Any, place: Any) -> None:
    async with console(place.store, processor="orders:Orders") as operator:
        await operator.go_to("A-2")
        place.repair()
        await operator.press("R")
        await operator.sees("Restart: 1 entry?")
        await operator.press("y")
        await operator.sees("✗ 2 failed")
        await operator.press("enter")
        await operator.sees("it is finished")
        await operator.idle()
        assert "orders" not in sys.modules


# --- a store that fails


async def test_a_store_that_cannot_be_read_any_more_is_said_so_and_the_keys_go_on(
    console: Any, place: Any, harm: Callable[[Path], Callable[[], None]]
) -> None:
    async with console(place.store) as operator:
        await operator.sees("A-8")
        heal = harm(place.store)
        await operator.sees("NO SIGNAL")
        await operator.press("j", "k", "enter", "e", "escape", "slash", "a", "escape", "space", "T", "R", "escape")
        heal()
        await operator.hears("the store can be read again")
        await operator.press("escape", "escape")
        await operator.sees("8 entries", "A-8")


@pytest.fixture
def harm() -> Callable[[Path], Callable[[], None]]:
    """Makes a store unreadable, and gives back what mends it."""

    def rename_its_table(path: Path) -> Callable[[], None]:
        import sqlite3

        def run(statement: str) -> None:
            connection = sqlite3.connect(path)
            connection.execute(statement)
            connection.commit()
            connection.close()

        run("ALTER TABLE about RENAME TO elsewhere")
        return lambda: run("ALTER TABLE elsewhere RENAME TO about")

    return rename_its_table


# --- a failure of the console itself


async def test_a_failure_of_the_console_is_a_notice_with_a_report_and_it_goes_on(console: Any, place: Any) -> None:
    async with console(place.store, size=(120, 30)) as operator:
        operator.app.survives = True
        await operator.sees("8 entries")
        for _ in range(3):
            operator.app.call_later(lambda: {}["[red]\x1b[31m"])
        await operator.hears("The console itself failed: KeyError: '[red]")
        await operator.sees("The console goes on. A report to send:")
        assert len(operator.notices) == 1
        await operator.press("2")
        await operator.sees("1 cause")
    [report] = (Path(os.environ["XDG_STATE_HOME"]) / "wfe").glob("failure-*.txt")
    assert report.stat().st_mode & 0o777 == 0o600
    assert all(word in report.read_text() for word in ("textual: ", "place: entries", "Traceback", "KeyError"))


# --- nothing blocks the screen


async def test_the_store_is_never_asked_in_the_screens_own_thread(
    console: Any, place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    ask = Connections._do

    def watched(self: Connections, question: Any) -> Any:
        if threading.current_thread() is threading.main_thread():
            asked.append("".join(traceback.format_stack(limit=8)))
        return ask(self, question)

    async with console(place.store, size=(160, 48)) as operator:
        await operator.sees("8 entries", "A-8")
        monkeypatch.setattr(Connections, "_do", watched)
        await operator.press("j", "G", "f", "s", "r", "escape", "a", "minus", "right_square_bracket", "f")
        for keys, text in (
            (("enter",), "Attempts"), (("less_than_sign",), "8 entries"), (("2",), "1 cause"),
            (("enter",), "seen 3 times"), (("enter",), "raise ValueError"), (("right_square_bracket", "minus"), "wfe"),
            (("equals_sign", "s"), "How it ended"), (("3",), "completed"), (("enter",), "median"),
            (("4",), "wfe  actions"), (("b",), "12h ago"), (("1",), "8 entries"), (("slash", *"state:f"), "→ failed"),
            (("enter",), "6 entries"), (("j", "R"), "would be done"), (("n", "H"), "hold: 1 entry"),
            (("P",), "Pause this"), (("n", "N"), "run 2"),
        ):  # fmt: skip
            await operator.press(*keys)
            await operator.sees(text)
        await operator.idle()
        monkeypatch.undo()
    assert asked == []


async def test_while_another_holds_the_store_the_rows_of_an_act_say_that_they_wait(console: Any, place: Any) -> None:
    with Store(place.store) as other:
        async with console(place.store, size=(120, 30)) as operator:
            await operator.go_to("A-3")
            with other.transaction():
                await operator.press("H")
                await operator.until(lambda: any(line.startswith("◌ A-3") for line in operator.lines))
                await operator.press("j")
            await operator.hears("hold: 1 entry")
            await operator.sees_of("A-3", "‖ held")
