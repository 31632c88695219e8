"""What a store forgets: removes what is finished and old, a little at a time, so that nobody has to wait for it."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from tinydb import where
from tinydb.queries import QueryInstance
from tinydb.table import Document

from engine.clock import Clock, as_utc, local_time, to_text
from engine.exceptions import InputError
from engine.model import TaskExecution, WorkflowModel
from engine.planning import since_restart
from engine.records import read_progress
from engine.state import State
from engine.store.logs import forget_logs
from engine.store.table import DocumentTable

if TYPE_CHECKING:
    from engine.store.store import Store

_PAGE = 25
"""How many documents are read at once, and at most removed in one transaction: for so long, other writers wait."""
_PAUSE = 0.001
"""Seconds after such a transaction: who asked for the next at once would overtake the writers that wait."""


@dataclass(frozen=True)
class Pruned:
    """How much was removed: documents of each table, `executions` of the entries that stay, and bytes of the file."""

    entries: int
    executions: int
    errors: int
    runs: int
    actions: int
    bytes_freed: int


def prune(
    store: "Store", shrink: Callable[[], int], older_than: timedelta | datetime, keep_last: int, clock: Clock
) -> Pruned:
    """See `Store.prune`. `shrink` gives the file's free pages back to the disk and answers how many bytes they were."""
    if keep_last < 0:
        raise InputError(f"{keep_last} of the newest cannot be kept: keep_last is 0 or more")
    cutoff = _cutoff(older_than, clock())
    pruning = _Pruning(store, cutoff, to_text(cutoff), keep_last)
    removed = {
        "entries": pruning.entries(),
        "executions": pruning.executions(),
        "errors": pruning.errors(),
        "runs": pruning.runs(),
        "actions": pruning.actions(),
    }
    if any(removed.values()):
        _note(store, pruning.before, to_text(clock()))
    return Pruned(**removed, bytes_freed=shrink())


_TABLE = "pruning"


def last_pruning(store: "Store") -> Mapping[str, Any] | None:
    """When something was pruned last (`when`), and what is missing since: what was finished `before`, the latest moment
    that any pruning has reached. None if nothing was."""
    return next(iter(store.db.table(_TABLE).all()), None)


def _note(store: "Store", before: str, when: str) -> None:
    with store.transaction():
        known = last_pruning(store)
        reached = max(before, known["before"]) if known else before
        store.db.table(_TABLE).truncate()
        store.db.table(_TABLE).insert({"before": reached, "when": when})


def lasting(entry: WorkflowModel, cutoff: datetime, keep_last: int) -> list[int]:
    """Which of an entry's executions stay, by their places in it: see `Store.prune`."""
    executions = entry.executions or []
    kept = {
        id(attempt)
        for name in {execution.name for execution in executions}
        for attempt in _lasting_attempts(entry, name, keep_last)
    }
    return [
        place
        for place, execution in enumerate(executions)
        if id(execution) in kept or execution.finished_at is None or execution.finished_at >= cutoff
    ]


def _lasting_attempts(entry: WorkflowModel, task: str, keep_last: int) -> Iterator[TaskExecution]:
    """Those attempts of a task that stay however old they are."""
    attempts = entry.get_execution(task)
    yield from attempts[: max(1, keep_last)]
    # A task may have been processed and then repeated without success: `has_processed` is to answer as before.
    yield from islice((attempt for attempt in attempts if attempt.processed), 1)
    if entry.finished is None:
        # With the restart itself, so that none before it is counted.
        counted = attempts[: since_restart(attempts) + 1]
        # One that does not count may follow one that does, and the next one counts them all.
        if any(attempt.status and attempt.status.counts_attempts for attempt in counted):
            yield from counted


