"""What happens next: to an entry, task by task, or in the next run, in numbers."""

from collections.abc import Mapping
from datetime import datetime

from engine.clock import local_minute, local_time
from engine.commands.printing.states import state_cell
from engine.commands.printing.tables import json_line, line
from engine.commands.printing.words import note
from engine.lookup.outlook import Outlook
from engine.lookup.rows import EntryRow
from engine.state import Plan, State


def print_plan(row: EntryRow, plan: Plan, *, as_json: bool) -> None:
    """What happens next to an entry, and what becomes of each of its tasks."""
    if as_json:
        due = row.to_json()["due"]
        json_line({"key": row.key, "processor": row.processor, "state": row.state, "due": due, "next": row.next(plan),
                   "steps": row.steps(plan)})  # fmt: skip
        return
    line((row.key, "bold"), "  ", state_cell(row.state), f"  {row.next(plan)}")
    room = max((len(step.task) for step in plan.steps), default=0)
    for step in plan.steps:
        kind, why = row.said_of(step)
        until = f" {local_time(step.until)}" if step.until else ""
        line(f"  {step.task:<{room}}  {kind}{until}" + (f": {why}" if why else ""))


def print_outlook(told: Outlook, *, as_json: bool, now: datetime) -> None:
    """What a run of a processor would do."""
    if as_json:
        json_line(told.to_json())
        return
    moment = "now" if told.moment == now else f"at {local_minute(told.moment, now)}"
    line((told.processor, "bold"), f"  a run {moment}")
    for state in _ORDER:
        number = told.states.get(state, 0)
        if not number and state is not State.READY:
            continue
        line(
            f"{number:>9} ",
            ("executed", "cyan") if state is State.READY else state_cell(state),
            _becomes(told, state, now),
        )
        for reason in _reasons(told, state):
            line((f"{'':>10}{reason}", "dim"))
    if told.pause is not None:
        note(f"{told.processor} is {told.pause.words(now)}: no run starts a task of it until `wfe resume`")


_ORDER = (
    State.READY, State.RUNNING, State.WAITING, State.FAILED, State.IN_DOUBT, State.INTERRUPTED, State.HELD,
    State.CANCELLED, State.FINISHED,
)  # fmt: skip
"""What a run does comes first, then what waits, then what waits for an operator."""


def _becomes(told: Outlook, state: State, now: datetime) -> str:
    """What stands behind the number of entries in a state."""
    match state:
        case State.READY:
            return _at(told.executes, is_about=told.is_about(state))
        case State.WAITING:
            return _until(told, now)
        case State.RUNNING:
            return " by a run that goes on"
        case State.HELD:
            return " until they are released"
    stopped = {each.task: each.entries for each in told.stopped if each.state is state}
    return _at(stopped, is_about=told.is_about(state))


def _at(tasks: Mapping[str, int], *, is_about: bool) -> str:
    if len(tasks) > 1:
        numbers = {task: int(float(f"{number:.2g}")) if is_about else number for task, number in tasks.items()}
        return (": about " if is_about else ": ") + ", ".join(f"{number} at {task}" for task, number in numbers.items())
    return "".join(f" at {task}" for task in tasks)


def _until(told: Outlook, now: datetime) -> str:
    parts = []
    if told.next_due and told.last_due:
        first, last = local_minute(told.next_due, now), local_minute(told.last_due, now)
        parts.append(f"{told.by_time} until {first}" + (f" to {last}" if first != last else ""))
    parts += [f"{told.by_runs} for later runs, or a due date that has passed"] if told.by_runs else []
    return f": {', '.join(parts)}"


def _reasons(told: Outlook, state: State) -> list[str]:
    if state is State.FAILED:
        return [cause.words() for cause in told.causes]
    return [f"{number}× {reason}" for reason, number in told.reasons.items()] if state is State.INTERRUPTED else []
