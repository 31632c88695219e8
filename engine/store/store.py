"""The front door: one object that holds the tables, the transaction over them, their changes and the owners.

What few who open a store call is imported when it is called: a command that only reads starts in a part of the time.
"""

import os
from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

from engine.clock import Clock, utc_now
from engine.store.changes import Changes, Place, Writes
from engine.store.claims import Claims, Released, TakenOver, claim, release, take_over
from engine.store.database import Database
from engine.store.durability import Durability
from engine.store.owners import Dead, Owners
from engine.store.recording import Recording
from engine.store.table import DocumentTable

if TYPE_CHECKING:
    from engine.store.check import Report
    from engine.store.retention import Pruned
    from engine.store.transfer import Progress


class Store:
    """The store in the file `path`, which is created with its folders (mode 0600) if it is missing.

    Many processes may have it open at once, and all threads of one may share it; a forked child opens its own. `db` is
    a TinyDB, to be asked with TinyDB's `Query`; `entries`, `errors`, `runs`, `actions`, `verdicts` (what became of each
    entry that an action was done to) and `groups` (operators' word on groups of errors) are its tables, each a
    `DocumentTable`. It belongs on a local disk of one machine, not on a network folder.

    Args:
        path: the file.
        read_only: it has to be there, and nothing is written, not even beside it; what would write raises StoreError.
        durability: what writes survive from now on, whoever writes: `Durability.PROCESS` (any process may end at any
            instant) or `Durability.POWER` (a power cut, too; each write waits for the disk). It is kept in the file;
            None leaves it as it is.

    Raises:
        StoreError: the file cannot be used; it is left as it was. All methods raise it for that.

    Example::

        from tinydb import where

        with Store("orders.db") as store:
            failed = store.entries.search(where("state") == "failed")
            newest = store.entries.ids(order_by="updated", reverse=True, limit=50)
            counts = store.entries.counts("state")
            with store.transaction():  # over all tables, all or nothing
                for entry in failed:
                    store.db.table("calls").insert({"key": entry["key"], "who": "carrier"})
    """

    def __init__(
        self, path: str | os.PathLike[str], *, read_only: bool = False, durability: Durability | str | None = None
    ) -> None:
        self.db = Database(path, read_only=read_only, durability=durability)
        self._storage = self.db.storage
        self.path: Path = self._storage.path
        self.read_only = read_only
        self.origin = os.urandom(8).hex()
        """What tells this object from every other that is open on the store: what is done by it bears that."""
        self.entries = self._table("entries")
        self.errors = self._table("errors")
        self.runs = self._table("runs")
        self.actions = self._table("actions")
        self.verdicts = self._table("verdicts")
        self.groups = self._table("groups")
        self._owners = Owners(self.path, read_only=read_only)
        self.recover()

    @property
    def durability(self) -> Durability:
        """What a write survives once it is acknowledged."""
        return self._storage.durability

    def transaction(self) -> AbstractContextManager[None]:
        """All that this thread writes inside, in any table, becomes visible at the end, or nothing of it if it raises.

        It nests: an inner one that raises takes back only its own writes. Other writers wait meanwhile: keep it short.
        """
        return self._storage.transaction()

    def seq(self) -> int:
        """The number of the last transaction that wrote. Cheap: ask it often to learn whether anything changed."""
        return self._storage.seq()

    def changes(self, since: int) -> Changes:
        """What was written after the transaction `since`, removals included, at the cost of those changes alone."""
        return self._storage.changes(since)

    def writes(self, after: Place, tables: Collection[str], limit: int = 500) -> Writes:
        """The documents that were written behind a place, removals included, in the order of the transactions.

        Whoever goes on behind the last of them loses none and gets none twice, whatever is written meanwhile.

        Args:
            after: the place; `Place(n + 1)` is behind the transaction n.
            tables: TinyDB's names of those whose documents are asked for.
            limit: so many at once.
        """
        return self._storage.writes(after, tables, limit)

    def check(self) -> "Report":
        """What is damaged, and what is lost by it, in `problems` and `lost`; the whole store is read for that."""
        from engine.store.check import check

        return check(self.path)

    def export(self, target: str | os.PathLike[str], progress: "Progress | None" = None) -> int:
        """Write all documents, as they are at one moment, to a new file that stock TinyDB reads: `TinyDB(target)`.

        Others may write meanwhile; SQLite's log grows until this ends. One document is a line of the file.

        Args:
            target: the file (mode 0600), which must not exist; its folder must.
            progress: is told the number of documents written and of all, each 1,000 documents and at the end.

        Returns:
            The number of documents written.

        Raises:
            InputError: `target` exists.
            StoreError: the store cannot be read, or the file not written; then there is none.
        """
        from engine.store.transfer import export_json

        return export_json(self._storage, Path(target), progress)

    @classmethod
    def import_(
        cls, source: str | os.PathLike[str], path: str | os.PathLike[str], progress: "Progress | None" = None
    ) -> int:
        """Make a new store of a file as stock TinyDB writes it, with the same tables, ids and documents.

        Args:
            source: the JSON file, in UTF-8.
            path: the store's file, which must not exist; its folder must.
            progress: is told the number of bytes read and of all, each 1,000 documents or 4 MB and at the end.

        Returns:
            The number of documents read.

        Raises:
            InputError: `source` cannot be read or is no such file, or `path` exists; then there is no store.
            StoreError: the store cannot be written; then there is none.
        """
        from engine.store.transfer import import_json

        return import_json(Path(source), Path(path), progress)

    def backup(self, target: str | os.PathLike[str]) -> None:
        """Copy the store, as it is at one moment, to a new file, while others may write. The copy is a store, too.

        Args:
            target: the copy's file (mode 0600), which must not exist; its folder must.

        Raises:
            InputError: `target` exists.
            StoreError: the store cannot be read, or the copy not written; then there is none.
        """
        from engine.store.transfer import back_up

        back_up(self._storage, Path(target))

    def claim(self, keys: Iterable[str], owner: str, *, processor: str | None = None) -> Claims:
        """Make `owner` the owner of those entries that nobody owns; those that it owns already count as taken.

        What another holds, living or dead, is answered and left.

        Args:
            keys: of the entries.
            owner: a living one, the `owner` of an open store.
            processor: `module:Class`; needed where two processors have an entry of one key.

        Returns:
            What was taken, and who holds the others.

        Raises:
            InputError: a key is not there, or two processors have it; nothing was claimed.
            StoreError: `owner` is not alive.
        """
        return claim(self, keys, owner, processor)

    def release(
        self, keys: Iterable[str], owner: str, *, processor: str | None = None, clock: Clock = utc_now
    ) -> Released:
        """Free what `owner` holds of these entries; what it does not hold is answered and left.

        Args:
            keys, owner, processor: see `claim`.
            clock: an entry that was running stands from then on as its plan says at this moment.

        Returns:
            What was freed, and who holds the others.

        Raises: see `claim`
        """
        return release(self, keys, owner, processor, clock)

    def take_over(self, keys: Iterable[str] | None, owner: str, *, processor: str | None = None) -> TakenOver:
        """Make `owner` the owner of those entries whose owner is dead; those of living ones are answered and left.

        Args:
            keys: of the entries; None for all that dead owners hold (of that processor).
            owner, processor: see `claim`.

        Returns:
            What was taken, told apart: whether a task had started, so that it may have taken effect, or none had.

        Raises: see `claim`.
        """
        return take_over(self, keys, owner, processor)

    def prune(self, older_than: timedelta | datetime, keep_last: int, *, clock: Clock = utc_now) -> "Pruned":
        """Remove what is finished and old, and make the file smaller, in short steps between other writers.

        Finished and cancelled entries, closed actions with their verdicts, ended runs, and errors that nothing refers
        to any more are removed if they are of before the cutoff. Of entries that stay, executions that ended before it
        are dropped, as far as what happens next does not depend on them. What executions have logged goes with them.
        What a living owner holds is not touched, nor an action of which an entry waits for its verdict.

        Args:
            older_than: the age of what goes, or the cutoff itself (without a zone it is local time).
            keep_last: how many of the newest stay, however old they are: finished entries and runs of each processor,
                attempts of each task of an entry (one at least), errors, closed actions. The newest run of each
                processor stays always.
            clock: what ages are counted from.

        Returns:
            How much was removed.

        Raises:
            InputError: `keep_last` is negative, or the cutoff lies in the future; nothing was removed.
        """
        from engine.store.retention import prune

        return prune(self, self._storage.shrink, older_than, keep_last, clock)

    @property
    def owner(self) -> str:
        """The name under which this store object owns entries: no other ever has it, and it lives until `close`."""
        self._storage.check_usable()
        return self._owners.mine()

    def is_alive(self, owner: str) -> bool:
        """Whether the process that bears this owner's name still lives and has not closed its store."""
        return self._owners.is_alive(owner)

    def introduce(self, name: str) -> None:
        """Say who has this store open, `user@host`, to all others that have it open, until `close`."""
        self._owners.introduce(name)

    def introduced(self) -> list[str]:
        """Who else has it open, of those that have said so. Cheap: ask it each second."""
        return self._owners.introduced()

    def recording(self, *, forced: bool) -> Recording:
        """A file for what this store's owner begins and ends before it writes its entries.

        Args:
            forced: each start waits for the disk.
        """
        return self._owners.recording(forced=forced)

    def lifeline(self) -> int:
        """The open file whose lock keeps this store's owner alive, for a worker process to keep open as well."""
        return self._owners.lifeline()

    def left_behind(self) -> list[tuple[Dead, list[Path]]]:
        """The dead owners that left recordings, with these; `recover` brings them in."""
        return self._owners.left_behind()

    def recover(self) -> None:
        """Bring what dead owners recorded last into their entries. Cheap where there is none; to do it often is right.

        Until then their entries stand as they were written last, up to a tenth of a second before that. Opening a store
        to write it does it, too.
        """
        if not self.read_only:
            for owner, files in self.left_behind():
                from engine.store.recovery import bring_in

                bring_in(self, owner, files)

    def holders(self, numbers: Collection[int]) -> dict[int, str | None]:
        """The owners of the entries with these numbers, None of those that nobody owns."""
        places = ", ".join("?" * len(numbers))
        return dict(self._storage.rows(f"SELECT id, owner FROM entries WHERE id IN ({places})", tuple(numbers)))

    def close(self) -> None:
        """Give up the owner's name and close the file, for all threads; more than once does not matter."""
        self._owners.close()
        self.db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _table(self, name: str) -> DocumentTable:
        return cast(DocumentTable, self.db.table(name))
