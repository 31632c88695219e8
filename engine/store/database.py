"""TinyDB itself, on our storage and with our tables."""

import os

from tinydb import TinyDB

from engine.store.durability import Durability
from engine.store.storage import SqliteStorage
from engine.store.table import DocumentTable


class Database(TinyDB):
    """A TinyDB in the file `path`. The arguments, and what it raises, are those of `SqliteStorage`."""

    table_class = DocumentTable  # type: ignore[assignment]  # TinyDB declares these two narrower than it means them
    default_storage_class = SqliteStorage  # type: ignore[assignment]
    _storage: SqliteStorage

    def __init__(
        self, path: str | os.PathLike[str], *, read_only: bool = False, durability: Durability | str | None = None
    ) -> None:
        super().__init__(path, read_only=read_only, durability=durability)

    @property
    def storage(self) -> SqliteStorage:
        return self._storage

    def tables(self) -> set[str]:
        """The names of the tables that have documents."""
        return self._storage.tables()

    def drop_table(self, name: str) -> None:
        """Remove a table with its documents."""
        self.table(name).truncate()
        del self._tables[name]
