"""TinyDB's table, made to read and write only the documents that an operation names."""

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any, NoReturn, overload

import orjson
from tinydb.queries import QueryLike
from tinydb.table import Document, Table

from engine.store.rows import Content, Rows
from engine.store.storage import Encoded, SqliteStorage

Fields = Mapping[str, Any] | Callable[[MutableMapping[str, Any]], None]
"""What TinyDB updates with: fields and their new values, or a function that changes the document in place."""


class DocumentTable(Table):
    """A table of documents, as TinyDB's `Table`, on a `SqliteStorage`.

    Conditions on indexed fields (`==`, `!=`, `<`, `<=`, `>`, `>=`, `one_of`, joined by `&` and `|`) are answered by an
    index, all others by reading the table. Each write is a transaction of its own unless it stands in one. Documents
    come fresh from the file: to change one, write it. What `search`, `all`, `ids` and `count` answer was true at one
    moment; a loop over the table reads it page by page while others may write.

    TinyDB's query cache is off, since it is blind to other processes; `cache_size` turns it on.

    A `Store` makes them, of its `storage`, by their `name`; `persist_empty` is TinyDB's, and without effect.
    """

    def __init__(self, storage: SqliteStorage, name: str, cache_size: int = 0, persist_empty: bool = False) -> None:
        # An empty table is not kept, and TinyDB's way of keeping one empties one that is not.
        super().__init__(storage, name, cache_size=cache_size)
        self._rows = Rows(storage, name)
        self._transaction = storage.transaction
        self._writing = storage.writing
        self._pending: _Pending | None = None

    def ids(
        self,
        cond: QueryLike | None = None,
        *,
        order_by: str | None = None,
        reverse: bool = False,
        limit: int | None = None,
        offset: int = 0,
    ) -> "array[int]":
        """The ids of the documents that answer `cond`, all if it is None, without keeping the documents.

        In the order of the field `order_by`, then of the ids; of the ids alone if it is None. `reverse` turns the whole
        order, yet documents whose field is null or missing stay last. `limit` and `offset` cut a piece out of it.
        """
        return self._rows.ids(cond, order_by=order_by, reverse=reverse, limit=limit, offset=offset)

    def counts(
        self, field: str, cond: QueryLike | None = None, *, doc_ids: Collection[int] | None = None
    ) -> dict[Any, int]:
        """How many of the documents that answer `cond` have each value of `field`; None stands for null and missing.

        With `doc_ids` they are counted among the documents with these ids, and `cond` is not asked.
        """
        return self._rows.counts(field, cond, doc_ids)

    def bounds(self, field: str, cond: QueryLike) -> tuple[Any, Any]:
        """The least and the greatest value of `field` among the documents that answer `cond`; None where none has one.

        Where an index has `cond` and then the field, that is all that is looked at.
        """
        return self._rows.bounds(field, cond)

    def is_indexed(self, cond: QueryLike) -> bool:
        """Whether indexed fields alone answer a condition, so that no document has to be read for it."""
        return self._rows.is_exact(cond)

    def all(self) -> list[Document]:
        return self._documents(self._rows.matching(None, keep=_itself))

    def search(self, cond: QueryLike) -> list[Document]:
        if self._query_cache.capacity:
            return super().search(cond)
        return self._documents(self._rows.matching(cond, keep=_itself))

    def count(self, cond: QueryLike) -> int:
        return self._rows.count(cond)

    @overload
    def get(self) -> NoReturn: ...
    @overload
    def get(self, cond: QueryLike, doc_id: None = ..., doc_ids: None = ...) -> Document | None: ...
    @overload
    def get(self, *, cond: QueryLike, doc_id: None = ..., doc_ids: None = ...) -> Document | None: ...
    @overload
    def get(self, cond: QueryLike | None, doc_id: int, doc_ids: Iterable[Any] | None = ...) -> Document | None: ...
    @overload
    def get(
        self, *, cond: QueryLike | None = ..., doc_id: int, doc_ids: Iterable[Any] | None = ...
    ) -> Document | None: ...
    @overload
    def get(self, cond: QueryLike | None, doc_id: None, doc_ids: Iterable[Any]) -> list[Document]: ...
    @overload
    def get(self, cond: QueryLike | None, *, doc_id: None = ..., doc_ids: Iterable[Any]) -> list[Document]: ...
    @overload
    def get(self, *, cond: QueryLike | None = ..., doc_id: None = ..., doc_ids: Iterable[Any]) -> list[Document]: ...
    def get(
        self, cond: QueryLike | None = None, doc_id: int | None = None, doc_ids: Iterable[Any] | None = None
    ) -> Any:
        """The document that answers `cond`, or has the id `doc_id`; None if there is none. Of `doc_ids` those that are
        there, in this order."""
        if doc_id is not None:
            text = self._rows.text(doc_id)
            return None if text is None else self.document_class(orjson.loads(text), doc_id)
        if doc_ids is not None:
            return self._documents(self._rows.chosen(list(dict.fromkeys(map(int, doc_ids)))))
        if cond is not None:
            first = self._rows.first(cond)
            return None if first is None else self.document_class(first[1], first[0])
        raise RuntimeError("You have to pass either cond or doc_id or doc_ids")

    def insert(self, document: Mapping[str, Any]) -> int:
        return self.insert_multiple([document])[0]

    def insert_multiple(self, documents: Iterable[Mapping[str, Any]]) -> list[int]:
        documents = list(documents)  # before the transaction: making them may take time
        return super().insert_multiple(documents)

    def update(self, fields: Fields, cond: QueryLike | None = None, doc_ids: Iterable[int] | None = None) -> list[int]:
        with self._changing() as table:
            ids = list(self.ids(cond) if doc_ids is None else doc_ids)
            table.read(ids)
            found = [doc_id for doc_id in ids if doc_id in table]
            for doc_id in found:
                if callable(fields):
                    fields(table[doc_id])
                else:
                    table[doc_id].update(fields)
        return found

    def update_multiple(self, updates: Iterable[tuple[Fields, QueryLike]]) -> list[int]:
        updates = list(updates)
        with self._transaction():
            # A document that answers none of the conditions now will not answer one later, for nothing changes it.
            concerned = sorted({doc_id for _, cond in updates for doc_id in self.ids(cond)})
            return [
                doc_id
                for doc_id in concerned
                for fields, cond in updates
                if cond(self._rows[str(doc_id)]) and super(DocumentTable, self).update(fields, doc_ids=[doc_id])
            ]

    def upsert(self, document: Mapping[str, Any], cond: QueryLike | None = None) -> list[int]:
        with self._writing():
            return super().upsert(document, cond)

    def remove(self, cond: QueryLike | None = None, doc_ids: Iterable[int] | None = None) -> list[int]:
        with self._writing():
            if doc_ids is None and cond is not None:
                doc_ids = self.ids(cond)
            return super().remove(doc_ids=doc_ids)

    def touch(self, doc_ids: Collection[int]) -> None:
        """Tell followers of documents that are as they were: what lists derive from them has changed."""
        with self._writing():
            self._rows.storage.touch(self._rows.layout.name, doc_ids)

    def _get_next_id(self) -> int:
        return self._rows.highest() + 1 if self._pending is None else self._pending.highest + 1

    def _read_table(self) -> Mapping[str, Content]:  # type: ignore[override]
        return self._rows

    def _update_table(self, updater: Callable[[Any], None]) -> None:
        with self._changing() as table:
            updater(table)

    @contextmanager
    def _changing(self) -> Iterator["_Pending"]:
        """The table to be changed: what differs at the end is written."""
        with self._writing():
            self._pending = _Pending(self._rows)
            try:
                yield self._pending
                self._pending.save()
            finally:
                self._pending = None
        self.clear_cache()

    def _documents(self, contents: Mapping[int, Content]) -> list[Document]:
        return [self.document_class(content, doc_id) for doc_id, content in contents.items()]


