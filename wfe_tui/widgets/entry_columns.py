"""The columns of the list of entries, and what stands in their cells."""

from datetime import datetime

from textual.content import Content

from engine.clock import age, short
from engine.lookup.rows import EntryRow
from engine.state import State
from engine.text import literal
from wfe_tui.others import OthersAction
from wfe_tui.widgets.columns import THEIRS, Cells, Column
from wfe_tui.widgets.cut import cut
from wfe_tui.widgets.states import COLOURS, bar, state_content

COLUMNS = (
    Column("key", "Entry", 16, grow=1),
    Column("state", "State", 13),
    Column("progress", "Progress", 8),
    Column("task", "Task", 14, priority=3),
    Column("reason", "Reason", 20, grow=3),
    Column("repeat", "Repeat", 7, priority=4),
    Column("attempts", "Att", 3, justify="right", priority=2),
    Column("next", "Next", 8, justify="right", priority=5),
    Column("age", "Age", 5, justify="right", priority=1),
    Column("processor", "Processor", 14, is_extra=True),
    Column("error", "Error", 8, is_extra=True),
    Column("run", "Run", 5, justify="right", is_extra=True),
)

BAR_WIDTH = 4

LONGEST_WHY = 2_000
"""Characters of what is said of another's action."""

DECIDE = "R executes it again, D takes it as done"
"""What an operator can do to a task in doubt."""


def progress_content(row: EntryRow) -> Content:
    """How many of its tasks are done."""
    return bar(row.done, row.total, BAR_WIDTH, COLOURS[row.state]) + Content(f" {row.done}/{row.total}")


CELLS: Cells[EntryRow] = {
    "key": lambda row, now: Content(literal(row.key)),
    "state": lambda row, now: state_content(row.state),
    "progress": lambda row, now: (
        bar(row.done, row.total, BAR_WIDTH, COLOURS[row.state]) + Content(f" {row.done}/{row.total}")
    ),
    "task": lambda row, now: Content(literal(row.task or "")),
    "reason": lambda row, now: Content(literal(reason(row, now))),
    "repeat": lambda row, now: Content(row.repeat_words),
    "attempts": lambda row, now: Content(str(row.attempts or "")),
    "next": lambda row, now: Content(next_in_short(row, now)),
    "processor": lambda row, now: Content(literal(row.processor.rpartition(":")[2])),
    "error": lambda row, now: Content(literal((row.error_id or "")[:8])),
    "run": lambda row, now: Content(str(row.run or "")),
    "age": lambda row, now: Content(age(row.updated, now)),
}
"""What stands in a row's cell, at a moment."""


def next_in_short(row: EntryRow, now: datetime) -> str:
    """When the entry moves by itself, in a word; the reason beside it says why."""
    match row.state:
        case State.RUNNING:
            return "now"
        case State.READY:
            return "next run"
        case State.WAITING:
            return f"in {short((row.due - now).total_seconds())}" if row.due else "later"
        case State.FINISHED | State.CANCELLED:
            return ""
        case State.HELD:
            return "released"
    return "by you"


def reason(row: EntryRow, now: datetime) -> str:
    """Why an entry stands where it stands; of one that waits, first how long yet."""
    if row.state is State.WAITING and row.due:
        return f"in {short((row.due - now).total_seconds())} · {row.reason}"
    return row.reason


def theirs_content(action: OthersAction) -> Content:
    """Who else has just done what to an entry, in short."""
    return Content.styled(literal(f"{action.who} {action.verb}"), "bold $text-warning")


def theirs_line(action: OthersAction, now: datetime) -> Content:
    """The same in full, as of `now`."""
    return Content.styled(f"{THEIRS} {literal(cut(action.words(now), LONGEST_WHY))}", "bold $text-warning")
