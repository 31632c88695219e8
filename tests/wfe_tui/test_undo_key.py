"""What an operator did by mistake is taken back by a key, as far as no engine has come to it."""

from typing import Any

import pytest

from engine import operations
from engine.store import Store


async def test_the_newest_act_on_one_entry_is_undone_without_a_question(console: Any, place: Any) -> None:
    async with console(place.store, size=(120, 30)) as operator:
        await operator.go_to("A-3")
        await operator.press("H")
        await operator.hears("u undoes it")
        await operator.sees_of("A-3", "‖ held")
        await operator.press("u")
        await operator.hears(f"undone: action 1, hold: 1 entry\n$ wfe undo --store {place.store} 1")
        await operator.sees_of("A-3", "◼ interrupted")
        await operator.press("4")
        await operator.sees("↶ 1 taken back", "↶ undone")
        await operator.press("1", "u")
        await operator.hears("has done nothing that can be undone")
    assert [action["verb"] for action in place.actions] == ["hold", "undo"]


async def test_a_restart_that_no_worker_has_taken_is_undone_after_a_question(console: Any, place: Any) -> None:
    place.repair()
    with Store(place.store) as store:
        operations.pause("Orders", store=store, who="anna@desk")
    async with console(place.store, size=(120, 30)) as operator:
        await operator.press("f")
        await operator.sees("3 entries")
        await operator.press("a")
        await operator.does("R", "Restart: 3 entries?")
        await operator.sees("◷ 1 open, 3 wait")
        await operator.idle()
        await operator.does("u", "Undo restart, on 3 entries, by ")
        await operator.hears("undone: action 2, restart: 3 entries\n")
        await operator.no_longer_sees("◷ 1 open")
        await operator.sees("✗ 3 failed")
        operations.resume("Orders", store=operator.app.store)
    assert place.wfe("run", "--actions", "orders:Orders").returncode == 0
    assert place.done.count("Check A-2") == 1


@pytest.mark.slow
async def test_of_many_what_was_executed_already_is_named_and_the_rest_undone(console: Any, place: Any) -> None:
    async with console(place.store, size=(160, 48)) as operator:
        await operator.press("f")
        await operator.sees("3 entries")
        await operator.press("a")
        await operator.does("T", "Repeat on: 3 entries?")
        await operator.hears("repeat on: 3 entries")
        assert place.wfe("restart", "A-2").returncode == 1
        await operator.press("4")
        await operator.sees("repeat on", "restart")
        await operator.press("G")
        await operator.does("u", "Undo repeat on, on 3 entries, by ")
        await operator.hears("undone: action 1, repeat on: 2 entries\nA-2: Check was executed since: it is failed\n")
        await operator.sees("↶ 2 taken back · ✗ 1 same error", "↶ undone")
        await operator.press("1", "f")
        await operator.sees("✗ 3 failed")


async def test_no_is_no_undo(console: Any, place: Any) -> None:
    with Store(place.store) as store:
        operations.hold(["A-2", "A-6"], store=store)
    async with console(place.store) as operator:
        await operator.press("4")
        await operator.sees("hold")
        await operator.press("enter")
        await operator.sees("hold  on 2 entries")
        await operator.press("u")
        await operator.sees("Undo hold, on 2 entries")
        await operator.press("n")
        await operator.press("1")
        await operator.sees("‖ 2 held")


async def test_an_undo_itself_is_not_undone(console: Any, place: Any) -> None:
    with Store(place.store) as store:
        operations.hold(["A-2"], store=store)
        operations.undo(store=store)
    async with console(place.store) as operator:
        await operator.press("4")
        await operator.sees("undo")
        await operator.press("u")
        await operator.hears("undo: action 2 is an undo itself: do again what it took back")


async def test_an_act_is_undone_from_an_entry_and_from_the_errors(console: Any, place: Any) -> None:
    with Store(place.store) as store:
        operations.hold(["A-2"], store=store)
        operations.hold(["A-3"], store=store)
    async with console(place.store, size=(120, 30)) as operator:
        await operator.go_to("A-2")
        await operator.press("enter")
        await operator.sees("nothing until it is released")
        await operator.press("u")
        await operator.hears("undone: action 2, hold: 1 entry")
        await operator.press("2")
        await operator.sees("1 cause")
        await operator.press("u")
        await operator.hears("undone: action 1, hold: 1 entry")


async def test_nothing_is_undone_where_nothing_may_be_changed(console: Any, place: Any) -> None:
    with Store(place.store) as store:
        operations.hold(["A-2"], store=store)
    async with console(place.store, size=(120, 30), read_only=True) as operator:
        await operator.press("u")
        await operator.hears("is opened read only: undo was not done")
        await operator.press("4")
        await operator.sees("hold")
        for key in "uRX":
            operator.app.clear_notifications()
            await operator.press(key)
            await operator.hears("is opened read only")
