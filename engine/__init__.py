"""A workflow engine: runs entries through tasks, from a script, with no terminal and no server.

The map.

* What a user writes with: `model` (entries and executions), `status` (outcomes, repeat policies), `due_date`, `task`,
  `attempt` (what a task may ask), `processor` and `stored` (workflows, with one's own storage or a `Store`).
* What happens next, and why: `planning`, pure.
* A run: `run` (over entries), `flight` (one entry through its tasks), `performing` (one execution), `outcome` (what
  became of it); on an executor `crew`, with the `executors` themselves; `limits`, `stopping`.
* What it writes down: `journal` and `store_journal`, `records` (entries as documents), `errors` (exceptions as
  records), `capture` (what tasks log), `statistics`, `figures` (`durations` and `pace` of a run), `store` (TinyDB
  shared by processes).
* Who watches: `events` (log and hooks), `telemetry`; `lookup`, `filter` (the language in which entries are asked for),
  `groups` (errors by cause), `history` (runs, errors and actions as rows), `acts` (on one entry), `logs` and `typical`
  read; `report` asks what has happened since a moment, `handover` puts it into words; `sharing` contrasts the failing
  with the others, `comparing` two attempts or entries; `past` says what was at a moment, `looking_back` makes a store
  of that.
* Who acts: `operations` (the operator's verbs), `verdicts` (what became of each entry), `pausing` and `wishes` (what is
  wanted of a processor, and of a run), `worker` and `working` (do what operators asked for), `canary` and `trying` (a
  few entries first).
* From a shell: `cli` (`wfe`), with its `commands`.
* `demo`: an example on real input.
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
