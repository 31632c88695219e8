"""What the engine's tests share: an operator's desk."""

from collections.abc import Iterator

import pytest
from desk import Desk

from engine.testing import ManualClock, memory_store


@pytest.fixture
def desk(clock: ManualClock) -> Iterator[Desk]:
    with memory_store() as store:
        yield Desk(store, clock)
