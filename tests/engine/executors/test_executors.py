"""One contract for every executor: what a user relies on, whatever carries the tasks out."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import shop
from tinydb import where
from waiting import until

from engine import InputError, Store, WorkflowError
from engine.lookup.entries import rows
from engine.lookup.logs import log_lines
from engine.runner.events import Listener
from engine.state import State

EXECUTORS: dict[str, dict[str, Any]] = {
    "inline": {},
    "threads": {"executor": "threads", "workers": 4},
    "processes": {"executor": "processes", "workers": 2},
}


@pytest.fixture(params=list(EXECUTORS))
def how(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The arguments of `process_entries` that name an executor."""
    return EXECUTORS[request.param]


class Site:
    """A store, a file of effects, and runs."""

    def __init__(self, store: Store, file: Path) -> None:
        self.store = store
        self.file = file

    def made(self, entries: Iterable[Any] = (), kind: type[shop.Orders] = shop.Orders) -> shop.Orders:
        return kind(self.store, self.file, entries)

    @property
    def done(self) -> list[list[str]]:
        """Task, key, attempt, idempotency key and error before, of every execution that had an effect, in order."""
        return [line.split(maxsplit=4) for line in self.file.read_text().splitlines()] if self.file.exists() else []

    @property
    def effects(self) -> list[str]:
        return [f"{task} {key}" for task, key, *_ in self.done]

    def rows(self) -> dict[str, Any]:
        from engine.clock import utc_now

        return {row.key: row for row in rows(self.store, utc_now())}

    def stored(self, key: str) -> Any:
        (document,) = self.store.entries.search(where("key") == key)
        return document


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Store(tmp_path / "wfe.db") as store:
        yield Site(store, tmp_path / "done.txt")


def orders(*given: str) -> list[dict[str, str]]:
    """Each `key fate`."""
    return [dict(zip(("key", "fate"), (*each.split(), ""), strict=False)) for each in given]


class Heard(Listener):
    """What happens to each entry, in order."""

    def __init__(self) -> None:
        self.of: dict[str, list[str]] = {}

    def entry_started(self, entry: Any) -> None:
        self.of[entry.key] = ["taken up"]

    def task_started(self, entry: Any, call: Any) -> None:
        self.of[entry.key].append(f"{call.name} begins")

    def task_finished(self, entry: Any, call: Any, outcome: Any) -> None:
        self.of[entry.key].append(f"{call.name} {outcome.end}")

    def error_happened(self, record: Any, exception: Any, entry: Any) -> None:
        self.of[record["key"]].append("error")

    def entry_finished(self, entry: Any, state: Any) -> None:
        self.of[entry.key].append(state)


def test_every_change_of_state_is_told_once_and_in_order(site: Site, how: dict[str, Any]) -> None:
    many, heard = [f"A-{number}" for number in range(30)], Heard()
    processor = site.made(orders(*many, "raise raise", "interrupt interrupt"))
    processor.events.listeners.append(heard)
    processor.process_entries(**how)
    fetched = ["taken up", "Fetch begins", "Fetch processed", "Check begins"]
    well = [*fetched, "Check processed", "Send begins", "Send processed", "finished"]
    assert heard.of == {
        **dict.fromkeys(many, well),
        "raise": [*fetched, "error", "Check failed", "failed"],
        "interrupt": [*fetched, "Check interrupted", "interrupted"],
    }


