"""Pictures of each screen at both sizes: what looks different is looked at.

    .venv/bin/python -m pytest tests/wfe_tui/test_snapshots.py --snapshot-update

The store is made here, with fixed moments, and the clock stands still.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from textual.pilot import Pilot
from textual.screen import ModalScreen

from engine.clock import to_text
from engine.model import TaskExecution, WorkflowModel
from engine.records import entry_progress, summary
from engine.state import State, shown_state
from engine.status import RepeatAfterTime, Status
from engine.store import Store
from wfe_tui.__main__ import make_app
from wfe_tui.app import Settings
from wfe_tui.routes import Route, parse_route

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TASKS = ["Fetch", "Check", "Send"]


@pytest.fixture(autouse=True)
def _place(monkeypatch: pytest.MonkeyPatch, zone: Any, tmp_path: Path) -> None:
    zone("UTC")
    monkeypatch.setenv("HOME", str(tmp_path))  # so that the store's path is always the same


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Path]:
    """A store with an entry in every state, an error, a run and an action."""
    path = tmp_path / "wfe.db"
    with Store(path) as store:
        for number, state in enumerate(State):
            owner = store.owner if state is State.RUNNING else None
            store.entries.insert({**_entry(f"order-{number:03}", state, number), "owner": owner})
        for number in range(3):
            store.errors.insert(_error(number))
        store.runs.insert(_run())
        store.actions.insert(
            {
                "verb": "restart", "who": "anna@desk", "when": to_text(NOON - timedelta(minutes=3)),
                "why": "carrier is back", "processor": "shop:Orders", "keys": ["order-004", "order-006"],
                "results": {"order-004": None, "order-006": "it is finished: restart it from the start"},
                "open": False, "taken_by": None, "run": 1,
            }
        )  # fmt: skip
        yield path


def _entry(key: str, state: State, number: int) -> dict[str, Any]:
    began = NOON - timedelta(minutes=10 - number)
    done = TaskExecution(
        name="Fetch", execution_time=began, finished_at=began + timedelta(seconds=2), processed=True, run_count=1,
        status=Status(message="fetched"),
    )  # fmt: skip
    check = TaskExecution(
        name="Check", execution_time=began + timedelta(seconds=2), finished_at=began + timedelta(seconds=5), run_count=1
    )
    entry = WorkflowModel(executions=[done, check], source="orders.csv")
    if state is State.FAILED:
        check.error_id, check.error = UUID(int=1), "ValueError: no customer in order-004"
    elif state is State.INTERRUPTED:
        check.status = Status(message="the customer does not answer")
    elif state is State.WAITING:
        check.status = Status(message="not now", repeat=RepeatAfterTime(hours=1))
    elif state is State.FINISHED:
        check.processed, entry.finished = True, NOON
    else:
        entry.executions = [done]
    return {
        "key": key, "processor": "shop:Orders", "tasks": TASKS, "written": [], "owner": None, "run": 1,
        "data": {"key": key, "country": "DE", "lines": [{"sku": "x-1", "count": 2}]}, "updated": to_text(began),
        **entry_progress(entry), **summary(entry, TASKS, NOON), **shown_state(state),
    }  # fmt: skip


def _verdict(key: str, entry: int, verdict: str) -> dict[str, Any]:
    moment = to_text(NOON - timedelta(minutes=1))
    return {
        "action": 2, "entry": entry, "key": key, "processor": "shop:Orders", "verb": "restart", "executes": True,
        "verdict": verdict, "fingerprint": "v1:9f2a11c0ffee", "error_id": str(UUID(int=1)), "task": "Check",
        "seen": {"Check": 1}, "asked": moment, "begun": moment, "settled": moment, "attempts": 1, "why": None,
        "found": None if verdict == "fixed" else str(UUID(int=2)), "before": None, "after": None,
    }  # fmt: skip


def _error(number: int) -> dict[str, Any]:
    frame = {
        "file": "/srv/shop/orders.py", "line": 12, "function": "Check.process_entry", "module": "orders", "own": True,
        "first": 10, "source": ["class Check(Task):", "    def process_entry(self, entry, dry_run=False):",
        '        raise ValueError(f"no customer in {entry.key}")'], "columns": [8, 60],
    }  # fmt: skip
    library = {**frame, "file": "/usr/lib/python3.11/json/decoder.py", "own": False, "function": "decode", "line": 337}
    return {
        "error_id": str(UUID(int=number + 1)), "fingerprint": "v1:9f2a11c0ffee", "type": "ValueError",
        "message": "no customer in order-004", "notes": [], "frames": [frame, library], "causes": [],
        "text": "Traceback (most recent call last):\n  …", "task": "Check", "attempt": 1, "run": 1, "key": "order-004",
        "processor": "shop:Orders", "host": "desk", "pid": 4711, "time": to_text(NOON - timedelta(hours=number)),
    }  # fmt: skip


def _run() -> dict[str, Any]:
    return {
        "processor": "shop:Orders", "started": to_text(NOON - timedelta(minutes=12)), "ending": "completed",
        "ended": to_text(NOON - timedelta(minutes=2)), "updated": to_text(NOON - timedelta(minutes=2)), "owner": "x",
        "home": {}, "rate": 0.9, "left": None, "total": 9, "considered": 9, "in_progress": 0, "refused": 0,
        "states": {"failed": 1, "finished": 5, "waiting": 3}, "asked": None,
        "statistics": {"process": {"eligible": 9}, "tasks": {"Check": {"failed": 1}}},
        "durations": {"Fetch": {"count": 9, "sum": 18.0, "buckets": [[6, 5], [7, 3], [9, 1]]}},
        "pace": [[seconds, (seconds * 7) % 11, seconds % 3] for seconds in range(10, 200, 10)],
    }  # fmt: skip


PLACES = {
    "entries": ("entries", "9 entries"),
    "failed": ("entries?state:failed", "1 entry"),
    "entry": ("entries/order-004", "Attempts"),
    "errors": ("errors", "1 cause"),
    "occurrences": ("errors/v1:9f2a11c0ffee", "seen 3 times"),
    "share": ("share", "beside"),
    "trace": (f"errors/{UUID(int=1)}", "raise ValueError"),
    "runs": ("runs", "completed"),
    "run": ("runs/1", "median"),
    "actions": ("actions", "anna@desk"),
    "action": ("actions/1", "accepted"),
    "compare": ("compare/order-004", "How it ended"),
    "report": ("report", "New errors"),
}
"""Each with its path, and what stands there when all of it is there."""


@pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])
@pytest.mark.parametrize("name", PLACES)
def test_the_screens_look_as_before(snap_compare: Any, store: Path, name: str, size: tuple[int, int]) -> None:
    path, text = PLACES[name]
    app = make_app(Settings(store, route=parse_route(path)), lambda: NOON)
    assert snap_compare(app, terminal_size=size, run_before=lambda pilot: _settled(pilot, text))


@pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])
def test_the_verdicts_of_an_action_look_as_before(snap_compare: Any, store: Path, size: tuple[int, int]) -> None:
    with Store(store) as opened:
        opened.actions.insert(
            {
                "verb": "restart", "who": "anna@desk", "when": to_text(NOON - timedelta(minutes=2)), "why": None,
                "processor": "shop:Orders", "keys": ["order-000", "order-003", "order-006"], "open": False,
                "results": {"order-000": None, "order-003": None, "order-006": None}, "taken_by": None, "run": 1,
                "plan": "p1:6fe767525aba", "undone_by": None,
                "canary": {"first": 1, "in_flight": 10, "stop_after": 1, "stage": "done", "forgiven": 0},
            }
        )  # fmt: skip
        for number, verdict in ((0, "same error"), (3, "new error"), (6, "fixed")):
            opened.verdicts.insert(_verdict(f"order-{number:03}", number + 1, verdict))
    app = make_app(Settings(store, route=parse_route("actions/2")), lambda: NOON)
    assert snap_compare(app, terminal_size=size, run_before=lambda pilot: _settled(pilot, "new error"))


@pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])
@pytest.mark.parametrize(
    ("name", "keys", "text"),
    [
        ("confirm", ["R"], "would be done"),
        ("help", ["question_mark"], "Keys"),
        ("columns", ["c"], "● Entry"),
        ("canary", ["C"], "would be done"),
    ],
)
def test_the_dialogs_look_as_before(
    snap_compare: Any, store: Path, name: str, keys: list[str], text: str, size: tuple[int, int]
) -> None:
    app = make_app(Settings(store, route=Route("entries")), lambda: NOON)

    async def press(pilot: Pilot[None]) -> None:
        await _settled(pilot, "9 entries")
        await pilot.press("j", "j", "j", "j")
        await pilot.press(*keys)
        await _settled(pilot, text)

    assert snap_compare(app, terminal_size=size, run_before=press)


async def _settled(pilot: Pilot[None], text: str) -> None:
    """Wait until this text and the keys below stand there, and what is drawn stays as it is."""
    deadline, since = time.monotonic() + 40, time.monotonic()
    seen: list[str] = []
    while time.monotonic() - since < 0.3:
        assert time.monotonic() < deadline, f"it does not come to rest:\n{seen}"
        await pilot.pause(0.02)
        lines = [strip.text for strip in pilot.app.screen._compositor.render_strips()]
        asks = any(not worker.is_finished and worker.group != "act" for worker in pilot.app.workers)
        is_there = text in "\n".join(lines) and (isinstance(pilot.app.screen, ModalScreen) or lines[-1].strip())
        is_felt = getattr(pilot.app, "pulse").dealt is not None  # noqa: B009 - a pilot knows no app of ours
        if lines != seen or asks or not is_there or not is_felt:
            seen, since = lines, time.monotonic()
