"""Two tracebacks, side by side: the frames that differ, how many are alike between them, and the values in them. Pure.

Two frames are alike that stand in the same function and at the same line, by its number and its text.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from engine.comparing.comparison import Row
from engine.text import counted, short_path

Error = Mapping[str, Any]
"""A record of `engine.errors`, or an exception in it."""
Frame = Mapping[str, Any]
Pair = tuple[Frame | None, Frame | None]

LONGEST_LINE = 120
"""Characters of a source line that are told."""

MOVED, OTHER_LINE, OTHER_FRAME, ONLY_HERE = "moved", "other line", "other frame", "only here"
"""How two frames differ: the same line has another number; the function is at another line; another function."""


def traceback_rows(left: Error | None, right: Error | None) -> Iterator[Row]:
    """The frames of two errors and of what caused them; the first exceptions themselves are not told."""
    for number, (relation, one, other) in enumerate(_exceptions(left, right)):
        if number:
            said, also = _said(one), _said(other)
            yield Row(relation, said, also, said != also)
        yield from _frame_rows(_aligned(one, other))


def value_rows(left: Error | None, right: Error | None) -> Iterator[Row]:
    """The values of local variables in these frames, where they were kept."""
    for _, one, other in _exceptions(left, right):
        for pair in _aligned(one, other):
            yield from _values(*pair)


_RELATIONS = {"cause": "caused by", "context": "while handling", "group": "in the group"}


def _exceptions(left: Error | None, right: Error | None) -> Iterator[tuple[str, Error | None, Error | None]]:
    """The exceptions of two errors, side by side, with what each is to the one before."""
    nothing = ("", None)
    for one, other in zip_longest(_chain(left), _chain(right), fillvalue=nothing):
        yield one[0] or other[0], one[1], other[1]


def _chain(error: Error | None, relation: str = "") -> Iterator[tuple[str, Error | None]]:
    if error is None:
        return
    yield relation, error
    for member in error.get("exceptions") or ():
        yield from _chain(member, _RELATIONS["group"])
    for cause in error.get("causes") or ():
        yield from _chain(cause, _RELATIONS[cause["relation"]])


def _said(error: Error | None) -> str | None:
    return f"{error['type']}: {error['message']}" if error else None


def _aligned(left: Error | None, right: Error | None) -> Iterator[Pair]:
    """The frames of two exceptions: one function beside itself, wherever that is possible."""
    frames: list[Sequence[Frame]] = [error["frames"] if error else () for error in (left, right)]
    names = [[(frame["module"], frame["function"]) for frame in side] for side in frames]
    matched = SequenceMatcher(None, names[0], names[1], autojunk=False)
    for _, begin, end, other_begin, other_end in matched.get_opcodes():
        yield from zip_longest(frames[0][begin:end], frames[1][other_begin:other_end])


def _frame_rows(pairs: Iterable[Pair]) -> Iterator[Row]:
    same = 0
    for left, right in pairs:
        how = _difference(left, right)
        if how is None:
            same += 1
            continue
        if same:
            yield _folded(same)
        same = 0
        is_elsewhere = left is not None and right is not None and left["file"] != right["file"]
        text, other = (_frame_text(frame, brief=how == MOVED, path=is_elsewhere) for frame in (left, right))
        yield Row(how, text, other, True)
    if same:
        yield _folded(same)


def _folded(number: int) -> Row:
    text = f"{counted(number, 'frame')} alike"
    return Row("", text, text, False)


def _difference(left: Frame | None, right: Frame | None) -> str | None:
    if left is None or right is None:
        return ONLY_HERE
    if not _is_one_function(left, right):
        return OTHER_FRAME
    if _line(left) != _line(right):
        return OTHER_LINE
    return MOVED if left["line"] != right["line"] else None


def _is_one_function(left: Frame, right: Frame) -> bool:
    return bool(left["module"] == right["module"] and left["function"] == right["function"])


def _line(frame: Frame) -> str:
    """The text of the line that a frame was at."""
    place = frame["line"] - frame["first"]
    return str(frame["source"][place]).strip() if 0 <= place < len(frame["source"]) else ""


def _frame_text(frame: Frame | None, *, brief: bool, path: bool) -> str | None:
    """A frame with the source around its line; where it is brief, or a library's, with that line alone."""
    if frame is None:
        return None
    lines = list(enumerate(frame["source"], frame["first"]))
    if brief or not frame["own"]:
        lines = [(number, line) for number, line in lines if number == frame["line"]]
    margin = min((len(line) - len(line.lstrip()) for _, line in lines if line.strip()), default=0)
    width = len(str(max((number for number, _ in lines), default=0)))
    source = [
        f"{'❱' if number == frame['line'] else ' '} {number:>{width}} {_cut(line[margin:])}" for number, line in lines
    ]
    head = f"{frame['module']}:{frame['line']} in {frame['function']}"
    return "\n".join([head, *([short_path(frame["file"])] if path else []), *map(str.rstrip, source)])


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + "…"


_ADDRESS = re.compile(r"\bat 0x[0-9a-f]+\b")


def _values(left: Frame | None, right: Frame | None) -> Iterator[Row]:
    """The values of two frames; of two functions that have their place alone in common each by itself."""
    if left is not None and right is not None and not _is_one_function(left, right):
        yield from _values(left, None)
        yield from _values(None, right)
        return
    of_left, of_right = ((frame or {}).get("locals") or {} for frame in (left, right))
    function = str((left or right or {}).get("function")).rpartition(".")[2]
    for name in dict.fromkeys((*of_left, *of_right)):
        one, other = of_left.get(name), of_right.get(name)
        # An object's address is another one in each process.
        plain = [None if value is None else _ADDRESS.sub("", value) for value in (one, other)]
        yield Row(f"{function}: {name}", one, other, plain[0] != plain[1])
