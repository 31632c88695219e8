"""What became of each entry that an operator acted on: the table `verdicts`, one document for each of them.

An act writes one document for each entry that it was accepted for, with what it takes to take it back. As long as an
answer is awaited, the entry's own document says so (`awaited`); who writes how the entry has ended writes the verdict
in the same transaction. So an action is open until each of its entries has its verdict, and nobody can miss one.
"""

import hashlib
import json
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tinydb import where
from tinydb.queries import QueryInstance
from tinydb.table import Document

from engine.clock import to_text
from engine.lookup.rows import current
from engine.state import State

if TYPE_CHECKING:
    from engine.store import Store

Content = MutableMapping[str, Any]


class Verdict(StrEnum):
    """What became of one entry by an act."""

    WAITING = "waiting"
    """It was not executed since, or a repeat of it is not due yet."""
    FIXED = "fixed"
    """It came through the task at which it stood."""
    SAME_ERROR = "same error"
    """It was executed, and stands failed of the same cause again."""
    NEW_ERROR = "new error"
    """It was executed, and stands failed of another cause."""
    REFUSED = "refused"
    """The act was not done to it, or was taken back before an engine came to it."""
    DONE = "done"
    """The act was done, and nothing is to be executed by it."""


@dataclass(frozen=True)
class Found:
    """A verdict: with an error the id of that, with a refusal its reason; `attempts` of the task it took since."""

    verdict: Verdict
    error_id: str | None = None
    why: str | None = None
    attempts: int | None = None


def judged(asked: Mapping[str, Any], entry: Mapping[str, Any], fingerprint: str | None) -> Found:
    """What became of an entry: pure.

    Args:
        asked: the document of the table `verdicts` that was written when the act was done.
        entry: the entry's document now.
        fingerprint: of the error that the entry stands failed of now; None if it stands failed of none.
    """
    state, task = State(entry["state"]), asked["task"]
    made = attempts_of(entry)
    attempts = made.get(task, 0) - asked["seen"].get(task, 0) if task else None
    was_executed = any(number > asked["seen"].get(name, 0) for name, number in made.items())
    if state is State.FINISHED:
        return Found(Verdict.FIXED, attempts=attempts)
    if state is State.CANCELLED:
        return Found(Verdict.REFUSED, why=entry["reason"] or "cancelled")
    if state in (State.FAILED, State.INTERRUPTED, State.IN_DOUBT):
        if not was_executed and entry["error_id"] == asked["error_id"]:
            return Found(Verdict.WAITING)
        is_same = fingerprint == asked["fingerprint"] and (fingerprint is not None or entry["task"] == task)
        return Found(Verdict.SAME_ERROR if is_same else Verdict.NEW_ERROR, entry["error_id"], attempts=attempts)
    is_beyond = was_executed and entry["task"] != task and state is not State.RUNNING
    return Found(Verdict.FIXED, attempts=attempts) if is_beyond else Found(Verdict.WAITING)


def attempts_of(entry: Mapping[str, Any]) -> dict[str, int]:
    """How many attempts of each of its tasks an entry's document tells of."""
    counts: dict[str, int] = {}
    for execution in entry["executions"] or ():
        counts[execution["name"]] = max(counts.get(execution["name"], 0), execution["run_count"] or 0)
    return counts


def asked_of(entry: Document, after: Mapping[str, Any], *, awaits: bool, moment: datetime) -> dict[str, Any]:
    """What a verdict's document says of an entry as an act finds it: how it stands, and what takes the act back.

    Args:
        entry: its document before.
        after: its progress afterwards, as `entry_progress` gives it; the entry's own where the act changes nothing yet.
        awaits: an engine has to execute something, until there is a verdict.
        moment: of the act (UTC).
    """
    return {
        "entry": entry.doc_id,
        "key": entry["key"],
        "processor": entry["processor"],
        "verdict": Verdict.WAITING if awaits else Verdict.DONE,
        "error_id": entry["error_id"],
        "task": entry["task"],
        "seen": attempts_of(after),
        "asked": to_text(moment),
        "begun": to_text(moment),
        "settled": None if awaits else to_text(moment),
        "found": None,
        "attempts": None,
        "why": None,
        "before": change_back(entry, after),
        "after": digest(after),
    }


