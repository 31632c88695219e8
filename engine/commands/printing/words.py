"""What `wfe` says to people, on standard error: sentences, so that results can be read by a program."""

import sys
from typing import TYPE_CHECKING

from engine.text import literal

if TYPE_CHECKING:
    from engine.filter.syntax import FilterError


def refusal(sentence: str) -> None:
    """Why the command could not run."""
    sys.stderr.write(f"wfe: {literal(sentence)}\n")


def wrong_filter(text: str, error: "FilterError") -> None:
    """Why a filter cannot be understood, and where."""
    from rich.cells import cell_len

    refusal(str(error))
    before, meant = literal(text[: error.start]), literal(text[error.start : error.end])
    sys.stderr.write(f"  {literal(text)}\n  {' ' * cell_len(before)}{'^' * max(1, cell_len(meant))}\n")


def note(sentence: str) -> None:
    """What a command did, where its result is a file."""
    sys.stderr.write(f"{literal(sentence)}\n")
