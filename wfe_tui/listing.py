"""A list of a few rows that are all in memory, drawn by the same table as the window over the store."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Generic, TypeVar

from engine.exceptions import InputError
from engine.store import Changes
from wfe_tui.window import Change, View

R = TypeVar("R")


@dataclass(frozen=True)
class Loaded(Generic[R]):
    """All rows, as they were at one moment."""

    view: View
    rows: Sequence[R] = field(repr=False)
    is_whole: bool = True


class Listing(Generic[R]):
    """Rows that one question answers, filtered and sorted here; the cursor and the marks hold on to their keys.

    Args:
        ask: for all rows, in any thread.
        key: of a row, by which it is known again.
        orders: what they can be sorted by: the name of a column, and what is compared, the least first.
        words: what a filter's words are looked for in; None where the question itself is about them.
    """

    def __init__(
        self,
        ask: Callable[[], Sequence[R]],
        *,
        key: Callable[[R], str],
        orders: Mapping[str, Callable[[R], Any]],
        words: Callable[[R], str] | None,
    ) -> None:
        self._ask = ask
        self._key = key
        self._orders = orders
        self._words = words
        self.view = View(order=next(iter(orders)))
        self.rows: Sequence[R] = ()
        self.ids: list[str] = []
        self.cursor: int | None = None
        self.marks: set[str] = set()
        self.busy: set[str] = set()
        self.theirs: Container[str] = ()
        self.is_wanting = False
        self.source = SimpleNamespace(orders=orders, table=SimpleNamespace(name=""))
        self._by_key: dict[str, R] = {}

    @property
    def order(self) -> str:
        """The name of the order."""
        return self.view.order

    @property
    def reverse(self) -> bool:
        """Whether it runs the other way round."""
        return self.view.reverse

    @property
    def cursor_id(self) -> str | None:
        """The key of the row that the cursor is on."""
        return None if self.cursor is None else self.ids[self.cursor]

    def __len__(self) -> int:
        return len(self.ids)

    def ask(self, view: View) -> None:
        """Show this view from the next answer on. Raises InputError if there is no such order."""
        if view.order not in self._orders:
            raise InputError(f"rows cannot be sorted by {view.order!r}; sort by one of: {', '.join(self._orders)}")
        self.view = view

    def load(self, *, head: bool = False) -> Loaded[R]:
        """Ask for all rows, in any thread."""
        return Loaded(self.view, self._ask())

    def accept(self, answer: Loaded[R]) -> bool:
        """Show an answer; False if it is for another view."""
        if answer.view != self.view:
            return False
        before = self.cursor_id
        found = [row for row in answer.rows if self._has_words(row)]
        found.sort(key=self._orders[self.view.order], reverse=self.view.reverse)
        self.rows = found
        self._by_key = {self._key(row): row for row in found}
        self.ids = list(self._by_key)
        self.marks &= {self._key(row) for row in answer.rows}
        if before in self._by_key:
            self.cursor = self.ids.index(str(before))
        elif self.ids:
            self.cursor = min(self.cursor or 0, len(self.ids) - 1)
        else:
            self.cursor = None
        return True

    def _has_words(self, row: R) -> bool:
        if self._words is None:
            return True
        text = self._words(row).casefold()
        return all(word in text for word in self.view.filter.casefold().split())

    def changed(self, changes: Changes) -> Change:
        """Whatever changed, all rows are asked for again."""
        return Change(is_stale=True)

    def row(self, index: int) -> R:
        """The row at an index."""
        return self._by_key[self.ids[index]]

    def read(self, ids: Sequence[str]) -> dict[str, R]:
        """The rows of these keys."""
        return {key: self._by_key[key] for key in ids if key in self._by_key}

    def forget(self) -> None:
        """All rows are in memory."""
