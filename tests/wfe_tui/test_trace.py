"""A stack trace: frames to open and fold, to search in, to copy, to edit, and the ways from it."""

import os
from pathlib import Path
from typing import Any

import pytest
from tinydb import where

from engine.store import Store
from wfe_tui.routes import Route
from wfe_tui.widgets.trace import markdown_report

GROUPS = """

class Explode(Task):
    def process_entry(self, entry, dry_run=False):
        try:
            raise ExceptionGroup("two at once", [KeyError("carrier"), ValueError("weight")])
        except ExceptionGroup as group:
            raise RuntimeError("the parcel cannot be sent") from group


class Exploding(Orders):
    keep_locals = True

    def get_tasks(self):
        return [Explode(self)]
"""


@pytest.fixture
def trace(console: Any, place: Any) -> Any:
    """Opens the trace of the first failed entry."""
    with Store(place.store) as store:
        error_id = store.entries.search(where("key") == "A-2")[0]["error_id"]
    return lambda size=(120, 40): console(place.store, size=size, route=Route("errors", error_id))


async def test_the_cursor_begins_on_the_users_own_frame_and_that_is_open(trace: Any) -> None:
    async with trace() as operator:
        await operator.sees("❱", "raise ValueError", "in Check.process_entry")
        assert operator.app.screen.trace.frame["function"] == "Check.process_entry"


async def test_a_frame_is_folded_and_opened_by_a_key(trace: Any) -> None:
    async with trace() as operator:
        await operator.sees("raise ValueError")
        await operator.press("enter")
        await operator.no_longer_sees("raise ValueError")
        await operator.press("space")
        await operator.sees("raise ValueError")


async def test_a_text_is_searched_for_and_marked(trace: Any) -> None:
    async with trace() as operator:
        await operator.sees("raise ValueError")
        await operator.press("slash", *"NO CUSTOMER", "enter")
        await operator.until(lambda: operator.app.screen.trace._found())
        await operator.press("n")
        await operator.press("slash", "ctrl+u", *"nothing-like-this", "enter")
        await operator.hears("'nothing-like-this' is not in this trace")


async def test_what_can_be_copied_is_the_trace_a_frame_the_id_or_a_report(trace: Any) -> None:
    async with trace() as operator:
        await operator.sees("raise ValueError")
        for key, said, text in (
            ("y", "copied the stack trace", "Traceback (most recent call last)"),
            ("f", "copied the frame", "in Check.process_entry"),
            ("i", "copied the error id", operator.app.screen.route.name),
            ("m", "copied a report in Markdown", "### ValueError: no customer in A-2"),
        ):
            await operator.press(key)
            await operator.hears(said)
            assert text in operator.app.clipboard
        copied = Path(os.environ["XDG_CACHE_HOME"]) / "wfe" / "copied.txt"
        await operator.until(lambda: "```python-traceback" in copied.read_text())
        assert copied.stat().st_mode & 0o777 == 0o600


def test_a_report_holds_no_fence_that_its_text_could_break() -> None:
    record = {
        "error_id": "1", "fingerprint": "v1:a", "key": "a`b", "task": None, "attempt": 1, "processor": "p", "time": "t",
        "host": "h", "pid": 1, "type": "T", "message": "", "text": "x\n```\ny",
    }  # fmt: skip
    report = markdown_report(record)
    assert "````python-traceback\nx\n```\ny\n````" in report
    assert "- entry: `a'b`" in report


async def test_the_line_of_the_frame_is_opened_in_the_editor(
    trace: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", "no-such-editor --wait")
    monkeypatch.delenv("VISUAL", raising=False)
    async with trace() as operator:
        await operator.sees("raise ValueError")
        await operator.press("e")
        # A terminal of a test cannot be given away, so what would have been started is said.
        await operator.hears("no-such-editor --wait +")
        assert "orders.py" in operator.notices[-1]


async def test_brackets_lead_to_the_other_occurrences_and_plus_and_minus_to_other_attempts(
    console: Any, place: Any
) -> None:
    place.wfe("restart", "A-2")
    with Store(place.store) as store:
        error_id = store.entries.search(where("key") == "A-2")[0]["error_id"]
    async with console(place.store, size=(120, 40), route=Route("errors", error_id)) as operator:
        await operator.sees("A-2  Check  attempt 2")
        await operator.press("minus")
        await operator.sees("A-2  Check  attempt 1")
        await operator.press("minus")
        await operator.hears("no attempt before it did")
        await operator.press("plus")
        await operator.sees("attempt 2")
        await operator.press("left_square_bracket")
        await operator.sees("A-7  Check  attempt 1")
        await operator.press("right_square_bracket")
        await operator.sees("A-2  Check  attempt 2")
        await operator.press("right_square_bracket")
        await operator.hears("there is no occurrence after this one")
        await operator.press("backspace")
        await operator.sees("A-7  Check")


async def test_the_entry_that_it_happened_to_is_a_key_away(trace: Any) -> None:
    async with trace() as operator:
        await operator.sees("raise ValueError")
        await operator.press("v")
        await operator.sees("wfe  entries/A-2", "✗ Check")


async def test_groups_of_exceptions_and_kept_locals_are_shown(console: Any, workplace: Any) -> None:
    workplace.extend(GROUPS)
    workplace.wfe("run", "orders:Exploding")
    with Store(workplace.store) as store:
        error_id = store.entries.search(where("key") == "A-1")[0]["error_id"]
    async with console(workplace.store, size=(120, 80), route=Route("errors", error_id)) as operator:
        await operator.sees(
            "RuntimeError: the parcel cannot be sent", "which was caused by", "ExceptionGroup: two at once",
            "one of the group", "KeyError: 'carrier'", "ValueError: weight", "entry = Order(",
        )  # fmt: skip
