"""How many documents have which values of a few fields, kept in a table of its own so that nobody has to count them.

Whoever writes documents gathers in memory what that changes of the numbers, and writes it once, before the transaction
ends: to have SQLite do it at each document would cost as much as to write that.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from operator import itemgetter
from typing import Self

from engine.store.schema import Layout
from engine.store.values import Column

Values = tuple[Column, ...]


class Tally:
    """By how much a transaction changes the number of documents of each combination of tallied values."""

    def __init__(self) -> None:
        self._steps: Counter[Values] = Counter()

    def copy(self) -> Self:
        """The same by itself, to go back to."""
        other = type(self)()
        other._steps.update(self._steps)
        return other

    def count(self, at: Layout, documents: Iterable[Values], step: int) -> None:
        """Count documents in (1) or out (-1), by their columns."""
        if at.tallied:
            tallied = _tallied(at)
            for columns in documents:
                self._steps[tallied(columns)] += step

    def add(self, values: Values, step: int) -> None:
        """Count so many documents that have these tallied values."""
        self._steps[values] += step

    def take(self) -> list[tuple[Column, ...]]:
        """The combinations whose number changes, each with the change; nothing is left then."""
        taken = [(*values, step) for values, step in self._steps.items() if step]
        self._steps.clear()
        return taken


@cache
def _tallied(at: Layout) -> Callable[[Values], Values]:
    return itemgetter(*map(at.fields.index, at.tallied))
