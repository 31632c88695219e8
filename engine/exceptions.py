"""Every error that this package raises on purpose: one base class, each message one sentence that says what to do."""

__all__ = [
    "ClaimLost",
    "EngineError",
    "EntryError",
    "InputError",
    "NotPortable",
    "NotStorable",
    "StoreConflict",
    "StoreError",
    "StoreLost",
    "TimedOut",
    "WorkerDied",
    "WorkflowError",
]


class EngineError(Exception):
    """Base of all errors of this package. Its text is one sentence for a person: what is wrong, where, what to do."""


class InputError(EngineError):
    """What came from outside cannot be used: a date, a processor's name, an entry's data."""


class EntryError(InputError):
    """One entry cannot be accepted (no key, a key that another entry has, data that is not JSON); the others go on."""


class WorkflowError(EngineError):
    """The workflow itself is wrong, for every entry alike: a task is named twice, a model has no key."""


class StoreError(EngineError):
    """The store cannot be opened, read or written."""


class StoreLost(StoreError):  # noqa: N818 - it says what happened
    """The file is no longer the store that was opened: removed, replaced or damaged. To wait does not help."""


class StoreConflict(StoreError):  # noqa: N818 - a conflict is what it is called
    """Another process changed what was about to be overwritten; nothing was written, read again and repeat."""


class ClaimLost(EngineError):  # noqa: N818 - it says what happened
    """Another owner holds the entry, or nobody: nothing was written on it. That entry alone is lost to its run."""


class NotStorable(InputError, TypeError):  # noqa: N818 - it says of the document what is wrong
    """A document holds something that the store's JSON cannot; a TypeError too, as TinyDB's callers expect."""


class TimedOut(EngineError):  # noqa: N818 - it says what happened
    """An execution took longer than its task's timeout, which is `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"it took longer than its timeout of {seconds:g} s")
        self.seconds = seconds

    def __reduce__(self) -> tuple[type["TimedOut"], tuple[float]]:
        return type(self), (self.seconds,)


class WorkerDied(EngineError):  # noqa: N818 - it says what happened
    """The process that executed a task ended in the middle of it: killed, out of memory, or by the task itself."""


class NotPortable(WorkflowError):  # noqa: N818 - it says of the workflow what is wrong
    """A processor or an entry cannot be sent to another process; the sentence names the attribute."""
