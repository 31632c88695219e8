"""What operators did to one entry, found by its verdicts: no action has to be looked through for its key."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tinydb import where
from tinydb.table import Document

from engine.clock import from_text, to_text
from engine.store import Store
from engine.verdicts import Verdict

LOOKED_THROUGH = 1_000
"""So many of the actions of before there were verdicts are looked through for an entry's key."""


@dataclass(frozen=True)
class Act:
    """One action, as it concerned one entry; `when` is UTC.

    `verdict` is what became of the entry by it, None of an action of before there were verdicts; with an error, `found`
    is the id of that, with a refusal `refused` its reason; `attempts` of the task it took.
    """

    action: int
    verb: str
    who: str
    when: datetime
    why: str | None
    verdict: Verdict | None
    found: str | None = None
    refused: str | None = None
    attempts: int | None = None

    def words(self) -> str:
        """`hold by bob@host: customs`; not literal."""
        return said(self.verb, self.who, self.why)

    @property
    def outcome(self) -> str:
        """`fixed after 2 attempts`, `refused: undone by bob@host`; nothing where nothing was to be executed."""
        match self.verdict:
            case None | Verdict.DONE:
                return ""
            case Verdict.FIXED if self.attempts and self.attempts > 1:
                return f"fixed after {self.attempts} attempts"
            case Verdict.REFUSED if self.refused:
                return f"refused: {self.refused}"
        return self.verdict

    def to_json(self) -> dict[str, Any]:
        """The fields that `wfe show --json` promises."""
        return {
            "action": self.action, "verb": self.verb, "who": self.who, "when": to_text(self.when), "why": self.why,
            "verdict": self.verdict, "found": self.found, "refused": self.refused, "attempts": self.attempts,
        }  # fmt: skip


def said(verb: str, who: str, why: str | None) -> str:
    """What somebody did, and why: `hold by bob@host: customs`; not literal."""
    return f"{verb} by {who}" + (f": {why}" if why else "")


def acts_on(store: Store, entry: Document, most: int = 20) -> list[Act]:
    """What operators did to an entry, the newest first; what was refused at once is not told.

    Args:
        store: where it is.
        entry: its document.
        most: so many are told.
    """
    asked = {row["action"]: row for row in store.verdicts.search(where("entry") == entry.doc_id)}
    newest = store.actions.get(doc_ids=sorted(asked, reverse=True)[:most])
    acts = [_read(action, asked[action.doc_id]) for action in newest]
    return acts if len(acts) == most else [*acts, *_of_before(store, entry, most - len(acts))]


def _of_before(store: Store, entry: Document, most: int) -> list[Act]:
    """Those of the actions that an older version has written, which kept no verdicts."""
    [*first] = store.verdicts.get(doc_ids=store.verdicts.ids(order_by="action", limit=1))
    is_older = where("when") < first[0]["asked"] if first else None
    numbers = store.actions.ids(is_older, order_by="when", reverse=True, limit=LOOKED_THROUGH)
    found = (
        _read(action, None)
        for action in store.actions.get(doc_ids=numbers)
        if action["processor"] == entry["processor"] and action["results"].get(entry["key"], "") is None
    )
    return list(found)[:most]


def _read(action: Document, asked: Document | None) -> Act:
    told: Mapping[str, Any] = asked or {}
    return Act(
        action=action.doc_id,
        verb=action["verb"],
        who=action["who"],
        when=from_text(action["when"]),
        why=action["why"],
        verdict=Verdict(told["verdict"]) if told else None,
        found=told.get("found"),
        refused=told.get("why"),
        attempts=told.get("attempts"),
    )


def acts_since(store: Store, entry: int, moment: datetime) -> Iterator[str]:
    """What operators did to an entry, given its number, after a moment (aware): `hold by bob@host: customs`."""
    rows = store.verdicts.search(where("entry") == entry)
    asked = {row["action"]: row for row in rows if from_text(row["asked"]) > moment}
    for action in store.actions.get(doc_ids=sorted(asked)):
        yield _read(action, asked[action.doc_id]).words()
