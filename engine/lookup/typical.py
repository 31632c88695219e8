"""What a task typically takes, by what its workflow's newest runs have measured."""

from datetime import datetime
from itertools import islice

from tinydb import where

from engine.clock import to_text
from engine.journal.durations import Histogram, merged, read_durations
from engine.store import Store

RUNS = 20
"""So many of the newest ended runs count."""


def typical_durations(store: Store, processor: str, before: datetime | None = None) -> dict[str, Histogram]:
    """How long the executions of each task took in the newest ended runs of a processor.

    Args:
        store: where its runs are.
        processor: `module:Class`.
        before: of the runs that had begun by then (aware); None is all.

    Returns:
        A histogram for each task that was executed in them, by its name.
    """
    # Those that go on are among the newest.
    own = where("processor") == processor
    if before is not None:
        own = own & (where("started") < to_text(before))
    newest = store.runs.ids(own, order_by="started", reverse=True, limit=2 * RUNS)
    ended = (run for run in store.runs.get(doc_ids=list(newest)) if run["ended"])
    return merged(read_durations(run) for run in islice(ended, RUNS))