@pytest.mark.slow
def test_what_a_run_does_with_every_kind_of_outcome(site: Site, how: dict[str, Any]) -> None:
    """Together, since worker processes take their time to start."""
    fates = ("raise", "interrupt", "wait", "exit", "odd", "spoil")
    given = orders("A-0", *(f"{fate} {fate}" for fate in fates), "A-1")
    result = site.made(given).process_entries(**how)
    assert result.ending == "completed"
    assert (result.considered, result.refused, result.in_progress) == (8, [], 0)
    states = {key: str(row.state) for key, row in site.rows().items()}
    failed = dict.fromkeys(("raise", "exit", "odd", "spoil"), "failed")
    assert states == {"A-0": "finished", "A-1": "finished", "interrupt": "interrupted", "wait": "waiting", **failed}

    for key in ("A-0", "A-1"):
        assert [effect for effect in site.effects if effect.endswith(key)] == [
            f"Fetch {key}",
            f"Check {key}",
            f"Send {key}",
        ]
        document = site.stored(key)
        assert document["data"]["price"] == 7, "what a task wrote is kept"
        assert document["executions"][-1]["status"]["message"] == "sent for 7", "and the next task saw it"
        assert document["owner"] is None
    assert not [effect for effect in site.effects if effect.startswith("Send") and effect.split()[1] in failed]

    errors = {record["key"]: record for record in site.store.errors.all()}
    assert set(errors) == set(failed)
    assert "no customer in raise" in errors["raise"]["text"]
    assert errors["raise"]["error_id"] == site.rows()["raise"].error_id
    assert {frame["function"] for frame in errors["raise"]["frames"]} >= {"_raises"}
    assert "neither None nor a Status" in site.rows()["odd"].reason
    assert all(record["run"] == result.number for record in errors.values())

    (run,) = site.store.runs.all()
    assert run["statistics"]["Fetch"]["fetched"] == 8, "what is counted in workers adds up"
    assert run["statistics"]["tasks"]["Send"]["processed"] == 2
    assert run["statistics"]["time_statistics"]["process_entry"]["measure_count"] == len(site.done)

    site.made(given).process_entries(**how)
    assert site.effects.count("Check wait") == 1
    site.made(given).process_entries(**how)
    assert site.effects.count("Check wait") == 2, "a cycle is a run"


@pytest.mark.slow
def test_the_source_is_read_no_further_ahead_than_what_is_worked_on(site: Site, how: dict[str, Any]) -> None:
    read, ahead = [0], [0]
    processor = site.made()

    def entries() -> Iterator[Any]:
        for number in range(12_000):
            read[0] += 1
            ahead[0] = max(ahead[0], read[0] - considered[0])
            yield {"key": f"A-{number}"}

    considered = [0]

    def observe(result: Any) -> None:
        considered[0] = result.considered

    processor.entries, processor.observer = entries(), observe
    processor.tasks = [shop.Slowly]  # type: ignore[misc]
    processor.tasks[0].rate, rate = None, shop.Slowly.rate  # type: ignore[misc]
    try:
        processor.process_entries(limit=10_000, **how)
    finally:
        shop.Slowly.rate = rate
    assert read[0] < 12_000
    assert ahead[0] < 8_000
    assert len(site.done) == 10_000, "and no more than the limit were processed"


@pytest.mark.slow
def test_a_run_that_is_asked_to_stop_begins_nothing_more(site: Site, how: dict[str, Any]) -> None:
    given = orders(*(f"A-{number}" for number in range(5)), "stop stop", *(f"B-{number}" for number in range(60)))
    processor = site.made(given, shop.Asking)
    result = processor.process_entries(**how)
    assert result.ending == "stopped"
    assert "Send stop" not in site.effects, "its next task is left for another run"
    assert len(site.effects) < len(given)
    assert {"Send A-0", "Ask stop"} <= set(site.effects)
    assert {row.state for row in site.rows().values()} == {State.FINISHED, State.READY}
    assert all(document["owner"] is None for document in site.store.entries), "what was under way is recorded"
    assert processor.stopping.is_asked, "whoever made the run is to end as well"
    site.made(given, shop.Asking).process_entries(**how)
    assert len(site.effects) == len(set(site.effects)), "and nothing was done twice"


def test_a_run_that_drains_brings_what_it_has_begun_to_its_end_and_begins_nothing_new(
    site: Site, how: dict[str, Any]
) -> None:
    given = orders(*(f"A-{number}" for number in range(5)), "drain drain", *(f"B-{number}" for number in range(60)))
    processor = site.made(given, shop.Asking)
    result = processor.process_entries(**how)
    assert result.ending == "stopped"
    begun = [effect.split()[1] for effect in site.effects if effect.startswith("Ask")]
    assert sorted(f"Send {key}" for key in begun) == sorted(set(site.effects) - {f"Ask {key}" for key in begun})
    assert "drain" in begun
    assert len(begun) < len(given)
    assert processor.stopping.is_asked
    (action,) = site.store.actions.all()
    assert (action["verb"], action["who"], action["run"], action["open"]) == ("drain", "anna", result.number, False)


def test_what_a_task_logs_is_kept_with_its_execution(site: Site, how: dict[str, Any]) -> None:
    site.made(orders("A-1", "A-2 log", "A-3 log")).process_entries(**how)
    for key, said in (("A-1", []), ("A-2", ["A-2 is odd"]), ("A-3", ["A-3 is odd"])):
        assert [line.message for line in log_lines(site.store, "shop:Orders", key)] == said


