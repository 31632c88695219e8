"""What the lists look at: the tables of the store, each with how its documents are read, filtered and sorted."""

from tinydb import where
from tinydb.queries import QueryInstance
from tinydb.table import Document

from engine.clock import Clock
from engine.filter import compile_filter
from engine.lookup.history import (
    ActionRow,
    OccurrenceRow,
    RunRow,
    VerdictRow,
    read_action,
    read_occurrence,
    read_run,
    read_verdict,
)
from engine.lookup.rows import EntryRow, read_row
from engine.store import Store
from engine.verdicts import Verdict, open_actions, verdicts_of
from wfe_tui.window import Source, contains

ENTRY_ORDERS = {
    "arrival": (None, False),
    "key": ("key", False),
    "state": ("urgency", False),
    "progress": ("done", False),
    "task": ("task", False),
    "reason": ("reason", False),
    "repeat": ("repeat", False),
    "attempts": ("attempts", False),
    "next": ("due", False),
    "age": ("updated", True),
    "processor": ("processor", False),
    "error": ("error_id", False),
    "run": ("run", False),
}
"""By age: the youngest was updated last. Arrival is the order in which entries came into the store."""

RUN_ORDERS = {"number": (None, True), "processor": ("processor", False), "started": ("started", True)}
ACTION_ORDERS = {"number": (None, True), "when": ("when", True)}
VERDICT_ORDERS = {"number": (None, False), "verdict": ("verdict", False), "settled": ("settled", True)}
OCCURRENCE_ORDERS = {"when": ("time", True), "key": ("key", False)}


OPEN = "open"
"""The filter that shows the actions alone that wait for verdicts."""


def entries(store: Store, clock: Clock) -> Source[EntryRow]:
    """The entries; filters are in the language of `engine.filter`."""
    return Source(
        store.entries,
        lambda document: read_row(document, clock(), store.is_alive),
        lambda text: compile_filter(text, store, clock()),
        ENTRY_ORDERS,
        steady=("arrival", "key"),
    )


def runs(store: Store, clock: Clock) -> Source[RunRow]:
    """The runs, the newest first; a filter is words."""
    return Source(
        store.runs,
        lambda document: read_run(document, clock(), store.is_alive),
        lambda text: contains(("processor", "ending", "started"), text),
        RUN_ORDERS,
        steady=("number", "started"),
    )


def actions(store: Store) -> Source[ActionRow]:
    """What operators did, the newest first; a filter is `open`, or words."""

    def condition(text: str) -> QueryInstance | None:
        if text.strip() != OPEN:
            return contains(("verb", "who", "why", "processor", "keys"), text)
        waiting = store.actions.get(doc_ids=list(open_actions(store)))
        # By the moment, since that has an index.
        is_waiting: QueryInstance = where("when").one_of([action["when"] for action in waiting])
        return is_waiting

    return Source(
        store.actions,
        lambda document: read_action(document, store.is_alive, verdicts_of(store, document.doc_id)),
        condition,
        ACTION_ORDERS,
        steady=("number", "when"),
    )


def verdicts(store: Store, action: int, clock: Clock) -> Source[VerdictRow]:
    """What became of the entries of an action, in the order in which they were given; a filter is a verdict, which an
    index answers, or words."""

    def read(document: Document) -> VerdictRow:
        entry = store.entries.get(doc_id=document["entry"])
        is_same = entry is not None and entry["key"] == document["key"]
        return read_verdict(document, read_row(entry, clock(), store.is_alive) if entry and is_same else None)

    def condition(text: str) -> QueryInstance:
        own: QueryInstance = where("action") == action
        named = text.strip().casefold()
        if named in set(Verdict):
            its: QueryInstance = where("verdict") == named
            return own & its
        words = contains(("key", "task", "verdict", "why", "error_id", "found"), text)
        return own if words is None else own & words

    return Source(store.verdicts, read, condition, VERDICT_ORDERS, steady=("number",))


def occurrences(store: Store, fingerprint: str) -> Source[OccurrenceRow]:
    """The occurrences of one error, the newest first; a filter is words."""

    def condition(text: str) -> QueryInstance:
        own: QueryInstance = where("fingerprint") == fingerprint
        words = contains(("key", "task", "message", "error_id", "host"), text)
        return own if words is None else own & words

    return Source(store.errors, read_occurrence, condition, OCCURRENCE_ORDERS, steady=("when", "key"))
