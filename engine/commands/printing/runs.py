"""Runs: what one did."""

from engine.commands.printing.states import state_cell
from engine.commands.printing.tables import line
from engine.commands.printing.words import refusal
from engine.journal.base import RunResult
from engine.state import State


def print_summary(result: RunResult) -> None:
    """What a run did."""
    line(f"run {result.number}" if result.number else "run")
    line("entries")
    line(f"{result.considered:>7} considered")
    for state in State:
        if result.states[state]:
            line(f"{result.states[state]:>7} ", state_cell(state))
    if result.refused:
        line(f"{len(result.refused):>7} ", ("refused", "red"))
    for failure in result.failures[:20]:
        error_id = failure.error_id[:8] if failure.error_id else None
        name = " ".join(part for part in (failure.key, failure.task, error_id) if part)
        line(state_cell(failure.state), f" {name}: {failure.reason}")
    if result.failed > 20:
        line(f"… and {result.failed - 20} more: `wfe ls`")
    with_trace = next((failure.error_id[:8] for failure in result.failures if failure.error_id), None)
    if result.number and with_trace:
        line((f"stack traces: `wfe error {with_trace}`", "dim"))
    for sentence in result.refused[:20]:
        refusal(sentence)
    if len(result.refused) > 20:
        refusal(f"… and {len(result.refused) - 20} more were refused")
