"""A processor, run until nothing is due, the clock being turned from one due moment to the next."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from tinydb import where

from engine.exceptions import EngineError, InputError
from engine.identity import entry_key
from engine.journal.base import Ending, RunResult
from engine.lookup.entries import rows
from engine.lookup.rows import EntryRow
from engine.model import WorkflowModel
from engine.runner.events import Listener
from engine.runner.outcome import Call, Outcome
from engine.state import State
from engine.stored import StoredProcessor
from engine.testing.turning import ManualClock
from engine.text import counted
from engine.worker.actions import each_action


@dataclass(frozen=True)
class IdleResult:
    """What was done until a processor was idle, and how that has left the entries.

    `states` has the state of each entry of the processor, by key, and `unfinished` why it is not finished, of each that
    is not. `executed` names the executions in the order in which they ended, as `Ship A-2`. `runs` are the results of
    the runs, and `turned` is how far the clock was turned.
    """

    states: dict[str, State]
    unfinished: dict[str, str]
    executed: list[str]
    runs: list[RunResult]
    turned: timedelta


class NeverIdle(EngineError, AssertionError):  # noqa: N818 - it says what happened
    """A processor does not become idle: something is due again and again, as `sentence` says. `result` is what was done
    until then."""

    def __init__(self, sentence: str, result: IdleResult) -> None:
        super().__init__(sentence)
        self.result = result


def run_until_idle(processor: StoredProcessor, *, most_runs: int = 100) -> IdleResult:
    """Run a processor until nothing is due any more, without waiting: what a worker does in days.

    It does what operators asked for and makes a run over the default entries. Then, again and again, it does what
    operators asked for meanwhile, and runs the entries that are ready, have become due, or wait for runs; where there
    is none, it turns the clock to the next due moment. It ends when there is no such moment, or when the processor is
    paused or asked to stop. Everything is executed here, one entry after the other.

    Args:
        processor: one with a `ManualClock`.
        most_runs: how many runs it makes at most.

    Returns:
        What it did, and how the entries stand.

    Raises:
        InputError: the processor has another clock, or a `consider_date`.
        NeverIdle: there is more to do after `most_runs`: most likely a repeat without `max_reruns`. It is an
            AssertionError, too.

    Example::

        with memory_store() as store:
            result = run_until_idle(Orders(store, clock=ManualClock()))
        assert result.states == {"A-2": "finished"}
        assert result.executed == ["Pack A-2", "Ship A-2", "Ship A-2"]
        assert result.turned == timedelta(hours=1)
    """
    clock = processor.clock
    if not isinstance(clock, ManualClock) or processor.moment != clock():
        name = type(processor).__name__
        raise InputError(f"{name} has no clock that can be turned: make it with clock=ManualClock(), and no date")
    passes, began, runs = _Passes(processor, clock), clock(), list[RunResult]()
    try:
        with _witnessed(processor) as executed:
            for run in islice(passes.each(), most_runs):
                runs.append(run)
            more = passes.left() if not runs or runs[-1].ending is Ending.COMPLETED else []
            found = standing(processor)
    finally:
        processor.release_store()
    states = {row.key: row.state for row in found}
    unfinished = {row.key: passes.why(row) for row in found if row.state is not State.FINISHED}
    result = IdleResult(states, unfinished, executed, runs, clock() - began)
    if more:
        raise NeverIdle(
            f"after {counted(len(runs), 'run')} there is still something to do: {more[0].task} of the entry "
            f"{more[0].key!r}, after {counted(more[0].attempts, 'attempt')} ({passes.why(more[0])}): "
            "give its repeat max_reruns, or allow more runs",
            result,
        )
    return result


def standing(processor: StoredProcessor) -> list[EntryRow]:
    """The entries of a processor as they stand, by key."""
    numbers = processor.store.entries.ids(where("processor") == processor.name, order_by="key")
    return list(rows(processor.store, processor.moment, numbers))


class _Passes:
    """The runs that it takes, one after the other."""

    def __init__(self, processor: StoredProcessor, clock: ManualClock) -> None:
        self.processor = processor
        self.clock = clock
        self._in_vain: set[int] = set()
        """What a run has passed by at this moment: the workflow's filter refuses it, or its data does not fit."""

    def each(self) -> Iterator[RunResult]:
        """Make the next one, until nothing is due."""
        yield from each_action(self.processor, None)
        yield (run := self.processor.process_entries())
        while run.ending is Ending.COMPLETED:
            yield from each_action(self.processor, None)
            if to_do := [row for row in self.left() if row.due is None]:
                before = self._executions(to_do)
                yield (run := self.processor.process_entries([row.key for row in to_do]))
                after = self._executions(to_do)
                self._in_vain |= {number for number, executions in before.items() if after.get(number) == executions}
            elif due := [row.due for row in self.left() if row.due]:
                self.clock.turn_to(min(due))
                self._in_vain.clear()
            else:
                return

    def left(self) -> list[EntryRow]:
        """The entries that are to be executed: now, those that have no due moment; at that, those that have one."""
        found = standing(self.processor)
        return [row for row in found if row.state in (State.READY, State.WAITING) and row.id not in self._in_vain]

    def why(self, row: EntryRow) -> str:
        """Why an entry is not finished."""
        if row.state is State.READY and row.id in self._in_vain:
            return "every run leaves it out"
        return row.reason or str(row.state)

    def _executions(self, of: list[EntryRow]) -> dict[int, Any]:
        found = self.processor.store.entries.get(doc_ids=[row.id for row in of])
        return {document.doc_id: document["executions"] for document in found}


@contextmanager
def _witnessed(processor: StoredProcessor) -> Iterator[list[str]]:
    """What is executed meanwhile."""
    witness = _Witness()
    processor.events.listeners.append(witness)
    try:
        yield witness.executed
    finally:
        processor.events.listeners.remove(witness)


class _Witness(Listener):
    def __init__(self) -> None:
        self.executed: list[str] = []

    def task_finished(self, entry: WorkflowModel, call: Call, outcome: Outcome) -> None:
        self.executed.append(f"{call.name} {entry_key(entry)}")
