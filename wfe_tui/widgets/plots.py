"""Small pictures of numbers."""

from collections.abc import Sequence

from textual.content import Content

BARS = " ▁▂▃▄▅▆▇█"


def spark(numbers: Sequence[float]) -> str:
    """A bar for each number, the greatest as high as a line; what is not nothing is seen."""
    most = max(numbers, default=0)
    if not most:
        return " " * len(numbers)
    return "".join(BARS[max(1, round(number / most * 8))] if number else " " for number in numbers)


BESIDE = 16
"""Cells of a bar that `beside` draws."""


def beside(share: float, other: float, style: str, other_style: str) -> Content:
    """A share from 0 to 1 as a bar, and in it, or beyond it, a mark for another one."""
    length, at = round(share * BESIDE), min(BESIDE - 1, round(other * BESIDE))
    cells = ["━" if cell < length else " " for cell in range(BESIDE)]
    before, after = "".join(cells[:at]), "".join(cells[at + 1 :])
    return Content.assemble((before, style), ("┃", other_style), (after, style))
