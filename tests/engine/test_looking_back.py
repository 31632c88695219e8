"""Time travel: what is derived of a moment is what was shown then, but for what is said not to be known."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from desk import Desk, Order, Orders, breaks, interrupts
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tinydb import where

from engine import RepeatAfterCycle, RepeatAfterTime, Status, Store, Task, operations
from engine.clock import as_utc, parse_past, to_text, utc_now
from engine.exceptions import InputError, StoreError
from engine.groups import Word, words_of
from engine.lookup.entries import rows
from engine.lookup.history import read_action, read_run
from engine.operations import Refusal, SetRepeat
from engine.operations.verbs import VERBS
from engine.past.looking_back import look_back, reach
from engine.pausing import pauses
from engine.testing import ManualClock
from engine.verdicts import verdicts_of

KEYS = ("A-1", "A-2", "A-3")


def dies(entry: Any) -> None:
    raise KeyboardInterrupt  # with which its process would have died, and its claims with that


FATES: dict[str, Callable[[Any], Any]] = {
    "goes well": lambda entry: None,
    "breaks": breaks,
    "is interrupted": interrupts(message="not now"),
    "waits an hour": interrupts(message="not now", repeat=RepeatAfterTime(hours=1)),
    "waits for runs": interrupts(message="later", repeat=RepeatAfterCycle(after_cycle=3)),
    "dies": dies,
}

EVERY_VERB = (*VERBS, SetRepeat(RepeatAfterTime(minutes=40)), SetRepeat(True, 2))

some_keys = st.sets(st.sampled_from(KEYS), min_size=1).map(sorted)
steps = st.one_of(
    st.tuples(st.just("run"), st.lists(st.sampled_from(list(FATES)), min_size=3, max_size=3)),
    st.tuples(st.just("take"), st.lists(st.sampled_from(list(FATES)), min_size=3, max_size=3)),
    st.tuples(st.sampled_from(EVERY_VERB), some_keys),
    st.tuples(st.just("undo"), st.none()),
    st.tuples(st.sampled_from(["pause", "resume"]), st.none()),
    st.tuples(st.just("fail before its tasks"), st.sampled_from(KEYS)),
    st.tuples(st.just("say of the errors"), st.sampled_from(["resolve", "snooze", "note"])),
)


@dataclass(frozen=True)
class Shown:
    """What is shown of a store at a moment."""

    entries: dict[str, Any]
    runs: list[Any]
    actions: list[Any]
    verdicts: list[Any]
    errors: set[str]
    pauses: list[Any]
    words: dict[str, Any]


def shown(store: Store, moment: datetime) -> Shown:
    return Shown(
        # Which run has taken an entry last is known only where it has executed something.
        {row.key: replace(row, run=None) for row in rows(store, moment)},
        [read_run(run, moment, store.is_alive) for run in store.runs.all()],
        [read_action(each, store.is_alive, verdicts_of(store, each.doc_id)) for each in store.actions.all()],
        [dict(verdict) for verdict in store.verdicts.all()],
        {error["error_id"] for error in store.errors.all()},
        pauses(store),
        {fingerprint: word for fingerprint, word in words_of(store).items() if word != Word()},
    )


def but_for_what_is_inferred(before: Shown, then: Shown, past: Store) -> Shown:
    """What was shown before, but for those entries of which the past says that it has inferred how they stood."""
    inferred = {entry["key"] for entry in past.entries.search(where("inferred") == True)}  # noqa: E712 - a query
    return replace(before, entries=before.entries | {key: then.entries.get(key) for key in inferred})


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
    except KeyboardInterrupt:
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
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.reuse, Phase.generate],  # to make a night that fails shorter takes many minutes
)  # fmt: skip
def test_the_past_is_what_was_shown_then(clock: Any, night: list[Any]) -> None:
    with TemporaryDirectory() as folder:
        desk = Desk(Store(Path(folder) / "wfe.db"), ManualClock(clock()))
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
                then = shown(past.store, moment)
                assert then == but_for_what_is_inferred(before, then, past.store), moment
        desk.store.close()


def test_what_was_under_way_goes_on_in_the_past(slow: Any, clock: Any) -> None:
    """A real run stands inside a task; afterwards, that moment shows it at work."""
    slow.orders("A-1")
    with slow.start("run", "orders:Slow") as run:
        slow.wait_until_inside()
        slow.wait_until_shown("A-1", state="running", task="Wait")
        moment = utc_now()
        slow.go_on()
        slow.ended(run)
    assert slow.ls()["A-1"]["state"] == "finished"
    with Store(slow.store) as store, look_back(store, moment) as past:
        [row] = rows(past.store, moment)
        assert (row.state, row.task, row.attempts, row.done, row.run) == ("running", "Wait", 1, 1, 1)
        [going_on] = [read_run(run, moment, past.store.is_alive) for run in past.store.runs.all()]
        assert (going_on.ending, going_on.in_progress, going_on.considered, going_on.total) == (None, 1, 0, None)
        assert past.store.entries.all()[0]["executions"][-1]["processed"] is False
        assert any("how far run 1 was is counted by the entries" in sentence for sentence in past.unknown)


def test_a_process_that_died_was_at_work_until_then_and_in_doubt_after(slow: Any) -> None:
    slow.orders("A-1")
    with slow.start("run", "orders:Slow") as run:
        slow.wait_until_inside()
        slow.wait_until_shown("A-1", state="running", task="Wait")
        inside = utc_now()
        run.kill()
        slow.ended(run)
    with Store(slow.store) as store:
        store.recover()
        # What it gave as its last sign of life is before the moment that was noted here: a heartbeat lies between.
        store.runs.update({"ended": to_text(inside + timedelta(seconds=1))})
        for moment, state in ((inside, "running"), (inside + timedelta(seconds=2), "in doubt")):
            with look_back(store, moment, clock=lambda: inside + timedelta(hours=1)) as past:
                assert [row.state for row in rows(past.store, moment)] == [state]


def test_data_that_tasks_have_written_since_is_said_to_be_of_later(desk: Desk) -> None:
    class Priced(Order):
        price: int = 0

    class Pricing(Orders):
        model = Priced

        def get_tasks(self) -> list[Any]:
            return [Price(self)]

    class Price(Task):
        def process_entry(self, entry: Any, dry_run: bool = False) -> Status:
            entry.price += 1
            return Status(repeat=RepeatAfterTime(hours=1))

    Pricing(desk).process_entries()
    desk.clock.turn(minutes=30)
    moment = desk.clock()
    with look_back(desk.store, moment, clock=desk.clock) as past:
        assert past.unknown == ()
    desk.clock.turn(hours=1)
    Pricing(desk).process_entries()
    with look_back(desk.store, moment, clock=desk.clock) as past:
        assert past.unknown == ("the data of 2 entries may be of later: tasks that write on it were executed since",)
        assert [entry["later"] for entry in past.store.entries.all()] == [["price"], ["price"]]


def test_what_was_pruned_since_is_said_to_be_missing_and_bounds_how_far_back_one_can_look(desk: Desk) -> None:
    began = desk.clock()
    desk.run()
    desk.clock.turn(days=2)
    desk.entries = [{"key": "B-1"}]
    desk.run(breaks)
    desk.clock.turn(hours=1)
    moment = desk.clock()
    desk.clock.turn(hours=1)
    assert desk.store.prune(timedelta(days=1), 0, clock=desk.clock).entries == 2
    with look_back(desk.store, moment, clock=desk.clock) as past:
        assert [row.key for row in rows(past.store, moment)] == ["B-1"]
        assert past.unknown[0].endswith("is missing: `wfe prune` has removed it since")
    assert reach(desk.store) == desk.clock() - timedelta(hours=2)
    with pytest.raises(InputError, match="knows nothing of before 2026-11-25"):
        look_back(desk.store, began, clock=desk.clock)


def test_neither_the_future_nor_what_was_before_everything_can_be_looked_at(desk: Desk) -> None:
    with pytest.raises(InputError, match="is empty"):
        look_back(desk.store, desk.clock(), clock=desk.clock)
    desk.run()
    with pytest.raises(InputError, match="has not come yet"):
        look_back(desk.store, desk.clock() + timedelta(seconds=1), clock=desk.clock)
    with pytest.raises(InputError, match="knows nothing of before"):
        look_back(desk.store, desk.clock() - timedelta(seconds=1), clock=desk.clock)


def test_the_past_is_read_only_its_user_s_alone_and_leaves_nothing(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "wfe-past-left"
    left.mkdir(mode=0o700)
    (left / "alive").touch()
    desk.run(breaks)
    desk.clock.turn(hours=1)
    before = desk.store.seq()
    with look_back(desk.store, desk.clock(), clock=desk.clock) as past:
        [folder] = tmp_path.glob("wfe-past-*")
        assert folder != left, "what a process left that died is removed"
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {file.stat().st_mode & 0o077 for file in folder.iterdir()} == {0}
        with pytest.raises(StoreError, match="opened read only: restart was not done"):
            operations.restart(["A-1"], store=past.store)
        with look_back(desk.store, desk.clock(), clock=desk.clock) as other:
            assert len(list(tmp_path.glob("wfe-past-*"))) == 2, "that of a living process stays"
            assert list(rows(other.store, desk.clock())) == list(rows(past.store, desk.clock()))
    assert not list(tmp_path.glob("wfe-past-*"))
    assert desk.store.seq() == before, "to look back writes nothing"


def test_what_an_older_version_has_written_is_taken_as_it_is_and_said(desk: Desk) -> None:
    """No moment of registration, no verdicts: as a store has it that comes from a version before them."""
    desk.run(breaks)
    desk.clock.turn(hours=1)
    moment = desk.clock()
    desk.clock.turn(hours=1)
    desk.repeat("A-1")
    desk.entries.append({"key": "A-3"})
    desk.run()
    desk.store.verdicts.truncate()

    def forget(document: Any) -> None:
        for field in ("registered", "undone_by"):
            document.pop(field, None)

    desk.store.entries.update(forget)
    desk.store.actions.update(forget)
    with look_back(desk.store, moment, clock=desk.clock) as past:
        assert [row.key for row in rows(past.store, moment)] == ["A-1", "A-2"]
        first, second = past.unknown
    assert first == "how 1 entry stood is not known: a version that kept nothing of before has acted since"
    assert second.startswith("1 entry, executed only later, may have been there")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("02:15", "2026-11-27 02:15"),
        ("23:30", "2026-11-26 23:30"),
        ("02:15:30", "2026-11-27 02:15:30"),
        ("2026-11-20 08:00", "2026-11-20 08:00"),
        ("2026-11-20T08:00:00+00:00", "2026-11-20 09:00"),
        ("2h", "2026-11-27 10:00"),
        (" 3d ", "2026-11-24 12:00"),
    ],
)
def test_a_moment_of_the_past_as_people_write_it(zone: Callable[[str], None], text: str, moment: str) -> None:
    zone("Europe/Berlin")
    assert parse_past(text, as_utc(datetime.fromisoformat("2026-11-27 12:00"))) == as_utc(
        datetime.fromisoformat(moment)
    )


@pytest.mark.parametrize("text", ["", "yesterday", "25:00", "2h30m", "99999999d", "2026-13-01"])
def test_what_is_no_moment_is_refused(text: str, clock: Any) -> None:
    with pytest.raises(InputError, match="is no moment: write 02:15"):
        parse_past(text, clock())


@pytest.mark.slow
def test_the_shell_shows_the_past(workplace: Any) -> None:
    workplace.orders("A-1 raise", "A-2")
    workplace.wfe("run", "orders:Orders")
    moment = utc_now()
    workplace.repair()
    assert workplace.wfe("restart", "A-1").returncode == 0
    at = to_text(moment)
    done = workplace.wfe("ls", "state:failed", "--at", at, "--json")
    assert [orjson.loads(line)["key"] for line in done.stdout.splitlines()] == ["A-1"]
    assert "the data of 1 entry may be of later" in done.stderr
    shown = workplace.wfe("show", "A-1", "--at", at).stdout
    assert "failed" in shown
    assert "restart by" not in shown
    assert "1 failing" in workplace.wfe("errors", "--at", at).stdout
    assert "finished" in workplace.wfe("show", "A-1").stdout
    refused = workplace.wfe("ls", "--at", "300d")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "knows nothing of before" in refused.stderr
