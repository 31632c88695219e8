"""The operator's verbs: what they do to each entry, what they refuse and why, and what is recorded of them."""

import inspect
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from desk import Check, Desk, Fetch, Order, Orders, breaks, dies, interrupts
from tinydb import where

from engine import (
    EngineError,
    RepeatAfterCycle,
    RepeatAfterTime,
    RepeatWithBackoff,
    Store,
    StoreError,
    Task,
)
from engine.lookup.entries import find_error, rows
from engine.operations import (
    Cancel,
    Given,
    Hold,
    Restart,
    SetRepeat,
    Skip,
    Verb,
    act,
    drain,
    pause,
    preview,
    restart,
    resume,
    shell_line,
    stop,
    toggle_repeat,
)
from engine.operations.paging import PAGE
from engine.operations.verbs import VERBS
from engine.worker.actions import execute_actions


class Others(Orders):
    """A second workflow on the same store."""


EVERY_VERB: list[Verb] = [*VERBS, SetRepeat(RepeatAfterTime(hours=1), 2)]

EVERY_ACT: list[tuple[str, Callable[[Store], object]]] = [
    *((verb.name, lambda store, verb=verb: act(verb, ["A-1"], store=store)) for verb in EVERY_VERB),
    ("pause", lambda store: pause("Orders", store=store)),
    ("resume", lambda store: resume("Orders", store=store)),
    ("stop", lambda store: stop(1, store=store)),
    ("drain", lambda store: drain(1, store=store)),
]


# --- repeat


def test_repeat_on_lets_the_next_run_execute_the_failed_task_again(desk: Desk) -> None:
    desk.run(breaks)
    assert desk.run() == []
    done = desk.repeat("A-1")
    assert done.accepted == ("A-1",)
    assert desk.state("A-1") == "ready"
    assert desk.state("A-2") == "failed"
    assert desk.run() == ["Check A-1"]
    assert desk.state("A-1") == "finished"


def test_repeat_on_an_interrupted_entry_does_the_same(desk: Desk) -> None:
    desk.run(interrupts(message="no answer"))
    desk.repeat("A-1")
    assert desk.run() == ["Check A-1"]


def test_repeat_on_an_entry_in_doubt_executes_its_task_again(desk: Desk) -> None:
    desk.crash()
    assert desk.state("A-1") == "in doubt"
    desk.repeat("A-1")
    assert desk.state("A-1") == "ready"
    desk.repeat("A-1", on=False)
    assert desk.state("A-1") == "in doubt"
    desk.repeat("A-1")
    assert "Check A-1" in desk.run()
    assert desk.state("A-1") == "finished"


def test_repeat_on_goes_beyond_a_bound_of_reruns_and_before_a_time(desk: Desk) -> None:
    desk.run(interrupts(repeat=RepeatAfterTime(days=7), max_reruns=0))
    desk.repeat("A-1")
    assert desk.run() == ["Check A-1"]


def test_repeat_off_stops_an_entry_that_would_repeat(desk: Desk) -> None:
    desk.run(interrupts(repeat=RepeatAfterCycle(after_cycle=1)))
    done = desk.repeat("A-1", "A-2", on=False)
    assert done.accepted == ("A-1", "A-2")
    assert desk.state("A-1") == "interrupted"
    assert desk.run() == []


def test_repeat_on_and_off_leaves_a_failed_entry_failed(desk: Desk) -> None:
    desk.run(breaks)
    desk.repeat("A-1")
    desk.repeat("A-1", on=False)
    assert desk.state("A-1") == "failed"
    assert desk.run() == []


def test_repeat_off_takes_back_a_restart(desk: Desk) -> None:
    desk.run(breaks)
    desk.restart("A-1")
    desk.repeat("A-1", on=False)
    assert desk.state("A-1") == "failed"
    assert desk.take() == []


def test_a_repeat_is_on_for_one_execution(desk: Desk) -> None:
    desk.run(breaks)
    desk.repeat("A-1")
    desk.run(breaks)
    assert desk.run() == []


# --- restart


def test_restart_keeps_finished_tasks_and_is_done_by_a_worker(desk: Desk) -> None:
    desk.run(breaks)
    done = desk.restart("A-1")
    assert done.to_run
    assert desk.take() == ["Check A-1"]
    assert desk.state("A-1") == "finished"
    assert desk.state("A-2") == "failed"
    assert desk.take() == [], "it is done once"


