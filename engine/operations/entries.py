"""The verbs on entries by their names: `restart(["A-3"], store=store, why="carrier added")`."""

from collections.abc import Iterable
from typing import Required, TypedDict, Unpack

from engine.clock import Clock
from engine.operations.acting import ActionResult, act
from engine.operations.basis import Basis
from engine.operations.paging import Progress
from engine.operations.verbs import Cancel, Decide, Decision, Hold, Release, Restart, SetRepeat, Skip
from engine.status import Repeat
from engine.store import Store


class Given(TypedDict, total=False):
    """What each verb on entries is given by name: `store` always, the others where they are needed.

    Args:
        store: where the entries are.
        processor: `module:Class`; needed where two processors have an entry of one key.
        who: who does it, for the record; by itself `user@host`.
        why: a reason, for the record.
        clock: where moments are taken from; by itself the system's.
        progress: is told how many entries are through, and of how many, page by page.
        basis: what it was decided on, as `preview` gives it: an entry that has changed since is refused.
    """

    store: Required[Store]
    processor: str | None
    who: str | None
    why: str | None
    clock: Clock
    progress: Progress | None
    basis: Basis | None


def set_repeat(
    keys: Iterable[str], repeat: Repeat, max_reruns: int | None = None, **given: Unpack[Given]
) -> ActionResult:
    """Set or clear the repeat of the task at which each entry stands; a later run executes it again, or not.

    Args:
        keys: of the entries.
        repeat, max_reruns: see `SetRepeat`.
        given: `store`, and if need be `processor`, `who`, `why`, `clock`, `progress`, `basis`: see `Given`.

    Returns and raises: see `act`.
    """
    return act(SetRepeat(repeat, max_reruns), keys, **given)


def toggle_repeat(keys: Iterable[str], on: bool, **given: Unpack[Given]) -> ActionResult:
    """The same for the next run alone.

    Args:
        keys: of the entries.
        on: True executes the task again, beyond any bound of reruns; False leaves it as it is.
        given: `store`, and if need be `processor`, `who`, `why`, `clock`, `progress`, `basis`: see `Given`.

    Returns and raises: see `act`.
    """
    return act(SetRepeat(on), keys, **given)


def restart(keys: Iterable[str], from_start: bool = False, **given: Unpack[Given]) -> ActionResult:
    """Execute entries again now. A worker does, or the next run; `ActionResult.to_run` says of which processors.

    Args:
        keys: of the entries.
        from_start: see `Restart`.
        given: `store`, and if need be `processor`, `who`, `why`, `clock`, `progress`, `basis`: see `Given`.

    Returns and raises: see `act`.

    Example::

        done = restart(["A-3"], store=store, why="carrier added")
        for key, why_not in done.refused.items():
            print(key, why_not)
    """
    return act(Restart(from_start), keys, **given)


def skip(keys: Iterable[str], **given: Unpack[Given]) -> ActionResult:
    """Take the task at which each entry stands as done, without executing it, and go on with the next one.

    Args:
        keys: of the entries.
        given: `store`, and if need be `processor`, `who`, `why`, `clock`, `progress`, `basis`: see `Given`.

    Returns and raises: see `act`.
    """
    return act(Skip(), keys, **given)


def hold(keys: Iterable[str], **given: Unpack[Given]) -> ActionResult:
    """Let no run execute entries until they are released.

    Args:
        keys: of the entries.
        given: `store`, and if need be `processor`, `who`, `why`, `clock`, `progress`, `basis`: see `Given`.

    Returns and raises: see `act`.
    """
    return act(Hold(), keys, **given)


def release(keys: Iterable[str], **given: Unpack[Given]) -> ActionResult:
    """End the hold of entries: from now on runs execute them as their plans say.

    Args:
        keys: of the entries.
        given: `store`, and if need be `processor`, `who`, `why`, `clock`, `progress`, `basis`: see `Given`.

    Returns and raises: see `act`.
    """
    return act(Release(), keys, **given)


def cancel(keys: Iterable[str], **given: Unpack[Given]) -> ActionResult:
    """Let no run execute entries any more; only a restart takes them up again.

    Args:
        keys: of the entries.
        given: `store`, and if need be `processor`, `who`, `why`, `clock`, `progress`, `basis`: see `Given`.

    Returns and raises: see `act`.
    """
    return act(Cancel(), keys, **given)


def decide(keys: Iterable[str], verdict: Decision, **given: Unpack[Given]) -> ActionResult:
    """Decide of entries in doubt, whose process died inside a task; all others are refused.

    Args:
        keys: of the entries.
        verdict: what became of the task: to be executed again, or taken as done.
        given: `store`, and if need be `processor`, `who`, `why`, `clock`, `progress`, `basis`: see `Given`.

    Returns and raises: see `act`.
    """
    return act(Decide(verdict), keys, **given)
