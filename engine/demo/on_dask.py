"""The migration again, on Dask: the workflow stays, its requests are made by the workers of a cluster.

    python -m engine.demo.on_dask

It starts a cluster on this machine, makes one run on the store migration.db, and ends; started again, it takes up what
had to wait. One that is there already, on this machine, is used by `wfe run engine.demo.on_dask:MigrationOnDask --dask
tcp://scheduler:8786`. The extra `wfe-tui[dask]` brings Dask.
"""

import asyncio
import logging
import sys

from engine import Task
from engine.demo import migration
from engine.demo.migration import Convert, Customer, Migration
from engine.exceptions import EngineError


class Send(migration.Send):
    """As it was, but a function: a coroutine waits in the process of the run, only a function goes to a worker."""

    def process_entry(self, entry: Customer, dry_run: bool = False) -> None:  # type: ignore[override]
        asyncio.run(super().process_entry(entry, dry_run))


class Verify(migration.Verify):
    """The same."""

    def process_entry(self, entry: Customer, dry_run: bool = False) -> None:  # type: ignore[override]
        asyncio.run(super().process_entry(entry, dry_run))


class MigrationOnDask(Migration):
    """The migration, with tasks that travel."""

    def get_tasks(self) -> list[Task]:
        return [Convert(self), Send(self), Verify(self)]


def main(store: str = "migration.db") -> None:
    """One run on a cluster that lasts as long."""
    from engine.demo.on_dask import MigrationOnDask  # by the name under which the workers import it
    from engine.executors.dask import DaskExecutor  # first: without Dask, it says what brings it

    from distributed import LocalCluster  # isort: skip

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with LocalCluster(n_workers=2, threads_per_worker=32, dashboard_address=None) as cluster:
        MigrationOnDask(store).process_entries(executor=DaskExecutor(cluster.scheduler_address))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except EngineError as error:
        sys.exit(f"on_dask: {error}")
