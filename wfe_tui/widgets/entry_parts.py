"""What an entry's own screen says beside its timeline: how it stands, its attempts, what operators did, its log."""

from collections.abc import Mapping, Sequence
from typing import Any

from textual.content import Content

from engine.clock import duration, from_text, local_time
from engine.lookup.acts import Act
from engine.lookup.logs import ExecutionLog, LogLine
from engine.lookup.rows import EntryRow
from engine.state import Plan, State
from engine.text import literal
from wfe_tui.widgets.cut import LONGEST_KEY, cut
from wfe_tui.widgets.entry_columns import DECIDE
from wfe_tui.widgets.states import attempt_look, state_content

MOST_ATTEMPTS = 50
MOST_LINES = 200
LONGEST_MESSAGE = 2_000

LEVELS = {"WARNING": "$text-warning", "ERROR": "$text-error", "CRITICAL": "bold $text-error"}


def head_content(row: EntryRow | None, planned: Plan | None, missing: str = "") -> Content:
    """The key, the state, and what happens next and why."""
    if row is None or planned is None:
        return Content.styled(literal(missing), "$text-muted")
    lines = [
        Content.assemble((literal(cut(row.key, LONGEST_KEY)), "bold"), "  ", state_content(row.state)),
        Content.styled(literal(row.processor), "$text-muted"),
        Content.assemble(("next  ", "$text-muted"), literal(cut(row.next(planned), LONGEST_MESSAGE))),
        *([Content.styled(DECIDE, "$text-muted")] if row.state is State.IN_DOUBT else []),
    ]
    return Content("\n").join(lines)


def attempts_content(document: Mapping[str, Any]) -> Content:
    """The attempts at all tasks, newest first, with what each left."""
    executions = list(reversed(document["executions"] or []))
    lines = [_heading("Attempts, newest first")]
    for attempt in executions[:MOST_ATTEMPTS]:
        sign, word, colour = attempt_look(attempt)
        took = duration(attempt["execution_time"], attempt.get("finished_at"))
        lines.append(
            Content.assemble(
                (f"{local_time(from_text(attempt['execution_time']))} ", "$text-muted"),
                (literal(attempt["name"]), "bold"),
                f" {attempt['run_count'] or ''}  ",
                (f"{sign} {word}", colour),
                f"  {took}",
            )
        )
        status = attempt.get("status") or {}
        said = attempt.get("error") or status.get("message")
        if said:
            lines.append(Content(f"  {literal(cut(said, LONGEST_MESSAGE))}"))
        if attempt.get("error_id"):
            lines.append(Content.styled(f"  {literal(attempt['error_id'])}", "$text-error"))
    if not executions:
        lines.append(Content.styled("none yet", "$text-muted"))
    if len(executions) > MOST_ATTEMPTS:
        lines.append(Content.styled(f"… and {len(executions) - MOST_ATTEMPTS} older ones", "$text-muted"))
    if document["due_date"]:
        lines.append(Content(f"due date {literal(document['due_date'])}"))
    if document["source"]:
        lines.append(Content.styled(f"source {literal(cut(document['source'], LONGEST_KEY))}", "$text-muted"))
    return Content("\n").join(lines)


def acts_content(acts: Sequence[Act]) -> Content:
    """What operators did to the entry, and what became of it; nothing where they did nothing."""
    if not acts:
        return Content("")
    lines = [_heading("Actions, newest first")]
    for act in acts:
        outcome = f", {act.outcome}" if act.outcome else ""
        lines.append(
            Content.assemble(
                (f"{local_time(act.when)} ", "$text-muted"), (literal(act.verb), "bold"),
                literal(cut(act.words(), LONGEST_MESSAGE)).removeprefix(literal(act.verb)),
                (literal(f"  action {act.action}{outcome}"), "$text-muted"),
            )
        )  # fmt: skip
    return Content("\n").join(lines)


def log_content(logs: Sequence[ExecutionLog]) -> Content:
    """What its executions logged; nothing where they logged nothing."""
    if not logs:
        return Content("")
    lines = [_heading("Log, the newest execution first")]
    for log in logs:
        dropped = f", {log.dropped} lines before these are not kept" if log.dropped else ""
        lines.append(Content.styled(f"{literal(log.task)} {log.attempt or ''}{dropped}", "$text-muted"))
        lines += map(_log_line, log.lines)
    if len(lines) > MOST_LINES:
        lines[MOST_LINES:] = [Content.styled(f"… and {len(lines) - MOST_LINES} more lines", "$text-muted")]
    return Content("\n").join(lines)


def _log_line(line: LogLine) -> Content:
    return Content.assemble(
        (f"  {local_time(line.moment)} ", "$text-muted"),
        (f"{literal(line.level):<8} ", LEVELS.get(line.level, "$text-muted")),
        (f"{literal(line.logger)}  ", "$text-muted"),
        literal(cut(line.message, LONGEST_MESSAGE)),
    )


def _heading(text: str) -> Content:
    return Content.styled(text, "bold $text-muted")
