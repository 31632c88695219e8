"""A processor for who has no storage of their own: entries, errors and runs are kept in a `Store`."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from os import PathLike
from typing import Any, ClassVar

from pydantic import ValidationError
from tinydb import where
from tinydb.table import Document

from engine.clock import Clock, utc_now
from engine.exceptions import EntryError, WorkflowError
from engine.identity import processor_name, required_key
from engine.journal.stored import StoreJournal
from engine.model import TaskExecution, WorkflowModel
from engine.processor import Processor
from engine.records import progress_fields, read_progress
from engine.store import Store, store_path


class StoredProcessor(Processor):
    """Base of a workflow whose entries are kept in a `Store`, where the console and the shell find them.

    A subclass gives `model`, `get_default_entries` (mappings, or instances of the model) and `get_tasks`. Every entry
    has a `key`, a field or property of the model, by which it is known again: its executions and what its tasks wrote
    on it come from the store, all else from the default entries, so that a correction at the source is seen. Many
    processes may run it at once on one store: each entry is executed by one of them.

    It is not for who has to keep entries elsewhere: that is what `Processor` is for.

    Args:
        store: a `Store`, or its path; None: where the shell looks for it too (`engine.store.store_path`).
        consider_date, clock: see `Processor`.

    Attributes:
        model: the class of its entries.
        journal: what writes a run down in the store: the engine's own, not to be replaced.

    Raises:
        WorkflowError: the class has no model, or the model no key.
        InputError: `consider_date` is no date.

    Example::

        class Orders(StoredProcessor):
            model = Order

            def get_default_entries(self):
                return [{"key": "A-1", "country": "DE"}, {"key": "A-2", "country": "NO"}]

            def get_tasks(self):
                return [Pack(self), Ship(self)]

        result = Orders("orders.db").process_entries(workers=8)
        assert result.states == {"finished": 1, "waiting": 1}
    """

    model: ClassVar[type[WorkflowModel]]
    journal: StoreJournal

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

    def use(self, store: Store) -> None:
        """Keep everything in this store from now on: for who was handed one, and has opened it anew."""
        self._given = store

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
        """Keep the entry, its executions included, in the store.

        Args:
            entry: one that this processor has claimed, in a run.
            execution: the execution that just ended; None when the entry finishes without one.
        """
        self.journal.write(entry, execution)

    def close(self) -> None:
        """Close the store, unless it was handed to the constructor."""
        self.release_store()

    def release_store(self) -> None:
        """See `close`, which a subclass may override."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def __getstate__(self) -> dict[str, Any]:
        """Stores do not travel: a copy opens its own where it uses it."""
        path = self._given.path if self._given is not None else self._path
        return {**super().__getstate__(), "_given": None, "_opened": None, "_path": path}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.journal = StoreJournal(self)

    def find(self, key: str) -> Document | None:
        """The stored document of an entry of this workflow, or None."""
        return self.find_all([key]).get(key)

    def find_all(self, keys: Iterable[str]) -> dict[str, Document]:
        """The stored documents of entries of this workflow, by their keys."""
        # By the keys alone: the index of processors would have all entries of one looked through.
        found = self.store.entries.search(where("key").one_of(list(keys)))
        return {document["key"]: document for document in found if document["processor"] == self.name}

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
        key = required_key(entry)
        # In a run it is not looked up one by one: the run asks for many at once, before it considers them.
        document = None if self.journal.is_running else self.find(key)
        if document is None:
            return entry
        entry = entry.model_copy()
        self.take_up(entry, document)
        return entry

    def take_up(self, entry: WorkflowModel, document: Document) -> None:
        """Give `entry` what the store knows better than its source, by its `document`: its executions, and what its
        tasks wrote on it."""
        taken = read_progress(document)
        entry.executions, entry.finished, entry.halt = taken.executions, taken.finished, taken.halt
        if document["written"]:
            stored = self._loaded(document)
            for field in document["written"]:
                if hasattr(stored, field):  # else the model has it no longer
                    setattr(entry, field, getattr(stored, field))

    def _loaded(self, document: Document) -> WorkflowModel:
        return self._validated(
            {**document["data"], **progress_fields(document)}, f"the stored entry {document['key']!r}", by_name=True
        )

    def _validated(self, fields: dict[str, Any], what: str, *, by_name: bool | None = None) -> WorkflowModel:
        """`by_name` takes fields by their own names, too, where the model gives them aliases."""
        try:
            return self.model.model_validate(fields, by_name=by_name)
        except ValidationError as error:
            first = error.errors()[0]
            at = ".".join(str(part) for part in first["loc"]) or "it"
            raise EntryError(f"{what} does not fit {self.model.__name__}: {at}: {first['msg']}") from error
