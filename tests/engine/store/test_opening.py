"""A store is created where it was asked for, and what is not a store is refused and left as it was."""

import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from engine.exceptions import StoreError
from engine.store import Store, store_path


def test_missing_folders_are_made_and_the_files_are_the_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "wfe.db"
    with Store(path) as store:
        store.entries.insert({})
        assert store.owner
        assert store.path == path
        files = [file for file in path.parent.rglob("*") if file.is_file()]
        assert {file.name for file in files} >= {"wfe.db", "wfe.db-wal", "wfe.db-shm", "wfe.db.lock", store.owner}
        assert {oct(file.stat().st_mode & 0o777) for file in files} == {"0o600"}


def test_a_relative_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Store("wfe.db") as store:
        assert store.path == tmp_path / "wfe.db"


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch()
    with Store(path) as store:
        assert store.entries.insert({}) == 1


def test_a_path_may_hold_any_character(tmp_path: Path) -> None:
    path = tmp_path / "50% of what? it's #1 ü.db"
    with Store(path) as store:
        store.entries.insert({})
    with Store(path) as store:
        assert len(store.entries) == 1


def test_a_path_may_hold_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.db")
    with Store(path) as store:
        store.entries.insert({})
    with Store(path, read_only=True) as store:
        assert len(store.entries) == 1
        store.backup(tmp_path / os.fsdecode(b"copy\xe9.db"))


def test_a_newer_version_is_refused_and_untouched(path: Path) -> None:
    Store(path).close()
    change(path, "PRAGMA user_version = 99")
    refuse(path, r"newer version .*schema 99, this one knows 4.*: upgrade")


def test_a_text_file_is_refused_and_untouched(path: Path) -> None:
    path.write_text("These are my notes, and they are long enough to be taken for a header.\n" * 40)
    refuse(path, "is not a store: name another file")


def test_a_stock_tinydb_file_is_refused_and_untouched(path: Path) -> None:
    path.write_text('{"_default": {"1": {"key": "A"}}}')
    refuse(path, "is not a store")


def test_another_programs_database_is_refused_and_untouched(path: Path) -> None:
    change(path, "CREATE TABLE bookmarks(url TEXT)")
    refuse(path, "is a database of another program")


def test_a_damaged_store_is_reported_and_untouched(path: Path) -> None:
    with Store(path) as store:
        store.entries.insert_multiple({"key": f"{n}", "data": "x" * 100} for n in range(2_000))
    content = bytearray(path.read_bytes())
    content[8192:-8192] = b"\x5a" * (len(content) - 16_384)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="is damaged"), Store(path) as store:
        store.entries.all()
    assert path.read_bytes() == content


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a folder, not a store: name a file in it"):
        Store(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_path_through_a_file_is_refused(path: Path) -> None:
    path.write_text("a file")
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(path / "wfe.db")


OPENS_AS_NOBODY = """
import os, sys
from engine.exceptions import StoreError
from engine.store import Store

if os.getuid() == 0:
    os.setuid(65534)
try:
    Store(sys.argv[1])
except StoreError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "said"),
    [
        (0o777, 0o000, "may not be read and written by you"),
        (0o777, 0o444, "may not be read and written by you"),
        (0o555, 0o666, "may write"),
        (0o555, None, "may write"),
        (0o000, 0o666, "cannot be opened (Permission denied)"),
    ],
)
def test_what_you_may_not_use_is_refused_in_one_sentence(folder_mode: int, file_mode: int | None, said: str) -> None:
    with tempfile.TemporaryDirectory() as parent:
        Path(parent).chmod(0o755)
        folder = Path(parent) / "folder"
        folder.mkdir()
        path = folder / "wfe.db"
        if file_mode is not None:
            Store(path).close()
            path.chmod(file_mode)
        folder.chmod(folder_mode)
        answer = subprocess.run(
            [sys.executable, "-c", OPENS_AS_NOBODY, path], capture_output=True, text=True, timeout=60, check=False
        )
        folder.chmod(0o755)
    assert answer.stderr == ""
    assert said in answer.stdout
    assert answer.stdout.count("\n") == 1


def test_a_closed_store_says_so(path: Path) -> None:
    store = Store(path)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="is closed"):
        store.entries.all()
    with pytest.raises(StoreError, match="is closed"), store.transaction():
        pass


def test_a_store_closed_within_a_transaction_keeps_nothing_of_it(path: Path) -> None:
    store = Store(path)

    def write_and_close() -> None:
        with store.transaction():
            store.entries.insert({})
            store.close()

    with pytest.raises(StoreError, match="is closed"):
        write_and_close()
    with Store(path) as again:
        assert again.entries.all() == []
        again.entries.insert({})


def test_closing_leaves_one_file_and_its_lock(path: Path) -> None:
    with Store(path) as store:
        store.entries.insert({})
    assert sorted(file.name for file in path.parent.iterdir()) == ["wfe.db", "wfe.db.lock"]


def test_the_store_is_where_it_was_asked_for_else_in_the_environment_else_here_else_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.delenv("WFE_STORE", raising=False)
    assert store_path(None) == tmp_path / "share" / "wfe" / "wfe.db"
    (tmp_path / "wfe.db").touch()
    assert store_path(None) == tmp_path / "wfe.db"
    monkeypatch.setenv("WFE_STORE", "named.db")
    assert store_path(None) == tmp_path / "named.db"
    assert store_path("asked.db") == tmp_path / "asked.db"
    assert store_path(Path("~/asked.db")) == Path.home() / "asked.db"


def change(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(sql)
    connection.commit()
    connection.close()


def refuse(path: Path, why: str) -> None:
    before = {file: file.read_bytes() for file in path.parent.iterdir()}
    with pytest.raises(StoreError, match=why):
        Store(path)
    assert {file: file.read_bytes() for file in path.parent.iterdir()} == before
