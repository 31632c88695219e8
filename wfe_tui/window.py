"""The visible window over a table of the store: the ids of its rows in order, the few rows that are on the screen, the
cursor and the marks. It knows no Textual and holds eight bytes for a row that nobody looks at, so its cost does not
grow with what a document holds."""

from array import array
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from tinydb.queries import QueryInstance
from tinydb.table import Document

from engine.exceptions import InputError
from engine.store import Changes, Store
from engine.store.table import DocumentTable

PAGE = 64
"""Rows read from the store at once: a little more than a tall terminal shows."""

CACHED_ROWS = 32 * PAGE

HEAD = 4 * PAGE
"""Ids that are shown before all of them are known, where there may be a million."""

NEAR = 2_000
"""How far from where it was the entry of the cursor is looked for first."""


class Row(Protocol):
    """What is shown in a line: it has the number of its document."""

    @property
    def id(self) -> int: ...


R = TypeVar("R", bound=Row)


@dataclass(frozen=True)
class Source(Generic[R]):
    """What a window looks at.

    Args:
        table: of the store.
        read: makes a row of a document, in any thread.
        condition: what a filter asks for at this moment, in any thread; None for everything. It raises InputError.
        orders: what rows can be sorted by: the column's name -> the document's field, None for the order of arrival,
            and whether it runs the other way round.
        steady: the orders in which no change moves a row.
    """

    table: DocumentTable
    read: Callable[[Document], R]
    condition: Callable[[str], QueryInstance | None]
    orders: Mapping[str, tuple[str | None, bool]]
    steady: Collection[str] = ("arrival",)


@dataclass(frozen=True)
class View:
    """Which rows are wanted, and in which order: a name of `Source.orders`; `reverse` is the greatest first."""

    filter: str = ""
    order: str = "arrival"
    reverse: bool = False


@dataclass(frozen=True, eq=False)
class Answer(Generic[R]):
    """The ids that a view had in the store at `seq`. It bears the view it was asked for, so a late one is known.

    `rows` are its first ones; if not `is_whole`, there are more ids than these. `marks` are those of the marked rows
    that are still there, if that had to be asked.
    """

    view: View
    seq: int
    ids: "array[int]" = field(repr=False)
    rows: Mapping[int, R] = field(repr=False)
    is_whole: bool = True
    marks: frozenset[int] | None = None
    condition: QueryInstance | None = None


class Abandoned(Exception):  # noqa: N818 - it says what happened
    """The answer is not wanted any more."""


class Change(NamedTuple):
    """What changes in the store mean for a window: whether its ids have to be loaded again, or it has grown."""

    is_stale: bool
    has_grown: bool = False


