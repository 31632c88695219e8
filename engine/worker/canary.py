"""A restart that tries a few entries first: how many, what it waits for, and when it stops by itself. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from engine.exceptions import InputError
from engine.verdicts import Verdict


class Stage(StrEnum):
    """How far such a restart is."""

    FIRST = "first"
    """The first ones are executed, or their verdicts awaited."""
    REST = "rest"
    """All others are."""
    STOPPED = "stopped"
    """It has stopped by itself: an operator resumes or abandons it."""
    ABANDONED = "abandoned"
    """An operator has ended it."""
    DONE = "done"
    """All of its entries were executed."""


@dataclass(frozen=True)
class Canary:
    """How a restart is tried.

    Args:
        first: so many entries are executed before all others, which wait for their verdicts.
        in_flight: so many of the others at most are under way at once.
        stop_after: the same error may come back so often; once more, and it stops.
        stage: how far it is.
        forgiven: how often the same error had come back when an operator resumed it: that counts no more.

    Raises:
        InputError: a number is too small.
    """

    first: int = 1
    in_flight: int = 10
    stop_after: int = 0
    stage: Stage = Stage.FIRST
    forgiven: int = 0

    def __post_init__(self) -> None:
        for name, least in (("first", 1), ("in_flight", 1), ("stop_after", 0)):
            if (given := getattr(self, name)) < least:
                raise InputError(f"{name.replace('_', ' ')} is {least} at least, not {given}")

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Canary | None":
        """What an action's document has of it; None if that is done to all entries at once."""
        known = document.get("canary")
        return cls(**{**known, "stage": Stage(known["stage"])}) if known else None

    @property
    def words(self) -> list[str]:
        """What is typed behind `wfe restart` for it."""
        return ["--canary", f"{self.first}", "--in-flight", f"{self.in_flight}", "--stop-after", f"{self.stop_after}"]

    def to_json(self) -> dict[str, Any]:
        """What an action's document holds of it."""
        return {
            "first": self.first, "in_flight": self.in_flight, "stop_after": self.stop_after,
            "stage": self.stage.value, "forgiven": self.forgiven,
        }  # fmt: skip

    def at(self, stage: Stage, forgiven: int | None = None) -> "Canary":
        """The same at a `stage`; `forgiven` as it is if that is None."""
        return replace(self, stage=stage, forgiven=self.forgiven if forgiven is None else forgiven)

    def allowed(self, returned: int) -> int:
        """How often the same error may still come back, if it has so often; below zero it is to stop."""
        return self.stop_after + self.forgiven - returned

    def after(self, verdicts: Sequence[Verdict]) -> "Canary":
        """How far it is when its entries, in their order, have these verdicts."""
        if self.stage not in (Stage.FIRST, Stage.REST):
            return self
        if self.allowed(verdicts.count(Verdict.SAME_ERROR)) < 0:
            return self.at(Stage.STOPPED)
        if self.stage is Stage.FIRST:
            tried = verdicts[: self.first]
            if Verdict.WAITING in tried:
                return self
            was_vain = Verdict.FIXED not in tried and Verdict.NEW_ERROR in tried and not self.forgiven
            return self.at(Stage.STOPPED if was_vain else Stage.REST).after(verdicts)
        return self if Verdict.WAITING in verdicts else self.at(Stage.DONE)


class Brake:
    """Holds a run to so many entries under way, and ends it when the same error has come back too often.

    Args:
        in_flight: entries under way at once.
        fingerprints: the groups of errors that are not to come back.
        allowed: how often they may.
    """

    def __init__(self, in_flight: int, fingerprints: frozenset[str], allowed: int) -> None:
        self.in_flight = in_flight
        self._fingerprints = fingerprints
        self._allowed = allowed

    def see(self, error: Mapping[str, Any]) -> None:
        """An exception has ended an execution, or cost an entry: its record."""
        self._allowed -= error["fingerprint"] in self._fingerprints

    @property
    def is_pulled(self) -> bool:
        """The run is to begin no other entry."""
        return self._allowed < 0
