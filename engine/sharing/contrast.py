"""What do the failing ones share? Which traits failing entries have more often than others of their workflow."""

import operator
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import reduce
from itertools import islice
from typing import Any

from tinydb import where

from engine.filter import compile_filter
from engine.filter.fields import FIELDS, compile_lasting
from engine.filter.syntax import joined, parse, terms
from engine.lookup.entries import stands_in
from engine.lookup.rows import newest_execution
from engine.sharing.traits import KNOWN_IN_PART, Tally, Trait, compared
from engine.state import FAILURES, State
from engine.store import Store
from engine.text import counted

FAILED = "state:failed"
"""The filter that is meant where nobody has said one."""

ALL_FAILING = " | ".join(f"state:{state.name.lower()}" for state in State if state in FAILURES)
"""The filter that lets through whatever fails."""

MOST_READ = 5_000
"""So many entries of each side are compared at most; of more, so many by lot."""
MOST_LOOKED_AT = 20_000
"""So many entries are read at most to find them."""

_PAGE = 500
_WELL = [State.FINISHED, State.WAITING, State.READY]


@dataclass(frozen=True)
class Shared:
    """What failing entries have in common.

    So many entries are `failing` that `filter` lets through; `failing_read` of them were compared with `others_read`
    others, chosen by lot where `others_unread` might have been as well. `looked_at` is how many values were compared,
    `traits` what was found, the surest first. `unknown` says of an attribute of how many entries that were read it is
    not known.
    """

    filter: str
    failing: int
    failing_read: int
    others_read: int
    others_unread: int
    looked_at: int
    traits: Sequence[Trait]
    unknown: Mapping[str, int]

    def filter_of(self, trait: Trait) -> str:
        """The filter for the failing entries that have a trait."""
        fails = any(term.field in ("state", "error") for term in terms(parse(self.filter, FIELDS)))
        return joined(*([] if fails else [ALL_FAILING]), self.filter, trait.filter)

    def sentences(self) -> list[str]:
        """What is to be known before one reads the traits."""
        if not self.failing:
            return ["no entry that this filter lets through is failed, interrupted or in doubt"]
        if not self.others_read:
            return [f"{self.failing} failing, and no other of the same workflow went well: nothing to compare with"]
        sure = sum(not trait.may_be_chance for trait in self.traits)
        looked = f"{counted(self.looked_at, 'value')} looked at, {sure or 'none'} beyond chance"
        by_lot = f" ({self.failing_read} of them by lot)" if self.failing_read < self.failing else ""
        others = counted(self.others_read, "other") + (" by lot" if self.others_unread else "")
        said = [f"{self.failing} failing{by_lot} beside {others}; {looked}"]
        if self.unknown:
            not_known = ", ".join(f"{name} of {number}" for name, number in self.unknown.items())
            said.append(f"not known, and left out there: {not_known}")
        return said

    def to_json(self) -> dict[str, Any]:
        """What `wfe share --json` promises."""
        rows = [
            {
                **asdict(trait),
                "failing_rate": trait.failing_rate,
                "others_rate": trait.others_rate,
                "difference": trait.difference,
                "may_be_chance": trait.may_be_chance,
            }
            for trait in self.traits
        ]
        return {**asdict(self), "traits": rows}


def what_they_share(store: Store, moment: datetime, text: str = "") -> Shared:
    """Compare the failing entries that a filter lets through with those of the same processors that went well.

    Others are finished, waiting or ready, and no exception ended their newest execution. What the filter says of
    their own data, and of where they were executed, holds for them, too: so one finding can be looked into further.

    Args:
        store: where they are.
        moment: what has become due by then (aware) is ready.
        text: the filter; what it lets through and does not fail is no failing entry. Empty: `ALL_FAILING`.

    Raises:
        FilterError: the filter cannot be understood; it says where.
    """
    chosen, lasting = compile_filter(text, store, moment), compile_lasting(text, store, moment)
    fails = reduce(operator.or_, (stands_in(state, store, moment) for state in State if state in FAILURES))
    failing = store.entries.ids(fails if chosen is None else fails & chosen)
    processors = list(store.entries.counts("processor", doc_ids=failing)) if failing else []
    others = store.entries.ids(where("processor").one_of(processors) & where("state").one_of(_WELL))
    reader = _Reader(store)
    ours, _ = reader.tally(failing, lambda entry: True)
    theirs, unread = reader.tally(others, lambda entry: _went_well(entry) and (lasting is None or lasting(entry)))
    looked_at, traits = compared(ours, theirs)
    read = ours.total + theirs.total
    unknown = {name: missing for name in KNOWN_IN_PART if (missing := read - ours.of(name) - theirs.of(name))}
    meant = text if text.strip() else ALL_FAILING
    return Shared(meant, len(failing), ours.total, theirs.total, unread, looked_at, traits, unknown)


def _went_well(entry: Mapping[str, Any]) -> bool:
    newest = newest_execution(entry)
    return newest is not None and newest.get("error_id") is None


class _Reader:
    """Reads entries a page at a time, and their runs as they come."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._runs: dict[int | None, Mapping[str, Any] | None] = {}
        """By their numbers; None of one that is no longer kept."""

    def tally(self, ids: Sequence[int], only: Callable[[Mapping[str, Any]], bool]) -> tuple[Tally, int]:
        """The traits of those of these entries that answer to `only`: of very many, some by lot, the same each time.

        Returns:
            With them, how many entries were not looked at.
        """
        tally, at, among = Tally(), 0, len(ids)
        if among > MOST_READ:
            ids = random.Random(0).sample(ids, min(among, MOST_LOOKED_AT))
        while at < len(ids) and tally.total < MOST_READ:
            entries = filter(only, self._store.entries.get(doc_ids=ids[at : at + _PAGE]))
            tally.add(self._with_runs(list(islice(entries, MOST_READ - tally.total))))
            at += _PAGE
        return tally, max(0, among - at)

    def _with_runs(self, entries: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], Any]]:
        numbers = {entry["run"] for entry in entries} - self._runs.keys()
        found = {run.doc_id: run for run in self._store.runs.get(doc_ids=[each for each in numbers if each])}
        self._runs.update((number, found.get(number or 0)) for number in numbers)
        return ((entry, self._runs[entry["run"]]) for entry in entries)
