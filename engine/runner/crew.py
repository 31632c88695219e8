"""Carries the entries of a run on an executor: many on their way at once, each contributing its one next task.

One thread, the run's own, plans, hands out and writes down; workers only execute. Executions of one task travel in
batches, as many as a worker does in about a tenth of a second, so that the way costs little; what takes longer goes one
by one, to a worker that is free, so that nothing waits behind it.
"""

import tempfile
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from engine.errors import one_line
from engine.exceptions import ClaimLost, TimedOut, WorkerDied, WorkflowError
from engine.executors.batch import Batch, Executor, line_number, outcome_of
from engine.executors.loop import LoopExecutor
from engine.model import WorkflowModel
from engine.runner.flight import Flight
from engine.runner.outcome import Call, End, Outcome, Report
from engine.runner.performing import failed, is_async
from engine.store.recording import Recording, read_lines
from engine.task import Task
from engine.wishes import Wish

if TYPE_CHECKING:
    from engine.runner.run import Run

BATCH_SECONDS = 0.1
"""How long a worker should be busy with a batch."""
WINDOW = 8
"""Batches a worker that are handed out at most, so that none waits for the next."""
MOST_CALLS = 256
"""Executions in one batch."""
MOST_HANDED_OUT = 4096
"""Executions in all batches together: some more entries than that are claimed and in memory."""
MOST_FALSE_STARTS = 5
"""Deaths of workers before they began anything, after which no other is started."""
POLL = 0.25
"""Seconds after which it is looked whether to stop, at the latest."""

Waiting = tuple[Flight, Call]


