"""What a verb makes of one entry, or why nothing: the one decision that a preview shows and an act writes. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.clock import to_text
from engine.lookup.rows import current
from engine.model import WorkflowModel
from engine.operations.verbs import By, Refusal, Verb
from engine.planning import plan
from engine.records import entry_progress, read_progress, summary
from engine.state import Plan, State
from engine.store import Store


@dataclass(frozen=True)
class Decided:
    """What a verb makes of one entry: why nothing, or the fields to write, and its plans before and after."""

    refused: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    before: Plan | None = None
    after: Plan | None = None


def standing(entry: WorkflowModel, tasks: Sequence[str], moment: datetime) -> dict[str, Any]:
    """The fields of an entry's document after an act has changed its progress: nobody's, and as its plan says."""
    return {**entry_progress(entry), **summary(entry, tasks, moment), "owner": None, "updated": to_text(moment)}


def decided(verb: Verb, document: Mapping[str, Any], by: By, store: Store) -> Decided:
    """What a verb makes of an entry; nothing is written."""
    moment = by.moment
    if document["owner"] and store.is_alive(document["owner"]):
        return Decided("it is running")
    entry, tasks = read_progress(document), document["tasks"]
    planned = plan(entry, tasks, moment)
    if verb.only and planned.state is not verb.only:
        shown = current(document, moment, store.is_alive)["state"]
        advice = ": restart it" if verb.needs_worker and shown in (State.FAILED, State.INTERRUPTED) else ""
        return Decided(f"it is not {verb.only}, it is {shown}{advice}")
    try:
        verb.change(entry, planned, by)
    except Refusal as refusal:
        if document["state"] != State.FAILED or planned.state in (State.FAILED, State.IN_DOUBT):
            return Decided(str(refusal))
        # It failed outside its tasks, and none of its executions is to be changed: to run it again is all there is.
        is_all = verb.needs_worker and verb.executes
        return Decided(None if is_all else "none of its tasks failed: the next run considers it again")
    if not tasks and entry.halt is None:
        return Decided()  # `get_tasks` has only raised so far: what the entry is to go through is not known
    changed = plan(entry, tasks, moment)
    if verb.executes and changed.held_by_due_date:
        return Decided(changed.why)
    return Decided(None, standing(entry, tasks, moment), planned, changed)
