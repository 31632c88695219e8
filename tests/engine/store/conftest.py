"""A real store in a folder of its own, for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "wfe.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store(path) as store:
        yield store
