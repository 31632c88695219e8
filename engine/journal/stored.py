"""Writes what the runs of a `StoredProcessor` do into its store: entries, claims, starts, errors, and runs.

Entries are written in groups, some ten times a second; each start and end is recorded at once, as a line in a file (see
`engine.store.recording`), so that nothing is lost between two groups. While a task takes long, a thread of the journal
writes what is left to write, and gives a sign of life.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Container, Sequence
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from engine.clock import to_text
from engine.exceptions import EngineError, EntryError
from engine.groups import mark_fixed
from engine.identity import required_key
from engine.journal.base import Failure, Journal, RunResult
from engine.journal.heeding import Heeding
from engine.journal.held import Held
from engine.journal.intake import Answers, Intake
from engine.journal.run_document import RunDocument
from engine.model import TaskExecution, WorkflowModel
from engine.records import changed_fields, check_entry, entry_data, entry_progress, entry_text, read_progress, summary
from engine.runner.capture import Logged
from engine.runner.outcome import Call, Outcome
from engine.state import shown_state
from engine.store import Durability, Store
from engine.store.claims import Content, claim_lost, must_hold
from engine.store.logs import add_logs
from engine.store.recording import Recording, announced, ended, started
from engine.verdicts import settle
from engine.wishes import Wish

if TYPE_CHECKING:
    from engine.stored import StoredProcessor

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger("engine")

PACE = 0.1
"""Seconds between two groups of entries, while results come faster than that."""

PACE_ON_THE_WAY = 0.5
"""Seconds after which an entry is written at the latest that goes from task to task meanwhile."""

TRUST = 0.1
"""Seconds for which a claim that was seen in the store is believed: nobody takes an entry from the living."""


def _locked(method: Callable[Concatenate["StoreJournal", P], T]) -> Callable[Concatenate["StoreJournal", P], T]:
    """A method that the journal's own thread must not run into."""

    @wraps(method)
    def locked(self: "StoreJournal", /, *args: P.args, **kwargs: P.kwargs) -> T:
        with self._lock:
            return method(self, *args, **kwargs)

    return locked


