"""How far a run was at a moment at which it went on."""

from collections.abc import Mapping
from typing import Any

from engine.clock import from_text, to_text
from engine.past.then import Then
from engine.state import State

Content = Mapping[str, Any]


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
