"""The newest run in one line: bar, count, rate and time left while it goes on; how it ended afterwards."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from textual.content import Content
from textual.widgets import Static

from engine.clock import from_text, local_minute, short
from engine.journal import FAILURES
from engine.planning import State
from engine.text import counted, literal
from wfe_tui.widgets.states import bar

ENDINGS = {"completed": "$text-muted", "stopped": "$text-warning"}
"""The colours of how a run may end in order; any other ending is an error's."""


class RunLine(Static):
    """Shows one run's document; see `engine.store_journal`."""

    def __init__(self) -> None:
        super().__init__(markup=False)

    def show(self, run: Mapping[str, Any] | None, number: int, now: datetime, is_alive: Callable[[str], bool]) -> None:
        """Show a run, or that there was none yet."""
        self.update(run_content(run, number, now, is_alive) if run else Content.styled("no run yet", "$text-muted"))


def run_content(run: Mapping[str, Any], number: int, now: datetime, is_alive: Callable[[str], bool]) -> Content:
    """What is to be said of a run at `now`."""
    name = literal(f"run {number} {run['processor'].rpartition(':')[2]}")
    states = {State(state): count for state, count in run["states"].items()}
    failed = sum(states.get(state, 0) for state in FAILURES)
    failures = Content.styled(f"  {failed} failed", "$text-error") if failed else Content("")
    considered, total = run["considered"], run["total"]
    began = from_text(run["started"])
    if run["ended"]:
        ended, entries = from_text(run["ended"]), counted(considered, "entry", "entries")
        return Content.assemble(
            (f"{name} ", "$text-muted"),
            (literal(run["ending"]), ENDINGS.get(run["ending"], "$text-error")),
            (f" {local_minute(ended, now)}: {entries} in {short((ended - began).total_seconds())}", "$text-muted"),
            failures,
        )
    if not is_alive(run["owner"]):
        return Content.styled(f"{name} died after {counted(considered, 'entry', 'entries')}", "$text-error") + failures
    rate = considered / max((now - began).total_seconds(), 0.001)
    left = f", {short((total - considered) / rate)} left" if total and rate and considered < total else ""
    of = f"/{total}" if total else ""
    in_progress = f", {run['in_progress']} in progress" if run.get("in_progress") else ""
    return Content.assemble(
        (f"▶ {name} ", "$text-accent"),
        bar(considered, total, 20, "$text-accent") if total else "",
        f" {considered}{of}{in_progress}, {rate:.0f}/s{left}",
        failures,
    )