class Window(Generic[R]):
    """What a table draws, and what its operator points at.

    To fill it: `ask` for a view, `load` it (in any thread: it may take long), `accept` the answer in the thread that
    draws. `row` answers from memory and notes what it lacks; for that, `take_wanted`, `read` it (in any thread), and
    `put` it. Afterwards tell it of every change in the store with `changed`. All but `load` and `read` belongs to the
    drawing thread.

    Args:
        store: whose rows are shown.
        source: which of its tables.
    """

    def __init__(self, store: Store, source: Source[R]) -> None:
        self.view = View()
        self.ids: array[int] = array("q")
        self.marks: set[int] = set()
        """The ids of the marked rows, shown or not; only a removal from the store takes one away unasked."""
        self.busy: set[int] = set()
        """The ids of the rows on which something is being done that has not been written yet."""
        self.theirs: Container[int] = ()
        """The ids of the rows that somebody else has changed, as far as that is news."""
        self.source = source
        self._store = store
        self._cursor: int | None = None
        self._anchor: array[int] = array("q")
        self._seq = 0
        self._highest = 0
        self._shown: View | None = None
        self._is_whole = False
        self._rows: dict[int, R] = {}
        self._fresh: set[int] = set()
        self._asked: set[int] = set()
        self._wanted: set[int] = set()
        self._check_marks = False

    @property
    def order(self) -> str:
        """The name of the order of the view asked for last."""
        return self.view.order

    @property
    def reverse(self) -> bool:
        """Whether that runs from the greatest on."""
        return self.view.reverse

    @property
    def cursor(self) -> int | None:
        """The index in `ids` of the row that the operator is on; None as long as there is no row."""
        return self._cursor

    @cursor.setter
    def cursor(self, index: int | None) -> None:
        self._cursor = index
        self._anchor = array("q")

    @property
    def cursor_id(self) -> int | None:
        """The id of that row."""
        return None if self._cursor is None else self.ids[self._cursor]

    def __len__(self) -> int:
        return len(self.ids)

    # --- which rows

    def ask(self, view: View) -> None:
        """From now on only answers to this view are accepted; `load` it next.

        Raises:
            InputError: there is no such order.
        """
        if view.order not in self.source.orders:
            raise InputError(
                f"rows cannot be sorted by {view.order!r}; sort by one of: {', '.join(self.source.orders)}"
            )
        self.view = view
        if self._cursor is not None and not self._anchor:
            # Far followers are no neighbours any more: after another filter the same height on the screen is as good.
            self._anchor = self.ids[self._cursor : self._cursor + PAGE]

    def load(self, *, head: bool = False) -> Answer[R]:
        """Query the ids of the view asked for last. It changes nothing here, so it may run in any thread.

        Args:
            head: the first ones alone, if these can be had without the others.

        Raises:
            InputError: its filter cannot be understood.
            Abandoned: another view was asked for meanwhile.
        """
        view, seq, table = self.view, self._store.seq(), self.source.table
        order_by, backwards = self.source.orders[view.order]
        condition = self.source.condition(view.filter)
        is_reverse = view.reverse is not backwards
        is_indexed = condition is None or table.is_indexed(condition)
        limit = HEAD if head and (is_indexed or (order_by is None and not is_reverse)) else None
        asked = condition if condition is None or is_indexed else self._while_wanted(view) & condition
        ids = table.ids(asked, order_by=order_by, reverse=is_reverse, limit=limit)
        marks = frozenset(found.doc_id for found in table.get(doc_ids=list(self.marks))) if self._check_marks else None
        rows = self.read(ids[:PAGE])
        return Answer(view, seq, ids, rows, limit is None or len(ids) < limit, marks, condition)

    def _while_wanted(self, view: View) -> QueryInstance:
        """A condition that everything answers while a view is wanted: who reads all documents for it ends early."""

        def test(document: Mapping[str, Any]) -> bool:
            if self.view is not view:
                raise Abandoned
            return True

        return QueryInstance(test, ("while wanted", id(view)))

    def accept(self, answer: Answer[R]) -> bool:
        """Show an answer, with the cursor on the row it was on, wherever that is now.

        Where that row is gone, the cursor goes to the first one that came after it and still is there.

        Returns:
            False if the answer came late: for another view, or older than the one shown. Nothing has changed then.
        """
        is_shown = self._shown == answer.view
        if answer.view != self.view or answer.seq < self._seq:
            return False
        if is_shown and self._is_whole and not answer.is_whole:
            return False
        self._cursor = self._follow(answer)
        if answer.is_whole:
            self._anchor = array("q")
        self.ids, self._seq, self._shown, self._is_whole = answer.ids, answer.seq, answer.view, answer.is_whole
        self._highest = max(self._highest, max(answer.ids[-1:], default=0), *answer.ids[:1])
        if answer.marks is not None:
            self.marks &= answer.marks
            self._check_marks = False
        for number, row in answer.rows.items():
            if number not in self._fresh:
                self._rows[number] = row
                self._fresh.add(number)
        return True

    def changed(self, changes: Changes) -> Change:
        """Take note of what changed in the store: those rows are read anew when they are next drawn."""
        if not changes.is_complete:
            self.forget()
            self._check_marks = True
            return Change(is_stale=True)
        name = self.source.table.name
        touched, removed = changes.changed.get(name, []), changes.removed.get(name, [])
        self._fresh.difference_update(touched)
        self._asked.difference_update(touched)
        for number in removed:
            self._rows.pop(number, None)
        self._fresh.difference_update(removed)
        self.marks.difference_update(removed)
        if removed:
            return Change(is_stale=True)
        if not touched or not self._is_steady:
            return Change(is_stale=bool(touched))
        new = sorted(number for number in touched if number > self._highest)
        if not new:
            return Change(is_stale=False)
        self._highest = new[-1]
        if self.view != View() or self._shown != View() or not self._is_whole:
            return Change(is_stale=True)
        self.ids.extend(new)  # they have arrived, and so they stand behind all others
        if self._cursor is None:
            self._cursor = 0
        return Change(is_stale=False, has_grown=True)

    @property
    def _is_steady(self) -> bool:
        """No change of a document moves its row, or takes it in or out."""
        return self.view.order in self.source.steady and not self.view.filter

    # --- what is in them

    def row(self, index: int) -> R | None:
        """The row at an index of `ids`, as it was read last; None if it was not read yet."""
        number = self.ids[index]
        if number not in self._fresh and number not in self._asked:
            self._wanted.add(number)
        return self._rows.get(number)

    def known(self, ids: Sequence[int]) -> list[R]:
        """Those of these rows that were read, as they were read last."""
        return [self._rows[number] for number in ids if number in self._rows]

    def forget(self) -> None:
        """Read every row anew when it is next drawn: for what changes by itself, an age or whether an owner lives."""
        self._fresh.clear()
        self._asked.clear()

    @property
    def is_wanting(self) -> bool:
        """Whether rows were drawn that are not known as they are now."""
        return bool(self._wanted)

    def take_wanted(self) -> list[int]:
        """The ids of the rows that were drawn and are not known as they are now: `read` and `put` them.

        With them come those beside them, a page in both directions, so that they are there when they come into sight.
        """
        wanted = [number for number in self._wanted if number not in self._fresh]
        self._wanted.clear()
        if any(number not in self._rows for number in wanted) and self._cursor is not None:
            near = self.ids[max(0, self._cursor - 2 * PAGE) : self._cursor + 2 * PAGE]
            wanted += [number for number in near if number not in self._rows]
        wanted = [number for number in dict.fromkeys(wanted) if number not in self._asked]
        self._asked.update(wanted)
        return wanted

    def read(self, ids: Sequence[int]) -> dict[int, R]:
        """The rows of these ids, in any thread; those that are gone are left out."""
        found = self.source.table.get(doc_ids=ids) if len(ids) else []
        return {document.doc_id: self.source.read(document) for document in found}

    def put(self, ids: Sequence[int], rows: Mapping[int, R]) -> list[int]:
        """Take what was `read`; what has changed since is read again when it is next drawn.

        Returns:
            The ids of those rows that look different now.
        """
        different = []
        for number in ids:
            row, before = rows.get(number), self._rows.get(number)
            if row is None:
                self._rows.pop(number, None)
            else:
                self._rows[number] = row
            if number in self._asked:
                self._asked.discard(number)
                self._fresh.add(number)
            if row != before:
                different.append(number)
        for oldest in list(islice(self._rows, max(0, len(self._rows) - CACHED_ROWS))):
            del self._rows[oldest]
            self._fresh.discard(oldest)
        return different

    def fail(self, ids: Sequence[int]) -> None:
        """What was to be read could not be: it is asked for again when it is next drawn."""
        self._asked.difference_update(ids)

    def _follow(self, answer: Answer[R]) -> int | None:
        if not answer.ids:
            return None
        if self._cursor is None:
            return 0
        at = self._cursor
        anchor = self._anchor or self.ids[at : at + PAGE]
        if not anchor:
            return 0
        if at < len(answer.ids) and answer.ids[at] == anchor[0]:
            return at
        begin = max(0, at - NEAR)
        near = {number: index for index, number in enumerate(answer.ids[begin : at + NEAR], begin)}
        if anchor[0] in near:
            return near[anchor[0]]
        wanted = {number: rank for rank, number in enumerate(anchor)}
        found = [(wanted[number], index) for index, number in enumerate(answer.ids) if number in wanted]
        return min(found)[1] if found else min(at, len(answer.ids) - 1)


def contains(fields: Sequence[str], text: str) -> QueryInstance | None:
    """The condition that each word of a text stands in one of a document's fields; None if there is no word."""
    words = tuple(text.casefold().split())

    def test(document: Mapping[str, Any]) -> bool:
        shown = " ".join(str(document.get(field) or "") for field in fields).casefold()
        return all(word in shown for word in words)

    return QueryInstance(test, ("words", tuple(fields), words)) if words else None
