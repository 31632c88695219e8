"""What restarts of the entries that failed of one cause have led to, so that nobody restarts in vain."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median, median_low
from typing import Any

from tinydb import where
from tinydb.table import Document

from engine.clock import from_text, in_words
from engine.groups.seen import restarts_of
from engine.store import Store
from engine.text import counted
from engine.verdicts import Verdict

NEWEST = 200
"""From how many of the newest that recovered it is told how many attempts that took, and how long."""

FEW = 3
"""Fewer answers than that tell too little for a rule."""


@dataclass(frozen=True)
class Advice:
    """What became of the entries that failed of one cause and were executed again on an operator's word.

    `recovered` of the `answered` ones got beyond their task, the others failed again; of `waiting` ones that is not
    known yet. `attempts` and `seconds` are the medians that recovering took; None where none has recovered.
    """

    recovered: int = 0
    answered: int = 0
    waiting: int = 0
    attempts: int | None = None
    seconds: float | None = None

    @property
    def is_warning(self) -> bool:
        """Whether to restart without a repair is likely to be in vain."""
        return not self.recovered and self.answered >= FEW

    def words(self) -> str:
        """A line for people: `restarted 41 times, 39 recovered, median 2 attempts, after 5 minutes`."""
        if not self.answered:
            return f"restarted {_times(self.waiting)}, none answered yet" if self.waiting else "never restarted"
        if self.is_warning:
            said = f"0 of {self.answered} recovered: fix first"
        else:
            said = ", ".join([f"restarted {_times(self.answered)}", f"{self.recovered} recovered", *self._cost()])
            said += "" if self.answered >= FEW else ": too few to tell"
        return said + (f"; {self.waiting} not answered yet" if self.waiting else "")

    def to_json(self) -> dict[str, Any]:
        """The figures and the line, as JSON data."""
        return {**vars(self), "words": self.words()}

    def _cost(self) -> list[str]:
        """How many attempts it took to recover, and how long."""
        middle = "median " if self.recovered > 1 else ""
        attempts = [f"{middle}{counted(self.attempts, 'attempt')}"] if self.attempts else []
        return attempts + ([f"after {in_words(self.seconds)}"] if self.seconds is not None else [])


def advice(store: Store, fingerprint: str) -> Advice:
    """What restarts of what failed of this group have led to. It reads the newest that recovered, and counts the rest.

    Args:
        store: where the verdicts are.
        fingerprint: of the group.
    """
    own = restarts_of(fingerprint)
    counts = store.verdicts.counts("verdict", own)
    recovered = counts.get(Verdict.FIXED, 0)
    newest: list[Document] = []
    if recovered:
        was_fixed = own & (where("verdict") == Verdict.FIXED)
        ids = store.verdicts.ids(was_fixed, reverse=True, limit=NEWEST)
        newest = store.verdicts.get(doc_ids=ids)
    attempts = [verdict["attempts"] for verdict in newest if verdict["attempts"]]
    seconds = [_seconds(verdict) for verdict in newest]
    return Advice(
        recovered,
        recovered + counts.get(Verdict.SAME_ERROR, 0) + counts.get(Verdict.NEW_ERROR, 0),
        counts.get(Verdict.WAITING, 0),
        median_low(attempts) if attempts else None,
        median(seconds) if seconds else None,
    )


def _seconds(verdict: Mapping[str, Any]) -> float:
    """How long it took from the act to the verdict."""
    return (from_text(verdict["settled"]) - from_text(verdict["asked"])).total_seconds()


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
