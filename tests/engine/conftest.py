"""What the engine's tests share: an operator's desk."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk import Desk

from engine import Store


@pytest.fixture
def desk(tmp_path: Path, clock: Any) -> Iterator[Desk]:
    with Store(tmp_path / "wfe.db") as store:
        yield Desk(store, clock)
