"""Writes what the runs of a `StoredProcessor` do into its store: entries, claims, starts, errors, and runs.

Entries are written in groups, some ten times a second; each start and end is recorded at once, as a line in a file (see
`engine.store.recording`), so that nothing is lost between two groups. While a task takes long, a thread of the journal
writes what is left to write, and gives a sign of life.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from tinydb.table import Document

from engine.clock import to_text
from engine.exceptions import EngineError, EntryError, StoreError, WorkflowError
from engine.groups import mark_fixed
from engine.identity import entry_key, home_of, place_of, required_key, task_names
from engine.journal.base import HEARTBEAT, Failure, Journal, RunResult
from engine.journal.figures import Figures
from engine.model import TaskExecution, WorkflowModel
from engine.pausing import pause_of
from engine.records import changed_fields, entry_data, entry_progress, entry_text, read_progress, summary
from engine.runner.capture import Logged
from engine.runner.outcome import Call, Outcome
from engine.state import State, shown_state
from engine.store import Durability, Store
from engine.store.claims import Content, claim_lost, must_hold, take
from engine.store.logs import add_logs
from engine.store.recording import Recording, announced, ended, started
from engine.verdicts import settle
from engine.wishes import ASKED, Wish, wish_of

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

PROGRESS = 0.25
"""Seconds between two writes of a run's progress."""

FIGURES = 2.0
"""Seconds between two writes of its figures, which are longer."""

LOOK = 0.05
"""Seconds between two looks whether an operator wants the run to end: so long after that, a task may still begin."""


@dataclass(slots=True, eq=False)
class _Held:
    """An entry that this run has claimed, and what is to be written of it.

    `text`, `data`, `due_date` and `source` are its fields as they were recorded last, `written` the names of those that
    its tasks have set. `seen` is when it was last seen to be this run's (seconds of a clock that only goes forward).
    `running` is the execution that is under way, `handed_out` one of which only its worker knows whether it is; `left`
    what it is to show when it is given up; `logs` what its executions have logged.
    """

    number: int
    key: str
    entry: WorkflowModel
    text: str
    data: dict[str, Any]
    written: set[str]
    due_date: str | None
    source: str | None
    checked: str | None = None
    """Its data as the task left it, until that is recorded."""
    seen: float = field(default_factory=time.monotonic)
    running: TaskExecution | None = None
    handed_out: TaskExecution | None = None
    is_left: bool = False
    left: dict[str, Any] = field(default_factory=dict)
    logs: list[dict[str, Any]] = field(default_factory=list)


def _locked(method: Callable[Concatenate["StoreJournal", P], T]) -> Callable[Concatenate["StoreJournal", P], T]:
    """A method that the journal's own thread must not run into."""

    @wraps(method)
    def locked(self: "StoreJournal", /, *args: P.args, **kwargs: P.kwargs) -> T:
        with self._lock:
            return method(self, *args, **kwargs)

    return locked


