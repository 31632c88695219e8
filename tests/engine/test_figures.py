"""What a run tells of its executions: how long they take, how many ended when, and that it lives."""

import random
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from waiting import until

from engine import Status, StatusException, Store, StoredProcessor, Task, WorkflowModel
from engine.journal.base import HEARTBEAT
from engine.journal.durations import LONGEST, SHORTEST, Durations, Histogram, merged, read_durations
from engine.journal.pace import MOST_POINTS, Pace
from engine.lookup.typical import RUNS, typical_durations

# --- durations


def histogram(*seconds: float) -> Histogram:
    made = Histogram()
    for each in seconds:
        made.add(each)
    return made


def test_a_histogram_tells_median_and_p95_to_a_twentieth_and_the_mean_exactly() -> None:
    chance = random.Random(7)
    taken = sorted(chance.lognormvariate(-2, 2) for _ in range(20_000))
    told = histogram(*taken)
    for part in (0.05, 0.5, 0.95, 0.99):
        assert told.quantile(part) == pytest.approx(taken[int(part * len(taken))], rel=0.06)
    assert told.mean == pytest.approx(sum(taken) / len(taken))
    assert told.count == 20_000


def test_a_histogram_stays_small_whatever_it_is_given() -> None:
    chance = random.Random(7)
    told = histogram(0.0, 1e-300, 1e300, *(10 ** chance.uniform(-9, 9) for _ in range(20_000)))
    assert len(orjson.dumps(told.to_json())) < 5_000
    assert told.quantile(0) == pytest.approx(SHORTEST, rel=0.1)
    assert told.quantile(1) == pytest.approx(LONGEST, rel=0.1)


def test_of_nothing_there_is_no_median_and_no_mean() -> None:
    assert (histogram().quantile(0.5), histogram().mean, histogram().bars(10)) == (None, None, [])


@given(st.lists(st.floats(0, 1e8), max_size=50), st.lists(st.floats(0, 1e8), max_size=50))
def test_a_histogram_is_read_as_it_was_written_and_two_together_are_one_of_both(
    some: list[float], others: list[float]
) -> None:
    read = Histogram.from_json(orjson.loads(orjson.dumps(histogram(*some).to_json())))
    assert read.to_json() == histogram(*some).to_json()
    read.merge(histogram(*others))
    both = histogram(*some, *others)
    assert (read.count, read.sum) == (both.count, pytest.approx(both.sum))
    assert [read.quantile(part / 10) for part in range(11)] == [both.quantile(part / 10) for part in range(11)]


@given(st.lists(st.floats(1e-5, 1e6), min_size=1, max_size=50), st.integers(1, 40))
def test_the_bars_of_a_plot_have_all_that_was_counted_side_by_side(seconds: list[float], most: int) -> None:
    bars = histogram(*seconds).bars(most)
    assert 1 <= len(bars) <= most
    assert sum(number for _, _, number in bars) == len(seconds)
    assert all(before[1] == after[0] for before, after in pairwise(bars))
    assert bars[0][0] <= min(seconds) * 1.001
    assert max(seconds) <= bars[-1][1] * 1.001


def test_durations_are_told_apart_by_task() -> None:
    durations = Durations()
    for task, seconds in (("Fetch", 1.0), ("Check", 10.0), ("Check", 10.0)):
        durations.add(task, seconds)
    read = read_durations({"durations": durations.to_json()})
    assert {task: of.count for task, of in read.items()} == {"Fetch": 1, "Check": 2}
    assert read["Check"].quantile(0.5) == pytest.approx(10, rel=0.06)
    assert {task: of.count for task, of in merged([read, {}, read]).items()} == {"Fetch": 2, "Check": 4}


# --- pace


def test_the_pace_of_a_short_run_is_told_by_the_quarter_of_a_second() -> None:
    pace = Pace()
    for at, failed in ((0.0, False), (0.2, True), (0.9, False), (0.9, False)):
        pace.add(at, failed)
    assert pace.to_json() == [[0.25, 2, 1], [0.5, 0, 0], [0.75, 0, 0], [1.0, 2, 0]]


@given(st.lists(st.tuples(st.floats(0, 1e7), st.booleans()), max_size=300))
def test_the_pace_of_a_long_run_has_no_more_points_and_loses_no_result(results: list[tuple[float, bool]]) -> None:
    pace = Pace()
    for at, failed in sorted(results):
        pace.add(at, failed)
    points = pace.to_json()
    assert len(points) <= MOST_POINTS
    assert sum(ended for _, ended, _ in points) == len(results)
    assert sum(failed for _, _, failed in points) == sum(failed for _, failed in results)
    for end, ended, failed in points:
        within = [failure for at, failure in results if end - pace.interval <= at < end]
        assert (ended, failed) == (len(within), sum(within))


