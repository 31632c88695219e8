"""What failing entries have in common, at the console: asked from the lists, looked into, and made a filter of."""

from typing import Any

import pytest
from tinydb import where

from engine.store import Store
from wfe_tui.routes import Route
from wfe_tui.widgets.plots import BESIDE, beside

FAILING = [f"A-{number}" for number in range(0, 40, 4)]


@pytest.fixture
def failures(workplace: Any) -> Any:
    """Forty orders that a real run has gone through: ten have failed, by what stands in their field `fate`."""
    workplace.orders(*(f"A-{number}" + (" raise" if f"A-{number}" in FAILING else "") for number in range(40)))
    assert workplace.wfe("run", "orders:Orders").returncode == 1
    return workplace


async def test_h_shows_what_failing_entries_share_and_enter_the_entries_that_have_it(
    console: Any, failures: Any
) -> None:
    async with console(failures.store, size=(160, 48)) as operator:
        await operator.press("f")
        await operator.sees("10 entries", "✗ 10 failed")
        await operator.press("h")
        await operator.sees("share?state:failed", "10 failing beside 30 others", "data.fate", "100% 10 of 10")
        line = next(line for line in operator.lines if "data.fate" in line)
        for told in ("raise", "━", "0% 0 of 30", "+100%"):
            assert told in line
        await operator.press("g", *["j"] * operator.app.screen.window.ids.index("data.fate=raise"), "enter")
        await operator.sees("entries?state:failed data.fate=raise", "✗ 10 failed")
        await operator.press("less_than_sign")
        await operator.sees("share?state:failed", "data.fate")
        await operator.press("escape")
        await operator.sees("✗ 10 failed")


@pytest.mark.parametrize("enter", [(), ("enter",)], ids=["the errors", "an error"])
async def test_it_is_asked_of_a_group_of_errors_and_escape_leads_back_to_it(
    console: Any, failures: Any, enter: tuple[str, ...]
) -> None:
    with Store(failures.store) as store:
        fingerprint = store.errors.all()[0]["fingerprint"]
    async with console(failures.store, size=(120, 30)) as operator:
        await operator.press("2")
        await operator.sees("1 cause")
        if enter:
            await operator.press(*enter)
            await operator.sees("seen 10 times")
        await operator.press("h")
        await operator.sees(f"share?error:{fingerprint}", "10 failing beside 30 others", "data.fate")
        await operator.press("escape")
        await operator.sees("seen 10 times" if enter else "1 cause")


async def test_it_is_asked_of_marked_entries(console: Any, failures: Any) -> None:
    async with console(failures.store, size=(120, 30)) as operator:
        await operator.press("f")
        await operator.sees("10 entries")
        await operator.press("space", "space", "h")
        await operator.sees("share?key=A-0 | key=A-4", "2 failing beside 30 others")


async def test_too_many_marks_to_name_are_not_half_of_them(
    console: Any, failures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wfe_tui.screens.entries.MOST_NAMED", 2)
    async with console(failures.store, size=(120, 30)) as operator:
        await operator.sees("40 entries")
        await operator.press("space", "space", "space", "h")
        await operator.hears("mark at most 2, or filter")


async def test_its_filter_says_which_failing_entries_are_meant(console: Any, failures: Any) -> None:
    async with console(failures.store, size=(80, 24), route=Route("share")) as operator:
        await operator.sees("share?state:failed", "10 failing", "100% 10 of 10", "0% 0 of 30", "+60%")
        await operator.press("slash", "end", *" key:A-12")
        await operator.sees("1 failing beside 30 others", "none beyond chance")
        await operator.press("ctrl+u", *"state:finished", "enter")
        await operator.sees("no entry that this filter lets through is failed, interrupted or in doubt")
        await operator.press("slash", "ctrl+u", *"state:x")
        await operator.sees("there is no state 'x'")


async def test_it_follows_what_becomes_of_the_entries(console: Any, failures: Any) -> None:
    failures.repair()
    async with console(failures.store, size=(120, 30), route=Route("share")) as operator:
        await operator.sees("10 failing beside 30 others")
        failures.wfe("restart", "state:failed", "--yes")
        await operator.sees("no entry that this filter lets through")


async def test_it_is_sorted_and_copied_as_other_lists_are(console: Any, failures: Any) -> None:
    async with console(failures.store, size=(160, 48), route=Route("share")) as operator:
        await operator.sees("10 failing", "At least▲")
        await operator.press("s")
        await operator.sees("What▲")
        await operator.press("g", *["j"] * operator.app.screen.window.ids.index("data.fate=raise"), "y")
        await operator.hears("copied the row")
        assert operator.app.clipboard.startswith(
            "data.fate=raise  100% of those that fail (10 of 10), 0% of the others"
        )


async def test_a_place_under_it_is_refused_with_the_way_to_write_it(console: Any, failures: Any) -> None:
    async with console(failures.store, route=Route("share", "state:failed")) as operator:
        await operator.hears("write share?state:failed in place of share/state:failed")


async def test_what_entries_hold_is_shown_literally(console: Any, failures: Any) -> None:
    with Store(failures.store) as store:
        for entry in store.entries.search(where("state") == "failed"):
            store.entries.update({"data": {**entry["data"], "fate": "[red]\x1b[2Jx"}}, doc_ids=[entry.doc_id])
    async with console(failures.store, size=(120, 30), route=Route("share")) as operator:
        await operator.sees("[red]␛[2Jx")
        await operator.press("g", *["j"] * operator.app.screen.window.ids.index("data.fate=[red]␛[2Jx"), "l")
        await operator.sees("10 entries", "✗ 10 failed")


@pytest.mark.parametrize(
    ("share", "other", "drawn"), [(0.0, 0.0, "┃"), (1.0, 0.0, "┃" + "━" * 15), (0.5, 1.0, "━" * 8 + " " * 7 + "┃")]
)
def test_a_bar_shows_a_share_and_marks_another(share: float, other: float, drawn: str) -> None:
    assert beside(share, other, "", "").plain == drawn.ljust(BESIDE)
