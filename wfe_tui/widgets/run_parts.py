"""What a run's own screen shows: its figures in words and tables, and its plots."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from textual.content import Content
from textual_plotext import PlotextPlot

from engine.clock import local_time, short
from engine.journal.durations import Histogram
from engine.lookup.history import RunRow
from engine.state import State
from engine.text import counted, literal
from wfe_tui.widgets.run_line import ENDINGS
from wfe_tui.widgets.states import COLOURS, GLYPHS, bar

MOST_BARS = 24


def summary_content(run: RunRow, now: datetime) -> Content:
    """How it ended or how far it is, with its counts by state."""
    end = run.ended or now
    if run.is_going_on:
        ending = Content.styled("▶ goes on", "$text-accent")
    else:
        ending = Content.styled(literal(run.ending or ""), ENDINGS.get(run.ending or "", "$text-error"))
    lines = [
        Content.assemble((f"run {run.id} ", "bold"), (literal(run.processor), "bold"), "  ", ending),
        Content.styled(
            f"started {local_time(run.started)}, "
            + (f"ended {local_time(run.ended)}, " if run.ended else "")
            + f"{short((end - run.started).total_seconds())}",
            "$text-muted",
        ),
    ]
    of = f" of {run.total}" if run.total is not None else ""
    left = f", {short(run.left)} left" if run.is_going_on and run.left else ""
    picture = bar(run.considered, run.total, 30, "$text-accent") + Content("  ") if run.total else Content("")
    in_progress = f", {run.in_progress} in progress" if run.in_progress else ""
    lines.append(picture + Content(f"{run.considered}{of} entries{in_progress}, {run.rate:.1f}/s{left}"))
    states = [
        Content.styled(f"{GLYPHS[state]} {run.states[state]} {state}", COLOURS[state])
        for state in State
        if run.states[state]
    ]
    if run.refused:
        states.append(Content.styled(f"✗ {run.refused} refused", "$text-error"))
    lines.append(Content("  ").join(states))
    if run.asked:
        lines.append(Content.styled(f"an operator asked it to {literal(run.asked)}", "$text-warning"))
    if run.silent_for is not None:
        lines.append(Content.styled(f"no sign of life for {short(run.silent_for)}", "bold $text-error"))
    return Content("\n").join(lines)


def durations_content(durations: Mapping[str, Histogram]) -> Content:
    """How long each task takes."""
    if not durations:
        return Content.styled("how long its tasks took is not known, or none was executed", "$text-muted")
    width = max(len(literal(task)) for task in durations)
    head = f"{'Task':<{width}} {'executions':>10} {'median':>8} {'p95':>8} {'mean':>8} {'in all':>8}"
    lines = [Content.styled(head, "bold $text-muted")]
    for task, found in durations.items():
        figures = (found.quantile(0.5), found.quantile(0.95), found.mean, found.sum)
        cells = " ".join(f"{short(figure):>8}" if figure is not None else f"{'':>8}" for figure in figures)
        lines.append(Content(f"{literal(task):<{width}} {found.count:>10} {cells}"))
    return Content("\n").join(lines)


def statistics_content(statistics: Mapping[str, Any]) -> Content:
    """The counters and timers of the run, as the engine keeps them."""
    if not statistics:
        return Content("")
    lines = [Content.styled("Statistics", "bold $text-muted")]
    flat = _flat(statistics)
    width = max(len(name) for name, _ in flat)
    lines += [Content(literal(f"{name:<{width}}  {_figure(value)}")) for name, value in flat]
    return Content("\n").join(lines)


def _figure(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _flat(found: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for name, value in found.items():
        path = f"{above} / {name}" if above else str(name)
        flat += _flat(value, path) if isinstance(value, Mapping) else [(path, value)]
    return flat


class PacePlot(PlotextPlot):
    """Results and failures a second, over the time of the run."""

    def show(self, pace: Sequence[Sequence[float]]) -> None:
        """Show a run's `pace`: `[seconds since its start, results, failures]` of equal intervals."""
        self.plt.clear_data()
        self.plt.title("results a second, and failures")
        times = [at for at, _, _ in pace]
        step = (times[1] - times[0]) if len(times) > 1 else 1
        if times:
            marker = "braille" if len(times) > 2 else "hd"
            self.plt.plot(times, [done / step for _, done, _ in pace], marker=marker)
            if any(failed for _, _, failed in pace):
                self.plt.plot(times, [failed / step for _, _, failed in pace], marker=marker)
        self.plt.xlabel(f"seconds since its start, {counted(round(sum(done for _, done, _ in pace)), 'result')}")
        self.refresh()


class DurationsPlot(PlotextPlot):
    """How long the executions of the slowest task take, as a histogram."""

    def show(self, durations: Mapping[str, Histogram]) -> None:
        """Show the task on which most time was spent."""
        self.plt.clear_data()
        if durations:
            task, found = max(durations.items(), key=lambda each: each[1].sum)
            bars = found.bars(MOST_BARS)
            self.plt.title(f"executions of {literal(task)} by what they took")
            self.plt.bar([short(begin) for begin, _, _ in bars], [count for _, _, count in bars], width=0.9)
        self.refresh()
