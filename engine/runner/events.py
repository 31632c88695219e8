"""What happens in a run, told to everybody who wants to know: the log, the processor's own hooks, telemetry.

Whoever listens cannot break the work: what a listener raises is logged, and the run goes on.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.errors import one_line
from engine.identity import entry_key
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
        """The run is through with an entry, which it leaves in this state."""

    def task_finished(self, entry: WorkflowModel, call: Call, outcome: Outcome) -> None:
        """An execution has ended, and is recorded."""

    def error_happened(self, record: dict[str, Any], exception: BaseException | None, info: str) -> None:
        """An unexpected exception: its record (see `engine.errors`), itself where it was raised in this process, and
        what the entry says of itself."""


class Events:
    """Tells the log, the hooks of a processor, and who else listens to its run, what happens.

    Args:
        processor: whose runs they are.
    """

    def __init__(self, processor: "Processor") -> None:
        self._log, self._hooks = _Log(), _Hooks(processor)
        self.begin()

    def begin(self, *others: Listener | None, hooks: bool = True) -> None:
        """A run begins, to which others may listen as well; without `hooks`, those of the processor are not called."""
        listeners = [self._log, *((self._hooks,) if hooks else ()), *(other for other in others if other)]

        is_logged = log.isEnabledFor(logging.INFO)

        def of(name: str) -> Tell:
            heard = [each for each in listeners if _listens(each, name)]
            if not is_logged and name in ("entry_finished", "task_finished"):
                heard = [each for each in heard if each is not self._log]
            return _teller([getattr(each, name) for each in heard])

        self.run_started: Tell = of("run_started")
        self.run_finished: Tell = of("run_finished")
        self.entry_started: Tell = of("entry_started")
        self.entry_finished: Tell = of("entry_finished")
        self.task_finished: Tell = of("task_finished")
        self._error_happened: Tell = of("error_happened")

    def error_happened(
        self, record: dict[str, Any], exception: BaseException | None, entry: WorkflowModel | None
    ) -> None:
        self._error_happened(record, exception, _markdown_info(entry) if entry is not None else "")


Tell = Callable[..., None]


def _listens(listener: Listener, name: str) -> bool:
    return name in vars(listener) or getattr(type(listener), name) is not getattr(Listener, name)


def _teller(listening: list[Tell]) -> Tell:
    """Calls all of these; what one raises is logged, and the others are called all the same."""

    def tell(*what: Any) -> None:
        for each in listening:
            try:
                each(*what)
            except Exception as error:
                log.error("a hook raised %s: the run goes on", one_line(error), exc_info=error)

    return tell


class _Hooks(Listener):
    """The methods of the processor that a user may override."""

    def __init__(self, processor: "Processor") -> None:
        self.run_started = processor.on_run_start  # type: ignore[method-assign]
        self.run_finished = processor.on_run_finish  # type: ignore[method-assign]
        self.entry_finished = processor.on_entry_finish  # type: ignore[method-assign]
        self._on_error = processor.on_error

    def error_happened(self, record: dict[str, Any], exception: BaseException | None, info: str) -> None:
        self._on_error(record)


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

    def entry_finished(self, entry: WorkflowModel, state: State) -> None:
        if log.isEnabledFor(logging.INFO):
            key = entry_key(entry)
            log.info("entry '%s' is left %s", key, state, extra=self._about(entry=key))

    def task_finished(self, entry: WorkflowModel, call: Call, outcome: Outcome) -> None:
        if log.isEnabledFor(logging.INFO):
            key, processed, number = entry_key(entry), call.execution.processed, call.execution.run_count
            error_id = str(outcome.error_id) if outcome.error_id else None
            log.info("task '%s' of entry '%s' processed: %s", call.name, key, processed,
                     extra=self._about(entry=key, task=call.name, attempt=number, error_id=error_id))  # fmt: skip

    def error_happened(self, record: dict[str, Any], exception: BaseException | None, info: str) -> None:
        key, task, error_id = record["key"], record["task"], record["error_id"]
        about = self._about(entry=key, task=task, attempt=record.get("attempt"), error_id=error_id)
        text = info if exception is not None else f"{info}\n{record['text']}"
        log.error("Failed '%s' of entry '%s' with error id: '%s'\n%s", task or record.get("where"), key, error_id, text,
                  exc_info=exception, extra=about)  # fmt: skip

    def _about(self, **fields: Any) -> dict[str, Any]:
        return {"run": self._run, "entry": None, "task": None, "attempt": None, "error_id": None, **fields}


def _markdown_info(entry: WorkflowModel) -> str:
    """What the entry says of itself; if that raises, too, the log says so and the run goes on."""
    try:
        return entry.get_markdown_info()
    except Exception as error:
        return f"(get_markdown_info raised {one_line(error)})"
