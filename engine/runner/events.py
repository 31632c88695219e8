"""What happens in a run, told to everybody who wants to know: the log, the processor's own hooks, telemetry.

Each change of state is one event, which all of them are told, in one order:

| event | told when | hook | log |
| --- | --- | --- | --- |
| `run_started` | a run begins | `on_run_start` | info |
| `entry_started` | an entry is taken up | `on_entry_start` | debug |
| `task_started` | the start of an execution is recorded | `on_task_start` | debug |
| `error_happened` | an exception that nobody expected; of a task, just before its execution ends | `on_error` | error |
| `task_finished` | an execution has ended, and is recorded | `on_task_finish` | info |
| `entry_finished` | the run is through with an entry | `on_entry_finish` | info |
| `entry_refused` | an entry could not be accepted | `on_refusal` | error |
| `run_finished` | a run is over | `on_run_finish` | info |

Whoever listens cannot break the work: what a listener raises is logged, and the run goes on.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from engine.errors import one_line
from engine.identity import entry_key, processor_name
from engine.journal.base import RunResult
from engine.model import WorkflowModel
from engine.runner.outcome import Call, Outcome
from engine.state import State

if TYPE_CHECKING:
    from engine.processor import Processor

log = logging.getLogger("engine")


class Listener:
    """Base of those who listen. All methods are called in the run's own thread, in the order in which things happen."""

    def run_started(self, run: RunResult) -> None:
        """A run begins."""

    def run_finished(self, run: RunResult) -> None:
        """A run is over; `run.ending` says how."""

    def entry_started(self, entry: WorkflowModel) -> None:
        """An entry that is eligible is taken up."""

    def entry_finished(self, entry: WorkflowModel, state: State) -> None:
        """The run is through with an entry, which it leaves in this state; *running* is one that another has taken from
        it. What was lost before it was taken up has had no `entry_started`."""

    def entry_refused(self, sentence: str) -> None:
        """An entry could not be accepted, as this sentence says."""

    def task_started(self, entry: WorkflowModel, call: Call) -> None:
        """An execution begins, and that is recorded. Of those that travel to a worker in one batch it is known, and
        told, when they have ended. One that no worker has begun yet when the run is broken off has no end."""

    def task_finished(self, entry: WorkflowModel, call: Call, outcome: Outcome) -> None:
        """An execution has ended, and is recorded."""

    def error_happened(
        self, record: dict[str, Any], exception: BaseException | None, entry: WorkflowModel | None
    ) -> None:
        """An unexpected exception: its record (see `engine.errors`), itself where it was raised in this process, and
        the entry that it belongs to, if it is one's."""

    def listens_to(self, event: str) -> bool:
        """Whether it is told of an event (by the name of its method) at all: who is not costs nothing."""
        return getattr(type(self), event) is not getattr(Listener, event)

    def called_for(self, event: str) -> str:
        """What the log calls it, if it raises then."""
        return f"{type(self).__name__}.{event}"


class Events:
    """Tells the log, the hooks of a processor, and who else listens to its runs, what happens.

    `listeners` are those that listen to every run that begins from then on.

    Args:
        processor: whose runs they are.
    """

    def __init__(self, processor: "Processor") -> None:
        self.listeners: list[Listener] = []
        self._processor = processor
        self._log, self._hooks = _Log(), _Hooks(processor)
        self.begin()

    def begin(self, *others: Listener | None, hooks: bool = True) -> None:
        """A run is about to begin, to which others may listen as well; without `hooks`, those of the processor are not
        called."""
        own = [self._log, self._hooks] if hooks else [self._log]
        listeners = [*own, *self.listeners, *(other for other in others if other)]

        def of(event: str) -> Tell:
            return _teller(
                [(getattr(each, event), each.called_for(event)) for each in listeners if each.listens_to(event)]
            )

        self.run_started: Tell = of("run_started")
        self.run_finished: Tell = of("run_finished")
        self.entry_started: Tell = of("entry_started")
        self.entry_finished: Tell = of("entry_finished")
        self.entry_refused: Tell = of("entry_refused")
        self.task_started: Tell = of("task_started")
        self.task_finished: Tell = of("task_finished")
        self.error_happened: Tell = of("error_happened")
        observer = self._processor.observer
        self.progressed: Tell = _teller([(observer, "the observer of the run")] if observer is not None else [])


Tell = Callable[..., None]


def _teller(listening: Sequence[tuple[Tell, str]]) -> Tell:
    """Calls all of these, each of which has a name; what one raises is logged, and the others are called all the same.

    A KeyboardInterrupt is no failure of who listens, but the word of who watches: it goes on when all were called, and
    ends the run as it does anywhere else.
    """
    if not listening:
        return _nobody

    def tell(*what: Any) -> None:
        interrupt: KeyboardInterrupt | None = None
        for call, name in listening:
            try:
                call(*what)
            except KeyboardInterrupt as error:
                interrupt = error
            except BaseException as error:
                with suppress(Exception):  # a log that cannot be written is no reason, either
                    log.error("%s raised %s: the run goes on", name, one_line(error), exc_info=error)
        if interrupt is not None:
            raise interrupt

    return tell


