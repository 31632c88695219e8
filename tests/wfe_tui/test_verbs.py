"""Every verb that an operator has, done from the console to a real store with a real engine beside it."""

from pathlib import Path
from typing import Any

import pytest
from tinydb import where

from engine.store import Store
from wfe_tui.config import Config


def entry(place: Any, key: str) -> dict[str, Any]:
    with Store(place.store) as store:
        [found] = store.entries.search(where("key") == key)
        return dict(found)


def newest(place: Any, key: str) -> dict[str, Any]:
    return dict(entry(place, key)["executions"][-1])


async def test_a_held_entry_is_executed_by_no_run_until_it_is_released(console: Any, place: Any) -> None:
    place.repair()
    async with console(place.store, size=(160, 48)) as operator:
        await operator.go_to("A-4")
        await operator.press("H")
        await operator.hears(f"hold: 1 entry\n$ wfe hold --store {place.store} A-4")
        await operator.sees("‖ 1 held", "nothing until it is released: held by")
        await operator.press("N")
        await operator.sees("run 2 Orders completed")
        await operator.idle()
        await operator.sees_of("A-4", "‖ held")
        await operator.press("L")
        await operator.hears("release: 1 entry")
        await operator.until(lambda: "‖" not in operator.line("A-4"))
    assert [action["verb"] for action in place.actions] == ["hold", "release"]
    assert place.done.count("Check A-4") == 1


async def test_a_cancelled_entry_is_left_alone_and_a_restart_takes_it_up_again(console: Any, place: Any) -> None:
    place.repair()
    async with console(place.store, size=(160, 48)) as operator:
        await operator.go_to("A-2")
        await operator.press("X")
        await operator.sees("Cancel: 1 entry?")
        await operator.press("w", *"duplicate", "enter")
        await operator.hears(f"cancel: 1 entry\n$ wfe cancel --store {place.store} --why duplicate A-2")
        await operator.sees("⊘ 1 cancelled", "cancelled by", ": duplicate")
        await operator.does("R", "Restart: 1 entry?", "↻ Check runs again")
        await operator.sees_of("A-2", "✓ finished")
        await operator.idle()
    assert place.actions[0]["why"] == "duplicate"


async def test_a_skipped_task_is_not_executed_and_the_next_one_is(console: Any, place: Any) -> None:
    async with console(place.store, size=(160, 48)) as operator:
        await operator.go_to("A-2")
        await operator.does("K", "Skip: 1 entry?", "⊘ Check taken as done", "○ Send runs first")
        await operator.hears("skip: 1 entry")
        await operator.sees_of("A-2", "✓ finished")
        await operator.press("enter")
        await operator.sees("⊘ skipped", "skipped by")
        await operator.idle()
    assert place.done.count("Check A-2") == 1
    assert place.done.count("Send A-2") == 1


@pytest.mark.parametrize(
    ("typed", "repeat", "reruns", "words"),
    [
        ("after 2h", {"kind": "after_time", "seconds": 7200}, None, "--after 7200s"),
        ("after 3 runs reruns 5", {"kind": "after_cycle", "after_cycle": 3}, 5, "--cycles 3 --reruns 5"),
        ("at 2030-01-01 08:00", {"kind": "after_datetime"}, None, "--at '2030-01-01 08:00:00'"),
        ("on reruns 1", True, 1, "--reruns 1"),
        ("off", False, None, "repeat off"),
    ],
)
async def test_repeat_is_set_by_every_policy(
    console: Any, place: Any, typed: str, repeat: Any, reruns: int | None, words: str
) -> None:
    async with console(place.store, size=(160, 48)) as operator:
        await operator.go_to("A-3")
        await operator.press("W")
        await operator.sees("Repeat when")
        operator.app.screen.query_one("Input").value = typed
        await operator.press("enter")
        await operator.hears(words)
    status = newest(place, "A-3")["status"]
    if isinstance(repeat, dict):
        assert {name: status["repeat"][name] for name in repeat} == repeat
    else:
        assert status["repeat"] is repeat
    assert status["max_reruns"] == reruns