# --- in a run


class Order(WorkflowModel):
    key: str
    fate: str = ""


class Fetch(Task):
    def process_entry(self, entry: Any, dry_run: bool = False) -> None:
        pass


class Check(Task):
    """Some take long enough to be told from those that do not."""

    def process_entry(self, entry: Any, dry_run: bool = False) -> None:
        if entry.fate == "slow":
            time.sleep(0.05)
        if entry.fate == "raise":
            raise ValueError(entry.key)
        if entry.fate == "interrupt":
            raise StatusException(Status(message="no answer"))


class Orders(StoredProcessor):
    model = Order
    entries: tuple[Any, ...] = ()

    def get_default_entries(self) -> Any:
        return self.entries

    def get_tasks(self) -> list[Task]:
        return [Fetch(self), Check(self)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "wfe.db") as opened:
        yield opened


def run(store: Store, *fates: str, prefix: str = "A", **how: Any) -> Any:
    made = Orders(store)
    made.entries = tuple({"key": f"{prefix}-{number}", "fate": fate} for number, fate in enumerate(fates))
    return store.runs.get(doc_id=made.process_entries(**how).number)


@pytest.mark.parametrize("how", [{}, {"workers": 2}], ids=["inline", "threads"])
def test_a_run_keeps_how_long_its_tasks_took_and_how_many_ended_when(store: Store, how: dict[str, Any]) -> None:
    document = run(store, "slow", "slow", "slow", "raise", "interrupt", **how)
    told = read_durations(document)
    assert {task: of.count for task, of in told.items()} == {"Fetch": 5, "Check": 5}
    assert 0.045 < (told["Check"].quantile(0.6) or 0) < 0.5
    assert 0.15 < told["Check"].sum < 1.5
    assert (told["Fetch"].quantile(0.5) or 1) < 0.01
    assert sum(ended for _, ended, _ in document["pace"]) == 10
    assert sum(failed for _, _, failed in document["pace"]) == 1, "an interruption is no failure"


def test_a_run_counts_anew_although_its_processor_made_one_before(store: Store) -> None:
    made = Orders(store)
    for key in ("A-1", "A-2"):
        made.entries = ({"key": key},)
        made.process_entries()
    assert [read_durations(document)["Check"].count for document in store.runs] == [1, 1]


def test_what_a_task_typically_takes_is_told_by_the_newest_runs_that_have_ended(store: Store) -> None:
    assert typical_durations(store, "test_figures:Orders") == {}
    for number in range(RUNS + 2):
        run(store, "slow" if number < 2 else "", prefix=f"{number}")
    oldest, *_ = store.runs.all()
    store.runs.insert({**oldest, "started": "9999", "ended": None, "durations": {}})
    store.runs.insert({"processor": oldest["processor"], "started": "9998", "ended": "9999"})  # of an older version
    told = typical_durations(store, "test_figures:Orders")
    assert told["Check"].count == RUNS - 1
    assert (told["Check"].quantile(1) or 1) < 0.045, "what it took two and twenty runs ago is forgotten"
    assert typical_durations(store, "test_figures:Others") == {}


@pytest.mark.slow
def test_a_run_shows_its_figures_and_that_it_lives_while_a_task_takes_long(slow: Any) -> None:
    slow.orders("A-1")
    with slow.start("run", "orders:Slow") as process:
        slow.wait_until_inside()
        with Store(slow.store, read_only=True) as store:

            def shown() -> Any:
                return store.runs.all()[0]

            first = until(lambda: shown() if shown()["durations"] else None)
            assert read_durations(first)["Fetch"].count == 1
            later = until(lambda: shown() if shown()["updated"] > first["updated"] else None, HEARTBEAT)
            assert later["considered"] == 0
            assert later["ended"] is None
        slow.go_on()
        assert slow.ended(process)[0] == 0


def test_the_figures_of_worker_processes_are_those_of_their_tasks(workplace: Any) -> None:
    workplace.orders("A-1", "A-2 raise", "A-3 die")
    workplace.wfe("run", "orders:Orders", "--processes", "1")
    with Store(workplace.store) as store:
        (document,) = store.runs.all()
    told = {task: of.count for task, of in read_durations(document).items()}
    assert told == {"Fetch": 3, "Check": 2, "Send": 1}, "how long one took that died inside it, nobody knows"
    assert sum(ended for _, ended, _ in document["pace"]) == 7
    assert sum(failed for _, _, failed in document["pace"]) == 2
