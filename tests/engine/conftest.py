"""What the engine's tests share: an operator's desk, and the spans that runs make."""

from collections.abc import Iterator
from typing import Any

import pytest
from desk import Desk

from engine.testing import ManualClock, memory_store


@pytest.fixture
def desk(clock: ManualClock) -> Iterator[Desk]:
    with memory_store() as store:
        yield Desk(store, clock)


@pytest.fixture(params=["", "1"], ids=["buffered", "unbuffered"])
def buffering(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What processes print leaves them in blocks, as usual, or at once, as many containers have it."""
    monkeypatch.setenv("PYTHONUNBUFFERED", request.param)


@pytest.fixture
def spans() -> Iterator[Any]:
    """Where the spans of this test are: `get_finished_spans()`."""
    sdk = pytest.importorskip("opentelemetry.sdk.trace", reason="the extra wfe-tui[otel] is not installed")
    from opentelemetry import trace
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    if not isinstance(trace.get_tracer_provider(), sdk.TracerProvider):
        trace.set_tracer_provider(sdk.TracerProvider())  # a process has one, for good
    exporter = InMemorySpanExporter()
    trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(exporter))  # type: ignore[attr-defined]
    yield exporter
    exporter.shutdown()
