"""Entries that are in a task for longer than is usual: what hangs tells nobody, and fails of nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tinydb import where
from tinydb.queries import QueryInstance

from engine.clock import from_text
from engine.journal.durations import Histogram
from engine.lookup.entries import documents
from engine.lookup.rows import newest_execution
from engine.lookup.typical import typical_durations
from engine.state import State
from engine.store import Store

OLDEST_RUNNING = 1_000
"""So many of the entries that run longest are looked through."""

FEWEST = 20
"""With fewer durations known of a task, it is not told that an execution of it takes long."""

LEAST = 1.0
"""Seconds that an execution takes long at least: what is shorter may have ended, and is just being written."""


@dataclass(frozen=True)
class Stuck:
    """An entry that has been in a task for longer than 95 of 100 executions of it take; `usual` is what half of them
    take. In seconds all, and `known` of so many executions."""

    key: str
    processor: str
    task: str
    attempt: int
    seconds: float
    usual: float
    p95: float
    known: int

    def to_json(self) -> dict[str, Any]:
        """As JSON data."""
        return dict(vars(self))


def stuck_entries(store: Store, moment: datetime) -> list[Stuck]:
    """The entries that are in a task for longer than is usual at `moment` (aware), those first that are so by most."""
    runs: QueryInstance = where("state") == State.RUNNING
    numbers = store.entries.ids(runs, order_by="updated", limit=OLDEST_RUNNING)
    usual: dict[str, Mapping[str, Histogram]] = {}
    found = []
    for document in documents(store.entries, numbers):
        processor = document["processor"]
        if not (document["owner"] and store.is_alive(document["owner"])):
            continue
        if processor not in usual:
            usual[processor] = typical_durations(store, processor)
        stuck = _takes_long(document, usual[processor], moment)
        if stuck is not None:
            found.append(stuck)
    return sorted(found, key=lambda each: each.p95 / each.seconds)


def _takes_long(entry: Mapping[str, Any], usual: Mapping[str, Histogram], moment: datetime) -> Stuck | None:
    """The entry, if the execution that is under way takes longer than 95 of 100 did."""
    execution = newest_execution(entry)
    if execution is None or not execution["running"]:
        return None
    known = usual.get(execution["name"], Histogram())
    p95, median = known.quantile(0.95), known.quantile(0.5)
    seconds = (moment - from_text(execution["execution_time"])).total_seconds()
    if p95 is None or median is None or known.count < FEWEST or seconds <= max(p95, LEAST):
        return None
    return Stuck(
        entry["key"],
        entry["processor"],
        execution["name"],
        execution["run_count"] or 1,
        round(seconds, 3),
        median,
        p95,
        known.count,
    )
