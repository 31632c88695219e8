"""What became of an act: it is open until each of its entries has a verdict, and the console says which."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tinydb import where

from engine import operations
from engine.clock import to_text
from engine.store import Store

REPAIRED = ("A-1", "A-2", "A-3 wait", "A-4 wait", "A-5", "A-6 raise", "A-7 lookup", "A-8")
"""A-2 was repaired; A-3 waits now, A-6 fails as before, and A-7 otherwise."""


@pytest.fixture
def repaired(place: Any) -> Any:
    """The workplace, in which a restart of A-2, A-3, A-6 and A-7 goes out four ways."""
    file = place.folder / "orders.py"
    fails_otherwise = '        if entry.fate == "lookup":\n            raise LookupError(entry.key)\n'
    raises = '        if entry.fate == "raise":'
    file.write_text(file.read_text().replace(raises, fails_otherwise + raises))
    place.orders(*REPAIRED)
    return place


async def restart_all_four(operator: Any) -> None:
    await operator.press("slash", *"-state:finished -key=A-4", "enter")
    await operator.sees("4 entries")
    await operator.press("a")
    await operator.does("R", "Restart: 4 entries?", "plan p1:")
    await operator.hears("restart: 4 entries\n")
    await operator.idle()


@pytest.mark.slow
async def test_an_action_is_open_until_its_last_verdict_then_its_outcome_is_told_once(
    console: Any, repaired: Any
) -> None:
    async with console(repaired.store, size=(200, 48)) as operator:
        await restart_all_four(operator)
        await operator.sees("◷ 1 open, 1 wait")
        await operator.press("4")
        await operator.sees("◷ 1 action open, 1 entry waits")
        await operator.sees("✓ 1 fixed · ✗ 1 same error · ✗ 1 new error · ◷ 1 waiting", "◷ open")
        assert not any("fixed" in notice for notice in operator.notices)
        repaired.repair()
        assert repaired.wfe("restart", "A-3").returncode == 0
        await operator.hears("restart: 2 fixed, 1 same error, 1 new error\n4 shows action 1")
        await operator.sees("✓ 2 fixed · ✗ 1 same error · ✗ 1 new error", "✓ done")
        await operator.no_longer_sees("action open")
        assert len([notice for notice in operator.notices if "4 shows action 1" in notice]) == 1


@pytest.mark.slow
async def test_the_verdicts_of_an_action_are_a_list_that_leads_to_entries_and_traces(
    console: Any, repaired: Any
) -> None:
    async with console(repaired.store, size=(160, 48)) as operator:
        await restart_all_four(operator)
        await operator.press("4")
        await operator.sees("✓ 1 fixed · ✗ 1 same error")
        await operator.press("enter")
        await operator.sees("restart  on 4 entries  ◷ open", "by ", "no reason was given", "orders:Orders", "plan p1:")
        await operator.sees(f"$ wfe actions show --store {repaired.store} 1")
        await operator.sees_of("A-2", "✓ fixed", "✓ finished")
        await operator.sees_of("A-3", "◷ waiting")
        await operator.sees_of("A-6", "✗ same error")
        await operator.sees_of("A-7", "✗ new error")
        await operator.press("f")
        await operator.sees("A-3")
        await operator.no_longer_sees("A-6")
        await operator.press("f")
        await operator.sees("A-2")
        await operator.no_longer_sees("A-3")
        await operator.press("slash", *"new", "enter")
        await operator.sees("A-7")
        await operator.no_longer_sees("A-2")
        await operator.press("enter")
        await operator.sees("Attempts, newest first", "LookupError: A-7")
        await operator.press("less_than_sign")
        await operator.sees("restart  on 4 entries", "✗ new error")
        await operator.press("e")
        await operator.sees("LookupError")


async def test_verdicts_show_on_the_screen_of_their_action_as_they_come(console: Any, slow: Any) -> None:
    slow.wfe("run", "orders:Orders")
    async with console(slow.store, size=(120, 30)) as operator:
        with Store(slow.store) as other:
            other.entries.update({"processor": "orders:Slow", "tasks": ["Fetch", "Wait", "Send"]})
            other.runs.update({"processor": "orders:Slow"})
        await operator.go_to("A-1")
        await operator.does("S", "Restart from the start: 1 entry?")
        slow.wait_until_inside()
        await operator.press("4")
        await operator.sees("▶ taken", "◷ 1 action open, 1 entry waits")
        await operator.press("enter")
        await operator.sees_of("A-1", "◷ waiting")
        slow.go_on()
        await operator.sees_of("A-1", "✓ fixed")
        await operator.hears("restart from the start: 1 fixed")
        await operator.idle()


async def test_open_acts_are_counted_on_every_list_and_shown_alone(console: Any, place: Any) -> None:
    with Store(place.store) as store:
        operations.hold(["A-3"], store=store)
        operations.set_repeat(["A-2", "A-6"], True, store=store)
        operations.hold(["A-7"], store=store)
    async with console(place.store) as operator:
        for key in "1234":
            await operator.press(key)
            await operator.sees("◷ 1 open")
        await operator.sees("repeat on", "hold")
        await operator.press("f")
        await operator.no_longer_sees("hold")
        await operator.sees("repeat on", "◷ 2 waiting")
        place.repair()
        place.wfe("run", "orders:Orders")
        await operator.no_longer_sees("repeat on")
        await operator.press("f")
        await operator.sees("hold", "✓ 2 fixed")
        await operator.no_longer_sees("◷ 1 open")


async def test_an_entry_whose_process_died_has_its_verdict_though_nobody_else_looks(console: Any, place: Any) -> None:
    place.orders("A-2 die")
    async with console(place.store, size=(120, 30)) as operator:
        await operator.go_to("A-2")
        await operator.does("R", "Restart: 1 entry?")
        await operator.hears("restart: 1 new error")


async def test_what_was_refused_at_once_is_told_with_its_reason(console: Any, place: Any) -> None:
    place.repair()
    async with console(place.store, size=(120, 30)) as operator:
        await operator.go_to("A-1")
        await operator.press("space", "space")
        await operator.does("R", "Restart: 2 entries?")
        await operator.hears("restart: 1 fixed")
        await operator.idle()
        await operator.press("4")
        await operator.sees("✓ 1 fixed · ⊘ 1 refused")
        await operator.press("enter")
        await operator.sees("Refused at once", "A-1  ✗ refused: it is finished: restart it from the start")
        await operator.sees_of("A-2", "✓ fixed")


async def test_acts_of_older_versions_show_what_they_answered(console: Any, place: Any) -> None:
    with Store(place.store) as store:
        store.actions.insert(
            {
                "verb": "restart", "who": "anna@desk", "when": to_text(datetime(2026, 1, 1, tzinfo=UTC)),
                "why": "carrier is back", "processor": "orders:Orders", "keys": ["A-1", "A-2", "A-6"],
                "results": {"A-1": "it is finished: restart it from the start", "A-2": None}, "open": False,
                "taken_by": None, "run": 1,
            }
        )  # fmt: skip
    async with console(place.store, size=(120, 30)) as operator:
        await operator.press("4")
        await operator.sees("✗ broken off", "anna@desk", "⊘ 1 refused")
        await operator.press("enter")
        await operator.sees(
            "why: carrier is back",
            "A-1  ✗ refused: it is finished: restart it from the start",
            "A-2  ✓ accepted  → ✗ failed",
            "A-6  ? it was broken off before",
        )
        await operator.press("u")
        await operator.hears("was done by an older version")


async def test_of_an_act_on_many_a_page_of_verdicts_is_read_and_not_all(console: Any, place: Any) -> None:
    with Store(place.store) as store:
        failed = dict(store.entries.search(where("key") == "A-2")[0])
        store.entries.insert_multiple({**failed, "key": f"B-{number:04}"} for number in range(3_000))
        operations.set_repeat([f"B-{number:04}" for number in range(3_000)], True, store=store)
    async with console(place.store, size=(120, 30)) as operator:
        await operator.press("4", "enter")
        await operator.sees("on 3000 entries", "◷ 3000 waiting", "B-0000")
        window = operator.app.screen.window
        assert len(window) == 3_000
        assert len(window._rows) < 1_000
        await operator.press("G")
        await operator.sees("B-2999")
