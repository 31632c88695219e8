"""The table `logs`: a document for each execution that has logged anything. An entry has the numbers of its own in its
field `logs`, so that they are found, and go with their executions, without being searched for."""

from collections.abc import Callable, Collection, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from tinydb.table import Document

if TYPE_CHECKING:
    from engine.store.store import Store

TABLE = "logs"


def add_logs(store: "Store", entry: MutableMapping[str, Any], logs: Collection[Mapping[str, Any]]) -> None:
    """Write what executions of an entry have logged, and have its document name it. To be called in the transaction
    that writes the entry.

    Args:
        store: where they are.
        entry: the entry's document.
        logs: each `{processor, key, task, attempt, lines: [[moment, level, logger, message], …], dropped}`.
    """
    if logs:
        entry[TABLE] = [*_numbers(entry), *store.db.table(TABLE).insert_multiple(logs)]


def logs_of(store: "Store", entry: Mapping[str, Any]) -> list[Document]:
    """What the executions of an entry, given as its document, have logged, the oldest first."""
    named = store.db.table(TABLE).get(doc_ids=_numbers(entry)) if _numbers(entry) else []
    return [log for log in named if all(log.get(field) == entry.get(field) for field in ("processor", "key"))]


def forget_logs(
    store: "Store", entry: MutableMapping[str, Any], is_old: Callable[[Document], bool] = lambda log: True
) -> None:
    """Remove those logs of an entry that are old, from its document, too. To be called in a transaction."""
    if not _numbers(entry):
        return
    logs = logs_of(store, entry)
    old = [log.doc_id for log in logs if is_old(log)]
    store.db.table(TABLE).remove(doc_ids=old)
    entry[TABLE] = [log.doc_id for log in logs if log.doc_id not in old]


def _numbers(entry: Mapping[str, Any]) -> list[int]:
    # A store may hold documents that no run has written.
    numbers = entry.get(TABLE)
    return [number for number in numbers if isinstance(number, int)] if isinstance(numbers, list) else []
