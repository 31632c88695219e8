"""A migration: each row of a CSV file is to become a customer of an HTTP service, once, whatever happens meanwhile.

    wfe work engine.demo.migration:Migration --every 1h --workers 4 --store migration.db

The file, customers.csv, and the service's ledger lie beside the store; the service runs as long as the run does, so
nothing else has to be started. In another terminal `wfe-tui --store migration.db` shows how far it is. Kill it with
`kill -9` and start it again: no customer is there twice, none is missing.

One row is bad. Its error says which; correct it in customers.csv, then restart the entry.
"""

import asyncio
import csv
import json
import shutil
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from engine import (
    RepeatWithBackoff,
    RunResult,
    Status,
    StatusException,
    StoredProcessor,
    Task,
    WorkflowModel,
    current_attempt,
)
from engine.demo.service import Service

PATIENCE = 2.0
"""Seconds to wait for an answer."""


class Customer(WorkflowModel):
    """A row of the file, and below it what the tasks have found out."""

    key: str
    name: str
    email: str
    born: str
    """As the old system wrote it: 14.03.1971."""

    birthday: date | None = None
    number: int | None = None
    """Which customer of the service it has become."""

    def for_service(self) -> dict[str, str]:
        """The customer as the service wants it."""
        return {"name": self.name, "email": self.email, "birthday": str(self.birthday)}


class Convert(Task):
    """Reads what is written in the old system's way. A row that makes no sense fails here, before anybody is asked."""

    def process_entry(self, entry: Customer, dry_run: bool = False) -> None:
        try:
            entry.birthday = datetime.strptime(entry.born, "%d.%m.%Y").date()  # noqa: DTZ007 - a day has no time zone
        except ValueError as error:
            raise ValueError(f"{entry.born!r} is no day: correct customers.csv, then restart the entry") from error


class Request(Task):
    """Base of the tasks that ask the service.

    Nobody knows whether a request that was not answered has taken effect. These tasks may all the same be executed
    again by themselves when the run dies inside them: a question changes nothing, and what is sent bears a key.
    """

    processor: "Migration"
    idempotent = True
    timeout = 30  # seconds: should anything hang in spite of PATIENCE, this row fails and the others go on
    max_concurrent = 200  # so many wait at once, on one event loop; more the service could not bear

    async def ask(self, method: str, path: str, content: Any = None, key: str = "") -> Any:
        """What the service answers.

        Raises:
            StatusException: it does not answer now. The task is executed again by itself, after 5 s, 10 s, 20 s, …,
                at most eight times; then the row is interrupted, for an operator.
            RuntimeError: it answers what a sound request is not answered. The row fails.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                status, answer = await request(self.processor.url, method, path, content, key)
        except OSError as error:  # of which TimeoutError is one
            raise later(f"no answer: {type(error).__name__}") from error
        if status == 503:
            raise later(f"503: {answer['error']}")
        if status not in (200, 201, 409):
            raise RuntimeError(f"{method} {path} was answered with {status}: {answer}")
        return answer


class Send(Request):
    """Has the service take the customer in: every attempt with the same key, by which the service knows it again."""

    async def process_entry(self, entry: Customer, dry_run: bool = False) -> None:
        if dry_run:
            return
        key = current_attempt().idempotency_key
        answer = await self.ask("POST", "/customers", entry.for_service(), key)
        entry.number = answer["number"]  # 201: taken in now; 409: before, by an attempt that had given up waiting


class Verify(Request):
    """Reads the customer back: what the service has is what the file says."""

    async def process_entry(self, entry: Customer, dry_run: bool = False) -> None:
        if dry_run:
            return
        found = await self.ask("GET", f"/customers/{entry.number}")
        if found != entry.for_service():
            raise ValueError(f"customer {entry.number} of the service is {found}")


class Migration(StoredProcessor):
    """Brings the customers of customers.csv, beside the store, to the service."""

    model = Customer
    url = ""
    service: Service | None = None

    def get_default_entries(self) -> Iterator[dict[str, str]]:
        """The rows. What was corrected in the file since the last run is what the next one sees."""
        file = self.store.path.parent / "customers.csv"
        if not file.exists():
            shutil.copyfile(Path(__file__).with_name("customers.csv"), file)
        with file.open(encoding="utf-8", newline="") as lines:
            yield from csv.DictReader(lines)

    def get_tasks(self) -> list[Task]:
        return [Convert(self), Send(self), Verify(self)]

    def on_run_start(self, run: RunResult) -> None:
        self.service = Service(self.store.path.with_name("service.db"))
        self.url = self.service.url

    def on_run_finish(self, run: RunResult) -> None:
        if self.service is not None:
            self.service.stop()

    def __getstate__(self) -> dict[str, Any]:
        """What travels to worker processes: not the service, only where it is."""
        return {**super().__getstate__(), "service": None}


def later(message: str) -> StatusException:
    """Interrupts a task until the service may have recovered."""
    return StatusException(Status(message=message, repeat=RepeatWithBackoff(initial=5, maximum=60), max_reruns=8))


async def request(url: str, method: str, path: str, content: Any, key: str) -> tuple[int, Any]:
    """One request and its answer: the status and the JSON. Your own workflow takes httpx or aiohttp in its place."""
    where, body = urlsplit(url), json.dumps(content).encode()
    lines = [
        f"{method} {path} HTTP/1.0", f"Host: {where.netloc}", f"Idempotency-Key: {key}", f"Content-Length: {len(body)}",
    ]  # fmt: skip
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        head, _, answer = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
    if not head:
        raise ConnectionResetError("closed without an answer")
    return int(head.split()[1]), json.loads(answer)