def test_restart_from_the_start_executes_finished_tasks_too(desk: Desk) -> None:
    desk.run(breaks)
    desk.restart("A-1", from_start=True)
    assert desk.take() == ["Fetch A-1", "Check A-1"]
    executions = desk.document("A-1")["executions"]
    assert [(e["name"], e["run_count"]) for e in executions] == [("Fetch", 1), ("Check", 1), ("Fetch", 2), ("Check", 2)]


def test_a_finished_entry_is_restarted_from_the_start_only(desk: Desk) -> None:
    desk.run()
    refused = desk.restart("A-1")
    assert refused.accepted == ()
    assert "from the start" in refused.refused["A-1"]
    assert desk.action()["open"] is False, "there is nothing to do"
    assert "from the start" in desk.repeat("A-1").refused["A-1"]
    desk.restart("A-1", from_start=True)
    assert desk.take() == ["Fetch A-1", "Check A-1"]
    assert desk.document("A-1")["finished"]


def test_a_restart_that_fails_again_can_be_restarted_again(desk: Desk) -> None:
    desk.run()
    desk.restart("A-1", from_start=True)
    assert desk.take(breaks) == ["Fetch A-1", "Check A-1"]
    assert desk.state("A-1") == "failed"
    desk.restart("A-1")
    assert desk.take() == ["Check A-1"]
    assert desk.state("A-1") == "finished"


def test_a_restart_outweighs_a_time_that_has_not_come(desk: Desk) -> None:
    desk.run(interrupts(repeat=RepeatAfterTime(days=7)))
    desk.restart("A-1")
    assert desk.take() == ["Check A-1"]


def test_a_run_that_comes_before_a_worker_takes_a_restart_up_as_well(desk: Desk) -> None:
    desk.run(breaks)
    desk.restart("A-1")
    assert desk.run() == ["Check A-1"]
    assert desk.take() == []


def test_restarting_an_entry_in_doubt_executes_its_task_again(desk: Desk) -> None:
    desk.crash()
    desk.restart("A-1")
    assert desk.take() == ["Check A-1"]
    assert desk.state("A-1") == "finished"


# --- decide


@pytest.fixture
def in_doubt(desk: Desk) -> Desk:
    """A-1 is in doubt, A-2 was not executed yet."""
    desk.crash()
    return desk


def test_decided_again_the_task_is_executed_again_by_a_worker(in_doubt: Desk) -> None:
    done = in_doubt.decide("again", "A-1")
    assert (done.accepted, done.to_run) == (("A-1",), ("desk:Orders",))
    assert in_doubt.take() == ["Check A-1"]
    assert in_doubt.state("A-1") == "finished"


def test_decided_done_the_task_is_kept_as_processed_and_the_entry_goes_on(in_doubt: Desk) -> None:
    in_doubt.clock.turn(hours=1)
    done = in_doubt.decide("done", "A-1", who="kim@desk", why="the carrier has it")
    assert (done.verb, done.accepted, done.to_run) == ("decide done", ("A-1",), ("desk:Orders",))
    assert in_doubt.take() == [], "Check was the last"
    document = in_doubt.document("A-1")
    assert (document["state"], bool(document["finished"])) == ("finished", True)
    check = document["executions"][-1]
    assert (check["name"], check["processed"], check["running"]) == ("Check", True, False)
    assert datetime.fromisoformat(check["finished_at"]) == in_doubt.clock()
    assert check["status"]["message"] == "decided done by kim@desk: the carrier has it"


def test_decided_done_the_next_task_sees_what_was_kept_of_the_entry(desk: Desk) -> None:
    class Longer(Orders):
        def get_tasks(self) -> list[Task]:
            return [Check(self), Fetch(self)]

    desk.crash(kind=Longer)
    desk.ran = []
    desk.decide("done", "A-1")
    assert desk.state("A-1") == "ready"
    execute_actions(Longer(desk))
    assert desk.ran == ["Fetch A-1"]
    assert desk.state("A-1") == "finished"


def test_a_decision_is_signed_and_recorded(in_doubt: Desk) -> None:
    in_doubt.decide("done", "A-1", why="seen")
    action = in_doubt.action()
    assert (action["verb"], action["why"], action["keys"], action["open"]) == ("decide done", "seen", ["A-1"], True)
    assert in_doubt.document("A-1")["executions"][-1]["status"]["message"] == f"decided done by {action['who']}: seen"


