"""A workflow engine: runs entries through tasks, from a script, with no terminal and no server.

The map: `model` (entries and executions), `status` (outcomes and repeat policies), `due_date`, `task`, `processor` and
`stored` (workflows, with one's own storage or with a `Store`), `planning` (what happens next, and why: pure), `run` and
`runner` (do it), `journal` and `store_journal` (what a run
writes down), `errors` (exceptions as records), `statistics`, `records` (entries
in the store), `operations` (the operator's verbs), `pausing` (which processors start no
task), `worker` (does what operators asked for), `store` (TinyDB shared by
processes), `cli` (`wfe`), `demo` (an example on real input).
"""

import logging

from engine.attempt import Attempt, current_attempt
from engine.exceptions import EngineError, EntryError, InputError, StoreConflict, StoreError, WorkflowError
from engine.journal import RunResult
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

logging.getLogger("engine").addHandler(logging.NullHandler())