def change_back(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What it takes to take a change of an entry's progress back: see `taken_back`."""
    old = {(each["name"], each["run_count"]): each for each in before["executions"] or ()}
    new = {(each["name"], each["run_count"]): each for each in after["executions"] or ()}
    return {
        "halt": before.get("halt"),
        "finished": before["finished"],
        "executions": [each for name, each in old.items() if new.get(name) != each],
        "added": [list(name) for name in new if name not in old],
    }


def taken_back(entry: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The progress of an entry's document without the change that `before` takes back."""
    from engine.records import progress_fields  # the models of entries, which who only reads verdicts does without

    old = {(each["name"], each["run_count"]): each for each in before["executions"]}
    added = {tuple(name) for name in before["added"]}
    named = [((each["name"], each["run_count"]), each) for each in entry["executions"] or ()]
    executions = [old.pop(name, each) for name, each in named if name not in added]
    return {
        **progress_fields(entry),
        "executions": [*executions, *old.values()] or None,  # those at the end, the change has removed
        "halt": before["halt"],
        "finished": before["finished"],
    }


def digest(progress: Mapping[str, Any]) -> str:
    """A short name for how far an entry has come, and for what operators have put on it."""
    told = [progress.get("executions") or [], progress.get("finished"), progress.get("halt")]
    return hashlib.blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=8).hexdigest()


def settle(store: "Store", entry: Content, number: int, moment: datetime) -> set[str]:
    """Write the verdicts that an entry's document, just as it is being written, answers.

    To be called in the transaction that writes it; `awaited` is taken off it when none is left.

    Returns:
        The fingerprints that were fixed on it.
    """
    fixed: set[str] = set()
    is_left = False
    fingerprint = fingerprint_of(store, entry["error_id"])
    for asked in store.verdicts.search(waiting_of(number)):
        found = judged(asked, entry, fingerprint)
        if found.verdict is Verdict.WAITING:
            is_left = True
            continue
        write(store, asked.doc_id, found, moment)
        if found.verdict is Verdict.FIXED and asked["fingerprint"]:
            fixed.add(asked["fingerprint"])
    entry["awaited"] = is_left
    return fixed


def write(store: "Store", number: int, found: Found, moment: datetime) -> None:
    """Write a verdict, given its number."""
    fields = {"verdict": found.verdict, "found": found.error_id, "why": found.why, "attempts": found.attempts}
    store.verdicts.update({**fields, "settled": to_text(moment)}, doc_ids=[number])


def settle_abandoned(store: "Store", moment: datetime) -> None:
    """Write the verdicts on the entries whose process died while it worked on them. Cheap where there are none."""
    owned: QueryInstance = where("owner") != None  # noqa: E711 - a query, not a test
    dead = [owner for owner in store.entries.counts("owner", owned) if not store.is_alive(owner)]
    for owner in dead:
        for entry in store.entries.search(where("owner") == owner):
            if not entry.get("awaited"):
                continue
            with store.transaction():

                def see(document: Content) -> None:
                    if document["owner"] == owner:  # noqa: B023 - called at once
                        standing = dict(current(document, moment, store.is_alive))
                        settle(store, standing, entry.doc_id, moment)  # noqa: B023
                        document["awaited"] = standing["awaited"]

                store.entries.update(see, doc_ids=[entry.doc_id])


def waiting_of(entry: int) -> QueryInstance:
    """The condition of the verdicts that an entry waits for, given its number."""
    condition: QueryInstance = (where("entry") == entry) & (where("verdict") == Verdict.WAITING)
    return condition


def open_actions(store: "Store") -> dict[int, int]:
    """The numbers of the actions that wait for verdicts, each with how many. Cheap."""
    return store.verdicts.counts("action", where("verdict") == Verdict.WAITING)


def awaited_actions(store: "Store") -> list[int]:
    """The numbers of the actions that wait for a worker, or for verdicts, the oldest first. Cheap."""
    is_open: QueryInstance = where("open") == True  # noqa: E712 - a query, not a test
    return sorted({*store.actions.ids(is_open), *open_actions(store)})


def verdicts_of(store: "Store", action: int) -> dict[Verdict, int]:
    """How many entries of an action have which verdict. Cheap."""
    counted = store.verdicts.counts("verdict", where("action") == action)
    return {verdict: counted[verdict] for verdict in Verdict if verdict in counted}


def fingerprint_of(store: "Store", error_id: str | None) -> str | None:
    """The group of an error; None if there is none, or it is no longer in the store."""
    if error_id is None:
        return None
    record = store.errors.get(where("error_id") == error_id)
    return str(record["fingerprint"]) if record is not None else None


def fingerprints_of(store: "Store", error_ids: set[str]) -> dict[str, str]:
    """The groups of many errors, by their ids."""
    found = store.errors.search(where("error_id").one_of(sorted(error_ids))) if error_ids else []
    return {record["error_id"]: record["fingerprint"] for record in found}
