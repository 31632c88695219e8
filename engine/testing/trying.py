"""One task on one entry, executed as a run executes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.journal.base import Journal
from engine.model import TaskExecution, WorkflowModel, attempts_so_far
from engine.planning import plan
from engine.processor import Processor
from engine.records import check_entry
from engine.runner.capture import capturing
from engine.runner.flight import next_attempt
from engine.runner.performing import perform
from engine.state import State
from engine.status import Status
from engine.task import Task


@dataclass(frozen=True)
class TaskResult:
    """What became of one execution.

    `state` is where the entry would stand if it had no other task: `finished`, `waiting` (a repeat is not ripe yet),
    `ready` (it is executed again in the next run), `interrupted`, or `failed`; `why` is the reason in words, and `due`
    (UTC) the moment at which the task is executed again by itself, if time alone brings that.

    `status` is what the task returned, or raised in a StatusException. `exception` is what it raised that nobody
    expected, with `error`, its record as `engine.errors` describes it. `entry` is the entry as the task left it,
    `execution` the attempt that it bears now, `changed` the new value of each field that the task has set to another.
    `log` has the messages that the task logged, as far as its loggers let them through.
    """

    state: State
    why: str
    due: datetime | None
    status: Status | None
    exception: BaseException | None
    error: dict[str, Any] | None
    entry: WorkflowModel
    execution: TaskExecution
    changed: dict[str, Any]
    log: tuple[str, ...]


def run_task(
    task: type[Task] | Task, entry: WorkflowModel, *, processor: Processor | None = None, dry_run: bool = False
) -> TaskResult:
    """Execute one task on one entry, here and now, without a store.

    It is executed as a run does it: in time, if it has a timeout (in real seconds), to its end, if it is a coroutine,
    and with `engine.current_attempt()`; another call on the same entry is its next attempt. An entry that could not be
    stored afterwards fails, as it does in a run. A task that is a coroutine needs a test that is none: it gets an event
    loop of its own.

    Args:
        task: its class, or a task that is made already.
        entry: what the task changes is changed on it; with `dry_run`, on a copy of it.
        processor: what the task finds as `self.processor`; its store, if it has one, is not opened by this. None: a
            plain `Processor`, with which tasks can count and time, and nothing else.
        dry_run: what the task is told.

    Returns:
        What became of it. Of what a task raises, KeyboardInterrupt alone comes out of here, as out of a run.

    Example::

        result = run_task(Ship, Order(key="A-2", country="NO"))
        assert result.state == "waiting"
        assert result.due - result.execution.execution_time == timedelta(hours=1)
    """
    step = task if isinstance(task, Task) else task(processor or _Alone())
    made = processor or step.processor
    entry = entry.model_copy(deep=True) if dry_run else entry
    before = entry.model_copy(deep=True)
    name = type(step).__name__
    call = next_attempt(entry, step, attempts_so_far(entry.get_execution(name)), made.clock())
    entry.executions = [*(entry.executions or []), call.execution]
    with capturing():
        outcome = perform(made, call, dry_run)
    outcome.put_on(call.execution)
    planned = plan(entry.model_copy(update={"due_date": None, "finished": None, "halt": None}), [name], made.moment)
    return TaskResult(
        planned.state, planned.why, planned.due, outcome.status, outcome.exception, outcome.record, entry,
        call.execution, _changed(before, entry), tuple(line[-1] for line in outcome.logged.lines) if outcome.logged
        else (),
    )  # fmt: skip


def _changed(before: WorkflowModel, after: WorkflowModel) -> dict[str, Any]:
    old, new = dict(before), dict(after)  # extra fields, too
    return {name: value for name, value in new.items() if name != "executions" and value != old.get(name, _MISSING)}


_MISSING = object()


class _Strict(Journal):
    """Keeps nothing, and takes an entry for what a store could keep."""

    def check(self, entry: WorkflowModel, key: str | None) -> None:
        check_entry(entry, key)


class _Alone(Processor):
    """The processor of a task that is executed without one."""

    journal = _Strict()

    def get_default_entries(self) -> Sequence[WorkflowModel]:
        return ()

    def get_entry(self, selection: Any) -> None:
        return None

    def get_tasks(self) -> Sequence[Task]:
        return ()

    def write_entry(self, entry: WorkflowModel, execution: TaskExecution | None) -> None:
        pass

    def close(self) -> None:
        pass
