"""A comparison on the screen, laid out as wide as that is, and as Markdown, to be pasted elsewhere."""

import re
from collections.abc import Callable, Iterable

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from engine.comparing import Comparison
from engine.comparing.layout import NOTHING, SIGN, Line, Look

STYLES = {
    Look.PLAIN: "",
    Look.MUTED: "$text-muted",
    Look.HEADING: "bold",
    Look.DIFFERS: "bold $text-warning",
    Look.CHANGED: "bold underline",
}


class ComparisonLines(Widget):
    """Shows lines that are laid out for its width."""

    DEFAULT_CSS = "ComparisonLines { height: auto; }"

    def __init__(self, name: str) -> None:
        super().__init__(id=name)
        self._lay_out: Callable[[int], Iterable[Line]] = lambda width: ()
        self._shown: tuple[int, Content, int] | None = None

    def show(self, lay_out: Callable[[int], Iterable[Line]]) -> None:
        """Show what this answers for a number of cells."""
        self._lay_out, self._shown = lay_out, None
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return self._at(width)[2]

    def render(self) -> Content:
        return self._at(self.content_size.width)[1]

    def _at(self, width: int) -> tuple[int, Content, int]:
        if self._shown is None or self._shown[0] != width:
            lines = [Content.assemble(*((text, STYLES[look]) for text, look in line)) for line in self._lay_out(width)]
            self._shown = width, Content("\n").join(lines), len(lines)
        return self._shown


def markdown(comparison: Comparison, *, everything: bool) -> str:
    """A comparison to be pasted into an issue or a message; `everything`: with what is alike, too."""
    names = _code(comparison.left), _code(comparison.right)
    lines = [f"### {_code(comparison.title)}: {names[0]} and {names[1]}", "", _code(comparison.processor)]
    lines += ["", _plain(comparison.why)] if comparison.why else []
    for part in comparison.parts:
        rows = part.shown(everything=everything)
        lines += ["", f"#### {part.title}", *(line for note in part.notes for line in ("", _plain(note)))]
        if rows:
            lines += ["", f"| | | {names[0]} | {names[1]} |", "| --- | --- | --- | --- |"]
        elif part.rows:
            lines += ["", "alike"]
        for row in rows:
            cells = (NOTHING if text is None else "<br>".join(map(_code, text.split("\n"))) for text in row.excerpts())
            lines.append(f"| {SIGN if row.differs else ''} | {_plain(row.label)} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _code(text: str) -> str:
    """A text as code in the cell of a table: no line break, backtick or bar of it is obeyed."""
    inner = re.sub(r"[\r\n]+", " ", text).replace("`", "'").replace("|", "\\|")
    return f"`{inner}`" if inner.strip() else ""


def _plain(text: str) -> str:
    """A text in which no character means anything to Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", re.sub(r"\s+", " ", text))
