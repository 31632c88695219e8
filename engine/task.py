"""One step of a workflow."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from engine.status import Status

if TYPE_CHECKING:
    from engine.processor import Processor


class Task(ABC):
    """Base of a user's tasks. A task is named by its class; one workflow names each task once.

    What `process_entry` does decides what becomes of the entry:

    ============ ========== ================ ===================
    flow         exception  StatusException  return
    ============ ========== ================ ===================
    skip         no         no               yes, with a Status
    interrupt    yes        yes              no
    repeat       operator   by its Status    by its Status
    ============ ========== ================ ===================
    """

    def __init__(self, processor: "Processor") -> None:
        super().__init__()
        self.processor = processor

    @abstractmethod
    def process_entry(self, entry: Any, dry_run: bool = False) -> Status | None:
        """Do this step for one entry; what it changes on the entry is what the next task sees.

        Args:
            entry: the user's `WorkflowModel`.
            dry_run: nothing outside may be changed.

        Returns:
            None, or a Status with a message, a repeat policy, or both.

        Raises:
            StatusException: interrupt this entry, expectedly.
        """

    def statistic_increment(self, *subs: str) -> None:
        """Count something of this task's own: `statistics[<Task>][subs[0]]…` of its processor goes up by one."""
        self.processor.statistic_increment(type(self).__name__, *subs)

    @property
    def name(self) -> str:
        """`<Processor>.<Task>`, for people."""
        return f"{type(self.processor).__name__}.{type(self).__name__}"