def test_selections_and_a_dry_run(site: Site, how: dict[str, Any]) -> None:
    given = orders("A-1", "A-2", "A-3 raise")
    result = site.made(given).process_entries(dry_run=True, **how)
    assert (result.considered, result.failed) == (3, 1)
    assert site.done == []
    assert len(site.store.entries) == len(site.store.runs) == len(site.store.errors) == 0
    site.made(given).process_entries(["A-2"], **how)
    assert {key for _, key, *_ in site.done} == {"A-2"}


def test_a_processor_with_its_own_storage(tmp_path: Path, how: dict[str, Any]) -> None:
    own = shop.Own(tmp_path / "done.txt", orders("A-1", "A-2 raise"))
    result = own.process_entries(**how)
    assert result.states == {State.FINISHED: 1, State.FAILED: 1}
    assert own.closed == 1
    assert own.written["A-1"].price == 7
    assert own.written["A-1"].finished is not None
    assert "no customer" in own.written["A-2"].executions[-1].error


def test_an_attempt_knows_its_number_the_error_before_and_a_key_that_stays(site: Site, how: dict[str, Any]) -> None:
    from engine import operations

    site.made(orders("A-1 raise", "A-2 raise")).process_entries(**how)
    operations.restart(["A-1", "A-2"], store=site.store)
    site.made(orders("A-1 raise", "A-2")).process_entries(**how)
    checks = [line for line in site.done if line[:2] == ["Check", "A-1"]]
    assert [line[2] for line in checks] == ["1", "2"]
    assert [line[4] for line in checks] == ["None", "ValueError: no customer in A-1"]
    assert len({line[3] for line in checks}) == 1
    assert len({line[3] for line in site.done}) == 5, "each task of each entry has a key of its own"


def test_a_method_of_the_processor_that_raises_costs_its_entry(site: Site, how: dict[str, Any]) -> None:
    class Careless(shop.Orders):
        def filter(self, entry: Any) -> bool:
            if entry.key == "A-1":
                raise RuntimeError("no filter")
            return super().filter(entry)

        def write_entry(self, entry: Any, execution: Any) -> None:
            if entry.key == "A-2":
                raise RuntimeError("the disk is full")
            super().write_entry(entry, execution)

    Careless.__module__, Careless.__qualname__, Careless.__name__ = shop.__name__, "Careless", "Careless"
    shop.Careless = shop.Orders  # type: ignore[attr-defined]
    if how.get("executor") == "processes":
        Careless.__reduce_ex__ = lambda self, protocol: (  # type: ignore[method-assign,assignment]
            shop.Orders,
            (str(site.store.path), site.file),
        )
    result = site.made(orders("A-0", "A-1", "A-2", "A-3"), Careless).process_entries(**how)
    assert result.states == {State.FINISHED: 2, State.FAILED: 2}
    assert {record["message"] for record in site.store.errors.all()} == {"no filter", "the disk is full"}
    assert site.store.entries.count(where("owner") != None) == 0  # noqa: E711


# --- what only some of them can


def test_a_worker_that_dies_costs_the_task_it_was_in(site: Site) -> None:
    """Fast tasks travel in batches: those behind the one that was hit are executed, those before it are kept."""
    fates = {50: "die", 51: "die", 300: "die"}
    given = orders(*(f"A-{number} {fates.get(number, '')}" for number in range(400)))
    result = site.made(given).process_entries(executor="processes", workers=2)
    assert result.ending == "completed"
    assert result.states == {State.FINISHED: 397, State.IN_DOUBT: 3}
    assert {failure.key for failure in result.failures} == {"A-50", "A-51", "A-300"}
    assert max(Counter(site.effects).values()) == 1, "nothing was executed twice"
    finished = site.store.entries.search(where("state") == State.FINISHED)
    assert {document["data"]["anything"] for document in finished} == {"checked"}, "what the dead had done is kept"
    row = site.rows()["A-50"]
    assert (row.state, row.task) == (State.IN_DOUBT, "Check")
    (record,) = (record for record in site.store.errors.all() if record["key"] == "A-50")
    assert row.error_id == record["error_id"]
    assert "died" in record["message"]
    assert site.made(given).process_entries(executor="processes", workers=2).states[State.IN_DOUBT] == 3
    assert max(Counter(site.effects).values()) == 1, "nor by the next run"
    assert not list((site.store.path.parent / "wfe.db.owners").glob("*.*")), "no recording is left"


