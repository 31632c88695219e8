"""Threads of this process: for tasks that wait for others, such as networks and disks."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from engine.executors.batch import Batch, Executor, carry_out
from engine.runner.outcome import Report

if TYPE_CHECKING:
    from engine.processor import Processor


class ThreadExecutor(Executor):
    """Carries out batches in `workers` threads. A thread cannot be stopped: what is under way at an abort is left."""

    is_remote = False
    records = True

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def open(self, processor: "Processor", dry_run: bool) -> None:
        self._processor, self._dry_run = processor, dry_run
        self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix="wfe-worker")

    def submit(self, batch: Batch) -> "Future[Report]":
        return self._pool.submit(carry_out, self._processor, batch, self._dry_run)

    def shutdown(self, *, abort: bool = False) -> None:
        self._pool.shutdown(wait=not abort, cancel_futures=abort)
