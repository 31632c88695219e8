"""This engine as a peer: a workflow with a store, in each way in which it can be executed."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from workload import TASKS, Entries

from engine import Status, Store, StoredProcessor, Task, WorkflowModel
from engine.operations import restart
from engine.state import State


class Order(WorkflowModel):
    key: str
    price: int


class Nothing(Task):
    def process_entry(self, entry: Order, dry_run: bool = False) -> Status | None:
        return None


class Fetch(Nothing):
    pass


class Check(Nothing):
    pass


class Send(Nothing):
    pass


class Orders(StoredProcessor):
    model = Order
    entries: Entries

    def get_default_entries(self) -> Iterator[Mapping[str, Any]]:
        yield from self.entries

    def get_tasks(self) -> Sequence[Task]:
        return [Fetch(self), Check(self), Send(self)]


class Ours:
    """`process_entries(**how)`, on a store that is open before and after: what closes it is not measured."""

    def __init__(self, folder: Path, durability: str, **how: Any) -> None:
        self._store = Store(folder / "ours.db", durability=durability)
        self._how = how

    def run(self, entries: Entries) -> None:
        processor = Orders(self._store)
        processor.entries = entries
        processor.process_entries(**self._how)

    def recorded(self) -> int:
        """An entry is finished once the results of all its tasks are recorded."""
        return len(TASKS) * int(self._store.entries.counts("state").get(State.FINISHED, 0))

    def close(self) -> None:
        self._store.close()


class OursAgain(Ours):
    """The same for entries that are in the store already: all of them were restarted from the start."""

    def run(self, entries: Entries) -> None:
        super().run(Entries(entries.size))
        keys = [entry["key"] for entry in Entries(entries.size)]
        restart(keys, from_start=True, store=self._store, why="measured again")
        assert self.recorded() == 0
        super().run(entries)


class OursOnDask(Ours):
    """On the workers of a Dask cluster, which have done something before, so that their imports are not measured."""

    def __init__(self, folder: Path, durability: str) -> None:
        from dask_cluster import Cluster

        from engine.executors.dask import DaskExecutor

        self._cluster = Cluster(folder)
        before = Ours(folder / "before", durability, executor=DaskExecutor(self._cluster.address))
        before.run(Entries(200))
        before.close()
        super().__init__(folder, durability, executor=DaskExecutor(self._cluster.address))

    def close(self) -> None:
        super().close()
        self._cluster.close()
