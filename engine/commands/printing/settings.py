"""What is set."""

from collections.abc import Iterable

from engine.commands.printing.tables import json_line, table
from engine.settings import Origin


def print_settings(found: Iterable[tuple[str, str | float | None, Origin | None]], *, as_json: bool) -> None:
    """What is set: of each setting its name, its value, and where that was set, None for a default."""
    if as_json:
        for name, value, origin in found:
            source, place = origin or ("default", None)
            json_line({"setting": name, "value": value, "source": source, "place": place})
        return
    rows = []
    for name, value, origin in found:
        shown = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        rows.append((name, shown, " ".join(origin) if origin else "default"))
    table(("SETTING", "VALUE", "FROM"), rows)
