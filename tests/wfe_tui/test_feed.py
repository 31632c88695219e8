"""The feed tells of every change in the store, once, and of a store that cannot be read."""

import queue
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from textual.message import Message

from engine.store import Store
from wfe_tui.feed import Feed, StoreChanged, StoreFound, StoreLost


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


def heard(told: "queue.Queue[Message]") -> Any:
    return told.get(timeout=10)


def test_only_what_is_written_from_now_on_is_told(store: Store, feed: Feed, told: "queue.Queue[Message]") -> None:
    new = store.entries.insert({"key": "new"})
    message = heard(told)
    assert isinstance(message, StoreChanged)
    assert message.changes.changed == {"entries": [new]}
    assert told.empty()


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
    assert told.empty()
