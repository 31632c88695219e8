"""Time travel: what is derived of a moment is what was shown then, but for what is said not to be known."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from desk import Desk, Orders, breaks, dies, interrupts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import RepeatAfterCycle, RepeatAfterTime, Store, operations
from engine.groups import Word, words_of
from engine.history import read_action, read_run
from engine.looking_back import look_back
from engine.lookup import rows
from engine.operations import Decide, Decision, Hold, Refusal, Release, Restart, SetRepeat, Skip
from engine.operations.verbs import Cancel
from engine.pausing import pauses
from engine.verdicts import verdicts_of

KEYS = ("A-1", "A-2", "A-3")

FATES: dict[str, Callable[[Any], Any]] = {
    "goes well": lambda entry: None,
    "breaks": breaks,
    "is interrupted": interrupts(message="not now"),
    "waits an hour": interrupts(message="not now", repeat=RepeatAfterTime(hours=1)),
    "waits for runs": interrupts(message="later", repeat=RepeatAfterCycle(after_cycle=3)),
    "dies": dies,
}

VERBS = (
    Restart(), Restart(from_start=True), Skip(), Hold(), Release(), Cancel(), SetRepeat(True), SetRepeat(False),
    SetRepeat(RepeatAfterTime(minutes=40)), SetRepeat(True, 2), Decide(Decision.AGAIN), Decide(Decision.DONE),
)  # fmt: skip

some_keys = st.sets(st.sampled_from(KEYS), min_size=1).map(sorted)
steps = st.one_of(
    st.tuples(st.just("run"), st.lists(st.sampled_from(list(FATES)), min_size=3, max_size=3)),
    st.tuples(st.just("take"), st.lists(st.sampled_from(list(FATES)), min_size=3, max_size=3)),
    st.tuples(st.sampled_from(VERBS), some_keys),
    st.tuples(st.just("undo"), st.none()),
    st.tuples(st.sampled_from(["pause", "resume"]), st.none()),
    st.tuples(st.just("fail before its tasks"), st.sampled_from(KEYS)),
    st.tuples(st.just("say of the errors"), st.sampled_from(["resolve", "snooze", "note"])),
)


@dataclass(frozen=True)
class Shown:
    """What is shown of a store at a moment."""

    entries: list[Any]
    runs: list[Any]
    actions: list[Any]
    verdicts: list[Any]
    errors: set[str]
    pauses: list[Any]
    words: dict[str, Any]


def shown(store: Store, moment: datetime) -> Shown:
    return Shown(
        # Which run has taken an entry last is known only where it has executed something.
        [replace(row, run=None) for row in rows(store, moment)],
        [read_run(run, moment, store.is_alive) for run in store.runs.all()],
        [read_action(each, store.is_alive, verdicts_of(store, each.doc_id)) for each in store.actions.all()],
        [dict(verdict) for verdict in store.verdicts.all()],
        {error["error_id"] for error in store.errors.all()},
        pauses(store),
        {fingerprint: word for fingerprint, word in words_of(store).items() if word != Word()},
    )


def fates(names: list[str]) -> Callable[[Any], Any]:
    of = dict(zip(KEYS, names, strict=True))
    return lambda entry: FATES[of[entry.key]](entry)


def play(desk: Desk, what: Any, how: Any) -> None:
    """One step of a night; what cannot be done just then is not done."""
    given: Any = {"store": desk.store, "who": "anna@host", "clock": desk.clock}
    try:
        match what:
            case "run":
                desk.run(fates(how))
            case "take":
                desk.take(fates(how))
            case "fail before its tasks":
                desk.refused = how
                desk.run()
            case "undo":
                operations.undo(**given)
            case "pause" | "resume":
                getattr(operations, what)(f"{Orders.__module__}:Orders", **given)
            case "say of the errors":
                say(how, list(desk.store.errors.counts("fingerprint")), given)
            case _:
                operations.act(what, how, **given)
    except Refusal:
        pass
    except KeyboardInterrupt:  # with which its process would have died, and its claims with that
        desk.store.close()
        desk.store = Store(desk.store.path)
    finally:
        desk.refused = None


def say(what: str, groups: list[str], given: Any) -> None:
    match what:
        case "resolve":
            operations.resolve(groups, **given)
        case "snooze":
            operations.snooze(groups, more=2, **given)
        case _:
            operations.note(groups[0], "asked the carrier", **given)


@given(st.lists(st.tuples(steps, st.sampled_from([1, 25, 65])), min_size=2, max_size=9))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_past_is_what_was_shown_then(clock: Any, night: list[Any]) -> None:
    with TemporaryDirectory() as folder:
        desk = Desk(Store(Path(folder) / "wfe.db"), type(clock)(clock.now))
        desk.entries = [{"key": "A-1"}, {"key": "A-2"}]
        desk.run(fates(["breaks", "waits an hour", "goes well"]))
        seen: list[tuple[datetime, Shown]] = []
        for (what, how), minutes in night:
            desk.clock.turn(minutes=minutes)
            seen.append((desk.clock(), shown(desk.store, desk.clock())))
            desk.clock.turn(seconds=30)
            desk.entries = [{"key": key} for key in KEYS]
            play(desk, what, how)
            desk.clock.turn(minutes=1)
            seen.append((desk.clock(), shown(desk.store, desk.clock())))
        desk.clock.turn(days=1)
        for moment, before in seen:
            with look_back(desk.store, moment, clock=desk.clock) as past:
                assert shown(past.store, moment) == before, moment
        desk.store.close()
