"""Counters and timers, and what threads may do to them."""

import threading
import time

import pytest

from engine import EngineError, TimeBlock
from engine.statistics import Statistics


def test_counting_makes_the_branches_that_are_missing() -> None:
    statistics = Statistics()
    for outcome in ("success", "success", "failed"):
        statistics.increment("entries", outcome)
    assert statistics == {"entries": {"success": 2, "failed": 1}}


def test_a_name_is_a_counter_or_a_branch_and_the_clash_names_it() -> None:
    statistics = Statistics()
    statistics.increment("entries", "failed")
    with pytest.raises(EngineError, match="'entries'"):
        statistics.increment("entries")
    with pytest.raises(EngineError, match="'failed'"):
        statistics.increment("entries", "failed", "early")
    assert statistics == {"entries": {"failed": 1}}


def test_a_snapshot_stays_as_it_was_taken() -> None:
    statistics = Statistics()
    statistics.increment("entries", "failed")
    taken = statistics.snapshot()
    statistics.increment("entries", "failed")
    assert taken == {"entries": {"failed": 1}}


def test_no_count_of_many_threads_is_lost() -> None:
    statistics, block = Statistics(), TimeBlock()

    def work() -> None:
        for _ in range(500):
            statistics.increment("entries", "success")
            with block:
                pass

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statistics == {"entries": {"success": 4000}}
    assert block.measure_count == 4000


def test_a_block_inside_itself_measures_the_inner_and_the_outer_time() -> None:
    measured: list[float] = []
    before = 0.005
    with TimeBlock(lambda seconds, block: measured.append(seconds)) as block:
        start = time.perf_counter()
        while time.perf_counter() - start < before:
            pass
        with block:
            pass
    inner, outer = measured
    assert outer >= inner + before


def test_a_block_that_raises_is_measured_and_raises_on() -> None:
    block = TimeBlock()
    with pytest.raises(ZeroDivisionError), block:
        raise ZeroDivisionError
    assert block.measure_count == 1


def test_a_timer_that_never_ran_has_no_extremes() -> None:
    assert TimeBlock().dict() == {
        "overall_time": 0.0,
        "average_time": 0.0,
        "measure_count": 0,
        "minimum_time": None,
        "maximum_time": None,
    }
