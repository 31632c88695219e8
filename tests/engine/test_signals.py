"""Signals, from a real shell: a run takes no more, lets tasks end, records, and says how it ended."""

import os
import signal
from typing import Any

import pytest

from engine.store import Store

HOW = pytest.mark.parametrize(
    "how", [[], ["--workers", "2"], ["--processes", "1"]], ids=["inline", "threads", "processes"]
)


def ending(workplace: Any) -> str:
    with Store(workplace.store) as store:
        (run,) = store.runs.all()
    return str(run["ending"])


def states(workplace: Any) -> dict[str, object]:
    return {key: row["state"] for key, row in workplace.ls().items()}


@HOW
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl+c", "SIGTERM"])
def test_the_first_signal_lets_the_task_end_and_starts_no_other(
    slow: Any, how: list[str], number: int, code: int
) -> None:
    slow.orders("A-1")
    with slow.start("run", "orders:Slow", *how) as process:
        slow.wait_until_inside()
        process.send_signal(number)
        slow.go_on()
        ended, out, err = slow.ended(process)
    assert ended == code, err
    assert "Traceback" not in err
    assert "1 considered" in " ".join(out.split())
    assert slow.done == ["Fetch A-1", "Wait A-1"]
    assert ending(slow) == "stopped"
    row = slow.ls()["A-1"]
    assert (row["state"], row["task"], row["done"]) == ("ready", "Send", 2)

    assert slow.wfe("run", "orders:Slow", *how).returncode == 0
    assert slow.done == ["Fetch A-1", "Wait A-1", "Send A-1"]


@HOW
def test_the_second_signal_breaks_off_and_what_was_under_way_is_in_doubt(slow: Any, how: list[str]) -> None:
    slow.orders("A-1")
    with slow.start("run", "orders:Slow", *how) as process:
        slow.wait_until_inside()
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        code, _, err = slow.ended(process)
    assert code in (130, 143)
    assert "in doubt" in err
    assert "Traceback" not in err
    assert states(slow) == {"A-1": "in doubt"}
    assert ending(slow) == "aborted"


@pytest.mark.usefixtures("buffering")
def test_a_run_that_is_broken_off_ends_at_once_although_its_reader_was_ended_too(slow: Any) -> None:
    """As `wfe run --workers 2 | tee log`, in which ctrl+c ends `tee`."""
    slow.orders("A-1")
    with slow.start("run", "orders:Slow", "--workers", "2", "--grace", "0.2") as process:
        slow.wait_until_inside()
        process.stdout.close()
        process.send_signal(signal.SIGINT)
        code, _, err = slow.ended(process)
    assert code == 141, err
    assert "in doubt" in err
    assert "Traceback" not in err
    assert states(slow) == {"A-1": "in doubt"}


@HOW
def test_a_task_that_outlasts_the_grace_is_broken_off(slow: Any, how: list[str]) -> None:
    slow.orders("A-1")
    with slow.start("run", "orders:Slow", "--grace", "0.2", *how) as process:
        slow.wait_until_inside()
        process.send_signal(signal.SIGTERM)
        code, _, err = slow.ended(process)
    assert code == 143, err
    assert states(slow) == {"A-1": "in doubt"}
    assert ending(slow) == "aborted"


DEAF = """

class Deaf(Slow):
    def get_tasks(self):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})  # so another thread takes them
        return [Wait(self)]
"""


def test_a_signal_that_does_not_wake_the_task_up_breaks_it_off_all_the_same(slow: Any) -> None:
    slow.extend(DEAF)
    slow.orders("A-1")
    with slow.start("run", "orders:Deaf", "--grace", "0.2") as process:
        slow.wait_until_inside()
        process.send_signal(signal.SIGTERM)
        code, _, err = slow.ended(process)
    assert code == 143, err
    assert states(slow) == {"A-1": "in doubt"}


FORKING = """

class Forked(Task):
    def process_entry(self, entry, dry_run=False):
        ready, say = os.pipe()
        child = os.fork()
        if not child:
            os.write(say, b".")
            signal.pause()
        os.read(ready, 1)
        os.kill(child, signal.SIGTERM)
        return Status(message=f"ended by signal {os.waitpid(child, 0)[1]}")


class Forking(Orders):
    def get_tasks(self):
        return [Forked(self), Send(self)]
"""


@HOW
def test_a_signal_to_a_process_that_a_task_forked_is_for_that_process_alone(workplace: Any, how: list[str]) -> None:
    workplace.extend(FORKING)
    workplace.orders("A-1")
    run = workplace.wfe("run", "orders:Forking", *how)
    assert run.returncode == 0, run.stderr
    assert workplace.done == ["Send A-1"]
    assert "ended by signal 15" in workplace.wfe("show", "A-1").stdout


def test_ctrl_c_in_a_terminal_goes_to_the_workers_too_who_leave_it_to_the_run(slow: Any) -> None:
    slow.orders("A-1")
    with slow.start("run", "orders:Slow", "--processes", "1", start_new_session=True) as process:
        slow.wait_until_inside()
        os.killpg(process.pid, signal.SIGINT)
        slow.go_on()
        code, _, err = slow.ended(process)
    assert code == 130, err
    assert slow.done == ["Fetch A-1", "Wait A-1"]
    assert states(slow) == {"A-1": "ready"}


@pytest.mark.slow
def test_a_paused_processor_starts_no_task_until_it_is_resumed(workplace: Any) -> None:
    workplace.orders("A-1 raise")
    workplace.wfe("run", "orders:Orders")
    assert workplace.wfe("pause", "Orders", "--why", "carrier down").returncode == 0
    workplace.orders("A-1 raise", "A-2")
    held = workplace.wfe("run", "orders:Orders")
    assert held.returncode == 0
    assert "carrier down" in held.stderr
    assert "A-2" not in workplace.ls()
    workplace.repair()
    restarted = workplace.wfe("restart", "A-1")
    assert "carrier down" in restarted.stderr
    assert workplace.ls()["A-1"]["state"] == "ready"
    assert workplace.wfe("resume", "Orders").returncode == 0
    assert workplace.wfe("run", "orders:Orders", "--actions").returncode == 0
    assert workplace.ls()["A-1"]["state"] == "finished"


def test_a_pause_lets_the_task_end_that_runs_and_no_other_begin(slow: Any) -> None:
    slow.orders("A-1", "A-2")
    with slow.start("run", "orders:Slow") as process:
        slow.wait_until_inside()
        assert slow.wfe("pause", "Slow", "--why", "inventory").returncode == 0
        slow.go_on()
        code, _, err = slow.ended(process)
    assert code == 0
    assert "inventory" in err
    assert slow.done == ["Fetch A-1", "Wait A-1"]
    assert ending(slow) == "stopped"
    assert states(slow)["A-1"] == "ready"
