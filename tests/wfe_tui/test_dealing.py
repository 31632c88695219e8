"""Groups of errors at the console: how they stand, what is said of them, and whether all failures are dealt with."""

from typing import Any

import pytest
from tinydb import where

from engine.clock import utc_now
from engine.groups import GroupState
from engine.store import Store
from wfe_tui.drawing import PICTURES
from wfe_tui.widgets.states import GROUPS

FAILING = "✗ 4 of 4 failures are not dealt with"


def groups(place: Any) -> list[dict[str, Any]]:
    with Store(place.store) as store:
        return [dict(group) for group in store.groups.all()]


def only_raising(place: Any) -> None:
    """Of the failures only those are left that have a cause."""
    with Store(place.store) as store:
        store.entries.remove(where("state") == "interrupted")


async def test_a_cause_is_new_is_resolved_comes_back_and_is_fixed_by_a_restart(console: Any, place: Any) -> None:
    only_raising(place)
    async with console(place.store, size=(160, 48)) as operator:
        await operator.sees("✗ 3 of 3 failures are not dealt with")
        await operator.press("2")
        await operator.sees("✚ new", "never restarted")
        await operator.press("V")
        await operator.sees("Resolve: 1 cause?", "enter does it")
        await operator.press(*"carrier")
        await operator.sees("$ wfe resolve --store", "--why")
        await operator.press("enter")
        await operator.hears("resolve: v1:")
        await operator.sees("✓ resolved by", ": carrier", "✓ all failures are dealt with")

        await operator.does("R", "Restart: 3 entries?", "3× ValueError: no customer", "never restarted")
        await operator.sees("↺ regressed", "came back after it was resolved by", "0 of 3 recovered: fix first")
        await operator.sees("✗ 3 of 3 failures are not dealt with")

        place.repair()
        await operator.does("R", "Restart: 3 entries?", "0 of 3 recovered: fix first")
        await operator.sees("✓ resolved by", "restart 3 fixed it", "restarted 6 times, 3 recovered, median 1 attempt")
        await operator.sees("✓ nothing fails")
        await operator.idle()


async def test_a_cause_is_snoozed_until_it_is_seen_again(console: Any, place: Any) -> None:
    only_raising(place)
    async with console(place.store, size=(120, 40)) as operator:
        await operator.press("2")
        await operator.sees("✚ new")
        await operator.press("Z", *"soon", "enter")
        await operator.sees("'soon' is no end of a snooze: write one of 2h, 08:00")
        operator.app.screen.query_one("#ends").value = "1 more"
        await operator.sees("wfe snooze --more 1 --store")
        await operator.press("enter")
        await operator.sees("◷ snoozed by", "until it is seen once more", "✓ all failures are dealt with")
        await operator.does("R", "Restart: 3 entries?")
        await operator.sees("✚ new", "0 of 3 recovered: fix first")
        await operator.idle()
    assert [action["verb"] for action in place.actions] == ["snooze", "restart"]


async def test_a_snooze_ends_by_itself_while_one_looks(console: Any, place: Any, clock: Any) -> None:
    clock.turn_to(utc_now())
    async with console(place.store, size=(120, 40), clock=clock) as operator:
        await operator.press("2")
        await operator.sees("✚ new")
        await operator.press("Z", *"2h", "enter")
        await operator.sees("◷ snoozed by")
        clock.turn(hours=2)
        await operator.sees("✚ new")


async def test_a_note_is_shown_with_the_cause_and_on_its_occurrences(console: Any, place: Any) -> None:
    async with console(place.store, size=(120, 40)) as operator:
        await operator.press("2")
        await operator.sees("✚ new")
        await operator.press("M", *"[bold]known", "enter")
        await operator.hears("note: v1:")
        await operator.sees("✎ ", "[bold]known")
        await operator.press("enter")
        await operator.sees("seen 3 times", "✚ new · never restarted", "[bold]known")
        await operator.press("M", "enter")
        await operator.sees("there is nothing in the note")
        await operator.press(*"more", "enter")
        await operator.sees(": more", "[bold]known")
        await operator.press("V", "enter")
        await operator.sees("✓ resolved by")
        await operator.press("V", "enter")
        await operator.hears("it is resolved by")
    [group] = groups(place)
    assert [note["text"] for note in group["notes"]] == ["[bold]known", "more"]


