"""What differs between two attempts, or between two entries."""

from engine.commands.printing.tables import json_line, line, width
from engine.comparing import Comparison, layout
from engine.comparing.layout import Look

_STYLES = {
    Look.PLAIN: "",
    Look.MUTED: "dim",
    Look.HEADING: "bold",
    Look.DIFFERS: "bold yellow",
    Look.CHANGED: "bold underline",
}


def print_comparison(found: Comparison, *, as_json: bool) -> None:
    """What differs between two: in columns on a terminal that has room for them, else one below the other."""
    if as_json:
        json_line(found.to_json())
        return
    room = width() or layout.ROOM - 1
    for parts in [*layout.head(found, room), [], *layout.body(found, room, everything=True)]:
        line(*((text, _STYLES[look]) for text, look in parts))
