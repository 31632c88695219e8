"""Other people's engines, and SQLite by hand: each takes entries through three tasks that do nothing.

An engine is made with a folder of its own, which is its start-up and not measured; `run` takes the entries, and returns
when the last result is recorded; `recorded` then counts the results where they lie.
"""

import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from workload import TASKS, Entries


class Engine(Protocol):
    """What a cell measures."""

    def run(self, entries: Entries) -> None:
        """Take the entries through their tasks, and return when every result is recorded."""

    def recorded(self) -> int:
        """How many results are recorded. Not measured."""

    def close(self) -> None:
        """The end. Not measured."""


def _count(path: Path, table: str) -> int:
    connection = sqlite3.connect(path)
    (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    connection.close()
    return int(count)


class Raw:
    """The limit: a loop, a document for each result, and a transaction of its own for each document."""

    def __init__(self, folder: Path, synchronous: str) -> None:
        self._path = folder / "raw.db"
        self._connection = sqlite3.connect(self._path, isolation_level=None)  # each statement is a transaction
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(f"PRAGMA synchronous = {synchronous}")
        self._connection.execute("CREATE TABLE results (id INTEGER PRIMARY KEY, key TEXT, document TEXT)")
        self._connection.execute("CREATE INDEX results_by_key ON results (key)")

    def run(self, entries: Entries) -> None:
        from orjson import dumps

        execute = self._connection.execute
        for entry in entries:
            for task in TASKS:
                began = datetime.now(UTC)
                status = _nothing(entry)
                result = {
                    "key": entry["key"],
                    "name": task,
                    "execution_time": began,
                    "finished_at": datetime.now(UTC),
                    "processed": True,
                    "error_id": None,
                    "status": status,
                    "run_count": 1,
                    "running": False,
                    "restart": False,
                    "error": None,
                }
                execute("INSERT INTO results (key, document) VALUES (?, ?)", (entry["key"], dumps(result).decode()))

    def recorded(self) -> int:
        return _count(self._path, "results")

    def close(self) -> None:
        self._connection.close()


def _nothing(entry: dict[str, Any]) -> None:
    """The task of an engine whose tasks are functions."""


class Original:
    """workflow_engine 0.1.0 with TinyDB's JSON file, an upsert for each result."""

    def __init__(self, folder: Path) -> None:
        from tinydb import TinyDB, where

        _let_import("workflow_engine")
        from workflow_engine.processor import Processor
        from workflow_engine.task import Task
        from workflow_engine.workflow_model import WorkflowModel

        class Order(WorkflowModel):
            key: str
            price: int

        def process_entry(self: Any, entry: Any, dry_run: bool = False) -> None:
            return None

        tasks = [type(name, (Task,), {"process_entry": process_entry}) for name in TASKS]
        database = self._database = TinyDB(folder / "original.json")

        class Orders(Processor):
            written = 0
            entries: Entries

            def get_default_entries(self) -> Any:
                return _Parsed(self.entries, self.get_entry)

            def get_entry(self, selection: dict[str, Any]) -> Order:
                return Order(**selection, due_date=None, source=None, executions=None, finished=None)

            def get_tasks(self) -> list[Any]:
                return [task(self) for task in tasks]

            def write_entry(self, entry: Order, execution: Any) -> None:
                database.upsert(entry.model_dump(mode="json", warnings=False), where("key") == entry.key)
                self.written += 1

            def close(self) -> None:
                pass

        self._processor = Orders()

    def run(self, entries: Entries) -> None:
        self._processor.entries = entries
        self._processor.process_entries()

    def recorded(self) -> int:
        """It forgets the executions of an entry that is finished, so its writes are counted."""
        return int(self._processor.written)

    def close(self) -> None:
        self._database.close()


class _Parsed:
    """Entries for an engine that asks how many there are, and never parses them itself."""

    def __init__(self, entries: Entries, parse: Any) -> None:
        self._entries = entries
        self._parse = parse

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Any]:
        return map(self._parse, self._entries)


