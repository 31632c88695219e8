"""One step of a workflow."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, ClassVar

from engine.status import Status

if TYPE_CHECKING:
    from engine.processor import Processor


class Task(ABC):
    """Base of a user's tasks: one step of a workflow, executed for each of its entries.

    A subclass implements `process_entry`, and says by the attributes below how it may be executed. It is named by its
    class; one workflow names each task once. What `process_entry` does decides what becomes of the entry:

    ============ ========== ================ ===================
    flow         exception  StatusException  return
    ============ ========== ================ ===================
    skip         no         no               yes, with a Status
    interrupt    yes        yes              no
    repeat       operator   by its Status    by its Status
    ============ ========== ================ ===================

    What belongs to an entry is written on the entry, not on the task: tasks are made anew at any time, and in threads
    several of one class work at once. A task is not the place to go through all entries, nor to wait for another entry.

    Args:
        processor: the workflow that it is a step of, kept as `self.processor`.

    Attributes:
        timeout: seconds after which an execution fails, with an error id; None is no limit. In a worker process
            the process is killed. A thread cannot be: there what comes late is dropped, and the log says so. A
            coroutine is cancelled.
        idempotent: to execute it twice does no harm: if its process dies inside it, the next run executes it
            again by itself.
        max_concurrent: how many executions of it a run has under way at once, in all its workers together; None
            is no limit.
        rate: how many executions of it a run starts a second, evenly spaced, in all its workers together; 0.1
            is one in ten seconds, None is no limit.

    Example::

        class Ship(Task):
            timeout = 20  # seconds
            idempotent = True

            def process_entry(self, entry, dry_run=False):
                if entry.country == "NO":
                    raise StatusException(Status(message="customs are closed", repeat=RepeatAfterTime(hours=1)))
                entry.parcel = f"P-{entry.key}"

        assert run_task(Ship, Order(key="A-1", country="DE")).changed == {"parcel": "P-A-1"}
        assert run_task(Ship, Order(key="A-2", country="NO")).state == "waiting"
    """

    timeout: ClassVar[float | None] = None
    idempotent: ClassVar[bool] = False
    max_concurrent: ClassVar[int | None] = None
    rate: ClassVar[float | None] = None

    def __init__(self, processor: "Processor") -> None:
        super().__init__()
        self.processor = processor

    @abstractmethod
    def process_entry(self, entry: Any, dry_run: bool = False) -> Status | Awaitable[Status | None] | None:
        """Do this step for one entry; what it changes on the entry is what the next task sees.

        It may be an `async def`: then it runs on an event loop, where many wait at once. What it wants to know of its
        attempt, `current_attempt` tells.

        Args:
            entry: the user's `WorkflowModel`.
            dry_run: nothing outside may be changed.

        Returns:
            None, or a Status with a message, a repeat policy, or both.

        Raises:
            StatusException: interrupt this entry, expectedly. Any other exception fails it, with an error id.
        """

    def statistic_increment(self, *subs: str) -> None:
        """Count something of this task's own: `statistics[<Task>][subs[0]]…` of its processor goes up by one."""
        self.processor.statistic_increment(type(self).__name__, *subs)

    @property
    def name(self) -> str:
        """`<Processor>.<Task>`, for people."""
        return f"{type(self.processor).__name__}.{type(self).__name__}"