@pytest.mark.parametrize("verdict", ["again", "done"])
def test_what_is_not_in_doubt_is_not_decided(desk: Desk, verdict: str) -> None:
    desk.entries = [{"key": key} for key in ("broken", "stopped", "late", "fine", "unsure", "new")]
    fates = {"broken": breaks, "stopped": interrupts(), "late": interrupts(repeat=RepeatAfterTime(hours=1))}
    desk.crash(lambda entry: {**fates, "fine": lambda entry: None, "unsure": dies}[entry.key](entry))
    done = desk.decide(verdict, "broken", "stopped", "late", "fine", "unsure", "new", "nosuch")
    assert done.accepted == ("unsure",)
    assert done.refused.pop("nosuch").startswith("there is no entry 'nosuch'")  # type: ignore[attr-defined]
    assert done.refused == {
        "broken": "it is not in doubt, it is failed: restart it",
        "stopped": "it is not in doubt, it is interrupted: restart it",
        "late": "it is not in doubt, it is waiting",
        "fine": "it is not in doubt, it is finished",
        "new": "it is not in doubt, it is ready",
    }
    assert desk.take() == (["Check unsure"] if verdict == "again" else [])


def test_an_entry_that_failed_outside_its_tasks_is_not_in_doubt(desk: Desk) -> None:
    desk.run()
    # As a run leaves it whose filter raised.
    desk.store.entries.update({"state": "failed", "error_id": "e", "reason": "OSError"}, where("key") == "A-1")
    assert desk.decide("done", "A-1").refused == {"A-1": "it is not in doubt, it is failed: restart it"}


def test_done_is_a_fact_that_no_due_date_forbids_again_is_an_execution_that_it_does(
    in_doubt: Desk, zone: Callable[[str], None]
) -> None:
    zone("UTC")
    in_doubt.store.entries.update({"due_date": "2026-11-23"}, where("key") == "A-1")
    in_doubt.clock.turn(days=1)
    assert "has passed" in in_doubt.decide("again", "A-1").refused["A-1"]
    assert in_doubt.decide("done", "A-1").accepted == ("A-1",)
    assert in_doubt.state("A-1") == "finished"


# --- skip


def test_a_skip_takes_the_failed_task_as_done_and_a_worker_finishes_the_entry(desk: Desk) -> None:
    desk.run(breaks)
    desk.clock.turn(hours=1)
    done = desk.act(Skip(), "A-1", who="kim@desk", why="the customer is known")
    assert (done.accepted, done.to_run) == (("A-1",), ("desk:Orders",))
    assert desk.take() == [], "Check was the last"
    document = desk.document("A-1")
    assert (document["state"], bool(document["finished"])) == ("finished", True)
    failed, skipped = (each for each in document["executions"] if each["name"] == "Check")
    assert (failed["skipped"], failed["processed"]) == (False, False), "what was is kept"
    assert (skipped["skipped"], skipped["processed"], skipped["run_count"]) == (True, True, 2)
    assert skipped["status"]["message"] == "skipped by kim@desk: the customer is known"
    assert datetime.fromisoformat(skipped["finished_at"]) == desk.clock()
    assert desk.action()["verb"] == "skip"


def test_a_task_that_was_not_executed_yet_is_skipped_and_the_next_one_runs(desk: Desk) -> None:
    desk.run(limit=1)
    desk.act(Skip(), "A-2")
    assert desk.take() == ["Check A-2"]
    assert [(e["name"], e["skipped"]) for e in desk.document("A-2")["executions"]] == [
        ("Fetch", True),
        ("Check", False),
    ]
    assert desk.state("A-2") == "finished"


@pytest.mark.parametrize("repeat", [RepeatAfterTime(hours=1), RepeatAfterCycle(after_cycle=5), True])
def test_what_waits_or_repeats_is_skipped_and_repeats_no_more(desk: Desk, repeat: Any) -> None:
    desk.run(interrupts(repeat=repeat))
    desk.act(Skip(), "A-1")
    assert desk.take() == []
    assert desk.state("A-1") == "finished"
    desk.clock.turn(days=1)
    desk.entries = [{"key": "A-1"}]
    assert desk.run() == []


