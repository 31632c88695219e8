"""The window over the store: which entries it holds, in which order, and what the cursor and the marks hold on to."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from tinydb import where

from engine.clock import Clock, to_text
from engine.exceptions import InputError
from engine.lookup.rows import EntryRow
from engine.state import State, shown_state
from engine.store import Changes, Store
from wfe_tui import sources
from wfe_tui.window import CACHED_ROWS, HEAD, PAGE, Answer, View, Window

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


Entries = Window[EntryRow]


def entry(key: str, **fields: Any) -> dict[str, Any]:
    return {
        "key": key,
        "processor": "shop:Orders",
        "tasks": ["fetch", "check", "send"],
        "data": {},
        "executions": [],
        "due_date": None,
        "finished": None,
        "source": None,
        "state": "ready",
        "task": "fetch",
        "reason": "",
        "error_id": None,
        "repeat": False,
        "attempts": 0,
        "done": 0,
        "due": None,
        "updated": to_text(NOON),
        "owner": None,
        "run": 1,
        **fields,
        **shown_state(State(fields.get("state", "ready"))),
    }


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "wfe.db") as store:
        yield store


def entries(store: Store, clock: Clock = lambda: NOON) -> Entries:
    return Window(store, sources.entries(store, clock))


def opened(store: Store, view: View | None = None) -> Entries:
    window = entries(store)
    reload(window, view or View(order="key"))
    return window


def reload(window: Entries, view: View | None = None) -> None:
    window.ask(view or window.view)
    assert window.accept(window.load())


def row(window: Entries, index: int) -> EntryRow | None:
    """The row at an index as it is after it was drawn, read, and drawn again."""
    window.row(index)
    wanted = window.take_wanted()
    window.put(wanted, window.read(wanted))
    return window.row(index)


def keys(window: Entries) -> list[str]:
    rows = (row(window, index) for index in range(len(window)))
    return [row.key for row in rows if row is not None]


def cursor_key(window: Entries) -> str | None:
    found = None if window.cursor is None else row(window, window.cursor)
    return found.key if found else None


# Orders


@pytest.mark.parametrize(
    ("order", "first"),
    [
        ("key", "a"),
        ("state", "b"),
        ("progress", "c"),
        ("task", "d"),
        ("reason", "e"),
        ("attempts", "f"),
        ("age", "g"),
    ],
)
def test_entries_are_sorted_by_every_column_in_both_directions(store: Store, order: str, first: str) -> None:
    later = to_text(NOON + timedelta(minutes=1))
    common = {"state": "ready", "done": 2, "task": "fetch", "reason": "r", "attempts": 2}
    changes = {"b": {"state": "failed"}, "c": {"done": 1}, "d": {"task": "check"}, "e": {"reason": "a"}}
    changes |= {"f": {"attempts": 1}, "g": {"updated": later}}
    store.entries.insert_multiple([entry(key, **(common | changes.get(key, {}))) for key in "abcdefg"])
    assert keys(opened(store, View(order=order)))[0] == first
    assert keys(opened(store, View(order=order, reverse=True)))[-1] == first


def test_entries_that_repeat_stand_together(store: Store) -> None:
    policy = {"kind": "after_time", "seconds": 60}
    store.entries.insert_multiple([entry("a", repeat=policy), entry("b"), entry("c", repeat=policy), entry("d")])
    shown = keys(opened(store, View(order="repeat")))
    assert {frozenset(shown[:2]), frozenset(shown[2:])} == {frozenset("ac"), frozenset("bd")}


def test_an_order_that_does_not_exist_is_refused_with_those_that_do(store: Store) -> None:
    with pytest.raises(InputError, match=r"by 'colour'; sort by one of: arrival, key, state, progress"):
        entries(store).ask(View(order="colour"))


# Rows


def test_only_the_pages_that_are_looked_at_are_read_and_few_are_kept(store: Store) -> None:
    ids = store.entries.insert_multiple(entry(f"{number:05}") for number in range(CACHED_ROWS + 3 * PAGE))
    window = opened(store)
    assert len(window) == len(ids)
    for index in range(len(window)):
        window.cursor = index
        found = row(window, index)
        assert found is not None
        assert found.key == f"{index:05}"
    assert len(window._rows) <= CACHED_ROWS


def test_a_row_is_read_for_the_moment_of_the_clock(store: Store) -> None:
    store.entries.insert(entry("a", state="waiting", due=to_text(NOON + timedelta(hours=1))))
    moment = NOON
    window = entries(store, lambda: moment)
    reload(window)
    found = row(window, 0)
    assert found is not None
    assert found.state is State.WAITING
    moment = NOON + timedelta(hours=2)
    window.forget()
    found = row(window, 0)
    assert found is not None
    assert found.state is State.READY


def test_a_changed_entry_is_read_anew_without_a_new_query(store: Store) -> None:
    store.entries.insert_multiple([entry("a"), entry("b")])
    window = opened(store)
    assert keys(window) == ["a", "b"]
    seq = store.seq()
    store.entries.update({"reason": "timeout"}, where("key") == "b")
    assert not window.changed(store.changes(seq)).is_stale
    found = row(window, 1)
    assert found is not None
    assert found.reason == "timeout"


def test_a_new_or_removed_entry_asks_for_a_new_query(store: Store) -> None:
    store.entries.insert_multiple([entry("a"), entry("c")])
    window = opened(store)
    seq = store.seq()
    store.entries.insert(entry("b"))
    assert window.changed(store.changes(seq)).is_stale
    reload(window)
    assert keys(window) == ["a", "b", "c"]
    seq = store.seq()
    store.entries.remove(where("key") == "a")
    assert window.changed(store.changes(seq)).is_stale
    assert row(window, 0) is None
    reload(window)
    assert keys(window) == ["b", "c"]


@pytest.mark.parametrize("view", [View(filter="state:ready"), View(order="age")])
def test_a_change_may_move_an_entry_that_is_filtered_or_sorted_by_it(store: Store, view: View) -> None:
    store.entries.insert_multiple([entry("a"), entry("b")])
    window = opened(store, view)
    seq = store.seq()
    store.runs.insert({"processor": "shop:Orders"})
    assert not window.changed(store.changes(seq)).is_stale
    store.entries.update({"state": "failed", "updated": to_text(NOON + timedelta(1))}, where("key") == "b")
    assert window.changed(store.changes(seq)).is_stale


# Cursor and marks


def test_the_cursor_starts_on_the_first_row_and_is_nowhere_without_rows(store: Store) -> None:
    window = opened(store)
    assert window.cursor is None
    store.entries.insert(entry("a"))
    reload(window)
    assert window.cursor == 0
    store.entries.truncate()
    reload(window)
    assert window.cursor is None


def test_the_cursor_holds_on_to_its_entry(store: Store) -> None:
    store.entries.insert_multiple(entry(key, attempts=ord("z") - ord(key)) for key in "bcdef")
    window = opened(store)
    window.cursor = 3
    assert cursor_key(window) == "e"
    store.entries.insert(entry("a"))
    reload(window)
    assert (window.cursor, cursor_key(window)) == (4, "e")
    reload(window, View(order="attempts"))
    assert (window.cursor, cursor_key(window)) == (2, "e")
    store.entries.remove(where("key") == "f")
    reload(window)
    assert (window.cursor, cursor_key(window)) == (1, "e")


def test_a_cursor_whose_entry_goes_stays_with_its_neighbours(store: Store) -> None:
    store.entries.insert_multiple(entry(key, state="failed") for key in "abcdef")
    window = opened(store, View(filter="state:failed"))
    window.cursor = 2
    store.entries.update({"state": "finished"}, where("key").one_of(["a", "c", "d"]))
    reload(window)
    assert keys(window) == ["b", "e", "f"]
    assert cursor_key(window) == "e"
    window.cursor = 2
    store.entries.update({"state": "finished"}, where("key") == "f")
    reload(window)
    assert cursor_key(window) == "e"


def test_marks_hold_on_to_their_entries_through_filters_and_orders(store: Store) -> None:
    ids = store.entries.insert_multiple(entry(key) for key in "abc")
    window = opened(store)
    window.marks |= {ids[0], ids[2]}
    reload(window, View(filter="key:b", order="age"))
    reload(window, View(order="key", reverse=True))
    assert window.marks == {ids[0], ids[2]}


def test_the_mark_of_a_removed_entry_goes_with_it(store: Store) -> None:
    ids = store.entries.insert_multiple(entry(key) for key in "abc")
    window = opened(store, View(filter="key:c"))
    window.marks |= {ids[0], ids[2]}
    seq = store.seq()
    store.entries.remove(where("key") == "a")
    window.changed(store.changes(seq))
    assert window.marks == {ids[2]}


# Answers


def test_an_answer_to_another_view_comes_late_and_changes_nothing(store: Store) -> None:
    store.entries.insert_multiple([entry("a"), entry("b", state="failed")])
    window = opened(store)
    late = window.load()
    reload(window, View(filter="state:failed"))
    assert window.accept(late) is False
    assert keys(window) == ["b"]


def test_an_answer_older_than_the_one_shown_changes_nothing(store: Store) -> None:
    store.entries.insert(entry("a"))
    window = opened(store)
    slow = window.load()
    store.entries.insert(entry("b"))
    reload(window)
    assert window.accept(slow) is False
    assert keys(window) == ["a", "b"]


def test_the_query_may_run_in_another_thread(store: Store) -> None:
    store.entries.insert_multiple([entry("a"), entry("b")])
    window = entries(store)
    answers: list[Answer[EntryRow]] = []
    thread = Thread(target=lambda: answers.append(window.load()))
    thread.start()
    thread.join()
    assert len(window) == 0
    assert window.accept(answers[0])
    assert keys(window) == ["a", "b"]


def test_the_window_needs_no_terminal_library() -> None:
    check = "import sys, wfe_tui.window, engine.text; sys.exit('textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_when_too_much_was_removed_to_be_known_everything_is_read_anew(store: Store) -> None:
    ids = store.entries.insert_multiple(entry(f"A-{n}") for n in range(3))
    window = entries(store)
    reload(window)
    window.marks.update(ids)
    store.entries.remove(doc_ids=[ids[0]])
    assert window.changed(Changes(store.seq(), {}, {}, is_complete=False)).is_stale
    reload(window)
    assert window.marks == set(ids[1:])
    assert list(window.ids) == ids[1:]


# A great store


def test_the_first_rows_are_there_before_all_ids_are_known(store: Store) -> None:
    store.entries.insert_multiple(entry(f"A-{n:04}") for n in range(2 * HEAD))
    window = entries(store)
    window.ask(View(order="key", reverse=True))
    head = window.load(head=True)
    assert not head.is_whole
    assert window.accept(head)
    first = window.row(0)
    assert first is not None
    assert first.key == f"A-{2 * HEAD - 1:04}"
    assert window.accept(window.load())
    assert len(window) == 2 * HEAD


def test_the_cursor_comes_back_to_its_entry_though_that_is_not_among_the_first(store: Store) -> None:
    store.entries.insert_multiple(entry(f"A-{n:04}") for n in range(2 * HEAD))
    window = opened(store)
    window.cursor = 2 * HEAD - 10
    window.ask(View(order="age"))
    window.accept(window.load(head=True))
    window.accept(window.load())
    assert cursor_key(window) == f"A-{2 * HEAD - 10:04}"


def test_entries_that_arrive_stand_behind_the_others_without_a_new_query(store: Store) -> None:
    store.entries.insert(entry("a"))
    window = entries(store)
    reload(window)
    seq = store.seq()
    store.entries.insert_multiple([entry("b"), entry("c")])
    assert window.changed(store.changes(seq)) == (False, True)
    assert keys(window) == ["a", "b", "c"]


def test_what_changes_while_it_is_read_is_read_again(store: Store) -> None:
    [number] = store.entries.insert_multiple([entry("a")])
    window = opened(store)
    window.forget()
    window.row(0)
    wanted = window.take_wanted()
    old = window.read(wanted)
    seq = store.seq()
    store.entries.update({"reason": "timeout"}, doc_ids=[number])
    window.changed(store.changes(seq))
    window.put(wanted, old)
    found = row(window, 0)
    assert found is not None
    assert found.reason == "timeout"


def test_a_row_that_is_drawn_again_stays_as_it_was_until_it_is_read(store: Store) -> None:
    store.entries.insert(entry("a"))
    window = opened(store)
    window.forget()
    assert window.row(0) is not None
    assert window.is_wanting


def test_a_window_over_runs_shows_the_newest_first(store: Store) -> None:
    common = {"processor": "shop:Orders", "ended": None, "ending": None, "owner": "nobody", "states": {}}
    for minute in range(3):
        moment = to_text(NOON + timedelta(minutes=minute))
        store.runs.insert({**common, "started": moment, "updated": moment, "considered": 0, "total": None})
    window = Window(store, sources.runs(store, lambda: NOON))
    window.ask(View(order="number"))
    window.accept(window.load())
    assert list(window.ids) == [3, 2, 1]
