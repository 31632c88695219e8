"""The documents of one table, read from the file: only those that are asked for, and each time anew."""

from array import array
from collections.abc import Callable, Collection, ItemsView, Iterable, Iterator, Mapping
from heapq import merge
from itertools import islice
from typing import Any

import orjson
from tinydb.queries import QueryLike

from engine.store.conditions import Narrowing, Term, either, narrow
from engine.store.schema import layout, named, quoted
from engine.store.storage import Encoded, SqliteStorage
from engine.store.values import MISSING, ODD

Content = dict[str, Any]

_PAGE = 1_000
_BEFORE_ALL = -(2**63)
_ALL = (Term("true"),)


class Rows(Mapping[str, Content]):
    """One table of a storage, as TinyDB reads it: documents by their id as text."""

    def __init__(self, storage: SqliteStorage, table: str) -> None:
        self.storage = storage
        self.layout = layout(table)
        self._from = f"FROM {self.layout.sql} WHERE {self.layout.where}"
        self._stored = f"SELECT {', '.join(map(named, ('id', 'doc', *self.layout.fields)))} {self._from} AND id"

    def __getitem__(self, doc_id: str) -> Content:
        text = self.text(int(doc_id))
        if text is None:
            raise KeyError(doc_id)
        return _content(text)

    def __iter__(self) -> Iterator[str]:
        return map(str, self.ids())

    def __len__(self) -> int:
        return self.count(None)

    def items(self) -> ItemsView[str, Content]:
        return _Items(self)

    def stored(self, ids: Iterable[int]) -> dict[int, Encoded]:
        """Those documents that are there, as they are stored."""
        some = [doc_id for doc_id in ids if _BEFORE_ALL <= doc_id < -_BEFORE_ALL]
        if len(some) == 1:
            found = self.storage.rows(f"{self._stored} = ?", some)
        else:
            found = self.storage.rows(f"{self._stored} IN (SELECT value FROM json_each(?))", (_json(some),))
        return {row[0]: Encoded(row[1], row[2:]) for row in found}

    def text(self, doc_id: int) -> str | None:
        """A document as it is stored, None if there is none."""
        found = self.storage.rows(f"SELECT doc {self._from} AND id = ?", (doc_id,))
        return found[0][0] if found else None

    def highest(self) -> int:
        """The highest id in use, 0 if there is none."""
        return self.storage.rows(f"SELECT max(id) {self._from}")[0][0] or 0

    def chosen(self, ids: list[int]) -> dict[int, Content]:
        """The documents with these ids, in this order; those that are not there are left out."""
        found = dict(
            self.storage.rows(f"SELECT id, doc {self._from} AND id IN (SELECT value FROM json_each(?))", (_json(ids),))
        )
        return {doc_id: _content(found[doc_id]) for doc_id in ids if doc_id in found}

    def first(self, cond: QueryLike) -> tuple[int, Content] | None:
        """The first document, by id, that answers a condition."""
        narrowing = self._narrowing(cond)
        if narrowing is not None and (few := self._few(narrowing)) is not None:
            return next((found for found in few if cond(found[1])), None)
        since = self.storage.seq()
        found = next(self.scan(cond), None)
        if found is None and self.storage.seq() != since:
            # Others wrote between the pages, and what is sought may have gone from one that was not yet read.
            found = next(iter(self.matching(cond, keep=lambda content: content).items()), None)
        return found

    def scan(self, cond: QueryLike | None = None) -> Iterator[tuple[int, Content]]:
        """The documents that answer a condition, by id, page by page: each page is of its own moment."""
        narrowing = self._narrowing(cond)
        candidates = self._pages() if narrowing is None else self._narrowed(narrowing)
        return ((doc_id, content) for doc_id, content in candidates if cond is None or cond(content))

    def matching(self, cond: QueryLike | None, keep: Callable[[Content], Any]) -> dict[int, Any]:
        """What to `keep` of each document that answers a condition, by id, all of one moment."""
        narrowing = self._narrowing(cond)
        if narrowing is not None and (few := self._few(narrowing)) is not None:
            return {doc_id: keep(content) for doc_id, content in few if cond is None or cond(content)}
        since = self.storage.seq()
        found = {doc_id: keep(content) for doc_id, content in self.scan(cond)}
        if self.storage.seq() == since:
            return found
        # Others wrote between the pages. What they wrote is read at once, so that no half of a transaction is seen.
        changed = self._changed(since)
        if changed is None:
            return self.matching(cond, keep)
        # In two rounds: one that was removed may have been written again.
        for doc_id, _ in changed:
            found.pop(doc_id, None)
        for doc_id, text in changed:
            if text is not None and (cond is None or cond(content := _content(text))):
                found[doc_id] = keep(_content(text) if cond is None else content)
        return dict(sorted(found.items()))

    def ids(
        self,
        cond: QueryLike | None = None,
        *,
        order_by: str | None = None,
        reverse: bool = False,
        limit: int | None = None,
        offset: int = 0,
    ) -> "array[int]":
        """The ids of the documents that answer a condition; see `DocumentTable.ids`."""
        if cond is not None and order_by is None and not self.is_exact(cond):
            return self._scanned(cond, reverse=reverse, limit=limit, offset=offset)
        alternatives = self._alternatives(cond)
        direction = "DESC" if reverse else "ASC"
        order, value = f"id {direction}", "id"
        if order_by is not None:
            value = self._sort_value(order_by)
            # NULL is SQLite's least value, so it is last by itself when the order is reversed.
            nulls = "" if reverse else " NULLS LAST"
            order = f"{value} {direction}{nulls}, {order}"
        cut = (-1 if limit is None else limit, offset)
        if len(alternatives) == 1:
            sql = f"SELECT id {self._from} AND {alternatives[0].sql} ORDER BY {order} LIMIT ? OFFSET ?"
        else:
            # Each alternative comes from its index in order, and SQLite merges them: nothing is sorted.
            order = order.replace(value, "value", 1) if order_by is not None else order
            merged = " UNION ".join(f"SELECT {value} AS value, id {self._from} AND {term.sql}" for term in alternatives)
            sql = f"SELECT id FROM ({merged} ORDER BY {order} LIMIT ? OFFSET ?)"
        parameters = [value for term in alternatives for value in term.parameters]
        return self.storage.numbers(sql, (*parameters, *cut))

    def _scanned(self, cond: QueryLike, *, reverse: bool, limit: int | None, offset: int) -> "array[int]":
        """The ids of the documents that answer a condition that has to be asked of each, in the order of the ids."""
        since = self.storage.seq()
        wanted = None if limit is None or reverse else offset + limit
        ids = array("q", (doc_id for doc_id, _ in islice(self.scan(cond), wanted)))
        if self.storage.seq() != since:
            if wanted is not None:  # what comes behind the last of them was not looked at
                ids = array("q", (doc_id for doc_id, _ in self.scan(cond)))
            caught_up = self._caught_up(cond, ids, since)
            if caught_up is None:
                return self._scanned(cond, reverse=reverse, limit=limit, offset=offset)
            ids = caught_up
        if reverse:
            ids.reverse()
        return ids[offset:] if limit is None else ids[offset : offset + limit]

    def _caught_up(self, cond: QueryLike, ids: "array[int]", since: int) -> "array[int] | None":
        """These ids, which were found since that moment, as they are now; None if that cannot be told any more."""
        changed = self._changed(since)
        if changed is None:
            return None
        texts = dict(changed)
        answering = sorted(doc_id for doc_id, text in texts.items() if text is not None and cond(_content(text)))
        return array("q", merge((doc_id for doc_id in ids if doc_id not in texts), answering))

    def _changed(self, since: int) -> list[tuple[int, str | None]] | None:
        """What others wrote since a moment, by id: a document as it is now, None for one that was removed, which may
        have been written again behind that; None if more was removed than is remembered."""
        *changed, (forgotten, _) = self.storage.rows(
            f"SELECT id, NULL FROM gone WHERE tbl = {quoted(self.layout.name)} AND seq > ?1"
            f" UNION ALL SELECT id, doc {self._from} AND seq > ?1"
            " UNION ALL SELECT forgotten, NULL FROM about",
            (since,),
        )
        return None if forgotten > since else changed

    def count(self, cond: QueryLike | None) -> int:
        """How many documents answer a condition."""
        counted = self._tallied(cond)
        if counted is not None:
            self.storage.settle()
            found = self.storage.rows(f"SELECT ifnull(sum(n), 0) FROM tally WHERE {counted.sql}", counted.parameters)
        else:
            sql, parameters = self._where(cond)
            found = self.storage.rows(f"SELECT count(*) {self._from} AND {sql}", parameters)
        count: int = found[0][0]
        return count

    def is_exact(self, cond: QueryLike) -> bool:
        """Whether the columns alone answer a condition."""
        narrowing = self._narrowing(cond)
        return narrowing is not None and narrowing.is_exact

    def counts(self, field: str, cond: QueryLike | None = None, ids: Collection[int] | None = None) -> dict[Any, int]:
        """How many documents have each value of a field; see `DocumentTable.counts`."""
        value = self._sort_value(field)
        if ids is not None:
            among = _listed(ids)
            return dict(
                self.storage.rows(f"SELECT {value}, count(*) {self._from} AND {among.sql} GROUP BY 1", among.parameters)
            )
        counted = self._tallied(cond)
        if counted is not None and value == named(field) and field in self.layout.tallied:
            self.storage.settle()
            found = self.storage.rows(
                f"SELECT {value}, sum(n) AS n FROM tally WHERE {counted.sql} GROUP BY 1 HAVING sum(n) > 0",
                counted.parameters,
            )
        else:
            sql, parameters = self._where(cond)
            found = self.storage.rows(f"SELECT {value}, count(*) {self._from} AND {sql} GROUP BY 1", parameters)
        return dict(found)

    def bounds(self, field: str, cond: QueryLike) -> tuple[Any, Any]:
        """The least and the greatest value of a field; see `DocumentTable.bounds`."""
        value = self._sort_value(field)
        sql, parameters = self._where(cond)
        each = f"(SELECT %s({value}) {self._from} AND {sql})"  # each by itself, an index has it at its end
        least, greatest = self.storage.rows(f"SELECT {each % 'min'}, {each % 'max'}", parameters * 2)[0]
        return least, greatest

    def _where(self, cond: QueryLike | None) -> tuple[str, tuple[Any, ...]]:
        """The SQL of a condition: by the columns if they can answer, else by the ids of those that do."""
        alternatives = self._alternatives(cond)
        parameters = tuple(value for term in alternatives for value in term.parameters)
        if len(alternatives) == 1:
            return alternatives[0].sql, parameters
        each = (f"SELECT id {self._from} AND {term.sql}" for term in alternatives)
        return f"id IN ({' UNION '.join(each)})", parameters

    def _alternatives(self, cond: QueryLike | None) -> tuple[Term, ...]:
        if cond is None:
            return _ALL
        narrowing = self._narrowing(cond)
        if narrowing is not None and narrowing.is_exact:
            return narrowing.alternatives
        return (_listed(self.matching(cond, keep=lambda content: None)),)

    def _tallied(self, cond: QueryLike | None) -> Term | None:
        """A condition as one on the tally; None if that cannot answer it."""
        if not self.layout.tallied:
            return None
        if cond is None:
            return _ALL[0]
        narrowing = self._narrowing(cond)
        if narrowing is None or not narrowing.is_exact or not narrowing.fields.issubset(self.layout.tallied):
            return None
        return either(narrowing.alternatives)

    def _narrowing(self, cond: QueryLike | None) -> Narrowing | None:
        narrowing = None if cond is None else narrow(cond, self.layout.fields)
        if narrowing is not None and any(self._has(field, ODD) for field in narrowing.unsure):
            return None
        return narrowing

    def _sort_value(self, field: str) -> str:
        """The SQL by which documents are sorted and counted: of no use for an index unless every one has the field."""
        if field not in self.layout.fields or self._has(field, ODD):
            return f"json_extract(doc, {quoted('$.' + _json_name(field))})"
        return f"nullif({named(field)}, x'')" if self._has(field, MISSING) else named(field)

    def _has(self, field: str, value: bytes) -> bool:
        """Whether a column holds a value in any document."""
        sql = f"SELECT EXISTS(SELECT 1 {self._from} AND {named(field)} = ?)"
        return bool(self.storage.rows(sql, (value,))[0][0])

    def _few(self, narrowing: Narrowing) -> list[tuple[int, Content]] | None:
        """The documents that a narrowing names, by id, all of one moment; None if they are more than a page."""
        each = [f"SELECT id, doc {self._from} AND {term.sql}" for term in narrowing.alternatives]
        parameters = [value for term in narrowing.alternatives for value in term.parameters]
        found = self.storage.rows(f"{' UNION '.join(each)} LIMIT {_PAGE + 1}", parameters)
        if len(found) > _PAGE:
            return None
        return [(doc_id, _content(text)) for doc_id, text in sorted(found)]

    def _narrowed(self, narrowing: Narrowing) -> Iterator[tuple[int, Content]]:
        each = [f"SELECT id {self._from} AND {term.sql}" for term in narrowing.alternatives]
        parameters = [value for term in narrowing.alternatives for value in term.parameters]
        ids = sorted(doc_id for (doc_id,) in self.storage.rows(" UNION ".join(each), parameters))
        for start in range(0, len(ids), _PAGE):
            yield from self.chosen(ids[start : start + _PAGE]).items()

    def _pages(self) -> Iterator[tuple[int, Content]]:
        last = _BEFORE_ALL
        while page := self.storage.rows(f"SELECT id, doc {self._from} AND id > ? ORDER BY id LIMIT {_PAGE}", (last,)):
            last = page[-1][0]
            yield from ((doc_id, _content(text)) for doc_id, text in page)


class _Items(ItemsView[str, Content]):
    """By pages, where Python's own would ask for each document by itself."""

    _mapping: Rows

    def __iter__(self) -> Iterator[tuple[str, Content]]:
        return ((str(doc_id), content) for doc_id, content in self._mapping.scan())


def _content(text: str) -> Content:
    content: Content = orjson.loads(text)
    return content


def _listed(ids: Iterable[int]) -> Term:
    return Term("id IN (SELECT value FROM json_each(?))", (_json(list(ids)),))


def _json(ids: list[int]) -> str:
    return orjson.dumps(ids).decode()


def _json_name(field: str) -> str:
    return field if field.isidentifier() and field.isascii() else f'"{field}"'
