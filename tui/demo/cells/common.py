"""What several rows share: ages, names of containers, pairs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple

from tui.demo.api.durations import human
from tui.demo.store import Object

NONE: Final = "<none>"
UNKNOWN: Final = "<unknown>"
UNSET: Final = "<unset>"
Cells = Callable[[Object, datetime], list[Any]]
"""The cells after the name, at a moment."""


class Column(NamedTuple):
    """One column; ``wide`` ones are shown with ``-o wide`` alone."""

    name: str
    wide: bool = False
    type: str = "string"


def columns(text: str, wide: str = "") -> tuple[Column, ...]:
    """Columns by their names; an underscore stands for a blank."""
    return (
        *(Column(name.replace("_", " ")) for name in text.split()),
        *(Column(name.replace("_", " "), True) for name in wide.split()),
    )


def ago(stamp: str | None, now: datetime) -> str:
    """How long ago a time is."""
    if not stamp:
        return UNKNOWN
    return human((now - datetime.fromisoformat(stamp)).total_seconds())


def age(data: Object, now: datetime) -> str:
    """How old an object is."""
    return ago(data["metadata"].get("creationTimestamp"), now)


def containers(spec: Object) -> list[str]:
    """The names and the images of a template's containers."""
    found = spec["template"]["spec"].get("containers") or ()
    return [",".join(str(one.get(name, "")) for one in found) for name in ("name", "image")]


def pairs(labels: dict[str, str] | None) -> str:
    """``a=b,c=d``."""
    return ",".join(f"{k}={v}" for k, v in sorted((labels or {}).items())) or NONE
