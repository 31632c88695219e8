"""What an operator does to entries: what was asked for is what is done, and it shows on the rows."""

import asyncio
import os
import shlex
from pathlib import Path
from typing import Any

import pytest
from tinydb import where

from engine.operations import pause, resume
from engine.store import Store


def executions(place: Any, task: str, key: str) -> int:
    return place.done.count(f"{task} {key}")


# --- restart


async def test_a_repaired_entry_is_restarted_from_its_failed_task_and_the_row_shows_it(
    console: Any, place: Any
) -> None:
    place.repair()
    async with console(place.store) as operator:
        await operator.go_to("A-2")
        await operator.does("R", "Restart: 1 entry?")
        await operator.hears(f"restart: 1 entry\n$ wfe restart --store {place.store} A-2")
        await operator.sees_of("A-2", "✓ finished")
        await operator.sees("✗ 2 failed", "✓ 4 finished")
        await operator.idle()
    assert executions(place, "Fetch", "A-2") == 1
    assert executions(place, "Check", "A-2") == 2


async def test_what_is_not_repaired_fails_again_with_one_attempt_more(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.go_to("A-2")
        await operator.does("R", "Restart: 1 entry?")
        await operator.idle()
        await operator.until(lambda: "✗ failed" in operator.line("A-2") and operator.line("A-2").split()[-2] == "2")


async def test_many_are_restarted_after_a_question_that_names_their_number(console: Any, place: Any) -> None:
    place.repair()
    async with console(place.store) as operator:
        await operator.press("f")
        await operator.sees("3 entries")
        await operator.press("a")
        await operator.does("R", "Restart: 3 entries?", "all that match state:failed", "↻ 3 runs again", "A-2", "A-6")
        await operator.hears("restart: 3 entries")
        await operator.sees("0 entries")
        await operator.no_longer_sees("marked")
        await operator.idle()
    [action] = place.actions
    assert action["keys"] == ["A-2", "A-6", "A-7"]
    assert not action["open"]


@pytest.mark.parametrize("key", ["n", "escape", "q"])
async def test_an_answer_other_than_yes_does_nothing_and_keeps_the_marks(console: Any, place: Any, key: str) -> None:
    async with console(place.store) as operator:
        await operator.sees("8 entries")
        await operator.press("a", "S")
        await operator.sees("Restart from the start: 8 entries?", "all entries")
        await operator.press(key)
        await operator.sees("8 entries", "● 8 marked")
    assert place.actions == []


async def test_all_tasks_are_executed_again_from_the_start(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.go_to("A-1")
        await operator.press("S")
        await operator.sees("Restart from the start: 1 entry?", "A-1", "↻ 3 runs again")
        await operator.press("enter")
        await operator.hears(f"$ wfe restart --from-start --store {place.store} A-1")
        await operator.idle()
    assert [executions(place, task, "A-1") for task in ("Fetch", "Check", "Send")] == [2, 2, 2]
    assert executions(place, "Fetch", "A-2") == 1


async def test_the_number_confirmed_is_the_number_acted_on_though_others_are_marked_meanwhile(
    console: Any, place: Any
) -> None:
    async with console(place.store) as operator:
        await operator.go_to("A-2")
        await operator.press("space", "space")
        await operator.press("R")
        await operator.sees("Restart: 2 entries?", "marked")
        operator.entries.table.action_mark_all()
        await operator.press("y")
        await operator.hears("restart: 2 entries")
        await operator.sees("● 6 marked")
        await operator.idle()
    assert place.actions[0]["keys"] == ["A-2", "A-3"]


async def test_marks_that_change_right_after_the_key_do_not_change_the_act(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.go_to("A-2")
        await operator.press("space", "space")
        screen = operator.app.screen
        screen.action_restart()
        await operator.sees("Restart: 2 entries?")
        screen.table.action_mark_all()
        await operator.press("n")


async def test_an_entry_that_is_gone_before_the_question_is_neither_counted_nor_named(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.sees("8 entries")
        await operator.press("a")
        with Store(place.store) as store:
            store.entries.remove(where("key") == "A-5")
        await operator.press("R")
        await operator.sees("Restart: 7 entries?")
        await operator.press("n")
        await operator.sees("● 7 marked")


async def test_refused_entries_are_named_and_keep_their_marks_the_others_lose_theirs(console: Any, place: Any) -> None:
    place.repair()
    async with console(place.store) as operator:
        await operator.go_to("A-1")
        await operator.press("space", "space")
        await operator.does("R", "Restart: 2 entries?", "1 refused: 1× it is finished: restart it from the start")
        await operator.hears("restart: 1 entry\nA-1: it is finished: restart it from the start")
        await operator.sees("● 1 marked")
        assert operator.line("A-1").startswith("●")
        await operator.idle()
        await operator.sees_of("A-2", "✓ finished")


async def test_a_running_entry_is_refused(console: Any, place: Any) -> None:
    with Store(place.store) as other:
        other.entries.update({"owner": other.owner, "state": "running"}, where("key") == "A-2")
        async with console(place.store) as operator:
            await operator.go_to("A-2")
            await operator.does("R", "Restart: 1 entry?")
            await operator.hears("A-2: it is running")
            assert operator.app.engines.processes == []


async def test_of_many_refused_some_are_named_and_the_others_counted(console: Any, place: Any) -> None:
    with Store(place.store) as store:
        done = dict(store.entries.get(where("key") == "A-1"))  # type: ignore[call-overload]
        store.entries.insert_multiple({**done, "key": f"done-{n:03}"} for n in range(300))
    async with console(place.store) as operator:
        await operator.press("slash", *"done-", "enter", "a")
        await operator.sees("● 300 marked")
        await operator.does("R", "Restart: 300 entries?", "300 refused")
        await operator.hears("… and 295 more were refused")
        await operator.sees("● 300 marked")
        assert max(len(notice) for notice in operator.notices) < 600
        assert "done-000 done-001 done-002 … and 297 more" in operator.notices[-1]


# --- repeat


async def test_repeat_is_switched_on_and_off_and_the_row_shows_it(console: Any, place: Any) -> None:
    async with console(place.store, size=(220, 24)) as operator:
        await operator.go_to("A-3")
        await operator.press("T")
        await operator.hears(f"repeat on: 1 entry\n$ wfe repeat on --store {place.store} A-3")
        await operator.sees_of("A-3", "○ ready", " on ")
        await operator.press("T")
        await operator.hears(f"repeat off: 1 entry\n$ wfe repeat off --store {place.store} A-3")
        await operator.sees_of("A-3", "◼ interrupted")


async def test_the_shell_line_that_an_act_shows_does_the_same(console: Any, place: Any) -> None:
    async with console(place.store, size=(220, 24)) as operator:
        await operator.go_to("A-3")
        await operator.press("T", "T")
        await operator.hears("repeat off: 1 entry")
        await operator.sees_of("A-3", "◼ interrupted")
        shown = next(notice for notice in operator.notices if "repeat on" in notice).partition("$ wfe ")[2]
        place.wfe(*shlex.split(shown), WFE_STORE="")
        await operator.sees_of("A-3", "○ ready", " on ")
    first, *_, last = place.actions
    assert (first["verb"], first["keys"]) == (last["verb"], last["keys"])


async def test_an_entry_is_acted_on_from_its_own_screen_as_well(console: Any, place: Any) -> None:
    place.repair()
    async with console(place.store) as operator:
        await operator.go_to("A-2")
        await operator.press("enter")
        await operator.sees("nothing by itself: Check failed")
        await operator.does("R", "Restart: 1 entry?")
        await operator.sees("nothing: it is finished")
        await operator.idle()


async def test_where_some_are_off_repeat_is_switched_on_for_all(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.go_to("A-2")
        await operator.press("T")
        await operator.sees_of("A-2", "○ ready")
        await operator.press("f", "a")
        await operator.sees("● 2 marked")
        await operator.press("escape")
        await operator.go_to("A-2")
        await operator.press("space")
        await operator.does("T", "Repeat on: 3 entries?")
        await operator.hears("repeat on: 3 entries")
        await operator.sees("○ 3 ready")


@pytest.mark.slow
async def test_what_can_be_undone_needs_a_question_for_many_alone_and_no_worker(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.sees("8 entries")
        await operator.go_to("A-2")
        await operator.press("T")
        await operator.hears("repeat on: 1 entry")
        await operator.press("a")
        await operator.does("T", "Repeat on: 8 entries?")
        await operator.hears("repeat on: 5 entries")
        assert operator.app.engines.processes == []


# --- decide


@pytest.fixture
def in_doubt(workplace: Any) -> Any:
    """A-1 is in doubt, A-2 has failed, A-3 is ready."""
    workplace.orders("A-2 raise", "A-1 die", "A-3")
    workplace.wfe("run", "orders:Orders")
    workplace.repair()
    return workplace


async def test_a_task_in_doubt_is_taken_as_done_after_a_question(console: Any, in_doubt: Any) -> None:
    async with console(in_doubt.store, size=(160, 48)) as operator:
        await operator.go_to("A-1")
        await operator.sees(
            "? 1 in doubt", "nothing by itself: Check may have", "R executes it again, D takes it as done"
        )
        await operator.does("D", "Decide done: 1 entry?", "⊘ Check taken as done")
        await operator.hears(f"decide done: 1 entry\n$ wfe decide done --store {in_doubt.store} A-1")
        await operator.sees_of("A-1", "✓ finished")
        await operator.sees("decided done by")
        await operator.idle()
    assert (executions(in_doubt, "Check", "A-1"), executions(in_doubt, "Send", "A-1")) == (1, 1)


async def test_a_task_in_doubt_is_executed_again_by_a_restart(console: Any, in_doubt: Any) -> None:
    async with console(in_doubt.store) as operator:
        await operator.go_to("A-1")
        await operator.sees("its process died inside this task · R executes it again, D takes it as done")
        await operator.does("R", "Restart: 1 entry?")
        await operator.sees_of("A-1", "✓ finished")
        await operator.idle()
    assert (executions(in_doubt, "Check", "A-1"), executions(in_doubt, "Send", "A-1")) == (2, 1)


@pytest.mark.slow
async def test_of_what_is_not_in_doubt_nothing_is_taken_as_done(console: Any, in_doubt: Any) -> None:
    async with console(in_doubt.store) as operator:
        await operator.go_to("A-2")
        await operator.does("D", "refused: it is not in doubt, it is failed: restart it")
        await operator.hears("A-2: it is not in doubt, it is failed: restart it")
        await operator.press("a")
        await operator.does("D", "Decide done: 3 entries?", "2 refused")
        await operator.hears("decide done: 1 entry\n")
        await operator.sees("● 2 marked")
        await operator.idle()


# --- pause


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_a_processor_is_paused_after_a_question_and_resumed_and_the_screen_says_so(
    console: Any, place: Any, size: tuple[int, int]
) -> None:
    async with console(place.store, size=size) as operator:
        await operator.sees("8 entries")
        assert "‖" not in operator.screen
        await operator.press("P")
        await operator.sees("Pause this processor? No task of it is started until it is resumed.", "orders:Orders")
        await operator.press("y")
        await operator.hears(f"pause: orders:Orders\n$ wfe pause --store {place.store} orders:Orders")
        await operator.sees("‖ Orders paused by ")
        await operator.press("P")
        await operator.hears(f"resume: orders:Orders\n$ wfe resume --store {place.store} orders:Orders")
        await operator.no_longer_sees("‖")
    assert [action["verb"] for action in place.actions] == ["pause", "resume"]


async def test_no_is_no_pause(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.sees("8 entries")
        await operator.press("P")
        await operator.sees("Pause this processor?")
        await operator.press("n")
        await operator.sees("8 entries")
    assert place.actions == []


async def test_pauses_by_others_are_shown_live_each_in_a_line_and_literally(console: Any, place: Any) -> None:
    with Store(place.store) as other:
        other.runs.insert({**dict(other.runs.all()[0]), "processor": "shop:Bills"})
        async with console(place.store) as operator:
            await operator.sees("8 entries")
            pause("Orders", store=other, who="anna@host", why="carrier [b]down\x1b[31m")
            await operator.sees("‖ Orders paused by anna@host since ", ": carrier [b]down␛[31m")
            pause("Bills", store=other, who="kim@host")
            await operator.sees("‖ Orders paused by anna@host", "‖ Bills paused by kim@host since ")
            resume("Orders", store=other)
            await operator.no_longer_sees("‖ Orders")
            await operator.sees("‖ Bills paused by kim@host")


async def test_where_there_is_no_entry_there_is_nothing_to_pause(console: Any, tmp_path: Path) -> None:
    Store(tmp_path / "wfe.db").close()
    async with console(tmp_path / "wfe.db") as operator:
        await operator.sees("0 entries")
        await operator.press("P")
        await operator.hears("there is nothing here whose processor could be paused")


# --- engine processes


@pytest.mark.slow
async def test_two_quick_restarts_are_both_executed_by_one_process_after_the_other(console: Any, place: Any) -> None:
    place.repair()
    async with console(place.store) as operator:
        running = 0

        def count() -> bool:
            nonlocal running
            running = max(running, sum(child.runs for child in operator.app.engines.processes))
            return "✗ 1 failed" in operator.screen

        await operator.go_to("A-2")
        await operator.does("R", "Restart: 1 entry?")
        await operator.hears("restart: 1 entry")
        await operator.go_to("A-6")
        await operator.does("R", "Restart: 1 entry?")
        await operator.until(count)
        await operator.idle()
        assert running == 1
    assert [executions(place, "Send", key) for key in ("A-2", "A-6", "A-7")] == [1, 1, 0]
    assert [action["open"] for action in place.actions] == [False, False]


async def test_a_new_run_asked_for_during_a_restart_follows_it(console: Any, place: Any) -> None:
    place.orders("A-1", "A-2 raise", "B-1")
    async with console(place.store) as operator:
        await operator.go_to("A-2")
        await operator.does("R")
        await operator.hears("restart: 1 entry")
        await operator.press("N")
        await operator.sees("B-1", "9 entries")
        await operator.idle()
        assert ["--actions" in child.command.argv for child in operator.app.engines.processes] == [True, False]


async def test_a_process_that_cannot_start_shows_what_it_printed(console: Any, place: Any) -> None:
    (place.folder / "orders.py").unlink()
    async with console(place.store, size=(120, 30)) as operator:
        await operator.go_to("A-2")
        await operator.does("R", "Restart: 1 entry?")
        await operator.sees("orders:Orders  ended with exit code 2", "there is no module 'orders'")
        await operator.hears("orders:Orders went wrong: exit code 2")
        await operator.press("escape")
        await operator.sees("8 entries")


async def test_a_folder_that_is_gone_is_said_so(console: Any, place: Any) -> None:
    with Store(place.store) as store:
        store.runs.update({"home": {"python": "/no/python", "folder": "/no/folder", "path": ""}})
    async with console(place.store, size=(120, 30)) as operator:
        await operator.go_to("A-2")
        await operator.does("R", "Restart: 1 entry?")
        await operator.sees("/no/python cannot be started", "No such file or directory")


async def test_o_shows_what_the_processes_started_here_have_printed(console: Any, place: Any) -> None:
    async with console(place.store, size=(120, 30)) as operator:
        await operator.sees("8 entries")
        await operator.press("o")
        await operator.sees("none yet")
        await operator.press("escape")
        await operator.go_to("A-2")
        await operator.press("N", "o")
        await operator.sees("considered", "ended with exit code", "$ ", "engine run orders:Orders")


async def test_leaving_the_console_leaves_its_engine_process_at_work(console: Any, workplace: Any) -> None:
    assert workplace.wfe("run", "orders:Orders").returncode == 0
    file = workplace.folder / "orders.py"
    file.write_text(file.read_text().replace("entry.price = 7", "open(HERE / 'go').read()\n        entry.price = 7"))
    os.mkfifo(workplace.folder / "go")
    async with console(workplace.store) as operator:
        await operator.go_to("A-1")
        await operator.does("S")
        await operator.sees("▶ 1 running")
        await operator.press("q")
        await operator.until(lambda: not operator.app.is_running)
        workplace.go_on()
    await asyncio.to_thread(lambda: [child.join() for child in operator.app.engines.processes])
    assert executions(workplace, "Send", "A-1") == 2


# --- one store, two processes that ask for it


async def test_an_act_of_another_process_shows_on_the_row(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.sees("◼ interrupted")
        assert place.wfe("repeat", "on", "A-3").returncode == 0
        await operator.sees_of("A-3", "○ ready")


async def test_the_console_waits_for_its_turn_to_write_without_holding_up_the_keys(
    console: Any, place: Any, tmp_path: Path
) -> None:
    with Store(place.store) as other:
        async with console(place.store) as operator:
            await operator.go_to("A-3")
            with other.transaction():
                await operator.press("T", "question_mark")
                await operator.sees("On the list")
                await operator.press("escape")
                assert operator.notices == []
            await operator.hears("repeat on: 1 entry")


async def test_a_store_that_may_not_be_written_is_shown_and_every_act_on_it_refused(
    console: Any, place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and may(path, mode))  # as for a guest
    before = place.store.read_bytes()
    async with console(place.store, size=(160, 48)) as operator:
        await operator.sees("read only", "A-2", "✗ failed")
        await operator.go_to("A-2")
        for keys in ("T", "R", "H", "Py", "N"):
            await operator.press(*keys)
            await operator.hears("is opened read only")
            operator.app.clear_notifications()
        await operator.press("e")
        await operator.sees("no customer in A-2")
    assert place.store.read_bytes() == before
