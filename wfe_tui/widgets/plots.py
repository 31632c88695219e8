"""Small pictures of numbers."""

from textual.content import Content

BESIDE = 16
"""Cells of a bar that `beside` draws."""


def beside(share: float, other: float, style: str, other_style: str) -> Content:
    """A share from 0 to 1 as a bar, and in it, or beyond it, a mark for another one."""
    length, at = round(share * BESIDE), min(BESIDE - 1, round(other * BESIDE))
    cells = ["━" if cell < length else " " for cell in range(BESIDE)]
    before, after = "".join(cells[:at]), "".join(cells[at + 1 :])
    return Content.assemble((before, style), ("┃", other_style), (after, style))
