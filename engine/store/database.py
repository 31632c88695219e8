"""TinyDB itself, on our storage and with our tables."""

import os

from tinydb import TinyDB

from engine.store.schema import Indexes
from engine.store.storage import SqliteStorage
from engine.store.table import DocumentTable


class Database(TinyDB):
    """A TinyDB in the file `path`; `indexes` names each table's indexed fields. Raises what `SqliteStorage` raises."""

    table_class = DocumentTable  # type: ignore[assignment]  # TinyDB declares these two narrower than it means them
    default_storage_class = SqliteStorage  # type: ignore[assignment]
    _storage: SqliteStorage

    def __init__(self, path: str | os.PathLike[str], *, indexes: Indexes | None = None) -> None:
        super().__init__(path, indexes=indexes)

    def tables(self) -> set[str]:
        """The names of the tables that have documents."""
        return {name for (name,) in self._storage.rows("SELECT DISTINCT tbl FROM docs")}

    def drop_table(self, name: str) -> None:
        """Remove a table with its documents."""
        self.table(name).truncate()
        del self._tables[name]
