"""OpenTelemetry: a span for each run, entry and execution, where the extra `wfe-tui[otel]` is installed and configured.

Spans are made in the run's own thread from the moments that are recorded anyway, so that they are right with every
executor. Without the package, or without a provider that records, nothing of this is called.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.identity import entry_key, processor_name
from engine.journal.base import RunResult
from engine.model import WorkflowModel
from engine.runner.events import Listener
from engine.runner.outcome import Call, Outcome
from engine.state import State

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

    from engine.processor import Processor


def telemetry(processor: "Processor") -> Listener | None:
    """Who makes the spans of a run; None where nobody would see them."""
    try:
        from opentelemetry import trace
    except ImportError:
        return None
    tracer = trace.get_tracer("engine")
    probe = tracer.start_span("probe")
    return Spans(processor, tracer) if probe.is_recording() else None


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
        if self._run is not None:
            self._run.set_attributes({"wfe.ending": str(run.ending), "wfe.considered": run.considered})
            self._run.end()

    def entry_started(self, entry: WorkflowModel) -> None:
        key = entry_key(entry) or ""
        self._entries[id(entry)] = self._start(f"entry {key}", self._run, {"wfe.key": key})

    def entry_finished(self, entry: WorkflowModel, state: State) -> None:
        span = self._entries.pop(id(entry), None)
        if span is not None:
            span.set_attribute("wfe.state", str(state))
            span.end()

    def task_finished(self, entry: WorkflowModel, call: Call, outcome: Outcome) -> None:
        from opentelemetry.trace import Status, StatusCode

        about = {"wfe.key": entry_key(entry), "wfe.task": call.name, "wfe.attempt": call.execution.run_count}
        span = self._start(f"task {call.name}", self._entries.get(id(entry)), about, outcome.began)
        if outcome.error_id is not None and outcome.record is not None:
            span.set_attribute("wfe.error_id", str(outcome.error_id))
            said = {"exception.type": outcome.record["type"], "exception.message": outcome.record["message"]}
            span.add_event("exception", {**said, "exception.stacktrace": outcome.record["text"]}, _time(outcome.ended))
            span.set_status(Status(StatusCode.ERROR, outcome.error))
        elif outcome.status is not None and outcome.status.message:
            span.set_attribute("wfe.message", outcome.status.message)
        span.end(_time(outcome.ended))

    def _start(self, name: str, parent: "Span | None", about: dict[str, Any], at: datetime | None = None) -> "Span":
        from opentelemetry.trace import set_span_in_context

        given = {name: value for name, value in about.items() if value is not None}
        context = None if parent is None else set_span_in_context(parent)
        return self._tracer.start_span(name, context, attributes=given, start_time=None if at is None else _time(at))


def _time(moment: datetime) -> int:
    return int(moment.timestamp() * 1e9)