def _nobody(*what: Any) -> None:
    pass


class _Hooks(Listener):
    """The methods of the processor that a user may override."""

    def __init__(self, processor: "Processor") -> None:
        self._processor = processor

    def run_started(self, run: RunResult) -> None:
        self._processor.on_run_start(run)

    def run_finished(self, run: RunResult) -> None:
        self._processor.on_run_finish(run)

    def entry_started(self, entry: WorkflowModel) -> None:
        self._processor.on_entry_start(entry)

    def entry_finished(self, entry: WorkflowModel, state: State) -> None:
        self._processor.on_entry_finish(entry, state)

    def entry_refused(self, sentence: str) -> None:
        self._processor.on_refusal(sentence)

    def task_started(self, entry: WorkflowModel, call: Call) -> None:
        self._processor.on_task_start(entry, call.execution)

    def task_finished(self, entry: WorkflowModel, call: Call, outcome: Outcome) -> None:
        self._processor.on_task_finish(entry, call.execution)

    def error_happened(
        self, record: dict[str, Any], exception: BaseException | None, entry: WorkflowModel | None
    ) -> None:
        self._processor.on_error(record)

    def listens_to(self, event: str) -> bool:
        hook = getattr(self._processor, _HOOKS[event])
        return getattr(hook, "__module__", None) != "engine.processor"

    def called_for(self, event: str) -> str:
        return f"the hook {_HOOKS[event]} of {processor_name(type(self._processor))}"


_HOOKS = {
    "run_started": "on_run_start", "run_finished": "on_run_finish", "entry_started": "on_entry_start",
    "entry_finished": "on_entry_finish", "entry_refused": "on_refusal", "task_started": "on_task_start",
    "task_finished": "on_task_finish", "error_happened": "on_error",
}  # fmt: skip


class _Log(Listener):
    """Log lines, with what they are about as fields of their records: run, entry, task, attempt, error_id."""

    def __init__(self) -> None:
        self._run: int | None = None

    def run_started(self, run: RunResult) -> None:
        self._run = run.number
        log.info("run %s begins", run.number, extra=self._about())

    def run_finished(self, run: RunResult) -> None:
        log.info("run %s %s: %d entries considered, %d failed", run.number, run.ending, run.considered, run.failed,
                 extra=self._about())  # fmt: skip

    def entry_started(self, entry: WorkflowModel) -> None:
        key = entry_key(entry)
        log.debug("entry '%s' is taken up", key, extra=self._about(entry=key))

    def entry_finished(self, entry: WorkflowModel, state: State) -> None:
        key = entry_key(entry)
        log.info("entry '%s' is left %s", key, state, extra=self._about(entry=key))

    def entry_refused(self, sentence: str) -> None:
        log.error("refused: %s", sentence, extra=self._about())

    def task_started(self, entry: WorkflowModel, call: Call) -> None:
        key, number = entry_key(entry), call.execution.run_count
        log.debug("task '%s' of entry '%s' begins, attempt %s", call.name, key, number,
                  extra=self._about(entry=key, task=call.name, attempt=number))  # fmt: skip

    def task_finished(self, entry: WorkflowModel, call: Call, outcome: Outcome) -> None:
        key, number = entry_key(entry), call.execution.run_count
        error_id = str(outcome.error_id) if outcome.error_id else None
        said = outcome.error or (outcome.status.message if outcome.status else None)
        log.info("task '%s' of entry '%s' %s%s", call.name, key, outcome.end, f": {said}" if said else "",
                 extra=self._about(entry=key, task=call.name, attempt=number, error_id=error_id))  # fmt: skip

    def error_happened(
        self, record: dict[str, Any], exception: BaseException | None, entry: WorkflowModel | None
    ) -> None:
        key, task, error_id = record["key"], record["task"], record["error_id"]
        about = self._about(entry=key, task=task, attempt=record.get("attempt"), error_id=error_id)
        info = _markdown_info(entry) if entry is not None else ""
        text = info if exception is not None else f"{info}\n{record['text']}"
        log.error("Failed '%s' of entry '%s' with error id: '%s'\n%s", task or record.get("where"), key, error_id, text,
                  exc_info=exception, extra=about)  # fmt: skip

    def listens_to(self, event: str) -> bool:
        return log.isEnabledFor(_LEVELS.get(event, logging.INFO))

    def _about(self, **fields: Any) -> dict[str, Any]:
        return {"run": self._run, "entry": None, "task": None, "attempt": None, "error_id": None, **fields}


_LEVELS = {
    "entry_started": logging.DEBUG, "task_started": logging.DEBUG, "entry_refused": logging.ERROR,
    "error_happened": logging.ERROR,
}  # fmt: skip


def _markdown_info(entry: WorkflowModel) -> str:
    """What the entry says of itself; if that raises, too, the log says so and the run goes on."""
    try:
        return entry.get_markdown_info()
    except Exception as error:
        return f"(get_markdown_info raised {one_line(error)})"
