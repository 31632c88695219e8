"""Charts of a report as SVG that stands in a page: pure, no I/O.

They hold shapes alone and stretch to the room there is; what is to be read stands beside them in the page, at the size
of its letters, so that it can be read on a phone. Colours are classes of `page.css`; nothing is told by colour alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import log

from engine.report.figures import Interval, Taken
from engine.verdicts import Verdict

_RESULTS, _FAILURES, _BETWEEN = 100, 36, 6
"""The heights of the two parts of the chart over time, and of what is left free between them."""

_SEEN = 1.5
"""What is not nothing is as high, or as wide, as that at least."""


def over_time(intervals: Sequence[Interval], title: str, description: str) -> str:
    """Results as columns that stand, and below them failures as columns that hang; each with a scale of its own.

    Args:
        intervals: of equal length.
        title, description: what is read aloud in its place; from outside, or not.
    """
    height = _RESULTS + _BETWEEN + _FAILURES
    most = max((each.results for each in intervals), default=0)
    most_failed = max((each.failures for each in intervals), default=0)

    def shapes() -> Iterator[str]:
        yield _rect(0, _RESULTS + _BETWEEN / 2 - 0.5, 10 * len(intervals), 1, "rule")
        for at, each in enumerate(intervals):
            if each.results:
                tall = max(each.results / most * _RESULTS, _SEEN)
                yield _rect(10 * at + 1, _RESULTS - tall, 8, tall, "mark")
            if each.failures:
                tall = max(each.failures / most_failed * _FAILURES, _SEEN)
                yield _rect(10 * at + 1, _RESULTS + _BETWEEN, 8, tall, "bad")

    return _svg(10 * len(intervals), height, "over-time", title, "".join(shapes()), description)


def bar(number: float, of: float, title: str, kind: str = "mark") -> str:
    """A bar for a number, as wide as the chart for `of`."""
    return _svg(100, 10, "bar", title, _rect(0, 0, max(number / of * 100, _SEEN / 3), 10, kind))


def parts(verdicts: Mapping[Verdict, int], of: int, title: str) -> str:
    """A bar in parts, one for each verdict; as wide as the chart for `of` entries."""

    def shapes() -> Iterator[str]:
        left = 0.0
        for verdict, number in verdicts.items():
            width = number / of * 100
            yield _rect(left, 0, max(width - 0.4, _SEEN / 3), 10, VERDICT_KINDS[verdict])
            left += width

    return _svg(100, 10, "bar", title, "".join(shapes()))


VERDICT_KINDS = {
    Verdict.FIXED: "mark",
    Verdict.DONE: "calm",
    Verdict.WAITING: "faint",
    Verdict.SAME_ERROR: "bad",
    Verdict.NEW_ERROR: "worse",
    Verdict.REFUSED: "dim",
}
"""The classes of the colours of verdicts; they differ in lightness, too."""


def durations(taken: Taken, scale: "Scale", title: str) -> str:
    """From the median to the p95 of a task: a band of what is usual, on it a line of now that begins with a tick."""

    def shapes() -> Iterator[str]:
        if taken.usual_median is not None and taken.usual_p95 is not None:
            left, right = scale.at(taken.usual_median), scale.at(taken.usual_p95)
            yield _rect(left, 1, max(right - left, 1), 8, "faint")
        kind = "bad" if is_slower(taken) else "mark"
        left, right = scale.at(taken.median), scale.at(taken.p95)
        yield _rect(left, 4, max(right - left, 1), 2, kind)
        yield _rect(left, 0, 0.7, 10, kind)

    return _svg(100, 10, "bar", title, "".join(shapes()))


SLOWER = 1.5
"""How many times as long as usual is told as slower: a histogram's buckets are a tenth wide each."""


def is_slower(taken: Taken) -> bool:
    """Whether a task has taken clearly longer than is usual."""
    return taken.change >= SLOWER


class Scale:
    """Where durations stand in a chart: by their logarithm, the shortest at its beginning, the longest at its end."""

    def __init__(self, tasks: Sequence[Taken]) -> None:
        known = [
            seconds
            for each in tasks
            for seconds in (each.median, each.p95, each.usual_median, each.usual_p95)
            if seconds is not None
        ]
        self._first = log(min(known))
        self._span = max(log(max(known)) - self._first, 1e-9)

    def at(self, seconds: float) -> float:
        """The place, from 0 to 98."""
        return (log(seconds) - self._first) / self._span * 98


def _svg(width: float, height: float, kind: str, title: str, shapes: str, description: str = "") -> str:
    told = f"<desc>{escape(description)}</desc>" if description else ""
    return (
        f'<svg class="{kind}" role="img" viewBox="0 0 {width:g} {height:g}" preserveAspectRatio="none">'
        f"<title>{escape(title)}</title>{told}{shapes}</svg>"
    )


def _rect(left: float, top: float, width: float, height: float, kind: str) -> str:
    return f'<rect class="{kind}" x="{left:.4g}" y="{top:.4g}" width="{width:.4g}" height="{height:.4g}"/>'
