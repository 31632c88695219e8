"""A worker that stays: it does what operators ask for and what becomes due, and ends in order."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from waiting import until

from engine import operations
from engine.store import Store

SOON = '''

class Later(Orders):
    def get_tasks(self):
        return [Patient(self)]


class Patient(Task):
    """Waits for a second, by its repeat."""

    def process_entry(self, entry, dry_run=False):
        note(self, entry)
        if len((HERE / "done.txt").read_text().splitlines()) == 1:
            raise StatusException(Status(message="not now", repeat=RepeatAfterTime(seconds=1)))
'''


@contextmanager
def worker(workplace: Any, *arguments: str) -> Iterator[Any]:
    """A worker, which is told to end at the end."""
    with workplace.start("work", *arguments) as process:
        assert "works on" in process.stderr.readline()  # else the signal could come before it is waited for
        yield process
        process.send_signal(signal.SIGTERM)
        code, _, err = workplace.ended(process)
    assert code == 143, err
    assert "Traceback" not in err, err


def restart(workplace: Any, store: Store, key: str) -> float:
    """Ask for a restart, and return when the entry is finished; seconds until a worker had taken the action."""
    (number,) = operations.restart([key], store=store).actions.values()
    asked = time.monotonic()
    until(lambda: store.actions.get(doc_id=number)["taken_by"] is not None)
    took = time.monotonic() - asked
    until(lambda: workplace.ls()[key]["state"] == "finished")
    return took


def test_a_worker_takes_what_an_operator_asks_for_at_once(workplace: Any) -> None:
    workplace.orders("A-1 raise", "A-2 raise", "A-3 raise", "A-4 raise")
    workplace.wfe("run", "orders:Orders")
    workplace.repair()
    with worker(workplace, "orders:Orders"), Store(workplace.store) as store:
        restart(workplace, store, "A-1")  # by then it has started
        assert min(restart(workplace, store, key) for key in ("A-2", "A-3", "A-4")) < 0.25


def test_a_worker_wakes_when_a_repeat_becomes_due(workplace: Any) -> None:
    workplace.extend(SOON)
    workplace.orders("A-1")
    assert workplace.wfe("run", "orders:Later").returncode == 0
    assert workplace.ls()["A-1"]["state"] == "waiting"
    with worker(workplace, "orders:Later"):
        until(lambda: workplace.ls()["A-1"]["state"] == "finished")
    assert workplace.done == ["Patient A-1", "Patient A-1"]


HASTY = '''

import time


class Hasty(Orders):
    def get_tasks(self):
        return [Slow(self)]


class Slow(Task):
    """Takes longer than it is to wait for its repeat, twice."""

    def process_entry(self, entry, dry_run=False):
        note(self, entry)
        time.sleep(0.2)
        raise StatusException(Status(message="not yet", repeat=RepeatAfterTime(seconds=0), max_reruns=2))
'''


def test_a_worker_repeats_what_was_due_again_before_it_had_ended(workplace: Any) -> None:
    workplace.extend(HASTY)
    workplace.orders("A-1")
    assert workplace.wfe("run", "orders:Hasty").returncode == 0
    assert workplace.ls()["A-1"]["state"] == "ready"
    with worker(workplace, "orders:Hasty"):
        until(lambda: workplace.ls()["A-1"]["state"] == "interrupted")
    assert workplace.done == ["Slow A-1"] * 3


PATIENT = """

class Patiently(Orders):
    def get_tasks(self):
        return [Ask(self)]


class Ask(Task):
    def process_entry(self, entry, dry_run=False):
        note(self, entry)
        if not (HERE / "repaired").exists():
            raise StatusException(Status(message="not now", repeat=RepeatAfterTime(seconds=1)))
"""


def test_a_worker_leaves_what_is_held_although_it_is_due(workplace: Any) -> None:
    workplace.extend(PATIENT)
    workplace.orders("A-1", "A-2")
    workplace.wfe("run", "orders:Patiently")
    with Store(workplace.store) as store:
        operations.hold(["A-1"], store=store)
    workplace.repair()
    with worker(workplace, "orders:Patiently", "--every", "1s"):
        until(lambda: workplace.ls()["A-2"]["state"] == "finished")
        assert workplace.ls()["A-1"]["state"] == "held"
        assert workplace.done.count("Ask A-1") == 1
        assert workplace.wfe("release", "A-1").returncode == 0
        until(lambda: workplace.ls()["A-1"]["state"] == "finished")
    assert workplace.done.count("Ask A-1") == 2


def test_with_every_it_runs_over_the_entries_again_and_again(workplace: Any) -> None:
    workplace.orders("A-1")
    with worker(workplace, "orders:Orders", "--every", "1s"):
        until(lambda: "Send A-1" in workplace.done)
        workplace.orders("A-1", "A-2")
        until(lambda: "Send A-2" in workplace.done)
    assert workplace.done.count("Send A-1") == 1


def test_two_workers_take_an_action_once(workplace: Any) -> None:
    keys = [f"A-{number}" for number in range(12)]
    workplace.orders(*(f"{key} raise" for key in keys))
    workplace.wfe("run", "orders:Orders")
    workplace.repair()
    with worker(workplace, "orders:Orders"), worker(workplace, "orders:Orders"), Store(workplace.store) as store:
        for key in keys:
            operations.restart([key], store=store)
        until(lambda: {row["state"] for row in workplace.ls().values()} == {"finished"})
    for key in keys:
        assert workplace.done.count(f"Send {key}") == 1
        assert workplace.done.count(f"Check {key}") == 2


@pytest.mark.slow
def test_a_paused_worker_idles_until_it_is_resumed(workplace: Any) -> None:
    workplace.orders("A-1 raise")
    workplace.wfe("run", "orders:Orders")
    workplace.repair()
    with worker(workplace, "orders:Orders"):
        assert workplace.wfe("pause", "Orders").returncode == 0
        assert workplace.wfe("restart", "A-1").returncode in (0, 1)
        assert workplace.ls()["A-1"]["state"] == "ready"
        assert workplace.wfe("resume", "Orders").returncode == 0
        until(lambda: workplace.ls()["A-1"]["state"] == "finished")


def test_a_worker_whose_store_is_removed_says_so_and_ends(workplace: Any) -> None:
    workplace.orders("A-1 raise")
    workplace.wfe("run", "orders:Orders")
    workplace.repair()
    with workplace.start("work", "orders:Orders") as process:
        with Store(workplace.store) as store:
            restart(workplace, store, "A-1")
        workplace.store.unlink()
        code, _, err = workplace.ended(process)
    assert code == 2
    assert "removed" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["orders:Orders", "--every", "often"], "duration"),
        (["orders:Orders", "--every", "0s"], "pause"),
        (["orders:Orders", "--workers", "2", "--processes", "2"], "exclude"),
        (["orders:Nothing"], "Nothing"),
    ],
    ids=["no time", "no interval", "two executors", "no processor"],
)
def test_what_cannot_be_worked_on_is_told_in_one_sentence(workplace: Any, arguments: list[str], said: str) -> None:
    done = workplace.wfe("work", *arguments)
    assert done.returncode == 2
    (sentence,) = done.stderr.splitlines()
    assert said in sentence
