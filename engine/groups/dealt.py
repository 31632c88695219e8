"""Whether all failures are dealt with: how many are not, and of which causes."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tinydb import where

from engine.groups.seen import failing_by_group, groups_of
from engine.groups.states import GroupState, Word
from engine.groups.words import state_of, words_of
from engine.lookup.entries import state_ids
from engine.state import FAILURES, State
from engine.store import Store
from engine.text import counted
from engine.verdicts import Verdict


@dataclass(frozen=True)
class Dealt:
    """How many entries stand failed, interrupted or in doubt, and how many of these nobody has dealt with.

    Dealt with are those whose group is resolved or snoozed, and those that were executed again and whose answer is on
    its way. `causes` counts the groups of the others by how they stand, `loose` those entries that have no group.
    """

    failures: int = 0
    left: int = 0
    causes: Mapping[GroupState, int] = field(default_factory=dict)
    loose: Mapping[State, int] = field(default_factory=dict)

    @property
    def is_all(self) -> bool:
        """Whether nothing is left."""
        return not self.left

    def words(self, room: int = 1_000) -> str:
        """The answer in a line, as long as `room` has characters for: the shortest form is longer than no room."""
        forms = self._forms()
        return next((form for form in forms if len(form) <= room), forms[-1])

    def _forms(self) -> tuple[str, ...]:
        """The answer, the longest form first."""
        if not self.failures:
            return ("✓ nothing fails",)
        if self.is_all:
            return "✓ all failures are dealt with", "✓ all dealt with"
        be = "is" if self.left == 1 else "are"
        left = f"✗ {self.left} of {counted(self.failures, 'failure')} {be} not dealt with"
        why = ", ".join(filter(None, (self._causes(), *(f"{number} {state}" for state, number in self.loose.items()))))
        return f"{left}: {why}", left, f"✗ {self.left}/{self.failures} not dealt with"

    def _causes(self) -> str:
        states = ", ".join(f"{self.causes[state]} {state}" for state in GroupState if self.causes.get(state))
        return f"{counted(sum(self.causes.values()), 'cause')} ({states})" if states else ""


def dealt_with(store: Store, moment: datetime) -> Dealt:
    """Whether all failures are dealt with at `moment` (aware). Answered by indexes, at the cost of what fails."""
    awaited = store.verdicts.counts("entry", where("verdict") == Verdict.WAITING)
    failing = {state: state_ids(store, moment, [state]) for state in sorted(FAILURES)}
    waiting = {state: [number for number in ids if number in awaited] for state, ids in failing.items()}
    loose = Counter({state: len(ids) - len(waiting[state]) for state, ids in failing.items()})
    causes: Counter[GroupState] = Counter()
    left = 0
    entries = failing_by_group(store)
    if waiting[State.FAILED]:
        entries -= groups_of(store, store.entries.counts("error_id", doc_ids=waiting[State.FAILED]))
    words = words_of(store, entries) if entries else {}
    for fingerprint, number in entries.items():
        loose[State.FAILED] -= number  # it has a cause
        state = state_of(store, fingerprint, words.get(fingerprint, Word()), moment)
        if state is not None and not state.is_dealt_with:
            causes[state] += 1
            left += number
    return Dealt(sum(map(len, failing.values())), left + (+loose).total(), causes, +loose)