def _let_import(name: str) -> None:
    """Make the modules of a package importable whose `__init__` cannot be imported."""
    from importlib.util import find_spec

    spec = find_spec(name)
    assert spec is not None
    package = ModuleType(name)
    package.__path__ = list(spec.submodule_search_locations or [])
    sys.modules[name] = package


class Huey:
    """huey's immediate mode with its SQLite storage as it comes: results are kept, an fsync each."""

    def __init__(self, folder: Path) -> None:
        from huey import SqliteHuey

        self._path = folder / "huey.db"
        self._huey = SqliteHuey(filename=str(self._path), immediate=True, immediate_use_memory=False)
        self._tasks = [self._huey.task(name=name)(_key_of) for name in TASKS]

    def run(self, entries: Entries) -> None:
        for entry in entries:
            for task in self._tasks:
                task(entry)

    def recorded(self) -> int:
        return _count(self._path, "kv")

    def close(self) -> None:
        self._huey.storage.close()


def _key_of(entry: dict[str, Any]) -> str:
    """A task that answers something: huey does not keep None."""
    return str(entry["key"])


class Dbos:
    """DBOS on SQLite: a workflow for each entry, a step for each task."""

    def __init__(self, folder: Path) -> None:
        from dbos import DBOS, SetWorkflowID

        self._dbos, self._with_id = DBOS, SetWorkflowID
        self._path = folder / "dbos.db"
        DBOS(
            config={
                "name": "orders",
                "system_database_url": f"sqlite:///{self._path}",
                "log_level": "ERROR",
            }
        )
        steps = [DBOS.step(name=name)(_key_of) for name in TASKS]

        @DBOS.workflow()
        def order(entry: dict[str, Any]) -> None:
            for step in steps:
                step(entry)

        self._order = order
        DBOS.launch()

    def run(self, entries: Entries) -> None:
        for entry in entries:
            with self._with_id(entry["key"]):
                self._order(entry)

    def recorded(self) -> int:
        return _count(self._path, "operation_outputs")

    def close(self) -> None:
        self._dbos.destroy()


class Doit:
    """doit with its SQLite file, which it writes when all tasks are done; it reads all entries first."""

    def __init__(self, folder: Path) -> None:
        import doit.cmd_base
        import doit.doit_cmd

        self._doit = doit
        self._path = folder / "doit.db"

    def run(self, entries: Entries) -> None:
        def execute(key: str) -> None:
            entries.check()

        def task_order() -> Iterator[dict[str, Any]]:
            for entry in entries:
                before: list[str] = []
                for task in TASKS:
                    name = f"{entry['key']}-{task}"
                    yield {"name": name, "actions": [(execute, (entry["key"],))], "task_dep": before}
                    before = [f"order:{name}"]

        config = {"backend": "sqlite3", "dep_file": str(self._path), "verbosity": 0, "reporter": "zero"}
        loader = self._doit.cmd_base.ModuleTaskLoader({"task_order": task_order, "DOIT_CONFIG": config})
        self._doit.doit_cmd.DoitMain(loader).run(["run"])

    def recorded(self) -> int:
        return _count(self._path, "doit WHERE task_id LIKE 'order:%'")

    def close(self) -> None:
        pass


class Luigi:
    """luigi with its local scheduler: a target file for each task; it reads all entries first."""

    def __init__(self, folder: Path) -> None:
        import luigi

        self._luigi, self._folder = luigi, folder / "targets"

    def run(self, entries: Entries) -> None:
        luigi, folder = self._luigi, self._folder

        class Step(luigi.Task):
            key = luigi.Parameter()
            number = luigi.IntParameter()

            def requires(self) -> list[Any]:
                return [Step(self.key, self.number - 1)] if self.number else []

            def output(self) -> Any:
                return luigi.LocalTarget(str(folder / f"{self.key}-{TASKS[self.number]}"))

            def run(self) -> None:
                entries.check()
                with self.output().open("w") as file:
                    file.write(self.key)

        last = len(TASKS) - 1
        luigi.build((Step(entry["key"], last) for entry in entries), local_scheduler=True, log_level="CRITICAL")

    def recorded(self) -> int:
        return sum(1 for _ in self._folder.iterdir())

    def close(self) -> None:
        pass
