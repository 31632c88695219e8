"""What a task typically takes, by what its workflow's newest runs have measured."""

from itertools import islice

from tinydb import where

from engine.journal.durations import Histogram, merged, read_durations
from engine.store import Store

RUNS = 20
"""So many of the newest ended runs count."""


def typical_durations(store: Store, processor: str) -> dict[str, Histogram]:
    """How long the executions of each task took in the newest ended runs of a processor.

    Args:
        store: where its runs are.
        processor: `module:Class`.

    Returns:
        A histogram for each task that was executed in them, by its name.
    """
    # Those that go on are among the newest.
    newest = store.runs.ids(where("processor") == processor, order_by="started", reverse=True, limit=2 * RUNS)
    ended = (run for run in store.runs.get(doc_ids=list(newest)) if run["ended"])
    return merged(read_durations(run) for run in islice(ended, RUNS))
