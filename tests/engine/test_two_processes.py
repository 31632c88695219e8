"""Real processes on one store: nothing runs twice, and a process that is killed leaves the truth behind."""

import signal
from typing import Any

import orjson
import pytest
from tinydb import where
from waiting import until

from engine.store import Store

pytestmark = pytest.mark.slow


def test_two_runs_at_once_execute_each_task_once(workplace: Any) -> None:
    keys = [f"A-{number:03}" for number in range(60)]
    workplace.orders(*keys)
    with workplace.start("run", "orders:Orders") as first, workplace.start("run", "orders:Orders") as second:
        ends = [workplace.ended(first), workplace.ended(second)]
    assert [code for code, _, _ in ends] == [0, 0], ends
    assert sorted(workplace.done) == sorted(f"{task} {key}" for task in ("Fetch", "Check", "Send") for key in keys)
    rows = workplace.ls()
    assert {row["state"] for row in rows.values()} == {"finished"}
    assert list(rows) == keys, "no entry was written twice"


def test_what_two_runs_wrote_is_all_there(workplace: Any) -> None:
    keys = [f"A-{number:03}" for number in range(40)]
    workplace.orders(*keys)
    with workplace.start("run", "orders:Orders") as first, workplace.start("run", "orders:Orders") as second:
        workplace.ended(first)
        workplace.ended(second)
    with Store(workplace.store) as store:
        documents = store.entries.all()
    assert {document["data"]["price"] for document in documents} == {7}
    for document in documents:
        names = [execution["name"] for execution in document["executions"]]
        assert names == ["Fetch", "Check", "Send"]
        assert document["executions"][-1]["status"]["message"] == "sent for 7"


def test_a_run_leaves_an_entry_to_the_run_that_works_on_it_and_does_the_others(slow: Any) -> None:
    slow.orders("A-1")
    with slow.start("run", "orders:Slow") as first:
        slow.wait_until_inside()
        slow.wait_until_shown("A-1", state="running", task="Wait")
        second = slow.wfe("run", "orders:Slow")
        assert second.returncode == 0
        assert "running" in second.stdout
        refused = slow.wfe("restart", "A-1")
        assert refused.returncode == 1
        assert "running" in refused.stderr
        slow.go_on()
        assert slow.ended(first)[0] == 0
    assert slow.done == ["Fetch A-1", "Wait A-1", "Send A-1"]


def test_a_killed_run_leaves_its_entry_in_doubt_and_a_restart_brings_it_to_the_end(workplace: Any) -> None:
    workplace.orders("A-0", "A-1 die", "A-2")
    killed = workplace.wfe("run", "orders:Orders")
    assert killed.returncode == -signal.SIGKILL
    rows = {row["key"]: row for row in map(orjson.loads, workplace.wfe("ls", "--json").stdout.splitlines())}
    assert {key: row["state"] for key, row in rows.items()} == {"A-0": "finished", "A-1": "in doubt", "A-2": "ready"}
    assert (rows["A-1"]["task"], rows["A-1"]["done"]) == ("Check", 1)

    workplace.repair()
    again = workplace.wfe("run", "orders:Orders")
    assert again.returncode == 1, "nothing that may have had an effect is repeated unasked"
    assert "in doubt" in again.stdout
    assert workplace.done.count("Check A-1") == 1
    assert workplace.ls()["A-2"]["state"] == "finished"

    assert workplace.wfe("restart", "A-1").returncode == 0
    assert workplace.ls()["A-1"]["state"] == "finished"
    assert workplace.done[-2:] == ["Check A-1", "Send A-1"]
    assert workplace.done.count("Fetch A-1") == 1


def test_repeat_on_brings_an_entry_in_doubt_to_the_end_as_well(workplace: Any) -> None:
    workplace.orders("A-1 die")
    workplace.wfe("run", "orders:Orders")
    workplace.repair()
    assert workplace.wfe("repeat", "on", "A-1").returncode == 0
    assert workplace.wfe("run", "orders:Orders").returncode == 0
    assert workplace.ls()["A-1"]["state"] == "finished"


