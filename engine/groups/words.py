"""What was said of groups of errors, as the store holds it: the table `groups`, a document for each fingerprint."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from tinydb import where

from engine.groups.seen import failed_by, first_and_last, of_group, restarts_of, seen_since
from engine.groups.states import Closed, GroupState, Word, group_state
from engine.store import Store
from engine.verdicts import Verdict


def words_of(store: Store, fingerprints: Iterable[str] | None = None) -> dict[str, Word]:
    """What was said of these groups, of all if it is None; those of which nothing was are left out."""
    if fingerprints is None:
        found = store.groups.all()
    else:
        found = store.groups.search(where("fingerprint").one_of(list(fingerprints)))
    return {document["fingerprint"]: Word.from_json(document) for document in found}


def write_word(store: Store, fingerprint: str, word: Word) -> None:
    """Write what is said of a group from now on."""
    store.groups.upsert({"fingerprint": fingerprint, **word.to_json()}, of_group(fingerprint))


def state_of(store: Store, fingerprint: str, word: Word, moment: datetime) -> GroupState | None:
    """How a group stands at `moment` (aware), by what was said of it; None if it was never seen."""
    seen = first_and_last(store, fingerprint)
    if seen is None:
        return None
    since = seen_since(store, fingerprint, word.snoozed.when) if word.snoozed else 0
    return group_state(word, *seen, since, moment)


def mark_fixed(store: Store, fingerprints: Iterable[str], moment: datetime) -> list[str]:
    """Close the groups that restarts have fixed: by which no entry stands failed any more, and none is awaited.

    Args:
        store: where they are.
        fingerprints: of those of which a verdict `fixed` was written.
        moment: when they are closed (aware).

    Returns:
        Those that were closed. One that was resolved before, and did not come back, stays as it is.
    """
    closed = []
    with store.transaction():
        for fingerprint in dict.fromkeys(fingerprints):
            word = words_of(store, [fingerprint]).get(fingerprint, Word())
            fixed = _fixed(store, fingerprint, moment)
            if fixed and state_of(store, fingerprint, replace(word, snoozed=None), moment) is not GroupState.RESOLVED:
                before = store.groups.get(of_group(fingerprint))
                write_word(store, fingerprint, replace(word, closed=fixed, snoozed=None))
                # No act of an operator has the inverse of this.
                store.groups.update({"inverse": dict(before) if before else None}, of_group(fingerprint))
                closed.append(fingerprint)
    return closed


def _fixed(store: Store, fingerprint: str, moment: datetime) -> Closed | None:
    """By which action all that failed of a group was fixed; None if it was not, or that is not known yet."""
    own = restarts_of(fingerprint)
    newest = store.verdicts.ids(own & (where("verdict") == Verdict.FIXED), reverse=True, limit=1)
    is_awaited = newest and store.verdicts.count(own & (where("verdict") == Verdict.WAITING))
    if not newest or is_awaited or failed_by(store, [fingerprint]):
        return None
    [verdict] = store.verdicts.get(doc_ids=newest)
    action = store.actions.get(doc_id=verdict["action"])
    who = action["who"] if action else "a run"
    return Closed(who, moment, f"{verdict['verb']} {verdict['action']} fixed it", verdict["action"])
