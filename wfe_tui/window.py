"""The visible window over the store's entries: their ids in order, the few rows that are on the screen, the cursor and
the marks. It knows no Textual and holds eight bytes for an entry that nobody looks at, so its cost does not grow with
what an entry holds."""

from array import array
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from tinydb.queries import QueryInstance
from tinydb.table import Document

from engine.clock import Clock, utc_now
from engine.exceptions import InputError, StoreError
from engine.lookup import stands_in
from engine.planning import State
from engine.records import EntryRow, read_row
from engine.store import Changes, Store
from engine.text import literal

PAGE = 64
"""Rows read from the store at once: a little more than a tall terminal shows."""

CACHED_ROWS = 32 * PAGE

FIELDS = {
    "key": "key",
    "state": "state",
    "task": "task",
    "reason": "reason",
    "error": "error_id",
    "processor": "processor",
}
"""What a filter's word looks at: the operator's name for it -> the document's field."""

ORDERS: Mapping[str, tuple[str | None, bool]] = {
    "arrival": (None, False),
    "key": ("key", False),
    "state": ("urgency", False),
    "progress": ("done", False),
    "task": ("task", False),
    "reason": ("reason", False),
    "repeat": ("repeat", False),
    "attempts": ("attempts", False),
    "age": ("updated", True),
}
"""What the rows are sorted by: the column's name -> the document's field, and whether it runs the other way round (the
youngest was updated last). Arrival is the order in which entries came into the store: no row moves by itself."""


@dataclass(frozen=True)
class View:
    """Which entries are wanted, and in which order.

    Args:
        filter: as `compile_filter` reads it; empty for all entries.
        order: a name of `ORDERS`.
        reverse: the greatest first.

    Raises:
        InputError: there is no such order.
    """

    filter: str = ""
    order: str = "arrival"
    reverse: bool = False

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise InputError(f"entries cannot be sorted by {self.order!r}; sort by one of: {', '.join(ORDERS)}")

    @property
    def is_steady(self) -> bool:
        """No change of an entry moves it, or takes it in or out."""
        return self.order in ("arrival", "key") and not self.filter


@dataclass(frozen=True)
class Answer:
    """The ids that a view had in the store at `seq`. It bears the view it was asked for, so a late one is known."""

    view: View
    seq: int
    ids: "array[int]"
    members: frozenset[int] = field(repr=False)


