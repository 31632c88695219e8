"""How executions travel to other processes: the processor by its import path and plain data, entries as they are.

What cannot travel is refused in one sentence that names the attribute.
"""

import pickle
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.exceptions import NotPortable
from engine.executors.batch import Batch, carry_out
from engine.identity import entry_key
from engine.runner.capture import capturing
from engine.runner.outcome import Call, Outcome, Report
from engine.runner.performing import failed
from engine.store.recording import Recording

if TYPE_CHECKING:
    from engine.processor import Processor


class Packed(NamedTuple):
    """A batch as it travels."""

    calls: bytes
    recording: tuple[str, bool] | None
    dry_run: bool


Answer = tuple[bytes, dict[str, Any]]
"""The outcomes of a batch as they travel back, and what was counted."""


def pack_processor(processor: "Processor") -> bytes:
    """A processor as it travels.

    Raises:
        NotPortable: it cannot; the sentence names what of it.
    """
    return _pickled(processor, f"{type(processor).__name__} cannot be sent to another process",
                    "open it in the task that needs it, or leave it out in __getstate__")  # fmt: skip


def pack(processor: "Processor", batch: Batch, dry_run: bool) -> tuple[Packed, dict[int, Outcome]]:
    """A batch as it travels, and the outcomes of those of its calls that cannot, by their places."""
    travelling = [(call.entry, call.name, call.number, call.previous_error) for call in batch.calls]
    refused: dict[int, Outcome] = {}
    try:
        calls = pickle.dumps(travelling)  # all at once: each class is named but once
    except Exception:
        for at, call in enumerate(batch.calls):
            try:
                _pickled(call.entry, f"the entry {entry_key(call.entry)!r} cannot be sent to another process",
                         "keep plain data on an entry")  # fmt: skip
            except NotPortable as error:
                refused[at] = failed(processor, call, error)
        calls = pickle.dumps([each for at, each in enumerate(travelling) if at not in refused])
    recording = (str(batch.recording.path), batch.recording.is_forced) if batch.recording else None
    return Packed(calls, recording, dry_run), refused


def carry_out_packed(processor: bytes, packed: Packed) -> Answer:
    """In the worker: carry out a batch."""
    made = unpack_processor(processor)
    made.forget_statistics()
    tasks = {type(task).__name__: task for task in made.get_tasks()}
    calls = [
        Call(entry, entry.executions[-1], tasks[name], number, previous_error)
        for entry, name, number, previous_error in pickle.loads(packed.calls)
    ]
    recording = Recording(Path(packed.recording[0]), forced=packed.recording[1]) if packed.recording else None
    keeps_logs = made.journal.keeps_logs and not packed.dry_run
    try:
        with capturing() if keeps_logs else nullcontext():
            report = carry_out(made, Batch(calls, recording), packed.dry_run)
    finally:
        if recording is not None:
            recording.close()
    return _pack_outcomes(made, calls, [outcome for outcome in report.outcomes if outcome]), made.get_statistics()


def unpack_report(answer: Answer, refused: dict[int, Outcome]) -> Report:
    """What a worker answered, with the outcomes of the calls that it never got."""
    outcomes = pickle.loads(answer[0])
    for at in sorted(refused):
        outcomes.insert(at, refused[at])
    return Report(outcomes, answer[1])


def _pack_outcomes(processor: "Processor", calls: list[Call], outcomes: list[Outcome]) -> bytes:
    for call, outcome in zip(calls, outcomes, strict=True):
        outcome.exception, outcome.entry = None, call.entry
        call.entry.__dict__["executions"] = None  # the run has them
    try:
        return pickle.dumps(outcomes)
    except Exception:
        return pickle.dumps([_portable(processor, *each) for each in zip(calls, outcomes, strict=True)])


def _portable(processor: "Processor", call: Call, outcome: Outcome) -> Outcome:
    """An outcome, or, if it cannot travel, that this is so."""
    try:
        _pickled(call.entry, f"what {call.name} left on the entry {entry_key(call.entry)!r} cannot be sent back",
                 "leave plain data on an entry")  # fmt: skip
    except NotPortable as error:
        lost = failed(processor, call, error)
        lost.exception, lost.seconds, lost.logged = None, outcome.seconds, outcome.logged
        return lost
    return outcome


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
