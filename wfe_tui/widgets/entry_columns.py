"""The columns of the list of entries, and what stands in their cells."""

from collections.abc import Callable
from datetime import datetime

from textual.content import Content

from engine.clock import age, short
from engine.planning import State
from engine.records import EntryRow
from engine.text import literal
from wfe_tui.widgets.columns import Cell, Column
from wfe_tui.widgets.states import COLOURS, bar, state_content

COLUMNS = (
    Column("key", "Entry", 16, grow=True),
    Column("state", "State", 13),
    Column("progress", "Progress", 8),
    Column("task", "Task", 14, priority=3),
    Column("reason", "Reason", 20, grow=True),
    Column("repeat", "Repeat", 7, priority=4),
    Column("attempts", "Att", 3, justify="right", priority=2),
    Column("age", "Age", 5, justify="right", priority=1),
)

BAR_WIDTH = 4

DECIDE = "R executes it again, D takes it as done"
"""What an operator can do to a task in doubt."""


def entry_cell(now: Callable[[], datetime]) -> Cell:
    """What stands in a row's cell; `now` is the moment that ages are taken at."""

    def cell(row: EntryRow, column: Column) -> Content:
        match column.name:
            case "key":
                return Content(literal(row.key))
            case "state":
                return state_content(row.state)
            case "progress":
                steps = f" {row.done}/{row.total}"
                return bar(row.done, row.total, BAR_WIDTH, COLOURS[row.state]) + Content(steps)
            case "task":
                return Content(literal(row.task or ""))
            case "reason":
                return Content(literal(reason(row, now())))
            case "repeat":
                return Content(row.repeat_words)
            case "attempts":
                return Content(str(row.attempts or ""))
            case _:
                return Content(age(row.updated, now()))

    return cell


def reason(row: EntryRow, now: datetime) -> str:
    """Why an entry stands where it stands; of one that waits, first how long yet."""
    if row.state is State.WAITING and row.due:
        return f"in {short((row.due - now).total_seconds())} · {row.reason}"
    return row.reason
