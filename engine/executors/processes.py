"""Processes of this machine: for tasks that compute, and for those that have to be killed when they take too long.

Each worker is a process pool of its own with one process in it, so that the death of one worker, wanted or not, breaks
its own batch alone, and one knows whose it was.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import reduction, resource_tracker
from typing import TYPE_CHECKING, Any

from engine.exceptions import TimedOut, WorkerDied, WorkflowError
from engine.executors.batch import Batch, Executor
from engine.executors.shipping import Answer, carry_out_packed, pack, pack_processor, unpack_report
from engine.runner.outcome import Report

if TYPE_CHECKING:
    from engine.processor import Processor

_SPAWN = multiprocessing.get_context("spawn")


class ProcessExecutor(Executor):
    """Carries out batches in `workers` processes, started by spawn: a script needs `if __name__ == "__main__":`."""

    is_remote = True
    records = True

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def open(self, processor: "Processor", dry_run: bool) -> None:
        self._processor, self._dry_run = processor, dry_run
        self._packed = pack_processor(processor)
        self._lock = threading.RLock()
        self._waiting: deque[tuple[Batch, Future[Report]]] = deque()
        self._is_closed = False
        self._free = [_Worker(processor.journal.lifeline()) for _ in range(self.workers)]
        self._working: set[_Worker] = set()

    def submit(self, batch: Batch) -> "Future[Report]":
        future: Future[Report] = Future()
        with self._lock:
            self._waiting.append((batch, future))
            self._hand_out()
        return future

    def shutdown(self, *, abort: bool = False) -> None:
        with self._lock:
            self._is_closed = True
            while abort and self._waiting:
                self._waiting.popleft()[1].cancel()
            workers = [*self._free, *self._working]
        for worker in workers:
            if abort:
                worker.kill()
            worker.close()

    def _hand_out(self) -> None:
        """Give what waits to the workers that are free; with the lock held."""
        while self._free and self._waiting:
            batch, future = self._waiting.popleft()
            packed, refused = pack(self._processor, batch, self._dry_run)
            worker = self._free.pop()
            self._working.add(worker)
            answer = worker.submit(self._packed, packed, batch.timeout)
            answer.add_done_callback(lambda done, w=worker, f=future, r=refused: self._ended(w, done, f, r))  # type: ignore[misc]

    def _ended(self, worker: "_Worker", done: "Future[Answer]", future: "Future[Report]", refused: Any) -> None:
        with self._lock:
            self._working.discard(worker)
            if not self._is_closed:
                self._free.append(_Worker(worker.lifeline) if worker.is_broken(done) else worker)
                self._hand_out()
        try:
            future.set_result(unpack_report(done.result(), refused))
        except (BrokenProcessPool, CancelledError) as error:
            future.set_exception(worker.why(error))
        except BaseException as error:
            future.set_exception(error)


class _Worker:
    """One process; it is started by the first batch."""

    def __init__(self, lifeline: int | None) -> None:
        self.lifeline = lifeline
        self._timed_out: float | None = None
        self._pool = ProcessPoolExecutor(1, _SPAWN, initializer=_begin, initargs=(_Lifeline(lifeline),))  # type: ignore[arg-type]
        self._pid: int | None = None

    def submit(self, processor: bytes, packed: Any, timeout: float | None) -> "Future[Answer]":
        try:
            if self._pid is None:
                with _not_interrupted():
                    first = self._pool.submit(os.getpid)
                self._pid = first.result()
            answer = self._pool.submit(carry_out_packed, processor, packed)
        except BrokenProcessPool as error:
            answer = Future()
            answer.set_exception(error)
            return answer
        if timeout is not None:
            clock = threading.Timer(timeout, self._end, (timeout,))
            clock.daemon = True
            answer.add_done_callback(lambda _: clock.cancel())
            clock.start()
        return answer

    def is_broken(self, done: "Future[Answer]") -> bool:
        return self._timed_out is not None or isinstance(done.exception(), BrokenProcessPool)

    def why(self, error: BaseException) -> Exception:
        """Why a batch has no answer."""
        if self._timed_out is not None:
            return TimedOut(self._timed_out)
        if self._pid is None:
            return WorkflowError(
                "no worker process can be started: a script that starts a run does so under "
                "`if __name__ == '__main__':`, since its workers import it"
            )
        return WorkerDied(f"its worker process {self._pid} died: it was killed, ran out of memory, or ended itself")

    def kill(self) -> None:
        if self._pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _end(self, timeout: float) -> None:
        self._timed_out = timeout
        self.kill()


class _Lifeline:
    """The open file of an owner's lock, handed to a worker: the owner lives until its last worker is dead, so that
    nobody takes its entries while one is still at work on them."""

    def __init__(self, file: int | None) -> None:
        self._file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return _hold_on, (None if self._file is None else reduction.DupFd(self._file),)


def _hold_on(copy: Any) -> int | None:
    return None if copy is None else int(copy.detach())


@contextmanager
def _not_interrupted() -> Iterator[None]:
    """A process that is started inside is not ended by ctrl+c before it has come to `_begin`."""
    resource_tracker.ensure_running()  # to start it would lift the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(lifeline: int | None) -> None:
    """In the worker: ctrl+c is for the run alone, and without the run there is nothing more to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent,), name="wfe-parent", daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)
