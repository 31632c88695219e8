"""Carries out one entry's plan: executes its tasks, records each start and result, stops where it stops."""

import logging
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from engine.errors import error_record, one_line
from engine.exceptions import EngineError
from engine.identity import entry_key, processor_name, task_names
from engine.journal import Journal
from engine.model import TaskExecution, WorkflowModel
from engine.planning import Plan, State, Step, StepKind, plan
from engine.status import RepeatAfterCycle, Status, StatusException
from engine.task import Task

if TYPE_CHECKING:
    from engine.processor import Processor

log = logging.getLogger("engine")


class EntryRunner:
    """Takes entries of one processor through its tasks.

    Args:
        processor: the workflow.
        journal: where starts and errors go.
        dry_run: call the tasks with `dry_run=True` and write nothing.
    """

    def __init__(self, processor: "Processor", journal: Journal, dry_run: bool) -> None:
        self.processor = processor
        self.journal = journal
        self.dry_run = dry_run

    def process(self, entry: WorkflowModel) -> bool:
        """Execute what the entry's plan says; True unless it was interrupted.

        Raises:
            WorkflowError: two tasks have one name.
        """
        tasks = self.processor.get_tasks()
        names = task_names(tasks)
        planned = plan(entry, names, self.processor.moment)
        for task, step in zip(tasks, planned.steps, strict=True):
            goes_on = self._execute(entry, task, step, names) if step.kind.is_to_do else self._leave(entry, step)
            if not goes_on:
                return False
        if entry.finished is None and self._plan(entry, names).state is State.FINISHED:
            entry.finished = self.processor.clock()
            self._write(entry, entry.executions[-1] if entry.executions else None)
        return True

    def _leave(self, entry: WorkflowModel, step: Step) -> bool:
        """A task that is not executed in this run; False when the entry goes no further."""
        newest = entry.get_execution(step.task)[0] if step.attempts else None
        if newest is None or newest.processed:
            counter = "already_processed"
        elif step.kind is StepKind.IN_DOUBT:
            counter = "already_in_doubt"
        else:
            counter = "already_failed" if newest.error_id else "already_interrupted"
        self.processor.statistic_increment("tasks", step.task, counter)
        log.info("task '%s' of entry '%s' is not executed: %s", step.task, entry_key(entry), step.kind)
        if newest and step.kind is StepKind.WAIT_CYCLES:
            _count_cycle(newest)
            self._write(entry, newest)
        return not step.blocks

    def _execute(self, entry: WorkflowModel, task: Task, step: Step, names: list[str]) -> bool:
        """Execute one task; False when it interrupts the entry."""
        count = self.processor.statistic_increment
        if step.kind is StepKind.REPEAT:
            count("tasks", step.task, "repeat")
        execution = entry.new_execution(step.task)
        execution.execution_time = self.processor.clock()
        execution.running = True
        self.journal.start(entry, execution)
        try:
            with self.processor.get_time_statistic("process_entry"):
                execution.status = _checked(task.process_entry(entry, self.dry_run))
            self.journal.check(entry)
            execution.processed = True
            count("tasks", step.task, "processed")
            if execution.status:
                count("tasks", step.task, "status_skipped")
        except StatusException as interruption:
            execution.status = interruption.status.model_copy(deep=True)
            count("tasks", step.task, "status_exception")
            if not interruption.status.repeat:
                count("tasks", step.task, "status_interrupted")
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            execution.error = one_line(error)
            execution.error_id = record_error(self.processor, self.journal, error, entry=entry, task=step.task)
            count("tasks", step.task, "failed")
        execution.running = False
        execution.finished_at = self.processor.clock()
        if execution.processed and self._plan(entry, names).state is State.FINISHED:
            entry.finished = execution.finished_at
        self._write(entry, execution)
        log.info("task '%s' of entry '%s' processed: %s", step.task, entry_key(entry), execution.processed)
        return execution.processed

    def _plan(self, entry: WorkflowModel, names: list[str]) -> Plan:
        return plan(entry, names, self.processor.moment)

    def _write(self, entry: WorkflowModel, execution: TaskExecution | None) -> None:
        if not self.dry_run:
            with self.processor.get_time_statistic("write_entry"):
                self.processor.write_entry(entry, execution)


def record_error(
    processor: "Processor",
    journal: Journal,
    error: BaseException,
    *,
    entry: WorkflowModel | None = None,
    task: str | None = None,
    where: str | None = None,
) -> UUID:
    """Give an unexpected exception its id, and write it to the log and the journal."""
    error_id = uuid4()
    key = entry_key(entry) if entry is not None else None
    info = _markdown_info(entry) if entry is not None else ""
    log.error(
        "Failed '%s' of entry '%s' with error id: '%s'\n%s", task or where, key, error_id, info, exc_info=error,
        extra={"task": task, "entry": key, "error_id": str(error_id)},
    )  # fmt: skip
    name = processor_name(type(processor))
    journal.error(error_record(error, error_id, task=task, key=key, processor=name, at=processor.clock()))
    return error_id


def _checked(status: object) -> Status | None:
    if status is None:
        return None
    if not isinstance(status, Status):
        raise EngineError(
            f"the task returned {status!r:.80}, which is neither None nor a Status: return a Status or nothing"
        )
    return status.model_copy(deep=True)


def _count_cycle(execution: TaskExecution) -> None:
    """One more run has considered an execution that waits for runs; the policy the task handed out stays as it is."""
    if execution.status and isinstance(execution.status.repeat, RepeatAfterCycle):
        repeat = execution.status.repeat
        counted = repeat.model_copy(update={"current_cycle": repeat.current_cycle + 1})
        execution.status = execution.status.model_copy(update={"repeat": counted})


def _markdown_info(entry: WorkflowModel) -> str:
    """What the entry says of itself; if that raises, too, the log says so and the run goes on."""
    try:
        return entry.get_markdown_info()
    except Exception as error:
        return f"(get_markdown_info raised {one_line(error)})"
