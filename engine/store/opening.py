"""Makes a file ready to be a store, or refuses it in one sentence and leaves it as it was."""

import os
import sqlite3
from pathlib import Path

from engine.exceptions import StoreError
from engine.store import schema
from engine.store.connections import READING_LIVE, address, explained, reading
from engine.store.filesystems import network_folder
from engine.store.migration import migrate
from engine.store.turns import turn_for


def make_ready(path: Path) -> None:
    """Make the file `path` a store of this version: create it with its folders, or migrate an older one.

    Raises StoreError if it cannot be one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _check_folder(path)
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise StoreError(f"the store {path} needs a folder in which you may write: name another")
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise StoreError(f"the store {path} may not be read and written by you: ask its owner")
    try:
        # Looked at without a turn first: else to open a store would wait for a long transaction in it.
        if path.exists() and _seems_ready(path):
            return
        with turn_for(path).taken():
            # An existing file is opened by SQLite alone: to close it would let go all locks of this process on it.
            if not path.exists():
                path.touch(mode=0o600)
            if not _is_ready(path):
                _prepare(path)
    except sqlite3.Error as error:
        raise explained(path, error) from error


def check_readable(path: Path) -> None:
    """Raises StoreError if the file `path` is no store of this version that could be read as it is."""
    _check_folder(path)
    if not path.exists():
        raise StoreError(f"there is no store {path}: name another file")
    if not os.access(path, os.R_OK):
        raise StoreError(f"the store {path} may not be read by you: ask its owner")
    if reading(path) == READING_LIVE and not path.with_name(path.name + "-shm").exists():
        raise StoreError(
            f"the store {path} was not closed by who wrote it last, and its log cannot be read alone:"
            " open it once where it may be written"
        )


def _check_folder(path: Path) -> None:
    if path.is_dir():
        raise StoreError(f"{path} is a folder, not a store: name a file in it")
    if path.exists() and not path.is_file():
        raise StoreError(f"{path} is no file, so it cannot be a store: name another")
    if (kind := network_folder(path)) is not None:
        raise StoreError(
            f"the store {path} lies on a network folder ({kind}), over which processes cannot share it safely:"
            " put it on a local disk"
        )


def _seems_ready(path: Path) -> bool:
    try:
        return _is_ready(path)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_CORRUPT:
            raise
        return False  # half of what somebody writes who creates it just now; in turn, it is told from a damaged one


def _is_ready(path: Path) -> bool:
    # A file that is refused is not touched, nor is a log beside it written back. Where there is one, others may open
    # it to write in this process just now, and would be kept from it by one that does not write its index.
    how = "mode=ro" if reading(path) == READING_LIVE else reading(path)
    connection = sqlite3.connect(address(path, how), uri=True, isolation_level=None)
    try:
        return schema.is_ready(connection, path)
    except sqlite3.OperationalError:
        return False  # somebody is creating it just now, or was killed doing so
    finally:
        connection.close()


def _prepare(path: Path) -> None:
    connection = sqlite3.connect(address(path, "mode=rw"), uri=True, isolation_level=None)
    try:
        if schema.is_ready(connection, path):
            return
        if schema.version_of(connection):
            migrate(connection, path)
            return
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise StoreError(
                f"{path} lies on a disk that processes cannot share memory over: put the store on a local disk"
            )
        connection.execute("BEGIN IMMEDIATE")
        schema.create(connection)
        connection.execute("COMMIT")
    finally:
        connection.close()
