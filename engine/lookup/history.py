"""Runs, errors, actions and verdicts as lists show them: a stored document as a row. Pure translations, no I/O."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tinydb.table import Document

from engine.clock import from_text, local_time, to_text
from engine.lookup.rows import EntryRow
from engine.state import FAILURES, State
from engine.verdicts import Verdict
from engine.worker.canary import Canary, Stage

SILENCE = 15.0
"""Seconds without a sign of life after which a run whose process lives is called silent."""


@dataclass(frozen=True)
class RunRow:
    """One run. `ending` is None while it goes on, and `died` when its process did; moments are UTC, `rate` entries a
    second, `left` seconds. `silent_for` is how long nothing was heard of it, in seconds, if that is too long."""

    id: int
    processor: str
    started: datetime
    ended: datetime | None
    ending: str | None
    asked: str | None
    considered: int
    total: int | None
    in_progress: int
    refused: int
    states: Counter[State]
    rate: float
    left: float | None
    silent_for: float | None

    @property
    def failed(self) -> int:
        """How many of its entries it left failed, interrupted or in doubt."""
        return sum(self.states[state] for state in FAILURES)

    @property
    def is_going_on(self) -> bool:
        """Whether its process lives, and it has not ended."""
        return self.ending is None

    def answers(self, words: Iterable[str]) -> bool:
        """Whether each of these words stands in its processor, its ending or its start; case does not count."""
        text = f"{self.processor} {self.ending or 'running'} {local_time(self.started)}".casefold()
        return all(word.casefold() in text for word in words)

    def to_json(self) -> dict[str, Any]:
        """The fields that `wfe runs --json` promises."""
        return {
            "run": self.id, "processor": self.processor, "started": to_text(self.started),
            "ended": to_text(self.ended) if self.ended else None, "ending": self.ending, "asked": self.asked,
            "considered": self.considered, "total": self.total, "in_progress": self.in_progress,
            "refused": self.refused, "failed": self.failed,
            "states": {state.value: number for state, number in self.states.items()},
            "rate": self.rate, "left": self.left, "silent_for": self.silent_for,
        }  # fmt: skip


def read_run(document: Document, moment: datetime, is_alive: Callable[[str], bool]) -> RunRow:
    """A stored run as a list shows it at `moment` (aware); `is_alive` tells whether an owner's process lives."""
    ended = document["ended"]
    ending = document["ending"] if ended else None if is_alive(document["owner"]) else "died"
    silence = (moment - from_text(document["updated"])).total_seconds()
    return RunRow(
        id=document.doc_id,
        processor=document["processor"],
        started=from_text(document["started"]),
        ended=from_text(ended) if ended else None,
        ending=ending,
        asked=document.get("asked"),
        considered=document["considered"],
        total=document["total"],
        in_progress=document.get("in_progress") or 0,
        refused=document.get("refused") or 0,
        states=Counter({State(state): number for state, number in document["states"].items()}),
        rate=document.get("rate") or 0.0,
        left=document.get("left"),
        silent_for=silence if ending is None and silence > SILENCE else None,
    )


@dataclass(frozen=True)
class ActionRow:
    """One thing that an operator did; `when` is UTC. Where it was of a processor or of `groups` of errors, it has no
    keys.

    `state` is *open* (a worker has to take it, or entries wait for their verdicts), *taken* (a worker is at it),
    *done*, *stopped* or *abandoned* (it tried a few entries first), *undone*, or *broken off*: its process died before
    all of its entries were through. `verdicts` are of the entries that it was accepted for; acts of older versions have
    none. `of` is the number of the action that it was done to, `undoes` of the one that it took back.
    """

    id: int
    verb: str
    who: str
    when: datetime
    why: str | None
    processor: str
    keys: int
    refused: int
    verdicts: Mapping[Verdict, int]
    state: str
    run: int | None
    groups: Sequence[str] = ()
    plan: str | None = None
    canary: Canary | None = None
    undoes: int | None = None
    undone_by: int | None = None
    of: int | None = None

    @property
    def accepted(self) -> int:
        """To how many entries, or groups of errors, it was done."""
        return self.keys + len(self.groups) - self.refused

    @property
    def is_waited_for(self) -> bool:
        """Whether somebody will still do something for it."""
        return self.state in ("open", "taken")

    @property
    def outcome(self) -> str:
        """`39 fixed, 2 same error`; nothing where nothing was to be executed."""
        told = {verdict: number for verdict, number in self.verdicts.items() if verdict is not Verdict.DONE}
        return ", ".join(f"{number} {verdict}" for verdict, number in told.items())

    def to_json(self) -> dict[str, Any]:
        """The fields that `wfe actions --json` promises."""
        return {
            "action": self.id, "verb": self.verb, "who": self.who, "when": to_text(self.when), "why": self.why,
            "processor": self.processor, "state": self.state, "entries": self.keys, "refused": self.refused,
            "verdicts": {each.value: number for each, number in self.verdicts.items()},
            "groups": list(self.groups), "plan": self.plan, "run": self.run,
            "undoes": self.undoes, "undone_by": self.undone_by,
        }  # fmt: skip


