"""A store of the first version is migrated when it is opened, after a backup beside it; nothing of it is lost."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from tinydb import where

from engine.exceptions import StoreError
from engine.store import Store

ENTRY = {"key": "A-1", "processor": "orders:Orders", "state": "failed", "updated": "2026-01-01", "data": {"n": 1}}


@pytest.fixture
def first_version(path: Path) -> Path:
    """A store as the first version wrote it, with an entry, a note in a user's own table, and a removed entry."""
    connection = sqlite3.connect(path)
    connection.executescript(
        """
        PRAGMA journal_mode = WAL;
        CREATE TABLE docs(tbl TEXT NOT NULL, id INTEGER NOT NULL, seq INTEGER NOT NULL, doc TEXT NOT NULL,
            PRIMARY KEY(tbl, id));
        CREATE INDEX docs_seq ON docs(seq);
        CREATE INDEX "entries_key" ON docs(tbl, json_extract(doc, '$.key'), id) WHERE tbl = 'entries';
        CREATE TABLE gone(seq INTEGER NOT NULL, tbl TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY(seq, tbl, id))
            WITHOUT ROWID;
        PRAGMA user_version = 1;
        """
    )
    documents: list[tuple[str, int, int, dict[str, Any]]] = [
        ("entries", 1, 5, ENTRY),
        ("entries", 3, 6, {**ENTRY, "key": "A-3", "state": "finished"}),
        ("notes", 7, 7, {"text": "x" * 100_000}),
    ]
    for table, doc_id, seq, document in documents:
        connection.execute("INSERT INTO docs VALUES(?, ?, ?, ?)", (table, doc_id, seq, json.dumps(document)))
    connection.execute("INSERT INTO gone VALUES(9, 'entries', 2)")
    connection.commit()
    connection.close()
    path.chmod(0o600)
    return path


def test_all_is_there_as_before_and_found_by_index(first_version: Path) -> None:
    with Store(first_version) as store:
        assert store.entries.get(doc_id=1) == ENTRY
        assert [found["key"] for found in store.entries.search(where("state") == "finished")] == ["A-3"]
        assert store.entries.counts("state") == {"failed": 1, "finished": 1}
        assert store.db.table("notes").get(doc_id=7) == {"text": "x" * 100_000}
        assert store.db.tables() == {"entries", "notes"}


def test_followers_go_on_where_they_were(first_version: Path) -> None:
    with Store(first_version) as store:
        assert store.seq() == 9
        changes = store.changes(5)
        assert (changes.changed, changes.removed) == ({"entries": [3], "notes": [7]}, {"entries": [2]})
        assert changes.is_complete
        store.entries.insert({"key": "new"})
        assert store.seq() == 10


def test_a_backup_stands_beside_it_for_its_owner_alone(first_version: Path) -> None:
    before = first_version.read_bytes()
    Store(first_version).close()
    backup = first_version.with_name("wfe.db.v1.backup")
    assert oct(backup.stat().st_mode & 0o777) == "0o600"
    connection = sqlite3.connect(backup)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert connection.execute("SELECT count(*) FROM docs").fetchone() == (3,)
    connection.close()
    assert first_version.read_bytes() != before
    assert not backup.with_name(backup.name + ".unfinished").exists()


def test_it_is_migrated_once(first_version: Path) -> None:
    Store(first_version).close()
    backup = first_version.with_name("wfe.db.v1.backup")
    backup.unlink()
    Store(first_version).close()
    assert not backup.exists()


def test_the_file_can_shrink_afterwards(first_version: Path) -> None:
    with Store(first_version) as store:
        store.entries.insert_multiple({"key": f"{n}", "data": "x" * 1_000} for n in range(2_000))
        store.entries.remove(where("data") == "x" * 1_000)
        assert store.db.storage.shrink() > 1_000_000


def test_without_room_for_the_backup_nothing_is_migrated(first_version: Path) -> None:
    first_version.with_name("wfe.db.v1.backup").mkdir()  # nothing can be put in its place
    before = first_version.read_bytes()
    with pytest.raises(StoreError, match=r"older version and cannot be backed up to .*: make room"):
        Store(first_version)
    assert first_version.read_bytes() == before
    assert not first_version.with_name("wfe.db.v1.backup.unfinished").exists()


def test_to_read_only_an_older_one_is_refused_and_untouched(first_version: Path) -> None:
    before = first_version.read_bytes()
    with pytest.raises(StoreError, match=r"is of an older version: open it once where it may be written"):
        Store(first_version, read_only=True)
    assert first_version.read_bytes() == before
    assert not first_version.with_name("wfe.db.v1.backup").exists()


def test_a_document_that_cannot_be_read_stops_it_and_everything_stays(first_version: Path) -> None:
    connection = sqlite3.connect(first_version)
    connection.execute("UPDATE docs SET doc = '{' WHERE tbl = 'notes'")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="document 7 of notes is no JSON, so it was not migrated"):
        Store(first_version)
    connection = sqlite3.connect(first_version)
    assert connection.execute("SELECT count(*) FROM docs").fetchone() == (3,)
    connection.close()


@pytest.fixture
def third_version(path: Path) -> Path:
    """A store as the third version wrote it, which had no verdicts and left the name `groups` to its user."""
    with Store(path) as store:
        store.entries.insert(ENTRY)
        store.actions.insert({"verb": "restart", "keys": ["A-1"], "open": True, "when": "2026-01-01"})
        store.db.table("notes").insert({"fingerprint": "v1:one"})
    connection = sqlite3.connect(path)
    connection.executescript(
        """
        DROP TABLE verdicts;
        DROP TABLE groups;
        UPDATE others SET tbl = 'groups';
        PRAGMA user_version = 3;
        """
    )
    connection.close()
    return path


def test_the_third_version_gets_room_for_verdicts_and_keeps_what_its_user_called_groups(third_version: Path) -> None:
    with Store(third_version) as store:
        assert [entry["key"] for entry in store.entries] == ["A-1"]
        assert store.actions.count(where("open") == True) == 1  # noqa: E712 - a query, not a test
        assert [group["fingerprint"] for group in store.groups.search(where("fingerprint") == "v1:one")] == ["v1:one"]
        assert store.verdicts.insert({"action": 1, "entry": 1, "verdict": "waiting"}) == 1
        assert store.check().is_sound
    assert third_version.with_name("wfe.db.v3.backup").exists()
