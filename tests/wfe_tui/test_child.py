"""An engine process that the console starts: its fate, its output, and what becomes of it when the console goes."""

import os
import queue
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from waiting import until

from engine.store import Store
from engine.worker.actions import WorkerCommand, worker_command
from wfe_tui.child import TAIL, Child


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Child]:
    """Runs a Python text as a child to its end."""

    def start(code: str) -> Child:
        ended: queue.Queue[Child] = queue.Queue()
        command = WorkerCommand([sys.executable, "-c", code], str(tmp_path), dict(os.environ))
        child = Child("some:Processor", False, command, ended.put)
        child.start()
        assert ended.get(timeout=30) is child
        child.join()
        return child

    return start


@pytest.mark.parametrize(("code", "failed"), [(0, False), (1, False), (2, True), (7, True)])
def test_entries_that_failed_are_no_failure_of_the_process_all_else_is(run: Any, code: int, failed: bool) -> None:
    child = run(f"raise SystemExit({code})")
    assert (child.exit_code, child.failed, child.runs) == (code, failed, False)


def test_a_process_that_was_killed_has_failed(run: Any) -> None:
    child = run("import os; os.kill(os.getpid(), 9)")
    assert child.exit_code == -9
    assert child.failed


def test_both_streams_are_kept_in_their_order(run: Any) -> None:
    child = run("import os; os.write(1, b'out\\n'); os.write(2, b'err\\n'); os.write(1, b'\\xff\\n')")
    assert child.output == "out\nerr\n\ufffd\n"


def test_of_much_output_the_end_is_kept(run: Any) -> None:
    child = run(f"print('x' * {3 * TAIL} + 'the end')")
    assert len(child.output) == TAIL
    assert child.output.endswith("the end\n")


def test_output_is_seen_while_the_process_runs_and_it_reads_no_keys(tmp_path: Path) -> None:
    go = tmp_path / "go"
    os.mkfifo(go)
    code = f"import sys; print('hello', repr(sys.stdin.read()), flush=True); open({str(go)!r}).read()"
    ended: queue.Queue[Child] = queue.Queue()
    child = Child("a:B", False, WorkerCommand([sys.executable, "-c", code], str(tmp_path), dict(os.environ)), ended.put)
    child.start()
    until(lambda: "hello" in child.output)
    assert child.output == "hello ''\n"
    assert child.runs
    go.open("w").close()
    ended.get(timeout=20)
    child.join()
    assert not child.runs


def test_a_program_that_is_not_there_is_a_failure_that_says_so(tmp_path: Path) -> None:
    ended: queue.Queue[Child] = queue.Queue()
    child = Child("a:B", False, WorkerCommand(["/no/python"], str(tmp_path), {}), ended.put)
    child.start()
    ended.get(timeout=20)
    child.join()
    assert child.exit_code == 2
    assert child.output.startswith("/no/python cannot be started: ")


def test_it_lives_on_when_the_process_that_started_it_ends(tmp_path: Path) -> None:
    for name in ("here", "go"):
        os.mkfifo(tmp_path / name)
    starter = (
        "import os, sys\nfrom engine.worker.actions import WorkerCommand\nfrom wfe_tui.child import Child\n"
        "code = \"open('here', 'w').close(); open('go').readline(); print('unread'); open('done', 'w').close()\"\n"
        "command = WorkerCommand([sys.executable, '-c', code], os.getcwd(), dict(os.environ))\n"
        "Child('a:B', False, command, print).start()\nopen('here').close()\n"
    )
    path = str(Path(__file__).parent.parent.parent)
    environment = {**os.environ, "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", starter], cwd=tmp_path, env=environment, check=True, timeout=20)
    with (tmp_path / "go").open("r+b", buffering=0) as go:  # held open here, so that nobody waits who is alone with it
        go.write(b"\n")
        until((tmp_path / "done").exists)


def test_a_workers_command_does_the_open_actions_where_the_last_run_was_started(place: Any) -> None:
    with Store(place.store) as store:
        command = worker_command(store, "orders:Orders", actions=True)
    assert command.folder == str(place.folder)
    assert command.argv[1:] == ["-m", "engine", "run", "orders:Orders", "--actions", "--store", str(place.store)]
