"""Shows beforehand what a verb would do to many entries, and to which of their tasks. Nothing is written."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from tinydb.table import Document

from engine.clock import Clock, utc_now
from engine.due_date import parse_due_date
from engine.exceptions import InputError
from engine.groups import groups_of
from engine.lookup.entries import find_entries
from engine.lookup.rows import read_row
from engine.operations.basis import Basis, Stamp
from engine.operations.deciding import decided
from engine.operations.paging import PAGE, Progress, pages
from engine.operations.recording import signature
from engine.operations.verbs import By, Verb
from engine.state import Step, StepKind
from engine.store import Store


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
    """What an act would do to one entry.

    Args:
        key: of the entry.
        processor: `module:Class`; empty if the entry is not there.
        refused: why nothing; None if that is not so.
        tasks: of each of its tasks the name, the fate, and what came of it before.
    """

    key: str
    processor: str
    refused: str | None
    tasks: tuple[tuple[str, Fate, str], ...] = ()


@dataclass
class Preview:
    """What an act would do.

    Args:
        verb: the name of the verb.
        basis: what it was found out on: an act that is given it is done to those entries alone that have not changed
            since.
        accepted: how many entries it would be done to.
        refused: how many not.
        totals: how many of their tasks have each fate.
        reasons: why entries are refused, and how many of them for each reason.
        causes: where a task is executed again, of which groups of errors (fingerprints) how many of the accepted
            entries failed.
        entries: each of them, in the order of the keys as given, no more than were asked for by `shown`.
    """

    verb: str
    basis: Basis
    accepted: int = 0
    refused: int = 0
    totals: Counter[Fate] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    entries: list[Previewed] = field(default_factory=list)


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
    """What `act` would do, and to which tasks of which entries. Nothing is written.

    Args:
        verb, keys, store, processor, clock, progress: see `act`.
        shown: of how many entries the single tasks are told.
    """
    frozen = tuple(dict.fromkeys(keys))
    by = By(signature(), None, clock())
    seen = Preview(verb.name, Basis(verb.name, tuple(verb.words), by.moment))
    for number, page in enumerate(pages(frozen)):
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
