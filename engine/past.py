"""What the store's documents were at a moment that has passed: pure, no I/O.

Nothing is kept of the past. Registrations, executions, acts, verdicts, errors and runs bear their moments, so what was
so then follows from what is so now: what came after it is taken off, what was under way goes on again, and what
operators did since is taken back, by what the verdicts keep of before. `engine.looking_back` does that to a store.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from engine.canary import Canary, Stage
from engine.clock import from_text, to_text
from engine.errors import in_one_line
from engine.model import WorkflowModel
from engine.operations.verbs import Decide, Decision, Restart, SetRepeat, Skip
from engine.planning import State
from engine.records import read_progress, shown_state, summary
from engine.verdicts import Verdict, taken_back

Content = Mapping[str, Any]

_VERBS = (SetRepeat(True), Restart(), Restart(from_start=True), Skip(), *map(Decide, Decision))
_AWAITED = frozenset(verb.name for verb in _VERBS if verb.awaits)
_WORKED = frozenset(verb.name for verb in _VERBS if verb.needs_worker)
"""The names of the verbs whose verdict is awaited, and of those that a worker has to carry out."""

_OVERLAPPING = 50
"""So many runs of a processor are looked through for those that went on at a moment."""


@dataclass(frozen=True)
class Pass:
    """A run: its number, when it began, and when it ended, None if it goes on. If it `is_whole`, it considered every
    entry of its processor, and not those alone that an operator acted on."""

    number: int
    began: datetime
    ended: datetime | None
    is_whole: bool = True

    def lasts_at(self, moment: datetime) -> bool:
        """Whether it goes on at this moment, and after it."""
        return self.began <= moment and (self.ended is None or self.ended > moment)

    def covers(self, moment: datetime) -> bool:
        """Whether something that happened at this moment may have happened in it."""
        return self.began <= moment and (self.ended is None or self.ended >= moment)


@dataclass(frozen=True)
class Then:
    """The moment that is looked at (aware), and what has to be known of it to say how an entry stood.

    `passes` are the runs of each processor that had begun by then, the oldest first; entries on which somebody worked
    are shown as worked on by `owner`.
    """

    moment: datetime
    owner: str
    passes: Mapping[str, Sequence[Pass]] = field(default_factory=dict)

    def is_past(self, text: str | None) -> bool:
        """Whether a stored moment had come by then."""
        return text is not None and from_text(text) <= self.moment

    def is_later(self, text: str | None) -> bool:
        """Whether a stored moment came after it."""
        return text is not None and from_text(text) > self.moment

    def at_work(self, processor: str) -> list[Pass]:
        """The runs of a processor that went on then."""
        return self._at_work.get(processor, [])

    def during(self, processor: str, moment: datetime) -> list[Pass]:
        """The runs of a processor in which something of that moment may have happened."""
        passes = self.passes.get(processor, ())
        at = bisect_right(passes, moment, key=lambda run: run.began)
        return [run for run in passes[max(0, at - _OVERLAPPING) : at] if run.covers(moment)]

    def since(self, processor: str, moment: datetime) -> list[Pass]:
        """The runs of a processor that began after a moment, and considered every entry."""
        passes = self.passes.get(processor, ())
        return [run for run in passes[bisect_right(passes, moment, key=lambda run: run.began) :] if run.is_whole]

    @cached_property
    def numbers(self) -> frozenset[int]:
        """The numbers of the runs that had begun."""
        return frozenset(run.number for passes in self.passes.values() for run in passes)

    @cached_property
    def _at_work(self) -> dict[str, list[Pass]]:
        return {name: [run for run in passes if run.lasts_at(self.moment)] for name, passes in self.passes.items()}


def entry_as_of(
    document: Content,
    then: Then,
    verdicts: Collection[Content] = (),
    failures: Collection[Content] = (),
    had_died: Callable[[str], bool] = lambda error_id: True,
) -> dict[str, Any] | None:
    """A document of the table `entries` as it was then; None if the entry was not known yet.

    Its data, due date, source and list of tasks are those of now. The field `later` names what may be of later: fields
    that its tasks have written on it, `repeat` where it waited for runs, which are counted by those there were.

    Args:
        document: as it is now.
        then: the moment.
        verdicts: the entry's documents of the table `verdicts`, with their numbers under `id`.
        failures: its documents of the table `errors` that belong to none of its tasks.
        had_died: whether the error of this id, by which an execution ended without an end, was recorded by then.
    """
    entry = dict(document)
    acts = [each for each in verdicts if each["before"] is not None]
    for act in sorted(acts, key=lambda each: (each["begun"], each["id"]), reverse=True):
        if then.is_later(act["begun"]):
            entry |= taken_back(entry, act["before"])
    everything = entry["executions"] or []
    begun = [each for each in everything if then.is_past(each["execution_time"])]
    goes_on = [_goes_on(each, entry, then, had_died) for each in begun]
    entry["executions"] = [
        _started(each) if does and (each.get("finished_at") or each.get("error_id")) else each
        for each, does in zip(begun, goes_on, strict=True)
    ] or None
    failure = max(
        (each for each in failures if then.is_past(each["time"])), key=lambda each: each["time"], default=None
    )
    registered = document.get("registered")
    if not (then.is_past(registered) if registered else begun or failure):
        return None
    if then.is_later(entry["finished"]):
        entry["finished"] = None
    if entry.get("halt") and then.is_later(entry["halt"]["when"]):
        entry["halt"] = None
    touched = max(_moments(entry, acts, then), default=then.moment)
    touched, waits = _with_cycles(entry, touched, then)
    entry["later"] = [*(sorted(document["written"]) if _has_gone_on(document, then) else ()), *waits]
    entry["run"] = _taken_by(entry, then)
    shown = _shown(entry, touched)
    if any(goes_on):
        at = begun[goes_on.index(True)]
        running = {"task": at["name"], "attempts": at["run_count"], "reason": "", "error_id": None, "repeat": False}
        shown |= {**running, "due": None, **shown_state(State.RUNNING)}
    elif failure is not None and (failed := from_text(failure["time"])) >= touched:
        # The next run that considers it takes it as it stands.
        passes = then.since(entry["processor"], failed) if entry["halt"] is None else []
        touched = passes[0].began if passes else failed
        reason = in_one_line(failure["type"].rpartition(".")[2], failure["message"])
        lost = {"reason": reason, "error_id": failure["error_id"], **shown_state(State.FAILED)}
        shown |= lost if not passes else {}
    elif shown["state"] == State.READY and _is_between_tasks(entry, everything, touched, then):
        shown |= shown_state(State.RUNNING)
    awaited = any(is_awaited(each, then) and then.is_past(each["begun"]) for each in verdicts)
    is_running = shown["state"] == State.RUNNING
    return entry | shown | {
        "updated": to_text(touched), "awaited": awaited, "owner": then.owner if is_running else None
    }  # fmt: skip


def is_awaited(verdict: Content, then: Then) -> bool:
    """Whether a verdict had been asked for by then, and had not come."""
    is_open = verdict["verdict"] == Verdict.WAITING or then.is_later(verdict["settled"])
    return is_open and then.is_past(verdict["asked"])


def verdict_as_of(document: Content, then: Then) -> dict[str, Any] | None:
    """A document of the table `verdicts` as it was then; None if nobody had asked for it yet."""
    if then.is_later(document["asked"]):
        return None
    verdict = dict(document)
    if then.is_later(document["settled"]):
        verdict |= dict.fromkeys(("settled", "found", "attempts", "why"))
        is_waiting = document["verb"] in _AWAITED
        verdict |= (
            {"verdict": Verdict.WAITING} if is_waiting else {"verdict": Verdict.DONE, "settled": verdict["asked"]}
        )
    if then.is_later(document["begun"]):
        verdict |= dict.fromkeys(("begun", "before", "after"))
    return verdict


def action_as_of(
    document: Content, then: Then, later: Mapping[int, Content], verdicts: Collection[Content] = ()
) -> dict[str, Any]:
    """A document of the table `actions` that was done by then, as it was.

    Args:
        document: as it is now, with its number under `id`.
        then: the moment.
        later: the documents of the actions that came after it, by their numbers.
        verdicts: what had become of its entries then, in their order, where it tries a few of them first.
    """
    action = {name: value for name, value in document.items() if name != "id"}
    if action.get("undone_by") in later:
        action["undone_by"] = None
    if canary := Canary.read(document):
        return action | _canary_as_of(canary, document["id"], then, later, verdicts)
    if document["verb"] not in _WORKED or None not in action["results"].values():
        return action
    run = action["run"]
    at_work = then.at_work(action["processor"])
    is_at_work = run in {each.number for each in at_work}
    was_closed_by_undo = run is None and not action["open"] and document.get("undone_by") not in later
    if was_closed_by_undo or (run in then.numbers and not is_at_work):
        return action
    is_taken = is_at_work or (run is None and any(each.began >= from_text(action["when"]) for each in at_work))
    return action | {"open": True, "run": None, "taken_by": then.owner if is_taken else None}


def _canary_as_of(
    canary: Canary, number: int, then: Then, later: Mapping[int, Content], verdicts: Collection[Content]
) -> dict[str, Any]:
    """How far a restart that tries a few entries first was, by the verdicts that there were."""
    if canary.stage is not Stage.ABANDONED or any(each.get("of") == number for each in later.values()):
        was_resumed = canary.forgiven and not any(each.get("of") == number for each in later.values())
        tried = canary.at(Stage.FIRST, forgiven=canary.forgiven if was_resumed else 0)
        canary = tried.after([Verdict(each["verdict"]) for each in verdicts])
    return {"canary": canary.to_json(), "open": canary.stage in (Stage.FIRST, Stage.REST), "taken_by": None}


def group_as_of(document: Content, then: Then) -> dict[str, Any]:
    """A document of the table `groups`, from which the acts of later were taken, without what restarts have said since
    by fixing the group."""
    said: Content = document
    while said["closed"] and said["closed"]["action"] and then.is_later(said["closed"]["when"]):
        said = said.get("inverse") or {"closed": None, "snoozed": None}
    return {**document, "closed": said["closed"], "snoozed": said["snoozed"], "inverse": said.get("inverse")}


def run_as_of(document: Content, then: Then, asked: str | None, states: Mapping[str, int]) -> dict[str, Any]:
    """A document of the table `runs`, of a run that went on then, as it was.

    How long its tasks took is not known. It is counted by the entries that had been written since it began.

    Args:
        document: as it is now.
        then: the moment.
        asked: what an operator had asked of it; None if nobody had.
        states: how many entries of its processor that were written since stood in each state.
    """
    elapsed = (then.moment - from_text(document["started"])).total_seconds()
    stood = {state: number for state, number in states.items() if state != State.RUNNING}
    considered = sum(stood.values())
    return {
        **document, "ended": None, "ending": None, "owner": then.owner, "asked": asked, "updated": to_text(then.moment),
        "considered": considered, "in_progress": states.get(State.RUNNING, 0), "states": stood, "total": None,
        "refused": 0, "rate": round(considered / max(elapsed, 1e-3), 3), "left": None, "statistics": {},
        "durations": {}, "pace": [point for point in document.get("pace") or [] if point[0] <= elapsed],
    }  # fmt: skip


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
    of_then = {name: execution[name] for name in ("name", "run_count", "execution_time", "idempotent")}
    return {
        **execution, **dict.fromkeys(("finished_at", "error_id", "error", "status")),
        **dict.fromkeys(("processed", "skipped", "restart", "repeat_stands"), False), **of_then, "running": True,
    }  # fmt: skip


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


def _with_cycles(entry: dict[str, Any], touched: datetime, then: Then) -> tuple[datetime, list[str]]:
    """Have executions that wait for runs count those that there had been since the entry was written; when it was
    written last by that, and `repeat` if there was anything to count."""
    passes = then.since(entry["processor"], touched)
    newest = {each["name"]: at for at, each in enumerate(entry["executions"] or ())}
    waits: list[str] = []
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
        waits = ["repeat"]
    return touched, waits


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
