"""An owner lives as long as its process holds the lock, and not a moment longer."""

import multiprocessing
import os
import subprocess
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from engine.exceptions import StoreError
from engine.store import Store

SPAWN = multiprocessing.get_context("spawn")


def own(path: Path, said: Connection) -> None:
    with Store(path) as store:
        said.send(store.owner)
        threading.Event().wait(60)


def test_an_owner_dies_with_its_process_by_kill_9(store: Store, path: Path) -> None:
    hear, say = SPAWN.Pipe(duplex=False)
    process = SPAWN.Process(target=own, args=(path, say))
    process.start()
    owner = hear.recv()
    assert store.is_alive(owner)
    assert store.is_alive(owner)
    process.kill()
    process.join()
    assert not store.is_alive(owner)
    assert files(path) == []


def test_an_owner_dies_when_its_store_is_closed(store: Store, path: Path) -> None:
    with Store(path) as other:
        owner = other.owner
        assert owner == other.owner
        assert store.is_alive(owner)
        assert other.is_alive(owner)
        assert files(path) == [owner]
    assert not store.is_alive(owner)
    assert files(path) == []
    with pytest.raises(StoreError, match="closed"):
        _ = other.owner


def introduce(path: Path, said: Connection) -> None:
    with Store(path) as store:
        store.introduce("bob@host")
        said.send(None)
        threading.Event().wait(60)


def test_who_has_the_store_open_and_says_so_is_known_to_the_others_until_its_process_ends(
    store: Store, path: Path
) -> None:
    hear, say = SPAWN.Pipe(duplex=False)
    process = SPAWN.Process(target=introduce, args=(path, say))
    process.start()
    hear.recv()
    with Store(path) as silent, Store(path) as kim, Store(path, read_only=True) as reader:
        assert silent.owner
        kim.introduce("kim@host")
        kim.introduce("kim@host")
        assert store.introduced() == reader.introduced() == ["bob@host", "kim@host"]
        assert kim.introduced() == ["bob@host"]
        with pytest.raises(StoreError, match="opened to be read only"):
            reader.introduce("eve@host")
    assert store.introduced() == ["bob@host"]
    process.kill()
    process.join()
    assert store.introduced() == []
    assert files(path) == []


def test_a_store_that_owns_nothing_leaves_no_trace(path: Path) -> None:
    with Store(path) as store:
        store.entries.insert({})
    assert not path.with_name("wfe.db.owners").exists()


def test_owners_names_are_never_used_again(path: Path) -> None:
    names = set()
    for _ in range(20):
        with Store(path) as store:
            names.add(store.owner)
    assert len(names) == 20
    assert all(f"-{os.getpid():x}-" in name for name in names)


def test_many_who_ask_about_an_owner_at_once_neither_kill_it_nor_take_its_place(store: Store, path: Path) -> None:
    owner = store.owner
    answers: list[bool] = []

    def ask() -> None:
        with Store(path) as other:
            for _ in range(200):
                answers.append(other.is_alive(owner))
                assert other.is_alive(other.owner)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 800
    assert files(path) == [owner]


OUTLIVED = """
import os, sys, time
from engine.store import Store

store = Store(sys.argv[1])
print(store.owner, flush=True)
heard, told = os.pipe()
if os.fork() == 0:
    os.write(told, b".")
    time.sleep(60)
os.read(heard, 1)
os.kill(os.getpid(), 9)
"""


def test_a_forked_child_does_not_keep_its_parents_owner_alive(store: Store, path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", OUTLIVED, path], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    owner = process.stdout.readline().strip()
    process.wait(60)
    try:
        assert not store.is_alive(owner)
        store.entries.insert({})
    finally:
        os.killpg(process.pid, 9)
        process.stdout.close()


@pytest.mark.parametrize("name", ["", ".", "..", "../wfe.db", "wfe.db", "0", "ab-cd/../../wfe.db", "ab-cd"])
def test_what_is_no_owners_name_is_not_alive_and_harms_no_file(store: Store, path: Path, name: str) -> None:
    assert store.owner
    assert not store.is_alive(name)
    assert path.exists()


def files(path: Path) -> list[str]:
    return [file.name for file in path.with_name("wfe.db.owners").iterdir()]
