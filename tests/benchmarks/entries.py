"""The entries that the benchmark stores: the same at every run, with the mixture of states of a store at work."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from engine.clock import to_text, utc_now
from engine.state import State, shown_state

Content = dict[str, Any]


START = datetime(2026, 1, 1, tzinfo=UTC)
PROCESSORS = ("orders:Orders", "invoices:Invoices", "returns:Returns")
PERCENT = {
    State.FINISHED: 80,
    State.WAITING: 8,
    State.FAILED: 5,
    State.INTERRUPTED: 3,
    State.READY: 3,
    State.IN_DOUBT: 1,
}
_STATES = [state for state, percent in PERCENT.items() for _ in range(percent)]
_REASONS = {
    State.FINISHED: "sent for 7",
    State.WAITING: "repeat after 1 h · not now",
    State.FAILED: "ValueError: no customer",
    State.INTERRUPTED: "the customer does not answer",
}


def state_of(number: int) -> State:
    """37 and 100 have no common divisor: every hundred entries have the exact mixture, in no order."""
    return _STATES[number * 37 % 100]


def key_of(number: int) -> str:
    """Odd factors scatter without repeating: neighbours in the table are none in the index."""
    return f"order-{number * 2_654_435_761 % 2**32:010}"


def error_id_of(number: int) -> str:
    return str(UUID(int=(number + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128))


def entry(number: int) -> Content:
    """The entry with this number, from 0, of about 620 bytes: what the journal writes, with two executions."""
    state, key = state_of(number), key_of(number)
    began = START + timedelta(seconds=number * 40_503 % 2**24)
    ended = to_text(began + timedelta(milliseconds=700))
    is_finished = state is State.FINISHED
    return {
        "key": key,
        "processor": PROCESSORS[number % len(PROCESSORS)],
        "tasks": ["Fetch", "Check", "Send"],
        "data": {"key": key, "price": number % 1000},
        "written": ["price"],
        "owner": None,
        "run": 1,
        "updated": ended,
        "due_date": None,
        "source": "orders.txt",
        "executions": [
            {"name": "Fetch", "execution_time": to_text(began), "processed": True},
            {"name": "Check", "execution_time": ended, "processed": is_finished},
        ],
        "finished": ended if is_finished else None,
        **shown_state(state),
        "task": None if is_finished else "Check",
        "reason": _REASONS.get(state, ""),
        "error_id": error_id_of(number) if state is State.FAILED else None,
        "repeat": False,
        "attempts": 1,
        "done": 3 if is_finished else 1,
        "due": to_text(began + timedelta(days=1)) if state is State.WAITING else None,
    }


def task_result(number: int) -> Content:
    """The fields that the end of a task sets, new each time: what is there already need not be written."""
    state = (State.FINISHED, State.WAITING, State.FAILED)[number % 3]
    return {**shown_state(state), "updated": to_text(utc_now()), "reason": f"attempt {number}"}
