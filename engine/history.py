"""Runs, errors and actions as lists show them: a stored document as a row. Pure translations, no I/O."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tinydb.table import Document

from engine.clock import from_text
from engine.journal import FAILURES
from engine.planning import State

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
    """One thing that an operator did; `when` is UTC. Where it was of a processor as a whole, it has no keys.

    `state` is *open* (a worker has to take it), *taken* (one works on it), *done*, or *broken off*: its process died
    before all of its entries were through.
    """

    id: int
    verb: str
    who: str
    when: datetime
    why: str | None
    processor: str
    keys: int
    refused: int
    state: str
    run: int | None

    @property
    def accepted(self) -> int:
        """To how many entries it was done."""
        return self.keys - self.refused


def read_action(document: Document, is_alive: Callable[[str], bool]) -> ActionRow:
    """A stored action as a list shows it."""
    results: Mapping[str, str | None] = document["results"]
    taker = document["taken_by"]
    if len(results) < len(document["keys"]):
        state = "broken off"
    elif not document["open"]:
        state = "done"
    else:
        state = "taken" if taker and is_alive(taker) else "open"
    return ActionRow(
        id=document.doc_id,
        verb=document["verb"],
        who=document["who"],
        when=from_text(document["when"]),
        why=document["why"],
        processor=document["processor"],
        keys=len(document["keys"]),
        refused=sum(answer is not None for answer in results.values()),
        state=state,
        run=document["run"],
    )


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
