"""Values for placeholders: what fits, and where one comes from.

A value is checked against its placeholder's type before it goes anywhere. Each type allows so few
characters that none can end a string, a line or a directive in YAML, nginx.conf or a Caddyfile.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from tui import quantity
from tui.setups.model import Placeholder, Setup, UsageError, Value, ValueType

NAME: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
"""A DNS label, RFC 1123."""
_IMAGE: Final = re.compile(
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,200}[a-zA-Z0-9])?(?::[0-9]{1,5})?/)?"
    r"[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?"
    r"(?:@sha256:[0-9a-f]{64})?"
)
_QUANTITY: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,3})?(?:m|k|M|G|Ki|Mi|Gi)?")
_NUMBER: Final = re.compile(r"-?[0-9]{1,9}")
_RANGES: Final = {ValueType.PORT: (1, 65535), ValueType.NODE_PORT: (30000, 32767)}
_WORDS: Final = {
    ValueType.NAME: "a name of small letters, digits and dashes (at most 63)",
    ValueType.IMAGE: "an image such as nginx:1.27-alpine",
    ValueType.QUANTITY: "a quantity such as 100m or 128Mi",
}


def fit(placeholder: Placeholder, given: str | int) -> Value:
    """A value in its placeholder's type.

    Raises:
        UsageError: it does not fit; says what would.
    """
    kind = placeholder.type
    text = str(given).strip() if not isinstance(given, bool) else ""
    if kind in (ValueType.PORT, ValueType.NODE_PORT, ValueType.NUMBER):
        least, most = _RANGES.get(kind, (placeholder.least, placeholder.most))
        number = int(text) if _NUMBER.fullmatch(text) else None
        if (
            number is None
            or (least is not None and number < least)
            or (most is not None and number > most)
        ):
            said = f"{placeholder.name} is a whole number{_range(least, most)}"
            raise UsageError(f"{said}, not {_shown(given)}.")
        return number
    good = {
        ValueType.NAME: NAME.fullmatch,
        ValueType.IMAGE: _IMAGE.fullmatch,
        ValueType.QUANTITY: _QUANTITY.fullmatch,
    }[kind](text)
    if good and kind is ValueType.QUANTITY:
        good = good if quantity.parse(text) > 0 else None
    if not good or len(text) > 500:
        raise UsageError(f"{placeholder.name} is {_WORDS[kind]}, not {_shown(given)}.")
    return text


def complete(setup: Setup, layers: Iterable[Mapping[str, str | int]]) -> dict[str, Value]:
    """A value for each placeholder: its default, then what each layer says of it, in order.

    Raises:
        UsageError: a value that does not fit, or of a placeholder that the setup does not have.
    """
    known = {one.name: one for one in setup.placeholders}
    values: dict[str, Value] = {one.name: one.default for one in setup.placeholders}
    for layer in layers:
        for name, given in layer.items():
            if name not in known:
                there = ", ".join(sorted(known)) or "none"
                raise UsageError(
                    f"The setup {setup.name} has no value {_shown(name)}; there are: {there}."
                )
            values[name] = fit(known[name], given)
    return values


def assignments(words: Iterable[str]) -> dict[str, str]:
    """``KEY=VALUE`` words of a command line.

    Raises:
        UsageError: a word without ``=``.
    """
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise UsageError(f"{_shown(word)} is not KEY=VALUE, such as node-port=30081.")
        found[name.strip()] = value
    return found


def _range(least: int | None, most: int | None) -> str:
    if least is not None and most is not None:
        return f" from {least} to {most}"
    if least is not None:
        return f" of at least {least}"
    return f" of at most {most}" if most is not None else ""


def _shown(given: object) -> str:
    text = repr(given)
    return text if len(text) <= 60 else text[:59] + "…"