async def test_an_act_on_causes_is_shown_with_them(console: Any, place: Any) -> None:
    async with console(place.store, size=(120, 40)) as operator:
        await operator.press("2")
        await operator.sees("✚ new")
        await operator.press("V", "enter")
        await operator.hears("resolve: v1:")
        await operator.press("4")
        await operator.sees("resolve")
        await operator.press("enter")
        await operator.sees("resolve  on 1 cause", "✓ accepted", "→ ✓ resolved  ValueError: no customer")


async def test_causes_are_filtered_by_how_they_stand_and_sorted_by_who_has_to_look(console: Any, place: Any) -> None:
    with Store(place.store) as store:
        [first] = store.errors.get(doc_ids=[1])
        for number, kind in enumerate(("KeyError", "OSError")):
            copy = {**first, "error_id": f"{number}-x", "fingerprint": f"v1:{number}", "type": kind}
            store.errors.insert(copy)
    async with console(place.store, size=(120, 40)) as operator:
        await operator.press("2")
        await operator.sees("3 causes", "KeyError", "OSError")
        await operator.press("slash", *"oserror", "enter")
        await operator.sees("1 cause,")
        await operator.press("V", "enter")
        await operator.sees("✓ resolved by")
        await operator.press("escape")
        await operator.sees("3 causes")
        listed = [line for line in operator.lines if "Error:" in line]
        assert ["✚" in line for line in listed] == [True, True, False]
        assert "ValueError" in listed[0]
        await operator.press("slash", *"resolved", "enter")
        await operator.sees("1 cause,", "OSError")


async def test_a_click_on_whether_all_is_dealt_with_leads_to_the_errors(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.sees("not dealt with", "8 entries")
        await operator.pilot.click("#dealt")
        await operator.sees("1 cause, 3 entries failing now")


@pytest.mark.parametrize(
    ("width", "words"), [(80, "✗ 4/4 not dealt with"), (120, FAILING), (200, f"{FAILING}: 1 cause (1 new)")]
)
async def test_the_first_line_says_as_much_as_there_is_room_for(
    console: Any, place: Any, width: int, words: str
) -> None:
    async with console(place.store, size=(width, 24)) as operator:
        await operator.until(lambda: words in operator.lines[0])
        assert len(operator.lines[0]) == width
        assert "entries" in operator.lines[0]


async def test_on_a_store_that_is_only_read_nothing_is_said_of_a_cause(console: Any, place: Any) -> None:
    async with console(place.store, size=(120, 30), read_only=True) as operator:
        await operator.press("2")
        await operator.sees("✚ new")
        for key in ("V", "Z", "M"):
            await operator.press(key)
            await operator.hears("is opened read only")
            operator.app.clear_notifications()
    assert groups(place) == []


async def test_where_there_is_no_cause_there_is_nothing_to_say(console: Any, tmp_path: Any) -> None:
    Store(tmp_path / "wfe.db").close()
    async with console(tmp_path / "wfe.db") as operator:
        await operator.press("2")
        await operator.sees("no error was recorded in this store", "✓ nothing fails")
        for key in ("V", "Z", "M"):
            await operator.press(key)
            await operator.hears("there is no cause to act on")
            operator.app.clear_notifications()


def test_the_states_of_causes_differ_in_their_signs_without_colours_and_in_ascii() -> None:
    signs = [GROUPS[state][0] for state in GroupState]
    assert len(set(signs)) == len(signs)
    assert len({PICTURES[sign] for sign in signs}) == len(signs)
