"""A restart that tries a few entries first: asked for, stopped by itself, resumed and abandoned from the console."""

from typing import Any

import pytest

from engine.store import Store


def only_action(place: Any) -> dict[str, Any]:
    with Store(place.store) as store:
        return dict(store.actions.get(doc_id=1) or {})


def checks(place: Any) -> list[int]:
    """How often Check was executed on the entries that had failed."""
    return [place.done.count(f"Check {key}") for key in ("A-2", "A-6", "A-7")]


async def try_one(operator: Any) -> None:
    """Try one entry of the only group of errors, which fails again."""
    await operator.press("2")
    await operator.sees("1 cause")
    await operator.does("C", "Restart 3 entries, a few of them first?", "↻ 3 runs again", "plan p1:")
    await operator.hears("restart stopped: 2 waiting, 1 same error\n4 shows action 1, R resumes, X abandons")
    await operator.idle()


@pytest.mark.slow
async def test_it_stops_by_itself_when_the_error_comes_back_and_goes_on_when_resumed(console: Any, place: Any) -> None:
    async with console(place.store, size=(160, 48)) as operator:
        await try_one(operator)
        await operator.sees("◷ 1 open, 2 wait")
        assert sorted(checks(place)) == [1, 1, 2]
        place.repair()
        await operator.press("4")
        await operator.sees("✗ 1 same error · ◷ 2 waiting", "◼ stopped")
        await operator.press("enter")
        await operator.sees(
            "canary: 1 first, then 10 at once, same error 0× · stopped: R resumes, X abandons", "its turn has not come"
        )
        await operator.does("R", "Go on with the rest of the entries of action 1?", "$ wfe actions resume")
        await operator.hears("resume: action 1, goes on")
        await operator.hears("restart: 2 fixed, 1 same error\n4 shows action 1")
        await operator.sees("all were executed", "✓ done")
        await operator.idle()
    assert checks(place) == [2, 2, 2]


async def test_an_abandoned_one_leaves_the_rest_as_it_was(console: Any, place: Any) -> None:
    async with console(place.store, size=(160, 48)) as operator:
        await try_one(operator)
        await operator.press("4")
        await operator.sees("◼ stopped")
        await operator.does("X", "Abandon action 1?", "$ wfe actions abandon")
        await operator.hears("abandon: action 1, 2 entries not executed")
        await operator.sees("✗ 1 same error · ⊘ 2 refused", "⊘ abandoned")
        await operator.no_longer_sees("◷ 1 open")
        await operator.press("G", "R")
        await operator.hears("resume: action 1 has not stopped: it is at abandoned")
    assert sorted(checks(place)) == [1, 1, 2]


async def test_the_numbers_are_chosen_and_stand_in_the_shell_line(console: Any, place: Any) -> None:
    place.repair()
    async with console(place.store, size=(120, 40)) as operator:
        await operator.press("f")
        await operator.sees("3 entries")
        await operator.press("a", "C")
        await operator.sees("Restart 3 entries, a few of them first?", "--canary 1 --in-flight 10 --stop-after 0")
        await operator.press("f", "0", "enter")
        await operator.sees("first is 1 at least, not 0")
        await operator.press("backspace", "enter")
        await operator.sees("write a number: first")
        await operator.press("2", "tab", "3", "tab", "1")
        await operator.sees("--canary 2 --in-flight 3 --stop-after 1")
        await operator.press("enter")
        await operator.hears("$ wfe restart --canary 2 --in-flight 3 --stop-after 1")
        await operator.hears("restart: 3 fixed")
        await operator.idle()
    known = only_action(place)["canary"]
    assert [known[name] for name in ("first", "in_flight", "stop_after", "stage")] == [2, 3, 1, "done"]


async def test_it_is_asked_for_on_the_occurrences_of_an_error_as_well(console: Any, place: Any) -> None:
    async with console(place.store, size=(120, 40)) as operator:
        await operator.press("2")
        await operator.sees("1 cause")
        await operator.press("enter")
        await operator.sees("seen 3 times")
        await operator.press("C")
        await operator.sees("Restart 3 entries, a few of them first?", "failing now of v1:")
        await operator.press("n")
    assert not only_action(place)


@pytest.mark.parametrize("key", ["R", "X"])
async def test_other_acts_are_neither_resumed_nor_abandoned(console: Any, place: Any, key: str) -> None:
    place.wfe("hold", "A-2")
    async with console(place.store, size=(120, 30)) as operator:
        await operator.press("4")
        await operator.sees("hold")
        await operator.press(key)
        await operator.hears("action 1 is no canary restart: it was done to all of its entries at once")
