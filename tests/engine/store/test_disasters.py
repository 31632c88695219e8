"""The disk is full, rights are lost, files vanish: one sentence says so, and what was acknowledged stays."""

import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from tinydb.operations import increment

from engine.exceptions import StoreError
from engine.store import Store

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["pytest", "engine.store"])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB, one of them taken by the file `other`."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        (disk / "other").write_bytes(bytes(1_000_000))
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def fill(store: Store) -> list[int]:
    """Inserts until that is refused; answers the ids that were acknowledged."""
    acknowledged: list[int] = []
    try:
        while len(acknowledged) < 10_000:
            acknowledged.append(store.entries.insert({"key": "A", "data": "x" * 5_000}))
    except StoreError as error:
        assert_is_one_sentence(error)
        return acknowledged
    pytest.fail("there is more room than there should be")


def assert_is_one_sentence(error: StoreError) -> None:
    assert "\n" not in str(error)
    assert ": " in str(error), "it does not say what to do"


def ids(store: Store) -> list[int]:
    return [document.doc_id for document in store.entries]


def test_a_full_disk_is_told_keeps_what_was_acknowledged_and_hinders_no_reader(small_disk: Path) -> None:
    with Store(small_disk / "wfe.db") as store:
        acknowledged = fill(store)
        assert len(acknowledged) > 5
        with pytest.raises(StoreError, match="disk is full: make room"):
            store.entries.insert({"data": "x" * 1_000_000})
        assert ids(store) == acknowledged
        assert store.changes(0).changed == {"entries": acknowledged}
        with Store(store.path) as reader:
            assert ids(reader) == acknowledged
        (small_disk / "other").unlink()
        acknowledged.append(store.entries.insert({"key": "B"}))
    with Store(small_disk / "wfe.db") as store:
        assert ids(store) == acknowledged
        assert store.seq() == len(acknowledged)


def test_a_transaction_that_does_not_fit_on_the_disk_leaves_nothing(small_disk: Path) -> None:
    def write_too_much(store: Store) -> None:
        with store.transaction():
            store.entries.update(increment("n"))
            for _ in range(2_000):
                store.entries.insert({"data": "x" * 5_000})

    with Store(small_disk / "wfe.db") as store:
        store.entries.insert({"n": 0})
        with pytest.raises(StoreError, match="disk is full: make room"):
            write_too_much(store)
        assert store.entries.all() == [{"n": 0}]
        assert store.seq() == 1
        store.entries.update(increment("n"))
    with Store(small_disk / "wfe.db") as store:
        assert store.entries.all() == [{"n": 1}]


def fill_and_die(path: Path, said: Connection) -> None:
    said.send(fill(Store(path)))
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_store_whose_process_died_on_a_full_disk_opens_when_there_is_room(small_disk: Path) -> None:
    path = small_disk / "wfe.db"
    hear, say = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=fill_and_die, args=(path, say))
    process.start()
    acknowledged = hear.recv()
    process.join()
    (small_disk / "other").unlink()
    with Store(path) as store:
        assert ids(store) == acknowledged
        assert store.entries.insert({}) == len(acknowledged) + 1


def reach_the_limit(path: Path) -> list[int]:
    with Store(path) as store:
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, most))
        acknowledged = fill(store)
        assert ids(store) == acknowledged
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        return [*acknowledged, store.entries.insert({"key": "B"})]


def test_a_file_that_may_not_grow_keeps_what_was_acknowledged(path: Path) -> None:
    with ProcessPoolExecutor(1, PROCESSES) as pool:
        acknowledged = pool.submit(reach_the_limit, path).result()
    with Store(path) as store:
        assert ids(store) == acknowledged


@pytest.fixture
def anyones_folder() -> Iterator[Path]:
    """A folder that somebody who is not root can reach."""
    with tempfile.TemporaryDirectory() as parent:
        Path(parent).chmod(0o755)
        folder = Path(parent) / "folder"
        folder.mkdir()
        folder.chmod(0o777)
        yield folder


