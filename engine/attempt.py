"""The execution that goes on in a context: what a task can ask of it, and who is told what it logs. It follows the
execution into threads and event loops."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol
from uuid import NAMESPACE_URL, uuid5

from engine.exceptions import EntryError, WorkflowError


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a task, as the task itself may see it: see `current_attempt`.

    Args:
        processor: the workflow, `module:Class`.
        key: of the entry; None if it has none.
        task: the name of the task.
        number: the how-manieth attempt of this task on this entry it is, from 1.
        previous_error: what ended the one before, type and message in one line; None if that was no error.
    """

    processor: str
    key: str | None
    task: str
    number: int
    previous_error: str | None

    @property
    def idempotency_key(self) -> str:
        """A UUID that is the same for every attempt of this task of this entry, in every process and run.

        Raises:
            EntryError: the entry has no key.
        """
        if self.key is None:
            raise EntryError(f"{self.task} asks for an idempotency key of an entry that has no key: give it one")
        return str(uuid5(NAMESPACE_URL, f"wfe:{self.processor}/{self.task}/{self.key}"))


class Execution(Protocol):
    """An execution that goes on."""

    def attempt(self) -> Attempt:
        """Which attempt it is, made for a task that asks: most do not."""

    def log(self, line: tuple[str, str, str, str]) -> None:
        """Its task has logged this; see `engine.runner.capture.Line`."""


CURRENT: ContextVar[Execution] = ContextVar("execution")


def current_attempt() -> Attempt:
    """The attempt that is being executed here; to be called inside `Task.process_entry`.

    It is known in threads and coroutines that the task starts with a copy of its context, as asyncio does.

    Raises:
        WorkflowError: none is.

    Example::

        class Book(Task):
            def process_entry(self, entry, dry_run=False):
                carrier.book(entry.parcel, key=current_attempt().idempotency_key)
    """
    try:
        return CURRENT.get().attempt()
    except LookupError:
        raise WorkflowError("no task is being executed here: ask for the attempt inside process_entry") from None
