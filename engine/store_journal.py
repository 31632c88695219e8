"""Writes what the runs of a `StoredProcessor` do into its store: entries, claims, starts, errors, and runs."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tinydb.table import Document

from engine.clock import to_text
from engine.exceptions import ClaimLost, EntryError, StoreError, WorkflowError
from engine.identity import entry_key, home_of, required_key, task_names
from engine.journal import Ending, Failure, Journal, RunResult
from engine.model import TaskExecution, WorkflowModel
from engine.planning import State
from engine.records import entry_data, entry_progress, shown_state, summary
from engine.store import Store
from engine.store.claims import Content, must_hold, take

if TYPE_CHECKING:
    from engine.stored import StoredProcessor


class StoreJournal(Journal):
    """The journal of a processor with a store. `run` is the number of the run that is going on, or was last."""

    look_ahead = 256

    def __init__(self, processor: "StoredProcessor") -> None:
        self.processor = processor
        self.run: int | None = None
        self._seen: set[str] = set()
        self._ids: dict[str, int] = {}
        self._claimed: str | None = None
        self._shown = 0.0

    @property
    def store(self) -> Store:
        """The processor's store."""
        return self.processor.store

    def start_run(self, result: RunResult) -> None:
        self._seen.clear()
        self.run = None
        home = home_of(type(self.processor))
        self.run = result.number = self.store.runs.insert(
            {
                "processor": self.processor.name,
                "started": self._now(),
                "ended": None,
                "ending": None,
                "owner": self.store.owner,
                "home": home,
                **self._counts(result),
            }
        )

    def announce(self, entries: Sequence[WorkflowModel]) -> list[tuple[WorkflowModel, EntryError | None]]:
        self._ids.clear()
        names = self._task_names()
        with self.store.transaction():
            return [(entry, self._register(entry, names)) for entry in entries]

    def claim(self, entry: WorkflowModel) -> bool:
        key = required_key(entry)
        number = self._number(key)

        def take_up(document: Content) -> None:
            if document["key"] != key:  # the entry was removed, and its number given to another
                raise self._removed(key)
            self.processor.take_up(entry, Document(document, number))
            # What `write` compares with is what this run begins from: another may have registered a later source.
            document.update(data=entry_data(entry), due_date=entry.due_date, source=entry.source, run=self.run)

        taken, held = take(self.store, [number], self.store.owner, self._is_free, take_up)
        if not taken and not held:
            raise self._removed(key)
        self._claimed = key if taken else None
        return bool(taken)

    def start(self, entry: WorkflowModel, execution: TaskExecution) -> None:
        shown = {
            "task": execution.name,
            "attempts": execution.run_count,
            "reason": "",
            "error_id": None,
            "repeat": False,
        }
        fields = {**entry_progress(entry), **shown, **shown_state(State.RUNNING), "due": None, "updated": self._now()}

        def keep(document: Content) -> None:
            must_hold(document, self.store.owner)
            document.update(fields)

        self._change(self._key(entry), keep)

    def check(self, entry: WorkflowModel) -> None:
        self._data(entry)

    def write(self, entry: WorkflowModel) -> None:
        """Keep an entry. What a task left on it that cannot be kept is dropped: its execution says so."""
        try:
            data = self._data(entry)
        except EntryError:
            data = None

        def keep(document: Content) -> None:
            if self._claimed or document["owner"]:
                must_hold(document, self.store.owner)
            if data is None:
                entry.due_date, entry.source = document["due_date"], document["source"]
            kept = document["data"] if data is None else data
            changed = {field for field, value in kept.items() if value != document["data"].get(field, _MISSING)}
            changed |= {field for field in ("due_date", "source") if getattr(entry, field) != document[field]}
            changed -= type(entry).model_computed_fields.keys()
            shown = self._summary(entry, document["tasks"])
            if document["owner"]:
                shown |= shown_state(State.RUNNING)
            written = sorted({*document["written"], *changed})
            document.update(entry_progress(entry), data=kept, written=written, **shown, updated=self._now())

        self._change(self._key(entry), keep)

    def release(self, entry: WorkflowModel) -> None:
        key, self._claimed = self._key(entry), None

        def free(document: Content) -> None:
            must_hold(document, self.store.owner)
            document.update(self._summary(entry, document["tasks"]), owner=None)

        self._change(key, free)

    def lose(self, entry: WorkflowModel, failure: Failure) -> None:
        is_claimed, key = self._claimed is not None, self._key(entry)
        self._claimed = None
        shown = {**shown_state(failure.state), "reason": failure.reason, "error_id": failure.error_id, "owner": None}

        def fail(document: Content) -> None:
            if is_claimed:
                must_hold(document, self.store.owner)
            elif not self._is_free(document["owner"]):
                return
            document.update(shown, updated=self._now())

        self._change(key, fail)

    def error(self, record: dict[str, Any]) -> None:
        self.store.errors.insert({**record, "run": self.run})

    def progress(self, result: RunResult) -> None:
        if time.monotonic() - self._shown >= 0.25:
            self._shown = time.monotonic()
            self._update_run(self._counts(result))

    def end_run(self, result: RunResult, ending: Ending) -> None:
        if self.run is not None:
            statistics = self.processor.get_statistics()
            self._update_run({**self._counts(result), "ended": self._now(), "ending": ending, "statistics": statistics})

    def _register(self, entry: WorkflowModel, names: list[str] | None) -> EntryError | None:
        """Write an entry that is new, or that its source changed; the error when it cannot be accepted."""
        key = required_key(entry)
        if key in self._seen:
            return EntryError(
                f"two entries of {self.processor.name} have the key {key!r}: the first is processed, "
                "the other is left out; give every entry a key of its own"
            )
        self._seen.add(key)
        document = self.processor.find(key)
        try:
            if document is not None:
                self.processor.take_up(entry, document)
            data = entry_data(entry)
        except EntryError as refusal:
            return refusal
        if document is None:
            self._ids[key] = self.store.entries.insert(
                {
                    "key": key,
                    "processor": self.processor.name,
                    "tasks": names or [],
                    "data": data,
                    "written": [],
                    "owner": None,
                    "run": None,
                    "updated": self._now(),
                    **entry_progress(entry),
                    **self._summary(entry, names or []),
                    **(shown_state(State.READY) if names is None else {}),
                }
            )
            return None
        self._ids[key] = document.doc_id
        tasks = document["tasks"] if names is None else names
        given = {"tasks": tasks, "data": data, "due_date": entry.due_date, "source": entry.source}
        if self._is_free(document["owner"]) and any(document[field] != value for field, value in given.items()):
            fields = {**given, **self._summary(entry, tasks), "updated": self._now()}
            self.store.entries.update(fields, doc_ids=[document.doc_id])
        return None

    def _key(self, entry: WorkflowModel) -> str:
        """The key under which an entry is stored, whatever its tasks have done to it."""
        return self._claimed or required_key(entry)

    def _data(self, entry: WorkflowModel) -> dict[str, Any]:
        """What is kept of an entry; EntryError if it cannot be."""
        stored, now = self._key(entry), entry_key(entry)
        if now != stored:
            raise EntryError(f"a task made {now!r} of the key {stored!r}: no task may change an entry's key")
        return entry_data(entry)

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

    def _number(self, key: str) -> int:
        """The number of an entry in the store."""
        if key not in self._ids:
            document = self.processor.find(key)
            if document is None:
                raise self._removed(key)
            self._ids[key] = document.doc_id
        return self._ids[key]

    def _change(self, key: str, change: Callable[[Content], None]) -> None:
        """Change an entry in a transaction. Once its claim is lost, this journal has nothing more to do with it."""
        try:
            found = self.store.entries.update(change, doc_ids=[self._number(key)])
        except ClaimLost:
            self._claimed = None
            raise
        if not found:
            raise self._removed(key)

    def _removed(self, key: str) -> StoreError:
        return StoreError(
            f"the entry {key!r} is no longer in {self.store.path}: it was removed while a run worked on it"
        )

    def _update_run(self, fields: Mapping[str, Any]) -> None:
        if self.run is not None:
            self.store.runs.update(fields, doc_ids=[self.run])

    def _summary(self, entry: WorkflowModel, names: Sequence[str]) -> dict[str, Any]:
        return summary(entry, names, self.processor.moment)

    def _counts(self, result: RunResult) -> dict[str, Any]:
        return {
            "total": result.total,
            "considered": result.considered,
            "states": dict(result.states),
            "refused": len(result.refused),
            "updated": self._now(),
        }

    def _now(self) -> str:
        return to_text(self.processor.clock())


_MISSING = object()
