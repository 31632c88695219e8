"""An event loop beside the workers, on which tasks that are coroutines wait by the hundred."""

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

from engine.executors.batch import Batch, record_end, record_start
from engine.runner.outcome import Call, Outcome, Report
from engine.runner.performing import perform_async
from engine.store.recording import Recording

if TYPE_CHECKING:
    from engine.processor import Processor

PATIENCE = 1.0
"""Seconds that coroutines have to be cancelled in."""


class LoopExecutor:
    """Carries out batches of one execution each, a coroutine, `workers` at once. Each is cancelled by an abort."""

    is_remote = False
    records = True

    def __init__(self, workers: int = 256) -> None:
        self.workers = workers

    def open(self, processor: "Processor", dry_run: bool) -> None:
        self._processor, self._dry_run = processor, dry_run
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wfe-loop", daemon=True)
        self._thread.start()

    def submit(self, batch: Batch) -> "Future[Report]":
        return asyncio.run_coroutine_threadsafe(self._carry_out(batch), self._loop)

    def shutdown(self, *, abort: bool = False) -> None:
        ended = asyncio.run_coroutine_threadsafe(self._end(abort), self._loop)
        try:
            ended.result(PATIENCE if abort else None)
        except TimeoutError:
            return  # a task blocks the loop, or will not be cancelled: the process ends without them
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _carry_out(self, batch: Batch) -> Report:
        return Report([await self._execute(call, at, batch.recording) for at, call in enumerate(batch.calls)])

    async def _execute(self, call: Call, at: int, recording: Recording | None) -> Outcome:
        if recording is None:
            return await perform_async(self._processor, call, self._dry_run)
        before = record_start(call, at, recording)
        outcome = await perform_async(self._processor, call, self._dry_run)
        record_end(call, at, recording, outcome, before)
        return outcome

    async def _end(self, abort: bool) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        if abort:
            for task in others:
                task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._loop.shutdown_asyncgens()
