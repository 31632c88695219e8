"""The line of the newest run: how far it is while it goes on, and how it ended."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from textual.content import Content
from tinydb.table import Document

from engine.clock import to_text
from engine.lookup.history import read_run
from wfe_tui.widgets.run_line import run_content

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _utc(zone: Callable[[str], None]) -> None:
    zone("UTC")


def run(**fields: Any) -> dict[str, Any]:
    began = {"processor": "shop:Orders", "started": to_text(NOON), "ended": None, "ending": None, "owner": "me"}
    return {**began, "total": 40, "considered": 12, "states": {}, "updated": to_text(NOON), **fields}


def shown(document: dict[str, Any], *, alive: bool = True, later: float = 4) -> Content:
    moment = NOON + timedelta(seconds=later)
    return run_content(read_run(Document(document, 7), moment, lambda owner: alive), moment)


def colour_of(content: Content, word: str) -> str:
    """The style of a word of the line."""
    (span,) = [span for span in content.spans if content.plain[span.start : span.end] == word]
    return str(span.style)


@pytest.mark.parametrize(
    ("ending", "colour"),
    [
        ("completed", "$text-muted"),
        ("stopped", "$text-warning"),
        ("crashed", "$text-error"),
        ("aborted", "$text-error"),
    ],
)
def test_how_a_run_ended_is_a_word_with_a_colour(ending: str, colour: str) -> None:
    line = shown(run(ended=to_text(NOON + timedelta(seconds=3)), ending=ending, states={"failed": 2, "finished": 10}))
    assert line.plain == f"run 7 Orders {ending} 12:00: 12 entries in 3s  2 failed"
    assert colour_of(line, ending) == colour


def test_a_run_whose_process_died_says_so() -> None:
    line = shown(run(), alive=False)
    assert line.plain == "run 7 Orders died after 12 entries"
    assert colour_of(line, line.plain) == "$text-error"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"in_progress": 4}, "12/40, 4 in progress, 3/s, 9s left"),
        ({"in_progress": 0}, "12/40, 3/s, 9s left"),
        ({}, "12/40, 3/s, 9s left"),
        ({"total": None, "in_progress": 4}, "12, 4 in progress, 3/s"),
    ],
)
def test_how_far_a_run_is_with_what_is_in_progress_where_that_is_known(fields: dict[str, Any], said: str) -> None:
    assert shown(run(**fields)).plain.endswith(f" {said}")