class StoreJournal(Journal):
    """The journal of a processor with a store."""

    look_ahead = 256
    keeps_logs = True

    def __init__(self, processor: "StoredProcessor") -> None:
        self.processor = processor
        # A `write_entry` of the user's own may change the entry before it is written.
        self._may_change = type(processor).write_entry.__module__ != "engine.stored"
        self._held: dict[int, Held] = {}
        self._intake = Intake(processor, self._held)
        self._document: RunDocument | None = None
        self._unwritten: dict[str, Held] = {}
        self._errors: list[dict[str, Any]] = []
        self._recording: Recording | None = None
        self._ended: list[bytes] = []
        self._spent: list[Recording] = []
        self._settled = self._settled_all = 0.0
        self._owner = ""
        self._lock = threading.RLock()
        self._is_over = threading.Event()
        self._trouble: EngineError | None = None
        self._heeding = Heeding(processor)
        self._fixed: set[str] = set()

    @property
    def store(self) -> Store:
        """The processor's store."""
        return self.processor.store

    @property
    def run(self) -> int | None:
        """The number of the run that is going on, or was last."""
        return self._document.number if self._document is not None else None

    @property
    def is_running(self) -> bool:
        """Whether a run is going on."""
        return self._recording is not None

    # --- the run

    def start_run(self, result: RunResult) -> None:
        self._settled = self._settled_all = 0.0
        self._heeding = Heeding(self.processor)
        self._fixed = set()
        self._document = None
        document = RunDocument(self.processor)
        self.store.recover()
        self._owner = self.store.owner
        self._recording = self.store.recording(forced=self.store.durability is Durability.POWER)
        self._recording.write(b"")  # it is there from now on: if this process dies, it tells of the run
        self._document, result.number = document, document.insert(result)
        self._intake.begin(result.number)
        self._trouble, self._is_over = None, threading.Event()
        threading.Thread(target=self._keep_pace, args=(self._is_over,), name="wfe-journal", daemon=True).start()

    def progress(self, result: RunResult) -> None:
        if self._document is not None:
            self._document.progress(result)

    def end_run(self, result: RunResult) -> None:
        self._is_over.set()
        try:
            with self._lock:
                for held in self._held.values():
                    # What was handed out and not taken back is in doubt.
                    held.handed_out = None
                    held.leave(held.left)
                    self._unwritten[held.key] = held
                self.settle()
            mark_fixed(self.store, self._fixed, self.processor.clock())
        finally:
            self._held.clear()
            self._unwritten.clear()
            self._errors, self._spent, self._ended = [], [], []
            if self._document is not None and self._document.end(result):
                self.processor.stopping.ask()
            self._heeding = Heeding(self.processor)
            if self._recording is not None:
                self._recording.remove()
                self._recording = None

    def end_badly(self, result: RunResult) -> None:
        if self._document is not None:
            self._document.update({"ending": result.ending})
        self.settle()
        self.processor.release_store()

    def wish(self) -> Wish | None:
        return self._heeding.wish(self.run if self.is_running else None, self.brake)

    # --- its entries

    @_locked
    def announce(self, entries: Sequence[WorkflowModel], claim: int = 0) -> Answers:
        return self._intake.announce(entries, claim)

    @_locked
    def claim(self, entries: Sequence[WorkflowModel]) -> None:
        self._intake.claim(entries)

    def holds(self, entry: WorkflowModel) -> bool:
        return id(entry) in self._held

    def number(self, entry: WorkflowModel) -> int | None:
        held = self._held.get(id(entry))
        return held.number if held else None

    # --- what becomes of them

    @_locked
    def start(self, calls: Collection[Call], recording: Recording | None = None) -> list[Call]:
        lost: list[Call] = []
        lines: list[bytes] = []
        taken_away = self._taken_away(calls)
        for call in calls:
            held = self._held.get(id(call.entry))
            if held is None or held.number in taken_away:
                self._let_go(call.entry)
                lost.append(call)
                continue
            if recording is None:
                held.running = call.execution
                self._unwritten[held.key] = held
                lines.append(started(held.number, call.execution))
            else:
                held.handed_out = call.execution
                lines.append(announced(held.number, call.execution))
        if recording is None and self._is_time():
            self.settle()
        elif self._recording is not None and lines and (recording is None or self._recording.is_forced):
            self._recording.begin(b"".join((*self._ended, *lines)))
            self._ended.clear()
        return lost

    def check(self, entry: WorkflowModel, key: str | None) -> None:
        held = self._held.get(id(entry))
        text = entry_text(entry)
        if held is not None:
            held.checked = text
            if text == held.text:
                return
        check_entry(entry, key, text)

    def _taken_away(self, calls: Collection[Call]) -> Container[int]:
        """Which entries, by their numbers, are another's by now: what was seen a moment ago is not asked again."""
        now = time.monotonic()
        held = [found for call in calls if (found := self._held.get(id(call.entry))) is not None]
        doubted = [each for each in held if now - each.seen > TRUST]
        if not doubted:
            return ()
        holders = self.store.holders([each.number for each in doubted])
        for each in doubted:
            each.seen = now
        return {number for number, holder in holders.items() if holder != self._owner}

    @_locked
    def withdraw(self, entry: WorkflowModel) -> None:
        if (held := self._held.get(id(entry))) is not None:
            held.withdraw()

    @_locked
    def write(self, entry: WorkflowModel, execution: TaskExecution | None) -> None:
        """Keep an entry, and the execution that has just ended, if one has."""
        held = self._held.get(id(entry))
        if held is None:
            self._write_now(entry)
            return
        held.withdraw()
        changes = self._changes(held)
        if execution is not None and self._recording is not None:
            for record in self._errors:
                if record["error_id"] == str(execution.error_id):
                    changes = {**(changes or {}), "error": record}
            self._ended.append(ended(held.number, execution, changes))
        self._unwritten[held.key] = held

    @_locked
    def release(self, entry: WorkflowModel) -> None:
        held = self._held.get(id(entry))
        if held is not None:
            held.is_left = True
            self._unwritten[held.key] = held
            self.flush()
            if self._is_time():
                self._check_trouble()
                self._write_landed()

    @_locked
    def lose(self, entry: WorkflowModel, failure: Failure) -> None:
        shown = {**shown_state(failure.state), "reason": failure.reason, "error_id": failure.error_id}
        held = self._held.get(id(entry))
        if held is not None:
            held.leave(shown)
            self._unwritten[held.key] = held
            self.settle()
            return

        number = self._intake.number(required_key(entry))

        def fail(document: Content) -> None:
            if self._intake.is_free(document["owner"]):
                document.update(shown, owner=None, updated=self._now())
                self._settle_verdicts(document, number)

        self._intake.change(required_key(entry), fail)

    def count(self, task: str, outcome: Outcome) -> None:
        with self._lock:
            if self._document is not None:
                self._document.count(task, outcome)

    @_locked
    def log(self, entry: WorkflowModel, call: Call, logged: Logged) -> None:
        held = self._held.get(id(entry))
        if held is not None:
            about = {"processor": self.processor.name, "key": held.key, "task": call.name}
            said = {"lines": logged.lines, "dropped": logged.dropped}
            held.logs.append({**about, "attempt": call.execution.run_count, **said})

    @_locked
    def error(self, record: dict[str, Any]) -> None:
        record["run"] = self.run
        self._errors.append(record)
        if self.brake is not None:
            self.brake.see(record)
        if record["task"] is None:  # no line of an execution has it
            self.settle()

    def lifeline(self) -> int | None:
        return self.store.lifeline() if self._recording is not None else None

    def record(self) -> Recording | None:
        # Not forced: that its executions are about to begin, this journal has made the disk know before.
        return self.store.recording(forced=False) if self._recording is not None else None

    def spend(self, recording: Recording) -> None:
        self._spent.append(recording)

    @_locked
    def flush(self) -> None:
        if self._ended and self._recording is not None:
            self._recording.write(b"".join(self._ended))
            self._ended.clear()

    def settle(self) -> None:
        with self._lock:
            self._check_trouble()
            self._settle()

    def _check_trouble(self) -> None:
        if self._trouble is not None:
            trouble, self._trouble = self._trouble, None
            raise trouble

    def _settle(self) -> None:
        """Write all that is not written, so that nothing that was recorded is needed any more."""
        self._settled_all = time.monotonic()
        self._write_group(self._unwritten)
        self._ended.clear()
        if self._recording is not None:
            self._recording.clear()
        for recording in self._spent:
            recording.remove()
        self._spent.clear()

    def _write_landed(self) -> None:
        """Write the entries that are through; those that are on their way will change again in a moment."""
        if time.monotonic() - self._settled_all >= PACE_ON_THE_WAY or all(h.is_left for h in self._unwritten.values()):
            self._settle()
        else:
            self._write_group({key: held for key, held in self._unwritten.items() if held.is_left})

    def _write_group(self, group: dict[str, Held]) -> None:
        self._settled = time.monotonic()
        if not (group or self._errors):
            return
        now, moment, owner = self._now(), self.processor.moment, self._owner
        lost: list[Held] = []

        def keep(document: Content) -> None:
            held = group[document["key"]]
            if document["owner"] != owner:
                lost.append(held)
            else:
                self._keep(document, held, now, moment)

        with self.store.transaction():
            if self._errors:
                self.store.errors.insert_multiple(self._errors)
            numbers = [held.number for held in group.values()]
            written = set(self.store.entries.update(keep, doc_ids=numbers)) if numbers else set()
        self._errors = []
        self._unwritten = {key: held for key, held in self._unwritten.items() if key not in group}
        for held in lost:
            self._let_go(held.entry)
        for held in group.values():
            held.logs.clear()
            if held.is_left:
                self._held.pop(id(held.entry), None)
        for held in group.values():
            if held.number not in written:
                raise self._intake.removed(held.key)

    def _keep(self, document: Content, held: Held, now: str, moment: datetime) -> None:
        held.put(document, now, moment)
        add_logs(self.store, document, held.logs)
        if held.is_left:
            self._settle_verdicts(document, held.number)

    def _settle_verdicts(self, document: Content, number: int) -> None:
        """Write what became of an entry that an operator waits for, with its end."""
        if document.get("awaited"):
            self._fixed |= settle(self.store, document, number, self.processor.clock())

    def _changes(self, held: Held) -> dict[str, Any] | None:
        """What has changed on an entry since it was recorded last. What cannot be kept is dropped: its execution says
        so."""
        entry = held.entry
        try:
            text = entry_text(entry) if held.checked is None or self._may_change else held.checked
            if text != held.text:
                self.check(entry, held.key)
        except EntryError:
            entry.due_date, entry.source = held.due_date, held.source
            return None
        finally:
            held.checked = None  # it is of this execution alone
        if text == held.text:
            return None
        changes = changed_fields(entry, held.text, text)
        held.text, held.data, held.due_date, held.source = text, changes["data"], entry.due_date, entry.source
        held.written.update(changes["changed"])
        return changes

    def _let_go(self, entry: WorkflowModel) -> None:
        """An entry turned out to be another's: nothing more is written on it."""
        held = self._held.pop(id(entry), None)
        if held is not None:
            self._unwritten.pop(held.key, None)
            holder = self.store.holders([held.number]).get(held.number)
            log.warning("%s", claim_lost(held.key, holder), extra={"entry": held.key})

    def _keep_pace(self, is_over: threading.Event) -> None:
        """While a task takes long: what is not written yet is."""
        while not is_over.wait(PACE):
            with self._lock:
                if is_over.is_set():
                    return
                try:
                    if self._is_time():
                        self._write_landed()
                    if self._document is not None:
                        self._document.show_life()
                except EngineError as error:
                    self._trouble = error  # the run's own thread ends the run with it

    def _is_time(self) -> bool:
        return time.monotonic() - self._settled >= PACE

    def _write_now(self, entry: WorkflowModel) -> None:
        """Write an entry outside a run, as a program may that changed it."""
        data = entry_data(entry)

        def keep(document: Content) -> None:
            if document["owner"]:
                must_hold(document, self.store.owner)
            changed = {name for name, value in data.items() if value != document["data"].get(name, _MISSING)}
            changed |= {name for name in ("due_date", "source") if getattr(entry, name) != document[name]}
            changed -= type(entry).model_computed_fields.keys()
            written = sorted({*document["written"], *changed})
            entry.halt = read_progress(document).halt  # an operator's word, and the store's alone
            shown = summary(entry, document["tasks"], self.processor.moment)
            document.update(entry_progress(entry), data=data, written=written, **shown, updated=self._now())

        self._intake.change(required_key(entry), keep)

    def _now(self) -> str:
        return to_text(self.processor.clock())


_MISSING = object()
