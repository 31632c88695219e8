"""Who works on an entry: it has one owner at a time, and only from a dead one may it be taken.

All claiming goes through `take`, whether a run claims its next entry or a program claims some by their keys.
"""

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from tinydb import where
from tinydb.queries import QueryInstance

from engine.clock import Clock
from engine.exceptions import ClaimLost, InputError, StoreError
from engine.state import State

if TYPE_CHECKING:
    from engine.store.store import Store

Content = MutableMapping[str, Any]


@dataclass(frozen=True)
class Claims:
    """What became of a claim: the keys `taken`, and for each of the others the owner by whom it is `held`."""

    taken: tuple[str, ...]
    held: Mapping[str, str]


@dataclass(frozen=True)
class TakenOver:
    """What dead owners left and is now another's, and for each of the others the living owner by whom it is `held`.

    Of what is `in_doubt`, a task had started and may have taken effect; of what was `not_started`, none was under way.
    """

    in_doubt: tuple[str, ...]
    not_started: tuple[str, ...]
    held: Mapping[str, str]


@dataclass(frozen=True)
class Released:
    """What became of a release: the keys `freed`, and of the others, `refused`, who holds each, None if nobody does."""

    freed: tuple[str, ...]
    refused: Mapping[str, str | None]


def claim(store: "Store", keys: Iterable[str], owner: str, processor: str | None) -> Claims:
    """See `Store.claim`."""
    with store.transaction():
        taken, held = take(store, _find(store, keys, processor), owner, lambda holder: holder in (None, owner))
        return Claims(tuple(_keys(taken)), {document["key"]: document["owner"] for document in held})


def take_over(store: "Store", keys: Iterable[str] | None, owner: str, processor: str | None) -> TakenOver:
    """See `Store.take_over`."""
    store.recover()
    is_alive = cache(store.is_alive)
    with store.transaction():
        ids = _find(store, keys, processor) if keys is not None else _left(store, processor, is_alive)
        taken, others = take(store, ids, owner, lambda holder: holder is not None and not is_alive(holder))
        in_doubt = [document for document in taken if is_started(document)]
        not_started = [document for document in taken if not is_started(document)]
        held = {document["key"]: document["owner"] for document in others if document.get("owner")}
        return TakenOver(tuple(_keys(in_doubt)), tuple(_keys(not_started)), held)


def release(store: "Store", keys: Iterable[str], owner: str, processor: str | None, clock: Clock) -> Released:
    """See `Store.release`."""
    from engine.records import read_progress, summary  # the models of entries, which most who open a store do without

    freed: list[str] = []
    refused: dict[str, str | None] = {}

    def free(document: Content) -> None:
        holder = document.get("owner") or None
        if holder != owner:
            refused[document["key"]] = holder
            return
        freed.append(document["key"])
        document["owner"] = None
        if document.get("state") == State.RUNNING:  # that, nobody's entry is never: its plan says what it is
            document.update(summary(read_progress(document), document["tasks"], clock()))

    with store.transaction():
        store.entries.update(free, doc_ids=_find(store, keys, processor))
    return Released(tuple(freed), refused)


def take(
    store: "Store",
    ids: Iterable[int],
    owner: str,
    may: Callable[[str | None], bool],
    on_taking: Callable[[Content], None] = lambda document: None,
) -> tuple[list[Content], list[Content]]:
    """Make `owner` the owner of entries, in one transaction.

    Args:
        store: where they are.
        ids: their numbers; what is no longer there is left out.
        owner: a living one.
        may: whether an entry may be taken from this holder; None is nobody.
        on_taking: is given each entry that is taken, before it is written, and may change it.

    Returns:
        The entries that were taken, and those that were not.

    Raises:
        StoreError: `owner` is not alive.
    """
    taken: list[Content] = []
    left: list[Content] = []

    def give(document: Content) -> None:
        if not may(document.get("owner") or None):
            left.append(document)
            return
        on_taking(document)
        document["owner"] = owner
        taken.append(document)

    if not store.is_alive(owner):
        raise StoreError(
            f"{owner!r} cannot own entries of {store.path}, since no living process has that name: "
            "claim in the name of an open store, its `owner`"
        )
    store.entries.update(give, doc_ids=ids)
    return taken, left


def must_hold(document: Content, owner: str) -> None:
    """Raise ClaimLost unless `owner` holds the entry: what it has to say of it no longer counts."""
    if document["owner"] != owner:
        raise claim_lost(document["key"], document["owner"])


def claim_lost(key: str, holder: str | None) -> ClaimLost:
    """That an entry is another's by now, or nobody's."""
    return ClaimLost(
        f"the entry {key!r} was taken from this run ({holder or 'nobody'} holds it now), "
        "so nothing is written on it any more: `wfe show KEY` tells how it stands"
    )


def is_started(document: Content) -> bool:
    """Whether a task of the entry is under way, or was when its process died; not if an operator has settled that."""
    newest = {each.get("name"): each for each in document.get("executions") or []}  # of each task
    return any(each.get("running") and not each.get("restart") for each in newest.values())


def _find(store: "Store", keys: Iterable[str], processor: str | None) -> list[int]:
    """The numbers of the entries with these keys, in this order. Raises InputError unless each is there, and one."""
    wanted = list(dict.fromkeys(keys))
    found: dict[str, list[Any]] = {key: [] for key in wanted}
    # By the keys alone: the index of processors would have all entries of one looked through.
    for document in store.entries.search(where("key").one_of(wanted)):
        if processor in (None, document.get("processor")):
            found[document["key"]].append(document)
    for key, documents in found.items():
        if not documents:
            of = f" of {processor}" if processor else ""
            raise InputError(f"there is no entry {key!r}{of} in {store.path}: `wfe ls` lists the keys")
        if len(documents) > 1:
            names = " and ".join(sorted(str(document.get("processor")) for document in documents))
            raise InputError(f"{names} have an entry {key!r} in {store.path}: name the processor that is meant")
    return [documents[0].doc_id for documents in found.values()]


def _left(store: "Store", processor: str | None, is_alive: Callable[[str], bool]) -> Iterable[int]:
    """The numbers of the entries that dead owners hold."""
    owned: QueryInstance = where("owner") != None  # noqa: E711 - a query, not a test
    if processor is not None:
        owned &= where("processor") == processor
    owners = store.entries.counts("owner", owned)
    dead = [owner for owner in owners if isinstance(owner, str) and not is_alive(owner)]
    return store.entries.ids(owned & where("owner").one_of(dead))


def _keys(documents: Iterable[Content]) -> Iterable[str]:
    return (document["key"] for document in documents)