def test_everything_done_before_the_kill_is_in_the_store(workplace: Any) -> None:
    workplace.orders(*(f"A-{number}" for number in range(30)), "B die")
    workplace.wfe("run", "orders:Orders")
    with Store(workplace.store) as store:
        recorded = {
            f"{execution['name']} {document['key']}"
            for document in store.entries.all()
            for execution in document["executions"] or []
        }
        (run,) = store.runs.all()
        assert run["ending"] == "crashed"
        assert not store.is_alive(run["owner"])
    assert recorded == set(workplace.done)


def test_an_action_of_a_killed_worker_is_taken_up_by_the_next(workplace: Any) -> None:
    workplace.orders("A-1 raise")
    workplace.wfe("run", "orders:Orders")
    workplace.orders("A-1 die")
    assert workplace.wfe("restart", "A-1").returncode == 2
    assert workplace.ls()["A-1"]["state"] == "in doubt"
    workplace.repair()
    assert workplace.wfe("restart", "A-1").returncode == 0
    assert workplace.ls()["A-1"]["state"] == "finished"
    with Store(workplace.store) as store:
        assert not any(action["open"] for action in store.actions.all())


def test_two_workers_do_an_action_once(workplace: Any) -> None:
    keys = [f"A-{number}" for number in range(20)]
    workplace.orders(*(f"{key} raise" for key in keys))
    workplace.wfe("run", "orders:Orders")
    workplace.repair()
    with workplace.start("restart", *keys[:10]) as first, workplace.start("restart", *keys[10:]) as second:
        assert [workplace.ended(first)[0], workplace.ended(second)[0]] == [0, 0]
    assert {row["state"] for row in workplace.ls().values()} == {"finished"}
    for key in keys:
        assert workplace.done.count(f"Check {key}") == 2
        assert workplace.done.count(f"Send {key}") == 1


SHARED = '''

import time

class Shared(Orders):
    def get_tasks(self):
        return [Send(self)]


note_at_once = note


def note(task, entry):
    """An effect takes its time, as effects do."""
    note_at_once(task, entry)
    time.sleep(0.005)
'''


@pytest.fixture
def shared(workplace: Any) -> Any:
    """The workplace, with a workflow of one task over many orders."""
    workplace.extend(SHARED)
    workplace.orders(*MANY)
    return workplace


MANY = [f"A-{number:03}" for number in range(300)]


@pytest.mark.parametrize("number", [2, 4])
def test_processes_share_the_entries_of_a_workflow_and_run_each_once(shared: Any, number: int) -> None:
    runs = [shared.start("run", "orders:Shared") for _ in range(number)]
    ends = [shared.ended(run) for run in runs]
    assert [code for code, _, _ in ends] == [0] * number, ends
    assert sorted(shared.done) == [f"Send {key}" for key in MANY]
    assert {key: row["state"] for key, row in shared.ls().items()} == dict.fromkeys(MANY, "finished")
    with Store(shared.store) as store:
        assert len(store.entries.counts("run")) > 1, "they did not share the work"
        assert store.entries.count(where("owner") != None) == 0  # noqa: E711


def test_of_processes_that_share_entries_one_is_killed_and_nothing_is_executed_twice(shared: Any) -> None:
    runs = [shared.start("run", "orders:Shared") for _ in range(4)]
    until(lambda: len(shared.done) >= 50)
    runs[0].kill()
    ends = [shared.ended(run) for run in runs]
    assert ends[0][0] == -signal.SIGKILL, "it was killed too late"
    assert {code for code, _, _ in ends[1:]} <= {0, 1}, ends
    left = [row["state"] for row in shared.ls().values() if row["state"] != "finished"]
    assert set(left) <= {"ready", "in doubt"}
    assert left.count("in doubt") <= 1, "more is in doubt than what the dead process was inside of"

    shared.wfe("run", "orders:Shared")
    in_doubt = [key for key, row in shared.ls().items() if row["state"] != "finished"]
    assert len(in_doubt) <= 1
    assert [shared.ls()[key]["state"] for key in in_doubt] == ["in doubt"] * len(in_doubt)
    assert len(shared.done) == len(set(shared.done)), "no execution had its effect twice"
    assert {f"Send {key}" for key in MANY} - set(shared.done) <= {f"Send {key}" for key in in_doubt}
