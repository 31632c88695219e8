"""The newest run in one line: bar, count, rate and time left while it goes on; how it ended afterwards."""

from datetime import datetime

from textual.content import Content
from textual.widgets import Static

from engine.clock import local_minute, short
from engine.lookup.history import RunRow
from engine.text import counted, literal
from wfe_tui.widgets.states import bar

ENDINGS = {"completed": "$text-muted", "stopped": "$text-warning"}
"""The colours of how a run may end in order; any other ending is an error's."""


class RunLine(Static):
    """Shows one run."""

    def __init__(self) -> None:
        super().__init__(markup=False)

    def show(self, run: RunRow | None, now: datetime) -> None:
        """Show a run as of `now`, or that there was none yet."""
        said = run_content(run, now) if run else Content.styled("no run yet", "$text-muted")
        self.update(said, layout=False)


def run_content(run: RunRow, now: datetime) -> Content:
    """What is to be said of a run at `now`, in a line."""
    name = literal(f"run {run.id} {run.processor.rpartition(':')[2]}")
    failures = Content.styled(f"  {run.failed} failed", "$text-error") if run.failed else Content("")
    entries = counted(run.considered, "entry", "entries")
    if run.ended:
        took = short((run.ended - run.started).total_seconds())
        return Content.assemble(
            (f"{name} ", "$text-muted"),
            (literal(run.ending or ""), ENDINGS.get(run.ending or "", "$text-error")),
            (
                f" {local_minute(run.ended, now)}: {entries} in {took}",
                "$text-muted",
            ),
            failures,
        )
    if not run.is_going_on:
        return Content.styled(f"{name} died after {entries}", "$text-error") + failures
    rate = run.considered / max((now - run.started).total_seconds(), 0.001)
    is_measured = run.total and rate and run.considered < run.total
    left = f", {short((run.total - run.considered) / rate)} left" if is_measured and run.total else ""
    of = f"/{run.total}" if run.total else ""
    in_progress = f", {run.in_progress} in progress" if run.in_progress else ""
    asked = f", asked to {literal(run.asked)}" if run.asked else ""
    return Content.assemble(
        (f"▶ {name} ", "$text-accent"),
        bar(run.considered, run.total, 20, "$text-accent") if run.total else "",
        f" {run.considered}{of}{in_progress}, {rate:.0f}/s{left}{asked}",
        failures,
    )
