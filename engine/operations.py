"""The operator's verbs. The console and the shell call these and nothing else; each act is recorded in the store.

A verb on entries takes a frozen set of keys, answers for each of them, and writes one action for each processor
concerned: one ineligible entry never costs the others. Pause and resume are of one processor as a whole.
"""

import getpass
import os
import shlex
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from tinydb.table import Document

from engine.clock import Clock, to_text, utc_now
from engine.exceptions import InputError
from engine.lookup import find_entry, find_processor
from engine.model import TaskExecution, WorkflowModel
from engine.pausing import Pause, pause_of, remove_pause, write_pause
from engine.planning import Plan, State, plan
from engine.records import current, entry_progress, read_progress, summary
from engine.status import Status
from engine.store import Store, store_path
from engine.text import shell_path


@dataclass(frozen=True)
class ActionResult:
    """What became of an act: the keys it was done to, for the others why not; its number for each processor.

    `to_run` names the processors whose workers have to run what was accepted; see `engine.worker`.
    """

    verb: str
    accepted: tuple[str, ...]
    refused: Mapping[str, str]
    actions: Mapping[str, int]
    to_run: tuple[str, ...]


class Decision(StrEnum):
    """What an operator found out of a task inside which its process died."""

    AGAIN = "again"
    """It took no effect, or may take it twice: execute it again."""

    DONE = "done"
    """It took effect."""


class Refusal(Exception):  # noqa: N818 - not an error: the answer for one entry
    """Why a verb is not done to an entry, or to a processor."""


def toggle_repeat(
    keys: Iterable[str],
    on: bool,
    *,
    store: Store,
    processor: str | None = None,
    who: str | None = None,
    why: str | None = None,
    clock: Clock = utc_now,
) -> ActionResult:
    """Set or clear the repeat of the task at which each entry stands; the next run executes it again, or not.

    Args:
        keys: of the entries.
        on: True executes the task again in the next run, beyond any bound of reruns; False leaves it as it is.
        store: where the entries are.
        processor: `module:Class`; needed where two processors have an entry of one key.
        who: default `user@host`.
        why: a reason for the record.
        clock: where moments are taken from.

    Returns:
        For each key, that it was done or why not.

    Raises:
        StoreError: the store cannot be written; nothing was done.
    """

    def change(entry: WorkflowModel, planned: Plan) -> None:
        newest = _newest(entry, planned)
        if newest is None:
            raise Refusal("its task was not executed yet: there is nothing to repeat")
        status = newest.status or Status()
        lifted = {"repeat": True, "max_reruns": None} if on else {"repeat": False}
        newest.status = status.model_copy(update=lifted)
        newest.restart = on and newest.running  # in doubt, no policy counts
        if not on:
            for execution in _newest_of_all(entry, planned):
                execution.restart = False

    act = _Act("repeat on" if on else "repeat off", False, store, processor, who, why, clock)
    return act.on(keys, change)


def restart(
    keys: Iterable[str],
    from_start: bool = False,
    *,
    store: Store,
    processor: str | None = None,
    who: str | None = None,
    why: str | None = None,
    clock: Clock = utc_now,
) -> ActionResult:
    """Execute entries again now: from the task at which each stands (finished tasks are kept), or from the start.

    It is recorded for a worker to take (`engine.worker`); a run that comes first takes it up as well.

    Args:
        keys: of the entries.
        from_start: execute all tasks again, those that are done included.
        store, processor, who, why, clock: see `toggle_repeat`.

    Returns:
        For each key, that it was accepted or why not.

    Raises:
        StoreError: the store cannot be written; nothing was done.
    """

    def change(entry: WorkflowModel, planned: Plan) -> None:
        if from_start:
            entry.finished = None
            for execution in _newest_of_all(entry, planned):
                execution.restart = True
        elif newest := _newest(entry, planned):
            newest.restart = True

    act = _Act("restart from the start" if from_start else "restart", True, store, processor, who, why, clock)
    return act.on(keys, change)


def decide(
    keys: Iterable[str],
    verdict: Decision,
    *,
    store: Store,
    processor: str | None = None,
    who: str | None = None,
    why: str | None = None,
    clock: Clock = utc_now,
) -> ActionResult:
    """Decide of entries in doubt, and of no others: execute the task inside which the process died again, or take it as
    done and go on with the next one.

    It is recorded for a worker to take, as a restart is.

    Args:
        keys: of the entries.
        verdict: of the task at which each stands.
        store, processor, who, why, clock: see `toggle_repeat`.

    Returns:
        For each key, that it was accepted or why not.

    Raises:
        StoreError: the store cannot be written; nothing was done.
    """
    signature = who or _signature()

    def change(entry: WorkflowModel, planned: Plan) -> None:
        newest = _newest(entry, planned)
        assert newest is not None, "what is in doubt was executed"
        if verdict is Decision.AGAIN:
            newest.restart = True
            return
        newest.running, newest.processed, newest.finished_at = False, True, clock()
        newest.status = Status(message=f"decided done by {signature}{f': {why}' if why else ''}")

    act = _Act(f"decide {verdict}", True, store, processor, signature, why, clock)
    return replace(act, only=State.IN_DOUBT, executes=verdict is Decision.AGAIN).on(keys, change)


