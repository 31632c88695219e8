"""What is written to a store, as it happens: each line is flushed, so that whoever reads it has it at once."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from engine.clock import from_text, local_time, to_text, utc_now
from engine.commands.printing.states import state_cell
from engine.commands.printing.tables import Cell, json_line, line
from engine.commands.printing.words import note
from engine.lookup.acts import said
from engine.lookup.following import Event, Kind, cursor
from engine.state import State
from engine.store import Place


def print_start(store: Path, seq: int, after: Place, *, as_json: bool) -> None:
    """Where it begins: behind a place; `seq` is of the last transaction."""
    if as_json:
        json_line({"seq": seq, "cursor": cursor(after), "kind": "start", "store": str(store)})
        sys.stdout.flush()
    else:
        note(f"follows {store} from {cursor(after)} on; ctrl+c ends it")


class EventPrinter:
    """Prints one event after the other. People are told nothing of what looks as they were told last."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._told: dict[tuple[Kind, int], _Told] = {}

    def __call__(self, event: Event) -> None:
        if self._as_json:
            json_line(event.to_json())
        elif (parts := self._parts(event)) is not None:
            line(*parts)
        sys.stdout.flush()

    def _parts(self, event: Event) -> list[Cell] | None:
        number = event.kind, event.place.id
        before = self._told.pop(number, None)
        if event.fields is None:
            name = before.name if before else f"{event.kind} {event.place.id}"
            return _joined(to_text(utc_now()), name, ["removed"], "")
        told = self._told[number] = _TELL[event.kind](event.fields)
        if before is not None and before[1:] == told[1:]:
            return None
        was: list[Cell] = [_state(before.state), " → "] if before and before.state != told.state else []
        return _joined(told.when, told.name, [*was, _state(told.state)], told.more)


class _Told(NamedTuple):
    """What people are told of a document: the moment (UTC) as the store holds it, what it is, its state, and more."""

    when: str
    name: str
    state: str
    more: str


def _joined(when: str, name: str, state: list[Cell], more: str) -> list[Cell]:
    shown = state if state != [""] else []
    return [
        local_time(from_text(when)),
        "  ",
        name,
        *(["  "] if shown else []),
        *shown,
        *(["  ", more] if more else []),
    ]


def _state(state: str) -> Cell:
    return state_cell(State(state)) if state in _STATES else state


_STATES = frozenset(map(str, State))


def _entry(fields: Mapping[str, Any]) -> _Told:
    return _Told(fields["updated"], fields["key"], fields["state"], _words(fields["task"], fields["reason"]))


def _error(fields: Mapping[str, Any]) -> _Told:
    more = _words(fields["message"], fields["key"], fields["task"])
    return _Told(fields["time"], f"error {fields['error_id'][:8]}", fields["type"], more)


def _run(fields: Mapping[str, Any]) -> _Told:
    ended = f"{fields['considered']} considered, {fields['failed']} failed" if fields["ending"] else None
    more, state = _words(fields["processor"], ended), fields["ending"] or "goes on"
    return _Told(fields["ended"] or fields["started"], f"run {fields['run']}", state, more)


def _action(fields: Mapping[str, Any]) -> _Told:
    """Told once: how it goes on, its verdicts tell."""
    more = said(fields["verb"], fields["who"], fields["why"])
    return _Told(fields["when"], f"action {fields['action']}", "", more)


def _verdict(fields: Mapping[str, Any]) -> _Told:
    more, when = _words(fields["key"], fields["why"]), fields["settled"] or fields["asked"]
    return _Told(when, f"action {fields['action']}", fields["verdict"], more)


def _words(*parts: str | None) -> str:
    return "  ".join(filter(None, parts))


_TELL: Mapping[Kind, Callable[[Mapping[str, Any]], _Told]] = {
    Kind.ENTRY: _entry, Kind.ERROR: _error, Kind.RUN: _run, Kind.ACTION: _action, Kind.VERDICT: _verdict,
}  # fmt: skip
