"""A run's document in the store: what it is, how far it is, that it lives, and how it ended."""

import time
from typing import TYPE_CHECKING, Any

from engine.clock import to_text
from engine.identity import home_of, place_of
from engine.journal.base import HEARTBEAT, RunResult
from engine.journal.figures import Figures
from engine.runner.outcome import Outcome
from engine.store.claims import Content
from engine.wishes import ASKED

if TYPE_CHECKING:
    from engine.stored import StoredProcessor

PROGRESS = 0.25
"""Seconds between two writes of a run's progress."""

FIGURES = 2.0
"""Seconds between two writes of its figures, which are longer."""


class RunDocument:
    """Writes the document of one run of a processor, which begins now.

    Raises:
        WorkflowError: another process could not start the processor again; see `home_of`.
    """

    def __init__(self, processor: "StoredProcessor") -> None:
        self.number: int | None = None
        self._processor = processor
        self._home = home_of(type(processor))
        self._figures = Figures()
        self._began = self._shown = self._drawn = time.monotonic()

    def insert(self, result: RunResult) -> int:
        """Write it; returns its number."""
        processor = self._processor
        self.number = processor.store.runs.insert(
            {
                "processor": processor.name,
                "started": to_text(processor.clock()),
                "ended": None,
                "ending": None,
                "owner": processor.store.owner,
                "home": self._home,
                **place_of(type(processor), self._task_kinds()),
                ASKED: None,
                **self._counts(result),
                **self._figures.to_json(),
            }
        )
        return self.number

    def count(self, task: str, outcome: Outcome) -> None:
        """An execution of this task has ended so."""
        self._figures.count(task, outcome, time.monotonic() - self._began)

    def progress(self, result: RunResult) -> None:
        """Write how far the run is, where that was not just written."""
        if time.monotonic() - self._shown >= PROGRESS:
            self._shown = time.monotonic()
            self.update(self._counts(result))

    def show_life(self) -> None:
        """Write the figures of the run where they have changed, else that it lives, before somebody doubts that."""
        now = time.monotonic()
        if self._figures.are_new and now - self._drawn >= FIGURES:
            self._drawn, fields = now, self._figures.to_json()
        elif now - self._shown >= 0.8 * HEARTBEAT:
            fields = {}
        else:
            return
        self._shown = now
        self.update({"updated": to_text(self._processor.clock()), **fields})

    def end(self, result: RunResult) -> bool:
        """Write how the run has ended; whether it was asked to until then, which who has made it is to heed as well."""
        if self.number is None:
            return False
        ended = {"ended": to_text(self._processor.clock()), "ending": result.ending}
        statistics = {"statistics": self._processor.get_statistics()}
        fields = {**self._counts(result), **self._figures.to_json(), **ended, **statistics}
        was_asked = False

        def end(document: Content) -> None:
            nonlocal was_asked
            was_asked = document.get(ASKED) is not None
            document.update(fields)

        self._processor.store.runs.update(end, doc_ids=[self.number])
        return was_asked

    def update(self, fields: dict[str, Any]) -> None:
        """Write these fields of it, if it is there."""
        if self.number is not None:
            self._processor.store.runs.update(fields, doc_ids=[self.number])

    def _counts(self, result: RunResult) -> dict[str, Any]:
        rate = result.considered / max(time.monotonic() - self._began, 1e-3)
        to_do = None if result.total is None else max(result.total - result.considered, 0)
        return {
            "rate": round(rate, 3),
            "left": round(to_do / rate, 3) if to_do is not None and rate else None,
            "total": result.total,
            "considered": result.considered,
            "in_progress": result.in_progress,
            "states": dict(result.states),
            "refused": len(result.refused),
            "updated": to_text(self._processor.clock()),
        }

    def _task_kinds(self) -> list[type]:
        """None of them where `get_tasks` raises: the first entry will tell."""
        try:
            return [type(task) for task in self._processor.get_tasks()]
        except Exception:
            return []
