"""The record of what operators did: a document of the table `actions` for each act on entries, a processor or a run."""

import getpass
import logging
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from engine.clock import to_text
from engine.exceptions import StoreError
from engine.operations.verbs import By
from engine.store import Store
from engine.text import counted

log = logging.getLogger("engine")


def record(
    store: Store,
    verb: str,
    by: By,
    processor: str,
    answers: Mapping[str, str | None],
    *,
    is_open: bool,
    keys: Sequence[str] | None = None,
    run: int | None = None,
    groups: Sequence[str] | None = None,
    inverse: Mapping[str, Any] | None = None,
    plan: str | None = None,
    canary: Mapping[str, Any] | None = None,
    undoes: int | None = None,
    of: int | None = None,
) -> int:
    """Write what was done; the number of the action.

    Args:
        store: where it was done.
        verb: its name.
        by: who did it.
        processor: `module:Class`.
        answers: for each key why it was refused, None if it was not.
        is_open: a worker has to execute what was asked for.
        keys: of the entries that it was to be done to, where not all answers are known yet.
        run: the number of the run that it was done to, if it was done to one.
        groups: the fingerprints of the groups of errors that it was done to, if it was done to groups.
        inverse: what it takes to take it back, where that is not said by the entries' verdicts.
        plan: the fingerprint of what it was decided on; see `engine.operations.basis`.
        canary: how it tries a few entries first; see `engine.worker.canary`.
        undoes: the number of the action that it took back.
        of: the number of the action that it was done to, if it was done to one.
    """
    number = store.actions.insert(
        {
            "verb": verb,
            "who": by.who,
            "when": to_text(by.moment),
            "why": by.why,
            "processor": processor,
            "keys": list(answers if keys is None else keys),
            "results": dict(answers),
            "open": is_open,
            "taken_by": None,
            "run": run,
            "groups": None if groups is None else list(groups),
            "inverse": None if inverse is None else dict(inverse),
            "plan": plan,
            "canary": None if canary is None else dict(canary),
            "undoes": undoes,
            "of": of,
            "undone_by": None,
            "origin": store.origin,
        }
    )
    to = processor
    if run is not None or of is not None:
        to = f"run {run} of {processor}" if run is not None else f"action {of} of {processor}"
    elif named := len(answers if keys is None else keys):
        to = f"{counted(named, 'entry', 'entries')} of {processor}"
    about = {"action": number, "run": run}
    log.info("action %s: %s did '%s' to %s%s", number, by.who, verb, to, f": {by.why}" if by.why else "", extra=about)
    return number


def refuse_read_only(store: Store, verb: str) -> None:
    """Raise StoreError if the store is opened to be read only."""
    if store.read_only:
        raise StoreError(f"{store.path} is opened read only: {verb} was not done, nothing can be changed from here")


def signature() -> str:
    """`user@host`; in a container, a user may have no name."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
