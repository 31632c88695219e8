"""A store that is opened to be read only writes no byte: not on a read-only folder, not beside those who write."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tinydb import where

from engine.exceptions import StoreError
from engine.store import Durability, Store


@pytest.fixture
def filled(path: Path) -> Path:
    with Store(path) as store:
        store.entries.insert_multiple({"key": f"A-{n}", "state": "failed"} for n in range(3))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_everything_can_be_asked_and_the_folder_stays_as_it_was(filled: Path) -> None:
    before = contents(filled.parent)
    with Store(filled, read_only=True) as store:
        assert len(store.entries) == 3
        assert store.entries.get(where("key") == "A-1") == {"key": "A-1", "state": "failed"}
        assert store.entries.counts("state") == {"failed": 3}
        assert store.changes(0).changed == {"entries": [1, 2, 3]}
        assert contents(filled.parent) == before
    assert contents(filled.parent) == before


def test_what_would_write_is_refused(filled: Path) -> None:
    before = contents(filled.parent)
    with Store(filled, read_only=True) as store:
        for write in (
            lambda: store.entries.insert({"key": "B"}),
            lambda: store.entries.truncate(),
            lambda: store.db.drop_table("entries"),
            lambda: store.owner,
        ):
            with pytest.raises(StoreError, match="opened to be read only"):
                write()
    with pytest.raises(StoreError, match="opened to be read only"):
        Store(filled, read_only=True, durability=Durability.POWER)
    assert contents(filled.parent) == before


def test_what_others_write_is_seen_while_they_write_and_after_they_closed(filled: Path) -> None:
    with Store(filled, read_only=True) as reader:
        assert len(reader.entries) == 3
        with Store(filled) as writer:
            writer.entries.insert({"key": "B-1"})
            assert len(reader.entries) == 4
            writer.entries.insert({"key": "B-2"})
            assert reader.changes(1).changed == {"entries": [4, 5]}
        assert len(reader.entries) == 5
        with Store(filled) as writer:
            writer.entries.insert({"key": "B-3"})
        assert len(reader.entries) == 6


def test_whether_an_owner_lives_is_told(filled: Path) -> None:
    with Store(filled) as writer, Store(filled, read_only=True) as reader:
        owner = writer.owner
        assert reader.is_alive(owner)
        writer.close()
        assert not reader.is_alive(owner)


def test_one_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no store .*: name another file"):
        Store(tmp_path / "none" / "wfe.db", read_only=True)
    assert list(tmp_path.iterdir()) == []


READS = """
import os, sys
from engine.store import Store

if os.getuid() == 0:
    os.setuid(65534)
with Store(sys.argv[1], read_only=True) as store:
    print(len(store.entries), store.is_alive(sys.argv[2]))
"""


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody may look into: others may not look into pytest's."""
    with tempfile.TemporaryDirectory() as parent:
        Path(parent).chmod(0o755)
        yield Path(parent)
        for folder in (Path(parent), *(f for f in Path(parent).rglob("*") if f.is_dir())):
            folder.chmod(0o755)


def read_as_nobody(path: Path, owner: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", READS, path, owner], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_store_on_a_read_only_folder_is_read_by_who_may_not_write_it(public: Path) -> None:
    path = public / "folder" / "wfe.db"
    with Store(path) as store:
        store.entries.insert_multiple([{"key": "A"}, {"key": "B"}])
        owner = store.owner
    path.chmod(0o444)
    path.with_name("wfe.db.owners").chmod(0o555)
    path.parent.chmod(0o555)
    before = contents(path.parent)
    read = read_as_nobody(path, owner)
    assert (read.stdout, read.stderr) == ("2 False\n", "")
    assert contents(path.parent) == before


def test_a_store_whose_writer_was_killed_is_read_with_all_that_was_acknowledged(public: Path) -> None:
    path = public / "folder" / "wfe.db"
    write = "import os, sys; from engine.store import Store; s = Store(sys.argv[1]); s.entries.insert({}); os._exit(0)"
    subprocess.run([sys.executable, "-c", write, path], check=True, timeout=60)
    for file in path.parent.iterdir():
        file.chmod(0o444)
    path.parent.chmod(0o555)
    before = contents(path.parent)
    assert (path.parent / "wfe.db-wal").stat().st_size
    read = read_as_nobody(path, "0-0")
    assert (read.stdout, read.stderr) == ("1 False\n", "")
    assert contents(path.parent) == before


def test_a_log_that_cannot_be_read_is_said_in_one_sentence(filled: Path) -> None:
    writer = Store(filled)
    writer.entries.insert({"key": "B"})
    for name in ("wfe.db", "wfe.db-wal"):
        (filled.parent / "copy").mkdir(exist_ok=True)
        (filled.parent / "copy" / name).write_bytes((filled.parent / name).read_bytes())
    writer.close()
    with pytest.raises(StoreError, match=r"was not closed .*open it once where it may be written"):
        Store(filled.parent / "copy" / "wfe.db", read_only=True)
    with Store(filled.parent / "copy" / "wfe.db") as store:
        assert len(store.entries) == 4
    with Store(filled.parent / "copy" / "wfe.db", read_only=True) as store:
        assert len(store.entries) == 4


def test_two_readers_in_two_processes_do_not_disturb_each_other(filled: Path) -> None:
    with Store(filled, read_only=True) as store:
        code = "import sys; from engine.store import Store; print(len(Store(sys.argv[1], read_only=True).entries))"
        answer = subprocess.run(
            [sys.executable, "-c", code, filled], capture_output=True, text=True, check=True, timeout=60
        )
        assert answer.stdout == "3\n"
        assert len(store.entries) == 3
        assert sorted(file.name for file in filled.parent.iterdir()) == ["wfe.db", "wfe.db.lock"]


def test_a_process_may_read_only_first_and_write_later(filled: Path) -> None:
    others = subprocess.Popen(
        [sys.executable, "-c", HOLDS_OPEN, filled], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with others, Store(filled, read_only=True) as reader:
        assert others.stdout is not None
        assert others.stdout.readline() == "written\n"
        assert len(reader.entries) == 4
        with Store(filled) as writer:
            writer.entries.insert({"key": "C"})
            assert len(reader.entries) == 5
        assert len(reader.entries) == 5
        others.communicate("end\n", timeout=60)


HOLDS_OPEN = """
import sys
from engine.store import Store

with Store(sys.argv[1]) as store:
    store.entries.insert({"key": "B"})
    print("written", flush=True)
    sys.stdin.readline()
"""
