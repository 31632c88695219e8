"""Lays a comparison out in lines of so many cells, for the shell and for the console: both texts of a row beside one
another where there is room, else one below the other. Text from outside is literal here. Pure, no I/O."""

from collections.abc import Iterator
from enum import StrEnum
from itertools import zip_longest

from rich.cells import cell_len, chop_cells, set_cell_size

from engine.comparing.comparison import Comparison, Part, Row, alike
from engine.text import literal

ROOM = 97
"""From so many cells on two texts stand side by side."""


class Look(StrEnum):
    """What a piece of a line is, which says how it is drawn."""

    PLAIN = "plain"
    MUTED = "muted"
    HEADING = "heading"
    DIFFERS = "differs"
    """The label of a row that differs."""
    CHANGED = "changed"
    """The piece of a text that differs."""


Piece = tuple[str, Look]
Line = list[Piece]

SIGN, NOTHING, BETWEEN = "≠", "—", " │ "
_WIDEST_LABEL = 24
_WIDEST_NAME = 24


def head(found: Comparison, width: int) -> Iterator[Line]:
    """What is compared and why; where there are two columns, what each of them is."""
    yield [(_short(found.title, width), Look.HEADING)]
    why = f": {found.why}" if found.why else ""
    for _, piece in _wrapped(literal(f"{found.left} and {found.right}{why}"), width):
        yield [(piece, Look.MUTED)]
    if width >= ROOM:
        label, column = _columns(found, width)
        names = [set_cell_size(_short(name, column), column) for name in (found.left, found.right)]
        yield [
            (" " * (label + 4), Look.PLAIN),
            (names[0], Look.HEADING),
            (BETWEEN, Look.MUTED),
            (names[1], Look.HEADING),
        ]


def body(found: Comparison, width: int, *, everything: bool) -> Iterator[Line]:
    """The parts.

    Args:
        found: what is compared.
        width: cells of a line.
        everything: with what is alike, too; else only its number is told.
    """
    for number, part in enumerate(found.parts):
        if number:
            yield []
        rows = part.shown(everything=everything)
        yield _heading(part, len(part.rows) - len(rows))
        for note in part.notes:
            yield from ([("  ", Look.PLAIN), (piece, Look.MUTED)] for _, piece in _wrapped(literal(note), width - 2))
        for row in rows:
            yield from _beside(row, *_columns(found, width)) if width >= ROOM else _below(row, found, width)


def _heading(part: Part, hidden: int) -> Line:
    told = f"  {'all' if hidden == len(part.rows) else hidden} alike" if hidden else ""
    return [(part.title, Look.HEADING), (told, Look.MUTED)]


def _columns(found: Comparison, width: int) -> tuple[int, int]:
    """How wide labels are, and each of the two columns beside them."""
    widest = max((cell_len(literal(row.label)) for part in found.parts for row in part.rows), default=0)
    label = min(_WIDEST_LABEL, widest)
    return label, (width - label - 4 - len(BETWEEN)) // 2


def _beside(row: Row, label_width: int, column: int) -> Iterator[Line]:
    labels = [piece for _, piece in _wrapped(literal(row.label), max(2, label_width))]
    left, right = (list(_pieces(row, text, other, column)) for text, other in _both(row))
    for number, (label, one, other) in enumerate(zip_longest(labels, left, right)):
        yield [
            *_begin(row, number == 0),
            (set_cell_size(label or "", label_width + 2), Look.DIFFERS if row.differs else Look.MUTED),
            *_filled(one or [], column),
            (BETWEEN, Look.MUTED),
            *(other or []),
        ]


def _below(row: Row, found: Comparison, width: int) -> Iterator[Line]:
    if row.left == row.right:
        indent = min(14, max(2, width // 4))
        label = literal(row.label)
        if cell_len(label) > indent - 2:
            yield [*_begin(row, True), (_short(label, width - 2), Look.MUTED)]
            label = ""
        for number, line in enumerate(_pieces(row, row.excerpts()[0], None, width - indent - 2)):
            yield [*_begin(row, False), (set_cell_size("" if number else label, indent), Look.MUTED), *line]
        return
    yield [*_begin(row, True), (_short(row.label, width - 2), Look.DIFFERS if row.differs else Look.MUTED)]
    indent = min(_WIDEST_NAME, width // 3, max(cell_len(literal(name)) for name in (found.left, found.right)))
    for name, (text, other) in zip((found.left, found.right), _both(row), strict=True):
        shown = set_cell_size(_short(name, indent), indent + 2)
        for number, line in enumerate(_pieces(row, text, other, width - indent - 6)):
            yield [("    ", Look.PLAIN), (" " * (indent + 2) if number else shown, Look.MUTED), *line]


def _begin(row: Row, is_first: bool) -> Line:
    return [(f"{SIGN} ", Look.DIFFERS)] if row.differs and is_first else [("  ", Look.PLAIN)]


def _both(row: Row) -> tuple[tuple[str | None, str | None], tuple[str | None, str | None]]:
    left, right = row.excerpts()
    return (left, right), (right, left)


def _pieces(row: Row, text: str | None, other: str | None, width: int) -> Iterator[Line]:
    """A text on lines, and which piece of it differs from the other, where both are one line."""
    if text is None:
        yield [(NOTHING, Look.MUTED)]
        return
    shown = literal(text, lines=True)
    begin = end = 0
    if row.differs and other is not None and "\n" not in text + other:
        begin, end = _middle(shown, literal(other))
    for at, piece in _wrapped(shown, width):
        cuts = [max(0, min(len(piece), place - at)) for place in (begin, end)]
        parts = (piece[: cuts[0]], Look.PLAIN), (piece[cuts[0] : cuts[1]], Look.CHANGED), (piece[cuts[1] :], Look.PLAIN)
        yield [part for part in parts if part[0]]


def _middle(text: str, other: str) -> tuple[int, int]:
    """Where a text begins and ends to differ from another one, whole words of it."""
    begin = alike(text, other)
    end = len(text) - min(alike(text[::-1], other[::-1]), len(text) - begin, len(other) - begin)
    while begin and text[begin - 1].isalnum():
        begin -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    return begin, end


def _wrapped(text: str, width: int) -> Iterator[tuple[int, str]]:
    """The lines of a text that fit into a width, each with its place in it; a word that does not fit is cut."""
    width = max(2, width)
    at = 0
    for line in text.split("\n"):
        rest = line
        while cell_len(rest) > width:
            piece = chop_cells(rest, width)[0]
            space = piece.rfind(" ") + 1
            if space > len(piece) // 2 and rest[len(piece)] != " ":
                piece = piece[:space]
            yield at, piece.rstrip()
            after = len(piece) + (rest[len(piece)] == " ")  # the space between two lines is on neither
            at, rest = at + after, rest[after:]
        yield at, rest
        at += len(rest) + 1


def _filled(line: Line, width: int) -> Line:
    return [*line, (" " * max(0, width - sum(cell_len(text) for text, _ in line)), Look.PLAIN)]


def _short(text: str, width: int) -> str:
    """The beginning of a text that fits, literal."""
    shown = literal(text)
    return shown if cell_len(shown) <= width else set_cell_size(shown, max(1, width - 1)).rstrip() + "…"
