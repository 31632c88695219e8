"""What a dead owner recorded last is brought into its entries, once, by whoever comes next."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tinydb import where

from engine.clock import to_text, utc_now
from engine.lookup.entries import rows
from engine.model import TaskExecution, WorkflowModel
from engine.records import entry_progress, summary
from engine.state import State, shown_state
from engine.store import Store
from engine.store.recording import Recording, announced, ended, started

NOW = datetime(2026, 11, 24, 2, 15, tzinfo=UTC)
OLD_BOOT = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "wfe.db"


@pytest.fixture
def dead(path: Path) -> str:
    """The name of an owner that is dead by now."""
    with Store(path) as store:
        return store.owner


def claimed(path: Path, owner: str, key: str = "A-1") -> int:
    """An entry of two tasks that this owner had claimed."""
    entry = WorkflowModel()
    with Store(path) as store:
        return store.entries.insert(
            {
                "key": key, "processor": "orders:Orders", "tasks": ["Fetch", "Send"], "data": {"key": key, "price": 0},
                "written": [], "run": 1, "updated": to_text(NOW), **entry_progress(entry),
                **summary(entry, ["Fetch", "Send"], NOW), **shown_state(State.RUNNING), "owner": owner,
            }
        )  # fmt: skip


def recorded(path: Path, owner: str, *lines: bytes, number: int = 1) -> Path:
    """A recording that this owner left."""
    folder = path.with_name("wfe.db.owners")
    folder.mkdir(exist_ok=True)
    recording = Recording(folder / f"{owner}.{number}")
    for line in (b"", *lines):
        recording.write(line)
    recording.close()
    return recording.path


def begun(name: str = "Fetch") -> TaskExecution:
    return TaskExecution(name=name, run_count=1, execution_time=NOW, running=True)


def done(name: str = "Fetch") -> TaskExecution:
    return TaskExecution(name=name, run_count=1, execution_time=NOW, finished_at=NOW, processed=True)


def shown(path: Path) -> tuple[str, str | None, int]:
    with Store(path) as store:
        (row,) = rows(store, utc_now())
    return str(row.state), row.task, row.done


def document(path: Path) -> Any:
    with Store(path) as store:
        return store.entries.all()[0]


def test_what_had_begun_is_in_doubt_and_what_had_ended_is_done(path: Path, dead: str) -> None:
    number = claimed(path, dead)
    changes = {"data": {"key": "A-1", "price": 7}, "due_date": None, "source": None, "changed": ["price"]}
    file = recorded(
        path, dead, started(number, begun()), ended(number, done(), changes), started(number, begun("Send"))
    )
    assert shown(path) == ("in doubt", "Send", 1)
    assert document(path)["data"]["price"] == 7
    assert document(path)["written"] == ["price"]
    assert not file.exists(), "and is forgotten then"


def test_an_entry_of_which_nothing_had_begun_is_ready(path: Path, dead: str) -> None:
    claimed(path, dead)
    recorded(path, dead)
    assert shown(path) == ("ready", "Fetch", 0)


def test_a_line_that_was_cut_off_counts_for_nothing(path: Path, dead: str) -> None:
    number = claimed(path, dead)
    recorded(path, dead, started(number, begun()), ended(number, done()), started(number, begun("Send"))[:-20])
    assert shown(path) == ("ready", "Send", 1)


def test_the_end_of_the_last_task_finishes_the_entry(path: Path, dead: str) -> None:
    number = claimed(path, dead)
    recorded(path, dead, ended(number, done()), ended(number, done("Send")))
    assert shown(path)[0] == "finished"
    assert document(path)["finished"] is not None


def test_what_was_announced_to_a_worker_had_not_begun_if_the_machine_went_on(path: Path, dead: str) -> None:
    number = claimed(path, dead)
    recorded(path, dead, announced(number, begun()))
    assert shown(path) == ("ready", "Fetch", 0)


def test_what_was_announced_may_have_begun_if_the_power_was_cut(path: Path) -> None:
    owner = f"{OLD_BOOT}-1-2-abcdef"
    number = claimed(path, owner)
    recorded(path, owner, announced(number, begun()))
    assert shown(path) == ("in doubt", "Fetch", 0)


def test_to_bring_it_in_twice_changes_nothing_more(path: Path, dead: str) -> None:
    number = claimed(path, dead)
    error = {"error_id": "5b2c", "key": "A-1", "run": None}
    failed = TaskExecution(name="Fetch", run_count=1, execution_time=NOW, finished_at=NOW, error="ValueError")
    lines = started(number, begun()), ended(number, failed, {"error": error})
    for _ in range(2):
        recorded(path, dead, *lines)
        assert len(document(path)["executions"]) == 1
        with Store(path) as store:
            assert len(store.errors) == 1


def test_an_entry_that_has_another_owner_by_now_is_left_alone(path: Path, dead: str) -> None:
    number = claimed(path, dead)
    with Store(path) as store:
        store.entries.update({"owner": store.owner}, doc_ids=[number])
        before = store.entries.get(doc_id=number)
        recorded(path, dead, ended(number, done()))
        store.recover()
        assert store.entries.get(doc_id=number) == before


def test_a_run_whose_process_died_is_said_to_have_crashed(path: Path, dead: str) -> None:
    with Store(path) as store:
        fields = {"processor": "orders:Orders", "started": to_text(NOW), "updated": to_text(NOW)}
        store.runs.insert({**fields, "owner": dead, "ended": None, "ending": None})
        store.runs.insert({**fields, "owner": store.owner, "ended": None, "ending": None})
        recorded(path, dead)
        store.recover()
        assert [run["ending"] for run in store.runs.all()] == ["crashed", None]


def test_until_it_is_brought_in_its_owner_counts_as_living(path: Path, dead: str) -> None:
    number = claimed(path, dead)
    with Store(path) as store:
        assert not store.is_alive(dead)
        recorded(path, dead, started(number, begun()))
        assert store.is_alive(dead), "so that nobody takes its entries before"
        store.recover()
        assert not store.is_alive(dead)
        assert store.entries.count(where("owner") == dead) == 1


def test_lines_that_were_forgotten_are_written_over(path: Path, dead: str) -> None:
    number = claimed(path, dead)
    recording = Recording(path.with_name("wfe.db.owners") / f"{dead}.1", forced=True)
    for _ in range(3):
        recording.begin(started(number, begun()))
        recording.write(ended(number, done()))
    recording.clear()
    recording.begin(started(number, begun("Send")))
    recording.close()
    assert [each["name"] for each in document(path)["executions"]] == ["Send"]


def test_what_an_operator_had_done_to_an_attempt_stays_with_it(path: Path, dead: str) -> None:
    """A run writes the last attempt once more when it finishes the entry, and one that waits when it counts a run."""
    number = claimed(path, dead)
    skipped = done().model_copy(update={"skipped": True})
    waits = begun("Send").model_copy(update={"running": False, "repeat_stands": True, "restart": True})
    recorded(path, dead, ended(number, skipped), ended(number, waits))
    first, second = document(path)["executions"]
    assert (first["skipped"], first["processed"]) == (True, True)
    assert (second["repeat_stands"], second["restart"]) == (True, True)
