"""What is known of a failure of the console itself, in a file that can be sent to who can mend it."""

import os
import platform
import tempfile
import traceback
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from platformdirs import user_state_path
from textual.geometry import Size

from engine.errors import one_line


def sentence(error: Exception) -> str:
    """What failed, in a line."""
    return f"The console itself failed: {one_line(error)}"


def report_file(error: Exception, place: str, size: Size) -> Path:
    """Write a report of a failure; its path.

    Args:
        error: what was raised.
        place: the path of the screen.
        size: of the terminal.
    """
    folder = user_state_path("wfe")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix="failure-", suffix=".txt")
    except OSError:
        handle, name = tempfile.mkstemp(prefix="wfe-failure-", suffix=".txt")
    known = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "wfe-tui": version("wfe-tui"),
        "textual": version("textual"),
        "python": platform.python_version(),
        "system": platform.platform(),
        "terminal": f"{os.environ.get('TERM')} {os.environ.get('TERM_PROGRAM', '')} {size.width}x{size.height}",
        "place": place,
    }
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write("".join(f"{name}: {value}\n" for name, value in known.items()))
        file.write("\n" + "".join(traceback.format_exception(error)))
    return Path(name)
