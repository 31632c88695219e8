"""What the next run of a processor would do, in numbers. Indexes answer all but at which tasks entries stand."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tinydb import where

from engine.clock import from_text, to_text
from engine.groups import Cause, most_frequent
from engine.groups.seen import groups_of
from engine.lookup.entries import COUNTED, count_states, count_tasks
from engine.pausing import Pause, pause_of
from engine.state import FAILURES, State
from engine.store import Store

MOST_REASONS = 5
"""So many causes of failures, and reasons of what was interrupted, are told."""


@dataclass(frozen=True)
class Stopped:
    """So many entries stand in a state that needs an operator, at a task."""

    state: State
    task: str
    entries: int

    def to_json(self) -> dict[str, Any]:
        """As JSON data."""
        return dict(vars(self))


@dataclass(frozen=True)
class Outlook:
    """What a run of `processor` at `moment` (UTC) would do with the entries of the store.

    It would execute those that are ready, first at the tasks in `executes`, unless there is a `pause`. Of those that
    wait, some do until a time, the first until `next_due` and the last until `last_due`; `by_runs` wait for later runs,
    or for a due date that has passed. What is `stopped` needs an operator: `causes` are of what failed, `reasons` of
    what was interrupted.
    """

    processor: str
    moment: datetime
    states: Mapping[State, int]
    executes: Mapping[str, int]
    next_due: datetime | None
    last_due: datetime | None
    by_runs: int
    stopped: Sequence[Stopped]
    causes: Sequence[Cause]
    reasons: Mapping[str, int]
    pause: Pause | None

    def is_about(self, state: State) -> bool:
        """Whether it is told by a part of them at which tasks the entries of a state stand."""
        return self.states.get(state, 0) > COUNTED

    @property
    def by_time(self) -> int:
        """How many wait until a time."""
        return self.states.get(State.WAITING, 0) - self.by_runs

    def to_json(self) -> dict[str, Any]:
        """The fields that `wfe plan --json` promises of a processor."""
        return {
            "processor": self.processor,
            "at": to_text(self.moment),
            "paused": self.pause is not None,
            "states": {state.value: number for state, number in self.states.items()},
            "executes": dict(self.executes),
            "about": self.is_about(State.READY),
            "waiting": {
                "until_a_time": self.by_time,
                "next": to_text(self.next_due) if self.next_due else None,
                "last": to_text(self.last_due) if self.last_due else None,
                "for_runs": self.by_runs,
            },
            "stopped": [each.to_json() for each in self.stopped],
            "causes": [cause.to_json() for cause in self.causes],
            "reasons": dict(self.reasons),
        }


def outlook(store: Store, processor: str, moment: datetime) -> Outlook:
    """What a run would do with the entries that the store has of a processor; its source may have new ones.

    Args:
        store: where they are.
        processor: `module:Class`; its code is not imported.
        moment: of the run (aware), now or later.
    """
    own = where("processor") == processor
    waits = own & (where("state") == State.WAITING)
    states = count_states(store, moment, own)
    first, last = store.entries.bounds("due", waits & (where("due") > to_text(moment)))
    undated = store.entries.count(waits & (where("due") == None))  # noqa: E711 - a query, not a test
    failed = own & (where("state") == State.FAILED)
    errors = groups_of(store, store.entries.counts("error_id", failed)) if states[State.FAILED] else Counter[str]()
    interrupted = own & (where("state") == State.INTERRUPTED)
    reasons = Counter(store.entries.counts("reason", interrupted) if states[State.INTERRUPTED] else {})
    return Outlook(
        processor,
        moment,
        {state: states[state] for state in State if states[state]},
        dict(count_tasks(store, moment, State.READY, processor).most_common()),
        from_text(first) if first else None,
        from_text(last) if last else None,
        undated,
        [
            Stopped(state, task, number)
            for state in State
            if state in FAILURES and states[state]
            for task, number in count_tasks(store, moment, state, processor).most_common()
        ],
        most_frequent(store, errors, MOST_REASONS),
        {str(reason or ""): number for reason, number in reasons.most_common(MOST_REASONS)},
        pause_of(store, processor),
    )
