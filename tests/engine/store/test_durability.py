"""What a write survives is the store's own: any process's end, or a power cut too, for which the disk is asked."""

import os
import threading
from pathlib import Path

import pytest

from engine.exceptions import StoreError
from engine.store import Durability, Store


@pytest.fixture
def forced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files whose data the disk was made to take, one after the other."""
    files: list[str] = []
    force = os.fdatasync

    def forces(file: int) -> None:
        force(file)
        files.append(Path(f"/proc/self/fd/{file}").readlink().name)

    monkeypatch.setattr(os, "fdatasync", forces)
    return files


def test_a_new_store_survives_the_end_of_any_process(store: Store, forced: list[str]) -> None:
    assert store.durability is Durability.PROCESS
    store.entries.insert({"key": "A"})
    assert forced == []


def test_with_power_the_disk_has_each_write_before_it_is_acknowledged(path: Path, forced: list[str]) -> None:
    with Store(path, durability=Durability.POWER) as store:
        forced.clear()
        store.entries.insert({"key": "A"})
        assert forced == ["wfe.db-wal"]
        store.entries.update({"state": "done"})
        assert len(forced) == 2


def test_a_transaction_of_many_writes_waits_for_the_disk_once(path: Path, forced: list[str]) -> None:
    with Store(path, durability=Durability.POWER) as store:
        forced.clear()
        with store.transaction():
            for n in range(100):
                store.entries.insert({"key": f"{n}"})
                with store.transaction():
                    store.entries.update({"state": "done"}, doc_ids=[n + 1])
            assert forced == []
        assert len(forced) == 1


def test_to_read_or_to_write_nothing_waits_for_no_disk(path: Path, forced: list[str]) -> None:
    with Store(path, durability=Durability.POWER) as store:
        store.entries.insert({"key": "A"})
        forced.clear()
        store.entries.all()
        store.entries.update({"key": "A"})
        with store.transaction():
            store.entries.get(doc_id=1)
        assert forced == []


def test_it_is_kept_in_the_store_and_holds_for_all_who_write_it(path: Path, forced: list[str]) -> None:
    with Store(path) as other, Store(path, durability=Durability.POWER) as store:
        assert other.durability is store.durability is Durability.POWER
        forced.clear()
        other.entries.insert({"key": "A"})
        assert len(forced) == 1
    with Store(path) as again:
        assert again.durability is Durability.POWER
    with Store(path, durability=Durability.PROCESS) as less:
        forced.clear()
        less.entries.insert({"key": "B"})
        assert forced == []


def test_it_may_be_given_as_a_word(path: Path) -> None:
    with Store(path, durability="power") as store:
        assert store.durability is Durability.POWER
    with pytest.raises(StoreError, match="no durability 'forever': it is process or power"):
        Store(path, durability="forever")


def test_those_who_write_at_once_share_a_wait_for_the_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads, each = 8, 10
    all_wrote = threading.Barrier(threads)
    flushes = 0
    force = os.fdatasync

    def slow_disk(file: int) -> None:
        nonlocal flushes
        flushes += 1
        force(file)
        held.wait(0.02)  # as a disk does, so that others come to wait meanwhile

    held = threading.Event()
    with Store(path, durability=Durability.POWER) as store:

        def write() -> None:
            all_wrote.wait()
            for _ in range(each):
                store.entries.insert({})

        monkeypatch.setattr(os, "fdatasync", slow_disk)
        writers = [threading.Thread(target=write) for _ in range(threads)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert len(store.entries) == threads * each
    assert flushes < threads * each / 2


def test_a_disk_that_refuses_is_said_and_what_was_written_stays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: int) -> None:
        raise OSError(5, "Input/output error")

    with Store(path, durability=Durability.POWER) as store:
        monkeypatch.setattr(os, "fdatasync", refuse)
        with pytest.raises(StoreError, match=r"may not survive a power cut \(Input/output error\): check the disk"):
            store.entries.insert({"key": "A"})
        assert store.entries.all() == [{"key": "A"}]
