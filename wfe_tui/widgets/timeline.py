"""An entry's tasks over time: when each attempt ran and how it ended, beside what the task takes typically."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from engine.clock import from_text, local_time, short
from engine.lookup.rows import EntryRow
from engine.state import Plan, State, Step, StepKind
from engine.text import literal
from wfe_tui.widgets.cut import cut
from wfe_tui.widgets.states import COLOURS, GLYPHS, STEPS, attempt_look

LONGEST_NAME = 24
LEAST_BAR = 10
BESIDE = 33
"""Cells of a line that are neither name nor bar: a sign, two durations, a count, and how the task stands."""

Executions = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Span:
    """One attempt on the line of its task: `end` is the present moment of one that is under way."""

    begin: datetime
    end: datetime
    sign: str
    colour: str


class Timeline(Widget):
    """A line for each task: its name, its attempts as bars, how long the newest took, what is usual, how it stands."""

    DEFAULT_CSS = "Timeline { height: auto; }"

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[Mapping[str, Any], EntryRow, Plan, Mapping[str, float], datetime] | None = None

    def show(
        self, document: Mapping[str, Any], row: EntryRow, planned: Plan, typical: Mapping[str, float], now: datetime
    ) -> None:
        """Show an entry at `now`; `typical` are seconds by task."""
        lines = 0 if self._shown is None else len(self._shown[2].steps)
        self._shown = document, row, planned, typical, now
        self.refresh(layout=lines != len(planned.steps))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._shown[2].steps) + 1 if self._shown else 0

    def render(self) -> Content:
        if self._shown is None:
            return Content("")
        return timeline(*self._shown, self.content_size.width)


def timeline(
    document: Mapping[str, Any],
    row: EntryRow,
    planned: Plan,
    typical: Mapping[str, float],
    now: datetime,
    width: int,
) -> Content:
    """The lines, in `width` cells."""
    executions: Executions = document["executions"] or []
    spans = {step.task: _spans([e for e in executions if e["name"] == step.task], row, now) for step in planned.steps}
    every = [span for each in spans.values() for span in each]
    begin = min((span.begin for span in every), default=now)
    until = max((span.end for span in every), default=now)
    if planned.due is not None and planned.due - until < 4 * (until - begin) + timedelta(seconds=1):
        until = max(until, planned.due)
    name_width = min(LONGEST_NAME, max((len(literal(step.task)) for step in planned.steps), default=0))
    bar = max(LEAST_BAR, width - name_width - BESIDE)
    lines = [_axis(begin, until, name_width, bar)] if every else [Content("")]
    for step in planned.steps:
        cells = _cells(spans[step.task], begin, until, bar)
        lines.append(_line(step, row, spans[step.task], cells, typical.get(step.task), name_width))
    return Content("\n").join(lines)


def _spans(attempts: Executions, row: EntryRow, now: datetime) -> list[Span]:
    found = []
    for attempt in attempts:
        begin = from_text(attempt["execution_time"])
        is_newest = attempt is attempts[-1]
        if attempt.get("finished_at"):
            end = from_text(attempt["finished_at"])
        else:
            is_under_way = is_newest and row.state is State.RUNNING and row.task == attempt["name"]
            end = now if is_under_way else begin
        sign, word, colour = attempt_look(attempt)
        found.append(Span(begin, max(begin, end), "█" if word == "done" else sign, colour))
    return found


def _cells(spans: Sequence[Span], begin: datetime, until: datetime, width: int) -> Content:
    """The bar of a task: an attempt has a cell at least, and the later one lies above."""
    total = max((until - begin).total_seconds(), 1e-6)
    cells: list[tuple[str, str]] = [("·", "$surface-lighten-2")] * width
    for span in spans:
        first = min(width - 1, int((span.begin - begin).total_seconds() / total * width))
        last = min(width - 1, max(first, int((span.end - begin).total_seconds() / total * width) - 1))
        for at in range(first, last + 1):
            cells[at] = (span.sign, span.colour)
    return Content.assemble(*cells)


def _line(
    step: Step, row: EntryRow, spans: Sequence[Span], cells: Content, typical: float | None, name_width: int
) -> Content:
    word, _ = row.said_of(step)
    glyph, colour = STEPS[step.kind] if word == step.kind else (GLYPHS[State.RUNNING], COLOURS[State.RUNNING])
    took = (
        short((spans[-1].end - spans[-1].begin).total_seconds()) if spans and step.kind is not StepKind.IN_DOUBT else ""
    )
    usual = f"~{short(typical)}" if typical is not None else ""
    count = f"{step.attempts}×" if step.attempts > 1 else ""
    name = cut(literal(step.task), LONGEST_NAME - 1)
    return Content.assemble(
        (f"{glyph} ", colour), f"{name:<{name_width}} ", cells, f" {took:>5} ", (f"{usual:>6} ", "$text-muted"),
        f"{count:>3} ", (word, colour),
    )  # fmt: skip


def _axis(begin: datetime, until: datetime, name_width: int, bar: int) -> Content:
    left = local_time(begin)
    right = f"+{short((until - begin).total_seconds())}"
    gap = max(1, bar - len(left) - len(right))
    return Content.styled(f"{'':<{name_width + 3}}{left}{' ' * gap}{right} {'took':>5} {'usual':>6}", "$text-muted")
