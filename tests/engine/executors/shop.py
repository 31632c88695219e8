"""Workflows that worker processes can import; what a task is to do to an order stands in its field `fate`."""

import asyncio
import logging
import os
import resource
import signal
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from engine import (
    Processor,
    RepeatAfterCycle,
    Status,
    StatusException,
    Store,
    StoredProcessor,
    Task,
    WorkflowModel,
    operations,
)
from engine.attempt import current_attempt
from engine.journal.heeding import LOOK


class Order(WorkflowModel):
    key: str
    fate: str = ""
    price: int = 0
    anything: Any = None


class Noted(Task):
    """Writes a line into the processor's file for each execution, with the attempt that it was."""

    def note(self, entry: Any) -> None:
        attempt = current_attempt()
        line = (
            f"{type(self).__name__} {entry.key} {attempt.number} {attempt.idempotency_key} {attempt.previous_error}\n"
        )
        with Path(self.processor.file).open("a") as file:  # type: ignore[attr-defined]
            file.write(line)


class Fetch(Noted):
    def process_entry(self, entry: Any, dry_run: bool = False) -> None:
        if not dry_run:
            self.note(entry)
        self.statistic_increment("fetched")
        entry.price = 7


class Check(Noted):
    def process_entry(self, entry: Any, dry_run: bool = False) -> Any:
        if not dry_run:
            self.note(entry)
        entry.anything = "checked"
        return FATES[entry.fate](entry)


class Send(Noted):
    def process_entry(self, entry: Any, dry_run: bool = False) -> Status:
        if not dry_run:
            self.note(entry)
        return Status(message=f"sent for {entry.price}")


def _raises(entry: Any) -> None:
    raise ValueError(f"no customer in {entry.key}")


def _interrupts(entry: Any) -> None:
    raise StatusException(Status(message="the customer does not answer"))


def _waits(entry: Any) -> None:
    raise StatusException(Status(repeat=RepeatAfterCycle(after_cycle=2)))


def _exits(entry: Any) -> None:
    raise SystemExit(3)


def _logs(entry: Any) -> None:
    logging.getLogger("shop").warning("%s is odd", entry.key)


def _presses(entry: Any) -> None:
    raise KeyboardInterrupt


def _spoils(entry: Any) -> None:
    entry.anything = threading.Lock()


def _dies(entry: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _eats(entry: Any) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (10**9, 10**9))
    entry.anything = "x" * 10**10


FATES: dict[str, Any] = {
    "": lambda entry: None,
    "raise": _raises,
    "interrupt": _interrupts,
    "wait": _waits,
    "exit": _exits,
    "press": _presses,
    "log": _logs,
    "odd": lambda entry: 7,
    "spoil": _spoils,
    "die": _dies,
    "eat": _eats,
}


class Orders(StoredProcessor):
    model = Order
    entries: Iterable[Any] = ()
    tasks: ClassVar[list[type[Task]]] = [Fetch, Check, Send]

    def __init__(self, store: Any, file: Path, entries: Iterable[Any] = (), **given: Any) -> None:
        super().__init__(store, **given)
        self.file = str(file)
        self.entries = entries

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "entries": ()}

    def get_default_entries(self) -> Iterable[Any]:
        return self.entries

    def get_tasks(self) -> list[Task]:
        return [kind(self) for kind in self.tasks]


class CheckAgain(Check):
    idempotent = True


class Idempotent(Orders):
    tasks: ClassVar[list[type[Task]]] = [Fetch, CheckAgain, Send]


class Hang(Noted):
    """Does not come back in time, yet when it is told to."""

    timeout = 0.3
    come_back: ClassVar[threading.Event] = threading.Event()

    def process_entry(self, entry: Any, dry_run: bool = False) -> None:
        self.note(entry)
        if entry.fate == "hang":
            self.come_back.wait(60)
            entry.price = -1


class Hanging(Orders):
    tasks: ClassVar[list[type[Task]]] = [Hang, Send]


class HangAsync(Noted):
    """Does not come back in time, and is cancelled long before it would."""

    timeout = 0.3

    async def process_entry(self, entry: Any, dry_run: bool = False) -> None:
        self.note(entry)
        if entry.fate == "hang":
            await asyncio.sleep(60)


class HangingAsync(Orders):
    tasks: ClassVar[list[type[Task]]] = [HangAsync, Send]


class Meet(Noted):
    """Comes back when so many of them are inside at once."""

    enough: ClassVar[int] = 200
    inside: ClassVar[int] = 0
    all_here: ClassVar[asyncio.Event]

    async def process_entry(self, entry: Any, dry_run: bool = False) -> None:
        Meet.inside += 1
        if Meet.inside == 1:
            Meet.all_here = asyncio.Event()
        if Meet.inside == Meet.enough:
            Meet.all_here.set()
        await asyncio.wait_for(Meet.all_here.wait(), 20)
        assert current_attempt().key == entry.key


class Meeting(Orders):
    tasks: ClassVar[list[type[Task]]] = [Meet]


class Fragile(Noted):
    """At most two of them are inside at once: they wait for one another, and then for a moment in which a third could
    come in."""

    max_concurrent = 2
    pair: ClassVar[Any] = threading.Barrier(2, timeout=20)
    inside: ClassVar[int] = 0
    most: ClassVar[int] = 0
    lock: ClassVar[Any] = threading.Lock()

    def process_entry(self, entry: Any, dry_run: bool = False) -> None:
        with self.lock:
            Fragile.inside += 1
            Fragile.most = max(Fragile.most, Fragile.inside)
        self.pair.wait()
        time.sleep(0.02)
        with self.lock:
            Fragile.inside -= 1


class Limited(Orders):
    tasks: ClassVar[list[type[Task]]] = [Fragile]


class Slowly(Noted):
    rate = 20.0

    def process_entry(self, entry: Any, dry_run: bool = False) -> None:
        self.note(entry)


class Rated(Orders):
    tasks: ClassVar[list[type[Task]]] = [Slowly]


class Connected(Orders):
    """Has what cannot be sent to another process."""

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.connection = threading.Lock()


class Ask(Noted):
    """Asks on an order whose fate says so that the run stops or drains, and goes on until the run has to know it. All
    others take a moment, so that many are left by then."""

    timeout = 30.0  # so that few are handed out at once

    def process_entry(self, entry: Any, dry_run: bool = False) -> None:
        self.note(entry)
        if entry.fate:
            with Store(Path(self.processor.file).with_name("wfe.db")) as store:  # type: ignore[attr-defined]
                getattr(operations, entry.fate)(store.runs.all()[-1].doc_id, store=store, who="anna")
            time.sleep(2 * LOOK)
        time.sleep(0.005)


class Asking(Orders):
    tasks: ClassVar[list[type[Task]]] = [Ask, Send]


class Own(Processor):
    """Keeps its entries itself."""

    def __init__(self, file: Path, entries: list[Any]) -> None:
        super().__init__()
        self.file = str(file)
        self.entries = entries
        self.written: dict[str, Any] = {}
        self.closed = 0

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "entries": []}

    def get_default_entries(self) -> list[Any]:
        return self.entries

    def get_entry(self, selection: Any) -> WorkflowModel:
        return Order.model_validate(selection)

    def get_tasks(self) -> list[Task]:
        return [Fetch(self), Check(self), Send(self)]

    def write_entry(self, entry: Any, execution: Any) -> None:
        self.written[entry.key] = entry.model_copy()

    def close(self) -> None:
        self.closed += 1
