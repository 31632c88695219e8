"""Takes back what an operator did: for each entry that no engine has come to since, and that nobody has changed."""

import time
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from tinydb import where
from tinydb.table import Document

from engine.clock import Clock, to_text, utc_now
from engine.exceptions import InputError
from engine.operations.acting import ActionResult
from engine.operations.deciding import standing
from engine.operations.paging import PAGE, PAUSE
from engine.operations.recording import record, refuse_read_only, signature
from engine.operations.verbs import By, Refusal
from engine.pausing import pause_of, read_pause, remove_pause, write_pause
from engine.records import entry_progress, read_progress
from engine.store import Store
from engine.verdicts import (
    Found,
    Verdict,
    asked_of,
    attempts_of,
    digest,
    settle,
    taken_back,
    write,
)
from engine.worker.canary import Canary, Stage

UNDO = "undo"
"""The name of the verb."""


def undo(
    action: int | None = None,
    *,
    store: Store,
    who: str | None = None,
    why: str | None = None,
    clock: Clock = utc_now,
) -> ActionResult:
    """Take an act back. Of its entries, those are as before that no engine has executed and nobody has changed since;
    of the others it is told why not.

    Args:
        action: its number; None is the newest act of `who` that was not taken back.
        store, who, why, clock: see `engine.operations.act`.

    Returns:
        For each entry that the act was done to, that it was taken back or why not. An act on a processor, or on groups
        of errors, has none.

    Raises:
        InputError: there is no such action.
        Refusal: it was taken back before, or is none that can be.
        StoreError: the store cannot be written; nothing was done.
    """
    refuse_read_only(store, UNDO)
    store.recover()
    by = By(who or signature(), why, clock())
    with store.transaction():
        undone = to_undo(store, action, by.who)
        _refuse_overtaken(store, undone)
        inverse = put_back(store, undone["inverse"], undone["processor"]) if undone.get("inverse") else None
        number = record(
            store, UNDO, by, undone["processor"], {}, is_open=False, keys=undone["keys"], groups=undone.get("groups"),
            undoes=undone.doc_id, inverse=inverse,
        )  # fmt: skip
        store.actions.update({"undone_by": number}, doc_ids=[undone.doc_id])
    refused: dict[str, str] = {}
    answers: dict[str, str | None] = {}
    rows = list(store.verdicts.ids(where("action") == undone.doc_id))
    for at in range(0, len(rows), PAGE):
        with store.transaction():
            for row in store.verdicts.get(doc_ids=rows[at : at + PAGE]):
                if row["verdict"] != Verdict.REFUSED:
                    answers[row["key"]] = take_back(store, row, by, "undone", number)
        if len(rows) > PAGE:
            time.sleep(PAUSE)
    refused = {key: answer for key, answer in answers.items() if answer is not None}
    with store.transaction():
        store.actions.update({"keys": list(answers), "results": answers}, doc_ids=[number])
        close(store, undone.doc_id, Stage.ABANDONED)
    accepted = tuple(key for key in answers if key not in refused)
    return ActionResult(UNDO, accepted, refused, {undone["processor"]: number}, ())


def to_undo(store: Store, action: int | None = None, who: str | None = None) -> Document:
    """The document of the action that `undo` would take back; it is not looked whether its entries still allow that.

    Args:
        store, action, who: see `undo`.

    Raises:
        InputError: there is no such action.
        Refusal: it was taken back before, or is none that can be.
    """
    if action is None:
        by = who or signature()
        newest = next(_newest(store, by), None)
        if newest is None:
            raise Refusal(f"{by} has done nothing that can be undone")
        return newest
    found = store.actions.get(doc_id=action)
    if found is None:
        raise InputError(f"there is no action {action} in {store.path}: `wfe actions` lists them")
    if refusal := _why_not(found):
        raise Refusal(refusal)
    return found


def take_back(store: Store, asked: Document, by: By, word: str, action: int | None = None) -> str | None:
    """Take back what was asked for one entry, in a transaction of the caller's; why not, if it cannot be.

    Args:
        store: where it is.
        asked: its document of the table `verdicts`.
        by: who takes it back.
        word: what its verdict says, with `by` whom.
        action: the number under which that is journalled; None where the same act may ask for it again.
    """
    answer: str | None = None
    if asked["before"] is not None:
        answer = _restored(store, asked, by, action)
    if answer is None:
        if action is not None:
            write(store, asked.doc_id, Found(Verdict.REFUSED, why=f"{word} by {by.who}"), by.moment)
        else:
            store.verdicts.update({"before": None, "after": None, "begun": None}, doc_ids=[asked.doc_id])
        _look_again(store, asked["entry"], by)
    return answer


