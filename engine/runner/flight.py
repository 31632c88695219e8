"""One entry on its way through the tasks of a run: which execution is next, and what becomes of the entry by it."""

import logging
import time
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from engine.identity import entry_key, task_names
from engine.journal.base import Failure, Journal
from engine.model import TaskExecution, WorkflowModel, adopt
from engine.planning import plan, with_repeat
from engine.runner.outcome import Call, End, Outcome
from engine.state import FAILURES, Plan, State, Step, StepKind
from engine.status import RepeatAfterCycle
from engine.task import Task

if TYPE_CHECKING:
    from engine.processor import Processor

log = logging.getLogger("engine")


class Flight:
    """Takes an entry through its plan, one execution at a time: `next`, `begin`, execute it anywhere, `take`.

    Args:
        processor: the workflow.
        entry: what its tasks change is changed on it.
        journal: what is known of the entry in the store.
        dry_run: nothing is written.

    Raises:
        WorkflowError: two tasks have one name.
    """

    def __init__(self, processor: "Processor", entry: WorkflowModel, journal: Journal, dry_run: bool) -> None:
        self.processor = processor
        self.entry = entry
        self.journal = journal
        self.dry_run = dry_run
        self.goes_on = True
        """False once it was interrupted, failed, or came to a task that waits."""
        self.has_begun = False
        """Whether this run has begun an execution of it."""
        self._is_told = False
        tasks = processor.get_tasks()
        self.tasks: dict[str, Task] = dict(zip(task_names(tasks), tasks, strict=True))
        self._steps = list(plan(entry, list(self.tasks), processor.moment).steps)
        self._at = 0
        self._is_all_done = True
        """No task waits, and none is to be repeated: what a plan would say, without one."""

    def next(self) -> Call | None:
        """The next execution that is to be done; None when the entry goes no further in this run."""
        while self.goes_on and self._at < len(self._steps):
            step = self._steps[self._at]
            self._at += 1
            self._is_all_done = self._is_all_done and (step.kind.is_to_do or step.kind is StepKind.DONE)
            if step.kind.is_to_do:
                return self._call(step)
            self.goes_on = self._pass(step)
        if self.goes_on and self.entry.finished is None and self._is_finished():
            self.entry.finished = self.processor.clock()
            self._write(self.entry.executions[-1] if self.entry.executions else None)
        return None

    def begin(self, call: Call) -> None:
        """An execution is about to be started: from now on the entry has it."""
        self.has_begun, self._is_told = True, False
        self.entry.executions = [*(self.entry.executions or []), call.execution]

    def tell_start(self, call: Call) -> None:
        """Its start is recorded: say so, once."""
        self._is_told = True
        self.processor.events.task_started(self.entry, call)

    def withdraw(self, call: Call) -> None:
        """It was not started after all, and may be begun again."""
        self.entry.executions = [each for each in self.entry.executions or [] if each is not call.execution]
        self.journal.withdraw(self.entry)

    def take(self, call: Call, outcome: Outcome) -> None:
        """An execution has ended: bring it on the entry, and write that."""
        if not self._is_told:
            self.tell_start(call)
        execution = call.execution
        if outcome.seconds is not None:
            self.processor.get_time_statistic("process_entry").add(outcome.seconds)
        if outcome.entry is not None:
            adopt(self.entry, outcome.entry)
        outcome.put_on(execution)
        self._count(call, outcome)
        self.journal.count(call.name, outcome)
        self.goes_on = execution.processed
        if not execution.processed or (outcome.status and outcome.status.repeat):
            self._is_all_done = False
        if execution.processed and self._is_through() and self._is_finished():
            self.entry.finished = outcome.ended
        if outcome.record is not None:
            self.journal.error(outcome.record)
        if outcome.logged is not None:
            self.journal.log(self.entry, call, outcome.logged)
        self._write(execution)
        if outcome.record is not None:
            self.journal.flush()
            self.processor.events.error_happened(outcome.record, outcome.exception, self.entry)
        self.processor.events.task_finished(self.entry, call, outcome)

    def _count(self, call: Call, outcome: Outcome) -> None:
        count = self.processor.statistic_increment
        match outcome.end:
            case End.PROCESSED:
                count("tasks", call.name, "processed")
                if outcome.status:
                    count("tasks", call.name, "status_skipped")
            case End.INTERRUPTED:
                count("tasks", call.name, "status_exception")
                if outcome.status and not outcome.status.repeat:
                    count("tasks", call.name, "status_interrupted")
            case End.FAILED | End.DIED:
                count("tasks", call.name, "failed")

    def plan(self) -> Plan:
        """What a run would do with the entry now."""
        return plan(self.entry, list(self.tasks), self.processor.moment)

    def _is_finished(self) -> bool:
        return self._is_all_done or self.plan().state is State.FINISHED

    def _is_through(self) -> bool:
        return not any(step.kind.is_to_do for step in self._steps[self._at :])

    def _call(self, step: Step) -> Call:
        if step.kind is StepKind.REPEAT:
            self.processor.statistic_increment("tasks", step.task, "repeat")
        task, number = self.tasks[step.task], self.journal.number(self.entry)
        return next_attempt(self.entry, task, step.attempts, self.processor.clock(), number)

    def _pass(self, step: Step) -> bool:
        """A task that is not executed in this run; False when the entry goes no further."""
        newest = self.entry.get_execution(step.task)[0] if step.attempts else None
        if newest is None or newest.processed:
            counter = "already_processed"
        elif step.kind is StepKind.IN_DOUBT:
            counter = "already_in_doubt"
        else:
            counter = "already_failed" if newest.error_id else "already_interrupted"
        self.processor.statistic_increment("tasks", step.task, counter)
        key = entry_key(self.entry)
        log.info(
            "task '%s' of entry '%s' is not executed: %s", step.task, key, step.kind,
            extra={"task": step.task, "entry": key},
        )  # fmt: skip
        if newest and step.kind is StepKind.WAIT_CYCLES:
            _count_cycle(newest, with_repeat(self.entry.get_execution(step.task)))
            self._write(newest)
        return not step.blocks

    def _write(self, execution: TaskExecution | None) -> None:
        if not self.dry_run:
            began = time.perf_counter()
            self.processor.write_entry(self.entry, execution)
            self.processor.get_time_statistic("write_entry").add(time.perf_counter() - began)


