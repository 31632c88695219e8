"""A processor for who has no storage of their own: entries, errors and runs are kept in a `Store`."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from os import PathLike
from typing import Any, ClassVar

from pydantic import ValidationError
from tinydb import where
from tinydb.table import Document

from engine.clock import Clock, to_text, utc_now
from engine.exceptions import EntryError, StoreError, WorkflowError
from engine.identity import home_of, processor_name, required_key, task_names
from engine.journal import Ending, Failure, Journal, RunResult
from engine.model import TaskExecution, WorkflowModel
from engine.planning import State
from engine.processor import Processor
from engine.records import PROGRESS_FIELDS, entry_data, entry_progress, read_progress, shown_state, summary
from engine.store import Store, store_path


class StoredProcessor(Processor):
    """A workflow whose entries are kept in a `Store`, where the console and the shell find them.

    A subclass gives `model`, `get_default_entries` (mappings, or instances of the model) and `get_tasks`. Every entry
    has a `key`, a field or property of the model, by which it is known again: its executions and what its tasks wrote
    on it come from the store, all else from the default entries, so that a correction at the source is seen.

    Args:
        store: a `Store`, or its path; None: where the shell looks for it too (`engine.store.store_path`).
        consider_date, clock: see `Processor`.

    Raises:
        WorkflowError: the class has no model, or the model no key.
        InputError: `consider_date` is no date.
    """

    model: ClassVar[type[WorkflowModel]]
    journal: "StoreJournal"

    def __init__(
        self,
        store: Store | str | PathLike[str] | None = None,
        consider_date: datetime | str | None = None,
        *,
        clock: Clock = utc_now,
    ) -> None:
        super().__init__(consider_date, clock=clock)
        name, model = type(self).__name__, getattr(self, "model", None)
        if not (isinstance(model, type) and issubclass(model, WorkflowModel)):
            raise WorkflowError(
                f"{name} does not say what its entries are: write `model = …`, a subclass of WorkflowModel"
            )
        if "key" not in model.model_fields and not hasattr(model, "key"):
            raise WorkflowError(
                f"{model.__name__} has no key: give it a field or a property `key`, by which an entry is known again"
            )
        self._given = store if isinstance(store, Store) else None
        self._path = None if isinstance(store, Store) else store
        self._opened: Store | None = None
        self.journal = StoreJournal(self)

    @property
    def store(self) -> Store:
        """The store; one that was not handed to the constructor is opened here, and closed by `close`."""
        if self._given is not None:
            return self._given
        if self._opened is None:
            self._opened = Store(store_path(self._path))
        return self._opened

    @property
    def name(self) -> str:
        """What this workflow is called in the store: `module:Class`."""
        return processor_name(type(self))

    def get_entry(self, selection: Any) -> WorkflowModel:
        """An entry with its stored progress.

        Args:
            selection: a raw entry (a mapping, or an instance of the model), or the key of a stored one.

        Raises:
            EntryError: the raw entry does not fit the model or has no key, or no entry has this key.
        """
        if isinstance(selection, WorkflowModel):
            return self._with_progress(selection)
        if isinstance(selection, Mapping):
            return self._with_progress(self._validated(dict(selection), f"an entry, {dict(selection)!r:.100},"))
        document = self.find(str(selection))
        if document is None:
            raise EntryError(
                f"no entry of {self.name} has the key {str(selection)!r}, neither in {self.store.path} "
                "nor among its default entries: `wfe ls` lists the keys"
            )
        return self._loaded(document)

    def parse_default(self, raw: Any) -> WorkflowModel | None:
        return None if raw is None else self.get_entry(raw)

    def find_selections(self, selections: Iterable[Any]) -> list[Any]:
        """The selections; one that is a key is looked for at the source first."""
        return list(self._at_source(selections))

    def write_entry(self, entry: WorkflowModel, execution: TaskExecution | None) -> None:
        """Keep the entry, its executions included, in the store."""
        self.journal.write(entry)

    def close(self) -> None:
        """Close the store, unless it was handed to the constructor."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def find(self, key: str) -> Document | None:
        """The stored document of an entry of this workflow, or None."""
        found = self.store.entries.search(where("key") == key)
        return next((document for document in found if document["processor"] == self.name), None)

    def _at_source(self, selections: Iterable[Any]) -> Iterator[Any]:
        """The selections, with keys replaced by the default entries that have them, in one pass over these."""
        named = list(selections)
        wanted = {str(item) for item in named if not isinstance(item, (Mapping, WorkflowModel))}
        yield from (item for item in named if isinstance(item, (Mapping, WorkflowModel)))
        if not wanted:
            return
        for raw in self.get_default_entries():
            if (key := self._key_of(raw)) in wanted:
                wanted.discard(key)
                yield raw
                if not wanted:
                    return
        yield from (key for key in map(str, named) if key in wanted)

    def _key_of(self, raw: Any) -> str:
        try:
            entry = raw if isinstance(raw, WorkflowModel) else self.model.model_validate(raw)
            return required_key(entry)
        except Exception:
            # Whatever is wrong with it, it is not the entry that was asked for.
            return ""

    def _with_progress(self, entry: WorkflowModel) -> WorkflowModel:
        document = self.find(required_key(entry))
        if document is None:
            return entry
        entry = entry.model_copy()
        self.take_up(entry, document)
        return entry

    def take_up(self, entry: WorkflowModel, document: Document) -> None:
        """Give an entry what the store knows better than its source: its executions, and what its tasks wrote on it."""
        taken = read_progress(document)
        entry.executions, entry.finished = taken.executions, taken.finished
        if document["written"]:
            stored = self._loaded(document)
            for field in document["written"]:
                if hasattr(stored, field):  # else the model has it no longer
                    setattr(entry, field, getattr(stored, field))

    def _loaded(self, document: Document) -> WorkflowModel:
        progress = {field: document[field] for field in PROGRESS_FIELDS}
        return self._validated({**document["data"], **progress}, f"the stored entry {document['key']!r}", by_name=True)

    def _validated(self, fields: dict[str, Any], what: str, *, by_name: bool | None = None) -> WorkflowModel:
        """`by_name` takes fields by their own names, too, where the model gives them aliases."""
        try:
            return self.model.model_validate(fields, by_name=by_name)
        except ValidationError as error:
            first = error.errors()[0]
            at = ".".join(str(part) for part in first["loc"]) or "it"
            raise EntryError(f"{what} does not fit {self.model.__name__}: {at}: {first['msg']}") from error


