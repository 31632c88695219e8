"""Where executions are carried out: `threads`, `processes`, and beyond one machine `dask`, behind one small protocol.

The run itself hands out batches and writes down what comes back (`engine.runner.crew`); an executor only executes.
`batch` has the protocol and what is handed out, `shipping` sends it to other processes, in `loop` coroutines wait.
"""

import os

from engine.exceptions import InputError
from engine.executors.batch import Batch, Executor, carry_out

__all__ = ["Batch", "Executor", "carry_out"]


def make_executor(executor: Executor | str | None, workers: int | None) -> Executor | None:
    """The executor that is meant; None is the run itself.

    Raises:
        InputError: there is no such executor, or it cannot have so many workers.
    """
    if workers is not None and workers < 1:
        raise InputError(f"{workers} workers cannot work: give 1 or more")
    if executor is None:
        executor = "inline" if workers is None else "threads"
    if not isinstance(executor, str):
        return executor
    count = workers or os.cpu_count() or 1
    match executor:
        case "inline":
            return None
        case "threads":
            from engine.executors.threads import ThreadExecutor

            return ThreadExecutor(count)
        case "processes":
            from engine.executors.processes import ProcessExecutor

            return ProcessExecutor(count)
    raise InputError(f"there is no executor {executor!r}: it is inline, threads, processes, or one of your own")