def test_a_skip_takes_back_a_restart_of_that_task(desk: Desk) -> None:
    desk.run(breaks)
    desk.restart("A-1")
    desk.act(Skip(), "A-1")
    assert desk.take() == []


def test_what_is_finished_or_in_doubt_is_not_skipped(desk: Desk) -> None:
    desk.run(limit=1)
    desk.crash()
    assert desk.act(Skip(), "A-1", "A-2").refused == {
        "A-1": "it is finished: there is no task to skip",
        "A-2": "Check may have taken effect: decide first whether it did",
    }
    assert desk.action()["open"] is False


def test_an_entry_that_failed_outside_its_tasks_is_skipped_only_where_a_task_is(desk: Desk) -> None:
    desk.run(limit=1)
    desk.crash()
    # As a run leaves them whose filter raised.
    desk.store.entries.update({"state": "failed", "error_id": "e", "reason": "OSError"})
    assert desk.act(Skip(), "A-1", "A-2").refused == {
        "A-1": "none of its tasks failed: the next run considers it again",
        "A-2": "Check may have taken effect: decide first whether it did",
    }


# --- what is refused, one by one


def test_one_key_that_is_refused_does_not_cost_the_others(desk: Desk) -> None:
    desk.run(lambda entry: breaks(entry) if entry.key == "A-1" else None)
    done = desk.restart("A-1", "A-2", "A-77")
    assert done.accepted == ("A-1",)
    assert set(done.refused) == {"A-2", "A-77"}
    assert "'A-77'" in done.refused["A-77"]
    assert desk.take() == ["Check A-1"]


def test_an_entry_that_runs_is_refused(desk: Desk) -> None:
    refusals: list[Any] = []

    def meanwhile(entry: Order) -> None:
        with Store(desk.store.path) as other:
            refusals.append(restart([entry.key], store=other).refused)
            refusals.append(toggle_repeat([entry.key], True, store=other).refused)

    desk.run(meanwhile)
    assert all("running" in refused["A-1"] for refused in refusals[:2])


def test_an_entry_that_was_never_executed_has_nothing_to_repeat(desk: Desk) -> None:
    desk.run(limit=0)
    desk.run(limit=1)
    assert "not executed yet" in desk.repeat("A-2").refused["A-2"]


@pytest.mark.parametrize(
    ("due_date", "said"), [("2026-11-23", "passed"), ("<2026-11-24", "passed")], ids=["on a day", "before a day"]
)
@pytest.mark.parametrize("verb", ["repeat", "restart", "restart from the start"])
def test_an_entry_whose_due_date_has_passed_is_not_promised_to_run(
    desk: Desk, zone: Callable[[str], None], due_date: str, said: str, verb: str
) -> None:
    zone("UTC")
    desk.entries = [{"key": "A-1", "due_date": due_date}]
    desk.run(breaks if verb != "restart from the start" else None)
    desk.clock.turn(days=1)
    before = desk.document("A-1")
    done = desk.repeat("A-1") if verb == "repeat" else desk.restart("A-1", from_start=verb != "restart")
    assert due_date in done.refused["A-1"]
    assert said in done.refused["A-1"]
    assert desk.document("A-1") == before


def test_an_entry_whose_due_date_has_not_come_is_refused_with_that_date(desk: Desk) -> None:
    desk.entries = [{"key": "A-1", "due_date": ">2026-12-01"}]
    desk.run()
    assert ">2026-12-01" in desk.restart("A-1").refused["A-1"]


def test_a_worker_leaves_alone_what_was_refused(desk: Desk) -> None:
    desk.entries = [{"key": "A-1"}, {"key": "A-2", "due_date": ">2026-12-01"}]
    desk.run(breaks)
    assert desk.restart("A-1", "A-2").accepted == ("A-1",)
    desk.clock.turn(days=30)
    assert desk.take() == ["Check A-1"]


def test_a_key_of_two_workflows_needs_the_name_of_one(desk: Desk) -> None:
    desk.run(breaks)
    Others(desk).process_entries()
    refusal = desk.restart("A-1").refused["A-1"]
    assert "desk:Orders" in refusal
    assert "test_operations:Others" in refusal
    assert desk.restart("A-1", processor="test_operations:Others", from_start=True).accepted == ("A-1",)
    assert desk.take() == [], "the other workflow's"