class StoreJournal(Journal):
    """The journal of a processor with a store. `run` is the number of the run that is going on, or was last."""

    look_ahead = 256
    keeps_logs = True

    def __init__(self, processor: "StoredProcessor") -> None:
        self.processor = processor
        # A `write_entry` of the user's own may change the entry before it is written.
        self._may_change = type(processor).write_entry.__module__ != "engine.stored"
        self.run: int | None = None
        self._seen = _Numbers()
        self._numbers: dict[str, int] = {}
        self._held: dict[int, _Held] = {}
        self._unwritten: dict[str, _Held] = {}
        self._errors: list[dict[str, Any]] = []
        self._recording: Recording | None = None
        self._ended: list[bytes] = []
        self._spent: list[Recording] = []
        self._settled = self._settled_all = self._shown = self._drawn = self._began = 0.0
        self._figures = Figures()
        self._owner = ""
        self._lock = threading.RLock()
        self._is_over = threading.Event()
        self._trouble: EngineError | None = None
        self._looked = 0.0
        self._wish: Wish | None = None
        self._fixed: set[str] = set()

    @property
    def store(self) -> Store:
        """The processor's store."""
        return self.processor.store

    @property
    def is_running(self) -> bool:
        """Whether a run is going on."""
        return self._recording is not None

    # --- the run

    def start_run(self, result: RunResult) -> None:
        self._seen = _Numbers()
        self._settled = self._settled_all = 0.0
        self._began = self._shown = self._drawn = time.monotonic()
        self._figures = Figures()
        self._looked, self._wish = -LOOK, None
        self._fixed = set()
        self.run = None
        home = home_of(type(self.processor))
        self.store.recover()
        self._owner = self.store.owner
        self._recording = self.store.recording(forced=self.store.durability is Durability.POWER)
        self._recording.write(b"")  # it is there from now on: if this process dies, it tells of the run
        self.run = result.number = self.store.runs.insert(
            {
                "processor": self.processor.name,
                "started": self._now(),
                "ended": None,
                "ending": None,
                "owner": self.store.owner,
                "home": home,
                **place_of(type(self.processor), self._task_kinds()),
                ASKED: None,
                **self._counts(result),
                **self._figures.to_json(),
            }
        )
        self._trouble, self._is_over = None, threading.Event()
        threading.Thread(target=self._keep_pace, args=(self._is_over,), name="wfe-journal", daemon=True).start()

    def progress(self, result: RunResult) -> None:
        if time.monotonic() - self._shown >= PROGRESS:
            self._shown = time.monotonic()
            self._update_run(self._counts(result))

    def end_run(self, result: RunResult) -> None:
        self._is_over.set()
        try:
            with self._lock:
                for held in self._held.values():
                    # What was handed out and not taken back is in doubt.
                    held.is_left, held.running, held.handed_out = True, None, None
                    self._unwritten[held.key] = held
                self.settle()
            mark_fixed(self.store, self._fixed, self.processor.clock())
        finally:
            self._held.clear()
            self._unwritten.clear()
            self._errors, self._spent, self._ended = [], [], []
            self._write_end(result)
            self._wish = None
            if self._recording is not None:
                self._recording.remove()
                self._recording = None

    def end_badly(self, result: RunResult) -> None:
        self._update_run({"ending": result.ending})
        self.settle()
        self.processor.release_store()

    def wish(self) -> Wish | None:
        """What is wanted of this run; it is not taken back, as no pause is that was there at any moment of it."""
        now = time.monotonic()
        if self.brake is not None and self.brake.is_pulled:
            self._wish = self._wish or Wish.DRAIN
        if self._wish is not Wish.STOP and now - self._looked >= LOOK:
            self._looked = now
            if pause_of(self.store, self.processor.name) is not None:
                self._wish = Wish.STOP
            elif self.is_running and self.run is not None:
                self._wish = wish_of(self.store, self.run) or self._wish
        return self._wish

    # --- its entries

    @_locked
    def announce(
        self, entries: Sequence[WorkflowModel], claim: int = 0
    ) -> list[tuple[WorkflowModel, EntryError | None]]:
        self.store.recover()
        names = self._task_names()
        keys = [required_key(entry) for entry in entries]
        self._numbers = {held.key: held.number for held in self._held.values()}
        answers: list[tuple[WorkflowModel, EntryError | None]] = []
        new: dict[str, tuple[WorkflowModel, str, Content]] = {}
        claimable: list[WorkflowModel] = []
        with self.store.transaction():
            known = self.processor.find_all(keys)
            for key, entry in zip(keys, entries, strict=True):
                document = known.get(key)
                try:
                    if key in new or (document is not None and self._seen.add(document.doc_id)):
                        raise self._twice(key)
                    if document is not None:
                        self._register(entry, document, names)
                    else:
                        text = entry_text(entry)
                        new[key] = entry, text, self._first_document(entry, key, entry_data(entry, text), names)
                except EntryError as refusal:
                    answers.append((entry, refusal))
                    continue
                answers.append((entry, None))
                if len(claimable) < claim and entry.finished is None and entry.halt is None:
                    claimable.append(entry)
            owner = self.store.owner
            for entry in claimable:
                if (key := required_key(entry)) in new:
                    new[key][2]["owner"] = owner
            numbers = self.store.entries.insert_multiple([document for _, _, document in new.values()])
        for (key, (entry, text, first)), number in zip(new.items(), numbers, strict=True):
            self._numbers[key] = number
            self._seen.add(number)
            if first["owner"]:
                self._hold(entry, key, text, first)
        self.claim([entry for entry in claimable if not self.holds(entry)])
        return answers

    @_locked
    def claim(self, entries: Sequence[WorkflowModel]) -> None:
        if not entries:
            return
        self.store.recover()
        by_key = {required_key(entry): entry for entry in entries}
        numbers = {self._number(key): key for key in by_key}
        texts: dict[str, str] = {}

        def take_up(document: Content) -> None:
            key = document["key"]
            entry = by_key.get(key)
            if entry is None:  # the entry was removed, and its number given to another
                raise self._removed(next(iter(by_key)))
            self.processor.take_up(entry, Document(document, self._numbers[key]))
            texts[key] = entry_text(entry)
            # What is compared with is what this run begins from: another may have registered a later source.
            data = entry_data(entry, texts[key])
            document.update(data=data, due_date=entry.due_date, source=entry.source, run=self.run)

        taken, left = take(self.store, numbers, self.store.owner, self._is_free, take_up)
        if len(taken) + len(left) < len(numbers):
            there = {document["key"] for document in (*taken, *left)}
            raise self._removed(next(key for key in by_key if key not in there))
        for document in taken:
            self._hold(by_key[document["key"]], document["key"], texts[document["key"]], document)

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
        if (now := entry_key(entry)) != key:
            raise EntryError(f"a task made {now!r} of the key {key!r}: no task may change an entry's key")
        entry_data(entry, text)

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
            held.running = held.handed_out = None

    @_locked
    def write(self, entry: WorkflowModel, execution: TaskExecution | None) -> None:
        """Keep an entry, and the execution that has just ended, if one has."""
        held = self._held.get(id(entry))
        if held is None:
            self._write_now(entry)
            return
        held.running = held.handed_out = None
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
            held.left, held.is_left, held.running = shown, True, None
            self._unwritten[held.key] = held
            self.settle()
            return

        number = self._number(required_key(entry))

        def fail(document: Content) -> None:
            if self._is_free(document["owner"]):
                document.update(shown, owner=None, updated=self._now())
                self._settle_verdicts(document, number)

        self._change(required_key(entry), fail)

    def count(self, task: str, outcome: Outcome) -> None:
        with self._lock:
            self._figures.count(task, outcome, time.monotonic() - self._began)

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

    def _write_group(self, group: dict[str, _Held]) -> None:
        self._settled = time.monotonic()
        if not (group or self._errors):
            return
        now, moment, owner = self._now(), self.processor.moment, self._owner
        lost: list[_Held] = []

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
                raise self._removed(held.key)

    def _keep(self, document: Content, held: _Held, now: str, moment: datetime) -> None:
        _put(document, held, now, moment)
        add_logs(self.store, document, held.logs)
        if held.is_left:
            self._settle_verdicts(document, held.number)

    def _settle_verdicts(self, document: Content, number: int) -> None:
        """Write what became of an entry that an operator waits for, with its end."""
        if document.get("awaited"):
            self._fixed |= settle(self.store, document, number, self.processor.clock())

    def _changes(self, held: _Held) -> dict[str, Any] | None:
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
                    self._show_life()
                except EngineError as error:
                    self._trouble = error  # the run's own thread ends the run with it

    def _show_life(self) -> None:
        """Write the figures of the run where they have changed, else that it lives, before somebody doubts that."""
        now = time.monotonic()
        if self._figures.are_new and now - self._drawn >= FIGURES:
            self._drawn, fields = now, self._figures.to_json()
        elif now - self._shown >= 0.8 * HEARTBEAT:
            fields = {}
        else:
            return
        self._shown = now
        self._update_run({"updated": self._now(), **fields})

    def _is_time(self) -> bool:
        return time.monotonic() - self._settled >= PACE

    def _hold(self, entry: WorkflowModel, key: str, text: str, document: Content) -> None:
        data, written = document["data"], set(document["written"])
        self._held[id(entry)] = _Held(
            self._numbers[key], key, entry, text, data, written, entry.due_date, entry.source
        )  # fmt: skip

    def _first_document(self, entry: WorkflowModel, key: str, data: dict[str, Any], names: list[str] | None) -> Content:
        return {
            "key": key,
            "processor": self.processor.name,
            "tasks": names or [],
            "data": data,
            "written": [],
            "owner": None,
            "run": self.run,
            "registered": (now := self._now()),
            "updated": now,
            **entry_progress(entry),
            **self._summary(entry, names or []),
            **(shown_state(State.READY) if names is None else {}),
        }

    def _register(self, entry: WorkflowModel, document: Document, names: list[str] | None) -> None:
        """Take up a stored entry, and write what its source has changed. Raises EntryError if it cannot be accepted."""
        self._numbers[document["key"]] = document.doc_id
        self.processor.take_up(entry, document)
        tasks = document["tasks"] if names is None else names
        given = {"tasks": tasks, "data": entry_data(entry), "due_date": entry.due_date, "source": entry.source}
        if self._is_free(document["owner"]) and any(document[name] != value for name, value in given.items()):
            fields = {**given, **self._summary(entry, tasks), "updated": self._now()}
            self.store.entries.update(fields, doc_ids=[document.doc_id])

    def _twice(self, key: str) -> EntryError:
        return EntryError(
            f"two entries of {self.processor.name} have the key {key!r}: the first is processed, "
            "the other is left out; give every entry a key of its own"
        )

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
            shown = self._summary(entry, document["tasks"])
            document.update(entry_progress(entry), data=data, written=written, **shown, updated=self._now())

        self._change(required_key(entry), keep)

    def _is_free(self, holder: str | None) -> bool:
        """Whether no living process works on an entry that has this owner: this one, too, works on each but once."""
        return not (holder and self.store.is_alive(holder))

    def _task_names(self) -> list[str] | None:
        """None when `get_tasks` raises: that costs each entry for itself, not the run."""
        try:
            return task_names(self.processor.get_tasks())
        except (WorkflowError, StoreError):
            raise
        except Exception:
            return None

    def _task_kinds(self) -> list[type]:
        """None of them where `get_tasks` raises: the first entry will tell."""
        try:
            return [type(task) for task in self.processor.get_tasks()]
        except Exception:
            return []

    def _number(self, key: str) -> int:
        """The number of an entry in the store."""
        if key not in self._numbers:
            document = self.processor.find(key)
            if document is None:
                raise self._removed(key)
            self._numbers[key] = document.doc_id
        return self._numbers[key]

    def _change(self, key: str, change: Callable[[Content], None]) -> None:
        if not self.store.entries.update(change, doc_ids=[self._number(key)]):
            raise self._removed(key)

    def _removed(self, key: str) -> StoreError:
        return StoreError(
            f"the entry {key!r} is no longer in {self.store.path}: it was removed while a run worked on it"
        )

    def _write_end(self, result: RunResult) -> None:
        """Write how the run has ended. What it was asked for until then, who has made it is to heed as well."""
        if self.run is None:
            return
        ending = {"ended": self._now(), "ending": result.ending, "statistics": self.processor.get_statistics()}
        fields = {**self._counts(result), **self._figures.to_json(), **ending}
        was_asked = False

        def end(document: Content) -> None:
            nonlocal was_asked
            was_asked = document.get(ASKED) is not None
            document.update(fields)

        self.store.runs.update(end, doc_ids=[self.run])
        if was_asked:
            self.processor.stopping.ask()

    def _update_run(self, fields: Mapping[str, Any]) -> None:
        if self.run is not None:
            self.store.runs.update(fields, doc_ids=[self.run])

    def _summary(self, entry: WorkflowModel, names: Sequence[str]) -> dict[str, Any]:
        return summary(entry, names, self.processor.moment)

    def _counts(self, result: RunResult) -> dict[str, Any]:
        rate = result.considered / max(time.monotonic() - self._began, 1e-3)
        to_do = None if result.total is None else max(result.total - result.considered, 0)
        return {
            "rate": round(rate, 3),
            "left": round(to_do / rate, 3) if to_do is not None and rate else None,
            "total": result.total,
            "considered": result.considered,
            "in_progress": result.in_progress,
            "states": dict(result.states),
            "refused": len(result.refused),
            "updated": self._now(),
        }

    def _now(self) -> str:
        return to_text(self.processor.clock())


