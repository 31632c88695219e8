"""What an act was decided on: how each entry stood when somebody looked. An entry that has changed since is refused."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from engine.clock import from_text, to_text
from engine.exceptions import InputError
from engine.lookup.acts import acts_since
from engine.lookup.rows import EntryRow
from engine.state import State
from engine.store import Store

_NOT_STARTED = (State.READY, State.WAITING)
"""Between these time alone moves an entry."""

FINGERPRINT_VERSION = "p1"


@dataclass(frozen=True, slots=True)
class Stamp:
    """How an entry stood when somebody looked: its `state`, the `task` at which it stands, how many `attempts` of that
    there had been, the `error_id` of the newest, and its `repeat` (False, True, or the policy as JSON data)."""

    state: State
    task: str | None
    attempts: int
    error_id: str | None
    repeat: bool | dict[str, Any]

    @classmethod
    def of(cls, row: EntryRow) -> "Stamp":
        """How an entry stands, by its row of a list."""
        return cls(row.state, row.task, row.attempts, row.error_id, row.repeat)

    def differs(self, now: "Stamp") -> bool:
        """Whether it stands otherwise by now."""
        states = self.state, now.state
        moved = self.state is not now.state and not all(state in _NOT_STARTED for state in states)
        return moved or _told(self) != _told(now)

    def words(self) -> str:
        """`failed at Check, attempt 2`."""
        at = f" at {self.task}" if self.task and self.state is not State.FINISHED else ""
        tried = f", attempt {self.attempts}" if at and self.attempts else ""
        return f"{self.state}{at}{tried}" + (", repeat on" if self.repeat else "")

    def to_json(self) -> dict[str, Any]:
        """What it holds, as JSON data."""
        return {"state": self.state, **_told(self)}


def _told(stamp: Stamp) -> dict[str, Any]:
    return {
        "task": stamp.task,
        "attempts": stamp.attempts,
        "error_id": stamp.error_id,
        "repeat": stamp.repeat,
    }


@dataclass
class Basis:
    """What an act is decided on, as `preview` gives it, and a file may keep it.

    Args:
        verb: what was to be done.
        words: what is typed behind `wfe` for it.
        moment: when it was looked (UTC).
        stamps: the entries that were looked at, by processor (`module:Class`) and key.
    """

    verb: str
    words: tuple[str, ...]
    moment: datetime
    stamps: dict[tuple[str, str], Stamp] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """The name of this plan: another verb, other entries, or one that stands otherwise give another."""
        lines = sorted(orjson.dumps([*name, stamp.to_json()]) for name, stamp in self.stamps.items())
        told = b"\n".join([orjson.dumps(self.words), *lines])
        return f"{FINGERPRINT_VERSION}:{hashlib.sha256(told).hexdigest()[:12]}"

    def keys(self) -> dict[str, tuple[str, ...]]:
        """The keys of the entries, by processor."""
        found: dict[str, list[str]] = {}
        for processor, key in self.stamps:
            found.setdefault(processor, []).append(key)
        return {processor: tuple(keys) for processor, keys in found.items()}

    def refusal(self, store: Store, entry: int, now: EntryRow) -> str | None:
        """Why nothing is to be done to an entry: it is not one that was looked at, or stands otherwise by now.

        Args:
            store: where it is.
            entry: its number.
            now: its row, as it stands.
        """
        before = self.stamps.get((now.processor, now.key))
        if before is None:
            return "it was not in the plan"
        stands = Stamp.of(now)
        if not before.differs(stands):
            return None
        by = "".join(f", {act}" for act in acts_since(store, entry, self.moment))
        return f"it has changed since you looked: it was {before.words()}, it is {stands.words()}{by}"

    def save(self, path: Path) -> None:
        """Write it to a file, which `read` reads.

        Raises:
            InputError: that cannot be written.
        """
        head = {"plan": self.fingerprint, "verb": self.verb, "words": self.words, "moment": to_text(self.moment)}
        entries = (
            {"processor": processor, "key": key, **stamp.to_json()} for (processor, key), stamp in self.stamps.items()
        )
        try:
            path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in (head, *entries)))
        except OSError as error:
            raise InputError(f"the plan cannot be written to {path} ({error.strerror}): name another file") from error

    @classmethod
    def read(cls, path: Path, verb: str) -> "Basis":
        """The basis that `save` has written.

        Args:
            path: the file.
            verb: the name of the verb that it has to be of.

        Raises:
            InputError: it cannot be read, is no plan, was changed since it was written, or is one of another verb.
        """
        try:
            head, *entries = map(orjson.loads, path.read_bytes().splitlines())
            read = cls(head["verb"], tuple(head["words"]), from_text(head["moment"]))
            for line in entries:
                processor, key, state = line.pop("processor"), line.pop("key"), State(line.pop("state"))
                read.stamps[processor, key] = Stamp(state=state, **line)
        except OSError as error:
            raise InputError(f"the plan {path} cannot be read ({error.strerror}): write one with --dry-run") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path} is no plan: write one with --dry-run --out {path}") from error
        if read.fingerprint != head.get("plan"):
            raise InputError(f"{path} was changed since it was written: write it again with --dry-run --out {path}")
        if read.verb != verb:
            raise InputError(f"{path} is a plan to {read.verb}, not to {verb}: give it to `wfe {read.verb.split()[0]}`")
        return read