async def test_a_repeat_that_cannot_be_understood_is_asked_for_again(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.go_to("A-3")
        await operator.press("W", *"soon", "enter")
        await operator.sees("'soon' is no repeat: write one of on, off, after 2h")
        await operator.press("escape")
        await operator.sees("8 entries")
    assert place.actions == []


async def test_the_preview_says_what_is_refused_and_why_and_the_rest_goes_on(console: Any, place: Any) -> None:
    async with console(place.store, size=(120, 40)) as operator:
        await operator.sees("8 entries")
        await operator.press("a", "X")
        await operator.sees(
            "Cancel: 8 entries?",
            "all entries",
            "5 would be done",
            "✗ 3 refused: 3× it is finished: there is nothing to cancel",
        )
        await operator.press("y")
        await operator.hears("cancel: 5 entries\nA-1: it is finished: there is nothing to cancel")
        await operator.sees("⊘ 5 cancelled", "● 3 marked")
    [action] = place.actions
    assert sum(answer is None for answer in action["results"].values()) == 5


async def test_the_shell_line_can_be_copied_before_and_after_the_act(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.go_to("A-2")
        await operator.press("R")
        await operator.sees("y yes · n no")
        await operator.press("c")
        await operator.hears("copied the shell line")
        assert operator.app.clipboard == f"wfe restart --store {place.store} A-2"
        await operator.press("n", "H")
        await operator.hears("hold: 1 entry")
        await operator.press("ctrl+y")
        await operator.until(lambda: operator.app.clipboard == f"wfe hold --store {place.store} A-2")


async def test_an_act_on_more_than_a_transaction_holds_tells_how_far_it_is(console: Any, place: Any) -> None:
    with Store(place.store) as store:
        failed = dict(store.entries.search(where("key") == "A-2")[0])
        store.entries.insert_multiple({**failed, "key": f"B-{number:04}"} for number in range(1_200))
    async with console(place.store) as operator:
        await operator.press("slash", *"key:B-*", "enter", "a")
        await operator.sees("● 1200 marked")
        await operator.does("H", "Hold: 1200 entries?", "1200 would be done")
        await operator.hears("hold: 1200 entries")
        await operator.no_longer_sees("marked")
    [action] = place.actions
    assert len(action["keys"]) == len(action["results"]) == 1_200


async def test_only_those_of_two_processors_that_were_marked_are_acted_on(console: Any, place: Any) -> None:
    with Store(place.store) as store:
        failed = dict(store.entries.search(where("key") == "A-2")[0])
        store.entries.insert({**failed, "processor": "orders:Slow"})
    async with console(place.store, size=(160, 48)) as operator:
        await operator.press("slash", *"key=A-2", "enter")
        await operator.sees("2 entries")
        await operator.press("G", "H")
        await operator.hears("--processor orders:Slow A-2")
    assert (entry_of(place.store, "orders:Orders")["halt"], entry_of(place.store, "orders:Slow")["state"]) == (
        None,
        "held",
    )


def entry_of(path: Path, processor: str) -> dict[str, Any]:
    with Store(path) as store:
        return dict(store.entries.search((where("key") == "A-2") & (where("processor") == processor))[0])


# --- who may not


async def test_with_read_only_every_act_is_refused_and_a_badge_says_so(console: Any, place: Any) -> None:
    before = place.store.read_bytes()
    async with console(place.store, size=(120, 30), read_only=True) as operator:
        await operator.sees("read only", "8 entries")
        await operator.go_to("A-2")
        for key in ("R", "T", "S", "K", "H", "X", "D", "N"):
            await operator.press(key)
            await operator.hears("is opened read only")
            operator.app.clear_notifications()
    assert place.store.read_bytes() == before
    assert place.actions == []


async def test_what_cannot_be_undone_on_a_protected_store_asks_for_its_name(console: Any, place: Any) -> None:
    config = Config(protected=[str(place.folder / "*")])
    async with console(place.store, size=(120, 40), config=config) as operator:
        await operator.sees("protected")
        await operator.go_to("A-2")
        await operator.press("X")
        await operator.sees("This store is protected: type its name, wfe.db")
        await operator.press("y")
        await operator.press(*"prod.db", "enter")
        assert place.actions == []
        operator.app.screen.query_one("#name").value = ""
        await operator.press(*"wfe.db", "enter")
        await operator.hears("cancel: 1 entry")
        await operator.go_to("A-3")
        await operator.press("H")
        await operator.hears("hold: 1 entry")