def _put(document: Content, held: _Held, now: str, moment: datetime) -> None:
    """Bring the newest state of an entry into its document."""
    entry, names, before = held.entry, document["tasks"], {**document}
    progress = entry_progress(entry)
    if held.handed_out is not None:
        progress["executions"].pop()
    elif held.running is not None:
        # It may have ended a moment ago, and what it has set on the entry is not taken over yet.
        progress["executions"][-1] |= _BEGUN
    document.update(progress, due_date=held.due_date, source=held.source, data=held.data, written=sorted(held.written))
    if held.is_left:
        document.update(held.left or summary(entry, names, moment), owner=None)
    elif held.running is not None:
        running = {"task": held.running.name, "attempts": held.running.run_count, "reason": ""}
        document.update(running, error_id=None, repeat=False, due=None, **shown_state(State.RUNNING))
    else:
        document.update(summary(entry, names, moment), **shown_state(State.RUNNING))
    # A run that has passed it by has changed nothing on it.
    if any(value != before.get(name) for name, value in document.items() if name != "owner"):
        document["updated"] = now


_BEGUN = {**dict.fromkeys(("finished_at", "status", "error_id", "error")), "processed": False, "running": True}
"""What says of an execution that it has begun, and not more."""


class _Numbers:
    """A set of numbers, a bit each: that of a million entries takes 125 kB."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def add(self, number: int) -> bool:
        """Add a number; whether it was in already."""
        at, bit = number >> 3, 1 << (number & 7)
        if at >= len(self._bits):
            self._bits.extend(bytes(at + 1024 - len(self._bits)))
        was_in = bool(self._bits[at] & bit)
        self._bits[at] |= bit
        return was_in


_MISSING = object()
