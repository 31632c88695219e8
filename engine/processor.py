"""A workflow: which entries there are, which tasks they go through, and where they are written."""

import os
from abc import ABC, abstractmethod
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from engine.clock import Clock, as_utc, utc_now
from engine.due_date import parse_due_date
from engine.exceptions import ClaimLost, InputError
from engine.executors import make_executor
from engine.executors.batch import Executor
from engine.identity import entry_key
from engine.journal.base import SILENT, Journal, RunResult
from engine.model import TaskExecution, WorkflowModel
from engine.runner.events import Events
from engine.runner.flight import Flight
from engine.runner.limits import Limits
from engine.runner.performing import perform
from engine.runner.run import Run
from engine.runner.stopping import Stop
from engine.state import State
from engine.statistics import Statistics, TimeBlock
from engine.task import Task
from engine.wishes import Wish


class Processor(ABC):
    """Base of a workflow that keeps its entries in a storage of its own: a database, a service, files.

    Who has no such storage subclasses `StoredProcessor` instead, which keeps entries, errors and runs in a `Store`:
    with that come the console, the operator's verbs and what is promised when a process dies. A subclass of this one
    implements

    * `get_default_entries`: the entries, parsed or raw
    * `get_entry`: parses a raw one
    * `get_tasks`: the tasks, in order
    * `write_entry`: keeps an entry after each of its executions
    * `close`: the end of a run

    and may extend `filter`, or override the hooks, `on_run_start` to `on_error`: a run calls them in its own thread and
    waits for them; what they raise, but for KeyboardInterrupt, is logged, and the run goes on. A dry run calls none. In
    which order, `engine.runner.events` tells. `process_entries` makes a run.

    Args:
        consider_date: the moment that due dates and repeats are judged at: a datetime (without a zone: local time) or
            ``dd.mm.yyyy``. None: the environment variable ``consider_date``, else the present moment of each question.
        clock: where moments are taken from.

    Attributes:
        keep_locals: with the frames of an error that are the user's own code, the values of local variables are
            kept, too: a short text of each. What is called password, token, or the like is masked; personal
            data is not.
        journal: what writes a run down beside the entries: the engine's own, not to be replaced.
        observer: called after each entry of a run, to show its progress.
        stopping: by this a program, from any thread, asks the runs of this object to end:
            `processor.stopping.ask(grace=30)` lets what is under way go on for so many seconds. It is not taken
            back.
        statistics: counters, a tree of numbers, to which `statistic_increment` adds.
        time_statistics: timers by name, which `get_time_statistic` makes.

    Raises:
        InputError: `consider_date` is no date.

    Example::

        class Countries(Processor):
            def get_default_entries(self):
                return ["DE", "NO"]

            def get_entry(self, selection):
                return Order(key=selection, country=selection)

            def get_tasks(self):
                return [Ship(self)]

            def write_entry(self, entry, execution):
                print(entry.model_dump_json())

            def close(self):
                pass

        result = Countries().process_entries()
        assert result.states == {"finished": 1, "waiting": 1}
    """

    keep_locals: bool = False
    journal: Journal = SILENT
    observer: Callable[[RunResult], None] | None = None
    stopping: Stop
    statistics: Statistics
    time_statistics: dict[str, TimeBlock]

    def __init__(self, consider_date: datetime | str | None = None, *, clock: Clock = utc_now) -> None:
        super().__init__()
        self.clock = clock
        self.statistics = Statistics()
        self.time_statistics: dict[str, TimeBlock] = {}
        self._begin_anew()
        self._consider_date = _parsed(consider_date or os.environ.get("consider_date") or None)  # noqa: SIM112

    @property
    def consider_date(self) -> datetime:
        """The moment that entries are judged at, as it was given; without a zone it is local time."""
        return self._consider_date or self.clock().astimezone().replace(tzinfo=None)

    @consider_date.setter
    def consider_date(self, moment: datetime | str | None) -> None:
        self._consider_date = _parsed(moment)

    @property
    def moment(self) -> datetime:
        """The moment that entries are judged at, in UTC."""
        return as_utc(self._consider_date) if self._consider_date else self.clock()

    @abstractmethod
    def get_default_entries(self) -> Iterable[Any]:
        """The entries of a run that was told no others: raw ones, for `get_entry` to parse, or instances."""

    @abstractmethod
    def get_entry(self, selection: Any) -> WorkflowModel | None:
        """The entry for a raw one, or for what an operator names it by; None leaves it out."""

    @abstractmethod
    def get_tasks(self) -> Sequence[Task]:
        """The tasks of the workflow, in order; no two of one name."""

    @abstractmethod
    def write_entry(self, entry: Any, execution: TaskExecution | None) -> Any:
        """Keep an entry, successful or not.

        Args:
            entry: the entry, its executions included.
            execution: the execution that just ended; None when the entry finishes without one.

        Returns:
            Nothing that anybody looks at.
        """

    @abstractmethod
    def close(self) -> None:
        """The end of a run, however it ended: write what is cached, close what is open."""

    def parse_default(self, raw: Any) -> WorkflowModel | None:
        """The entry for one of `get_default_entries`: an instance is taken as it is, a raw one goes to `get_entry`."""
        return raw if raw is None or isinstance(raw, WorkflowModel) else self.get_entry(raw)

    def find_selections(self, selections: Iterable[Any]) -> Iterable[Any]:
        """What `get_entry` is given in a run that was told its entries: the selections themselves."""
        return selections

    def filter(self, entry: Any) -> bool:
        """Whether an entry is processed in this run: not if it is finished, nor before its due date."""
        return self.filter_by_already_finished(entry) and self.filter_by_due_date(entry)

    def filter_by_already_finished(self, entry: WorkflowModel) -> bool:
        """Whether an entry is still open."""
        if entry.finished is not None:
            self.statistic_increment("process", "already_finished")
            return False
        return True

    def filter_by_due_date(self, entry: WorkflowModel) -> bool:
        """Whether an entry's due date, if it has one, is ripe.

        Raises:
            InputError: the due date is in none of the documented forms.
        """
        if entry.due_date and not parse_due_date(entry.due_date).is_ripe(self.moment):
            self.statistic_increment("filter", "not_ripe")
            return False
        return True

    def process_tasks(self, entry: Any, dry_run: bool = False) -> bool:
        """Take one entry through the tasks that its plan says, here and one after the other.

        A run on an executor does not call this: it hands out the executions of many entries.

        Args:
            entry: what the tasks change is changed on it, and `write_entry` is given it after each.
            dry_run: the tasks are called with `dry_run=True`, and nothing is written.

        Returns:
            True unless it was interrupted, or failed.

        Raises:
            ClaimLost: another process has taken the entry meanwhile.
        """
        journal = SILENT if dry_run else self.journal
        flight = Flight(self, entry, journal, dry_run)
        while not self._is_to_stop(journal) and (call := flight.next()) is not None:
            if not self._may_begin(call.task, journal):
                break
            flight.begin(call)
            if journal.start((call,)):
                raise ClaimLost(f"the entry {entry_key(entry)!r} is another's by now")
            flight.tell_start(call)
            self.limits.begin(call.task)
            flight.take(call, perform(self, call, dry_run))
            self.limits.end(call.task)
        return flight.goes_on

    def process_entries(
        self,
        selections: Iterable[Any] | None = None,
        limit: int | None = None,
        dry_run: bool = False,
        *,
        executor: Executor | str | None = None,
        workers: int | None = None,
    ) -> RunResult:
        """One run: consider each entry once. What goes wrong with one entry costs that entry alone.

        Args:
            selections: what `get_entry` takes, one for each entry; None is the default entries.
            limit: how many eligible entries to process at most; None is no limit.
            dry_run: the tasks are called with `dry_run=True`, and nothing is written.
            executor: where the executions are carried out: "inline" (here, one entry after the other), "threads",
                "processes", or an executor, such as `engine.executors.dask.DaskExecutor`. None: threads if `workers`
                are given, else inline.
            workers: how many threads or processes; None is one a core.

        Returns:
            What the run did.

        Raises:
            InputError: there is no such executor.
            WorkflowError: the workflow is wrong for every entry alike, or cannot be sent to other processes.
            StoreError: the store cannot be written.
        """
        return Run(self, selections, limit, dry_run, make_executor(executor, workers)).execute()

    def on_run_start(self, run: RunResult) -> None:  # noqa: B027
        """A hook: a run begins."""

    def on_run_finish(self, run: RunResult) -> None:  # noqa: B027
        """A hook: a run is over, after `close`; `run.ending` says how."""

    def on_entry_start(self, entry: Any) -> None:  # noqa: B027
        """A hook: a run takes an entry up."""

    def on_entry_finish(self, entry: Any, state: State) -> None:  # noqa: B027
        """A hook: a run is through with `entry`, which it leaves in `state`; *running*: another has taken it."""

    def on_refusal(self, sentence: str) -> None:  # noqa: B027
        """A hook: an entry could not be accepted; the sentence says which, and why."""

    def on_task_start(self, entry: Any, execution: TaskExecution) -> None:  # noqa: B027
        """A hook: `execution`, of a task on `entry`, begins, and that is recorded. Of those that travel in one batch it
        is told late: when they have ended."""

    def on_task_finish(self, entry: Any, execution: TaskExecution) -> None:  # noqa: B027
        """A hook: `execution`, of a task on `entry`, has ended, as its fields say, and is recorded."""

    def on_error(self, error_record: dict[str, Any]) -> None:  # noqa: B027
        """A hook: an unexpected exception; its record as `engine.errors.error_record` describes it. That of a task is
        told before the end of its execution."""

    def process(self, args: Namespace) -> RunResult:
        """Make one run as a command line asks for it, and time it as `process_entries`.

        Args:
            args: `subs` are the selections (none: the default entries); `limit` and `dryrun` as in `process_entries`.

        Returns and raises: see `process_entries`.
        """
        with self.get_time_statistic("process_entries"):
            return self.process_entries(args.subs or None, args.limit, args.dryrun)

    def get_statistics(self, args: Namespace | None = None) -> dict[str, Any]:
        """A copy of the counters, with the timers (seconds) under `time_statistics`."""
        timers = {name: block.dict() for name, block in self.time_statistics.items()}
        return {**self.statistics.snapshot(), "time_statistics": timers}

    def statistic_increment(self, *subs: str) -> None:
        """Add one to a counter: `statistic_increment("entries", "success")` counts `statistics["entries"]["success"]`.

        Raises:
            InputError: the name of a branch is used as a counter, or the other way round.
        """
        self.statistics.increment(*subs)

    def forget_statistics(self) -> None:
        """Count from nothing again, as a worker does for each batch."""
        self.statistics, self.time_statistics = Statistics(), {}

    def merge_statistics(self, others: Mapping[str, Any]) -> None:
        """Add what was counted in a worker, given as its `get_statistics`."""
        self.statistics.merge({name: value for name, value in others.items() if name != "time_statistics"})
        for name, block in others.get("time_statistics", {}).items():
            self.get_time_statistic(name).merge(block)

    def __getstate__(self) -> dict[str, Any]:
        """What travels to another process: the attributes of the subclass. What belongs to a run stays here."""
        return {name: value for name, value in self.__dict__.items() if name not in _OF_THE_RUN}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.forget_statistics()
        self._begin_anew()

    def _begin_anew(self) -> None:
        self.stopping, self.limits, self.events = Stop(), Limits(), Events(self)

    def _is_to_stop(self, journal: Journal) -> bool:
        return self.stopping.is_asked or journal.wish() is Wish.STOP

    def _may_begin(self, task: Task, journal: Journal) -> bool:
        """Wait until an execution of a task that is limited may begin; False if it is not to begin any more."""
        while delay := self.limits.delay(task):
            journal.flush()
            if self.stopping.wait(min(delay, _PATIENCE)) or self._is_to_stop(journal):
                return False
        return True

    def get_time_statistic(self, name: str) -> TimeBlock:
        """The timer of this name, made when it is first asked for: ``with self.get_time_statistic("load"): …``."""
        block = self.time_statistics.get(name)
        return block if block is not None else self.time_statistics.setdefault(name, TimeBlock())


_PATIENCE = 0.25
"""Seconds to wait before it is looked again whether to stop."""

_OF_THE_RUN = {"journal", "statistics", "time_statistics", "observer", "stopping", "limits", "events"}


def _parsed(moment: datetime | str | None) -> datetime | None:
    if moment is None or isinstance(moment, datetime):
        return moment
    for read in (lambda text: datetime.strptime(text, "%d.%m.%Y"), datetime.fromisoformat):  # noqa: DTZ007
        try:
            return read(moment.strip())
        except ValueError:
            continue
    raise InputError(f"the consider date {moment!r} is not understood: write 14.03.2023 or 2023-03-14 11:12")