def lose_rights(folder: Path, name: str, mode: int) -> list[str]:
    """As nobody: uses a store whose file or folder loses rights meanwhile; answers what was said of it."""
    if os.getuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    folder = folder / "mine"
    folder.mkdir()
    store = Store(folder / "wfe.db")
    acknowledged = [store.entries.insert({"key": "A"})]
    owner = store.owner
    refused = []

    def insert() -> None:
        acknowledged.append(store.entries.insert({"key": "B"}))

    def open_and_insert() -> None:
        with Store(store.path) as other:
            acknowledged.append(other.entries.insert({"key": "C"}))

    def ask_who_lives() -> None:
        assert store.is_alive(owner)
        assert not store.is_alive("ab-cd") or not os.access(store.path.with_name("wfe.db.owners"), os.X_OK)

    def in_a_new_thread(use: Callable[[], object]) -> None:
        # It needs a connection of its own.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(use).result()

    (folder / name).chmod(mode)
    for use in (insert, store.entries.all, open_and_insert, ask_who_lives):
        for way in (lambda use: use(), in_a_new_thread):
            try:
                way(use)
            except StoreError as error:
                assert_is_one_sentence(error)
                refused.append(str(error))
    (folder / name).chmod(0o700)
    store.close()
    with Store(store.path) as again:
        assert ids(again) == acknowledged
        assert again.entries.insert({}) == len(acknowledged) + 1
    return refused


@pytest.mark.parametrize(
    ("name", "mode", "something_is_refused"),
    [
        ("wfe.db", 0o000, True),
        ("wfe.db", 0o400, True),
        ("wfe.db-wal", 0o000, True),
        ("wfe.db.lock", 0o000, False),
        ("wfe.db.owners", 0o000, False),
        (".", 0o500, True),
        (".", 0o000, True),
    ],
)
def test_rights_that_are_lost_while_the_store_is_open_lose_nothing_and_are_told(
    anyones_folder: Path, name: str, mode: int, something_is_refused: bool
) -> None:
    with ProcessPoolExecutor(1, PROCESSES) as pool:
        refused = pool.submit(lose_rights, anyones_folder, name, mode).result()
    assert bool(refused) >= something_is_refused


def remove_its_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


def move_away(path: Path) -> None:
    path.rename(path.with_name("old.db"))


def replace(path: Path) -> None:
    other = path.with_name("other.db")
    with Store(other) as store:
        store.entries.insert({"by": "the other"})
    other.replace(path)


@pytest.mark.parametrize("vanish", [Path.unlink, remove_its_folder, move_away, replace])
def test_nothing_is_acknowledged_into_a_file_that_is_gone(tmp_path: Path, vanish: Callable[[Path], None]) -> None:
    path = tmp_path / "folder" / "wfe.db"
    with Store(path) as store:
        store.entries.insert({"n": 0})
        vanish(path)

        def write_in_a_transaction() -> None:
            with store.transaction():
                store.entries.update(increment("n"))

        def write_in_a_new_thread() -> None:
            with ThreadPoolExecutor(1) as thread:
                thread.submit(store.entries.insert, {}).result()

        for write in (lambda: store.runs.insert({}), store.entries.truncate, write_in_a_transaction):
            with pytest.raises(StoreError, match=r"removed|replaced") as refused:
                write()
            assert_is_one_sentence(refused.value)
        with pytest.raises(StoreError):
            write_in_a_new_thread()


@pytest.mark.parametrize("vanish", [Path.unlink, remove_its_folder, move_away])
def test_where_a_store_was_removed_a_new_one_can_be_made(tmp_path: Path, vanish: Callable[[Path], None]) -> None:
    path = tmp_path / "folder" / "wfe.db"
    with Store(path) as store:
        store.entries.insert({"n": 0})
        vanish(path)
    for present in ([], [{"n": 1}]):
        with Store(path) as store:
            assert store.entries.all() == present
            store.entries.insert({"n": 1})


def make_loop(path: Path) -> None:
    path.symlink_to(path)


def say_why_not(path: Path, said: Connection) -> None:
    try:
        Store(path)
    except Exception as error:
        said.send(type(error))


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("wfe.db", os.mkfifo),
        ("wfe.db", Path.mkdir),
        ("wfe.db", make_loop),
        ("wfe.db.lock", Path.mkdir),
        ("wfe.db-wal", Path.mkdir),
        ("wfe.db-shm", Path.mkdir),
    ],
)
def test_what_is_no_file_where_one_should_be_is_told(path: Path, name: str, make: Callable[[Path], None]) -> None:
    make(path.with_name(name))
    hear, say = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=say_why_not, args=(path, say))
    process.start()
    say.close()
    try:
        assert hear.poll(10), "to open it hangs"
        assert hear.recv() == StoreError
    finally:
        process.kill()
        process.join()
        hear.close()


def test_an_owner_that_cannot_be_recorded_is_told(store: Store) -> None:
    store.path.with_name("wfe.db.owners").touch()
    with pytest.raises(StoreError, match="no owner can be recorded") as refused:
        _ = store.owner
    assert_is_one_sentence(refused.value)
    store.entries.insert({})
