"""Where a copied text goes beside the terminal's own clipboard (OSC 52), which not every terminal passes on."""

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path

from engine.text import short_path

COMMANDS = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    ("DISPLAY", ("xsel", "--clipboard", "--input")),
    ("", ("pbcopy",)),
)
"""The commands of a local clipboard, each with the environment variable without which it has none."""

PATIENCE = 2.0
"""Seconds for which such a command is waited for."""


def put_into_clipboard(text: str) -> str:
    """Put a text into the buffer of tmux, into the local clipboard, and into a file that its user alone may read.

    Returns:
        Where else it is than in the terminal's clipboard, in words; empty if nowhere.
    """
    places = []
    if "TMUX" in os.environ and _pipe(("tmux", "load-buffer", "-w", "-"), text):
        places.append("tmux")
    if "SSH_CONNECTION" not in os.environ:
        usable = (command for needs, command in COMMANDS if not needs or needs in os.environ)
        if any(_pipe(command, text) for command in usable):
            places.append("the clipboard")
    with suppress(OSError):
        places.append(short_path(_keep(text)))
    return " and ".join(places)


def copied_path() -> Path:
    """The file that has what was copied last."""
    return user_cache_path("wfe") / "copied.txt"


def _keep(text: str) -> Path:
    path = copied_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    return path


def _pipe(command: tuple[str, ...], text: str) -> bool:
    """Whether a command took the text."""
    if shutil.which(command[0]) is None:
        return False
    try:
        done = subprocess.run(
            command, input=text.encode(errors="backslashreplace"), timeout=PATIENCE, check=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
