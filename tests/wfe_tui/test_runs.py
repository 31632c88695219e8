"""Runs: how each ended, how long its tasks take, and what an operator does to one that goes on."""

from typing import Any

from engine.store import Store


async def test_a_run_shows_its_counts_the_durations_of_its_tasks_and_its_plots(console: Any, place: Any) -> None:
    async with console(place.store, size=(160, 48)) as operator:
        await operator.press("3")
        await operator.sees("wfe  runs", "orders:Orders", "✓ completed", "8")
        await operator.press("enter")
        await operator.sees(
            "wfe  runs/1", "✗ 3 failed", "results a second, and failures", "median", "p95", "Fetch", "Check", "Send",
            "Statistics",
        )  # fmt: skip
        await operator.press("y")
        await operator.hears("copied the figures")
        assert "Check" in operator.app.clipboard


async def test_a_run_that_goes_on_is_stopped_from_here_and_what_is_under_way_ends_in_order(
    console: Any, slow: Any
) -> None:
    with slow.start("run", "orders:Slow") as process:
        slow.wait_until_inside()
        async with console(slow.store, size=(160, 48)) as operator:
            await operator.press("3")
            await operator.sees("▶ running")
            await operator.press("X")
            await operator.sees("Run 1: End what is under way, and begin nothing more?")
            await operator.press("w", *"maintenance", "enter")
            await operator.hears(f"stop: run 1\n$ wfe stop --store {slow.store} --why maintenance 1")
            slow.go_on()
            await operator.sees("◼ stopped")
        assert slow.ended(process)[0] in (0, 1)
    assert slow.done == ["Fetch A-1", "Wait A-1"]
    with Store(slow.store) as store:
        [action] = store.actions.all()
        assert (action["verb"], action["why"]) == ("stop", "maintenance")


async def test_a_run_that_is_drained_goes_through_with_what_it_has_begun(console: Any, slow: Any) -> None:
    with slow.start("run", "orders:Slow") as process:
        slow.wait_until_inside()
        async with console(slow.store, size=(160, 48)) as operator:
            await operator.press("3")
            await operator.sees("▶ running")
            await operator.press("enter")
            await operator.sees("goes on")
            await operator.does("D", "Run 1: Go through with the entries that are begun")
            await operator.hears("drain: run 1")
            await operator.sees("an operator asked it to drain")
            slow.go_on()
            await operator.sees("stopped")
        slow.ended(process)
    assert slow.done == ["Fetch A-1", "Wait A-1", "Send A-1"]


async def test_a_run_that_has_ended_cannot_be_stopped_and_that_is_said(console: Any, place: Any) -> None:
    async with console(place.store, size=(120, 30)) as operator:
        await operator.press("3")
        await operator.sees("✓ completed")
        await operator.does("X", "Run 1")
        await operator.hears("stop: run 1: ")


async def test_a_run_that_gives_no_sign_of_life_is_told_on_every_screen(console: Any, place: Any) -> None:
    with Store(place.store) as other:
        run = dict(other.runs.all()[0])
        number = other.runs.insert(
            {
                **run,
                "owner": other.owner,
                "ended": None,
                "ending": None,
                "started": run["ended"],
                "updated": run["ended"],
            }
        )
        other.runs.update({"updated": "2020-01-01T00:00:00.000000+00:00"}, doc_ids=[number])
        async with console(place.store, size=(120, 30)) as operator:
            await operator.sees(f"NO SIGNAL run {number} was last heard of")
            await operator.press("3")
            await operator.sees("NO SIGNAL", "▶ silent")


async def test_a_processor_is_run_and_paused_from_its_run(console: Any, place: Any) -> None:
    async with console(place.store, size=(160, 48)) as operator:
        await operator.press("3")
        await operator.sees("✓ completed")
        await operator.press("N")
        await operator.sees("2  orders:Orders")
        await operator.idle()
        await operator.does("P", "Pause this processor?")
        await operator.sees("‖ Orders paused by")


async def test_what_operators_did_is_listed_with_the_result_of_each_entry(console: Any, place: Any) -> None:
    assert place.wfe("repeat", "on", "A-3", "A-1", "--why", "carrier [b]back\x1b[31m").returncode == 1
    async with console(place.store, size=(200, 48)) as operator:
        await operator.press("4")
        await operator.sees("repeat on", "◷ open", "carrier [b]back␛[31m")
        await operator.press("enter")
        await operator.sees(
            "wfe  actions/1", "repeat on  on 2 entries", "◷ 1 waiting · ⊘ 1 refused", "why: carrier [b]back␛[31m",
            "A-3", "A-1  ✗ refused: it is finished", "○ ready",
        )  # fmt: skip
        await operator.press("y")
        await operator.hears("copied the action")
