"""Files in TOML, within bounds: whatever is in them is settings or a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Final, TypeVar

import msgspec

LARGEST: Final = 1024 * 1024
"""Bytes of a file."""
T = TypeVar("T")


def read(path: Path) -> bytes:
    """A file's bytes.

    Raises:
        OSError: it cannot be read.
        ValueError: it is too large; a sentence without a full stop.
    """
    with path.open("rb") as file:
        raw = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST // 1024} KiB")
    return raw


def decode(raw: bytes | str, type: type[T]) -> T:
    """The settings in it.

    Raises:
        ValueError: no TOML, or not of that type; a sentence without a full stop.
    """
    try:
        return msgspec.toml.decode(raw, type=type)
    except RecursionError:
        raise ValueError("it is too deeply nested") from None
