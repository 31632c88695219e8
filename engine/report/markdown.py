"""A report as Markdown, for a chat, an issue or a mail: pure, no I/O."""

import re
from collections.abc import Iterator

from engine.report.figures import Figures
from engine.report.since import Report
from engine.report.words import (
    NOTHING,
    Line,
    Name,
    headline,
    looks,
    pace,
    period,
    sections,
    shortened,
    times,
    title,
)
from engine.text import short_path, spark


def markdown(report: Report, figures: Figures) -> str:
    """The report as Markdown, in which nothing that comes from outside is obeyed."""
    found = sections(report)
    blocks = [
        f"# {title(report)}",
        f"{_code(short_path(report.path))} {period(report)}.",
        f"{_escaped(headline(report))}." + ("" if found else f" {NOTHING}"),
        *_over_time(report, figures),
    ]
    for section in found:
        lines = [f"- {_marked(line)}" for line in section.lines]
        lines += [f"- … and {section.left} more"] if section.left else []
        more = " or ".join(map(_code, looks(section, report)))
        blocks += [f"## {_escaped(shortened(section.title))}", "\n".join(lines), f"See {more}." if more else ""]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _over_time(report: Report, figures: Figures) -> Iterator[str]:
    """The chart of what ended when, as text."""
    if figures.results:
        begin, end = times(report, 2)
        results, failures = ([getattr(each, name) for each in figures.over_time] for name in ("results", "failures"))
        drawn = [
            f"executions  {spark(results)}  {figures.results:,}",
            f"failed      {spark(failures)}  {figures.failures:,}",
            f"{begin:>17}{end:>{len(results) - 5}}",
        ]
        yield "## Results over time"
        yield "\n".join([f"{pace(figures).capitalize()}.", "", "```text", *drawn, "```"])


def _marked(line: Line) -> str:
    return "".join(_code(part) if isinstance(part, Name) else _escaped(part) for part in map(shortened, line.parts))


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)


_SPECIAL = re.compile(r"[\\`*_\[\]<>&|~#$]")


def _code(text: str) -> str:
    """A text as code: between more backticks than there are in a row in it."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    room = " " if longest or text[:1] == text[-1:] == " " else ""
    fence = "`" * (longest + 1)
    return f"{fence}{room}{text or ' '}{room}{fence}"
