"""Presets of bursts: TOML files that ship with the program, and the user's own beside them.

A preset says how load runs over time and, if need be, what is asked; the target comes later::

    title = "Class burst"
    about = "Fifty students press reload."
    duration = "60s"
    connections = 50
    rate = { shape = "ramp", from = 100, to = 3000 }

``connections`` and ``rate`` are numbers or shapes: steady, ramp, step, spike, wave.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urljoin

import msgspec

from tui import toml
from tui.load import curve
from tui.load.plan import Plan, PlanError
from tui.resources import fixtures

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_WHOLE: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h))+")
_LEAST_PERIOD: Final = 1.0
"""Seconds. A wave is made of pieces, of which there is an end."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]*")


def seconds(text: str) -> float:
    """Seconds of a duration such as ``90s``, ``1m30s``, ``500ms`` or ``10`` (seconds).

    Raises:
        PlanError: it is none.
    """
    if text.isdecimal():
        return float(text)
    if not _WHOLE.fullmatch(text):
        raise PlanError(f"{text!r} is not a duration such as 30s, 3m or 1m30s")
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


class _Shape(msgspec.Struct, tag_field="shape", forbid_unknown_fields=True):
    """A quantity over time."""


class Steady(_Shape, tag="steady"):
    """The same all the time."""

    value: float

    def points(self, duration: float) -> curve.Points:
        """Its course over a burst of so many seconds."""
        return curve.steady(self.value)


class Ramp(_Shape, tag="ramp"):
    """Evenly from one value to another."""

    first: float = msgspec.field(name="from")
    last: float = msgspec.field(name="to")

    def points(self, duration: float) -> curve.Points:
        """Its course over a burst of so many seconds."""
        return curve.ramp(self.first, self.last, duration)


class Step(_Shape, tag="step"):
    """Each value for an equal part of the time."""

    values: tuple[float, ...]

    def points(self, duration: float) -> curve.Points:
        """Its course over a burst of so many seconds."""
        if not self.values:
            raise PlanError("a step needs values")
        return curve.step(self.values, duration)


class Spike(_Shape, tag="spike"):
    """A base, and a peak for a while."""

    base: float
    peak: float
    at: str
    lasting: str = msgspec.field(name="for")

    def points(self, duration: float) -> curve.Points:
        """Its course over a burst of so many seconds."""
        begin, lasting = seconds(self.at), seconds(self.lasting)
        if begin + lasting > duration:
            raise PlanError("the spike ends after the burst")
        return curve.spike(self.base, self.peak, begin, lasting)


class Wave(_Shape, tag="wave"):
    """A sine that begins at its lowest."""

    low: float
    high: float
    period: str

    def points(self, duration: float) -> curve.Points:
        """Its course over a burst of so many seconds."""
        period = seconds(self.period)
        if period < _LEAST_PERIOD:
            raise PlanError(f"a wave's period is at least {_LEAST_PERIOD:g} s, not {self.period}")
        return curve.wave(self.low, self.high, period, duration)


Shape = Steady | Ramp | Step | Spike | Wave


class Asking(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What is asked; GET of the target's own path if nothing is said."""

    method: str = "GET"
    path: str | None = None
    """In place of the target's path."""
    headers: dict[str, str] = {}
    form: dict[str, str] | None = None
    """Fields of a form, as the body."""
    body: str = ""


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """One preset, as its file says."""

    title: str
    duration: str
    about: str = ""
    connections: int | Shape = 50
    rate: int | float | Shape | None = None
    """Requests a second over all connections."""
    rate_per_connection: float | None = None
    count: int | None = None
    keep_alive: bool = True
    timeout: str = "20s"
    request: Asking = Asking()
    name: str = ""
    """The file's name without its ending."""

    def plan(self, url: str) -> Plan:
        """What a burst of this preset at a URL does.

        Raises:
            PlanError: the preset asks for what cannot be.
        """
        duration = seconds(self.duration)
        asking = self.request
        headers = tuple(asking.headers.items())
        body = asking.body.encode()
        if asking.form is not None:
            body = urlencode(asking.form).encode()
            headers = (("Content-Type", "application/x-www-form-urlencoded"), *headers)
        return Plan(
            url=urljoin(url, asking.path) if asking.path else url,
            method=asking.method,
            headers=headers,
            body=body,
            connections=_points(self.connections, duration),
            rate=None if self.rate is None else _points(self.rate, duration),
            rate_per_connection=self.rate_per_connection,
            duration=duration,
            count=self.count,
            timeout=seconds(self.timeout),
            keep_alive=self.keep_alive,
            profile=self.name or None,
        )


def _points(value: int | float | Shape, duration: float) -> curve.Points:
    if isinstance(value, int | float):
        return curve.steady(float(value))
    return value.points(duration)


def folders(more: str | None = None) -> tuple[Path, ...]:
    """Where presets are: those that ship, then the user's, which win; last the settings' folder.

    Raises:
        PlanError: the settings' folder begins with the home of a user who is not there.
    """
    import platformdirs

    own = Path(platformdirs.user_config_dir("kscale-tui", appauthor=False)) / "profiles"
    try:
        return fixtures() / "profiles", own, *([Path(more).expanduser()] if more else [])
    except RuntimeError:
        raise PlanError(f"there is no such home: {more}") from None


def names(places: Iterable[Path] | None = None) -> list[str]:
    """Every preset there is."""
    found: set[str] = set()
    for folder in folders() if places is None else places:
        if folder.is_dir():
            found.update(path.stem for path in folder.glob("*.toml"))
    return sorted(found)


def load(name: str, places: Iterable[Path] | None = None) -> Profile:
    """Read a preset.

    Raises:
        PlanError: there is none of that name, or its file is wrong.
    """
    places = tuple(folders() if places is None else places)
    if _NAME.fullmatch(name):
        for folder in reversed(places):
            path = folder / f"{name}.toml"
            if path.is_file():
                return read(path)
    raise PlanError(f"there is no profile {name!r}; there are {', '.join(names(places)) or 'none'}")


def read(path: Path) -> Profile:
    """Read one file, and see that a burst can be made of it.

    Raises:
        PlanError: it cannot be read, or used.
    """
    try:
        profile = toml.decode(toml.read(path), Profile)
        profile = msgspec.structs.replace(profile, name=path.stem)
        profile.plan("http://127.0.0.1/")
    except OSError as error:
        raise PlanError(f"cannot read {path}: {error.strerror or error}") from None
    except (ValueError, OverflowError) as error:
        raise PlanError(f"{path}: {error}") from None
    return profile
