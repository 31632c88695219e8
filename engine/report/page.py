"""A report as a page of HTML that stands alone: it loads nothing, runs nothing, and can be mailed and printed. Pure.

Nothing that comes from outside is obeyed: it is literal, and escaped where it is put in.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from html import escape
from importlib.resources import files

from engine.clock import local_time, short
from engine.report import charts
from engine.report.figures import Became, FailingOf, Figures, Interval, Taken
from engine.report.since import Report
from engine.report.words import (
    NOTHING,
    Line,
    Name,
    Section,
    Told,
    headline,
    looks,
    pace,
    period,
    sections,
    shortened,
    times,
    title,
)
from engine.text import counted, literal, short_path

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""Even if something were obeyed after all, no browser would run or load anything."""

_TIMES = 5
"""So many moments are named below the chart over time."""


def page(report: Report, figures: Figures) -> str:
    """The report and its numbers as one page of HTML."""
    found = sections(report)
    parts = [
        *_head(report, figures, is_empty=not found),
        *_over_time(figures, report),
        *_causes(figures.causes),
        *_tasks(figures.tasks),
        *_acts(figures.acts),
        *(part for section in found for part in _section(section, report)),
        f"<footer><small>wfe report, made at {local_time(report.moment)}</small></footer>",
    ]
    body = "\n".join(parts)
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{_text(title(report))} · {_text(short_path(report.path))}</title>
<style>
{_style()}</style>
</head>
<body>
{body}
</body>
</html>
"""


@cache
def _style() -> str:
    return (files(__package__) / "page.css").read_text(encoding="utf-8")


def _head(report: Report, figures: Figures, *, is_empty: bool) -> Iterator[str]:
    yield f"<header><h1>{_text(title(report))}</h1>"
    yield f'<p class="quiet"><code>{_text(short_path(report.path))}</code> {_text(period(report))}</p></header>'
    nothing = f" {NOTHING}" if is_empty else ""
    kind = "verdict" if report.dealt.is_all else "verdict open"
    yield f'<p class="{kind}">{_text(headline(report))}.{nothing}</p>'
    yield "<dl>"
    yield _figure("executions ended", figures.results)
    yield _figure("of them failed", figures.failures, is_bad=True)
    yield _figure("entries fail now", report.dealt.failures, is_bad=True)
    yield _figure("runs", report.runs.count)
    yield _figure("acts of operators", report.acts.count + report.own.count)
    yield "</dl>"


def _figure(name: str, number: int, *, is_bad: bool = False) -> str:
    kind = ' class="worry"' if is_bad and number else ""
    return f"<div><dt>{name}</dt><dd{kind}>{number:,}</dd></div>"


# --- charts, and the tables of their numbers


def _over_time(figures: Figures, report: Report) -> Iterator[str]:
    intervals = figures.over_time
    if not figures.results:
        return
    told = f"{pace(figures).capitalize()}. Results stand above the line, failures hang below it."
    yield '<section id="over-time"><h2>Results over time</h2>'
    yield f'<p class="quiet">{told}</p>'
    yield charts.over_time(intervals, "Results over time", told)
    named = "".join(f"<small>{time}</small>" for time in times(report, _TIMES))
    yield f'<div class="axis" aria-hidden="true">{named}</div>'
    yield from _numbers(intervals)
    yield "</section>"


def _numbers(intervals: Sequence[Interval]) -> Iterator[str]:
    yield "<details><summary>The numbers</summary>"
    yield from _table(
        ("from", "executions", "failures"),
        (
            (local_time(each.begin)[:16], f"{each.results:,}", f"{each.failures:,}")
            for each in intervals
            if each.results or each.failures
        ),
    )
    yield "</details>"


def _causes(causes: Sequence[FailingOf]) -> Iterator[str]:
    if not causes:
        return
    most = max(each.entries for each in causes)

    def row(each: FailingOf) -> tuple[str, str]:
        kind = each.type.rpartition(".")[2] if each.fingerprint else each.type
        message = f": <bdi>{_short(each.message)}</bdi>" if each.message else ""
        name = f"<small><code>{_text(each.fingerprint)}</code></small>" if each.fingerprint else ""
        drawn = charts.bar(each.entries, most, counted(each.entries, "entry", "entries"), "bad")
        return f"<bdi>{_short(kind)}</bdi>{message}{name}{drawn}", f"{each.entries:,}"

    yield '<section id="causes"><h2>Failing entries by cause</h2>'
    yield from _table(("cause", "entries now"), map(row, causes))
    yield "</section>"


def _tasks(tasks: Sequence[Taken]) -> Iterator[str]:
    if not tasks:
        return
    scale = charts.Scale(tasks)

    def row(each: Taken) -> tuple[str, str, str]:
        slower = f' <strong class="slower">{each.change:.1f}× as long</strong>' if charts.is_slower(each) else ""
        about = f"{_short(each.processor)}, {counted(each.executions, 'execution')}"
        drawn = charts.durations(each, scale, f"median {_took(each.median)}, usual {_took(each.usual_median)}")
        return (
            f"<code>{_short(each.task)}</code>{slower}<small>{about}</small>{drawn}",
            f"{_took(each.median)}<small>usual {_took(each.usual_median)}</small>",
            f"{_took(each.p95)}<small>usual {_took(each.usual_p95)}</small>",
        )

    yield '<section id="durations"><h2>Durations of tasks</h2>'
    yield (
        f'<p class="quiet">From the median to what 95 of 100 end within, on a logarithmic scale: {_key("mark")}in this '
        f"period, {_key('faint')}usual before it.</p>"
    )
    yield from _table(("task", "median", "95 of 100"), map(row, tasks))
    yield "</section>"


def _took(seconds: float | None) -> str:
    return "–" if seconds is None else short(seconds)


def _acts(acts: Sequence[Became]) -> Iterator[str]:
    if not acts:
        return
    most = max(sum(each.verdicts.values()) for each in acts)

    def row(each: Became) -> tuple[str, str]:
        said = [(charts.VERDICT_KINDS[verdict], f"{number:,} {verdict}") for verdict, number in each.verdicts.items()]
        legend = "".join(f"<small>{_key(kind)}{words}</small>" for kind, words in said)
        often = f" <small>{counted(each.acts, 'time')}</small>" if each.acts > 1 else ""
        drawn = charts.parts(each.verdicts, most, ", ".join(words for _, words in said))
        number = f"{sum(each.verdicts.values()):,}"
        return f'<code>{_short(each.verb)}</code>{often}{drawn}<div class="legend">{legend}</div>', number

    yield '<section id="acts"><h2>What became of what operators did</h2>'
    yield from _table(("act", "entries"), map(row, acts))
    yield "</section>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table in which the first cell names its row; heads and cells are HTML."""
    named = "".join(f'<th scope="col">{head}</th>' for head in heads)
    yield f"<table><thead><tr>{named}</tr></thead><tbody>"
    for name, *cells in rows:
        yield f'<tr><th scope="row">{name}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
    yield "</tbody></table>"


