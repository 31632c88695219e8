"""A stack trace: the user's own frames open with their source, those of libraries folded."""

from collections.abc import Iterator, Mapping
from typing import Any

from textual.content import Content
from textual.highlight import highlight

from engine.text import literal, short_path
from wfe_tui.widgets.cut import cut

LONGEST_MESSAGE = 2_000
"""Characters of an exception's message: the frames below it are to be seen, too. What is copied is whole."""

RELATIONS = {
    "cause": "which was caused by",
    "context": "which happened while handling",
}


def trace_content(record: Mapping[str, Any], *, libraries: bool) -> Content:
    """An error record as it is shown, the raising line of the newest exception first in sight.

    Args:
        record: of the table `errors`.
        libraries: open the frames of libraries, too.
    """
    lines = list(_exception(record, libraries))
    for cause in record["causes"]:
        lines += [Content(""), Content.styled(RELATIONS[cause["relation"]], "italic $text-muted"), Content("")]
        lines += _exception(cause, libraries)
    return Content("\n").join(lines)


def _exception(described: Mapping[str, Any], libraries: bool) -> Iterator[Content]:
    yield Content.assemble(
        (literal(described["type"]), "bold $text-error"),
        ": ",
        literal(cut(described["message"], LONGEST_MESSAGE), lines=True),
    )
    yield from (Content(literal(note, lines=True)) for note in described["notes"])
    for frame in described["frames"]:
        yield Content("")
        yield from _open(frame) if frame["own"] or libraries else _folded(frame)


def _open(frame: Mapping[str, Any]) -> Iterator[Content]:
    colour = "bold $text-primary" if frame["own"] else "$text-muted"
    yield Content.assemble(
        (short_path(frame["file"]), colour),
        (f":{frame['line']}", "$text-warning"),
        " in ",
        (literal(frame["function"]), "bold"),
        ("" if frame["own"] else "  library", "$text-muted"),
    )
    source = literal("\n".join(frame["source"]), lines=True)
    width = len(str(frame["first"] + len(frame["source"])))
    for number, line in enumerate(highlight(source, language="python").split("\n"), frame["first"]):
        raising = number == frame["line"]
        mark = (
            Content.styled(f"❱ {number:>{width}} ", "bold $text-error") if raising else Content(f"  {number:>{width}} ")
        )
        yield mark + Content.styled("│ ", "$text-muted") + (line.stylize("bold") if raising else line)


def _folded(frame: Mapping[str, Any]) -> Iterator[Content]:
    place = f"{short_path(frame['file'])}:{frame['line']} in {literal(frame['function'])}"
    yield Content.styled(place, "$text-muted")
