"""Where the console's demo lives: the processor that it runs, and the store that it keeps."""

from pathlib import Path

from platformdirs import user_data_path

DEMO = "engine.demo.audit:Audit"


def demo_store() -> Path:
    """The demo's store, kept from one start to the next; remove its folder to begin again."""
    return user_data_path("wfe") / "demo" / "wfe.db"