class Window:
    """What a table of entries draws, and what its operator points at.

    To fill it: `ask` for a view, `load` it (in any thread: it may take long), `accept` the answer in the thread that
    draws. Afterwards tell it of every change in the store with `changed`. All but `load` belongs to the drawing thread.

    Args:
        store: whose entries are shown.
        clock: the moment that rows are read for.
    """

    def __init__(self, store: Store, clock: Clock = utc_now) -> None:
        self.view = View()
        self.ids: array[int] = array("q")
        self.cursor: int | None = None
        """The index in `ids` of the row that the operator is on; None as long as there is no row."""
        self.marks: set[int] = set()
        """The ids of the marked entries, shown or not; only a removal from the store takes one away unasked."""
        self._members: frozenset[int] = frozenset()
        self._seq = 0
        self._rows: dict[int, EntryRow | None] = {}
        self._store = store
        self._clock = clock

    def ask(self, view: View) -> None:
        """From now on only answers to this view are accepted; `load` it next."""
        self.view = view

    def load(self) -> Answer:
        """Query the ids of the view asked for last. It changes nothing here, so it may run in any thread."""
        view, seq = self.view, self._store.seq()
        order_by, backwards = ORDERS[view.order]
        ids = self._store.entries.ids(self.condition(view), order_by=order_by, reverse=view.reverse is not backwards)
        return Answer(view, seq, ids, frozenset(ids))

    def condition(self, view: View) -> QueryInstance | None:
        """What the store is asked for a view, as things stand at this moment."""
        moment = self._clock()
        return compile_filter(view.filter, lambda state: stands_in(state, self._store, moment))

    def accept(self, answer: Answer) -> bool:
        """Show an answer, with the cursor on the entry it was on, wherever that is now.

        Where that entry is gone, the cursor goes to the first one that came after it and still is there.

        Returns:
            False if the answer came late: for another view, or older than the one shown. Nothing has changed then.
        """
        if answer.view != self.view or answer.seq < self._seq:
            return False
        self.cursor = self._follow(answer)
        self.ids, self._members, self._seq = answer.ids, answer.members, answer.seq
        return True

    def changed(self, changes: Changes) -> bool:
        """Take note of what changed in the store: those rows are read anew when they are next drawn.

        Returns:
            True if the ids may have changed with it, so that they have to be loaded again.
        """
        if not changes.is_complete:
            self.forget()
            self.marks.intersection_update(found.doc_id for found in self._store.entries.get(doc_ids=self.marks))
            return True
        touched, removed = changes.changed.get("entries", []), changes.removed.get("entries", [])
        for entry_id in (*touched, *removed):
            self._rows.pop(entry_id, None)
        self.marks.difference_update(removed)
        if not self._members.isdisjoint(removed):
            return True
        return not self._members.issuperset(touched) if self.view.is_steady else bool(touched)

    def forget(self) -> None:
        """Read every row anew when it is next drawn: for what changes by itself, an age or whether an owner lives."""
        self._rows.clear()

    def row(self, index: int) -> EntryRow | None:
        """The row at an index of `ids`, read with its page if need be; None if its entry was removed meanwhile."""
        entry_id = self.ids[index]
        if entry_id not in self._rows:
            self._read_page(index - index % PAGE)
        return self._rows[entry_id]

    def __len__(self) -> int:
        return len(self.ids)

    def _read_page(self, start: int) -> None:
        missing = [entry_id for entry_id in self.ids[start : start + PAGE] if entry_id not in self._rows]
        moment = self._clock()
        documents: dict[int, Document] = {}
        with suppress(StoreError):  # who follows the store tells; these rows are blank until they are forgotten
            documents = {document.doc_id: document for document in self._store.entries.get(doc_ids=missing)}
        for entry_id in missing:
            found = documents.get(entry_id)
            self._rows[entry_id] = None if found is None else read_row(found, moment, self._store.is_alive)
        for oldest in list(islice(self._rows, max(0, len(self._rows) - CACHED_ROWS))):
            del self._rows[oldest]

    def _follow(self, answer: Answer) -> int | None:
        if not answer.ids:
            return None
        if self.cursor is None:
            return 0
        # Far followers are no neighbours any more: after another filter the same height on the screen is as good.
        near = self.ids[self.cursor : self.cursor + PAGE]
        survivor = next((entry_id for entry_id in near if entry_id in answer.members), None)
        return min(self.cursor, len(answer.ids) - 1) if survivor is None else answer.ids.index(survivor)


def compile_filter(text: str, stands_in: Callable[[State], QueryInstance]) -> QueryInstance | None:
    """A filter as the operator types it -> a condition for the store; None if it lets every entry through.

    Args:
        text: as typed.
        stands_in: the condition that an entry stands in a state.

    Words are separated by spaces, all must match, upper and lower case are one. A plain word is looked for in all
    `FIELDS`, as the list shows them; `field:text` in that field alone (`reason:timeout`). `state:` with a state's whole
    name means that state and is answered by an index (`state:failed`, `state:in_doubt`). What stands before the colon
    of a word must be a name of `FIELDS`, otherwise the word is a plain one: keys and times have colons too.
    """
    condition: QueryInstance | None = None
    for word in text.split():
        name, colon, wanted = word.partition(":")
        if not colon or name.lower() not in FIELDS:
            test = _contains(tuple(FIELDS.values()), word)
        elif wanted:
            state = _STATES.get(wanted.lower()) if name.lower() == "state" else None
            test = stands_in(state) if state else _contains((FIELDS[name.lower()],), wanted)
        else:
            continue  # half typed
        condition = test if condition is None else condition & test
    return condition


_STATES = {name: state for state in State for name in (state.name.lower(), state.value)}


def _contains(names: tuple[str, ...], text: str) -> QueryInstance:
    wanted = text.casefold()

    def test(document: Mapping[str, Any]) -> bool:
        values = (document.get(name) for name in names)
        return any(isinstance(value, str) and wanted in literal(value).casefold() for value in values)

    return QueryInstance(test, ("contains", names, wanted))
