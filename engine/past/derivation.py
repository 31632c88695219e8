"""Makes of a copy of a store what the store was at a moment; `engine.past` says of each document what it was."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from operator import itemgetter
from typing import Any, Literal

from pydantic import ValidationError
from tinydb import where
from tinydb.queries import QueryInstance
from tinydb.table import Document

from engine.clock import from_text, local_time, to_text
from engine.journal.base import Ending
from engine.operations.undoing import put_back
from engine.operations.verbs import Refusal
from engine.past import Pass, Then, action_as_of, entry_as_of, group_as_of, run_as_of, verdict_as_of
from engine.state import State
from engine.store import Store
from engine.store.logs import TABLE as LOGS
from engine.store.retention import last_pruning
from engine.store.table import DocumentTable
from engine.text import counted
from engine.verdicts import Verdict
from engine.wishes import Wish

Progress = Callable[[int, int], object]
"""Is told how many entries of how many are derived."""

_PAGE = 500


@dataclass
class _Counts:
    """How much could not be known."""

    later: int = 0
    inferred: int = 0
    unregistered: int = 0


class Derivation:
    """Makes of a copy of a store what the store was, in a transaction of the caller's."""

    def __init__(self, store: Store, copy: Store, moment: datetime, owner: str) -> None:
        self.store = store
        self.copy = copy
        self.text = to_text(moment)
        self.runs = {run.doc_id: run for run in copy.runs.all()}
        self.then = Then(moment, owner, self._passes(moment))
        self.counts = _Counts()
        later = copy.actions.search(where("when") > self.text)
        self.later = {action.doc_id: action for action in later}

    def derive(self, progress: Progress | None) -> list[str]:
        """Do it; the sentences of what could not be known."""
        at_work = [run.number for passes in self.then.passes for run in self.then.at_work(passes)]
        not_reversed = self._not_reversed()
        self._put_back()
        self._entries(progress)
        self._verdicts()
        self._actions()
        self.copy.errors.remove(where("time") > self.text)
        self._wishes_and_figures(at_work)
        self.copy.runs.remove(where("started") > self.text)
        self._groups()
        return list(self._unknown(at_work, not_reversed))

    # --- runs

    def _passes(self, moment: datetime) -> dict[str, list[Pass]]:
        """The runs that had begun."""
        passes: dict[str, list[Pass]] = defaultdict(list)
        of_acts = set(map(itemgetter("run"), self.copy.actions.search(where("run") != None)))  # noqa: E711 - a query
        for number, run in self.runs.items():
            began = from_text(run["started"])
            if began <= moment:
                # One whose process has died was alive as long as it gave a sign of it.
                end = run["ended"] or (None if self.store.is_alive(run["owner"]) else run["updated"])
                ended = from_text(end) if end else None
                passes[run["processor"]].append(Pass(number, began, ended, _considered(run, number in of_acts)))
        for each in passes.values():
            each.sort(key=lambda run: run.began)
        return dict(passes)

    def _wishes_and_figures(self, at_work: Iterable[int]) -> None:
        asked: QueryInstance = where("verb").one_of(list(Wish)) & (where("run").one_of(list(at_work)))
        wishes = {action["run"]: action["verb"] for action in self.copy.actions.search(asked)}
        for number in at_work:
            run = self.runs[number]
            written = (where("processor") == run["processor"]) & (where("updated") >= run["started"])
            states = self.copy.entries.counts("state", written)
            was = run_as_of(run, self.then, wishes.get(number), states)
            self.copy.runs.update(_becomes(was), doc_ids=[number])

    # --- entries

    def _entries(self, progress: Progress | None) -> None:
        changed = self.copy.entries.ids(where("updated") > self.text)
        for at, page in enumerate(_pages(changed)):
            self._page(page)
            if progress:
                progress(min((at + 1) * _PAGE, len(changed)), len(changed))
        self._left_running()

    def _page(self, numbers: list[int]) -> None:
        """Write entries that have changed since as they were."""
        documents = self.copy.entries.get(doc_ids=numbers)
        verdicts: dict[int, list[Document]] = defaultdict(list)
        for verdict in self.copy.verdicts.search(where("entry").one_of(numbers)):
            verdicts[verdict["entry"]].append(verdict)
        failures = self._failures(documents)
        was: dict[int, dict[str, Any]] = {}
        gone: list[int] = []
        for document in documents:
            mine = [{**verdict, "id": verdict.doc_id} for verdict in verdicts[document.doc_id]]
            with suppress(KeyError, TypeError, ValidationError):  # one that no run has written stays as it is
                own = failures[document["processor"], document["key"]]
                entry = entry_as_of(document, self.then, mine, own, self._had_died)
                if entry is None:
                    gone.append(document.doc_id)
                    self.counts.unregistered += "registered" not in document
                else:
                    self._count(entry)
                    was[document.doc_id] = self._with_logs(entry)
        _rewrite(self.copy.entries, was)
        self.copy.entries.remove(doc_ids=gone)

    def _failures(self, documents: Iterable[Document]) -> Mapping[tuple[str, str], list[Document]]:
        """The errors of these entries that belong to none of their tasks."""
        found: dict[tuple[str, str], list[Document]] = defaultdict(list)
        keys = [document["key"] for document in documents]
        for error in self.copy.errors.search(where("key").one_of(keys) & (where("task") == None)):  # noqa: E711
            found[error["processor"], error["key"]].append(error)
        return found

    def _had_died(self, error_id: str) -> bool:
        """Whether the error by which an execution ended was recorded by then."""
        error = self.copy.errors.get(where("error_id") == error_id)
        return error is None or error["time"] <= self.text

    def _with_logs(self, entry: dict[str, Any]) -> dict[str, Any]:
        """An entry without what was logged later."""
        if not entry.get(LOGS):
            return entry
        ended = {(each["name"], each["run_count"]) for each in entry["executions"] or () if not each["running"]}
        logs = self.copy.db.table(LOGS).get(doc_ids=entry[LOGS])
        return entry | {LOGS: [log.doc_id for log in logs if (log["task"], log["attempt"]) in ended]}

    def _count(self, entry: Mapping[str, Any]) -> None:
        self.counts.later += bool(entry["later"])
        self.counts.inferred += entry["inferred"]

    def _left_running(self) -> None:
        """Of entries that have not changed since: who worked on them then, and lives, works on them in the copy."""
        running = where("state") == State.RUNNING
        others = self.copy.entries.search(running & (where("owner") != self.then.owner))
        lasting = {run.number for name in self.then.passes for run in self.then.at_work(name)}
        alive = [entry.doc_id for entry in others if entry["run"] in lasting]
        if alive:
            self.copy.entries.update({"owner": self.then.owner}, doc_ids=alive)

    # --- what operators did

    def _not_reversed(self) -> int:
        """On how many entries an older version acted since, which did not keep how they stood before."""
        old = (action for action in self.later.values() if "undone_by" not in action)
        return len({(a["processor"], key) for a in old for key, why in a["results"].items() if why is None})

    def _put_back(self) -> None:
        """Take back what was done since, but not to entries."""
        for action in reversed(self.later.values()):
            if action.get("inverse"):
                with suppress(Refusal):
                    put_back(self.copy, action["inverse"], action["processor"])

    def _verdicts(self) -> None:
        table = self.copy.verdicts
        since: QueryInstance = (where("settled") > self.text) | (where("verdict") == Verdict.WAITING)
        numbers = {*table.ids(since), *table.ids(where("action").one_of(list(self.later)))}
        for page in _pages(sorted(numbers)):
            was = {row.doc_id: verdict_as_of(row, self.then) for row in table.get(doc_ids=page)}
            _rewrite(table, {number: row for number, row in was.items() if row is not None})
            table.remove(doc_ids=[number for number, row in was.items() if row is None])

    def _actions(self) -> None:
        table = self.copy.actions
        table.remove(doc_ids=list(self.later))
        ended = [n for n, run in self.runs.items() if run["ended"] is None or run["ended"] > self.text]
        concerned: QueryInstance = (where("open") == True) | where("run").one_of(ended)  # noqa: E712 - a query
        named = [action[name] for action in self.later.values() for name in ("undoes", "of") if action.get(name)]
        numbers = {*table.ids(concerned), *named}
        was: dict[int, dict[str, Any]] = {}
        for action in table.get(doc_ids=sorted(numbers)):
            rows = self.copy.verdicts.ids(where("action") == action.doc_id) if action.get("canary") else []
            verdicts = self.copy.verdicts.get(doc_ids=rows)
            was[action.doc_id] = action_as_of({**action, "id": action.doc_id}, self.then, self.later, verdicts)
        _rewrite(table, was)

    def _groups(self) -> None:
        table = self.copy.groups
        _rewrite(table, {group.doc_id: group_as_of(group, self.then) for group in table.all()})

    # --- what could not be known

    def _unknown(self, at_work: list[int], not_reversed: int) -> Iterator[str]:
        counts = self.counts
        if (pruned := last_pruning(self.store)) and pruned["when"] > self.text:
            before = local_time(from_text(pruned["before"]))
            yield f"what was finished before {before} is missing: `wfe prune` has removed it since"
        if counts.later:
            whose = counted(counts.later, "entry", "entries")
            yield f"the data of {whose} may be of later: tasks that write on it were executed since"
        if at_work:
            names = ", ".join(map(str, at_work[:3])) + (", …" if len(at_work) > 3 else "")
            yield f"how far run {names} was is counted by the entries that had been written since it began"
        if counts.inferred:
            whose = counted(counts.inferred, "entry", "entries")
            yield f"how runs that executed nothing on {whose} have left them is inferred from the runs there were"
        if not_reversed:
            whose = counted(not_reversed, "entry", "entries")
            yield f"how {whose} stood is not known: a version that kept nothing of before has acted since"
        if counts.unregistered:
            whose = counted(counts.unregistered, "entry", "entries")
            yield f"{whose}, executed only later, may have been there: the version then did not keep since when"


def _considered(run: Mapping[str, Any], is_of_act: bool) -> Literal["all", "some", "none"]:
    """Which entries a run has considered."""
    if not run["considered"]:
        return "none"
    is_broken_off = run["ended"] is not None and run["ending"] != Ending.COMPLETED
    return "some" if is_of_act or is_broken_off else "all"


def _rewrite(table: DocumentTable, was: Mapping[int, Mapping[str, Any]]) -> None:
    """Put documents in the place of those with these numbers."""
    numbers = iter(was)

    def write(document: Any) -> None:
        new = was[next(numbers)]
        document.clear()
        document.update(new)

    if was:
        table.update(write, doc_ids=list(was))


def _becomes(new: Mapping[str, Any]) -> Callable[[Any], None]:
    def write(document: Any) -> None:
        document.clear()
        document.update(new)

    return write


def _pages(numbers: Iterable[int]) -> Iterator[list[int]]:
    waiting = iter(numbers)
    while page := list(islice(waiting, _PAGE)):
        yield page
