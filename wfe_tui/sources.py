"""What the lists look at: the tables of the store, each with how its documents are read, filtered and sorted."""

from tinydb import where
from tinydb.queries import QueryInstance

from engine.clock import Clock
from engine.filter import compile_filter
from engine.history import ActionRow, OccurrenceRow, RunRow, read_action, read_occurrence, read_run
from engine.records import EntryRow, read_row
from engine.store import Store
from engine.verdicts import verdicts_of
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
OCCURRENCE_ORDERS = {"when": ("time", True), "key": ("key", False)}


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
    """What operators did, the newest first; a filter is words."""
    return Source(
        store.actions,
        lambda document: read_action(document, store.is_alive, verdicts_of(store, document.doc_id)),
        lambda text: contains(("verb", "who", "why", "processor", "keys"), text),
        ACTION_ORDERS,
        steady=("number", "when"),
    )


def occurrences(store: Store, fingerprint: str) -> Source[OccurrenceRow]:
    """The occurrences of one error, the newest first; a filter is words."""

    def condition(text: str) -> QueryInstance:
        own: QueryInstance = where("fingerprint") == fingerprint
        words = contains(("key", "task", "message", "error_id", "host"), text)
        return own if words is None else own & words

    return Source(store.errors, read_occurrence, condition, OCCURRENCE_ORDERS, steady=("when", "key"))
