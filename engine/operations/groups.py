"""Resolve, snooze and note: what an operator says of groups of errors. No entry is changed by it."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from tinydb import where

from engine.clock import Clock, utc_now
from engine.exceptions import InputError
from engine.groups import Closed, GroupState, Note, Snoozed, Word, state_of, write_word
from engine.operations.acting import ActionResult
from engine.operations.recording import record, refuse_read_only, signature
from engine.operations.verbs import By, Refusal
from engine.store import Store

_Say = Callable[[Word, GroupState, By], Word]
"""What is said of a group from now on, by what was said of it and how it stands. Raises Refusal if that is nothing."""


def resolve(
    fingerprints: Iterable[str],
    *,
    store: Store,
    who: str | None = None,
    why: str | None = None,
    clock: Clock = utc_now,
) -> ActionResult:
    """Say of groups of errors that their cause is gone: from now on, one that is seen again has regressed.

    What is resolved is refused, unless it came back; a snooze ends.

    Args:
        fingerprints: of the groups, in full.
        store, who, why, clock: see `engine.operations.act`.

    Returns:
        For each fingerprint, that it was done or why not. Nothing is recorded if it was done to none.

    Raises:
        StoreError: the store cannot be written; nothing was done.
    """

    def say(word: Word, state: GroupState, by: By) -> Word:
        _refuse_resolved(word, state, by)
        return replace(word, closed=Closed(by.who, by.moment, by.why), snoozed=None)

    return _say("resolve", fingerprints, store, By(who or signature(), why, clock()), say)


def snooze(
    fingerprints: Iterable[str],
    *,
    until: datetime | None = None,
    more: int | None = None,
    store: Store,
    who: str | None = None,
    why: str | None = None,
    clock: Clock = utc_now,
) -> ActionResult:
    """Put groups of errors off, until a time or until they were seen so many times more; one or the other.

    What is snoozed is snoozed anew; what is resolved is refused, unless it came back.

    Args:
        fingerprints: of the groups, in full.
        until: a time to come (aware).
        more: how often, at least once.
        store, who, why, clock: see `engine.operations.act`.

    Returns: see `resolve`

    Raises:
        InputError: neither is given, or both, or one that has passed already.
        StoreError: the store cannot be written; nothing was done.
    """
    by = By(who or signature(), why, clock())
    if (until is None) == (more is None):
        raise InputError("a snooze ends at a time, or after so many more: give one of them")
    if until is not None and until <= by.moment:
        raise InputError("a snooze cannot end in the past: name a time to come")
    if more is not None and more < 1:
        raise InputError(f"a snooze cannot end after {more} more: give 1, or a greater number")

    def say(word: Word, state: GroupState, by: By) -> Word:
        _refuse_resolved(word, state, by)
        return replace(word, snoozed=Snoozed(by.who, by.moment, by.why, until, more))

    return _say("snooze", fingerprints, store, by, say)


def note(
    fingerprint: str,
    text: str,
    *,
    store: Store,
    who: str | None = None,
    clock: Clock = utc_now,
) -> ActionResult:
    """Note something of a group of errors, for whoever looks at it next.

    Args:
        fingerprint: of the group, in full.
        text: what is noted.
        store, who, clock: see `engine.operations.act`; in the record, the text is why it was done.

    Returns: see `resolve`

    Raises:
        InputError: there is no text.
        StoreError: the store cannot be written; nothing was done.
    """
    said = text.strip()
    if not said:
        raise InputError("there is nothing in the note: write a text")

    def say(word: Word, state: GroupState, by: By) -> Word:
        return replace(word, notes=(*word.notes, Note(by.who, by.moment, said)))

    return _say("note", [fingerprint], store, By(who or signature(), said, clock()), say)


def _refuse_resolved(word: Word, state: GroupState, by: By) -> None:
    if state is GroupState.RESOLVED and word.closed is not None:
        raise Refusal(f"it is {word.closed.words(by.moment)}")


def _say(verb: str, fingerprints: Iterable[str], store: Store, by: By, say: _Say) -> ActionResult:
    """Say it of each group, and record that."""
    refuse_read_only(store, verb)
    accepted: list[str] = []
    answers: dict[str, str | None] = {}
    inverse: dict[str, dict[str, Any] | None] = {}
    with store.transaction():
        for fingerprint in dict.fromkeys(fingerprints):
            before = store.groups.get(where("fingerprint") == fingerprint)
            word = Word.from_json(before) if before else Word()
            state = state_of(store, fingerprint, word, by.moment)
            try:
                if state is None:
                    raise Refusal("there is no error with this fingerprint")
                write_word(store, fingerprint, say(word, state, by))
            except Refusal as refusal:
                answers[fingerprint] = str(refusal)
            else:
                answers[fingerprint] = None
                accepted.append(fingerprint)
                inverse[fingerprint] = dict(before) if before else None
        actions = {}
        if accepted:
            number = record(
                store, verb, by, "", answers, is_open=False, keys=(), groups=list(answers), inverse={"groups": inverse}
            )
            actions[""] = number
    refused = {fingerprint: why for fingerprint, why in answers.items() if why is not None}
    return ActionResult(verb, tuple(accepted), refused, actions, ())
