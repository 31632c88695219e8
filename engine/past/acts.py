"""What operators had done by a moment, and what had become of it then."""

from collections.abc import Collection, Mapping
from typing import Any

from engine.clock import from_text
from engine.operations.verbs import VERBS
from engine.past.then import Then
from engine.verdicts import Verdict
from engine.worker.canary import Canary, Stage

Content = Mapping[str, Any]

_AWAITED = frozenset(verb.name for verb in VERBS if verb.awaits)
_WORKED = frozenset(verb.name for verb in VERBS if verb.needs_worker)
"""The names of the verbs whose verdict is awaited, and of those that a worker has to carry out."""


def is_awaited(verdict: Content, then: Then) -> bool:
    """Whether a verdict had been asked for by then, and had not come."""
    is_open = verdict["verdict"] == Verdict.WAITING or then.is_later(verdict["settled"])
    return is_open and then.is_past(verdict["asked"])


def verdict_as_of(document: Content, then: Then) -> dict[str, Any] | None:
    """A document of the table `verdicts` as it was then; None if nobody had asked for it yet."""
    if then.is_later(document["asked"]):
        return None
    verdict = dict(document)
    if then.is_later(document["settled"]):
        verdict |= dict.fromkeys(("settled", "found", "attempts", "why"))
        is_waiting = document["verb"] in _AWAITED
        verdict |= (
            {"verdict": Verdict.WAITING} if is_waiting else {"verdict": Verdict.DONE, "settled": verdict["asked"]}
        )
    if then.is_later(document["begun"]):
        verdict |= dict.fromkeys(("begun", "before", "after"))
    return verdict


def action_as_of(
    document: Content, then: Then, later: Mapping[int, Content], verdicts: Collection[Content] = ()
) -> dict[str, Any]:
    """A document of the table `actions` that was done by then, as it was.

    Args:
        document: as it is now, with its number under `id`.
        then: the moment.
        later: the documents of the actions that came after it, by their numbers.
        verdicts: what had become of its entries then, in their order, where it tries a few of them first.
    """
    action = {name: value for name, value in document.items() if name != "id"}
    if action.get("undone_by") in later:
        action["undone_by"] = None
    if canary := Canary.read(document):
        return action | _canary_as_of(canary, document["id"], then, later, verdicts)
    if document["verb"] not in _WORKED or None not in action["results"].values():
        return action
    run = action["run"]
    at_work = then.at_work(action["processor"])
    is_at_work = run in {each.number for each in at_work}
    was_closed_by_undo = run is None and not action["open"] and document.get("undone_by") not in later
    if was_closed_by_undo or (run in then.numbers and not is_at_work):
        return action
    is_taken = is_at_work or (run is None and any(each.began >= from_text(action["when"]) for each in at_work))
    return action | {"open": True, "run": None, "taken_by": then.owner if is_taken else None}


def _canary_as_of(
    canary: Canary, number: int, then: Then, later: Mapping[int, Content], verdicts: Collection[Content]
) -> dict[str, Any]:
    """How far a restart that tries a few entries first was, by the verdicts that there were."""
    if canary.stage is not Stage.ABANDONED or any(each.get("of") == number for each in later.values()):
        was_resumed = canary.forgiven and not any(each.get("of") == number for each in later.values())
        tried = canary.at(Stage.FIRST, forgiven=canary.forgiven if was_resumed else 0)
        canary = tried.after([Verdict(each["verdict"]) for each in verdicts])
    return {"canary": canary.to_json(), "open": canary.stage in (Stage.FIRST, Stage.REST), "taken_by": None}


def group_as_of(document: Content, then: Then) -> dict[str, Any]:
    """A document of the table `groups`, from which the acts of later were taken, without what restarts have said since
    by fixing the group."""
    said: Content = document
    while said["closed"] and said["closed"]["action"] and then.is_later(said["closed"]["when"]):
        said = said.get("inverse") or {"closed": None, "snoozed": None}
    return {**document, "closed": said["closed"], "snoozed": said["snoozed"], "inverse": said.get("inverse")}
