"""What the user has set for the console, in a file of their own: keys, theme, which stores are protected."""

import tomllib
from fnmatch import fnmatch
from pathlib import Path

from platformdirs import user_config_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.exceptions import InputError
from wfe_tui.actions import check_keys


def config_path() -> Path:
    """Where it is looked for."""
    return user_config_path("wfe") / "console.toml"


class Config(BaseModel):
    """The settings; each has a default, and the file need not be there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    theme: str | None = None
    """The name of a theme, as the palette lists them."""

    ascii: bool | None = None
    """Draw with ASCII alone; None: if the terminal's character set has no other."""

    protected: list[str] = Field(default_factory=list)
    """Paths of stores, with `*`: what cannot be undone there asks for the store's name to be typed."""

    keys: dict[str, str] = Field(default_factory=dict)
    """Other keys: the name of an action, as `entries.restart`, and its key, as `ctrl+r`, several joined by commas."""

    def protects(self, store: Path) -> bool:
        """Whether a store is protected."""
        return any(fnmatch(str(store), str(Path(pattern).expanduser())) for pattern in self.protected)


def read_config(path: Path) -> Config:
    """The settings in a file; the defaults if there is none.

    Raises:
        InputError: it cannot be read, or holds what is no setting.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the settings {path} cannot be read: {error}") from error
    try:
        config = Config.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"the settings {path} are not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(str(part) for part in first["loc"])
        raise InputError(f"the settings {path} are wrong: {at}: {first['msg']}") from error
    try:
        check_keys(config.keys)
    except InputError as error:
        raise InputError(f"the settings {path} are wrong: {error}") from error
    return config
