"""The colours in which states are printed."""

from engine.commands.printing.tables import Cell
from engine.state import State

_STYLES = {
    State.READY: "cyan",
    State.WAITING: "yellow",
    State.RUNNING: "blue",
    State.INTERRUPTED: "magenta",
    State.FAILED: "red",
    State.IN_DOUBT: "red",
    State.FINISHED: "green",
    State.HELD: "yellow",
    State.CANCELLED: "bright_black",
}


def state_cell(state: State) -> Cell:
    """A state in its colour."""
    return state, _STYLES[state]