class StoreJournal(Journal):
    """Writes what the runs of a `StoredProcessor` do into its store."""

    look_ahead = 256

    def __init__(self, processor: StoredProcessor) -> None:
        self.processor = processor
        self.run: int | None = None
        self._seen: set[str] = set()
        self._ids: dict[str, int] = {}
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
        with self.store.transaction():
            document = self._stored(key)
            if self._is_owned(document):
                return False
            self.processor.take_up(entry, document)
            self._set(key, {"owner": self.store.owner, "run": self.run})
        return True

    def start(self, entry: WorkflowModel, execution: TaskExecution) -> None:
        shown = {
            "task": execution.name,
            "attempts": execution.run_count,
            "reason": "",
            "error_id": None,
            "repeat": False,
        }
        self._update(required_key(entry), {**entry_progress(entry), **shown, **shown_state(State.RUNNING), "due": None})

    def check(self, entry: WorkflowModel) -> None:
        entry_data(entry)

    def write(self, entry: WorkflowModel) -> None:
        """Keep an entry. What a task left on it that cannot be kept is dropped: its execution says so."""
        key = required_key(entry)
        with self.store.transaction():
            document = self._stored(key)
            try:
                data = entry_data(entry)
            except EntryError:
                data = document["data"]
                entry.due_date, entry.source = document["due_date"], document["source"]
            changed = {field for field, value in data.items() if value != document["data"].get(field, _MISSING)}
            changed |= {field for field in ("due_date", "source") if getattr(entry, field) != document[field]}
            changed -= type(entry).model_computed_fields.keys()
            shown = self._summary(entry, document["tasks"])
            if document["owner"]:
                shown |= shown_state(State.RUNNING)
            written = sorted({*document["written"], *changed})
            self._update(key, {**entry_progress(entry), "data": data, "written": written, **shown})

    def release(self, entry: WorkflowModel) -> None:
        key = required_key(entry)
        with self.store.transaction():
            self._set(key, {"owner": None, **self._summary(entry, self._stored(key)["tasks"])})

    def lose(self, entry: WorkflowModel, failure: Failure) -> None:
        key = required_key(entry)
        with self.store.transaction():
            document = self._stored(key)
            if document["owner"] == self.store.owner or not self._is_owned(document):
                shown = {"reason": failure.reason, "error_id": failure.error_id, "owner": None}
                self._update(key, {**shown_state(failure.state), **shown})

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
        if not self._is_owned(document) and any(document[field] != value for field, value in given.items()):
            self._update(key, {**given, **self._summary(entry, tasks)})
        return None

    def _is_owned(self, document: Document) -> bool:
        """Whether a living process works on the entry."""
        return bool(document["owner"]) and self.store.is_alive(document["owner"])

    def _task_names(self) -> list[str] | None:
        """None when `get_tasks` raises: that costs each entry for itself, not the run."""
        try:
            return task_names(self.processor.get_tasks())
        except (WorkflowError, StoreError):
            raise
        except Exception:
            return None

    def _stored(self, key: str) -> Document:
        document = self.store.entries.get(doc_id=self._ids[key]) if key in self._ids else self.processor.find(key)
        if not isinstance(document, Document):
            raise StoreError(
                f"the entry {key!r} is no longer in {self.store.path}: it was removed while a run worked on it"
            )
        self._ids[key] = document.doc_id
        return document

    def _update(self, key: str, fields: Mapping[str, Any]) -> None:
        """Change an entry's progress or data: it is new from now on."""
        self._set(key, {**fields, "updated": self._now()})

    def _set(self, key: str, fields: Mapping[str, Any]) -> None:
        doc_id = self._ids[key] if key in self._ids else self._stored(key).doc_id
        self.store.entries.update(fields, doc_ids=[doc_id])

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
