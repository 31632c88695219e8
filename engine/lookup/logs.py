"""What the executions of an entry have logged, for people; `engine.runner.capture` has it kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tinydb import where

from engine.clock import from_text, to_text
from engine.store import Store
from engine.store.logs import logs_of


@dataclass(frozen=True)
class LogLine:
    """One line that a task has logged, at a moment in UTC, in which attempt. Its texts are not literal."""

    moment: datetime
    level: str
    logger: str
    message: str
    task: str
    attempt: int | None


@dataclass(frozen=True)
class ExecutionLog:
    """What one execution has logged: its newest lines, oldest first, and how many that came before were dropped."""

    task: str
    attempt: int | None
    lines: tuple[LogLine, ...]
    dropped: int

    def to_json(self) -> dict[str, Any]:
        """What `wfe show --logs --json` promises of it."""
        lines = [
            {"time": to_text(line.moment), "level": line.level, "logger": line.logger, "message": line.message}
            for line in self.lines
        ]
        return {"task": self.task, "attempt": self.attempt, "dropped": self.dropped, "lines": lines}


def execution_logs(store: Store, processor: str, key: str) -> list[ExecutionLog]:
    """What the executions of an entry have logged, the newest first; those that logged nothing are left out.

    Args:
        store: where the entry is; if it is not, nothing is answered.
        processor: `module:Class`.
        key: the entry's.
    """
    entries = store.entries.search((where("key") == key) & (where("processor") == processor))
    return [_read(log) for entry in entries for log in reversed(logs_of(store, entry))]


def log_lines(store: Store, processor: str, key: str) -> list[LogLine]:
    """The same line by line: the newest execution first, its lines in the order in which they were logged."""
    return [line for log in execution_logs(store, processor, key) for line in log.lines]


def _read(log: Any) -> ExecutionLog:
    task, attempt = log["task"], log["attempt"]
    lines = (
        LogLine(from_text(moment), level, logger, message, task, attempt)
        for moment, level, logger, message in log["lines"]
    )
    return ExecutionLog(task, attempt, tuple(lines), log["dropped"])
