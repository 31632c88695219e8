"""Dask: a scheduler and workers in processes of their own, and what it does by itself with one task a submission."""

import os
import subprocess
import sys
from pathlib import Path

from workload import TASKS, Entries


class Cluster:
    """A scheduler and two workers of one thread, each a process, on this machine and speaking TCP."""

    workers = 2

    def __init__(self, folder: Path) -> None:
        from distributed import Client

        self._here = os.pathsep.join([str(Path(__file__).parent), *sys.path])  # where the workers find our tasks
        where = ["--scheduler-file", str(folder / "scheduler.json"), "--no-dashboard"]
        worker = ["worker", *where, "--nthreads", "1", "--no-nanny", "--local-directory", str(folder)]
        self._processes = [self._start("scheduler", *where, "--host", "127.0.0.1", "--port", "0")]
        self._processes += [self._start(*worker) for _ in range(self.workers)]
        self.client = Client(scheduler_file=str(folder / "scheduler.json"))
        self.client.wait_for_workers(self.workers)
        self.address: str = self.client.scheduler.address

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": self._here, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
        return subprocess.Popen([sys.executable, "-m", "dask", *arguments], env=environment)

    def close(self) -> None:
        self.client.close()
        for process in self._processes:
            process.terminate()
            process.wait()


class DaskAlone:
    """A submission for each task, all of them awaited; nothing is recorded, and no task waits for another."""

    def __init__(self, folder: Path) -> None:
        self._cluster = Cluster(folder)
        self._answers = 0

    def run(self, entries: Entries) -> None:
        client = self._cluster.client
        keys = (f"{entry['key']}-{task}" for entry in entries for task in TASKS)
        futures = [client.submit(_nothing, key, key=key, pure=False) for key in keys]
        self._answers = len(client.gather(futures))

    def recorded(self) -> int:
        return self._answers

    def close(self) -> None:
        self._cluster.close()


def _nothing(key: str) -> None:
    """The task."""
