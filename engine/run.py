"""One run: a processor's entries, each considered once. What goes wrong with one entry costs that entry alone."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sized
from itertools import islice
from typing import TYPE_CHECKING, Any

from engine.errors import one_line
from engine.exceptions import ClaimLost, EntryError, StoreError, WorkflowError
from engine.identity import entry_key, task_names
from engine.journal import FAILURES, SILENT, Ending, Failure, RunResult
from engine.model import WorkflowModel
from engine.planning import State, plan
from engine.runner import record_error

if TYPE_CHECKING:
    from engine.processor import Processor

log = logging.getLogger("engine")

FATAL = (WorkflowError, StoreError)
"""What is wrong for every entry alike, and so ends the run."""


class Run:
    """One pass of a processor over its entries; see `Processor.process_entries`."""

    def __init__(
        self, processor: "Processor", selections: Iterable[Any] | None, limit: int | None, dry_run: bool
    ) -> None:
        self.processor = processor
        self.selections = selections
        self.limit = limit
        self.dry_run = dry_run
        self.journal = SILENT if dry_run else processor.journal
        self.result = RunResult()

    def execute(self) -> RunResult:
        """Consider every entry, close the processor, and say what was done."""
        ending = Ending.FAILED
        try:
            self.journal.start_run(self.result)
            items = self._items()
            self.result.total = len(items) if isinstance(items, Sized) else None
            if self.limit != 0:
                self._consider_all(items)
            ending = Ending.COMPLETED
        except KeyboardInterrupt:
            ending = Ending.STOPPED
            raise
        except FATAL:
            raise
        except (Exception, SystemExit) as error:
            error_id = record_error(self.processor, self.journal, error, where="the run")
            if self.result.number is not None:
                error.add_note(f"`wfe error {error_id}` shows where")
            raise
        finally:
            try:
                self.journal.end_run(self.result, ending)
            finally:
                self.processor.close()
        return self.result

    def _items(self) -> Iterable[Any]:
        if self.selections is not None:
            return self.processor.find_selections(self.selections)
        with self.processor.get_time_statistic("get_default_entries"):
            return self.processor.get_default_entries()

    def _consider_all(self, items: Iterable[Any]) -> None:
        processed = 0
        for entry in self._entries(items):
            processed += self._consider(entry)
            self._progress()
            if processed == self.limit:
                return

    def _entries(self, items: Iterable[Any]) -> Iterator[WorkflowModel]:
        """The entries that can be accepted, read a bounded number ahead."""
        waiting = iter(items)
        while batch := list(islice(waiting, self.journal.look_ahead)):
            read = [entry for item in batch if (entry := self._read(item)) is not None]
            for entry, refusal in self.journal.announce(read):
                if refusal is None:
                    yield entry
                else:
                    self._refuse(refusal)

    def _read(self, item: Any) -> WorkflowModel | None:
        """One entry of the run; None when it is left out, or could not be read."""
        parse = self.processor.parse_default if self.selections is None else self.processor.get_entry
        try:
            return parse(item)
        except FATAL:
            raise
        except EntryError as refusal:
            self._refuse(refusal)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._lose(error, None, f"get_entry({item!r:.80})")
            self._progress()
        return None

    def _consider(self, entry: WorkflowModel) -> bool:
        """Consider one entry; True when it was eligible."""
        claimed = False
        if self.dry_run:
            entry = entry.model_copy(deep=True)
        try:
            if self._is_not_eligible(entry):
                return False
            claimed = self.journal.claim(entry)
            if not claimed:
                self._leave_to_its_owner()
                return False
            self.processor.statistic_increment("process", "eligible")
            with self.processor.get_time_statistic("process_tasks"):
                self.processor.process_tasks(entry, self.dry_run)
            self._leave(entry)
        except FATAL:
            raise
        except ClaimLost as lost:
            claimed = False
            log.warning("%s", lost)
            self._leave_to_its_owner()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            claimed = False
            self._lose(error, entry, "the entry")
        finally:
            if claimed:
                self._give_up(lambda: self.journal.release(entry))
        return True

    def _leave_to_its_owner(self) -> None:
        """Count an entry that another works on."""
        self.processor.statistic_increment("process", "running_elsewhere")
        self.result.leave(State.RUNNING)

    def _give_up(self, give_up: Callable[[], None]) -> None:
        """Give up an entry that is counted; how it stands, its new owner says if it has one by now."""
        try:
            give_up()
        except ClaimLost as lost:
            log.warning("%s", lost)

    def _is_not_eligible(self, entry: WorkflowModel) -> bool:
        if self.processor.filter(entry):
            return False
        self.processor.statistic_increment("process", "not_eligible")
        self.result.leave(State.FINISHED if entry.finished else State.WAITING)
        return True

    def _leave(self, entry: WorkflowModel) -> None:
        """Count an entry by the state it is left in."""
        planned = plan(entry, task_names(self.processor.get_tasks()), self.processor.moment)
        if planned.state in FAILURES and planned.current:
            newest = entry.get_execution(planned.current.task)[0]
            error_id = str(newest.error_id) if newest.error_id else None
            failure = Failure(entry_key(entry), planned.state, planned.current.task, planned.why, error_id)
            self.result.leave(planned.state, failure)
        else:
            self.result.leave(planned.state)

    def _lose(self, error: BaseException, entry: WorkflowModel | None, where: str) -> None:
        """An exception outside any task costs the entry that it belongs to."""
        error_id = str(record_error(self.processor, self.journal, error, entry=entry, where=where))
        self.processor.statistic_increment("process", "failed")
        key = entry_key(entry) if entry is not None else None
        failure = Failure(key, State.FAILED, None, one_line(error), error_id)
        self.result.leave(State.FAILED, failure)
        if entry is not None:
            self._give_up(lambda: self.journal.lose(entry, failure))

    def _refuse(self, refusal: EntryError) -> None:
        log.error("refused: %s", refusal)
        self.processor.statistic_increment("process", "refused")
        self.result.refuse(str(refusal))
        self._progress()

    def _progress(self) -> None:
        self.journal.progress(self.result)
        if self.processor.observer:
            self.processor.observer(self.result)