@dataclass(frozen=True)
class _Pruning:
    """One pruning of a store. What was read outside a transaction is looked at again in it: others write meanwhile."""

    store: "Store"
    cutoff: datetime
    before: str
    keep_last: int

    def entries(self) -> int:
        finished: QueryInstance = where("state").one_of([State.FINISHED, State.CANCELLED])

        def is_old(entry: Mapping[str, Any]) -> bool:
            is_finished = entry.get("state") in (State.FINISHED, State.CANCELLED)
            return is_finished and str(entry.get("updated")) < self.before and not self._is_held(entry)

        return sum(
            self._remove(
                self.store.entries,
                self._old(self.store.entries, finished & (where("processor") == processor), "updated", self.keep_last),
                is_old,
            )
            for processor in self.store.entries.counts("processor", finished)
        )

    def executions(self) -> int:
        dropped = 0
        for page in _pages(self.store.entries.ids()):
            for entry in self.store.entries.get(doc_ids=page):
                if places := self._lasting(entry):
                    dropped += self._drop(entry, places)
        return dropped

    def _drop(self, seen: Document, places: list[int]) -> int:
        """Drop all other executions of an entry, in a transaction of its own, since there may be thousands of them."""
        dropped = 0

        def drop(entry: MutableMapping[str, Any]) -> None:
            nonlocal dropped
            # Another that has written on it since will have it looked at again by the next pruning.
            if entry == seen and not self._is_held(entry):
                dropped = len(seen["executions"]) - len(places)
                kept = entry["executions"] = [seen["executions"][place] for place in places]
                attempts = {(each["name"], each["run_count"]) for each in kept}
                forget_logs(self.store, entry, lambda log: (log["task"], log["attempt"]) not in attempts)

        self.store.entries.update(drop, doc_ids=[seen.doc_id])
        return dropped

    def errors(self) -> int:
        removed = 0
        timed: QueryInstance = where("time") != None  # noqa: E711 - a query, not a test
        for page in _pages(self._old(self.store.errors, timed, "time", self.keep_last)):
            with self._turn():
                records = self.store.errors.get(doc_ids=page)
                keys = [str(record.get("key")) for record in records]
                entries = self.store.entries.search(where("key").one_of(keys))
                # The error of a task that has just failed is recorded before its execution names it.
                held = {entry["key"] for entry in entries if self._is_held(entry)}
                named = {error_id for entry in entries for error_id in _error_ids(entry)}
                unnamed = [
                    record.doc_id
                    for key, record in zip(keys, records, strict=True)
                    if key not in held and str(record.get("error_id")) not in named
                ]
                removed += len(self.store.errors.remove(doc_ids=unnamed))
        return removed

    def runs(self) -> int:
        def is_old(run: Mapping[str, Any]) -> bool:
            if not run.get("ended") and self._is_held(run):
                return False
            return str(run.get("ended") or run.get("updated")) < self.before

        return sum(
            self._remove(
                self.store.runs,
                # A restart starts its worker as the newest run was started.
                self._old(self.store.runs, where("processor") == processor, "started", max(1, self.keep_last)),
                is_old,
            )
            for processor in self.store.runs.counts("processor")
        )

    def actions(self) -> int:
        closed: QueryInstance = where("open") == False  # noqa: E712 - a query, not a test
        removed = 0
        for number in self._old(self.store.actions, closed, "when", self.keep_last):
            of_it: QueryInstance = where("action") == number
            if self.store.verdicts.count(of_it & (where("verdict") == "waiting")):
                continue
            for page in _pages(self.store.verdicts.ids(of_it)):
                with self._turn():
                    self.store.verdicts.remove(doc_ids=page)
            with self._turn():
                removed += len(self.store.actions.remove(doc_ids=[number]))
        return removed

    def _old(self, table: DocumentTable, kind: QueryInstance, moment: str, keep: int) -> Iterator[int]:
        """The numbers of the documents of a kind from before the cutoff, oldest first, the newest `keep` left out."""
        newest = set(table.ids(kind, order_by=moment, reverse=True, limit=keep))
        old = table.ids(kind & (where(moment) < self.before), order_by=moment)
        return (number for number in old if number not in newest)

    def _remove(self, table: DocumentTable, numbers: Iterable[int], is_old: Callable[[Mapping[str, Any]], bool]) -> int:
        removed = 0
        for page in _pages(numbers):
            with self._turn():
                old = [document for document in table.get(doc_ids=page) if is_old(document)]
                for entry in old if table is self.store.entries else ():
                    forget_logs(self.store, entry)
                removed += len(table.remove(doc_ids=[document.doc_id for document in old]))
        return removed

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """A transaction, and others' time after it."""
        with self.store.transaction():
            yield
        time.sleep(_PAUSE)

    def _lasting(self, entry: Mapping[str, Any]) -> list[int]:
        """Which executions of a stored entry stay; empty if it is left as it is."""
        executions = entry.get("executions") or ()
        if len(executions) <= max(1, self.keep_last) or self._is_held(entry):
            return []
        progress = _progress(entry)
        places = lasting(progress, self.cutoff, self.keep_last) if progress else []
        return places if len(places) < len(executions) else []

    def _is_held(self, document: Mapping[str, Any]) -> bool:
        owner = document.get("owner")
        return isinstance(owner, str) and self.store.is_alive(owner)


def _cutoff(older_than: timedelta | datetime, now: datetime) -> datetime:
    try:
        cutoff = now - older_than if isinstance(older_than, timedelta) else as_utc(older_than)
    except OverflowError as error:
        raise InputError(f"older_than ({older_than}) lies before the calendar begins: give a later moment") from error
    if cutoff > now:
        raise InputError(f"older_than lies in the future ({local_time(cutoff)}): give a moment that has passed")
    return cutoff


def _progress(entry: Mapping[str, Any]) -> WorkflowModel | None:
    """The progress of a stored entry; None if it is none that a run has written."""
    try:
        return read_progress(entry)
    except (KeyError, ValidationError):
        return None


def _error_ids(entry: Mapping[str, Any]) -> Iterator[str]:
    yield str(entry.get("error_id"))
    progress = _progress(entry)
    yield from (str(attempt.error_id) for attempt in (progress and progress.executions) or [])


def _pages(numbers: Iterable[int]) -> Iterator[list[int]]:
    waiting = iter(numbers)
    while page := list(islice(waiting, _PAGE)):
        yield page
