"""The verbs on entries by their names: `restart(["A-3"], store=store, why="carrier added")`."""

from collections.abc import Iterable
from typing import Any

from engine.clock import Clock, utc_now
from engine.operations.acting import ActionResult, act
from engine.operations.verbs import Cancel, Decide, Decision, Hold, Release, Restart, SetRepeat, Skip
from engine.status import Repeat
from engine.store import Store


def set_repeat(keys: Iterable[str], repeat: Repeat, max_reruns: int | None = None, **given: Any) -> ActionResult:
    """Set or clear the repeat of the task at which each entry stands: see `SetRepeat`; `given`: see `act`."""
    return act(SetRepeat(repeat, max_reruns), keys, **given)


def toggle_repeat(
    keys: Iterable[str],
    on: bool,
    *,
    store: Store,
    processor: str | None = None,
    who: str | None = None,
    why: str | None = None,
    clock: Clock = utc_now,
) -> ActionResult:
    """The same for the next run: True executes the task again, beyond any bound of reruns; False leaves it as it is."""
    return act(SetRepeat(on), keys, store=store, processor=processor, who=who, why=why, clock=clock)


def restart(
    keys: Iterable[str],
    from_start: bool = False,
    *,
    store: Store,
    processor: str | None = None,
    who: str | None = None,
    why: str | None = None,
    clock: Clock = utc_now,
) -> ActionResult:
    """Execute entries again now: see `Restart`, and `act` for the arguments."""
    return act(Restart(from_start), keys, store=store, processor=processor, who=who, why=why, clock=clock)


def skip(keys: Iterable[str], **given: Any) -> ActionResult:
    """Take the task at which each entry stands as done, unexecuted: see `Skip`; `given`: see `act`."""
    return act(Skip(), keys, **given)


def hold(keys: Iterable[str], **given: Any) -> ActionResult:
    """Let no run execute entries until they are released; `given`: see `act`."""
    return act(Hold(), keys, **given)


def release(keys: Iterable[str], **given: Any) -> ActionResult:
    """End the hold of entries; `given`: see `act`."""
    return act(Release(), keys, **given)


def cancel(keys: Iterable[str], **given: Any) -> ActionResult:
    """Let no run execute entries any more: see `Cancel`; `given`: see `act`."""
    return act(Cancel(), keys, **given)


def decide(
    keys: Iterable[str],
    verdict: Decision,
    *,
    store: Store,
    processor: str | None = None,
    who: str | None = None,
    why: str | None = None,
    clock: Clock = utc_now,
) -> ActionResult:
    """Decide of entries in doubt, and of no others: see `Decide`, and `act` for the arguments."""
    return act(Decide(verdict), keys, store=store, processor=processor, who=who, why=why, clock=clock)
