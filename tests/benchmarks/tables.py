"""How figures are printed: their units, and tables in Markdown."""

import sys
from collections.abc import Callable, Sequence

from contenders import RAW_OF, Contender

Figures = dict[str, dict[Contender, float]]
"""By operation and contender. A contender that cannot do it, or not at this size, is missing."""


def duration(seconds: float) -> str:
    """Three digits, in the unit that leaves the point among them."""
    rounded = float(f"{seconds:.3g}")
    for unit, length in (("s", 1), ("ms", 1e-3)):
        if rounded >= length:
            return f"{rounded / length:.4g} {unit}"
    return f"{rounded * 1e6:.4g} µs"


def megabytes(size: float) -> str:
    return f"{size / 1e6:.1f} MB"


def rate(commits: float) -> str:
    return f"{commits:,.0f}/s"


def factor(ratio: float) -> str:
    return f"{ratio:.2f}"


def say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()  # a run takes minutes, and may be watched through a pipe


def say_table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    rule = [f"{'-' * (width - 1)}{':' if at else '-'}" for at, width in enumerate(widths)]
    say(title, "")
    for row in (headings, rule, *rows):
        first, *others = zip(row, widths, strict=True)
        say("| " + " | ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]) + " |")
    say("")


def show(title: str, figures: Figures, contenders: Sequence[Contender], shown: Callable[[float], str]) -> None:
    """A row for each operation, and beside each of ours its ratio to raw."""
    columns = [["", *figures]]
    for contender in contenders:
        cells = (shown(row[contender]) if contender in row else "–" for row in figures.values())
        columns.append([contender.name, *cells])
        if raw := RAW_OF.get(contender):
            columns.append(["ours / raw", *(factor(row[contender] / row[raw]) for row in figures.values())])
    headings, *rows = zip(*columns, strict=True)
    say_table(title, headings, rows)
