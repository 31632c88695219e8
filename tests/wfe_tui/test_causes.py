"""Errors by their cause: what a group says, what is in it, and acts on all of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tinydb import where

from engine.clock import to_text
from engine.groups import BARS, error_groups
from engine.store import Store

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def occurrence(number: int, fingerprint: str, **fields: Any) -> dict[str, Any]:
    return {
        "error_id": f"{number:08}-e", "fingerprint": fingerprint, "type": "ValueError", "message": "no customer",
        "notes": [], "frames": [], "causes": [], "text": "", "task": "Check", "attempt": 1, "run": 1,
        "key": f"A-{number}", "processor": "shop:Orders", "host": "h", "pid": 1,
        "time": to_text(NOON - timedelta(hours=number)), **fields,
    }  # fmt: skip


def test_a_group_tells_how_often_when_and_where_and_how_many_stand_failed_by_it(tmp_path: Any) -> None:
    with Store(tmp_path / "wfe.db") as store:
        store.errors.insert_multiple(
            [
                occurrence(1, "v1:aa"), occurrence(2, "v1:aa", key="A-1"), occurrence(3, "v1:aa", task="Send"),
                occurrence(30, "v1:bb", message="older than a day"),
            ]
        )  # fmt: skip
        store.entries.insert({"key": "A-1", "processor": "shop:Orders", "state": "failed", "error_id": "00000001-e"})
        groups = error_groups(store, NOON)
    first, second = groups
    assert (first.fingerprint, first.count, first.entries, first.failing) == ("v1:aa", 3, 2, 1)
    assert first.tasks == ("Check", "Send")
    assert (first.first, first.last) == (NOON - timedelta(hours=3), NOON - timedelta(hours=1))
    assert len(first.trend) == BARS
    assert sum(first.trend) == 3
    assert (second.fingerprint, second.failing, sum(second.trend)) == ("v1:bb", 0, 0)


async def test_all_that_stand_failed_of_one_cause_are_restarted_at_once(console: Any, place: Any) -> None:
    place.repair()
    async with console(place.store, size=(160, 48)) as operator:
        await operator.press("2")
        await operator.sees("1 cause, 3 entries failing now", "ValueError: no customer", "Check")
        await operator.does("R", "Restart: 3 entries?", "failing now of v1:", "↻ 3 runs again")
        await operator.hears("restart: 3 entries")
        await operator.sees("0 entries failing now")
        await operator.idle()
    assert [place.done.count(f"Send {key}") for key in ("A-2", "A-6", "A-7")] == [1, 1, 1]


async def test_l_shows_the_entries_that_failed_of_it(console: Any, place: Any) -> None:
    async with console(place.store, size=(160, 48)) as operator:
        await operator.press("2")
        await operator.sees("1 cause")
        await operator.press("l")
        await operator.sees("entries?error:v1:", "3 entries", "✗ 3 failed")


async def test_groups_are_filtered_by_words_and_sorted(console: Any, place: Any) -> None:
    with Store(place.store) as store:
        store.errors.insert(occurrence(9, "v1:zz", type="KeyError", message="carrier"))
    async with console(place.store, size=(160, 48)) as operator:
        await operator.press("2")
        await operator.sees("2 causes", "KeyError: carrier")
        await operator.press("slash", *"carrier", "enter")
        await operator.sees("1 cause")
        await operator.press("escape")
        await operator.sees("2 causes")
        await operator.press("s")
        await operator.until(lambda: operator.lines[2].find("Failing▲") > 0)


async def test_a_new_error_appears_while_one_looks(console: Any, place: Any) -> None:
    async with console(place.store, size=(160, 48)) as operator:
        await operator.press("2")
        await operator.sees("1 cause")
        with Store(place.store) as store:
            store.errors.insert(occurrence(9, "v1:zz", type="KeyError", message="carrier"))
        await operator.sees("2 causes", "KeyError: carrier")


async def test_the_occurrences_of_a_cause_are_listed_and_each_opens_its_trace(console: Any, place: Any) -> None:
    with Store(place.store) as store:
        store.errors.update({"message": "carrier"}, where("key") == "A-6")
    async with console(place.store, size=(160, 48)) as operator:
        await operator.press("2")
        await operator.sees("1 cause")
        await operator.press("enter")
        await operator.sees("seen 3 times", "A-2", "A-6", "A-7")
        await operator.press("slash", *"carrier", "enter")
        await operator.sees("seen 1 time")
        await operator.press("enter")
        await operator.sees("A-6  Check  attempt 1", "raise ValueError")


async def test_where_nothing_failed_that_is_said(console: Any, tmp_path: Any) -> None:
    Store(tmp_path / "wfe.db").close()
    async with console(tmp_path / "wfe.db") as operator:
        await operator.press("2")
        await operator.sees("no error was recorded in this store")
        await operator.press("enter", "l", "R", "y", "e")
        await operator.hears("there is no entry to act on")
