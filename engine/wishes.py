"""What an operator wants of a run that goes on. It stands in the run's document, where the run looks for it."""

from enum import StrEnum

from engine.store import Store

ASKED = "asked"
"""The field of a document of the table `runs` that holds the wish; null where there is none."""


class Wish(StrEnum):
    """What a run is asked to do."""

    STOP = "stop"
    """Begin nothing more: what is under way ends and is recorded, then the run ends."""
    DRAIN = "drain"
    """Take no new entry: those that it has begun go through their tasks, then the run ends."""


def wish_of(store: Store, run: int) -> Wish | None:
    """What is wanted of the run of this number. Cheap: ask it several times a second."""
    document = store.runs.get(doc_id=run)
    asked = document.get(ASKED) if document is not None else None
    return Wish(asked) if asked else None