def close(store: Store, action: int, stage: Stage) -> None:
    """Let no worker take an action any more of which no entry waits."""
    document = store.actions.get(doc_id=action)
    waiting = store.verdicts.count((where("action") == action) & (where("verdict") == Verdict.WAITING))
    if document is None or waiting:
        return
    canary = Canary.read(document)
    fields = {"canary": canary.at(stage).to_json()} if canary and canary.stage is not Stage.DONE else {}
    store.actions.update({"open": False, **fields}, doc_ids=[action])


def _restored(store: Store, asked: Document, by: By, action: int | None) -> str | None:
    entry = store.entries.get(doc_id=asked["entry"])
    if entry is None or entry["key"] != asked["key"]:
        return "it is no longer in the store"
    if entry["owner"] and store.is_alive(entry["owner"]):
        return "it is running"
    if digest(entry) != asked["after"]:
        return _what_happened(store, asked, entry)
    progress = read_progress({**entry, **taken_back(entry, asked["before"])})
    if action is not None:
        told = asked_of(entry, entry_progress(progress), awaits=False, moment=by.moment)
        more = {"action": action, "verb": UNDO, "executes": False, "fingerprint": None}
        store.verdicts.insert({**more, **told})
    store.entries.update(standing(progress, entry["tasks"], by.moment), doc_ids=[entry.doc_id])
    return None


def _look_again(store: Store, number: int, by: By) -> None:
    def see(entry: MutableMapping[str, Any]) -> None:
        if entry.get("awaited"):
            settle(store, entry, number, by.moment)

    store.entries.update(see, doc_ids=[number])


def _what_happened(store: Store, asked: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
    """What has changed an entry since it was asked for."""
    executed = [name for name, number in attempts_of(entry).items() if number > asked["seen"].get(name, 0)]
    if executed:
        return f"{executed[-1]} was executed since: it is {entry['state']}"
    later = [row for row in store.verdicts.search(where("entry") == asked["entry"]) if row["action"] > asked["action"]]
    by = [f"{action['verb']} by {action['who']}" for action in store.actions.get(doc_ids=[r["action"] for r in later])]
    return f"it was changed since: {by[-1]}" if by else f"it was changed since: it is {entry['state']}"


def _newest(store: Store, who: str) -> Iterator[Document]:
    for number in store.actions.ids(order_by="when", reverse=True):
        action = store.actions.get(doc_id=number)
        if action is not None and action["who"] == who and _why_not(action) is None:
            yield action


def _why_not(action: Document) -> str | None:
    """Why an action is none that can be taken back."""
    name = f"action {action.doc_id}"
    if action.get("undone_by"):
        return f"{name} was undone before, by action {action['undone_by']}"
    if action["verb"] == UNDO:
        return f"{name} is an undo itself: do again what it took back"
    if "undone_by" not in action:
        return f"{name} was done by an older version, which did not keep what takes it back"
    if not action["keys"] and not action.get("inverse"):
        return f"{name}, {action['verb']}, has nothing that could be undone"
    return None


def _refuse_overtaken(store: Store, action: Document) -> None:
    """Raise Refusal if somebody has had a word on the same groups of errors since."""
    groups = set(action.get("groups") or ())
    for later in store.actions.search(where("when") >= action["when"]) if groups else ():
        is_later = later.doc_id > action.doc_id and not later.get("undone_by") and later["verb"] != UNDO
        if is_later and groups & set(later.get("groups") or ()):
            raise Refusal(f"{later['verb']} by {later['who']} came since: undo action {later.doc_id} first")


def put_back(store: Store, inverse: Mapping[str, Any], processor: str) -> dict[str, Any]:
    """Take an act back that was not on entries.

    Args:
        store: where it was done.
        inverse: what its action keeps for that.
        processor: the processor that it was about.

    Returns:
        What it takes to do it again.

    Raises:
        Refusal: it was taken back before, in another way.
    """
    if "groups" in inverse:
        were: dict[str, Any] = {}
        for fingerprint, before in inverse["groups"].items():
            own = where("fingerprint") == fingerprint
            were[fingerprint] = next(map(dict, store.groups.search(own)), None)
            store.groups.remove(own)
            if before is not None:
                store.groups.insert(before)
        return {"groups": were}
    paused = pause_of(store, processor)
    if "resume" in inverse:
        if paused is None:
            raise Refusal(f"{processor} was resumed since")
        remove_pause(store, processor)
        return {"pause": {"who": paused.who, "when": to_text(paused.when), "why": paused.why}}
    if paused is not None:
        raise Refusal(f"{processor} was paused again since")
    write_pause(store, read_pause({"processor": processor, **inverse["pause"]}))
    return {"resume": True}
