"""Draws with ASCII alone, where a terminal has nothing else: every line goes through here last."""

import locale

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

PICTURES = {
    "✓": "v", "✗": "x", "●": "*", "○": "o", "▶": ">", "◷": "~", "◼": "#", "‖": "H", "⊘": "/", "↻": "@", "·": ".",
    "…": ".", "❱": ">", "▲": "^", "▼": "v", "→": ">", "←": "<", "↑": "^", "↓": "v", "×": "x", "“": '"', "”": '"',
    "’": "'", "⌫": "<", "◌": "~", "▸": ">", "–": "-", "—": "-", "≠": "!", "━": "=", "╸": "=", "╺": "-", "⇥": ">",
    "↺": "@", "✚": "+", "✎": "*", "␛": "~", "⇄": "&", "«": "<", "»": ">",
}  # fmt: skip
"""What stands for each of our own signs; the states differ in it as well."""

BLOCKS = " .:-=+*#"


def needs_ascii(wanted: bool | None) -> bool:
    """Whether to draw with ASCII: as the user says, else if the terminal's character set has nothing else."""
    if wanted is not None:
        return wanted
    codeset = locale.getencoding().lower().replace("-", "").replace("_", "")
    return codeset in ("ascii", "ansi_x3.41968", "ansix3.41968", "usascii", "646")


class Ascii(LineFilter):
    """Puts an ASCII character in the place of each other one, as wide as that."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment if segment.text.isascii() else Segment(to_ascii(segment.text), segment.style, segment.control)
            for segment in segments
        ]


def to_ascii(text: str) -> str:
    """A text of the same width in ASCII."""
    return "".join(letter if letter.isascii() else _ascii(letter) for letter in text)


def _ascii(letter: str) -> str:
    if letter in PICTURES:
        return PICTURES[letter]
    code = ord(letter)
    if 0x2500 <= code <= 0x257F:  # lines of boxes
        return "-" if letter in "─━╌┄┈═╴╶" else "|" if letter in "│┃╎┆┊║╵╷" else "+"
    if 0x2581 <= code <= 0x2588:  # bars from below
        return BLOCKS[code - 0x2581]
    if 0x2580 <= code <= 0x259F:
        return "#"
    if 0x2800 <= code <= 0x28FF:  # plots in braille
        return "*" if code > 0x2800 else " "
    return "?" * cell_len(letter)
