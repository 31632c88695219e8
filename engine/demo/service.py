"""The other side of the migration: an HTTP service that takes customers in, with the troubles of a real one.

* `POST /customers` with an `Idempotency-Key`: 201 and the customer's number. A key that it has seen before is answered
  with 409 and the number of then: nobody is taken in twice.
* `GET /customers/NUMBER`: 200 and the customer, or 404.

One key in eight is told 503, come again later, the first two times. Of one key in eight the first answer comes too
late: the customer was taken in, and who gave up waiting does not know it.
"""

import json
import sqlite3
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zlib import crc32

LATENCY = 0.2
"""Seconds that an answer takes."""
TOO_LATE = 4.0
"""Seconds that it takes where it comes too late."""

Answer = tuple[HTTPStatus, dict[str, Any]]


class Service(ThreadingHTTPServer):
    """Answers on a free port of this machine, until it is stopped.

    Args:
        ledger: the SQLite file of its customers. It outlives the service: what was answered once stays true.
    """

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, ledger: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._turn = threading.Lock()
        self._ledger = sqlite3.connect(ledger, timeout=60, isolation_level="IMMEDIATE", check_same_thread=False)
        self._ledger.executescript(
            """
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = OFF;
            CREATE TABLE IF NOT EXISTS customers (number INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, customer TEXT);
            CREATE TABLE IF NOT EXISTS requests (key TEXT NOT NULL);
            CREATE INDEX IF NOT EXISTS requests_by_key ON requests (key);
            """
        )
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it answers, as `http://127.0.0.1:8080`."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def stop(self) -> None:
        """Answer no more."""
        self.shutdown()
        self.server_close()
        with self._turn:
            self._ledger.close()

    def take_in(self, key: str, customer: dict[str, str]) -> tuple[float, Answer]:
        """What is answered to a customer that is sent, and after how many seconds."""
        trouble = crc32(key.encode()) % 8
        with self._turn, self._ledger as ledger:
            ledger.execute("INSERT INTO requests VALUES (?)", (key,))
            (requests,) = ledger.execute("SELECT count(*) FROM requests WHERE key = ?", (key,)).fetchone()
            if trouble == 0 and requests <= 2:
                return LATENCY, (HTTPStatus.SERVICE_UNAVAILABLE, {"error": "too much to do: come again later"})
            known = ledger.execute("SELECT number FROM customers WHERE key = ?", (key,)).fetchone()
            if known:
                return LATENCY, (HTTPStatus.CONFLICT, {"number": known[0]})
            row = ledger.execute("INSERT INTO customers VALUES (NULL, ?, ?)", (key, json.dumps(customer)))
            return TOO_LATE if trouble == 1 else LATENCY, (HTTPStatus.CREATED, {"number": row.lastrowid})

    def look_up(self, number: str) -> Answer:
        """What is answered to a question for a customer."""
        with self._turn:
            row = self._ledger.execute("SELECT customer FROM customers WHERE number = ?", (number,)).fetchone()
        return (HTTPStatus.OK, json.loads(row[0])) if row else (HTTPStatus.NOT_FOUND, {"error": "no such customer"})

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: who gave up waiting does not get the answer, and this is no fault of the service."""


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        customer = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        seconds, answer = self.server.take_in(self.headers["Idempotency-Key"], customer)
        self._answer(seconds, *answer)

    def do_GET(self) -> None:
        self._answer(LATENCY, *self.server.look_up(self.path.rpartition("/")[2]))

    def _answer(self, seconds: float, status: HTTPStatus, content: dict[str, Any]) -> None:
        time.sleep(seconds)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *args: Any) -> None:
        """Nothing: standard error is the run's."""
