"""Whatever a store holds, no screen, notice or header obeys it, and none breaks by it."""

import random
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.screen import ModalScreen

from engine.clock import to_text
from engine.errors import error_record
from engine.model import TaskExecution, WorkflowModel
from engine.records import entry_progress, summary
from engine.status import Status
from engine.store import Store
from wfe_tui.routes import Route

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

PIECES = [
    "[bold]", "[/]", "[@click=app.quit]x[/]", "[red", "]", "\x1b]0;owned\x07", "\x1b[2J", "\x1b[31m", "\x9b2J",
    "\x90", "\x00", "\x7f", "\r", "\n", "\t", "\u202e", "\u2066", "\u200b", "\ufeff", "\u0301", "e\u0301\u0302",
    "שלום", "表意文字", "\U0001f469\u200d\U0001f467", "\U000e0041", "ﷺ", "%s", "{0}", "$foo", "`", "'", '"', "\\", "|",
    "--x", "a" * 3_000, "?", "/", "\ud800",
]  # fmt: skip


def nasty(chance: random.Random) -> str:
    return "".join(chance.choices(PIECES, k=chance.randint(1, 6)))


@pytest.fixture(params=[0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 3))])
def hostile(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Path, str, str]:
    """A store in which every text that comes from outside is nasty; with a key and an error id in it."""
    chance = random.Random(request.param)

    def text() -> str:
        return nasty(chance).encode("utf-8", "backslashreplace").decode()

    path = tmp_path / "wfe.db"
    with Store(path) as store:
        processor = f"m:{text()}"
        for number in range(30):
            key, task = f"{number} {text()}", text()
            try:
                raise ValueError(text())
            except ValueError as error:
                error.add_note(text())
                execution = TaskExecution(name=task, execution_time=NOON, finished_at=NOON, run_count=1)
                record = error_record(
                    error, WorkflowModelId(number), task=task, key=key, processor=processor, at=NOON, attempt=1
                )
            execution.error_id, execution.error = WorkflowModelId(number), text()
            execution.status = Status(message=text())
            entry = WorkflowModel(executions=[execution], source=text())
            store.errors.insert({**record, "host": text(), "fingerprint": f"v1:{number % 3}"})
            store.entries.insert(
                {
                    "key": key, "processor": processor, "tasks": [task, text() + "2"], "written": [], "owner": None,
                    "data": {text(): text(), "list": [text()], "more": {text(): text()}}, "run": 1,
                    "updated": to_text(NOON), **entry_progress(entry), **summary(entry, [task], NOON),
                }
            )  # fmt: skip
        store.runs.insert(
            {
                "processor": processor, "started": to_text(NOON), "ended": to_text(NOON), "ending": text(),
                "owner": "x", "home": {}, "rate": 1.0, "left": None, "total": 3, "considered": 3,
                "in_progress": 0, "states": {},
                "refused": 0, "updated": to_text(NOON), "statistics": {text(): {text(): text()}}, "asked": text(),
                "durations": {text(): {"count": 1, "sum": 1.0, "buckets": [[0, 1]]}}, "pace": [[1, 2, 1], [2, 3, 1]],
            }
        )  # fmt: skip
        store.actions.insert(
            {
                "verb": text(), "who": text(), "when": to_text(NOON), "why": text(), "processor": processor,
                "keys": [key, text()], "results": {key: text()}, "open": False, "taken_by": None, "run": None,
            }
        )  # fmt: skip
        store.db.table("pauses").insert({"processor": processor, "who": text(), "when": to_text(NOON), "why": text()})
        return path, key, str(WorkflowModelId(29))


def WorkflowModelId(number: int) -> Any:  # noqa: N802 - a UUID of this number
    from uuid import UUID

    return UUID(int=number + 1)


def other_key(path: Path) -> str:
    with Store(path) as store:
        return str(store.entries.all()[0]["key"])


def assert_literal(operator: Any, width: int) -> None:
    for line in operator.lines:
        assert cell_len(line) == width, repr(line)
        for letter in line:
            assert unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp"), (hex(ord(letter)), line)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_on_no_screen_is_anything_obeyed(
    console: Any, hostile: tuple[Path, str, str], size: tuple[int, int]
) -> None:
    path, key, error_id = hostile
    places = [
        Route("entries"), Route("entries", key), Route("errors"), Route("errors", "v1:1"), Route("errors", error_id),
        Route("runs"), Route("runs", "1"), Route("actions"), Route("actions", "1"),
        Route("entries", filter=f"key:{key[:9]}"), Route("compare", key, "with:" + other_key(path)),
    ]  # fmt: skip
    async with console(path, size=size) as operator:
        for place in places:
            operator.app.go(place)
            await operator.pilot.pause()
            await operator.idle()
            assert_literal(operator, size[0])
            await operator.press("j", "G", "enter", "y")
            await operator.idle()
            assert_literal(operator, size[0])
            operator.app.clear_notifications()


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_what_has_happened_since_obeys_nothing(
    console: Any, hostile: tuple[Path, str, str], size: tuple[int, int]
) -> None:
    path, _, _ = hostile
    async with console(path, size=size, clock=lambda: NOON + timedelta(hours=1)) as operator:
        await operator.press("b")
        await operator.sees("New errors (3)", "Done by others (1)")
        for key in ("j", "G", "y", "w"):
            await operator.press(key)
            await operator.pilot.pause()
            assert_literal(operator, size[0])
        await operator.press("escape", "enter")
        await operator.idle()
        assert_literal(operator, size[0])


async def test_in_no_dialog_or_notice_is_anything_obeyed(console: Any, hostile: tuple[Path, str, str]) -> None:
    path, _, _ = hostile
    async with console(path, size=(100, 40)) as operator:
        await operator.sees("30 entries")
        for key in ("R", "X", "v", "c", "w", "W", "question_mark", "colon", "o"):
            operator.app.go(Route("entries"))
            await operator.pilot.pause()
            await operator.press("a", key)
            await operator.until(lambda: isinstance(operator.app.screen, ModalScreen))
            if key in "RX":
                await operator.sees("would be done")
            assert_literal(operator, 100)
            await operator.press("escape")
        await operator.does("H", "Hold: 30 entries?")
        await operator.hears("hold: 30 entries")
        assert_literal(operator, 100)


async def test_a_filter_may_be_anything(console: Any, hostile: tuple[Path, str, str]) -> None:
    path, _, _ = hostile
    chance = random.Random(7)
    async with console(path, size=(100, 40)) as operator:
        await operator.sees("30 entries")
        for _ in range(40):
            operator.entries.set_filter(nasty(chance)[:300])
            await operator.pilot.pause()
            assert_literal(operator, 100)
        operator.entries.set_filter("")
        await operator.sees("30 entries")
