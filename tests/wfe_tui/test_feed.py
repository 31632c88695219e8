"""The feed tells of every change in the store, once, and of a store that cannot be read."""

import queue
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.message import Message

from engine.clock import to_text
from engine.store import Store
from wfe_tui.feed import Feed, PulseFelt, StoreChanged, StoreFound, StoreLost

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "wfe.db") as store:
        yield store


@pytest.fixture
def told() -> "queue.Queue[Message]":
    return queue.Queue()


@pytest.fixture
def feed(store: Store, told: "queue.Queue[Message]") -> Iterator[Feed]:
    store.entries.insert({"key": "old"})
    feed = Feed(store, told.put)
    feed.start()
    yield feed
    feed.stop()


def statement(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(sql)
        connection.commit()


def heard(told: "queue.Queue[Message]", kind: type[Message] | None = None) -> Any:
    """The next message that tells of the store, or of this kind."""
    while True:
        message = told.get(timeout=10)
        if isinstance(message, kind) if kind else not isinstance(message, PulseFelt):
            return message


def is_silent(told: "queue.Queue[Message]") -> bool:
    return all(isinstance(message, PulseFelt) for message in list(told.queue))


def test_only_what_is_written_from_now_on_is_told(store: Store, feed: Feed, told: "queue.Queue[Message]") -> None:
    new = store.entries.insert({"key": "new"})
    message = heard(told)
    assert isinstance(message, StoreChanged)
    assert message.changes.changed == {"entries": [new]}
    assert is_silent(told)


def test_what_another_process_removes_is_told(store: Store, feed: Feed, told: "queue.Queue[Message]") -> None:
    with Store(store.path) as other:
        other.entries.remove(doc_ids=[1])
    assert heard(told).changes.removed == {"entries": [1]}


def test_many_writes_become_few_messages_and_none_is_lost(
    store: Store, feed: Feed, told: "queue.Queue[Message]"
) -> None:
    ids = [store.entries.insert({"key": str(n)}) for n in range(500)]
    found: list[int] = []
    messages = 0
    while len(found) < len(ids):
        found += heard(told).changes.changed["entries"]
        messages += 1
    assert found == ids
    assert messages < 100


def test_a_store_that_cannot_be_read_is_told_once_and_so_is_that_it_can_be_read_again(
    store: Store, feed: Feed, told: "queue.Queue[Message]"
) -> None:
    statement(store.path, "ALTER TABLE about RENAME TO elsewhere")
    lost = heard(told)
    assert isinstance(lost, StoreLost)
    assert str(store.path) in lost.reason
    statement(store.path, "ALTER TABLE elsewhere RENAME TO about")
    assert isinstance(heard(told), StoreFound)
    store.entries.insert({"key": "new"})
    assert heard(told).changes.changed == {"entries": [2]}


def test_after_stop_nothing_is_told_and_no_thread_is_left(
    store: Store, feed: Feed, told: "queue.Queue[Message]"
) -> None:
    feed.stop()
    store.entries.insert({"key": "late"})
    assert not feed.is_alive()
    assert feed not in threading.enumerate()
    assert is_silent(told)


def run(**fields: Any) -> dict[str, Any]:
    moment = to_text(NOON)
    common = {"processor": "shop:Orders", "started": moment, "updated": moment, "ended": None, "ending": None}
    return {**common, "considered": 3, "total": None, "states": {}, **fields}


def test_how_the_engine_is_is_told_and_so_is_a_run_that_gives_no_sign_of_life(
    store: Store, told: "queue.Queue[Message]"
) -> None:
    store.runs.insert(run(owner=store.owner))
    feed = Feed(store, told.put, lambda: NOON + timedelta(seconds=20))
    feed.start()
    try:
        pulse = heard(told, PulseFelt).pulse
        assert pulse.run.id == 1
        assert [silent.id for silent in pulse.silent] == [1]
        store.runs.update({"updated": to_text(NOON + timedelta(seconds=19))})
        pulse = heard(told, PulseFelt).pulse
        while pulse.silent:
            pulse = heard(told, PulseFelt).pulse
    finally:
        feed.stop()


def test_who_is_behind_is_told_nothing_until_it_has_caught_up_and_then_all(
    store: Store, told: "queue.Queue[Message]"
) -> None:
    behind = threading.Event()
    behind.set()
    feed = Feed(store, told.put, is_behind=behind.is_set)
    feed.start()
    try:
        first = store.entries.insert({"key": "a"})
        second = store.entries.insert({"key": "b"})
        behind.clear()
        assert heard(told).changes.changed == {"entries": [first, second]}
    finally:
        feed.stop()
