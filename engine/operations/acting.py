"""Does a verb to many entries, or shows beforehand what it would do to each: the same decision, written or not."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any

from tinydb.table import Document

from engine.clock import Clock, to_text, utc_now
from engine.due_date import parse_due_date
from engine.exceptions import InputError
from engine.groups import groups_of
from engine.lookup.entries import find_entries
from engine.lookup.rows import current, read_row
from engine.model import WorkflowModel
from engine.operations.basis import Basis, Stamp
from engine.operations.recording import record, refuse_read_only, signature
from engine.operations.verbs import (
    By,
    Cancel,
    Decide,
    Decision,
    Hold,
    Refusal,
    Release,
    Restart,
    SetRepeat,
    Skip,
    Verb,
)
from engine.planning import plan
from engine.records import entry_progress, read_progress, summary
from engine.state import Plan, State, Step, StepKind
from engine.status import Repeat
from engine.store import Store
from engine.verdicts import Found, Verdict, asked_of, fingerprints_of, settle, waiting_of, write
from engine.worker.canary import Canary

PAGE = 500
"""Entries that are changed in one transaction: others write between two of them."""

PAUSE = 0.001
"""Seconds after such a transaction: who asked for the next at once would overtake the writers that wait."""

Progress = Callable[[int, int], object]
"""Is told how many entries of how many are through."""


@dataclass(frozen=True)
class ActionResult:
    """What became of an act: the keys it was done to, for the others why not; its number for each processor.

    `to_run` names the processors whose workers have to run what was accepted; see `engine.worker`.
    """

    verb: str
    accepted: tuple[str, ...]
    refused: Mapping[str, str]
    actions: Mapping[str, int]
    to_run: tuple[str, ...]


class Fate(StrEnum):
    """What becomes of one task of an entry after an act."""

    KEPT = "kept"
    """It is done, and stays so."""
    AGAIN = "runs again"
    """It was executed before, and is executed again."""
    FIRST = "runs first"
    """It was not executed yet, and is now."""
    TAKEN_AS_DONE = "taken as done"
    """It is not executed, and counts as if it had been."""
    LATER = "later"
    """Nothing happens to it now."""


@dataclass(frozen=True)
class Previewed:
    """What an act would do to one entry: `refused` says why nothing; else, per task, its fate and its last error."""

    key: str
    processor: str
    refused: str | None
    tasks: tuple[tuple[str, Fate, str], ...] = ()


@dataclass
class Preview:
    """What an act would do: `entries` in the order of their keys as given, `totals` of the fates of all their tasks.

    No more than `shown` of the entries are kept; `accepted` and `refused` count all. `basis` is what it was found out
    on: an act that is given it is done to those entries alone that have not changed since. Where a task is executed
    again, `causes` says of which groups of errors how many of the accepted entries failed.
    """

    verb: str
    basis: Basis
    accepted: int = 0
    refused: int = 0
    totals: Counter[Fate] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    entries: list[Previewed] = field(default_factory=list)


def act(
    verb: Verb,
    keys: Iterable[str],
    *,
    store: Store,
    processor: str | None = None,
    who: str | None = None,
    why: str | None = None,
    clock: Clock = utc_now,
    progress: Progress | None = None,
    basis: Basis | None = None,
    canary: Canary | None = None,
) -> ActionResult:
    """Do a verb to entries, and record it.

    Up to 500 entries are changed in one transaction. More are changed in several, so that no run has to wait; if the
    process dies between two of them, the record has all the keys, and no results.

    It can be taken back by `undo` until an engine has executed what it asks for. What becomes of each entry is told by
    its verdict; see `engine.verdicts`.

    Args:
        verb: what is done.
        keys: of the entries.
        store: where the entries are.
        processor: `module:Class`; needed where two processors have an entry of one key.
        who: default `user@host`.
        why: a reason for the record.
        clock: where moments are taken from.
        progress: is told how far it is.
        basis: what it was decided on, as `preview` gives it: an entry that has changed since is refused.
        canary: a few of them first, the others after these have their verdicts; only for what a worker executes.

    Returns:
        For each key, that it was done or why not.

    Raises:
        StoreError: the store cannot be written, or is opened read only; nothing was done.
    """
    refuse_read_only(store, verb.name)
    frozen = tuple(dict.fromkeys(keys))
    done = _Act(verb, store, processor, By(who or signature(), why, clock()), basis, canary)
    store.recover()
    if len(frozen) <= PAGE:
        with store.transaction():
            done.announce(frozen)
            done.change(frozen)
            done.record()
    else:
        done.announce(frozen)
        for number, page in enumerate(_pages(frozen)):
            with store.transaction():
                done.change(page)
            time.sleep(PAUSE)
            if progress:
                progress(min((number + 1) * PAGE, len(frozen)), len(frozen))
        with store.transaction():
            done.record()
    return done.result(frozen)


def preview(
    verb: Verb,
    keys: Iterable[str],
    *,
    store: Store,
    processor: str | None = None,
    clock: Clock = utc_now,
    shown: int = 1_000,
    progress: Progress | None = None,
) -> Preview:
    """What `act` would do, and to which tasks. Nothing is written.

    Args:
        verb, keys, store, processor, clock, progress: see `act`.
        shown: of how many entries the single tasks are told.
    """
    frozen = tuple(dict.fromkeys(keys))
    by = By(signature(), None, clock())
    seen = Preview(verb.name, Basis(verb.name, tuple(verb.words), by.moment))
    for number, page in enumerate(_pages(frozen)):
        errors: list[str] = []
        for key, found in find_entries(store, page, processor).items():
            each = _previewed(verb, key, found, by, store)
            if isinstance(found, Document):
                if verb.reruns and each.refused is None and found["error_id"]:
                    errors.append(found["error_id"])
                row = read_row(found, by.moment, store.is_alive)
                seen.basis.stamps[row.processor, row.key] = Stamp.of(row)
            seen.refused += each.refused is not None
            seen.accepted += each.refused is None
            if each.refused is not None:
                seen.reasons[each.refused if isinstance(found, Document) else "it is not there"] += 1
            seen.totals.update(fate for _, fate, _ in each.tasks)
            if len(seen.entries) < shown:
                seen.entries.append(each)
        seen.causes += groups_of(store, errors)
        if progress:
            progress(min((number + 1) * PAGE, len(frozen)), len(frozen))
    return seen


def set_repeat(keys: Iterable[str], repeat: Repeat, max_reruns: int | None = None, **given: Any) -> ActionResult:
    """Set or clear the repeat of the task at which each entry stands: see `SetRepeat`; `given`: see `act`."""
    return act(SetRepeat(repeat, max_reruns), keys, **given)


def toggle_repeat(
    keys: Iterable[str],
    on: bool,
    *,
    store: Store,
    processor: str | None = None,
    who: str | None = None,
    why: str | None = None,
    clock: Clock = utc_now,
) -> ActionResult:
    """The same for the next run: True executes the task again, beyond any bound of reruns; False leaves it as it is."""
    return act(SetRepeat(on), keys, store=store, processor=processor, who=who, why=why, clock=clock)


def restart(
    keys: Iterable[str],
    from_start: bool = False,
    *,
    store: Store,
    processor: str | None = None,
    who: str | None = None,
    why: str | None = None,
    clock: Clock = utc_now,
) -> ActionResult:
    """Execute entries again now: see `Restart`, and `act` for the arguments."""
    return act(Restart(from_start), keys, store=store, processor=processor, who=who, why=why, clock=clock)


def skip(keys: Iterable[str], **given: Any) -> ActionResult:
    """Take the task at which each entry stands as done, unexecuted: see `Skip`; `given`: see `act`."""
    return act(Skip(), keys, **given)


def hold(keys: Iterable[str], **given: Any) -> ActionResult:
    """Let no run execute entries until they are released; `given`: see `act`."""
    return act(Hold(), keys, **given)


def release(keys: Iterable[str], **given: Any) -> ActionResult:
    """End the hold of entries; `given`: see `act`."""
    return act(Release(), keys, **given)


def cancel(keys: Iterable[str], **given: Any) -> ActionResult:
    """Let no run execute entries any more: see `Cancel`; `given`: see `act`."""
    return act(Cancel(), keys, **given)


def decide(
    keys: Iterable[str],
    verdict: Decision,
    *,
    store: Store,
    processor: str | None = None,
    who: str | None = None,
    why: str | None = None,
    clock: Clock = utc_now,
) -> ActionResult:
    """Decide of entries in doubt, and of no others: see `Decide`, and `act` for the arguments."""
    return act(Decide(verdict), keys, store=store, processor=processor, who=who, why=why, clock=clock)


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


def _previewed(verb: Verb, key: str, found: Document | InputError, by: By, store: Store) -> Previewed:
    if isinstance(found, InputError):
        return Previewed(key, "", str(found))
    made = decided(verb, found, by, store)
    if made.before is None or made.after is None:
        return Previewed(key, found["processor"], made.refused)
    due_date = found["due_date"]
    is_ripe = not due_date or parse_due_date(due_date).is_ripe(by.moment)
    fates = [
        (after.task, _fate(before, after, is_ripe), before.why if before.attempts else "")
        for before, after in zip(made.before.steps, made.after.steps, strict=True)
    ]
    return Previewed(key, found["processor"], None, tuple(fates))


def _fate(before: Step, after: Step, is_ripe: bool) -> Fate:
    """What becomes of a task by what was decided; `is_ripe`: the due date of its entry lets a run have it now."""
    if after.kind is StepKind.DONE:
        return Fate.KEPT if before.kind is StepKind.DONE else Fate.TAKEN_AS_DONE
    if not is_ripe or not after.kind.is_to_do:
        return Fate.LATER
    return Fate.AGAIN if after.attempts else Fate.FIRST


class _Act:
    """One verb on its way through the entries, in transactions that its caller opens."""

    def __init__(
        self, verb: Verb, store: Store, processor: str | None, by: By, basis: Basis | None, canary: Canary | None
    ) -> None:
        self.verb = verb
        self.store = store
        self.processor = processor
        self.by = by
        self.basis = basis
        self.canary = canary
        self.answers: dict[str, dict[str, str | None]] = {}
        self.refused: dict[str, str] = {}
        self.actions: dict[str, int] = {}

    def announce(self, keys: Sequence[str]) -> None:
        """Record what is about to be done."""
        owned: dict[str, list[str]] = {}
        for page in _pages(keys):
            for key, found in find_entries(self.store, page, self.processor).items():
                if isinstance(found, Document):
                    owned.setdefault(found["processor"], []).append(key)
        with self.store.transaction():
            for processor, own in owned.items():
                self.actions[processor] = record(
                    self.store, self.verb.name, self.by, processor, {}, is_open=False, keys=own,
                    plan=self.basis.fingerprint if self.basis else None,
                    canary=self.canary.to_json() if self.canary else None,
                )  # fmt: skip

    def change(self, keys: Iterable[str]) -> None:
        """Change these entries, as far as it may be done."""
        found = find_entries(self.store, keys, self.processor)
        self.refused.update({key: str(missing) for key, missing in found.items() if isinstance(missing, InputError)})
        # One that came between the announcement and this page was not looked at.
        documents = [
            each for each in found.values() if isinstance(each, Document) and each["processor"] in self.actions
        ]
        made = {document.doc_id: self._made_of(document) for document in documents}
        accepted = [document for document in documents if made[document.doc_id].refused is None]
        for document in documents:
            answer = made[document.doc_id].refused
            self.answers.setdefault(document["processor"], {})[document["key"]] = answer
            if answer:
                self.refused[document["key"]] = answer
        self._ask(accepted, made)
        if self.canary is None:
            self._write(accepted, made)

    def _made_of(self, document: Document) -> Decided:
        if self.basis is not None:
            row = read_row(document, self.by.moment, self.store.is_alive)
            if (refusal := self.basis.refusal(self.store, document.doc_id, row)) is not None:
                return Decided(refusal)
        return decided(self.verb, document, self.by, self.store)

    def _ask(self, accepted: Sequence[Document], made: Mapping[int, Decided]) -> None:
        """Write for each entry how it stands, and that its verdict is awaited."""
        groups = fingerprints_of(self.store, {each["error_id"] for each in accepted if each["error_id"]})
        self.store.verdicts.insert_multiple(
            {
                "action": self.actions[entry["processor"]],
                "verb": self.verb.name,
                "executes": self.verb.reruns,
                "fingerprint": groups.get(entry["error_id"]),
                **asked_of(entry, made[entry.doc_id].fields or entry, awaits=self.verb.awaits, moment=self.by.moment),
                **({"before": None, "after": None, "begun": None} if self.canary else {}),
            }
            for entry in accepted
        )

    def _write(self, accepted: Sequence[Document], made: Mapping[int, Decided]) -> None:
        numbers = {(entry["processor"], entry["key"]): entry.doc_id for entry in accepted}

        def write(document: MutableMapping[str, Any]) -> None:
            number = numbers[document["processor"], document["key"]]
            document.update(made[number].fields)
            if self.verb.withdraws and document.get("awaited"):
                for asked in self.store.verdicts.search(waiting_of(number)):
                    self._withdraw(asked)
                settle(self.store, document, number, self.by.moment)
            elif self.verb.awaits:
                document["awaited"] = True

        self.store.entries.update(write, doc_ids=[entry.doc_id for entry in accepted])

    def _withdraw(self, asked: Document) -> None:
        why = f"{self.verb.name} by {self.by.who}"
        write(self.store, asked.doc_id, Found(Verdict.REFUSED, why=why), self.by.moment)

    def record(self) -> None:
        """Write what became of each key."""
        for processor, answers in self.answers.items():
            is_open = self.verb.needs_worker and None in answers.values()
            self.store.actions.update({"results": answers, "open": is_open}, doc_ids=[self.actions[processor]])

    def result(self, keys: Iterable[str]) -> ActionResult:
        """What became of them, in this order."""
        accepted = tuple(key for key in keys if key not in self.refused)
        refused = {key: self.refused[key] for key in keys if key in self.refused}
        to_run = tuple(
            name for name, answers in self.answers.items() if self.verb.needs_worker and None in answers.values()
        )
        return ActionResult(self.verb.name, accepted, refused, self.actions, to_run)


def _pages(keys: Iterable[str]) -> Iterator[list[str]]:
    waiting = iter(keys)
    while page := list(islice(waiting, PAGE)):
        yield page
