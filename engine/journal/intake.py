"""Brings the entries of a workflow's source into its store, and claims them for a run."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tinydb.table import Document

from engine.clock import to_text
from engine.exceptions import EntryError, StoreError, WorkflowError
from engine.identity import required_key, task_names
from engine.journal.held import Held
from engine.model import WorkflowModel
from engine.records import entry_data, entry_progress, entry_text, summary
from engine.state import State, shown_state
from engine.store.claims import Content, take

if TYPE_CHECKING:
    from engine.stored import StoredProcessor

Answers = list[tuple[WorkflowModel, EntryError | None]]
"""For each entry why it cannot be accepted; None if it can."""


class Intake:
    """Takes up the entries of a processor.

    Args:
        processor: whose they are.
        held: those that are claimed, by the `id` of their entries; it adds to them what it claims.
    """

    def __init__(self, processor: "StoredProcessor", held: dict[int, Held]) -> None:
        self.processor = processor
        self.run: int | None = None
        self._held = held
        self._seen = _Numbers()
        self._numbers: dict[str, int] = {}

    def begin(self, run: int | None) -> None:
        """From now on they are taken up for this run, each but once."""
        self.run, self._seen = run, _Numbers()

    def announce(self, entries: Sequence[WorkflowModel], claim: int) -> Answers:
        """See `Journal.announce`."""
        store = self.processor.store
        store.recover()
        names = self._task_names()
        keys = [required_key(entry) for entry in entries]
        self._numbers = {held.key: held.number for held in self._held.values()}
        answers: Answers = []
        new: dict[str, tuple[WorkflowModel, str, Content]] = {}
        claimable: list[WorkflowModel] = []
        with store.transaction():
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
            for entry in claimable:
                if (key := required_key(entry)) in new:
                    new[key][2]["owner"] = store.owner
            numbers = store.entries.insert_multiple([document for _, _, document in new.values()])
        for (key, (entry, text, first)), number in zip(new.items(), numbers, strict=True):
            self._numbers[key] = number
            self._seen.add(number)
            if first["owner"]:
                self._hold(entry, key, text, first)
        self.claim([entry for entry in claimable if id(entry) not in self._held])
        return answers

    def claim(self, entries: Sequence[WorkflowModel]) -> None:
        """See `Journal.claim`."""
        if not entries:
            return
        store = self.processor.store
        store.recover()
        by_key = {required_key(entry): entry for entry in entries}
        numbers = {self.number(key): key for key in by_key}
        texts: dict[str, str] = {}

        def take_up(document: Content) -> None:
            key = document["key"]
            entry = by_key.get(key)
            if entry is None:  # the entry was removed, and its number given to another
                raise self.removed(next(iter(by_key)))
            self.processor.take_up(entry, Document(document, self._numbers[key]))
            texts[key] = entry_text(entry)
            # What is compared with is what this run begins from: another may have registered a later source.
            data = entry_data(entry, texts[key])
            document.update(data=data, due_date=entry.due_date, source=entry.source, run=self.run)

        taken, left = take(store, numbers, store.owner, self.is_free, take_up)
        if len(taken) + len(left) < len(numbers):
            there = {document["key"] for document in (*taken, *left)}
            raise self.removed(next(key for key in by_key if key not in there))
        for document in taken:
            self._hold(by_key[document["key"]], document["key"], texts[document["key"]], document)

    def number(self, key: str) -> int:
        """The number of an entry in the store. Raises StoreError if it is not there any more."""
        if key not in self._numbers:
            document = self.processor.find(key)
            if document is None:
                raise self.removed(key)
            self._numbers[key] = document.doc_id
        return self._numbers[key]

    def change(self, key: str, change: Callable[[Content], None]) -> None:
        """Change the document of an entry. Raises StoreError if it is not there any more."""
        if not self.processor.store.entries.update(change, doc_ids=[self.number(key)]):
            raise self.removed(key)

    def removed(self, key: str) -> StoreError:
        """What says that an entry is not there any more."""
        return StoreError(
            f"the entry {key!r} is no longer in {self.processor.store.path}: it was removed while a run worked on it"
        )

    def is_free(self, holder: str | None) -> bool:
        """Whether no living process works on an entry that has this owner: this one, too, works on each but once."""
        return not (holder and self.processor.store.is_alive(holder))

    def _hold(self, entry: WorkflowModel, key: str, text: str, document: Content) -> None:
        fields = document["data"], set(document["written"]), entry.due_date, entry.source
        self._held[id(entry)] = Held(self._numbers[key], key, entry, text, *fields)

    def _first_document(self, entry: WorkflowModel, key: str, data: dict[str, Any], names: list[str] | None) -> Content:
        return {
            "key": key,
            "processor": self.processor.name,
            "tasks": names or [],
            "data": data,
            "written": [],
            "owner": None,
            "run": self.run,
            "registered": (now := to_text(self.processor.clock())),
            "updated": now,
            **entry_progress(entry),
            **summary(entry, names or [], self.processor.moment),
            **(shown_state(State.READY) if names is None else {}),
        }

    def _register(self, entry: WorkflowModel, document: Document, names: list[str] | None) -> None:
        """Take up a stored entry, and write what its source has changed. Raises EntryError if it cannot be accepted."""
        self._numbers[document["key"]] = document.doc_id
        self.processor.take_up(entry, document)
        tasks = document["tasks"] if names is None else names
        given = {"tasks": tasks, "data": entry_data(entry), "due_date": entry.due_date, "source": entry.source}
        if self.is_free(document["owner"]) and any(document[name] != value for name, value in given.items()):
            shown = summary(entry, tasks, self.processor.moment)
            fields = {**given, **shown, "updated": to_text(self.processor.clock())}
            self.processor.store.entries.update(fields, doc_ids=[document.doc_id])

    def _twice(self, key: str) -> EntryError:
        return EntryError(
            f"two entries of {self.processor.name} have the key {key!r}: the first is processed, "
            "the other is left out; give every entry a key of its own"
        )

    def _task_names(self) -> list[str] | None:
        """None when `get_tasks` raises: that costs each entry for itself, not the run."""
        try:
            return task_names(self.processor.get_tasks())
        except (WorkflowError, StoreError):
            raise
        except Exception:
            return None


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
