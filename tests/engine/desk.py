"""An operator's desk: a workflow of two tasks on a real store, run by hand."""

from collections.abc import Callable
from typing import Any

from tinydb import where

from engine import Status, StatusException, Store, StoredProcessor, Task, WorkflowModel
from engine.lookup.entries import rows
from engine.lookup.rows import EntryRow
from engine.operations import ActionResult, Decision, Verb, act, decide, hold, restart, toggle_repeat
from engine.testing import ManualClock, crash, crash_here
from engine.worker.actions import execute_actions


class Order(WorkflowModel):
    key: str


class Orders(StoredProcessor):
    """Two tasks; the second does what the desk says of the entry."""

    model = Order

    def __init__(self, desk: "Desk") -> None:
        super().__init__(desk.store, clock=desk.clock)
        self.desk = desk

    def get_default_entries(self) -> list[Any]:
        return self.desk.entries

    def filter(self, entry: Order) -> bool:
        if entry.key == self.desk.refused:
            raise LookupError(f"nothing is known of {entry.key}")
        return super().filter(entry)

    def get_tasks(self) -> list[Task]:
        return [Fetch(self), Check(self)]


class Fetch(Task):
    def process_entry(self, entry: Order, dry_run: bool = False) -> None:
        self.processor.desk.ran.append(f"Fetch {entry.key}")  # type: ignore[attr-defined]


class Check(Task):
    def process_entry(self, entry: Order, dry_run: bool = False) -> Status | None:
        desk = self.processor.desk  # type: ignore[attr-defined]
        desk.ran.append(f"Check {entry.key}")
        return desk.check(entry)  # type: ignore[no-any-return]


class Desk:
    """The store, and how Check goes today."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self.store = store
        self.clock = clock
        self.entries: list[Any] = [{"key": "A-1"}, {"key": "A-2"}]
        self.ran: list[str] = []
        self.check: Callable[[Any], Any] = lambda entry: None
        self.refused: str | None = None
        """The key of the entry that costs an exception before any of its tasks."""

    def run(self, check: Callable[[Any], Any] | None = None, **given: Any) -> list[str]:
        """One run, in which Check does this; what was executed."""
        self.check = check or (lambda entry: None)
        self.ran = []
        Orders(self).process_entries(**given)
        return self.ran

    def take(self, check: Callable[[Any], Any] | None = None) -> list[str]:
        """A worker does what is open."""
        self.check = check or (lambda entry: None)
        self.ran = []
        execute_actions(Orders(self))
        return self.ran

    def crash(self, check: Callable[[Any], Any] | None = None, kind: type[Orders] = Orders) -> None:
        """A process dies in a run: in Check of the first entry, or where this says."""
        self.check = check or dies
        crash(kind(self))

    def act(self, verb: Verb, *keys: str, **given: Any) -> ActionResult:
        return act(verb, keys, store=self.store, clock=self.clock, **given)

    def repeat(self, *keys: str, on: bool = True, **given: Any) -> ActionResult:
        return toggle_repeat(keys, on, store=self.store, clock=self.clock, **given)

    def restart(self, *keys: str, from_start: bool = False, **given: Any) -> ActionResult:
        return restart(keys, from_start, store=self.store, clock=self.clock, **given)

    def hold(self, *keys: str, **given: Any) -> ActionResult:
        return hold(keys, store=self.store, clock=self.clock, **given)

    def decide(self, verdict: str, *keys: str, **given: Any) -> ActionResult:
        return decide(keys, Decision(verdict), store=self.store, clock=self.clock, **given)

    def row(self, key: str) -> EntryRow:
        return {row.key: row for row in rows(self.store, self.clock())}[key]

    def state(self, key: str) -> str:
        return self.row(key).state

    def document(self, key: str) -> Any:
        return self.store.entries.get(where("key") == key)

    def action(self) -> Any:
        return self.store.actions.all()[-1]


def breaks(entry: Order) -> None:
    raise ValueError(f"no customer in {entry.key}")


def interrupts(**status: Any) -> Callable[[Any], None]:
    def check(entry: Order) -> None:
        raise StatusException(Status(**status))

    return check


def dies(entry: Order) -> None:
    crash_here()
