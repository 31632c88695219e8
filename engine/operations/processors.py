"""Pause and resume: what an operator does to a processor as a whole."""

from engine.clock import Clock, to_text, utc_now
from engine.lookup.entries import find_processor
from engine.operations.recording import record, refuse_read_only, signature
from engine.operations.verbs import By, Refusal
from engine.pausing import Pause, pause_of, remove_pause, write_pause
from engine.store import Store


def pause(
    processor: str,
    *,
    store: Store,
    who: str | None = None,
    why: str | None = None,
    clock: Clock = utc_now,
) -> Pause:
    """Pause a processor: no task of it is started, in any run on this store, until it is resumed.

    Args:
        processor: `module:Class`, or its class name where no other has it.
        store, who, why, clock: see `engine.operations.act`.

    Returns:
        The pause, as it stands from now on.

    Raises:
        Refusal: it is paused already.
        InputError: it has neither entries nor runs in the store.
        StoreError: the store cannot be written; nothing was done.
    """
    refuse_read_only(store, "pause")
    with store.transaction():
        name = find_processor(store, processor)
        if paused := pause_of(store, name):
            raise Refusal(f"{name} is {paused.words(clock())}")
        made = Pause(name, who or signature(), clock(), why)
        write_pause(store, made)
        record(store, "pause", By(made.who, why, made.when), name, {}, is_open=False, inverse={"resume": True})
    return made


def resume(
    processor: str,
    *,
    store: Store,
    who: str | None = None,
    why: str | None = None,
    clock: Clock = utc_now,
) -> Pause:
    """End the pause of a processor.

    Args:
        processor: `module:Class`, or its class name where no other has it.
        store, who, why, clock: see `engine.operations.act`.

    Returns:
        The pause that has ended.

    Raises:
        Refusal: it is not paused.
        InputError: it has neither entries nor runs in the store.
        StoreError: the store cannot be written; nothing was done.
    """
    refuse_read_only(store, "resume")
    with store.transaction():
        name = find_processor(store, processor)
        paused = pause_of(store, name)
        if paused is None:
            raise Refusal(f"{name} is not paused")
        remove_pause(store, name)
        was = {"who": paused.who, "when": to_text(paused.when), "why": paused.why}
        by = By(who or signature(), why, clock())
        record(store, "resume", by, name, {}, is_open=False, inverse={"pause": was})
    return paused
