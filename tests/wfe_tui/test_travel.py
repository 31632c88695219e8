"""Time travel in the console: everything as it was, read only, and back."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.clock import local_minute, local_time, to_text, utc_now
from engine.exceptions import InputError
from wfe_tui.screens.travel import TravelScreen
from wfe_tui.widgets.time_bar import TimeBar


async def test_failures_are_seen_again_after_their_repair_and_cannot_be_acted_on(console: Any, place: Any) -> None:
    """At night some fail; in the morning they are restarted and finish; by `t` the night is seen again."""
    night = utc_now()
    place.repair()
    assert place.wfe("restart", "state:failed", "--yes").returncode == 0
    async with console(place.store, size=(120, 40)) as operator:
        await operator.sees("8 entries", "◼ 1 interrupted")
        assert "✗" not in operator.lines[1]
        await operator.go_to("A-6")
        await operator.press("t")
        await operator.sees("Time travel", "now", "enter goes")
        await operator.press(*to_text(night))
        await operator.press("enter")
        await operator.sees("✗ 3 failed", f" at {local_minute(night, utc_now())} ")
        await operator.hears("as it was at")
        await operator.hears("the data of 3 entries may be of later")
        await operator.go_to("A-6")
        await operator.sees_of("A-6", "failed")
        for key, verb in (("R", "restart"), ("N", "run"), ("P", "pause")):
            await operator.press(key)
            await operator.hears(f": {verb} was not done. t, then n, comes back to now")
        await operator.press("4")
        await operator.sees("wfe  actions")
        assert not operator.app.store.actions.all(), "nobody had restarted anything yet"
        await operator.press("1")
        await operator.press("t")
        await operator.sees("Not known of", "the data of 3 entries")
        await operator.press("n")
        await operator.hears("as it is now")
        await operator.until(lambda: operator.app.past is None)
        await operator.sees("✓ 6 finished")
        await operator.sees_of("A-6", "finished")
        assert "failed" not in operator.line("A-6")


@pytest.mark.slow
async def test_a_place_is_shown_in_another_time_and_its_list_where_it_was_not_there(console: Any, place: Any) -> None:
    night = utc_now()
    place.repair()
    place.wfe("restart", "A-6")
    async with console(place.store, size=(120, 40), at=night) as operator:
        await operator.sees("✗ 3 failed")
        await operator.go_to("A-6")
        await operator.press("enter")
        await operator.sees("entries/A-6", "of now: price", "restart it, or set its repeat")
        await operator.press("t")
        await operator.sees("Time travel")
        await operator.press("n")
        await operator.sees("entries/A-6", "nothing: it is finished")
        await operator.press("3", "g", "enter")
        await operator.sees("run 2 orders:Orders")
        await operator.press("t")
        await operator.sees("Time travel")
        await operator.press(*to_text(night), "enter")
        await operator.hears("there is no run '2'")
        await operator.sees("wfe  runs", "✓ completed")


async def test_the_slider_points_at_whole_minutes_and_stays_within_what_is_known(console: Any, place: Any) -> None:
    began = utc_now()
    async with console(place.store, clock=lambda: began + timedelta(hours=30)) as operator:
        await operator.sees("8 entries")
        await operator.press("t")
        await operator.until(lambda: operator.app.screen.query(TimeBar))
        bar = operator.app.screen.query_one(TimeBar)
        end = bar.end
        for keys, moment in (
            (["left"], end.replace(second=0, microsecond=0)),
            (["left"], end.replace(second=0, microsecond=0) - timedelta(minutes=1)),
            (["shift+left", "right"], end.replace(second=0, microsecond=0) - timedelta(minutes=10)),
            (["down"], end.replace(second=0, microsecond=0) - timedelta(minutes=70)),
            (["up", "up"], end),
            (["pagedown"], (end - timedelta(days=1)).replace(second=0, microsecond=0)),
            (["home"], bar.begin),
            (["left"], bar.begin),
            (["end"], end),
        ):
            await operator.press(*keys)
            assert bar.moment == moment, keys
        await operator.press("home")
        await operator.sees(local_time(bar.begin), "1d ago", "3 errors within")
        assert re.search("█ *│", operator.screen), "the errors stand above the slider"
        await operator.press("0")
        await operator.press("enter")
        await operator.sees("'0' is no moment: write 02:15")
        await operator.press("escape")
        await operator.until(lambda: not isinstance(operator.app.screen, TravelScreen))
        assert operator.app.past is None


async def test_who_leaves_in_the_past_leaves_nothing_behind(
    console: Any, place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with console(place.store, at=utc_now()) as operator:
        await operator.sees("✗ 3 failed", " at ")
        assert list(tmp_path.glob("wfe-past-*"))
    assert not list(tmp_path.glob("wfe-past-*"))


async def test_the_console_ends_with_a_sentence_where_nothing_is_known_of_the_moment(console: Any, place: Any) -> None:
    async with console(place.store, at=datetime(2020, 1, 1, tzinfo=UTC)) as operator:
        await operator.until(lambda: operator.app.failure is not None)
    assert isinstance(operator.app.failure, InputError)
    assert "knows nothing of before" in str(operator.app.failure)
