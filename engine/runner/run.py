"""One run: a processor's entries, each considered once. What goes wrong with one entry costs that entry alone."""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence, Sized
from contextlib import nullcontext, suppress
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from engine.errors import error_record, one_line
from engine.exceptions import ClaimLost, EntryError, StoreError, WorkflowError
from engine.executors.batch import Executor
from engine.identity import entry_key, processor_name, task_names
from engine.journal.base import SILENT, Ending, Failure, RunResult
from engine.model import WorkflowModel
from engine.runner.capture import capturing
from engine.runner.crew import Crew
from engine.runner.flight import Flight, standing
from engine.runner.telemetry import telemetry
from engine.state import State
from engine.wishes import Wish

if TYPE_CHECKING:
    from engine.processor import Processor

log = logging.getLogger("engine")

FATAL = (WorkflowError, StoreError)
"""What is wrong for every entry alike, and so ends the run."""

_LEAST, _MOST = 0.05, 0.2
"""Seconds that a group of entries should take which is claimed at once: so long, no other run has a share in it."""


class Run:
    """One pass of a processor over its entries; see `Processor.process_entries`.

    Args:
        executor: carries the executions out; None: this run itself, one after the other.
    """

    def __init__(
        self,
        processor: "Processor",
        selections: Iterable[Any] | None,
        limit: int | None,
        dry_run: bool,
        executor: Executor | None = None,
    ) -> None:
        self.processor = processor
        self.selections = selections
        self.limit = limit
        self.dry_run = dry_run
        self.executor = executor
        self.journal = SILENT if dry_run else processor.journal
        self.result = RunResult()
        self.wanted = 1
        """How many of the entries that come next are claimed at once."""
        self._eligible = 0
        self._is_told = False
        """That it began: then, that it is over is told as well."""

    def execute(self) -> RunResult:
        """Consider every entry, close the processor, and say what was done."""
        self.result.ending = Ending.CRASHED
        try:
            self.processor.events.begin(telemetry(self.processor), hooks=not self.dry_run)
            self.journal.start_run(self.result)
            self._is_told = True
            self.processor.events.run_started(self.result)
            if self.limit != 0 and self.wish() is None:
                items = self._items()
                self.result.total = len(items) if isinstance(items, Sized) else None
                with capturing() if self.journal.keeps_logs else nullcontext():
                    self._consider_all(items)
                self.journal.settle()
            self.result.ending = Ending.COMPLETED if self.wish() is None else Ending.STOPPED
        except KeyboardInterrupt:
            self.result.ending = Ending.ABORTED
            if not self.processor.stopping.is_over:
                raise
        except FATAL:
            raise
        except (Exception, SystemExit) as error:
            self._say_where(error, "the run")
            raise
        finally:
            try:
                with self.processor.stopping.shield():
                    self.journal.end_run(self.result)
            finally:
                self._close()
        return self.result

    def wish(self) -> Wish | None:
        """What it is to do but for going on: somebody asked it to stop, or to take nothing new."""
        return Wish.STOP if self.processor.stopping.is_asked else self.journal.wish()

    def take_up(self, entry: WorkflowModel) -> Flight | None:
        """Consider an entry: claimed and on its way, or None when this run has nothing to do with it."""
        try:
            if self._is_taken(entry):
                return Flight(self.processor, entry, self.journal, self.dry_run)
        except BaseException as error:
            self.lose(error, entry)
        return None

    def land(self, entry: WorkflowModel, names: Sequence[str]) -> None:
        """An entry goes no further in this run: count it by the state it is left in, and give it up."""
        state, failure = standing(entry, names, self.processor.moment)
        self.journal.release(entry)
        self._leave(entry, state, failure)

    def lose(self, error: BaseException, entry: WorkflowModel | None, where: str = "the entry") -> None:
        """An exception outside any task costs the entry that it belongs to.

        Raises:
            the same: if it is no entry's, but ends the run.
        """
        if isinstance(error, (*FATAL, KeyboardInterrupt)):
            raise error
        if isinstance(error, ClaimLost) and entry is not None:
            self.processor.statistic_increment("process", "running_elsewhere")
            self._leave(entry, State.RUNNING, None)
            return
        error_id = self._report(error, where, entry)
        self.processor.statistic_increment("process", "failed")
        failure = Failure(
            entry_key(entry) if entry is not None else None, State.FAILED, None, one_line(error), error_id
        )
        if entry is None:
            self.result.leave(State.FAILED, failure)
            return
        self._leave(entry, State.FAILED, failure)
        self.journal.lose(entry, failure)

    def progress(self) -> None:
        """Show how far the run is."""
        self.journal.progress(self.result)
        self.processor.events.progressed(self.result)

    def _items(self) -> Iterable[Any]:
        if self.selections is not None:
            return self.processor.find_selections(self.selections)
        with self.processor.get_time_statistic("get_default_entries"):
            return self.processor.get_default_entries()

    def _consider_all(self, items: Iterable[Any]) -> None:
        entries = self._entries(items)
        if self.executor is not None:
            Crew(self, self.executor).carry(entries)
            return
        for entry in entries:
            self._consider(entry)
            self.progress()
            if self.is_full or self.wish() is not None:
                return

    @property
    def is_full(self) -> bool:
        """Whether it has as many entries as it may have."""
        return self._eligible == self.limit

    def _consider(self, entry: WorkflowModel) -> None:
        try:
            if self._is_taken(entry):
                try:
                    with self.processor.get_time_statistic("process_tasks"):
                        self.processor.process_tasks(entry, self.dry_run)
                except KeyboardInterrupt:
                    self._leave_as_it_is(entry)
                    raise
                self.land(entry, () if entry.finished else task_names(self.processor.get_tasks()))
        except BaseException as error:
            self.lose(error, entry)

    def _is_taken(self, entry: WorkflowModel) -> bool:
        """Whether an entry is eligible, and claimed; else it is counted."""
        if entry.halt is not None or not self.processor.filter(entry):
            return self._is_left(entry)
        if not self.journal.holds(entry):
            self.journal.claim([entry])
            if not self.journal.holds(entry):
                self.processor.statistic_increment("process", "running_elsewhere")
                self.result.leave(State.RUNNING)
                return False
            if entry.halt is not None:  # since it was read
                return self._is_left(entry)
        self._eligible += 1
        self.processor.statistic_increment("process", "eligible")
        self.processor.events.entry_started(entry)
        return True

    def _is_left(self, entry: WorkflowModel) -> bool:
        """Count an entry that is not for this run; False."""
        state = State.FINISHED if entry.finished else State.WAITING
        if entry.halt is not None and not entry.finished:
            state = State.CANCELLED if entry.halt.is_cancelled else State.HELD
        self.processor.statistic_increment("process", "not_eligible")
        self.result.leave(state)
        self.journal.release(entry)
        return False

    def _entries(self, items: Iterable[Any]) -> Iterator[WorkflowModel]:
        """The entries that can be accepted, read a bounded number ahead and claimed in groups."""
        waiting = iter(items)
        while batch := list(islice(waiting, self.journal.look_ahead)):
            read = [entry for item in batch if (entry := self._read(item)) is not None]
            if self.dry_run:
                read = [entry.model_copy(deep=True) for entry in read]
            announced = self.journal.announce(read, self.wanted)
            at, began = self.wanted, time.monotonic()
            for number, (entry, refusal) in enumerate(announced):
                if number == at:
                    self._adapt(time.monotonic() - began)
                    at, began = number + self.wanted, time.monotonic()
                    group = [
                        each for each, refused in announced[number:at] if not (refused or each.finished or each.halt)
                    ]
                    self.journal.claim(group)
                if refusal is None:
                    yield entry
                else:
                    self._refuse(refusal)
            if len(announced) >= at:
                self._adapt(time.monotonic() - began)

    def _adapt(self, seconds: float) -> None:
        """Claim more at once while that is through in a moment, fewer when it takes long."""
        if self.executor is not None:
            return  # the crew says how many it can use
        if seconds < _LEAST:
            self.wanted = min(2 * self.wanted, self.journal.look_ahead)
        elif seconds > _MOST:
            self.wanted = max(self.wanted // 2, 1)

    def _read(self, item: Any) -> WorkflowModel | None:
        """One entry of the run; None when it is left out, or could not be read."""
        parse = self.processor.parse_default if self.selections is None else self.processor.get_entry
        try:
            return parse(item)
        except EntryError as refusal:
            self._refuse(refusal)
        except BaseException as error:
            self.lose(error, None, f"get_entry({item!r:.80})")
            self.progress()
        return None

    def _leave(self, entry: WorkflowModel, state: State, failure: Failure | None) -> None:
        self.result.leave(state, failure)
        self.processor.events.entry_finished(entry, state)

    def _leave_as_it_is(self, entry: WorkflowModel) -> None:
        """The run is broken off inside an entry."""
        with self.processor.stopping.shield(), suppress(Exception):
            self._leave(entry, *standing(entry, task_names(self.processor.get_tasks()), self.processor.moment))

    def _refuse(self, refusal: EntryError) -> None:
        self.processor.statistic_increment("process", "refused")
        self.result.refuse(str(refusal))
        self.processor.events.entry_refused(str(refusal))
        self.progress()

    def _report(self, error: BaseException, where: str, entry: WorkflowModel | None = None) -> str:
        """Give an exception outside the tasks its id, and tell of it; the id."""
        error_id = uuid4()
        key, name = entry_key(entry) if entry is not None else None, processor_name(type(self.processor))
        record = error_record(
            error, error_id, task=None, key=key, processor=name, at=self.processor.clock(),
            keep_locals=self.processor.keep_locals,
        )  # fmt: skip
        self.journal.error(record)
        self.processor.events.error_happened({**record, "where": where}, error, entry)
        return str(error_id)

    def _say_where(self, error: BaseException, where: str) -> None:
        error_id = self._report(error, where)
        if self.result.number is not None:
            error.add_note(f"`wfe error {error_id}` shows where")

    def _close(self) -> None:
        try:
            self.processor.close()
        except BaseException as error:
            self.result.ending = Ending.CRASHED
            self._say_where(error, "close")
            self.journal.end_badly(self.result)
            raise
        finally:
            if self._is_told:
                self.processor.events.run_finished(self.result)
