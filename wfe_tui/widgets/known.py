"""What is known of a group of errors: how it stands, by whom and why, what restarts have led to, and notes."""

from datetime import datetime

from textual.content import Content

from engine.groups import ErrorGroup
from engine.text import counted, literal
from wfe_tui.widgets.cut import cut
from wfe_tui.widgets.states import group_content

LONGEST = 500
"""Characters of a note, or of a reason."""

NOTES = 3
"""How many notes are shown, the newest first."""


def known_content(group: ErrorGroup, now: datetime, *, whole: bool = False) -> Content:
    """What is known of a group, in a line and one for its newest note; `whole` shows more of these."""
    said = literal(cut(group.said(now), LONGEST))
    own = said.removeprefix(group.state)  # the state itself is the first word of who has said so
    parts = [group_content(group.state) + Content(own)] if own != said or not said else []
    parts = parts or [group_content(group.state), Content(said)]
    colour = "$text-warning" if group.advice.is_warning else ""
    parts.append(Content.styled(group.advice.words(), colour))
    notes = [each.words(now) for each in reversed(group.notes)][: NOTES if whole else 1]
    lines = [Content(" · ").join(parts), *(Content(f"✎ {literal(cut(note, LONGEST))}") for note in notes)]
    if left := len(group.notes) - len(notes):
        lines[-1] += Content.styled(f"  … and {counted(left, 'older note')}", "$text-muted")
    return Content("\n").join(lines)
