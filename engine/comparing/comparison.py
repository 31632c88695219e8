"""What differs between two, as shell and console show it. Plain data; `parts` says what differs."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

LONGEST = 1_500
"""Characters of a text that people are shown, from a little before where the two begin to differ."""

_BEFORE = 40
"""So many of these are alike, so that one sees where it is."""


class Kind(StrEnum):
    """Which two are compared."""

    ATTEMPTS = "attempts"
    SIBLING = "sibling"
    ENTRIES = "entries"


@dataclass(frozen=True)
class Row:
    """One thing of both sides; None where a side has no such thing. The texts, of several lines, are not literal."""

    label: str
    left: str | None
    right: str | None
    differs: bool

    def excerpts(self) -> tuple[str | None, str | None]:
        """The two texts as people are shown them: of long ones the piece where they begin to differ."""
        begin = 0
        if self.differs and self.left is not None and self.right is not None:
            begin = max(0, alike(self.left, self.right) - _BEFORE)
        if max(len(self.left or ""), len(self.right or "")) <= LONGEST:
            return self.left, self.right
        return _piece(self.left, begin), _piece(self.right, begin)


def _piece(text: str | None, begin: int) -> str | None:
    if text is None:
        return None
    end = begin + LONGEST
    return f"{'…' if begin else ''}{text[begin:end]}{'…' if end < len(text) else ''}"


def alike(left: str, right: str) -> int:
    """With how many characters two texts begin alike."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(left), len(right)))


@dataclass(frozen=True)
class Part:
    """What is compared under one heading; `notes` say what cannot be known of it."""

    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def shown(self, *, everything: bool) -> tuple[Row, ...]:
        """Its rows, or those of them that differ."""
        return self.rows if everything else tuple(row for row in self.rows if row.differs)


@dataclass(frozen=True)
class Comparison:
    """What differs between two.

    Args:
        kind: which two they are.
        processor: of the entry that is looked at (`module:Class`).
        key: of that entry.
        task: whose attempts are compared; None where none was executed.
        left, right: what the two are called.
        why: why these two, where they were not named.
        attempts: the numbers of all attempts at the task that the store has of this entry, oldest first.
        numbers: of those that are compared; None where an entry has none.
        parts: under their headings.
    """

    kind: Kind
    processor: str
    key: str
    task: str | None
    left: str
    right: str
    why: str
    attempts: tuple[int, ...]
    numbers: tuple[int | None, int | None]
    parts: tuple[Part, ...]

    @property
    def title(self) -> str:
        """What is compared, in a line."""
        return f"{self.key}, {self.task}" if self.task else self.key

    def to_json(self) -> dict[str, Any]:
        """What `wfe compare --json` prints."""
        parts = [{**vars(part), "rows": [vars(row) for row in part.rows]} for part in self.parts]
        return {**vars(self), "parts": parts}
