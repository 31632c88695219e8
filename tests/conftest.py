"""What tests share: a clock, a workflow as a user writes it, and `wfe` as a real process."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from waiting import until

from engine.clock import utc_now
from engine.lookup.entries import rows
from engine.store import Store
from engine.testing import ManualClock

ORDERS = '''
"""Orders, each through three tasks; what a task is to do to an order stands in its field `fate`."""

import os
import signal
from pathlib import Path

from engine import RepeatAfterTime, Status, StatusException, StoredProcessor, Task, WorkflowModel

HERE = Path(__file__).parent


class Order(WorkflowModel):
    key: str
    fate: str = ""
    price: int = 0


def note(task, entry):
    with open(HERE / "done.txt", "a") as file:
        file.write(f"{type(task).__name__} {entry.key}\\n")


class Fetch(Task):
    def process_entry(self, entry, dry_run=False):
        if not dry_run:
            note(self, entry)
        entry.price = 7


class Check(Task):
    def process_entry(self, entry, dry_run=False):
        if not dry_run:
            note(self, entry)
        if (HERE / "repaired").exists():
            return None
        if entry.fate == "raise":
            raise ValueError(f"no customer in {entry.key}")
        if entry.fate == "interrupt":
            raise StatusException(Status(message="the customer does not answer"))
        if entry.fate == "wait":
            raise StatusException(Status(message="not now", repeat=RepeatAfterTime(hours=1)))
        if entry.fate == "die":
            os.kill(os.getpid(), signal.SIGKILL)


class Send(Task):
    def process_entry(self, entry, dry_run=False):
        if not dry_run:
            note(self, entry)
        return Status(message=f"sent for {entry.price}")


class Orders(StoredProcessor):
    model = Order

    def get_default_entries(self):
        for line in (HERE / "orders.txt").read_text().splitlines():
            key, _, fate = line.partition(" ")
            yield {"key": key, "fate": fate}

    def get_tasks(self):
        return [Fetch(self), Check(self), Send(self)]


if __name__ == "__main__":
    Orders(HERE / "wfe.db").process_entries()
'''


SLOW = '''

class Wait(Task):
    """Says that it is here, then waits for a word."""

    def process_entry(self, entry, dry_run=False):
        note(self, entry)
        open(HERE / "here", "w").close()
        open(HERE / "go").read()


class Slow(Orders):
    def get_tasks(self):
        return [Fetch(self), Wait(self), Send(self)]
'''


class Process(subprocess.Popen[str]):
    """A process that does not outlive a test which fails while it runs."""

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, error, trace)


@dataclass
class Workplace:
    """A folder with the workflow `orders.py` in it, and a shell that stands there."""

    folder: Path

    def orders(self, *lines: str) -> None:
        """What the orders are: each line a key, and what the task Check is to do to it."""
        (self.folder / "orders.txt").write_text("\n".join(lines))

    def extend(self, text: str) -> None:
        """Add to the workflow."""
        file, guard = self.folder / "orders.py", '\n\nif __name__ == "__main__"'
        file.write_text(file.read_text().replace(guard, text + guard))

    def repair(self) -> None:
        """From now on Check finds nothing wrong."""
        (self.folder / "repaired").touch()

    @property
    def store(self) -> Path:
        return self.folder / "wfe.db"

    @property
    def done(self) -> list[str]:
        """Every execution of a task that had an effect, as `Task key`, in order."""
        file = self.folder / "done.txt"
        return file.read_text().splitlines() if file.exists() else []

    @property
    def actions(self) -> list[dict[str, Any]]:
        """What operators did, the oldest first, as the store has it."""
        with Store(self.store) as store:
            return [dict(action) for action in store.actions.all()]

    def start(
        self, *arguments: str, stdin: int = subprocess.DEVNULL, start_new_session: bool = False, **environment: str
    ) -> subprocess.Popen[str]:
        """Start `wfe` without waiting for it; the store is named by $WFE_STORE unless it is named otherwise."""
        return Process(
            [sys.executable, "-m", "engine", *arguments], cwd=self.folder, text=True, encoding="utf-8",
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=stdin,
            env={**os.environ, "WFE_STORE": str(self.store), "PYTHONUTF8": "1", **environment},
            start_new_session=start_new_session,
        )  # fmt: skip

    def wfe(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `wfe` to its end."""
        with self.start(*arguments, **environment) as process:
            out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def ls(self) -> dict[str, dict[str, object]]:
        """What `wfe ls --json` says of the entries, by key; without the start of a process."""
        with Store(self.store) as store:
            found = [row.to_json() for row in rows(store, utc_now())]
        return {str(row["key"]): orjson.loads(orjson.dumps(row)) for row in found}

    def ended(self, process: subprocess.Popen[str]) -> tuple[int, str, str]:
        """Wait for the end of a process: its exit code and what it printed."""
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def wait_until_inside(self) -> None:
        """Return when a process stands inside the task Wait of the workflow `orders:Slow`."""
        waiting = threading.Thread(target=lambda: (self.folder / "here").open().close(), daemon=True)
        waiting.start()
        waiting.join(timeout=60)
        assert not waiting.is_alive(), "no process came to the task Wait"

    def go_on(self) -> None:
        """Let it go on."""
        (self.folder / "go").open("w").close()

    def wait_until_shown(self, key: str, **fields: object) -> None:
        """Return when the list shows an entry so: what runs is written within a moment."""
        until(lambda: fields.items() <= self.ls()[key].items(), told=lambda: self.ls()[key])


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 23, 12, tzinfo=UTC))


@pytest.fixture(scope="session")
def orders_workflow() -> str:
    """The text of `orders.py`."""
    return ORDERS


@pytest.fixture(scope="session")
def workplace_in() -> Callable[[Path], Workplace]:
    """Makes a workplace in a folder: for tests that share one, since they only look at it."""

    def make(folder: Path) -> Workplace:
        (folder / "orders.py").write_text(ORDERS)
        place = Workplace(folder)
        place.orders("A-1", "A-2")
        return place

    return make


@pytest.fixture
def workplace(tmp_path: Path, workplace_in: Callable[[Path], Workplace]) -> Workplace:
    return workplace_in(tmp_path)


@pytest.fixture
def slow(workplace: Workplace) -> Workplace:
    """The workplace, with a workflow that stands still inside a task until it is told to go on."""
    workplace.extend(SLOW)
    os.mkfifo(workplace.folder / "here")
    os.mkfifo(workplace.folder / "go")
    return workplace


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Moves this process to another time zone."""

    def move(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()
