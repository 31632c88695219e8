"""What entries have in common: their traits counted on two sides, and those told that one side has more often.

Pure: it is handed stored entries, each with the run that executed it last.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import inf
from typing import Any

import orjson

from engine.clock import local_hour
from engine.filter.fields import RUNS
from engine.filter.syntax import as_typed
from engine.lookup.rows import newest_execution
from engine.sharing.proportions import DOUBT, chance, difference, reach
from engine.text import literal

Value = str | int | float
Count = Callable[[Counter[Value]], int]

DEEPEST = 3
"""So many names may follow one another in the path of a field: `data.address.country.code`."""
LONGEST_LIST = 50
"""So many of the first elements of a list are looked at."""
LONGEST_TEXT = 60
"""Characters; a longer text is prose, no value."""
FEW_NUMBERS = 12
"""More different numbers than these in a field are looked at in quarters, too."""
MOST = 100
"""So many traits are told at most."""
FILLED_UP = 5
"""So many traits are told even if the last of them may be there by chance."""

KNOWN_IN_PART = (*RUNS, "hour")
"""Attributes that are not known of every entry: these are left out, not counted among those without the trait."""


@dataclass(frozen=True)
class Trait:
    """A value, or a range of numbers, that failing entries have more often than the others.

    `failing` of `failing_of` entries that fail have it, `others` of `others_of` that do not. The true difference of the
    two rates lies between `least` and `most`; `chance` is how probable it is that among all values that were looked at
    one stands out so by chance alone. `filter` lets through exactly the entries that have it.
    """

    attribute: str
    value: str
    failing: int
    failing_of: int
    others: int
    others_of: int
    least: float
    most: float
    chance: float
    filter: str

    @property
    def failing_rate(self) -> float:
        """The share of the failing entries that have it, from 0 to 1."""
        return self.failing / self.failing_of

    @property
    def others_rate(self) -> float:
        """The share of the others that have it, from 0 to 1."""
        return self.others / self.others_of

    @property
    def difference(self) -> float:
        """By how much the failing entries have it more often, from 0 to 1."""
        return self.failing_rate - self.others_rate

    @property
    def failing_words(self) -> str:
        """`38 of 40`."""
        return f"{self.failing} of {self.failing_of}"

    @property
    def others_words(self) -> str:
        """`120 of 960`."""
        return f"{self.others} of {self.others_of}"

    @property
    def least_words(self) -> str:
        """The difference that there is at least, or that there may be none."""
        return "by chance?" if self.may_be_chance else f"{self.least:+.0%}"

    @property
    def may_be_chance(self) -> bool:
        """Whether so small a difference, on so few entries, may come about by chance."""
        return self.least <= 0 or self.chance > DOUBT


class Tally:
    """How many entries of one side have each value of each attribute."""

    def __init__(self) -> None:
        self.total = 0
        self.counts: defaultdict[str, Counter[Value]] = defaultdict(Counter)
        self.written: set[str] = set()
        """The fields that a task has set on one of the entries."""
        self.listed: set[str] = set()
        """The attributes of which an entry may have several values."""

    def add(self, entries: Iterable[tuple[Mapping[str, Any], Mapping[str, Any] | None]]) -> None:
        """Count entries, each with the run, if it is known, that has executed it last."""
        # A Counter counts a list ten times as fast as one after the other.
        found: defaultdict[str, list[Value]] = defaultdict(list)
        for entry, run in entries:
            self.total += 1
            self.written.update(entry.get("written") or ())
            for name, value in (entry.get("data") or {}).items():
                if (path := _path("data", name)) is None:
                    continue
                if type(value) in _PLAIN:
                    found[path].append(value)
                elif type(value) in _NESTED:
                    inner: set[tuple[str, Value]] = set()
                    self._gather(path, value, DEEPEST - 1, inner)
                    for leaf, each in inner:
                        found[leaf].append(each)
                else:
                    found[path].append(_json(value))
            for name, place in _around(entry, run):
                found[name].append(place)
        for name, values in found.items():
            self.counts[name].update(values)

    def of(self, attribute: str) -> int:
        """Of how many entries it is known whether they have a value of it."""
        return self.counts[attribute].total() if attribute in KNOWN_IN_PART else self.total

    def _gather(self, path: str, value: Any, depth: int, into: set[tuple[str, Value]], in_list: bool = False) -> None:
        """Find the values in a value, each with its path."""
        if type(value) is list:
            for element in value[:LONGEST_LIST]:
                self._gather(path, element, depth, into, True)
        elif type(value) is dict:
            for name, inner in value.items() if depth else ():
                if (longer := _path(path, name)) is not None:
                    self._gather(longer, inner, depth - 1, into, in_list)
        else:
            into.add((path, value if type(value) in _PLAIN else _json(value)))
            if in_list:
                self.listed.add(path)


def _around(entry: Mapping[str, Any], run: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """What is known of an entry beside its data."""
    for name in ("task", "source"):
        if (value := entry.get(name)) is not None:
            yield name, value
    if (newest := newest_execution(entry)) is not None:
        yield "hour", str(local_hour(newest["execution_time"]))
    if run is not None:
        for name, field in RUNS.items():
            if (place := run.get(field)) is not None:
                yield name, str(place)


def compared(failing: Tally, others: Tally) -> tuple[int, list[Trait]]:
    """How many values were looked at, and the traits that failing entries have more often, the surest first.

    No trait is what tells nothing, whoever fails: a value that one entry has alone or all have, what hardly two entries
    share (a key, free text), and fields that only tasks beyond those at which the failing ones stand have set.
    """
    if not (failing.total and others.total):
        return 0, []
    found = list(_looked_at(failing, others))
    z = reach(len(found))
    traits = []
    for attribute, value, query, count in found:
        seen = count(failing.counts[attribute]), failing.of(attribute)
        beside = count(others.counts[attribute]), others.of(attribute)
        if seen[1] and beside[1] and seen[0] * beside[1] > beside[0] * seen[1]:
            by_chance = min(1.0, 2 * len(found) * chance(*seen, *beside))
            traits.append(Trait(attribute, value, *seen, *beside, *difference(*seen, *beside, z), by_chance, query))
    traits.sort(key=lambda each: (each.may_be_chance, -each.least, -each.difference, each.attribute, each.value))
    sure = sum(not trait.may_be_chance for trait in traits)
    return len(found), traits[: min(MOST, max(FILLED_UP, sure))]


def _looked_at(failing: Tally, others: Tally) -> Iterator[tuple[str, str, str, Count]]:
    """Each attribute and value to look at, the filter for it, and what counts it."""
    later = others.written - failing.written
    for attribute in sorted(failing.counts.keys() | others.counts.keys()):
        if attribute.startswith("data.") and attribute.split(".")[1] in later:
            continue
        together = failing.counts[attribute] + others.counts[attribute]
        known = failing.of(attribute) + others.of(attribute)
        for value, query, count in (
            *_values(attribute, together),
            *(() if attribute in failing.listed | others.listed else _ranges(attribute, together)),
        ):
            if 1 < count(together) < known:
                yield attribute, value, query, count


def _values(attribute: str, together: Counter[Value]) -> Iterator[tuple[str, str, Count]]:
    if 2 * len(together) > together.total():
        return
    for value in together:
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            continue
        shown = literal(value) if isinstance(value, str) else _json(value)
        yield shown, f"{attribute}={as_typed(shown)}", lambda counter, value=value: counter[value]  # type: ignore[misc]


def _ranges(attribute: str, together: Counter[Value]) -> Iterator[tuple[str, str, Count]]:
    """The quarters of a field's numbers: an equal number of entries in each, as far as that can be."""
    numbers = sorted(value for value in together.elements() if not isinstance(value, str))
    if len(set(numbers)) <= FEW_NUMBERS:
        return
    cuts = sorted({numbers[len(numbers) * part // 4] for part in (1, 2, 3)} - {numbers[0]})
    for low, high in pairwise((-inf, *cuts, inf)):
        bounds = [f">={_json(low)}"] * (low > -inf) + [f"<{_json(high)}"] * (high < inf)

        def count(counter: Counter[Value], low: float = low, high: float = high) -> int:
            return sum(n for value, n in counter.items() if not isinstance(value, str) and low <= value < high)

        yield " ".join(bounds), " ".join(f"{attribute}:{bound}" for bound in bounds), count


_PLAIN = frozenset((str, int, float))
_NESTED = frozenset((dict, list))
_NAME = re.compile(r"[\w-]+")


@lru_cache(10_000)
def _path(before: str, name: str) -> str | None:
    """The path of a field in what `before` names; None if no filter can name it."""
    return f"{before}.{name}" if _NAME.fullmatch(name) else None


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
