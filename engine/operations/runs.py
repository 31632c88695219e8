"""Stop and drain: what an operator asks of one run that goes on, in whatever process it does."""

from tinydb import where

from engine.clock import Clock, utc_now
from engine.exceptions import InputError
from engine.operations.recording import record, refuse_read_only, signature
from engine.operations.verbs import By, Refusal
from engine.store import Store
from engine.wishes import ASKED, Wish, wish_of


def stop(run: int, *, store: Store, who: str | None = None, why: str | None = None, clock: Clock = utc_now) -> str:
    """Ask a run to stop, as the first ctrl+c does: it begins nothing more, what is under way ends and is recorded.

    It sees that within a quarter of a second, or when the task has ended that its own thread executes, and ends as
    `stopped`. Who made it makes no other with the same processor object: a worker ends.

    Args:
        run: its number.
        store, who, why, clock: see `engine.operations.act`.

    Returns:
        The processor whose run it is.

    Raises:
        InputError: there is no such run.
        Refusal: it has ended, its process is dead, or it was asked for that before.
        StoreError: the store cannot be written; nothing was done.
    """
    return _ask(Wish.STOP, run, store, who, why, clock)


def drain(run: int, *, store: Store, who: str | None = None, why: str | None = None, clock: Clock = utc_now) -> str:
    """Ask a run to take no new entry: those that it has begun go through all their tasks of this run, then it ends.

    A run that drains can be asked to `stop` as well.

    Args, returns and raises: see `stop`
    """
    return _ask(Wish.DRAIN, run, store, who, why, clock)


def _ask(wish: Wish, run: int, store: Store, who: str | None, why: str | None, clock: Clock) -> str:
    refuse_read_only(store, wish)
    store.recover()
    with store.transaction():
        document = store.runs.get(doc_id=run)
        if document is None:
            raise InputError(f"there is no run {run} in {store.path}; those that go on: {_going_on(store) or 'none'}")
        if document["ended"]:
            raise Refusal(f"run {run} has ended: {document['ending']}")
        if not store.is_alive(document["owner"]):
            raise Refusal(f"the process of run {run} has died")
        if (asked := wish_of(store, run)) in (wish, Wish.STOP):
            raise Refusal(f"run {run} was asked to {asked} before")
        store.runs.update({ASKED: wish.value}, doc_ids=[run])
        by, processor = By(who or signature(), why, clock()), str(document["processor"])
        record(store, wish.value, by, processor, {}, is_open=False, run=run)
    return processor


def _going_on(store: Store) -> str:
    going_on = store.runs.search(where("ended") == None)  # noqa: E711 - a query, not a test
    return ", ".join(str(run.doc_id) for run in going_on if store.is_alive(run["owner"]))
