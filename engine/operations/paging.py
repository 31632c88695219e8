"""Many entries are gone through page by page, so that others get their turn between two."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

PAGE = 500
"""Entries that are changed in one transaction: others write between two of them."""

PAUSE = 0.001
"""Seconds after such a transaction: who asked for the next at once would overtake the writers that wait."""

Progress = Callable[[int, int], object]
"""Is told how many entries of how many are through."""


def pages(keys: Iterable[str]) -> Iterator[list[str]]:
    waiting = iter(keys)
    while page := list(islice(waiting, PAGE)):
        yield page
