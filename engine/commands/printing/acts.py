"""Acts: what one has done to entries or groups of errors, or would do."""

import sys
from collections.abc import Iterable, Mapping

from engine.commands.printing.tables import json_line, line
from engine.commands.printing.words import note
from engine.groups import Cause
from engine.operations import ActionResult, Fate, Previewed
from engine.text import counted, literal
from engine.verdicts import Verdict

_FATES = {Fate.LATER: "not executed"}
_TELLING = (Fate.AGAIN, Fate.TAKEN_AS_DONE)
"""The fates of tasks with which their last error is told."""


def print_action(done: ActionResult, *, as_json: bool) -> None:
    """What became of an act, for each key."""
    if as_json:
        for key in done.accepted:
            _answer(done.verb, key, None)
        for key, why in done.refused.items():
            _answer(done.verb, key, why)
        return
    for key in done.accepted:
        sys.stdout.write(f"{done.verb}: {literal(key)}\n")
    for key, why in done.refused.items():
        note(f"{done.verb}: {key}: refused: {why}")


def print_answer(verb: str, key: str, sentence: str, *, as_json: bool, refused: str | None = None) -> None:
    """What became of an act on something that is no entry, as a processor, a run or an action; `key` names it."""
    if as_json:
        _answer(verb, key, refused)
    else:
        note(sentence)


def _answer(verb: str, key: str, refused: str | None) -> None:
    """What became of an act on one thing, for programs."""
    json_line({"key": key, "verb": verb, "accepted": refused is None, "why": refused})


def print_outcome(number: int, verdicts: Mapping[Verdict, int]) -> None:
    """What became of the entries of an action so far."""
    told = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items() if verdict is not Verdict.DONE)
    note(f"action {number}: {told or 'nothing is to be executed'}")


def print_preview(verb: str, seen: Previewed, *, as_json: bool) -> None:
    """What an act would do to one entry."""
    if as_json:
        tasks = [{"task": task, "fate": fate, "last": last} for task, fate, last in seen.tasks]
        answer = {"accepted": seen.refused is None, "why": seen.refused, "tasks": tasks}
        json_line({"key": seen.key, "processor": seen.processor or None, "verb": verb, **answer})
        return
    if seen.refused is not None:
        told = f"refused: {seen.refused}"
    else:
        told = ", ".join(
            f"{task} {_FATES.get(fate, fate)}" + (f" ({last})" if last and fate in _TELLING else "")
            for task, fate, last in seen.tasks
        )
    line(f"{verb}: {seen.key}: {told or 'its tasks are not known yet'}")


def print_foreseen(verb: str, accepted: int, refused: int, fates: Mapping[Fate, int]) -> None:
    """What an act would do, in numbers."""
    parts = [f"{fates[fate]} {_FATES.get(fate, fate)}" for fate in Fate if fates[fate]]
    tasks = f"; tasks: {', '.join(parts)}" if parts else ""
    note(f"{verb} would be done to {counted(accepted, 'entry', 'entries')}, {refused} refused{tasks}")


def print_advice(causes: Iterable[Cause]) -> None:
    """What restarts of what failed of these causes have led to."""
    for cause in causes:
        note(cause.words())
