"""Dask: for more than one machine. The extra `wfe-tui[dask]` brings it, and an import without it raises InputError; the
cluster is the user's own.

Dask promises that a result will be there, not that its task is executed once: it executes the tasks of a worker that
died again on another, up to three times, and a result that died with its worker anew. So every batch has a token at the
scheduler, a `distributed.Event` of its own name, that its first beginning sets; a second one is refused, and what it
would have executed is in doubt. To ask for it takes about two milliseconds a batch. Equal calls are not merged
(`pure=False`) and none is repeated (`retries=0`).

A worker of another machine cannot write the recordings of this one: when it dies, or the run does, all executions of
the batches under way are in doubt. What runs on a worker cannot be stopped either; it is waited for, or left.
"""

import asyncio
import logging
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from engine.errors import one_line
from engine.exceptions import InputError, NotPortable, WorkerDied
from engine.executors.batch import Batch, Executor
from engine.executors.shipping import Answer, carry_out_packed, pack, pack_processor, unpack_processor, unpack_report
from engine.runner.outcome import Report

try:
    from distributed import Client, Event
except ImportError as error:
    raise InputError("Dask is not installed: `pip install 'wfe-tui[dask]'` brings it") from error

if TYPE_CHECKING:
    from engine.processor import Processor

__all__ = ["DaskExecutor"]

PATIENCE = 5.0
"""Seconds for a scheduler to answer, and for its first worker to be there."""


class DaskExecutor(Executor):
    """Carries out batches on the workers of a Dask cluster.

    The workflow's module and `wfe-tui` have to be installed there, in the same versions. A batch whose worker dies is
    in doubt as a whole. It is not for tasks that have to be killed after a timeout: nothing can stop them there.

    Args:
        address: of the scheduler, as tcp://host:8786.

    Example::

        orders.process_entries(executor=DaskExecutor("tcp://scheduler:8786"))
    """

    is_remote = True
    records = False
    workers = 1

    def __init__(self, address: str) -> None:
        self.address = address

    def open(self, processor: "Processor", dry_run: bool) -> None:
        if type(processor).__module__ == "__main__":
            raise NotPortable(
                f"{type(processor).__name__} is defined in the script that runs, which no other machine can import: "
                "put it into a module that is installed on the workers"
            )
        self._processor, self._dry_run = processor, dry_run
        self._packed = pack_processor(processor)
        self._run, self._tokens = uuid4().hex[:12], list[str]()
        # What its threads say while a connection ends is not for the user of a run.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        try:
            self._client = Client(self.address, timeout=PATIENCE, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise InputError(
                f"no Dask scheduler answers at {self.address} ({one_line(error)}): name another"
            ) from error
        loop: Any = self._client.loop
        self._loop: asyncio.AbstractEventLoop = loop.asyncio_loop
        try:
            self._check()
        except BaseException:
            self._client.close()
            raise

    def submit(self, batch: Batch) -> "Future[Report]":
        packed, refused = pack(self._processor, batch, self._dry_run)
        key = f"wfe/{batch.calls[0].name}/{self._run}/{len(self._tokens)}"
        self._tokens.append(key)
        return asyncio.run_coroutine_threadsafe(self._carry_out(key, packed, refused), self._loop)

    def shutdown(self, *, abort: bool = False) -> None:
        self._client.close(timeout=PATIENCE)
        # Not before: while the scheduler knows a batch, it may want to execute it again.
        with suppress(OSError, TimeoutError), Client(self.address, timeout=PATIENCE, set_as_default=False) as client:
            client.sync(_forget, client, self._tokens)

    def _check(self) -> None:
        """See that there are workers, of the same versions, that know the workflow."""
        try:
            self._client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as error:
            raise InputError(f"the Dask scheduler at {self.address} has no worker: start one") from error
        try:
            self._client.get_versions(check=True)
        except ValueError as error:
            said = " ".join(str(error).split())
            raise InputError(f"the versions of the cluster at {self.address} differ from those here: {said}") from error
        answers = self._client.run(_is_known, self._packed, on_error="return")
        for worker, answer in answers.items():
            if answer is not None:
                said = one_line(answer) if isinstance(answer, BaseException) else answer
                raise InputError(
                    f"the Dask worker {worker} does not know {type(self._processor).__name__} ({said}): "
                    "install the workflow and wfe-tui where it runs"
                )
        self.workers = sum(self._client.nthreads().values())

    async def _carry_out(self, key: str, packed: Any, refused: Any) -> Report:
        task = self._client.submit(
            _carry_out_once, key, self._packed, packed, key=key, pure=False, retries=0, allow_other_workers=False
        )  # fmt: skip
        try:
            answer = await task
        except WorkerDied:
            raise
        except Exception as error:
            raise WorkerDied(f"its Dask worker died, or does not answer any more: {one_line(error)}") from error
        finally:
            task.release()
        return unpack_report(answer, refused)


async def _forget(client: Client, tokens: list[str]) -> None:
    """Give back what the tokens take at the scheduler."""
    for at in range(0, len(tokens), 100):
        await asyncio.gather(*(Event(token, client=client).clear() for token in tokens[at : at + 100]))


def _is_known(processor: bytes) -> str | None:
    """On a worker: why it cannot work for this processor."""
    try:
        unpack_processor(processor).get_tasks()
    except Exception as error:
        return one_line(error)
    return None


def _carry_out_once(token: str, processor: bytes, packed: Any) -> Answer:
    """On a worker: carry out a batch, unless that was begun before."""
    begun = Event(token)
    if begun.is_set():
        raise WorkerDied("its Dask worker died; Dask wanted to execute it again, which was refused")
    begun.set()
    return carry_out_packed(processor, packed)
