"""How a state, a step and a progress look everywhere: a glyph and a colour, never a colour alone."""

from collections.abc import Mapping
from typing import Any

from textual.content import Content

from engine.groups import GroupState
from engine.lookup.rows import attempt_word
from engine.state import State, StepKind

GLYPHS = {
    State.READY: "○",
    State.WAITING: "◷",
    State.RUNNING: "▶",
    State.INTERRUPTED: "◼",
    State.FAILED: "✗",
    State.IN_DOUBT: "?",
    State.FINISHED: "✓",
    State.HELD: "‖",
    State.CANCELLED: "⊘",
}

COLOURS = {
    State.READY: "$text-primary",
    State.WAITING: "$text-warning",
    State.RUNNING: "$text-accent",
    State.INTERRUPTED: "$text-secondary",
    State.FAILED: "$text-error",
    State.IN_DOUBT: "$text-error",
    State.FINISHED: "$text-success",
    State.HELD: "$text-warning",
    State.CANCELLED: "$text-muted",
}

STEPS = {
    StepKind.DONE: ("✓", "$text-success"),
    StepKind.EXECUTE: ("○", "$text-primary"),
    StepKind.REPEAT: ("↻", "$text-primary"),
    StepKind.WAIT_UNTIL: ("◷", "$text-warning"),
    StepKind.WAIT_CYCLES: ("◷", "$text-warning"),
    StepKind.INTERRUPTED: ("◼", "$text-secondary"),
    StepKind.FAILED: ("✗", "$text-error"),
    StepKind.IN_DOUBT: ("?", "$text-error"),
    StepKind.NOT_REACHED: ("·", "$text-muted"),
}


GROUPS = {
    GroupState.REGRESSED: ("↺", "bold $text-error"),
    GroupState.NEW: ("✚", "$text-error"),
    GroupState.ONGOING: ("○", "$text-warning"),
    GroupState.SNOOZED: ("◷", "$text-secondary"),
    GroupState.RESOLVED: ("✓", "$text-success"),
}


def group_content(state: GroupState) -> Content:
    """How a group of errors stands, with its glyph."""
    glyph, colour = GROUPS[state]
    return Content.styled(f"{glyph} {state}", colour)


def state_content(state: State) -> Content:
    """A state with its glyph."""
    return Content.styled(f"{GLYPHS[state]} {state}", COLOURS[state])


ATTEMPTS = {
    "skipped": ("⊘", "$text-warning"),
    "done": ("✓", "$text-success"),
    "failed": ("✗", "$text-error"),
    "begun": ("▶", "$text-accent"),
    "interrupted": ("◼", "$text-secondary"),
}


def attempt_look(attempt: Mapping[str, Any]) -> tuple[str, str, str]:
    """How a stored attempt at a task ended: its sign, its word and its colour."""
    word = attempt_word(attempt)
    sign, colour = ATTEMPTS[word]
    return sign, word, colour


def bar(done: int, total: int, width: int, style: str) -> Content:
    """A bar of `width` cells, filled as far as `done` of `total`."""
    filled = round(width * done / total) if total else 0
    return Content.assemble(("━" * filled, style), ("━" * (width - filled), "$surface-lighten-2"))
