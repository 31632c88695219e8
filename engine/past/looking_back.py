"""Looks at a store as it was at a moment that has passed: derived into a file of its own, and gone when that is closed.

The file begins as a copy of the store, and only what has changed since the moment is written anew, so an hour back
costs what changed in an hour. What each document was is said by `engine.past`.
"""

import weakref
from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from types import TracebackType
from typing import Self

from tinydb import where

from engine.clock import Clock, from_text, local_time, to_text, utc_now
from engine.exceptions import InputError
from engine.past.derivation import Derivation, Progress
from engine.past.folder import Folder
from engine.store import Store
from engine.store.owners import Owners
from engine.store.retention import last_pruning
from engine.store.transfer import duplicate


class Past:
    """A store as it was: `store`, to be read only, at `moment` (UTC). It is gone when this is closed, and with it.

    `unknown` says, in a sentence each, what could not be known of then.
    """

    def __init__(self, folder: Folder, store: Store, moment: datetime, unknown: Iterable[str]) -> None:
        self.store = store
        self.moment = moment
        self.unknown = tuple(unknown)
        self._end = weakref.finalize(self, _end, store, folder)

    def clock(self) -> datetime:
        """The moment: there, the time stands still."""
        return self.moment

    def close(self) -> None:
        """Close it, and leave nothing of it; more than once does not matter."""
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def look_back(store: Store, moment: datetime, *, clock: Clock = utc_now, progress: Progress | None = None) -> Past:
    """The store as it was at a moment, as far as that follows from what it keeps.

    It lies in a folder of its own among the temporary files (see `tempfile.gettempdir`), which its user alone may
    enter.

    Args:
        store: as it is now; nothing is written to it.
        moment: aware.
        clock: what the moment has to lie before.
        progress: is told how far it is.

    Raises:
        InputError: the moment has not come yet, or lies before all that the store knows.
        StoreError: the store cannot be read, or its copy not written.
    """
    first = reach(store)
    if moment > clock():
        raise InputError(f"{local_time(moment)} has not come yet: give a moment that has passed")
    if first is None or moment < first:
        known = f"knows nothing of before {local_time(first)}" if first else "is empty"
        raise InputError(f"nothing can be said of {local_time(moment)}: {store.path} {known}")
    folder = Folder()
    try:
        file = folder.path / store.path.name
        duplicate(store.db.storage, file)
        folder.owners = Owners(file)
        with Store(file) as copy, copy.transaction():
            unknown = Derivation(store, copy, moment, folder.owners.mine()).derive(progress)
        was = Store(file, read_only=True)
        was.path = store.path  # whatever is said of it names the store that it was
        return Past(folder, was, moment, unknown)
    except BaseException:
        folder.remove()
        raise


def errors_over(store: Store, begin: datetime, end: datetime, parts: int) -> list[int]:
    """How many errors were recorded in each of so many equal parts of a time. Cheap: an index counts them."""
    edges = [to_text(begin + (end - begin) * part / parts) for part in range(parts + 1)]
    return [store.errors.count((where("time") >= after) & (where("time") < until)) for after, until in pairwise(edges)]


def reach(store: Store) -> datetime | None:
    """The first moment that something is known of; None if nothing is.

    What was finished before the latest `wfe prune` reached is gone, so of before that too little is known.
    """
    pruned = last_pruning(store)
    firsts = [
        table.get(doc_ids=table.ids(where(field) != None, order_by=field, limit=1))  # noqa: E711 - a query, not a test
        for table, field in ((store.runs, "started"), (store.errors, "time"), (store.actions, "when"))
    ]
    known = [str(found[0][field]) for found, field in zip(firsts, ("started", "time", "when"), strict=True) if found]
    if not known:
        return None
    return from_text(max(min(known), pruned["before"]) if pruned else min(known))


def _end(store: Store, folder: Folder) -> None:
    store.close()
    folder.remove()