def test_an_idempotent_task_is_executed_again_by_itself_yet_not_for_ever(site: Site) -> None:
    for _ in range(5):
        site.made(orders("A-1 die"), shop.Idempotent).process_entries(executor="processes", workers=1)
    assert site.effects.count("CheckAgain A-1") == 3
    assert site.rows()["A-1"].state is State.IN_DOUBT
    assert "3" in site.rows()["A-1"].reason


def test_a_task_that_eats_all_memory_costs_its_entry(site: Site) -> None:
    result = site.made(orders("A-1 eat", "A-2", "A-3")).process_entries(executor="processes", workers=1)
    assert result.failed == 1
    assert site.rows()["A-1"].error_id
    assert site.rows()["A-2"].state is site.rows()["A-3"].state is State.FINISHED


@pytest.mark.slow
@pytest.mark.parametrize("name", list(EXECUTORS))
def test_a_task_that_is_too_late_fails_with_an_error_of_its_own(
    site: Site, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    def is_dropped() -> bool:
        logging.getLogger("engine").handlers[0].flush()
        return any("dropped" in record.getMessage() for record in caplog.records)

    shop.Hang.come_back.clear()
    given = orders("A-1 hang", "A-2", "A-3")
    result = site.made(given, shop.Hanging).process_entries(**EXECUTORS[name])
    assert result.states == {State.FAILED: 1, State.FINISHED: 2}
    assert "timeout of 0.3 s" in site.rows()["A-1"].reason
    assert site.rows()["A-1"].error_id
    assert site.stored("A-1")["data"]["price"] == 0
    if name != "processes":
        shop.Hang.come_back.set()
        until(is_dropped, told=lambda: "what comes late is not said")
        assert site.stored("A-1")["data"]["price"] == 0, "and changes nothing"


@pytest.mark.parametrize("name", list(EXECUTORS))
def test_a_coroutine_that_is_too_late_is_cancelled(site: Site, name: str) -> None:
    result = site.made(orders("A-1 hang", "A-2"), shop.HangingAsync).process_entries(**EXECUTORS[name])
    assert result.states == {State.FAILED: 1, State.FINISHED: 1}
    assert "timeout" in site.rows()["A-1"].reason


@pytest.mark.parametrize("name", ["threads", "processes"])
def test_coroutines_wait_by_the_hundred(site: Site, name: str) -> None:
    shop.Meet.inside = 0
    given = [{"key": f"A-{number}"} for number in range(300)]
    result = site.made(given, shop.Meeting).process_entries(**EXECUTORS[name])
    assert result.states == {State.FINISHED: 300}


def test_no_more_than_so_many_of_a_task_are_under_way_at_once(site: Site) -> None:
    shop.Fragile.most = 0
    given = [{"key": f"A-{number}"} for number in range(12)]
    site.made(given, shop.Limited).process_entries(executor="threads", workers=6)
    assert shop.Fragile.most == 2


@pytest.mark.parametrize("name", ["inline", "threads"])
def test_no_more_than_so_many_of_a_task_begin_a_second(site: Site, name: str) -> None:
    processor = site.made([{"key": f"A-{number}"} for number in range(5)], shop.Rated)
    processor.process_entries(**EXECUTORS[name])
    moments = sorted(e.execution_time for key in range(5) for e in processor.get_entry(f"A-{key}").executions or [])
    assert (moments[-1] - moments[0]).total_seconds() >= 0.19, "five at twenty a second"


def test_what_cannot_be_sent_to_a_process_is_named(site: Site) -> None:
    import threading

    with pytest.raises(WorkflowError, match=r"Connected.*'connection'.*lock"):
        site.made(orders("A-1"), shop.Connected).process_entries(executor="processes", workers=1)
    assert site.store.runs.all()[-1]["ending"] == "crashed"
    assert site.done == []
    own = shop.Own(site.file, [shop.Order(key="A-1", anything=threading.Lock()), {"key": "A-2"}])
    result = own.process_entries(executor="processes", workers=1)
    assert result.states == {State.FAILED: 1, State.FINISHED: 1}
    assert "'A-1'" in (result.failures[0].reason)
    assert "'anything'" in (result.failures[0].reason)


@pytest.mark.parametrize(("given", "said"), [({"executor": "magic"}, "magic"), ({"workers": 0}, "0 workers")])
def test_an_executor_that_is_none_is_told(site: Site, given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        site.made(orders("A-1")).process_entries(**given)
