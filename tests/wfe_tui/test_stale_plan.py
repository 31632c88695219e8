"""What changes between a look and a yes is not acted on: it is refused, entry by entry, with the difference."""

from typing import Any

from tinydb import where

from engine import operations
from engine.store import Store


async def test_an_entry_that_another_holds_while_the_question_stands_is_refused_and_the_others_go_on(
    console: Any, place: Any
) -> None:
    place.repair()
    async with console(place.store, size=(160, 48)) as operator:
        await operator.press("f")
        await operator.sees("3 entries")
        await operator.press("a", "R")
        await operator.sees("Restart: 3 entries?", "3 would be done", "plan p1:")
        assert place.wfe("hold", "A-6", "--why", "customs").returncode == 0
        await operator.press("y")
        await operator.hears(
            "restart: 2 entries\nA-6: it has changed since you looked: it was failed at Check, attempt 1, "
            "it is held at Check, attempt 1, hold by "
        )
        await operator.hears(": customs\n$ wfe restart")
        await operator.hears("restart: 2 fixed")
        await operator.idle()
    restart = place.actions[1]
    assert restart["plan"].startswith("p1:")
    assert restart["results"]["A-6"] is not None
    assert place.done.count("Check A-6") == 1


async def test_what_is_done_without_a_question_is_done_to_what_stands_on_the_screen(console: Any, place: Any) -> None:
    async with console(place.store, size=(160, 48)) as operator:
        await operator.go_to("A-3")
        await operator.press("p")
        await operator.sees("standing still")
        with Store(place.store) as other:
            operations.cancel(["A-3"], store=other, who="bob@host", why="duplicate")
        await operator.sees("standing still +1")
        await operator.press("H")
        await operator.hears(
            "A-3: it has changed since you looked: it was interrupted at Check, attempt 1, "
            "it is cancelled at Check, attempt 1, cancel by bob@host: duplicate"
        )
        await operator.press("p")
        await operator.sees_of("A-3", "⊘ cancelled")


async def test_ones_own_acts_in_quick_succession_are_no_conflict(console: Any, place: Any) -> None:
    async with console(place.store, size=(160, 48)) as operator:
        await operator.go_to("A-3")
        await operator.press("p")
        await operator.sees("standing still")
        await operator.press("H")
        await operator.hears("hold: 1 entry")
        await operator.press("L")
        await operator.hears("release: 1 entry")


async def test_a_yes_that_comes_before_all_is_looked_at_waits_for_it(console: Any, place: Any) -> None:
    with Store(place.store) as store:
        failed = dict(store.entries.search(where("key") == "A-2")[0])
        store.entries.insert_multiple({**failed, "key": f"B-{number:04}"} for number in range(1_200))
    async with console(place.store, size=(120, 40)) as operator:
        await operator.press("slash", *"key:B-*", "enter", "a")
        await operator.sees("● 1200 marked")
        await operator.press("X")
        await operator.sees("Cancel: 1200 entries?")
        await operator.press("y")
        await operator.hears("cancel: 1200 entries")
    [action] = place.actions
    assert action["plan"].startswith("p1:")
