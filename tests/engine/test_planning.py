"""What happens next to an entry, and why: a table of cases, and what is true of every plan."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import (
    RepeatAfterCycle,
    RepeatAfterDatetime,
    RepeatAfterTime,
    RepeatWithBackoff,
    Status,
    TaskExecution,
    WorkflowModel,
)
from engine.due_date import parse_due_date
from engine.exceptions import InputError
from engine.model import Halt, attempts_so_far
from engine.planning import plan
from engine.state import State, StepKind

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TASKS = ["Fetch", "Check", "Send"]
BROKEN: dict[str, Any] = {"error_id": UUID(int=1), "error": "ValueError: no customer"}
DIED: dict[str, Any] = {"running": True, "idempotent": True}
LATER = RepeatAfterTime(hours=3)
"""Of an execution that began an hour ago: ripe in two hours."""


def did(name: str, **outcome: Any) -> TaskExecution:
    """An execution that began an hour ago; processed if nothing else is said."""
    return TaskExecution(**{"name": name, "execution_time": NOON - HOUR, **(outcome or {"processed": True})})


def well(name: str, **status: Any) -> TaskExecution:
    return did(name, processed=True, status=Status(**status))


def stopped(name: str, **status: Any) -> TaskExecution:
    """It raised a StatusException."""
    return did(name, status=Status(**status))


def reruns(number: int, **status: Any) -> dict[str, Any]:
    """An operator set its repeat for so many reruns."""
    return {"repeat_stands": True, "status": Status(**{"repeat": True, "max_reruns": number, **status})}


CASES: list[tuple[str, list[TaskExecution], str, str]] = [
    # comment, executions so far, state, kinds of the steps Fetch, Check and Send
    ("a new entry goes through all its tasks", [], "ready", "execute execute execute"),
    ("done tasks are kept, the next is executed", [did("Fetch")], "ready", "done execute execute"),
    ("all is done, though no run has said finished yet", [did(n) for n in TASKS], "finished", "done done done"),
    ("only the last was done", [did("Send")], "ready", "execute execute done"),
    ("an exception stops the entry", [did("Fetch"), did("Check", **BROKEN)], "failed", "done failed not_reached"),
    (
        "a StatusException stops it, too",
        [did("Fetch"), stopped("Check")],
        "interrupted",
        "done interrupted not_reached",
    ),
    ("a record of neither outcome is executed", [did("Fetch", processed=False)], "ready", "execute execute execute"),
    (
        "what lies behind a stop and is done stays done",
        [did("Fetch", **BROKEN), did("Send")],
        "failed",
        "failed not_reached done",
    ),
    ("the process died inside the task", [did("Fetch", running=True)], "in doubt", "in_doubt not_reached not_reached"),
    (
        "it died, and an operator restarted the task",
        [did("Fetch", running=True, restart=True)],
        "ready",
        "repeat execute execute",
    ),
    (
        "it died, and the task is idempotent",
        [did("Fetch", **DIED)],
        "ready",
        "repeat execute execute",
    ),
    ("… a second time", [did("Fetch", **DIED)] * 2, "ready", "repeat execute execute"),
    ("… too often in a row", [did("Fetch", **DIED)] * 3, "in doubt", "in_doubt not_reached not_reached"),
    (
        "… too often, and behind it something is done",
        [did("Fetch", **DIED)] * 4 + [did("Send")],
        "in doubt",
        "in_doubt not_reached done",
    ),
    (
        "… not in a row: between two deaths it failed",
        [*[did("Fetch", **DIED)] * 2, did("Fetch", **BROKEN), *[did("Fetch", **DIED)] * 2],
        "ready",
        "repeat execute execute",
    ),
    (
        "… too often, and an operator restarted it",
        [did("Fetch", **DIED), did("Fetch", **DIED), did("Fetch", **DIED, restart=True)],
        "ready",
        "repeat execute execute",
    ),
    (
        "… which grants three more",
        [did("Fetch", **DIED), did("Fetch", **DIED), did("Fetch", **DIED, restart=True), *[did("Fetch", **DIED)] * 2],
        "ready",
        "repeat execute execute",
    ),
    (
        "… and no more than three",
        [did("Fetch", **DIED), did("Fetch", **DIED), did("Fetch", **DIED, restart=True), *[did("Fetch", **DIED)] * 3],
        "in doubt",
        "in_doubt not_reached not_reached",
    ),
    (
        "it died, the task is idempotent, and an operator said no repeat",
        [did("Fetch", **DIED, status=Status(repeat=False))],
        "in doubt",
        "in_doubt not_reached not_reached",
    ),
    ("it died, was executed again and is done", [did("Fetch", **DIED), did("Fetch")], "ready", "done execute execute"),
    (
        "a task that was idempotent when it died first and no longer is",
        [did("Fetch", **DIED), did("Fetch", running=True)],
        "in doubt",
        "in_doubt not_reached not_reached",
    ),
    (
        "an operator's repeat after an exception",
        [did("Fetch", **BROKEN, status=Status(repeat=True))],
        "ready",
        "repeat execute execute",
    ),
    (
        "an operator's restart after an exception",
        [did("Fetch", **BROKEN, restart=True)],
        "ready",
        "repeat execute execute",
    ),
    (
        "an operator said no repeat",
        [did("Fetch", **BROKEN, status=Status(repeat=False))],
        "failed",
        "failed not_reached not_reached",
    ),
    (
        "a restart outweighs used-up reruns",
        [did("Fetch", **BROKEN, restart=True, status=Status(repeat=True, max_reruns=0))],
        "ready",
        "repeat execute execute",
    ),
    (
        "a restart behind a stop waits its turn",
        [did("Fetch", **BROKEN), did("Check", processed=True, restart=True)],
        "failed",
        "failed not_reached not_reached",
    ),
    ("an interrupted task repeats at once", [stopped("Fetch", repeat=True)], "ready", "repeat execute execute"),
    (
        "an interrupted task has used its reruns",
        [stopped("Fetch", repeat=True, max_reruns=0)],
        "interrupted",
        "interrupted not_reached not_reached",
    ),
    (
        "an interrupted task waits for time",
        [stopped("Fetch", repeat=LATER)],
        "waiting",
        "wait_until not_reached not_reached",
    ),
    ("its time has come", [stopped("Fetch", repeat=RepeatAfterTime(hours=1))], "ready", "repeat execute execute"),
    (
        "an interrupted task waits for runs",
        [stopped("Fetch", repeat=RepeatAfterCycle(after_cycle=2))],
        "waiting",
        "wait_cycles not_reached not_reached",
    ),
    (
        "this is the run that it waited for",
        [stopped("Fetch", repeat=RepeatAfterCycle(after_cycle=1))],
        "ready",
        "repeat execute execute",
    ),
    (
        "a repeat on success holds no other task up",
        [well("Fetch", repeat=LATER)],
        "ready",
        "wait_until execute execute",
    ),
    (
        "… and keeps the entry open",
        [well("Fetch", repeat=LATER), did("Check"), did("Send")],
        "waiting",
        "wait_until done done",
    ),
    (
        "… of the last task, too",
        [did("Fetch"), did("Check"), well("Send", repeat=LATER)],
        "waiting",
        "done done wait_until",
    ),
    ("… until it is ripe", [did("Fetch"), did("Check"), well("Send", repeat=True)], "ready", "done done repeat"),
    (
        "… or used up",
        [did("Fetch"), did("Check"), well("Send", repeat=True, max_reruns=0)],
        "finished",
        "done done done",
    ),
    (
        "a stop outweighs a repeat due before it",
        [well("Fetch", repeat=True), did("Check", **BROKEN)],
        "failed",
        "repeat failed not_reached",
    ),
    (
        "an operator's reruns count for the attempts after",
        [did("Fetch", **BROKEN, **reruns(2)), did("Fetch", **BROKEN)],
        "ready",
        "repeat execute execute",
    ),
    (
        "… whatever these say",
        [did("Fetch", **BROKEN, **reruns(2, repeat=LATER)), stopped("Fetch", repeat=True)],
        "waiting",
        "wait_until not_reached not_reached",
    ),
    (
        "… until they are used up",
        [did("Fetch", **BROKEN, **reruns(2)), *[did("Fetch", **BROKEN)] * 2],
        "failed",
        "failed not_reached not_reached",
    ),
    (
        "… or one is processed",
        [did("Fetch", **BROKEN, **reruns(9)), did("Fetch"), did("Fetch", **BROKEN)],
        "failed",
        "failed not_reached not_reached",
    ),
    (
        "… or the task is restarted",
        [did("Fetch", **BROKEN, **reruns(9)), did("Fetch", **BROKEN, restart=True), did("Fetch", **BROKEN)],
        "failed",
        "failed not_reached not_reached",
    ),
    (
        "… each of which waits for as many runs anew",
        [
            did("Fetch", **BROKEN, **reruns(9, repeat=RepeatAfterCycle(after_cycle=2, current_cycle=1))),
            did("Fetch", **BROKEN),
        ],
        "waiting",
        "wait_cycles not_reached not_reached",
    ),
    (
        "what an operator had taken as done is done",
        [did("Fetch", **BROKEN), did("Fetch", processed=True, skipped=True)],
        "ready",
        "done execute execute",
    ),
    ("the newest execution decides", [did("Fetch", **BROKEN), did("Fetch")], "ready", "done execute execute"),
    (
        "a task that is no longer in the workflow counts for nothing",
        [did("Old", **BROKEN)],
        "ready",
        "execute execute execute",
    ),
]


@pytest.mark.parametrize(("executions", "state", "kinds"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_the_plan(executions: list[TaskExecution], state: str, kinds: str) -> None:
    planned = plan(WorkflowModel(executions=executions), TASKS, NOON)
    assert planned.state == state
    assert [step.kind for step in planned.steps] == [StepKind(kind.replace("_", " ")) for kind in kinds.split()]


DUE: list[tuple[str, str, list[TaskExecution], str, datetime | None]] = [
    # comment, due date, executions, state, due
    ("not yet", ">2026-11-29", [], "waiting", datetime(2026, 11, 30, tzinfo=UTC)),
    ("today", "2026-11-23", [], "ready", None),
    ("over", "2026-11-22", [], "waiting", None),
    ("too late", "<2026-11-23", [], "waiting", None),
    (
        "the due date comes after the repeat",
        ">2026-11-29",
        [stopped("Fetch", repeat=LATER)],
        "waiting",
        datetime(2026, 11, 30, tzinfo=UTC),
    ),
    (
        "the repeat comes after the due date",
        ">2026-11-22",
        [stopped("Fetch", repeat=LATER)],
        "waiting",
        NOON + 2 * HOUR,
    ),
    ("the repeat comes when the date is over", "2026-11-23 12", [stopped("Fetch", repeat=LATER)], "waiting", None),
    ("… seen from before the date", "2026-11-23 13", [stopped("Fetch", repeat=LATER)], "waiting", None),
    ("a failure is told before a due date", ">2026-11-29", [did("Fetch", **BROKEN)], "failed", None),
    ("what is all done waits for no date", ">2026-11-29", [did(n) for n in TASKS], "finished", None),
]


@pytest.mark.parametrize(
    ("due_date", "executions", "state", "due"), [case[1:] for case in DUE], ids=[c[0] for c in DUE]
)
def test_the_plan_of_an_entry_with_a_due_date(
    zone: Any, due_date: str, executions: list[TaskExecution], state: str, due: datetime | None
) -> None:
    zone("UTC")
    planned = plan(WorkflowModel(due_date=due_date, executions=executions), TASKS, NOON)
    assert (planned.state, planned.due) == (state, due)
    if state == "waiting" and not executions:
        assert due_date in planned.why


def test_the_plan_says_why_an_entry_does_not_move() -> None:
    def why(*executions: TaskExecution) -> str:
        return plan(WorkflowModel(executions=list(executions)), TASKS, NOON).why

    assert "no customer" in why(did("Fetch", **BROKEN))
    assert "no answer" in why(stopped("Fetch", message="no answer"))
    assert "exhausted" in why(stopped("Fetch", repeat=True, max_reruns=0))
    assert why(did("Fetch", running=True)) == "its process died inside this task"
    assert why(did("Fetch", **DIED)) == "its process died inside this task, which is idempotent"
    assert why(*[did("Fetch", **DIED)] * 3) == "3 processes in a row died inside it"
    assert "3 h" in why(stopped("Fetch", repeat=LATER))
    assert "2 to go" in why(stopped("Fetch", repeat=RepeatAfterCycle(after_cycle=2)))


def test_a_backoff_counts_the_attempts_since_a_restart() -> None:
    policy = RepeatWithBackoff(initial=3600, factor=2, maximum=10**6, jitter=0)

    def why(*executions: TaskExecution) -> str:
        return plan(WorkflowModel(executions=list(executions)), TASKS, NOON).why

    again = stopped("Fetch", repeat=policy)
    restarted = again.model_copy(update={"restart": True})
    assert "attempt 4 after 4 h" in why(again, again, again)
    assert "attempt 2 after 1 h" in why(again, restarted, again)


def test_of_two_waits_the_one_that_holds_the_entry_up_is_told() -> None:
    poll, check = well("Fetch", repeat=LATER), stopped("Check", repeat=RepeatAfterTime(hours=9), message="no answer")
    planned = plan(WorkflowModel(executions=[poll, check]), TASKS, NOON)
    assert planned.current is not None
    assert planned.current.task == "Check"
    assert "no answer" in planned.why
    assert planned.due == NOON + 2 * HOUR, "Fetch is executed first"


def test_a_workflow_without_tasks_has_nothing_left_to_do() -> None:
    assert plan(WorkflowModel(), [], NOON).state is State.FINISHED


def test_a_due_date_that_got_past_the_model_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="next week"):
        plan(WorkflowModel.model_construct(due_date="next week"), TASKS, NOON)


# --- what is true of every plan

COUNTS = st.integers(0, 3)
MOMENTS = st.integers(-72, 72).map(lambda hours: NOON + hours * HOUR)
REPEATS = st.one_of(
    st.none(),
    st.booleans(),
    st.builds(RepeatAfterCycle, after_cycle=COUNTS, current_cycle=COUNTS),
    st.builds(RepeatAfterTime, hours=st.integers(0, 48)),
    st.builds(RepeatAfterDatetime, date_time=MOMENTS),
    st.builds(RepeatWithBackoff, initial=st.floats(1, 3600), maximum=st.floats(3600, 100_000)),
)
EXECUTIONS = st.builds(
    TaskExecution,
    name=st.sampled_from([*TASKS, "Old"]),
    execution_time=MOMENTS,
    processed=st.booleans(),
    error_id=st.none() | st.uuids(),
    status=st.none()
    | st.builds(Status, repeat=REPEATS, max_reruns=st.none() | COUNTS, message=st.none() | st.just("m")),
    run_count=st.none() | COUNTS,
    running=st.booleans(),
    idempotent=st.booleans(),
    restart=st.booleans(),
    repeat_stands=st.booleans(),
)
DUE_DATES = st.sampled_from(
    [None, "2026-11-22", "2026-11-23", "2026-11-24 12", ">2026-11-23", "<2026-11-23", "<2026-11-25"]
)
OPEN = st.builds(WorkflowModel, due_date=DUE_DATES, executions=st.none() | st.lists(EXECUTIONS, max_size=6))
FINISHED = st.builds(WorkflowModel, due_date=DUE_DATES, executions=st.lists(EXECUTIONS, max_size=6), finished=MOMENTS)
HALTS = st.builds(
    Halt, is_cancelled=st.booleans(), who=st.just("anna@desk"), when=MOMENTS, why=st.none() | st.just("w")
)
HALTED = st.builds(
    WorkflowModel, due_date=DUE_DATES, executions=st.none() | st.lists(EXECUTIONS, max_size=6), halt=HALTS
)
WORKFLOWS = st.permutations(TASKS).flatmap(lambda names: st.integers(0, 3).map(lambda n: names[:n]))

STOPS = {
    StepKind.FAILED: State.FAILED,
    StepKind.INTERRUPTED: State.INTERRUPTED,
    StepKind.IN_DOUBT: State.IN_DOUBT,
}


@given(OPEN | FINISHED | HALTED, WORKFLOWS, MOMENTS)
def test_planning_changes_nothing_and_answers_the_same_twice(
    entry: WorkflowModel, tasks: list[str], moment: datetime
) -> None:
    before, names = entry.model_dump_json(), list(tasks)
    first = plan(entry, tasks, moment)
    assert plan(entry, tasks, moment) == first
    assert plan(WorkflowModel.model_validate_json(before), tasks, moment) == first, "the store's copy has the same plan"
    assert entry.model_dump_json() == before
    assert tasks == names


@given(OPEN | FINISHED | HALTED, WORKFLOWS, MOMENTS)
def test_there_is_one_step_for_each_task_in_their_order(
    entry: WorkflowModel, tasks: list[str], moment: datetime
) -> None:
    planned = plan(entry, tasks, moment)
    assert [step.task for step in planned.steps] == tasks
    assert planned.state is not State.RUNNING
    assert planned.current is None or planned.current in planned.steps
    assert [step.attempts for step in planned.steps] == [attempts_so_far(entry.get_execution(name)) for name in tasks]
    for step in planned.steps:
        assert (step.until is not None) == (step.kind is StepKind.WAIT_UNTIL) or step.kind is StepKind.REPEAT
        assert (step.cycles is not None) == (step.kind is StepKind.WAIT_CYCLES)


@given(OPEN, WORKFLOWS, MOMENTS)
def test_an_entry_has_exactly_one_state_and_its_steps_say_which(
    entry: WorkflowModel, tasks: list[str], moment: datetime
) -> None:
    planned = plan(entry, tasks, moment)
    kinds = [step.kind for step in planned.steps]
    stops = [STOPS[kind] for kind in kinds if kind in STOPS]
    to_do = any(kind.is_to_do for kind in kinds)
    waits = any(kind.is_wait for kind in kinds)
    ripe = entry.due_date is None or parse_due_date(entry.due_date).is_ripe(moment)
    assert len(stops) <= 1, "behind a stop nothing is reached"
    assert (planned.state is State.READY) == (to_do and not stops and ripe)
    assert (planned.state in STOPS.values()) == bool(stops)
    if stops:
        assert planned.state is stops[0]
    assert (planned.state is State.WAITING) == (not stops and (to_do or waits) and (not to_do or not ripe))
    assert (planned.state is State.FINISHED) == all(kind is StepKind.DONE for kind in kinds)


@given(OPEN | FINISHED | HALTED, WORKFLOWS, MOMENTS)
def test_nothing_behind_a_block_is_executed_nor_waited_for(
    entry: WorkflowModel, tasks: list[str], moment: datetime
) -> None:
    blocked = False
    for step in plan(entry, tasks, moment).steps:
        if blocked:
            assert step.kind in (StepKind.NOT_REACHED, StepKind.DONE)
        blocked = blocked or step.blocks


@given(OPEN, WORKFLOWS, MOMENTS)
def test_a_waiting_entry_is_due_in_the_future_and_moves_when_it_is(
    entry: WorkflowModel, tasks: list[str], moment: datetime
) -> None:
    planned = plan(entry, tasks, moment)
    if planned.state is not State.WAITING:
        assert planned.due is None
    elif planned.due is not None:
        assert planned.due > moment
        # What it waited for may have hidden a later task that stopped it: then that shows.
        assert plan(entry, tasks, planned.due).state is not State.WAITING


@given(FINISHED, WORKFLOWS, MOMENTS)
def test_a_finished_entry_executes_nothing(entry: WorkflowModel, tasks: list[str], moment: datetime) -> None:
    planned = plan(entry, tasks, moment)
    assert planned.state is State.FINISHED
    assert {step.kind for step in planned.steps} <= {StepKind.DONE, StepKind.NOT_REACHED}
    assert planned.current is None


@given(HALTED, WORKFLOWS, MOMENTS)
def test_what_is_halted_executes_nothing_waits_for_nothing_and_says_who_halted_it(
    entry: WorkflowModel, tasks: list[str], moment: datetime
) -> None:
    assert entry.halt is not None
    planned = plan(entry, tasks, moment)
    assert planned.state is (State.CANCELLED if entry.halt.is_cancelled else State.HELD)
    assert planned.due is None
    assert planned.why == entry.halt.words()
    assert not [step for step in planned.steps if step.kind.is_to_do or step.kind.is_wait]


@given(HALTED, WORKFLOWS, MOMENTS)
def test_a_halt_leaves_an_entry_where_it_stands(entry: WorkflowModel, tasks: list[str], moment: datetime) -> None:
    halted = plan(entry, tasks, moment)
    entry.halt = None
    free = plan(entry, tasks, moment)
    assert halted.done == free.done
    assert (halted.current and halted.current.task) == (free.current and free.current.task)
    assert [step.attempts for step in halted.steps] == [step.attempts for step in free.steps]


@given(OPEN, WORKFLOWS, MOMENTS)
def test_a_finished_entry_is_finished_whatever_an_operator_put_on_it(
    entry: WorkflowModel, tasks: list[str], moment: datetime
) -> None:
    entry.finished, entry.halt = moment, Halt(who="anna@desk", when=moment)
    assert plan(entry, tasks, moment).state is State.FINISHED
