"""A worker that stays: it does what operators ask for and what becomes due, and makes a run every so often.

It looks ten times a second whether anything was written into the store, which costs one small query. Only then, or when
the next due moment has come, it asks what there is to do.
"""

import logging
import math
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from tinydb import where
from tinydb.queries import QueryInstance

from engine.clock import from_text, to_text
from engine.errors import one_line
from engine.exceptions import StoreError, StoreLost, WorkflowError
from engine.executors import Executor
from engine.journal.base import Ending
from engine.pausing import pause_of
from engine.state import State
from engine.store import Store
from engine.stored import StoredProcessor
from engine.worker.actions import each_action

log = logging.getLogger("engine")

TICK = 0.1
"""Seconds between two looks whether anything was written."""

LOOK_ANYWAY = 10.0
"""Seconds after which it is asked what there is to do although nothing was written: another worker may have died."""

LONGEST_PATIENCE = 60.0
"""Seconds between two attempts, at most, while the store cannot be used or a run crashes; the first is one."""


class Worker:
    """Works on one processor until its `stopping` is asked for.

    Args:
        processor: its one instance serves for every run.
        open_store: opens the store; it is called again, and the processor given the new one, after each trouble, so
            that whatever was under way is recovered as that of a process that died.
        every: how long from the start of one run over the default entries to the next, the first at once; None: no such
            run, only actions and what is or becomes due.
        executor: where the executions are carried out; see `Processor.process_entries`.
    """

    def __init__(
        self,
        processor: StoredProcessor,
        open_store: Callable[[], Store],
        *,
        every: timedelta | None = None,
        executor: Executor | str | None = None,
    ) -> None:
        self.processor = processor
        self._open_store = open_store
        self._every = every.total_seconds() if every else math.inf
        self._next_run = time.monotonic() if every else math.inf
        self._next_due: datetime | None = None
        self._in_vain: dict[int, str] = {}
        self._executor = executor
        self._patience = 1.0
        self._is_paused = False

    def work(self) -> None:
        """Work until it is asked to stop.

        Raises:
            StoreLost: the store was removed, replaced or damaged.
            WorkflowError: the workflow is wrong for every entry alike.
        """
        stopping = self.processor.stopping
        log.info("works on %s", self.processor.name)
        while not stopping.is_asked:
            try:
                with self._open_store() as store:
                    self.processor.use(store)
                    self._work_on(store)
            except (StoreLost, WorkflowError):
                raise
            except StoreError as error:
                log.warning("%s; next attempt in %g s", error, self._patience)
            except (Exception, SystemExit) as error:
                log.error("a run crashed: %s; next attempt in %g s", one_line(error), self._patience)
            else:
                return
            stopping.wait(self._patience)
            self._patience = min(2 * self._patience, LONGEST_PATIENCE)

    def _work_on(self, store: Store) -> None:
        seen, looked = -1, -math.inf
        while not self.processor.stopping.is_asked:
            seq, now = store.seq(), time.monotonic()
            if seq != seen or now - looked >= LOOK_ANYWAY or self._has_come(now):
                seen, looked = seq, now  # what is written from now on is seen next
                self._do_what_there_is(store)
                self._patience = 1.0
            self.processor.stopping.wait(TICK)

    def _has_come(self, now: float) -> bool:
        """Whether something is to be done although nothing was written."""
        is_due = self._next_due is not None and self.processor.moment >= self._next_due
        return not self._is_paused and (now >= self._next_run or is_due)

    def _do_what_there_is(self, store: Store) -> None:
        if self._look_whether_paused(store):
            return
        if not all(result.ending is Ending.COMPLETED for result in each_action(self.processor, self._executor)):
            return
        began = time.monotonic()
        if began >= self._next_run:
            self._next_run = began + self._every
            if self.processor.process_entries(executor=self._executor).ending is not Ending.COMPLETED:
                self._next_run = began  # it is made when it may be
                return
        self._do_what_is_due(store)

    def _look_whether_paused(self, store: Store) -> bool:
        pause = pause_of(store, self.processor.name)
        if pause is not None and not self._is_paused:
            log.info("%s is %s", self.processor.name, pause.words(self.processor.clock()))
        elif pause is None and self._is_paused:
            log.info("%s is resumed", self.processor.name)
        self._is_paused = pause is not None
        return self._is_paused

    def _do_what_is_due(self, store: Store) -> None:
        """Run the entries that are due, and find out when the next one is."""
        before = self._due(store)
        to_do = [key for number, (key, due) in before.items() if self._in_vain.get(number) != due]
        if to_do:
            if self.processor.process_entries(to_do, executor=self._executor).ending is not Ending.COMPLETED:
                return
            # What the workflow's filter refuses, or another process holds, is due as before: not tried for ever.
            after = self._due(store)
            self._in_vain = {
                number: due for number, (_, due) in after.items() if before.get(number, ("", ""))[1] == due
            }
        later = self._waiting() & (where("due") > to_text(self.processor.moment))
        first = store.entries.get(doc_ids=store.entries.ids(later, order_by="due", limit=1))
        self._next_due = from_text(first[0]["due"]) if first else None

    def _due(self, store: Store) -> dict[int, tuple[str, str]]:
        """The waiting entries whose moment has come: their keys and due moments, by number."""
        found = store.entries.search(self._waiting() & (where("due") <= to_text(self.processor.moment)))
        return {document.doc_id: (document["key"], document["due"]) for document in found}

    def _waiting(self) -> QueryInstance:
        waiting: QueryInstance = (where("state") == State.WAITING) & (where("processor") == self.processor.name)
        return waiting