def next_attempt(entry: WorkflowModel, task: Task, so_far: int, at: datetime, number: int | None = None) -> Call:
    """The next execution of a task on an entry, which does not have it yet.

    Args:
        entry: the entry.
        task: the task.
        so_far: how many attempts there were.
        at: when it begins (aware).
        number: the entry's in the store, if it has one.
    """
    name = type(task).__name__
    before = entry.get_execution(name)[0] if so_far else None
    execution = TaskExecution(
        name=name, run_count=so_far + 1, execution_time=at, running=True, idempotent=task.idempotent
    )
    return Call(entry, execution, task, number, before.error if before else None)


def standing(entry: WorkflowModel, names: Sequence[str], moment: datetime) -> tuple[State, Failure | None]:
    """The state in which a run leaves an entry, and what an operator has to know if that is a failure."""
    if entry.finished is not None:
        return State.FINISHED, None
    planned = plan(entry, names, moment)
    if planned.state not in FAILURES or planned.current is None:
        return planned.state, None
    newest = entry.get_execution(planned.current.task)[0]
    error_id = str(newest.error_id) if newest.error_id else None
    return planned.state, Failure(entry_key(entry), planned.state, planned.current.task, planned.why, error_id)


def _count_cycle(execution: TaskExecution, waiting: TaskExecution) -> None:
    """One more run has considered an execution that waits for runs, by the repeat that counts for it: see
    `with_repeat`. The policy the task handed out stays as it is."""
    if waiting.status and isinstance(waiting.status.repeat, RepeatAfterCycle):
        repeat = waiting.status.repeat
        counted = repeat.model_copy(update={"current_cycle": repeat.current_cycle + 1})
        execution.status = waiting.status.model_copy(update={"repeat": counted})
        execution.repeat_stands = waiting.repeat_stands