@pytest.mark.parametrize("act", EVERY_ACT, ids=lambda act: act[0])
def test_on_a_store_that_is_opened_read_only_nothing_is_done(desk: Desk, act: tuple[str, Any]) -> None:
    desk.run(breaks)
    before = desk.store.seq()
    with Store(desk.store.path, read_only=True) as reader, pytest.raises(StoreError, match=f"read only: {act[0]} was"):
        act[1](reader)
    assert desk.store.seq() == before


@pytest.mark.parametrize("verb", EVERY_VERB, ids=lambda verb: " ".join(verb.words))
@pytest.mark.parametrize("executor", ["inline", "threads"])
def test_documents_of_before_there_were_halts_go_on_as_before(desk: Desk, verb: Verb, executor: str) -> None:
    desk.entries = [{"key": key} for key in ("broken", "fine", "new")]
    desk.run(lambda entry: breaks(entry) if entry.key == "broken" else None, limit=2)

    def older(document: Any) -> None:
        del document["halt"]

    desk.store.entries.update(older)
    assert {row.state for row in rows(desk.store, desk.clock())} == {"failed", "finished", "ready"}
    assert preview(verb, ["broken", "fine", "new"], store=desk.store).entries
    done = desk.act(verb, "broken", "fine", "new")
    assert {*done.accepted, *done.refused} == {"broken", "fine", "new"}
    desk.take()
    desk.run(executor=executor)
    assert desk.state("fine") == "finished"
    desk.clock.turn(days=9)
    desk.store.prune(timedelta(days=1), 0, clock=desk.clock)
    assert desk.store.check().is_sound


# --- many


@pytest.fixture
def many(desk: Desk) -> Desk:
    """1,200 entries have failed."""
    desk.entries = [{"key": f"A-{number:04}"} for number in range(1_200)]
    desk.run(breaks)
    return desk


def test_an_act_on_more_than_one_transaction_has_is_one_action_with_all_its_answers(many: Desk) -> None:
    keys = [entry["key"] for entry in many.entries]
    many.act(Hold(), *keys[600:700])
    told: list[tuple[int, int]] = []
    done = many.act(Restart(), *keys, "nosuch", who="kim@desk", progress=lambda *at: told.append(at))
    assert told == [(500, 1_201), (1_000, 1_201), (1_201, 1_201)]
    assert len(done.accepted) == 1_100
    assert set(done.refused) == {*keys[600:700], "nosuch"}
    assert len(many.store.actions) == 2
    action = many.action()
    assert (action["keys"], action["open"], action["who"]) == (keys, True, "kim@desk")
    assert {key for key, why in action["results"].items() if why is None} == set(done.accepted)
    assert list(done.actions.values()) == [action.doc_id]
    assert many.take() == [f"Check {key}" for key in done.accepted]
    assert many.action()["open"] is False


def test_what_is_about_to_be_done_is_recorded_before_the_first_is_changed(many: Desk) -> None:
    keys = [entry["key"] for entry in many.entries]
    seen: list[Any] = []
    many.act(Cancel(), *keys, progress=lambda *_: seen.append(many.action()))
    assert (seen[0]["keys"], seen[0]["results"], seen[0]["open"]) == (keys, {}, False)


def test_other_processes_write_between_two_transactions_of_one_act(many: Desk) -> None:
    def elsewhere(done: int, of: int) -> None:
        program = (
            "import sys; from engine import Store; Store(sys.argv[1]).db.table('notes').insert({'at': sys.argv[2]})"
        )
        command = [sys.executable, "-c", program, str(many.store.path), str(done)]
        subprocess.run(command, check=True, timeout=30)

    done = many.act(Hold(), *(entry["key"] for entry in many.entries), progress=elsewhere)
    assert [note["at"] for note in many.store.db.table("notes")] == ["500", "1000", "1200"]
    assert len(done.accepted) == 1_200


def test_a_writer_that_waits_has_its_turn_before_the_act_is_through(many: Desk) -> None:
    waits, written = threading.Event(), threading.Event()
    with Store(many.store.path) as own:

        def write() -> None:
            waits.set()
            own.db.table("notes").insert({})
            written.set()

        writer = threading.Thread(target=write)

        def progress(done: int, of: int) -> None:
            if done == PAGE:
                writer.start()
                waits.wait()

        many.act(Hold(), *(entry["key"] for entry in many.entries), progress=progress)
        assert written.is_set()
        writer.join()


