"""A moment that has passed, and the runs that there were by then."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Literal

from engine.clock import from_text

_OVERLAPPING = 50
"""So many runs of a processor are looked through for those that went on at a moment."""


@dataclass(frozen=True)
class Pass:
    """A run: its number, when it began, when it ended, None if it goes on, and which entries of its processor it has
    considered: *some* are those that an operator acted on, or that it came to before it was stopped."""

    number: int
    began: datetime
    ended: datetime | None
    considered: Literal["all", "some", "none"] = "all"

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
        """The runs of a processor that began after a moment, and have considered entries."""
        passes = self.passes.get(processor, ())
        since = passes[bisect_right(passes, moment, key=lambda run: run.began) :]
        return [run for run in since if run.considered != "none"]

    @cached_property
    def numbers(self) -> frozenset[int]:
        """The numbers of the runs that had begun."""
        return frozenset(run.number for passes in self.passes.values() for run in passes)

    @cached_property
    def _at_work(self) -> dict[str, list[Pass]]:
        return {name: [run for run in passes if run.lasts_at(self.moment)] for name, passes in self.passes.items()}
