"""The front door: one object that holds the four tables, the transaction over them, their changes and the owners."""

import os
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from engine.store.changes import Changes
from engine.store.database import Database
from engine.store.durability import Durability
from engine.store.owners import Owners
from engine.store.table import DocumentTable


class Store:
    """The store in the file `path`, which is created with its folders (mode 0600) if it is missing.

    Many processes may have it open at once, and all threads of one may share it; a forked child opens its own. `db` is
    a TinyDB, to be asked with TinyDB's `Query`; `entries`, `errors`, `runs` and `actions` are its tables.

    Args:
        path: the file.
        read_only: it has to be there, and nothing is written, not even beside it; what would write raises StoreError.
        durability: what writes survive from now on, whoever writes: `Durability.PROCESS` (any process may end at any
            instant) or `Durability.POWER` (a power cut, too; each write waits for the disk). It is kept in the file;
            None leaves it as it is.

    Raises StoreError, as all its methods do, if the file cannot be used; it is left as it was.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, read_only: bool = False, durability: Durability | None = None
    ) -> None:
        self.db = Database(path, read_only=read_only, durability=durability)
        self._storage = self.db.storage
        self.path: Path = self._storage.path
        self.entries = self._table("entries")
        self.errors = self._table("errors")
        self.runs = self._table("runs")
        self.actions = self._table("actions")
        self._owners = Owners(self.path)

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

    @property
    def owner(self) -> str:
        """The name under which this store object owns entries: no other ever has it, and it lives until `close`."""
        self._storage.check_usable()
        return self._owners.mine()

    def is_alive(self, owner: str) -> bool:
        """Whether the process that bears this owner's name still lives and has not closed its store."""
        return self._owners.is_alive(owner)

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
