"""OpenTelemetry: a span for each run, entry and execution, where the extra `wfe-tui[otel]` is installed and configured.

Spans are made in the run's own thread from the moments that are recorded anyway, so that they are right with every
executor. Without the package, or without a provider, nothing of this is called.
"""

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.errors import in_one_line, one_line
from engine.identity import entry_key, processor_name
from engine.journal.base import RunResult
from engine.model import WorkflowModel
from engine.runner.events import Listener
from engine.runner.outcome import Call, Outcome
from engine.state import State

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

    from engine.processor import Processor

log = logging.getLogger("engine")


def telemetry(processor: "Processor") -> Listener | None:
    """Who makes the spans of a run; None where nobody would see them."""
    try:
        from opentelemetry import trace
    except ImportError:
        return None
    try:
        is_seen = not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider | trace.NoOpTracerProvider)
        return Spans(processor, trace.get_tracer("engine")) if is_seen else None
    except Exception as error:  # a provider that is named in the environment, and cannot be loaded
        log.error("no spans are made: %s", one_line(error), exc_info=error)
        return None


class Spans(Listener):
    """Makes the spans of one run: of an execution below that of its entry, of an entry below that of the run."""

    def __init__(self, processor: "Processor", tracer: "Tracer") -> None:
        self._processor = processor
        self._tracer = tracer
        self._run: Span | None = None
        self._entries: dict[int, Span] = {}

    def run_started(self, run: RunResult) -> None:
        name = processor_name(type(self._processor))
        self._run = self._start(f"run {name}", None, {"wfe.processor": name, "wfe.run": run.number})

    def run_finished(self, run: RunResult) -> None:
        for left in self._entries.values():  # by a run that could not go on
            left.end()
        self._entries.clear()
        if self._run is not None:
            self._run.set_attributes({"wfe.ending": str(run.ending), "wfe.considered": run.considered})
            self._run.end()

    def entry_started(self, entry: WorkflowModel) -> None:
        key = entry_key(entry) or ""
        self._entries[id(entry)] = self._start(f"entry {key}", self._run, {"wfe.key": key})

    def entry_finished(self, entry: WorkflowModel, state: State) -> None:
        span = self._span_of(entry)
        del self._entries[id(entry)]
        span.set_attribute("wfe.state", str(state))
        span.end()

    def _span_of(self, entry: WorkflowModel) -> "Span":
        """The span of an entry; one that was lost before it was taken up has none yet."""
        if id(entry) not in self._entries:
            self.entry_started(entry)
        return self._entries[id(entry)]

    def entry_refused(self, sentence: str) -> None:
        if self._run is not None:
            self._run.add_event("refused", {"wfe.reason": sentence})

    def task_finished(self, entry: WorkflowModel, call: Call, outcome: Outcome) -> None:
        about = {"wfe.key": entry_key(entry), "wfe.task": call.name, "wfe.attempt": call.execution.run_count}
        span = self._start(f"task {call.name}", self._entries.get(id(entry)), about, outcome.began)
        span.set_attribute("wfe.end", str(outcome.end))
        if outcome.record is not None:
            _put(outcome.record, span, outcome.ended)
        elif outcome.status is not None and outcome.status.message:
            span.set_attribute("wfe.message", outcome.status.message)
        span.end(_time(outcome.ended))

    def error_happened(
        self, record: dict[str, Any], exception: BaseException | None, entry: WorkflowModel | None
    ) -> None:
        if record["task"] is not None:
            return  # it is on the span of its execution
        span = self._run if entry is None else self._span_of(entry)
        if span is not None:
            _put(record, span)

    def _start(self, name: str, parent: "Span | None", about: dict[str, Any], at: datetime | None = None) -> "Span":
        from opentelemetry.trace import set_span_in_context

        given = {name: value for name, value in about.items() if value is not None}
        context = None if parent is None else set_span_in_context(parent)
        return self._tracer.start_span(name, context, attributes=given, start_time=None if at is None else _time(at))


def _put(record: dict[str, Any], span: "Span", at: datetime | None = None) -> None:
    """Bring an error on the span in which it happened."""
    from opentelemetry.trace import Status, StatusCode

    said = {"exception.type": record["type"], "exception.message": record["message"]}
    span.set_attribute("wfe.error_id", record["error_id"])
    span.add_event("exception", {**said, "exception.stacktrace": record["text"]}, None if at is None else _time(at))
    span.set_status(Status(StatusCode.ERROR, in_one_line(record["type"], record["message"])))


def _time(moment: datetime) -> int:
    return int(moment.timestamp() * 1e9)
