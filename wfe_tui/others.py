"""What others did to the store while this console is open: by another console, a shell or a script. Without Textual.

A row that somebody else has changed is marked until the operator acts on it himself, or has had time to see it."""

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime

from tinydb import where

from engine.clock import age, from_text
from engine.lookup.acts import said
from engine.store import Changes, Store
from engine.text import counted

SHOWN = 60.0
"""Seconds for which a row stays marked after the first key or mouse move since: who was away sees it, too."""


@dataclass(frozen=True, eq=False)
class OthersAction:
    """An action that was not done from here; `when` is UTC.

    `of` and `undoes` are the numbers of the action that it was done to, or that it took back. `entries` are the ids of
    those it was done to, ascending: eight bytes for each. `groups` are the fingerprints of the
    errors that it was about, or that its entries stood failed of, each with how many did. An action that is still being
    done to one after the other `is_through` later.
    """

    number: int
    verb: str
    who: str
    when: datetime
    why: str | None
    processor: str
    run: int | None = None
    of: int | None = None
    undoes: int | None = None
    groups: Mapping[str, int] = field(default_factory=dict)
    entries: "array[int]" = field(default_factory=lambda: array("q"), repr=False)
    is_through: bool = True

    def __contains__(self, entry: int) -> bool:
        at = bisect_left(self.entries, entry)
        return at < len(self.entries) and self.entries[at] == entry

    @property
    def whole(self) -> str:
        """The processor, or the run of one, that it was done to as a whole; empty if it was done to something else."""
        if self.entries or self.groups or self.of is not None:
            return ""
        return f"run {self.run} of {self.processor}" if self.run else self.processor

    def about(self, fingerprints: Collection[str]) -> str:
        """What it has to do with these groups of errors, in words; empty if nothing."""
        concerned = [each for each in fingerprints if each in self.groups]
        failed = sum(self.groups[each] for each in concerned)
        entries = f"{counted(failed, 'entry', 'entries')} failing of " if failed else ""
        return entries + ", ".join(concerned)

    def words(self, now: datetime) -> str:
        """`hold by bob@host, 12s ago: customs`, as people are told at `now` (aware); not literal."""
        ago = age(self.when, now)
        return said(self.verb, f"{self.who}, {'just now' if ago == 'now' else f'{ago} ago'}", self.why)


def read_others(store: Store, numbers: Iterable[int]) -> list[OthersAction]:
    """Those of these actions that were not done from here, in a thread that may wait. Only ids of entries are read."""
    found = []
    for document in store.actions.get(doc_ids=sorted(numbers)):
        if document.get("origin") == store.origin:
            continue
        of_it = where("action") == document.doc_id
        failed_of = store.verdicts.counts("fingerprint", of_it)
        found.append(
            OthersAction(
                number=document.doc_id,
                verb=document["verb"],
                who=document["who"],
                when=from_text(document["when"]),
                why=document["why"],
                processor=document["processor"],
                run=document["run"],
                of=document.get("of"),
                undoes=document.get("undoes"),
                groups={
                    **dict.fromkeys(document.get("groups") or (), 0),
                    **{fingerprint: number for fingerprint, number in failed_of.items() if fingerprint},
                },
                entries=array("q", sorted(store.verdicts.counts("entry", of_it))),
                is_through=len(document["results"]) == len(document["keys"]),
            )
        )
    return found


class Others:
    """The actions of others that are still news, as one console knows them."""

    def __init__(self) -> None:
        self.pending: set[int] = set()
        """The numbers of those that are new, or not through yet: to be read; see `read_others`."""
        self._highest = 0
        self._actions: dict[int, OthersAction] = {}
        self._seen: dict[int, datetime] = {}
        self._answered: dict[int, int] = {}

    def begin(self, highest: int) -> None:
        """The console follows the store from now on; `highest` is the number of the newest action that is no news."""
        self._highest = highest

    def changed(self, changes: Changes) -> bool:
        """Take note of what changed in the store; whether what is pending is to be read."""
        new = [number for number in changes.changed.get("actions", ()) if number > self._highest]
        self._highest = max(self._highest, *new, 0)
        self.pending.update(new)
        return bool(self.pending) and (changes.concern("actions") or changes.concern("verdicts"))

    def take(self, asked: Collection[int], found: Iterable[OthersAction]) -> list[OthersAction]:
        """Take what was found of these numbers; those of them that are through, which happens once to each."""
        self.pending.difference_update(asked)
        through = []
        for action in found:
            self._actions[action.number] = action
            if action.is_through:
                through.append(action)
            else:
                self.pending.add(action.number)
        return through

    def on(self, entry: int) -> OthersAction | None:
        """The newest of them on an entry, unless the operator has acted on that since."""
        since = self._answered.get(entry, 0)
        return next((each for each in reversed(self._actions.values()) if each.number > since and entry in each), None)

    def __contains__(self, entry: object) -> bool:
        return isinstance(entry, int) and bool(self._actions) and self.on(entry) is not None

    def among(self, entries: Set[int]) -> dict[OthersAction, int]:
        """Those that were done to some of these entries, each with to how many, the oldest first."""
        counted = ((each, len(touched(each, entries))) for each in self._actions.values())
        return {each: number for each, number in counted if number}

    def answered(self, entries: Iterable[int]) -> None:
        """The operator has acted on these entries: he knows how they stood."""
        if self._actions:
            self._answered.update(dict.fromkeys(entries, max(self._actions)))

    def looked_at(self, now: datetime) -> None:
        """Somebody is at the console, and sees what is marked."""
        for number in self._actions:
            self._seen.setdefault(number, now)

    def fade(self, now: datetime, kept: Set[int]) -> bool:
        """Forget what has been seen for long enough, but for what was done to the entries `kept`; whether any was."""
        old = [
            each
            for each in self._actions.values()
            if each.number in self._seen
            and (now - self._seen[each.number]).total_seconds() > SHOWN
            and not touched(each, kept)
        ]
        for each in old:
            del self._actions[each.number], self._seen[each.number]
            self.pending.discard(each.number)
        if not self._actions:
            self._answered.clear()
        return bool(old)


def touched(action: OthersAction, entries: Set[int]) -> Collection[int]:
    """Which of these entries it was done to, by way of the fewer ones."""
    if len(entries) * 20 < len(action.entries):
        return [entry for entry in entries if entry in action]
    return {*action.entries} & entries
