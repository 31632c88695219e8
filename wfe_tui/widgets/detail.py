"""One entry in full: how it stands, what happens next, its tasks, its errors, its data."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from engine.clock import duration, from_text, local_time
from engine.lookup.rows import EntryRow, error_ids
from engine.state import Plan, State, Step
from engine.text import literal
from wfe_tui.widgets.cut import LONGEST_KEY, cut
from wfe_tui.widgets.entry_columns import DECIDE
from wfe_tui.widgets.states import COLOURS, GLYPHS, STEPS, state_content

LONGEST_DATA = 20_000
"""Characters of an entry's data that are shown: to colour a megabyte would hold up the keys."""

MOST_ERRORS = 20
"""How many of its errors are named."""


class EntryDetail(VerticalScroll):
    """Shows an entry's document, row and plan."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: object = None

    def compose(self) -> Any:
        yield Static(markup=False)

    def show(self, document: Mapping[str, Any], row: EntryRow, planned: Plan, first: Sequence[Content] = ()) -> None:
        """Show this entry, below the lines `first`; cheap if it is shown already."""
        shown = (document, row, planned, [line.plain for line in first])
        if self._shown != shown:
            self._shown = shown
            self.query_one(Static).update(Content("\n").join([*first, entry_content(document, row, planned)]))

    def clear(self, why: str = "no entry") -> None:
        """Show that there is no entry."""
        self._shown = None
        self.query_one(Static).update(Content.styled(literal(why), "$text-muted"))


def entry_content(document: Mapping[str, Any], row: EntryRow, planned: Plan) -> Content:
    """All that is to be said of an entry."""
    executions = document["executions"] or []
    lines = [
        Content.assemble((literal(cut(row.key, LONGEST_KEY)), "bold"), "  ", state_content(row.state)),
        Content.styled(literal(row.processor), "$text-muted"),
        Content.assemble(("next  ", "$text-muted"), literal(row.next(planned))),
        *([Content.styled(DECIDE, "$text-muted")] if row.state is State.IN_DOUBT else []),
        Content(""),
    ]
    width = max((len(step.task) for step in planned.steps), default=0)
    for step in planned.steps:
        lines += _task(step, row, [e for e in executions if e["name"] == step.task], width)
    errors = error_ids(document)
    if errors:
        lines += [Content(""), _heading("Errors, newest first")]
        where = {e.get("error_id"): f"{literal(e['name'])}, attempt {e.get('run_count')}, {_at(e)}" for e in executions}
        lines += [
            Content.assemble((f"{error_id}  ", "$text-error"), where.get(error_id, "outside its tasks"))
            for error_id in errors[:MOST_ERRORS]
        ]
        if len(errors) > MOST_ERRORS:
            lines.append(Content.styled(f"… and {len(errors) - MOST_ERRORS} older ones", "$text-muted"))
    lines += [Content(""), _heading("Data"), json_content(document["data"])]
    if document["due_date"]:
        lines.append(Content(f"due date {literal(document['due_date'])}"))
    return Content("\n").join(lines)


def json_content(data: Any) -> Content:
    """JSON data on lines, coloured, and literal."""
    from textual.highlight import highlight  # not before the first rows: it brings all of Pygments

    text = orjson.dumps(data, option=orjson.OPT_INDENT_2).decode()
    shown = highlight(literal(cut(text, LONGEST_DATA), lines=True), language="json")
    left = len(text) - LONGEST_DATA
    return shown + Content.styled(f"\n… {left} more characters: `wfe show`", "$text-muted") if left > 0 else shown


def _task(step: Step, row: EntryRow, attempts: list[dict[str, Any]], width: int) -> list[Content]:
    word, why = row.said_of(step)
    glyph, colour = STEPS[step.kind] if word == step.kind else (GLYPHS[State.RUNNING], COLOURS[State.RUNNING])
    newest = attempts[-1] if attempts else None
    took = duration(newest["execution_time"], newest.get("finished_at")) if newest else ""
    count = f"{step.attempts}×" if step.attempts > 1 else ""
    head = Content.assemble(
        (f"{glyph} ", colour), literal(step.task).ljust(width), f"  {took:>6}  {count:>3}  ", (word, colour)
    )
    return [head, *([Content.styled(f"    {literal(why)}", "$text-muted")] if why and newest else [])]


def _heading(text: str) -> Content:
    return Content.styled(text, "bold $text-muted")


def _at(execution: Mapping[str, Any]) -> str:
    return local_time(from_text(execution["execution_time"]))
