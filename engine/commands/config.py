"""`wfe config`: what is set here, and where. It opens no store."""

from collections.abc import Iterator

from engine.commands.options import JsonOption
from engine.commands.printing.settings import print_settings
from engine.settings import KINDS, Origin, read_settings
from engine.store.location import store_path


def config(json: JsonOption = False) -> None:
    """Show what is set, and where: in the environment, in wfe.toml or pyproject.toml, or nowhere."""
    print_settings(_settings(), as_json=json)


def _settings() -> Iterator[tuple[str, str | float | None, Origin | None]]:
    """Name, value and origin of each; None is the origin of a default."""
    settings = read_settings()
    for name in KINDS:
        value = str(store_path(None)) if name == "store" else getattr(settings, name)
        yield name, value, settings.origins.get(name)
