"""Actions: a list of them, or what became of each entry of one."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from engine.clock import age, local_time
from engine.commands.printing.tables import json_line, line, table
from engine.lookup.history import ActionRow, verdict_fields
from engine.verdicts import Verdict


def print_actions(rows: Iterable[ActionRow], *, as_json: bool, now: datetime) -> None:
    """A list of actions."""
    if as_json:
        for row in rows:
            json_line(row.to_json())
        return
    table(
        ("ACTION", "AGE", "WHAT", "ON", "STATE", "VERDICTS", "WHO", "WHY"),
        (
            (
                str(row.id), age(row.when, now), row.verb, ", ".join(row.groups) or str(row.accepted or ""),
                row.state, row.outcome, row.who, row.why or "",
            )
            for row in rows
        ),
    )  # fmt: skip


def print_verdicts(
    row: ActionRow, found: Iterable[Mapping[str, Any]], refused: Mapping[str, str], *, as_json: bool
) -> None:
    """What became of each entry of an action: of those that it was accepted for, and of the others."""
    if as_json:
        for each in found:
            json_line(verdict_fields(each))
        for key, why in refused.items():
            nothing = {"attempts": None, "asked": None, "settled": None, "error_id": None}
            json_line({"action": row.id, "key": key, "verdict": Verdict.REFUSED, "why": why, **nothing})
        return
    why = f": {row.why}" if row.why else ""
    line(f"action {row.id}  {row.verb} by {row.who} at {local_time(row.when)}{why}")
    plan = f", plan {row.plan}" if row.plan else ""
    undone = f", by action {row.undone_by}" if row.undone_by else ""
    line(f"{row.state}{undone}: {row.outcome or 'nothing is to be executed'}{plan}")
    rows = [(e["key"], e["verdict"], str(e["attempts"] or ""), (e["found"] or "")[:8], e["why"] or "") for e in found]
    rows += [(key, str(Verdict.REFUSED), "", "", why) for key, why in refused.items()]
    table(("KEY", "VERDICT", "ATTEMPTS", "ERROR", ""), rows)
