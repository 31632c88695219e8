"""Carries a restart out that tries a few entries first: lets them go portion by portion, and stops it by itself."""

from collections.abc import Iterator, MutableMapping
from itertools import islice
from typing import Any

from tinydb import where
from tinydb.table import Document

from engine.clock import Clock, to_text
from engine.lookup.rows import current
from engine.operations.deciding import decided
from engine.operations.paging import PAGE
from engine.operations.undoing import take_back
from engine.operations.verbs import By, Restart
from engine.state import State
from engine.store import Store
from engine.verdicts import Found, Verdict, attempts_of, change_back, digest, fingerprints_of, write
from engine.worker.canary import Brake, Canary, Stage


class Trial:
    """One such action, while a worker has it.

    Args:
        store: where it is.
        action: its document.
        clock: where moments are taken from.
    """

    def __init__(self, store: Store, action: Document, clock: Clock) -> None:
        self.store = store
        self.number = action.doc_id
        self.clock = clock
        self._verb = Restart(from_start=action["verb"] == Restart(from_start=True).name)
        self._who, self._why = action["who"], action["why"]
        canary = Canary.read(action)
        assert canary is not None, "who tries nothing is no trial"
        self.canary = canary

    def look(self) -> bool:
        """Find out how far it is, and write that; whether a worker has something to do for it now."""
        self._be_at(self.canary.after([row["verdict"] for row in self._rows()]))
        return self.canary.stage in (Stage.FIRST, Stage.REST) and any(map(self._is_to_do, self._portion()))

    def release(self) -> list[str]:
        """Let the next portion go; the keys of the entries that are to be executed."""
        keys: list[str] = []
        rows = iter([row for row in self._portion() if self._is_to_do(row)])
        while page := list(islice(rows, PAGE)):
            with self.store.transaction():
                keys += [row["key"] for row in page if row["before"] is not None or self._let_go(row)]
        return keys

    def brake(self) -> Brake:
        """What holds the run back that executes the portion."""
        rows = self._rows()
        groups = frozenset(row["fingerprint"] for row in rows if row["fingerprint"])
        allowed = self.canary.allowed(sum(row["verdict"] == Verdict.SAME_ERROR for row in rows))
        return Brake(self.canary.in_flight, groups, allowed)

    def end_portion(self, brake: Brake, *, is_through: bool) -> None:
        """The run is over: see how far it is; what is stopped goes back to where it was before.

        Args:
            brake: that held the run.
            is_through: the run came to all of its entries.
        """
        known = self.store.actions.get(doc_id=self.number)
        asked = Canary.read(known) if known is not None else None
        if asked is not None and asked.stage is Stage.ABANDONED:
            self.canary = asked
        elif brake.is_pulled:
            self._be_at(self.canary.at(Stage.STOPPED))
        else:
            self.look()
            is_all = not any(row["before"] is None for row in self._waiting())
            if is_through and is_all and self.canary.stage is Stage.REST:
                self._be_at(self.canary.at(Stage.DONE))
        if self.canary.stage in (Stage.STOPPED, Stage.ABANDONED):
            self._take_back_rest()

    def _take_back_rest(self) -> None:
        by = By(self._who, self._why, self.clock())
        rows = iter([row for row in self._waiting() if row["before"] is not None])
        while page := list(islice(rows, PAGE)):
            with self.store.transaction():
                for row in page:
                    take_back(self.store, row, by, "stopped")

    def _be_at(self, canary: Canary) -> None:
        if canary != self.canary:
            self.canary = canary
            is_open = canary.stage in (Stage.FIRST, Stage.REST)
            self.store.actions.update({"canary": canary.to_json(), "open": is_open}, doc_ids=[self.number])

    def _rows(self) -> list[Document]:
        return self.store.verdicts.get(doc_ids=self.store.verdicts.ids(where("action") == self.number))

    def _waiting(self) -> Iterator[Document]:
        return (row for row in self._rows() if row["verdict"] == Verdict.WAITING)

    def _portion(self) -> Iterator[Document]:
        rows = self._rows()
        portion = rows[: self.canary.first] if self.canary.stage is Stage.FIRST else rows
        return (row for row in portion if row["verdict"] == Verdict.WAITING)

    def _is_to_do(self, asked: Document) -> bool:
        """Whether an entry is to be let go, or was by a worker that died."""
        if asked["before"] is None:
            return True
        entry = self.store.entries.get(doc_id=asked["entry"])
        return entry is not None and current(entry, self.clock(), self.store.is_alive)["state"] == State.READY

    def _let_go(self, asked: Document) -> bool:
        """Do to an entry what was asked for, unless it must not be any more; whether it was done."""
        by = By(self._who, self._why, self.clock())
        entry = self.store.entries.get(doc_id=asked["entry"])
        if entry is None:
            write(self.store, asked.doc_id, Found(Verdict.REFUSED, why="it is no longer in the store"), by.moment)
            return False
        made = decided(self._verb, entry, by, self.store)
        if made.refused is not None:
            write(self.store, asked.doc_id, Found(Verdict.REFUSED, why=made.refused), by.moment)
            return False
        after = {**entry, **made.fields}

        def change(document: MutableMapping[str, Any]) -> None:
            document.update(made.fields, awaited=True)

        self.store.entries.update(change, doc_ids=[entry.doc_id])
        stands = {
            "error_id": entry["error_id"],
            "fingerprint": fingerprints_of(self.store, {entry["error_id"]} - {None}).get(entry["error_id"]),
            "task": entry["task"],
            "seen": attempts_of(after),
            "begun": to_text(by.moment),
            "before": change_back(entry, after),
            "after": digest(after),
        }
        self.store.verdicts.update(stands, doc_ids=[asked.doc_id])
        return True