def read_action(document: Document, is_alive: Callable[[str], bool], verdicts: Mapping[Verdict, int]) -> ActionRow:
    """A stored action as a list shows it; `verdicts` are those of its entries, see `engine.verdicts.verdicts_of`."""
    results: Mapping[str, str | None] = document["results"]
    canary = Canary.read(document)
    return ActionRow(
        id=document.doc_id,
        verb=document["verb"],
        who=document["who"],
        when=from_text(document["when"]),
        why=document["why"],
        processor=document["processor"],
        keys=len(document["keys"]),
        refused=sum(answer is not None for answer in results.values()),
        verdicts=verdicts,
        state=_state_of(document, canary, is_alive, verdicts),
        run=document["run"],
        groups=document.get("groups") or (),
        plan=document.get("plan"),
        canary=canary,
        undoes=document.get("undoes"),
        undone_by=document.get("undone_by"),
        of=document.get("of"),
    )


def _state_of(
    document: Document, canary: Canary | None, is_alive: Callable[[str], bool], verdicts: Mapping[Verdict, int]
) -> str:
    is_open = Verdict.WAITING in verdicts if verdicts else document["open"]
    if document.get("undone_by") and not is_open and (not verdicts or Verdict.REFUSED in verdicts):
        return "undone"
    if len(document["results"]) < len(document["keys"]):
        return "broken off"
    if canary is not None and canary.stage in (Stage.STOPPED, Stage.ABANDONED):
        return canary.stage.value
    if document["open"] and document["taken_by"] and is_alive(document["taken_by"]):
        return "taken"
    return "open" if is_open else "done"


@dataclass(frozen=True)
class VerdictRow:
    """What became of one entry by an act.

    `error_id` is the error that it stands failed of by now; before there is a verdict, the one that it stood failed of
    when it was asked. `attempts` of `task` it took until the verdict. `has_begun` is false as long as its turn in a
    canary restart has not come. `stands` is how it stands now; None if it is no longer in the store.
    """

    id: int
    key: str
    processor: str
    verdict: Verdict
    has_begun: bool
    task: str | None
    attempts: int | None
    error_id: str | None
    why: str | None
    settled: datetime | None
    stands: EntryRow | None


def read_verdict(document: Document, stands: EntryRow | None) -> VerdictRow:
    """A stored verdict as a list shows it."""
    verdict = Verdict(document["verdict"])
    return VerdictRow(
        id=document.doc_id,
        key=document["key"],
        processor=document["processor"],
        verdict=verdict,
        has_begun=document["begun"] is not None,
        task=document["task"],
        attempts=document["attempts"],
        error_id=document["found"] or (document["error_id"] if verdict is Verdict.WAITING else None),
        why=document["why"],
        settled=from_text(document["settled"]) if document["settled"] else None,
        stands=stands,
    )


def verdict_fields(document: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that `wfe actions show --json` promises of a stored verdict."""
    told = {name: document[name] for name in ("action", "key", "verdict", "attempts", "why", "asked", "settled")}
    return {**told, "error_id": document["found"]}


@dataclass(frozen=True)
class OccurrenceRow:
    """One occurrence of an error; `time` is UTC."""

    id: int
    error_id: str
    fingerprint: str
    type: str
    message: str
    key: str | None
    task: str | None
    attempt: int | None
    processor: str
    host: str
    pid: int
    time: datetime

    def to_json(self) -> dict[str, Any]:
        """What `wfe error --json` has of it, but for the stack trace."""
        return {
            "error_id": self.error_id, "fingerprint": self.fingerprint, "type": self.type, "message": self.message,
            "key": self.key, "task": self.task, "attempt": self.attempt, "processor": self.processor,
            "host": self.host, "pid": self.pid, "time": to_text(self.time),
        }  # fmt: skip


def read_occurrence(document: Mapping[str, Any] | Document) -> OccurrenceRow:
    """A stored error as a list shows it."""
    return OccurrenceRow(
        id=document.doc_id if isinstance(document, Document) else 0,
        error_id=document["error_id"],
        fingerprint=document["fingerprint"],
        type=document["type"],
        message=document["message"],
        key=document["key"],
        task=document["task"],
        attempt=document.get("attempt"),
        processor=document["processor"],
        host=document["host"],
        pid=document["pid"],
        time=from_text(document["time"]),
    )
