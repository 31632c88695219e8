"""`wfe runs`: the newest first, those that are asked for, and one with its figures."""

import json
from typing import Any

import pytest


@pytest.fixture
def place(workplace: Any) -> Any:
    workplace.orders("A-1", "A-2 raise")
    workplace.wfe("run", "orders:Orders")
    workplace.wfe("run", "orders:Orders", "A-1")
    return workplace


def test_runs_are_listed_the_newest_first_as_many_as_are_asked_for(place: Any) -> None:
    rows = [json.loads(line) for line in place.wfe("runs", "--json").stdout.splitlines()]
    assert [(row["run"], row["processor"], row["ending"], row["considered"], row["failed"]) for row in rows] == [
        (2, "orders:Orders", "completed", 1, 0),
        (1, "orders:Orders", "completed", 2, 1),
    ]
    done = place.wfe("runs", "--limit", "1")
    assert done.returncode == 0
    head, line = done.stdout.splitlines()
    assert head.split() == ["RUN", "PROCESSOR", "STARTED", "AGE", "TOOK", "ENDED", "CONSIDERED", "FAILED", "RATE"]
    assert line.split()[:2] == ["2", "orders:Orders"]
    assert "completed" in line


@pytest.mark.parametrize(("words", "numbers"), [(["COMPLETED", "orders"], [2, 1]), (["crashed"], []), (["--open"], [])])
def test_words_say_which_runs_are_meant(place: Any, words: list[str], numbers: list[int]) -> None:
    done = place.wfe("runs", *words, "--json")
    assert done.returncode == 0
    assert [json.loads(line)["run"] for line in done.stdout.splitlines()] == numbers


def test_one_run_is_shown_with_where_it_ran_its_tasks_and_its_results_over_time(place: Any) -> None:
    told = json.loads(place.wfe("runs", "1", "--json").stdout)
    assert {each["task"]: each["executions"] for each in told["tasks"]} == {"Fetch": 2, "Check": 2, "Send": 1}
    assert all(each["median"] <= each["p95"] <= each["sum"] * 1.1 for each in told["tasks"])
    assert sum(each["results"] for each in told["over_time"]) == 5
    assert sum(each["failures"] for each in told["over_time"]) == 1
    assert told["host"]
    assert told["pid"]
    assert told["states"] == {"finished": 1, "failed": 1}
    lines = place.wfe("runs", "1").stdout.splitlines()
    assert lines[0] == "run 1  orders:Orders  completed"
    assert lines[1].startswith("started ")
    assert f"host {told['host']}, pid {told['pid']}" in lines[1]
    assert lines[2].startswith("2 entries, ")
    assert any(line.startswith("results   ") for line in lines)
    assert any(line.startswith("failures  ") for line in lines)


def test_a_run_that_is_not_there_is_refused(place: Any) -> None:
    done = place.wfe("runs", "77")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"wfe: there is no run 77 in {place.store}: `wfe runs` lists them\n"


@pytest.mark.slow
def test_a_run_that_goes_on_is_open(slow: Any) -> None:
    with slow.start("run", "orders:Slow") as process:
        slow.wait_until_inside()
        rows = [json.loads(line) for line in slow.wfe("runs", "--open", "--json").stdout.splitlines()]
        assert [(row["run"], row["ending"]) for row in rows] == [(1, None)]
        assert "running" in slow.wfe("runs", "1").stdout
        process.kill()
    assert slow.wfe("runs", "crashed").stdout.count("orders:Slow") == 1
