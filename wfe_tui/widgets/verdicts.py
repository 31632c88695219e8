"""How a verdict, and how an action stands, look everywhere: a glyph, a word and a colour."""

from collections import Counter

from textual.content import Content

from engine.lookup.history import ActionRow
from engine.verdicts import Verdict

LOOKS = {
    Verdict.FIXED: ("✓", "$text-success"),
    Verdict.SAME_ERROR: ("✗", "$text-error"),
    Verdict.NEW_ERROR: ("✗", "bold $text-error"),
    Verdict.WAITING: ("◷", "$text-warning"),
    Verdict.DONE: ("✓", "$text-primary"),
    Verdict.REFUSED: ("⊘", "$text-secondary"),
}

STATES = {
    "open": ("◷ open", "$text-warning"),
    "taken": ("▶ taken", "$text-accent"),
    "done": ("✓ done", "$text-success"),
    "stopped": ("◼ stopped", "bold $text-error"),
    "abandoned": ("⊘ abandoned", "$text-muted"),
    "undone": ("↶ undone", "$text-muted"),
    "broken off": ("✗ broken off", "$text-error"),
}


def verdict_content(verdict: Verdict) -> Content:
    """A verdict with its glyph."""
    glyph, colour = LOOKS[verdict]
    return Content.styled(f"{glyph} {verdict}", colour)


def action_state_content(action: ActionRow) -> Content:
    """How an action stands, with its glyph."""
    return Content.styled(*STATES[action.state])


def outcome_content(action: ActionRow) -> Content:
    """`✓ 39 fixed · ✗ 2 same error`: how many of an action's entries have which verdict. Those to which it was not done
    at all are refused as well; of acts by older versions no more is known than that they were accepted."""
    if (other := action.undoes or action.of) is not None:
        return Content(f"action {other}")
    counts = Counter(action.verdicts)
    told = []
    if action.state == "undone":
        told.append(("↶", "$text-muted", counts.pop(Verdict.REFUSED, 0), "taken back"))
    if not counts and action.state == "done":
        told.append(("✓", "$text-primary", action.accepted, "accepted"))
    counts[Verdict.REFUSED] += action.refused
    told += [(glyph, colour, counts[verdict], str(verdict)) for verdict, (glyph, colour) in LOOKS.items()]
    parts = [Content.styled(f"{glyph} {count} {word}", colour) for glyph, colour, count, word in told if count]
    return Content(" · ").join(parts)
