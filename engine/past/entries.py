"""How an entry stood at a moment that has passed."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from engine.clock import from_text, to_text
from engine.errors import in_one_line
from engine.model import WorkflowModel
from engine.past.acts import is_awaited
from engine.past.then import Pass, Then
from engine.records import read_progress, summary
from engine.state import State, shown_state
from engine.verdicts import taken_back

Content = Mapping[str, Any]


def entry_as_of(
    document: Content,
    then: Then,
    verdicts: Collection[Content] = (),
    failures: Collection[Content] = (),
    had_died: Callable[[str], bool] = lambda error_id: True,
) -> dict[str, Any] | None:
    """A document of the table `entries` as it was then; None if the entry was not known yet.

    Its data, due date, source and list of tasks are those of now; the field `later` names those of its data that its
    tasks may have written since. It is `inferred` if it is told by the runs there were how those have left it that came
    to it and executed nothing.

    Args:
        document: as it is now.
        then: the moment.
        verdicts: the entry's documents of the table `verdicts`, with their numbers under `id`.
        failures: its documents of the table `errors` that belong to none of its tasks.
        had_died: whether the error of this id, by which an execution ended without an end, was recorded by then.
    """
    acts = [each for each in verdicts if each["before"] is not None]
    entry = _without_acts(document, acts, then)
    everything = entry["executions"] or []
    under_way = _cut(entry, then, had_died)
    failure = max((each for each in failures if then.is_past(each["time"])), key=_time_of, default=None)
    registered = document.get("registered")
    if not (then.is_past(registered) if registered else entry["executions"] or failure):
        return None
    touched = max(_moments(entry, acts, then), default=then.moment)
    touched, inferred = _with_cycles(entry, touched, then)
    entry["later"] = sorted(document["written"]) if _has_gone_on(document, then) else []
    entry["run"] = _taken_by(entry, then)
    shown = _shown(entry, touched)
    if under_way is not None:
        shown |= _running(under_way)
    elif failure is not None and _time_of(failure) >= touched:
        touched, lost, is_inferred = _lost(entry, failure, then)
        shown, inferred = shown | lost, inferred or is_inferred
    elif shown["state"] == State.READY and _is_between_tasks(entry, everything, touched, then):
        shown |= shown_state(State.RUNNING)
    is_running = shown["state"] == State.RUNNING
    awaited = any(is_awaited(each, then) and then.is_past(each["begun"]) for each in verdicts)
    told = {"updated": to_text(touched), "awaited": awaited, "inferred": inferred}
    return entry | shown | told | {"owner": then.owner if is_running else None}


def _without_acts(document: Content, acts: Collection[Content], then: Then) -> dict[str, Any]:
    """An entry without what operators did to it since."""
    entry = dict(document)
    for act in sorted(acts, key=lambda each: (each["begun"], each["id"]), reverse=True):
        if then.is_later(act["begun"]):
            entry |= taken_back(entry, act["before"])
    if entry.get("halt") and then.is_later(entry["halt"]["when"]):
        entry["halt"] = None  # by a version that kept nothing of before
    return entry


def _cut(entry: dict[str, Any], then: Then, had_died: Callable[[str], bool]) -> Content | None:
    """Take off an entry what has begun and ended since; the execution that was under way, if one was."""
    under_way: Content | None = None
    executions = []
    for execution in entry["executions"] or ():
        if then.is_past(execution["execution_time"]):
            if _goes_on(execution, entry, then, had_died):
                under_way = execution = _started(execution)
            executions.append(execution)
    entry["executions"] = executions or None
    if then.is_later(entry["finished"]):
        entry["finished"] = None
    return under_way


def _goes_on(execution: Content, entry: Content, then: Then, had_died: Callable[[str], bool]) -> bool:
    """Whether an execution that had begun by then was still under way, in a process that lived."""
    if execution.get("finished_at"):
        return then.is_later(execution["finished_at"])
    if not execution.get("running"):
        return False
    if execution.get("error_id"):
        return not had_died(execution["error_id"])
    passes = then.during(entry["processor"], from_text(execution["execution_time"]))
    own = [run for run in passes if run.number == entry["run"]]
    return any(run.lasts_at(then.moment) for run in own or passes)


def _started(execution: Content) -> dict[str, Any]:
    """An execution as it was recorded when it began."""
    return {
        **execution, **dict.fromkeys(("finished_at", "error_id", "error", "status")),
        **dict.fromkeys(("processed", "skipped", "restart", "repeat_stands"), False), "running": True,
    }  # fmt: skip


def _time_of(error: Content) -> datetime:
    return from_text(error["time"])


def _running(execution: Content) -> dict[str, Any]:
    """What a list showed of an entry on which somebody worked."""
    at = {"task": execution["name"], "attempts": execution["run_count"]}
    return {**at, "reason": "", "error_id": None, "repeat": False, "due": None, **shown_state(State.RUNNING)}


def _lost(entry: Content, failure: Content, then: Then) -> tuple[datetime, dict[str, Any], bool]:
    """When an entry was written last that had failed outside its tasks, and what a list showed of that: nothing, once
    the next run had considered it and taken it as it stands; whether that is inferred."""
    passes, is_sure = _considered_by(entry, _time_of(failure), then) if entry.get("halt") is None else ([], True)
    if passes:
        return passes[0].began, {}, not is_sure
    reason = in_one_line(failure["type"].rpartition(".")[2], failure["message"])
    shown = {"reason": reason, "error_id": failure["error_id"], **shown_state(State.FAILED)}
    return _time_of(failure), shown, not is_sure


def _considered_by(entry: Content, moment: datetime, then: Then) -> tuple[list[Pass], bool]:
    """The runs since a moment that have considered an entry, and whether these are all: of those that considered some
    entries, one is known, that which has taken it last."""
    since = then.since(entry["processor"], moment)
    known = [run for run in since if run.considered == "all" or run.number == entry["run"]]
    return known, len(known) == len(since)


def _moments(entry: Content, acts: Collection[Content], then: Then) -> list[datetime]:
    """When something is known to have been written on an entry, until then."""
    executions = entry["executions"] or []
    texts = [
        entry.get("registered"),
        entry["finished"],
        *(each["execution_time"] for each in executions),
        *(each.get("finished_at") for each in executions),
        *(each["begun"] for each in acts if then.is_past(each["begun"])),
        *([entry["halt"]["when"]] if entry.get("halt") else ()),
    ]
    return [from_text(text) for text in texts if text]


def _with_cycles(entry: dict[str, Any], touched: datetime, then: Then) -> tuple[datetime, bool]:
    """Have executions that wait for runs count those that there had been since the entry was written; when it was
    written last by that, and whether there was anything to count."""
    passes, _ = _considered_by(entry, touched, then)
    newest = {each["name"]: at for at, each in enumerate(entry["executions"] or ())}
    is_counted = False
    for at in newest.values():
        execution = entry["executions"][at]
        status = execution.get("status") or {}
        repeat = status.get("repeat")
        if not (isinstance(repeat, dict) and repeat.get("current_cycle")):
            continue
        cycle = min(repeat["current_cycle"], len(passes))
        counted = {**execution, "status": {**status, "repeat": {**repeat, "current_cycle": cycle}}}
        entry["executions"] = [counted if place == at else each for place, each in enumerate(entry["executions"])]
        touched = passes[cycle - 1].began if cycle else touched
        is_counted = True
    return touched, is_counted


def _has_gone_on(document: Content, then: Then) -> bool:
    """Whether tasks have been executed on an entry since."""
    return any(
        then.is_later(each.get("finished_at") or each["execution_time"]) for each in document["executions"] or ()
    )


def _taken_by(entry: Content, then: Then) -> int | None:
    """The run that had taken an entry last, as far as it is known: if it has been taken since, by what it executed."""
    if entry["run"] in then.numbers:
        number: int = entry["run"]
        return number
    last = entry["executions"][-1]["execution_time"] if entry["executions"] else entry.get("registered")
    passes = then.during(entry["processor"], from_text(last)) if last else []
    return passes[0].number if len(passes) == 1 else None


def _shown(entry: Content, touched: datetime) -> dict[str, Any]:
    """What a list showed of an entry that was written last at a moment."""
    tasks = entry["tasks"]
    progress = read_progress(entry) if entry["executions"] or entry["finished"] or entry.get("halt") else None
    shown = summary(progress or WorkflowModel(due_date=entry["due_date"]), tasks, touched)
    if not tasks and shown["state"] == State.FINISHED and entry["finished"] is None:
        shown |= shown_state(State.READY)  # what it is to go through was not known
    return shown


def _is_between_tasks(entry: Content, everything: Sequence[Content], touched: datetime, then: Then) -> bool:
    """Whether a run was on its way with an entry from one task to the next."""
    last = entry["executions"][-1] if entry["executions"] else None
    following = next((each for each in everything if then.is_later(each["execution_time"])), None)
    if last is None or following is None or from_text(last["finished_at"] or last["execution_time"]) != touched:
        return False
    passes = then.during(entry["processor"], from_text(last["execution_time"]))
    return any(run.lasts_at(then.moment) and run.covers(from_text(following["execution_time"])) for run in passes)