def pause(
    processor: str,
    *,
    store: Store,
    who: str | None = None,
    why: str | None = None,
    clock: Clock = utc_now,
) -> Pause:
    """Pause a processor: no task of it is started, in any run on this store, until it is resumed.

    Args:
        processor: `module:Class`, or its class name where no other has it.
        store, who, why, clock: see `toggle_repeat`.

    Raises:
        Refusal: it is paused already.
        InputError: it has neither entries nor runs in the store.
        StoreError: the store cannot be written; nothing was done.
    """
    with store.transaction():
        name = find_processor(store, processor)
        if paused := pause_of(store, name):
            raise Refusal(f"{name} is {paused.words(clock())}")
        made = Pause(name, who or _signature(), clock(), why)
        write_pause(store, made)
        _Act("pause", False, store, name, made.who, why, clock).record(name, {})
    return made


def resume(
    processor: str,
    *,
    store: Store,
    who: str | None = None,
    why: str | None = None,
    clock: Clock = utc_now,
) -> Pause:
    """End the pause of a processor.

    Args:
        processor: `module:Class`, or its class name where no other has it.
        store, who, why, clock: see `toggle_repeat`.

    Returns:
        The pause that has ended.

    Raises:
        Refusal: it is not paused.
        InputError: it has neither entries nor runs in the store.
        StoreError: the store cannot be written; nothing was done.
    """
    with store.transaction():
        name = find_processor(store, processor)
        paused = pause_of(store, name)
        if paused is None:
            raise Refusal(f"{name} is not paused")
        remove_pause(store, name)
        _Act("resume", False, store, name, who, why, clock).record(name, {})
    return paused


def shell_line(verb: str, words: Iterable[str], store: Store, processor: str | None = None) -> str:
    """The `wfe` line that does the same to these keys, or whatever the verb is done to.

    It names the store where `wfe` would not find it, and the processor, if it is given, where the keys do not tell it.
    """
    line = ["wfe", *verb.split()]
    if store_path(None).resolve() != store.path:
        line += ["--store", shell_path(store.path)]
    if processor and len(store.entries.counts("processor")) > 1:
        line += ["--processor", shlex.quote(processor)]
    named = list(words)
    if any(word.startswith("-") for word in named):
        line.append("--")
    return " ".join([*line, *map(shlex.quote, named)])


def _newest(entry: WorkflowModel, planned: Plan) -> TaskExecution | None:
    """The newest execution of the task at which an entry stands."""
    if planned.state is State.FINISHED:
        raise Refusal("it is finished: restart it from the start")
    attempts = entry.get_execution(planned.current.task) if planned.current else []
    return attempts[0] if attempts else None


def _newest_of_all(entry: WorkflowModel, planned: Plan) -> list[TaskExecution]:
    """The newest execution of each task."""
    return [execution for step in planned.steps for execution in entry.get_execution(step.task)[:1]]


def _signature() -> str:
    """`user@host`; in a container, a user may have no name."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


@dataclass(frozen=True)
class _Act:
    """One verb, done to many entries in one transaction, and its record.

    It is done to entries in the state `only`, if there is one; if it `executes` a task, the due date has to allow that.
    """

    verb: str
    needs_worker: bool
    store: Store
    processor: str | None
    who: str | None
    why: str | None
    clock: Clock
    only: State | None = None
    executes: bool = True

    def on(self, keys: Iterable[str], change: Callable[[WorkflowModel, Plan], None]) -> ActionResult:
        frozen = tuple(dict.fromkeys(keys))
        results: dict[str, dict[str, str | None]] = {}
        refused: dict[str, str] = {}
        self.store.recover()
        with self.store.transaction():
            for key in frozen:
                try:
                    document = find_entry(self.store, key, self.processor)
                except InputError as missing:
                    refused[key] = str(missing)
                    continue
                answer = self._change(document, change)
                results.setdefault(document["processor"], {})[key] = answer
                if answer:
                    refused[key] = answer
            actions = {processor: self.record(processor, answers) for processor, answers in results.items()}
        accepted = tuple(key for key in frozen if key not in refused)
        to_run = tuple(name for name, answers in results.items() if self.needs_worker and None in answers.values())
        return ActionResult(self.verb, accepted, refused, actions, to_run)

    def _change(self, document: Document, change: Callable[[WorkflowModel, Plan], None]) -> str | None:
        """Change one entry; answers why not."""
        moment = self.clock()
        if document["owner"] and self.store.is_alive(document["owner"]):
            return "it is running"
        entry, tasks = read_progress(document), document["tasks"]
        planned = plan(entry, tasks, moment)
        if self.only and planned.state is not self.only:
            shown = current(document, moment, self.store.is_alive)["state"]
            advice = ": restart it" if shown in (State.FAILED, State.INTERRUPTED) else ""
            return f"it is not {self.only}, it is {shown}{advice}"
        try:
            change(entry, planned)
        except Refusal as refusal:
            if document["state"] != State.FAILED or planned.state is State.FAILED:
                return str(refusal)
            # It failed outside its tasks, and none of its executions is to be changed: to run it again is all there is.
            return None if self.needs_worker else "none of its tasks failed: the next run considers it again"
        if not tasks:
            return None  # `get_tasks` has only raised so far: what the entry is to go through is not known
        changed = plan(entry, tasks, moment)
        if self.executes and changed.held_by_due_date:
            return changed.why
        fields = {**entry_progress(entry), **summary(entry, tasks, moment), "owner": None, "updated": to_text(moment)}
        self.store.entries.update(fields, doc_ids=[document.doc_id])
        return None

    def record(self, processor: str, answers: Mapping[str, str | None]) -> int:
        """Write what became of each key; the number of the action."""
        return self.store.actions.insert(
            {
                "verb": self.verb,
                "who": self.who or _signature(),
                "when": to_text(self.clock()),
                "why": self.why,
                "processor": processor,
                "keys": list(answers),
                "results": dict(answers),
                "open": self.needs_worker and None in answers.values(),
                "taken_by": None,
                "run": None,
            }
        )