def _key(kind: str) -> str:
    """A patch of the colour that something has in a chart."""
    return f'<span class="key {kind}"></span>'


# --- what the report tells in words


def _section(section: Section, report: Report) -> Iterator[str]:
    yield f"<section><h2>{_heading(section.title)}</h2>"
    if section.lines:
        yield "<ul>"
        yield from (f"<li>{_line(line)}</li>" for line in section.lines)
        if section.left:
            yield f'<li class="quiet">… and {section.left} more</li>'
        yield "</ul>"
    more = " or ".join(f"<code>{_text(look)}</code>" for look in looks(section, report))
    if more:
        yield f'<p class="more"><small>See {more}</small></p>'
    yield "</section>"


def _heading(text: str) -> str:
    """A title; how many there are of it is quiet."""
    name, bracket, count = text.rpartition(" (")
    return f'{_short(name)} <span class="count">({_short(count)}</span>' if bracket else _short(text)


def _line(line: Line) -> str:
    return "".join(map(_part, line.parts))


def _part(part: str) -> str:
    if isinstance(part, Name):
        return f"<code>{_short(part)}</code>"
    return f"<bdi>{_short(part)}</bdi>" if isinstance(part, Told) else _text(part)


def _text(text: str) -> str:
    return escape(literal(text))


def _short(text: str) -> str:
    return escape(shortened(text))
