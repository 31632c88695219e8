"""Does a verb to many entries, and records it."""

import time
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from tinydb.table import Document

from engine.clock import Clock, utc_now
from engine.exceptions import InputError
from engine.lookup.entries import find_entries
from engine.lookup.rows import read_row
from engine.operations.basis import Basis
from engine.operations.deciding import Decided, decided
from engine.operations.paging import PAGE, PAUSE, Progress, pages
from engine.operations.recording import record, refuse_read_only, signature
from engine.operations.verbs import By, Verb
from engine.store import Store
from engine.verdicts import Found, Verdict, asked_of, fingerprints_of, settle, waiting_of, write
from engine.worker.canary import Canary


@dataclass(frozen=True)
class ActionResult:
    """What became of an act, entry by entry.

    Args:
        verb: its name.
        accepted: the keys of the entries that it was done to, in the order in which they were given.
        refused: of each of the others why not, in words.
        actions: the number of its record, for each processor (`module:Class`) that is concerned.
        to_run: the processors whose workers have to execute what was accepted: `wfe run --actions`, `wfe work`, or the
            next run.
    """

    verb: str
    accepted: tuple[str, ...]
    refused: Mapping[str, str]
    actions: Mapping[str, int]
    to_run: tuple[str, ...]


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
        who: who does it, for the record; None is `user@host`.
        why: a reason, for the record.
        clock: where moments are taken from.
        progress: is told how many entries are through, and of how many, page by page.
        basis: what it was decided on, as `preview` gives it: an entry that has changed since is refused.
        canary: a few of them first, the others after these have their verdicts; only for what a worker executes.

    Returns:
        For each key, that it was done or why not.

    Raises:
        StoreError: the store cannot be written, or is opened read only; nothing was done.

    Example::

        seen = preview(Restart(), ["A-3"], store=store)
        if seen.refused == 0:
            done = act(Restart(), ["A-3"], store=store, why="carrier added", basis=seen.basis)
            assert done.accepted == ("A-3",)
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
        for number, page in enumerate(pages(frozen)):
            with store.transaction():
                done.change(page)
            time.sleep(PAUSE)
            if progress:
                progress(min((number + 1) * PAGE, len(frozen)), len(frozen))
        with store.transaction():
            done.record()
    return done.result(frozen)


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
        for page in pages(keys):
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