class Crew:
    """Carries entries of one run.

    Args:
        run: says which entries are taken up, and counts them when they land.
        executor: executes.
    """

    def __init__(self, run: "Run", executor: Executor) -> None:
        self.run = run
        self.processor = run.processor
        self.executor = executor
        self.loop: LoopExecutor | None = None
        self._ready: defaultdict[str, deque[Waiting]] = defaultdict(deque)
        self._pending: dict[Future[Report], tuple[Batch, list[Flight]]] = {}
        self._busy: Counter[Executor] = Counter()
        self._ended: SimpleQueue[Future[Report]] = SimpleQueue()
        self._pace: defaultdict[str, _Pace] = defaultdict(_Pace)
        self._folder: Path | None = None
        self._files = count(1)
        self._false_starts = 0

    def carry(self, entries: Iterator[WorkflowModel]) -> None:
        """Carry all of these entries as far as they go, or until the run is asked to stop."""
        with ExitStack() as stack:
            if self.executor.records and self.executor.is_remote and self.run.journal.record() is None:
                self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wfe-")))
            self.executor.open(self.processor, self.run.dry_run)
            try:
                self._carry(entries)
            except BaseException:
                with self.processor.stopping.shield():
                    self._abort()
                raise
            self._shut_down(abort=bool(self._pending))

    def _carry(self, entries: Iterator[WorkflowModel]) -> None:
        while True:
            wish = self.run.wish()
            moved = self._fill(entries) if wish is None else 0
            with self.processor.stopping.shield():
                if wish is not None:
                    self._take_back(also_begun=wish is Wish.STOP)
                moved += self._hand_out()
                if not self._pending and not moved and not any(self._ready.values()):
                    return
                self.processor.stopping.heed()
                self._receive(wait=not moved)
            self.run.progress()

    # --- out

    def _fill(self, entries: Iterator[WorkflowModel]) -> int:
        """Take up entries until there is enough to hand out; how many were considered."""
        considered = 0
        room = self._room()
        self.run.wanted = max(room, 1)
        brake = self.run.journal.brake
        while room > sum(map(len, self._ready.values())) and not self.run.is_full:
            if brake is not None and self.run.result.in_progress >= brake.in_flight:
                break
            entry = next(entries, None)
            if entry is None:
                break
            considered += 1
            flight = self.run.take_up(entry)
            if flight is not None:
                self.run.result.in_progress += 1
                self._advance(flight)
        return considered

    def _room(self) -> int:
        """How many executions may wait to be handed out."""
        largest = max(map(self._calls, self._pace), default=1)
        return max(2 * self.executor.workers * largest, self.executor.workers)

    def _advance(self, flight: Flight) -> None:
        """Bring a flight to its next execution, or down."""
        try:
            call = flight.next()
            if call is not None:
                self._ready[call.name].append((flight, call))
                return
            self.run.result.in_progress -= 1
            self.run.land(flight.entry, list(flight.tasks))
        except BaseException as error:
            self.run.lose(error, flight.entry)

    def _hand_out(self) -> int:
        """Hand out what can be; how many executions that were."""
        batches: list[tuple[Batch, list[Flight]]] = []
        for name in reversed(list(self._ready)):
            while (made := self._next_batch(name)) is not None:
                batches.append(made)
        begun = [call for batch, _ in batches if batch.is_started for call in batch.calls]
        lost = set(map(id, self.run.journal.start(begun) if begun else ()))
        for batch, flights in batches:
            if not batch.is_started:
                lost.update(map(id, self.run.journal.start(batch.calls, batch.recording)))
            self._submit(batch, flights, lost)
        return sum(len(batch.calls) for batch, _ in batches)

    def _next_batch(self, name: str) -> tuple[Batch, list[Flight]] | None:
        """The next executions of one task, if a worker may have them now."""
        ready = self._ready[name]
        if not ready:
            return None
        task = ready[0][1].task
        executor = self._executor_for(task)
        calls = 1 if task.timeout or task.rate or executor is self.loop else self._calls(name)
        window = executor.workers * (WINDOW if calls > 1 else 1)
        if self._busy[executor] >= window or self.processor.limits.delay(task) != 0.0:
            return None
        self._busy[executor] += 1
        self.processor.limits.begin(task)
        taken = [ready.popleft() for _ in range(min(calls, len(ready)))]
        for flight, call in taken:
            flight.begin(call)
        batch = Batch([call for _, call in taken])
        batch.recording = self._recording() if executor.records else None
        batch.is_started = calls == 1 or not executor.records
        if executor.is_remote:
            batch.timeout = task.timeout
        return batch, [flight for flight, _ in taken]

    def _calls(self, name: str) -> int:
        """How many executions of a task make a batch."""
        return max(1, min(self._pace[name].calls, MOST_HANDED_OUT // (WINDOW * self.executor.workers)))

    def _executor_for(self, task: Task) -> Executor:
        if not is_async(task):
            return self.executor
        if self.loop is None:
            self.loop = LoopExecutor()
            self.loop.open(self.processor, self.run.dry_run)
        return self.loop

    def _recording(self) -> Recording | None:
        if self._folder is not None:
            return Recording(self._folder / str(next(self._files)))
        return self.run.journal.record()

    def _submit(self, batch: Batch, flights: list[Flight], lost: set[int]) -> None:
        executor, task = self._executor_for(batch.calls[0].task), batch.calls[0].task
        kept = [(flight, call) for flight, call in zip(flights, batch.calls, strict=True) if id(call) not in lost]
        for flight, call in zip(flights, batch.calls, strict=True):
            if id(call) in lost:
                self.run.result.in_progress -= 1
                self.run.lose(ClaimLost(call.name), flight.entry)
        if not kept:
            self._busy[executor] -= 1
            self.processor.limits.end(task)
            return
        batch.calls = [call for _, call in kept]
        future = executor.submit(batch)
        self._pending[future] = batch, [flight for flight, _ in kept]
        future.add_done_callback(self._ended.put)
        if batch.is_started:
            for flight, call in kept:
                flight.tell_start(call)

    def _take_back(self, *, also_begun: bool) -> None:
        """The run takes nothing more: what waits to be handed out is not begun; `also_begun`: nor does it go on."""
        for ready in self._ready.values():
            goes_on = [(flight, call) for flight, call in ready if flight.has_begun and not also_begun]
            left = [flight for flight, _ in ready if also_begun or not flight.has_begun]
            ready.clear()
            ready.extend(goes_on)
            for flight in left:
                self._put_down(flight)

    def _put_down(self, flight: Flight) -> None:
        self.run.result.in_progress -= 1
        try:
            self.run.land(flight.entry, list(flight.tasks))
        except BaseException as error:
            self.run.lose(error, flight.entry)

    # --- back

    def _receive(self, *, wait: bool) -> None:
        """Take what has ended; at least one, if it is to be waited for."""
        if wait:
            self.run.journal.flush()
        try:
            future = self._ended.get(block=wait, timeout=self._patience() if wait else None)
            while True:
                self._take(future)
                future = self._ended.get_nowait()
        except Empty:
            return

    def _patience(self) -> float:
        """Seconds to wait for what ends, since something else may be to do then."""
        waiting = [ready[0][1].task for ready in self._ready.values() if ready]
        delays = [delay for task in waiting if (delay := self.processor.limits.delay(task))]
        return min([POLL, *delays])

    def _take(self, future: "Future[Report]") -> None:
        batch, flights = self._pending.pop(future)
        executor, task = self._executor_for(batch.calls[0].task), batch.calls[0].task
        self._busy[executor] -= 1
        self.processor.limits.end(task)
        try:
            report = future.result()
        except (Exception, CancelledError) as error:
            report = self._what_is_recorded(batch, error)
        self.processor.merge_statistics(report.statistics)
        self._pace[batch.calls[0].name].measure(
            [outcome.seconds for outcome in report.outcomes if outcome and outcome.seconds is not None]
        )
        for flight, call, outcome in zip(flights, batch.calls, report.outcomes, strict=True):
            if outcome is None:
                flight.withdraw(call)
                self._ready[call.name].appendleft((flight, call))
                continue
            try:
                flight.take(call, outcome)
            except BaseException as error:
                self.run.result.in_progress -= 1
                self.run.lose(error, flight.entry)
                continue
            self._advance(flight)
        if batch.recording is not None:
            self.run.journal.spend(batch.recording)

    def _what_is_recorded(self, batch: Batch, error: BaseException) -> Report:
        """What is known of a batch whose worker did not answer: what it recorded; the rest it has not begun."""
        if not isinstance(error, WorkerDied | TimedOut):
            error = WorkerDied(f"the worker did not answer: {one_line(error)}")
        end = End.FAILED if isinstance(error, TimedOut) else End.DIED
        if batch.recording is None:
            return Report([failed(self.processor, call, error, end) for call in batch.calls])
        lines = {line["id"]: line for line in read_lines(batch.recording.path)}
        if not lines:
            self._false_starts += 1
            if self._false_starts > MOST_FALSE_STARTS:
                raise WorkflowError(f"the workers end before they begin a task, again and again: {error}")
        outcomes: list[Outcome | None] = []
        for at, call in enumerate(batch.calls):
            line = lines.get(line_number(call, at))
            recorded = None if line is None else outcome_of(line, call)
            outcomes.append(recorded if line is None or recorded else failed(self.processor, call, error, end))
        return Report(outcomes)

    def _abort(self) -> None:
        """Break off what is under way: of what was begun, nobody knows whether it took effect."""
        self._shut_down(abort=True)
        for future in list(self._pending):
            if future.done() and not future.cancelled() and future.exception() is None:
                self._take(future)
                continue
            batch, flights = self._pending.pop(future)
            if future.cancelled() and not is_async(batch.calls[0].task):  # it had not come to a worker yet
                report = Report([None] * len(batch.calls))
            else:
                report = self._what_is_recorded(batch, WorkerDied("the run was broken off while it was executed"))
            for flight, call, outcome in zip(flights, batch.calls, report.outcomes, strict=True):
                if outcome is None:
                    flight.withdraw(call)
                else:
                    flight.take(call, outcome)
                self._put_down(flight)
            if batch.recording is not None:
                self.run.journal.spend(batch.recording)
        self._take_back(also_begun=True)

    def _shut_down(self, *, abort: bool) -> None:
        self.executor.shutdown(abort=abort)
        if self.loop is not None:
            self.loop.shutdown(abort=abort)
            self.loop = None


class _Pace:
    """How many executions of a task make a batch, by how long they took so far."""

    def __init__(self) -> None:
        self.calls = 1
        self._seconds: float | None = None

    def measure(self, seconds: list[float]) -> None:
        """These executions took so long; the newest count most, and a batch at most doubles."""
        if not seconds:
            return
        mean = sum(seconds) / len(seconds)
        self._seconds = mean if self._seconds is None else 0.7 * self._seconds + 0.3 * mean
        fitting = int(BATCH_SECONDS / max(self._seconds, 1e-6))
        self.calls = max(1, min(fitting, 2 * self.calls, MOST_CALLS))
