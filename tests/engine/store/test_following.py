"""A follower asks what changed after a number, and pays for that alone."""

import multiprocessing
import random
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tinydb import where
from tinydb.operations import increment

from engine.store import Changes, Store


def test_changes_name_what_was_added_changed_and_removed_by_table(store: Store) -> None:
    store.entries.insert_multiple([{"n": 1}, {"n": 2}, {"n": 3}])
    since = store.seq()
    assert store.changes(since) == Changes(since, {}, {})
    store.entries.update({"n": 0}, doc_ids=[3])
    store.errors.insert({})
    store.entries.remove(doc_ids=[1])
    store.entries.insert({"n": 4})
    assert store.changes(since) == Changes(since + 4, {"entries": [3, 4], "errors": [1]}, {"entries": [1]})
    assert store.changes(since + 3) == Changes(since + 4, {"entries": [4]}, {})


def test_a_document_changed_often_is_named_once_at_its_last_place(store: Store) -> None:
    store.entries.insert_multiple([{}, {}])
    for n in range(3):
        store.entries.update({"n": n}, doc_ids=[1])
    assert store.changes(0).changed == {"entries": [2, 1]}


def test_a_removed_id_that_is_used_again_is_a_change_and_no_removal(store: Store) -> None:
    store.entries.insert({"n": 1})
    since = store.seq()
    store.entries.remove(doc_ids=[1])
    store.entries.insert({"n": 2})
    assert store.changes(since) == Changes(since + 2, {"entries": [1]}, {})
    store.entries.remove(doc_ids=[1])
    assert store.changes(since) == Changes(since + 3, {}, {"entries": [1]})


def test_dropping_and_truncating_show_as_removals(store: Store) -> None:
    store.entries.insert_multiple([{}, {}])
    store.errors.insert({})
    store.runs.insert({})
    since = store.seq()
    store.entries.truncate()
    store.db.drop_table("errors")
    store.db.drop_tables()
    assert store.changes(since).removed == {"entries": [1, 2], "errors": [1], "runs": [1]}


def test_numbers_rise_through_removals_and_reopening(store: Store) -> None:
    store.entries.insert({"n": 1})
    store.entries.remove(where("n") == 1)
    assert store.seq() == 2
    with Store(store.path) as again:
        assert again.seq() == 2
        again.entries.insert({})
    assert store.seq() == 3


PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["pytest", "engine.store"])

TABLES = ("entries", "errors", "runs", "my own")
"""Those with a table of their own in the file, and one of the user's."""


def write_of_all_kinds(path: Path, number: int, seconds: float) -> int:
    """Each transaction changes several documents and notes itself in `runs`; answers how many there were."""
    chance = random.Random(number)
    end = time.monotonic() + seconds
    steps = 0
    with Store(path) as store:
        while time.monotonic() < end:
            with store.transaction():
                # The table of notes only grows at its end, so that no id is ever used twice.
                store.runs.insert({"by": number, "step": steps})
                for name in ("entries", "errors", "my own"):
                    table = store.db.table(name)
                    ids = [document.doc_id for document in table]
                    if len(ids) < 20 or chance.random() < 0.2:
                        table.insert({"born": f"{number}-{steps}", "n": 0})
                    elif chance.random() < 0.25:
                        table.remove(doc_ids=chance.sample(ids, 2))
                    else:
                        table.update(increment("n"), doc_ids=chance.sample(ids, 3))
                if steps % 7 == 6:
                    store.runs.remove((where("by") == number) & (where("step") == steps - chance.choice([1, 5])))
            steps += 1
    return steps


class Follower:
    """Holds an image of the store, made of nothing but its changes."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.image: dict[str, dict[int, dict[str, Any]]] = {table: {} for table in TABLES}
        self.since = 0
        self.notes: list[int] = []
        self.removed_notes: list[int] = []

    def poll(self) -> None:
        changes = self.store.changes(self.since)
        assert self.store.seq() >= changes.seq
        assert changes.seq > self.since if changes.changed or changes.removed else changes.seq == self.since
        self.since = changes.seq
        self.notes += changes.changed.get("runs", [])
        self.removed_notes += changes.removed.get("runs", [])
        for name, ids in changes.removed.items():
            for doc_id in ids:
                self.image[name].pop(doc_id, None)
        for name, ids in changes.changed.items():
            for document in self.store.db.table(name).get(doc_ids=ids):
                # It may be newer than the change that named it, and is then named again; never is it older.
                before = self.image[name].get(document.doc_id)
                if before is not None and before.get("born") == document.get("born"):
                    assert before.get("n", 0) <= document.get("n", 0)
                self.image[name][document.doc_id] = dict(document)


@pytest.mark.parametrize("seconds", [1.5, pytest.param(10, marks=pytest.mark.slow)])
def test_a_follower_of_two_writers_learns_of_every_change_once_and_in_order(store: Store, seconds: float) -> None:
    follower = Follower(store)
    polls = 0
    with ProcessPoolExecutor(2, PROCESSES) as pool:
        writers = [pool.submit(write_of_all_kinds, store.path, number, seconds) for number in range(2)]
        while not all(writer.done() for writer in writers):
            follower.poll()
            polls += 1
            time.sleep(0.001)
        transactions = sum(writer.result() for writer in writers)
    follower.poll()
    print(f"{transactions} transactions, {polls} polls")  # noqa: T201
    assert follower.image == {name: {d.doc_id: dict(d) for d in store.db.table(name)} for name in TABLES}
    assert follower.since == store.seq() == transactions
    # Each note shows once and in the order of the transactions, or as removed alone if that came before the next poll.
    notes, removed = follower.notes, follower.removed_notes
    assert notes == sorted(set(notes))
    assert len(removed) == len(set(removed)) > 0
    assert {*notes, *removed} == set(range(1, transactions + 1))


def test_what_is_written_after_an_inner_transaction_was_taken_back_is_seen(store: Store) -> None:
    since = store.seq()

    def fail_inside() -> None:
        with store.transaction():
            store.entries.insert({"key": "taken back"})
            raise ValueError

    with store.transaction():
        with pytest.raises(ValueError):  # noqa: PT011 - our own
            fail_inside()
        doc_id = store.entries.insert({"key": "kept"})
    assert store.seq() == since + 1
    assert store.changes(since).changed == {"entries": [doc_id]}
