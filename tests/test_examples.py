"""What the docstrings of public names show as an example runs, on one small workflow."""

import datetime
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from public_docs import NAMES, sections

import engine
import engine.executors
import engine.operations
import engine.testing
from engine import (
    RepeatAfterTime,
    Status,
    StatusException,
    StoredProcessor,
    Task,
    WorkflowModel,
    current_attempt,
)
from engine.testing import ManualClock, memory_store

carrier = SimpleNamespace(book=lambda parcel, key=None: None)


class Order(WorkflowModel):
    key: str
    country: str
    parcel: str | None = None


class Pack(Task):
    def process_entry(self, entry: Order, dry_run: bool = False) -> None:
        entry.parcel = f"P-{entry.key}"


class Ship(Task):
    def process_entry(self, entry: Order, dry_run: bool = False) -> None:
        if entry.country == "NO" and current_attempt().number == 1:
            raise StatusException(Status(message="customs are closed", repeat=RepeatAfterTime(hours=1)))
        {"DE": "DHL", "NO": "Posten"}[entry.country]
        carrier.book(entry.parcel)


class Orders(StoredProcessor):
    model = Order
    countries = {"A-1": "DE", "A-2": "NO", "A-3": "XX"}

    def get_default_entries(self) -> list[dict[str, str]]:
        return [{"key": key, "country": country} for key, country in self.countries.items()]

    def get_tasks(self) -> list[Task]:
        return [Pack(self), Ship(self)]


COUNTRIES = {
    "engine.testing.crash": {"A-1": "DE", "A-2": "DE", "A-3": "DE"},
    "engine.testing.run_until_idle": {"A-2": "NO"},
}
"""Where an example is about other orders."""

ELSEWHERE = {"engine.executors.dask.DaskExecutor"}
"""What needs a cluster, and is compiled alone."""

EXAMPLES = {path: sections(name.text, name)["Example"] for path, name in NAMES.items() if "Example::" in name.text}


@pytest.fixture
def orders(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Orders]:
    """The workflow, on a new store."""
    monkeypatch.setattr(Orders, "countries", COUNTRIES.get(request.node.callspec.params["path"], Orders.countries))
    with memory_store() as store:
        yield Orders(store, clock=ManualClock())


@pytest.mark.parametrize("path", EXAMPLES)
def test_an_example_runs(path: str, orders: Orders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if path.startswith("engine.operations"):
        orders.process_entries()  # so that there is something to act on
    code = compile(EXAMPLES[path], f"<the example of {path}>", "exec")
    modules = (engine, engine.executors, engine.operations, engine.testing, datetime)
    at_hand = {name: getattr(module, name) for module in modules for name in module.__all__}
    if path not in ELSEWHERE:
        exec(code, {**globals(), **at_hand, "orders": orders, "store": orders.store, "monkeypatch": monkeypatch})


def test_what_one_needs_first_has_an_example() -> None:
    first = {
        "Processor",
        "RepeatAfterTime",
        "Status",
        "StatusException",
        "Store",
        "StoredProcessor",
        "Task",
        "WorkflowModel",
    }
    assert {f"engine.{name}" for name in first} <= set(EXAMPLES)
