"""How executions travel to other processes: the processor by its import path and plain data, entries as they are.

What cannot travel is refused in one sentence that names the attribute.
"""

import pickle
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.exceptions import NotPortable
from engine.executors.batch import Batch, carry_out
from engine.identity import entry_key
from engine.outcome import Call, Outcome, Report
from engine.performing import failed
from engine.store.recording import Recording

if TYPE_CHECKING:
    from engine.processor import Processor


class Packed(NamedTuple):
    """A batch as it travels."""

    calls: list[bytes]
    recording: tuple[str, bool] | None
    dry_run: bool


def pack_processor(processor: "Processor") -> bytes:
    """A processor as it travels.

    Raises:
        NotPortable: it cannot; the sentence names what of it.
    """
    return _pickled(processor, f"{type(processor).__name__} cannot be sent to another process",
                    "open it in the task that needs it, or leave it out in __getstate__")  # fmt: skip


def pack(processor: "Processor", batch: Batch, dry_run: bool) -> tuple[Packed, dict[int, Outcome]]:
    """A batch as it travels, and the outcomes of those of its calls that cannot, by their places."""
    calls, refused = [], {}
    for at, call in enumerate(batch.calls):
        try:
            calls.append(_pack_call(call))
        except NotPortable as error:
            refused[at] = failed(processor, call, error)
    recording = (str(batch.recording.path), batch.recording.is_forced) if batch.recording else None
    return Packed(calls, recording, dry_run), refused


def carry_out_packed(processor: bytes, packed: Packed) -> tuple[list[bytes], dict[str, Any]]:
    """In the worker: carry out a batch; its outcomes as they travel back, and what was counted."""
    made = unpack_processor(processor)
    made.forget_statistics()
    tasks = {type(task).__name__: task for task in made.get_tasks()}
    calls = [_unpack_call(call, tasks) for call in packed.calls]
    recording = Recording(Path(packed.recording[0]), forced=packed.recording[1]) if packed.recording else None
    try:
        report = carry_out(made, Batch(calls, recording), packed.dry_run)
    finally:
        if recording is not None:
            recording.close()
    outcomes = [
        _pack_outcome(made, call, outcome) for call, outcome in zip(calls, report.outcomes, strict=True) if outcome
    ]
    return outcomes, made.get_statistics()


def unpack_report(answer: tuple[list[bytes], dict[str, Any]], refused: dict[int, Outcome]) -> Report:
    """What a worker answered, with the outcomes of the calls that it never got."""
    outcomes = [pickle.loads(outcome) for outcome in answer[0]]
    for at in sorted(refused):
        outcomes.insert(at, refused[at])
    return Report(outcomes, answer[1])


def _pack_call(call: Call) -> bytes:
    key = entry_key(call.entry)
    travelling = (call.entry, call.execution.name, call.number, call.previous_error)
    try:
        return pickle.dumps(travelling)
    except Exception:
        return _pickled(call.entry, f"the entry {key!r} cannot be sent to another process",
                        "keep plain data on an entry")  # fmt: skip


def _unpack_call(packed: bytes, tasks: dict[str, Any]) -> Call:
    entry, name, number, previous_error = pickle.loads(packed)
    return Call(entry, entry.executions[-1], tasks[name], number, previous_error)


def _pack_outcome(processor: "Processor", call: Call, outcome: Outcome) -> bytes:
    outcome.exception, outcome.entry = None, call.entry
    try:
        return pickle.dumps(outcome)
    except Exception:
        try:
            _pickled(call.entry, f"what {call.name} left on the entry {entry_key(call.entry)!r} cannot be sent back",
                     "leave plain data on an entry")  # fmt: skip
        except NotPortable as error:
            outcome = failed(processor, call, error)
            outcome.exception = None
        return pickle.dumps(outcome)


def unpack_processor(packed: bytes) -> "Processor":
    """A processor of this thread's own: what it counts is its batch's alone."""
    if _mine.packed != packed:
        _mine.packed, _mine.processor = packed, pickle.loads(packed)
    processor: Processor = _mine.processor
    return processor


class _Mine(threading.local):
    packed: bytes | None = None
    processor: Any = None


_mine = _Mine()


def _pickled(value: Any, cannot: str, instead: str) -> bytes:
    try:
        return pickle.dumps(value)
    except Exception as error:
        kind = type(value)
        if "<locals>" in kind.__qualname__:
            raise NotPortable(f"{cannot}: its class {kind.__qualname__} is defined inside a function; "
                              "define it in a module") from error  # fmt: skip
        state = value.__getstate__()
        fields = state.get("__dict__", state) if isinstance(state, dict) else {}
        for name, part in fields.items():
            try:
                pickle.dumps(part)
            except Exception as reason:
                kind = type(part)
                raise NotPortable(
                    f"{cannot}: its attribute {name!r} ({kind.__module__}.{kind.__qualname__}) cannot be pickled "
                    f"({reason}); {instead}"
                ) from error
        raise NotPortable(f"{cannot} ({error}): {instead}") from error
