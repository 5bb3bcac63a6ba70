"""Settings: a TOML file, then ``KSCALE_*`` variables, then the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from tui import toml

if TYPE_CHECKING:
    from tui.load.limits import Limits

PATH_VARIABLE: Final = "KSCALE_CONFIG"
THEMES: Final = {"dark": "kscale-dark", "light": "kscale-light", "contrast": "kscale-contrast"}


class ConfigError(ValueError):
    """The settings cannot be used. The message is one sentence for people."""


class SetupSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The table ``[setups]``."""

    dir: str | None = None
    """A folder of one's own setups, beside the built-in ones."""
    values: dict[str, str | int | dict[str, str | int]] = {}
    """Placeholder → value, for every setup that has it; or setup → such a table."""

    def overrides(self) -> dict[str, dict[str, str | int]]:
        """Values by setup; those for all of them under ``""``."""
        found: dict[str, dict[str, str | int]] = {"": {}}
        for name, value in self.values.items():
            if isinstance(value, dict):
                found[name] = value
            else:
                found[""][name] = value
        return found


class LoadSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The table ``[load]``: what bursts may do."""

    preset: str = "class-burst"
    """What the key fires before another has been chosen."""
    dir: str | None = None
    """A folder of one's own presets, beside the built-in ones."""
    max_connections: int = 1_000
    max_rate: float = 100_000.0
    """Requests a second."""
    max_minutes: float = 30.0
    allow_hosts: tuple[str, ...] = ()
    """Hosts that may be loaded though they are neither this machine nor a route of the cluster."""

    @property
    def limits(self) -> Limits:
        """The caps, as the burst engine takes them."""
        from tui.load.limits import Limits  # not at the start of a program that may fire nothing

        return Limits(self.max_connections, self.max_rate, 60 * self.max_minutes)


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What may stand in ``config.toml``."""

    theme: str = "dark"
    """``dark``, ``light``, ``contrast``, or the name of any Textual theme."""
    namespace: str | None = None
    target: str | None = None
    read_only: bool = False
    keys: dict[str, str] = {}
    """Action name → keys, such as ``zoom = "f5,z"``."""
    load: LoadSettings = LoadSettings()
    setups: SetupSettings = SetupSettings()
    protected_contexts: tuple[str, ...] = ()
    """Patterns of contexts in which nothing is ever written, such as ``shop-*``."""
    production: tuple[str, ...] | None = None
    """Patterns of contexts whose name has to be typed before anything is written; None for the
    usual ones."""


def default_path() -> Path:
    """Where settings are looked for: ``$KSCALE_CONFIG``, else the user's config folder.

    Raises:
        ConfigError: the path begins with the home of a user who is not there.
    """
    named = os.environ.get(PATH_VARIABLE)
    if named:
        try:
            return Path(named).expanduser()
        except RuntimeError:
            raise ConfigError(f"{PATH_VARIABLE} is {named}, and there is no such home") from None
    import platformdirs

    return Path(platformdirs.user_config_dir("kscale-tui", appauthor=False)) / "config.toml"


def load(path: Path | None = None) -> Settings:
    """Read the settings. A missing default file is no settings; a missing named one is an error.

    Raises:
        ConfigError: unreadable, not TOML, or a field that does not exist or fit.
    """
    named = path is not None or bool(os.environ.get(PATH_VARIABLE))
    path = path or default_path()
    try:
        raw = toml.read(path)
    except FileNotFoundError:
        if named:
            raise ConfigError(f"there is no settings file {path}") from None
        raw = b""
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from None
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None
    try:
        settings = _decode(raw)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None
    return _from_environment(settings)


def _decode(raw: bytes) -> Settings:
    """Raises:
    ValueError: it is no settings; a sentence without a full stop.
    """
    if not raw:
        return Settings()
    try:
        settings = toml.decode(raw, Settings)
    except msgspec.ValidationError as error:
        from tui import config_words  # for those who made a mistake

        said = config_words.trouble(toml.decode(raw, dict), Settings)
        raise ValueError(said or str(error)) from None
    load = settings.load
    caps = {
        "max-connections": load.max_connections,
        "max-rate": load.max_rate,
        "max-minutes": load.max_minutes,
    }
    for name, value in caps.items():
        if not value > 0:  # nor is it a number that is none
            raise ValueError(f"{name} in [load] has to be more than 0, not {value:g}")
    return settings


def source(name: str) -> str:
    """What a setting that is set comes from, as the subject of a sentence."""
    variable = _variable(name)
    return variable if os.environ.get(variable) else f"{name} in the settings file"


def _variable(name: str) -> str:
    return f"KSCALE_{name.upper()}"


def _from_environment(settings: Settings) -> Settings:
    values: dict[str, object] = {}
    for name in ("theme", "namespace", "target"):
        value = os.environ.get(_variable(name))
        if value:
            values[name] = value
    read_only = os.environ.get("KSCALE_READ_ONLY")
    if read_only is not None:
        values["read_only"] = read_only.strip().lower() not in ("", "0", "false", "no")
    return msgspec.structs.replace(settings, **values) if values else settings