# --- what is recorded


@pytest.mark.parametrize("verb", ["repeat", "restart"])
def test_an_act_is_recorded_with_who_when_why_and_which_keys(desk: Desk, verb: str) -> None:
    desk.run(lambda entry: breaks(entry) if entry.key == "A-1" else None)
    act = desk.repeat if verb == "repeat" else desk.restart
    assert act("A-1", "A-2", "A-1", who="kim", why="customer called").accepted == ("A-1",)
    action = desk.action()
    assert (action["who"], action["why"], action["processor"]) == ("kim", "customer called", "desk:Orders")
    assert action["keys"] == ["A-1", "A-2"]
    assert datetime.fromisoformat(action["when"]) == desk.clock()
    assert action["results"]["A-1"] is None
    assert action["results"]["A-2"]
    assert action["open"] is (verb == "restart")
    assert verb in action["verb"]


def test_an_act_is_signed_with_user_and_host_by_default(desk: Desk) -> None:
    desk.run(breaks)
    desk.repeat("A-1")
    user, _, host = desk.action()["who"].partition("@")
    assert user
    assert host


NAMELESS = """
import os, pwd, tempfile
from engine import Store, StoredProcessor, WorkflowModel, operations

os.setuid(54321)
os.chdir(tempfile.mkdtemp())

class Order(WorkflowModel):
    key: str

class Orders(StoredProcessor):
    model = Order
    def get_default_entries(self):
        return [{"key": "A-1"}]
    def get_tasks(self):
        return []

with Store("wfe.db") as store:
    Orders(store).process_entries()
    operations.restart(["A-1"], True, store=store)
    print(store.actions.all()[0]["who"])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may act as somebody unknown")
def test_a_user_without_a_name_can_act() -> None:
    nameless = {name: text for name, text in os.environ.items() if name not in ("LOGNAME", "USER", "LNAME", "USERNAME")}
    command = [sys.executable, "-c", NAMELESS]
    done = subprocess.run(command, env=nameless, cwd="/", capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    assert done.stdout.startswith("54321@")


def test_an_action_closes_with_the_run_that_did_it(desk: Desk) -> None:
    desk.run(breaks)
    desk.restart("A-1")
    desk.take()
    action = desk.action()
    assert action["open"] is False
    assert desk.store.runs.get(doc_id=action["run"])["states"] == {"finished": 1}


def test_an_action_that_a_dead_worker_took_is_taken_again(desk: Desk) -> None:
    desk.run(breaks)
    desk.restart("A-1")
    with Store(desk.store.path) as dead:
        desk.store.actions.update({"taken_by": dead.owner})
        assert desk.take() == [], "it lives, and has it"
    assert desk.take() == ["Check A-1"]


def test_nothing_is_done_where_every_key_is_unknown(desk: Desk) -> None:
    desk.run()
    before = desk.store.seq()
    done = desk.restart("X", "Y")
    assert set(done.refused) == {"X", "Y"}
    assert not done.to_run
    assert desk.store.seq() == before


def test_a_selection_of_many_is_one_act_on_exactly_those(desk: Desk) -> None:
    desk.entries = [{"key": f"A-{number}"} for number in range(300)]
    desk.run(breaks)
    chosen = tuple(f"A-{number}" for number in range(0, 300, 3))
    assert desk.restart(*chosen).accepted == chosen
    assert desk.take() == [f"Check {key}" for key in chosen]
    assert len(desk.store.actions) == 1


def test_an_error_is_found_by_the_beginning_of_its_id(desk: Desk) -> None:
    desk.run(breaks)
    ids = [record["error_id"] for record in desk.store.errors.all()]
    assert [find_error(desk.store, error_id)["error_id"] for error_id in ids] == ids
    assert find_error(desk.store, ids[0][:13])["error_id"] == ids[0]
    with pytest.raises(EngineError, match="'ffff-none'"):
        find_error(desk.store, "ffff-none")
    with pytest.raises(EngineError, match=r"'ab'.*first four"):
        find_error(desk.store, "ab")


def test_moments_in_the_store_are_utc_and_sort_as_text(desk: Desk) -> None:
    desk.clock.turn_to(datetime(2026, 11, 23, 12, tzinfo=UTC))
    desk.run(breaks)
    desk.clock.turn(microseconds=1)
    desk.repeat("A-2")
    first, second = desk.document("A-1")["updated"], desk.document("A-2")["updated"]
    assert first < second
    assert len(first) == len(second)


def test_the_shell_line_of_an_act_names_what_a_shell_needs(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    store, path = desk.store, str(desk.store.path)
    monkeypatch.setenv("WFE_STORE", path)
    assert shell_line("restart", ["A 1", "it's"], store, "shop:Orders") == """wfe restart 'A 1' 'it'"'"'s'"""
    assert shell_line("repeat on", ["-x"], store, "shop:Orders") == "wfe repeat on -- -x"
    monkeypatch.delenv("WFE_STORE")
    assert shell_line("restart", ["A"], store, "shop:Orders") == f"wfe restart --store {path} A"


def test_repeat_off_takes_back_a_restart_from_the_start_of_every_task(desk: Desk) -> None:
    desk.run()
    desk.restart("A-1", from_start=True)
    desk.repeat("A-1", on=False)
    assert desk.run() == []
    assert desk.state("A-1") == "finished"


def test_a_restart_grants_the_reruns_anew(desk: Desk) -> None:
    check = interrupts(repeat=True, max_reruns=1)
    assert desk.run(check) == ["Fetch A-1", "Check A-1", "Fetch A-2", "Check A-2"]
    assert desk.run(check) == ["Check A-1", "Check A-2"]
    assert desk.run(check) == []
    desk.restart("A-1")
    assert desk.run(check) == ["Check A-1"]
    assert desk.run(check) == ["Check A-1"]
    assert desk.run(check) == []


def test_a_restart_has_a_backoff_begin_anew(desk: Desk) -> None:
    check = interrupts(repeat=RepeatWithBackoff(initial=60, factor=10, maximum=10**6, jitter=0))
    desk.run(check)
    for minutes in (1, 10, 100):
        assert desk.run(check) == []
        desk.clock.turn(minutes=minutes)
        assert desk.run(check) == ["Check A-1", "Check A-2"]
    assert "attempt 5 after 16 h 40 min" in desk.document("A-1")["reason"]
    assert desk.row("A-1").repeat_words == "backoff"
    desk.restart("A-1")
    assert desk.take(check) == ["Check A-1"]
    assert "attempt 2 after 1 min" in desk.document("A-1")["reason"]


def test_an_exhausted_repeat_is_shown_as_off_and_can_be_switched_on(desk: Desk) -> None:
    desk.run(interrupts(repeat=True, max_reruns=0))
    assert desk.document("A-1")["repeat"] is False
    desk.repeat("A-1")
    assert desk.document("A-1")["repeat"] is True
    assert desk.run() == ["Check A-1"]


def test_an_entry_that_failed_outside_its_tasks_can_be_restarted(desk: Desk) -> None:
    class Locked(Orders):
        def get_tasks(self) -> list[Task]:
            raise RuntimeError("no licence")

    Locked(desk).process_entries()
    assert desk.state("A-1") == "failed"
    locked = {"processor": desk.document("A-1")["processor"]}
    assert desk.restart("A-1", **locked).accepted == ("A-1",)
    (why,) = desk.repeat("A-1", **locked).refused.values()
    assert "the next run considers it again" in why


def test_an_entry_that_failed_outside_its_tasks_is_restarted_from_the_start_when_asked(desk: Desk) -> None:
    desk.run(interrupts(repeat=True))
    # As a run leaves it whose filter raised.
    desk.store.entries.update({"state": "failed", "error_id": "e", "reason": "OSError"}, where("key") == "A-1")
    assert desk.restart("A-1", from_start=True).accepted == ("A-1",)
    assert desk.take() == ["Fetch A-1", "Check A-1"]


def test_what_the_verbs_are_given_by_name_is_all_that_act_takes_but_a_canary() -> None:
    taken = [each for each in inspect.signature(act).parameters.values() if each.kind is each.KEYWORD_ONLY]
    assert Given.__annotations__.keys() == {each.name for each in taken} - {"canary"}
    assert Given.__required_keys__ == {each.name for each in taken if each.default is each.empty}
