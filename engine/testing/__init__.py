"""What users need to test their own workflows: without sleeping, without a file, with any test framework.

* `turning` — a clock that stands until it is turned
* `memory` — a store in memory
* `trying` — one task on one entry
* `idling` — a whole processor, until nothing is due
* `crashing` — a process that really dies, at a point of your choice
"""

from engine.testing.crashing import CrashPoint, NotReached, crash, crash_here
from engine.testing.idling import IdleResult, NeverIdle, run_until_idle
from engine.testing.memory import memory_store
from engine.testing.trying import TaskResult, run_task
from engine.testing.turning import ManualClock

__all__ = [
    "CrashPoint",
    "IdleResult",
    "ManualClock",
    "NeverIdle",
    "NotReached",
    "TaskResult",
    "crash",
    "crash_here",
    "memory_store",
    "run_task",
    "run_until_idle",
]
