"""Resume and abandon: what an operator says to a restart that tries a few entries first and has stopped."""

from tinydb import where
from tinydb.table import Document

from engine.clock import Clock, utc_now
from engine.exceptions import InputError
from engine.operations.recording import record, refuse_read_only, signature
from engine.operations.undoing import take_back
from engine.operations.verbs import By, Refusal
from engine.store import Store
from engine.verdicts import Found, Verdict, write
from engine.worker.canary import Canary, Stage

RESUME, ABANDON = "resume canary", "abandon canary"


def resume_canary(
    action: int, *, store: Store, who: str | None = None, why: str | None = None, clock: Clock = utc_now
) -> str:
    """Let a canary restart that has stopped go on with the rest of its entries. The same error may come back as often
    again as it was allowed to at first.

    Args:
        action: its number.
        store, who, why, clock: see `engine.operations.act`.

    Returns:
        The processor whose workers have to run it.

    Raises:
        InputError: there is no such action.
        Refusal: it is none of these, or has not stopped.
        StoreError: the store cannot be written; nothing was done.
    """
    refuse_read_only(store, RESUME)
    with store.transaction():
        document = to_resume(store, action)
        returned = store.verdicts.count((where("action") == action) & (where("verdict") == Verdict.SAME_ERROR))
        goes_on = _canary_of(document).at(Stage.REST, forgiven=returned).to_json()
        store.actions.update({"canary": goes_on, "open": True, "taken_by": None}, doc_ids=[action])
        processor = str(document["processor"])
        record(store, RESUME, By(who or signature(), why, clock()), processor, {}, is_open=False, of=action)
    return processor


def abandon_canary(
    action: int, *, store: Store, who: str | None = None, why: str | None = None, clock: Clock = utc_now
) -> int:
    """End a canary restart: entries that no engine has executed stay as they were before.

    Args:
        action: its number.
        store, who, why, clock: see `engine.operations.act`.

    Returns:
        How many entries it will not be done to.

    Raises:
        InputError: there is no such action.
        Refusal: it is none of these, or is over.
        StoreError: the store cannot be written; nothing was done.
    """
    refuse_read_only(store, ABANDON)
    by = By(who or signature(), why, clock())
    left = 0
    with store.transaction():
        document = to_abandon(store, action)
        ended = _canary_of(document).at(Stage.ABANDONED).to_json()
        store.actions.update({"canary": ended, "open": False}, doc_ids=[action])
        record(store, ABANDON, by, document["processor"], {}, is_open=False, of=action)
        for row in store.verdicts.search((where("action") == action) & (where("verdict") == Verdict.WAITING)):
            # One that is under way, or was executed and waits, has its verdict when it ends.
            if row["before"] is not None and take_back(store, row, by, "abandoned") is not None:
                continue
            write(store, row.doc_id, Found(Verdict.REFUSED, why=f"abandoned by {by.who}"), by.moment)
            left += 1
    return left


def to_resume(store: Store, action: int) -> Document:
    """The document of an action that `resume_canary` would let go on.

    Args and raises: see `resume_canary`
    """
    document = _find(store, action)
    if (stage := _canary_of(document).stage) is not Stage.STOPPED:
        raise Refusal(f"action {action} has not stopped: it is at {stage}")
    return document


def to_abandon(store: Store, action: int) -> Document:
    """The document of an action that `abandon_canary` would end.

    Args and raises: see `abandon_canary`
    """
    document = _find(store, action)
    if (stage := _canary_of(document).stage) in (Stage.ABANDONED, Stage.DONE):
        raise Refusal(f"action {action} is over: it is {stage}")
    return document


def _find(store: Store, action: int) -> Document:
    document = store.actions.get(doc_id=action)
    if document is None:
        raise InputError(f"there is no action {action} in {store.path}: `wfe actions` lists them")
    return document


def _canary_of(document: Document) -> Canary:
    canary = Canary.read(document)
    if canary is None:
        raise Refusal(f"action {document.doc_id} is no canary restart: it was done to all of its entries at once")
    return canary
