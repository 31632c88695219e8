"""A workflow engine: runs entries through tasks, from a script, with no terminal and no server.

The map, from what a user writes to what an operator sees.

* A workflow: `model` (entries, executions), `status` (outcomes, repeat policies), `due_date`, `task`, `attempt` (what a
  task may ask), `processor` and `stored` (with one's own storage, or with a `Store`), `statistics` (of a processor).
  `identity`: what entries and processors are called. `exceptions`: what is raised.
* Where an entry stands: `state`. What happens next to it, and why: `planning`, pure. The one `clock`.
* A run: `runner` carries plans out, on one of the `executors`; `journal` writes down what becomes of them, `records` is
  how an entry is written, `errors` how an exception is, with its `local_values`; `store` is TinyDB, shared by
  processes.
* Who acts: `operations` are the operator's verbs, `verdicts` what became of each entry, `pausing` and `wishes` what is
  wanted of a processor and of a run; a `worker` does what was asked for.
* Who looks: `lookup` and `filter` (the language in which entries are asked for), `groups` (errors by cause), `report`,
  `sharing` (what failing entries have in common), `comparing` (two attempts), `past` (how all stood at a moment).
* From a shell: `cli` (`wfe`), with its `commands`; `loading` and `repeating` read what is typed there, `settings` is
  what a project has set. `text` makes literal what people are shown.
* `demo`: examples on real input. `testing`: what users need to test their own workflows.

Public is what the `__all__` of `engine`, `engine.exceptions`, `engine.executors`, `engine.executors.dask`,
`engine.operations`, `engine.planning`, `engine.store` and `engine.testing` names, and of its classes what has no
underscore: none of it vanishes or changes unsaid. All else may.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.attempt import Attempt, current_attempt
    from engine.exceptions import EngineError, EntryError, InputError, StoreConflict, StoreError, WorkflowError
    from engine.journal.base import RunResult
    from engine.model import TaskExecution, WorkflowModel
    from engine.processor import Processor
    from engine.statistics import TimeBlock
    from engine.status import (
        RepeatAfterCycle,
        RepeatAfterDatetime,
        RepeatAfterTime,
        RepeatWithBackoff,
        Status,
        StatusException,
    )
    from engine.store import Store
    from engine.stored import StoredProcessor
    from engine.task import Task

__all__ = [
    "Attempt",
    "EngineError",
    "EntryError",
    "InputError",
    "Processor",
    "RepeatAfterCycle",
    "RepeatAfterDatetime",
    "RepeatAfterTime",
    "RepeatWithBackoff",
    "RunResult",
    "Status",
    "StatusException",
    "Store",
    "StoreConflict",
    "StoreError",
    "StoredProcessor",
    "Task",
    "TaskExecution",
    "TimeBlock",
    "WorkflowError",
    "WorkflowModel",
    "current_attempt",
]

_HOMES = {
    "attempt": ("Attempt", "current_attempt"),
    "exceptions": ("EngineError", "EntryError", "InputError", "StoreConflict", "StoreError", "WorkflowError"),
    "journal.base": ("RunResult",),
    "model": ("TaskExecution", "WorkflowModel"),
    "processor": ("Processor",),
    "statistics": ("TimeBlock",),
    "status": (
        "RepeatAfterCycle", "RepeatAfterDatetime", "RepeatAfterTime", "RepeatWithBackoff", "Status", "StatusException",
    ),
    "store": ("Store",),
    "stored": ("StoredProcessor",),
    "task": ("Task",),
}  # fmt: skip
"""Where the names are: a module is imported when one of its names is asked for. `wfe ls` needs few of them."""

_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("wfe-tui")
    elif name in _HOME:
        value = getattr(import_module(f"engine.{_HOME[name]}"), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