def _itself(content: Content) -> Content:
    return content


class _Pending(MutableMapping[int, Content]):
    """The table as an update sees it: reads a document when it is touched, and remembers what has to be written."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._highest_set = 0
        self._contents: dict[int, Content] = {}
        self._removed: set[int] = set()
        self._stored: dict[int, Encoded | None] = {}
        """What was read: None of those that are not there."""

    def __getitem__(self, doc_id: int) -> Content:
        if doc_id not in self._contents:
            stored = None if doc_id in self._removed else self._as_stored(doc_id)
            if stored is None:
                raise KeyError(doc_id)
            self._contents[doc_id] = orjson.loads(stored.text)
        return self._contents[doc_id]

    def __setitem__(self, doc_id: int, content: Content) -> None:
        self._highest_set = max(self._highest_set, doc_id)
        self._contents[doc_id] = content
        self._removed.discard(doc_id)

    def __delitem__(self, doc_id: int) -> None:
        if doc_id not in self:
            raise KeyError(doc_id)
        self._contents.pop(doc_id, None)
        self._removed.add(doc_id)

    def __contains__(self, doc_id: object) -> bool:
        if doc_id in self._contents:
            return True
        return isinstance(doc_id, int) and doc_id not in self._removed and self._as_stored(doc_id) is not None

    def __iter__(self) -> Iterator[int]:
        stored = self._rows.ids()
        yield from (doc_id for doc_id in stored if doc_id not in self._removed)
        yield from self._contents.keys() - set(stored)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def clear(self) -> None:
        self._contents.clear()
        self._removed.update(self._rows.ids())

    @property
    def highest(self) -> int:
        """The highest id in use."""
        return max(self._highest_stored, self._highest_set)

    @cached_property
    def _highest_stored(self) -> int:
        return self._rows.highest()

    def read(self, ids: Iterable[int]) -> None:
        """Read documents that are going to be touched, all at once."""
        asked = [doc_id for doc_id in ids if isinstance(doc_id, int)]
        if asked:
            self._stored.update(dict.fromkeys(asked))
            self._stored.update(self._rows.stored(asked))

    def save(self) -> None:
        """Write what differs from the file."""
        storage, table = self._rows.storage, self._rows.layout.name
        new = {doc_id: storage.encode(table, doc_id, content) for doc_id, content in self._contents.items()}
        # Where one was put in the place of another, that was not read.
        self.read(i for i in new if i not in self._stored and i <= self._highest_stored)
        storage.remove(table, self._removed)
        storage.save(table, new, {doc_id: stored for doc_id in new if (stored := self._stored.get(doc_id))})

    def _as_stored(self, doc_id: int) -> Encoded | None:
        if doc_id not in self._stored:
            self.read((doc_id,))
        return self._stored[doc_id]
