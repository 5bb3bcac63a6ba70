"""Kubernetes quantities: ``"250m"``, ``"1.5Gi"``, ``"12345678n"`` to numbers and back.

Grammar and rounding follow `k8s.io/apimachinery/pkg/api/resource`_: ``Value()`` and
``MilliValue()`` round away from zero, so a pod that asks for ``1n`` of CPU asks for ``1m``.

.. _k8s.io/apimachinery/pkg/api/resource:
   https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import Final

_BINARY: Final = {f"{p}i": 1024**n for n, p in enumerate("KMGTPE", start=1)}
_DECIMAL: Final = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 10**3),
    "": Fraction(1),
    **{p: Fraction(10 ** (3 * n)) for n, p in enumerate("kMGTPE", start=1)},
}
_QUANTITY: Final = re.compile(
    r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:([KMGTPE]i|[numkMGTPE]?)|[eE]([+-]?[0-9]{1,3}))",
    re.ASCII,
)
_LONGEST: Final = 64
_DECIMAL_SUFFIXES: Final = ("m", "", "k", "M", "G", "T", "P", "E")
_POWERS: Final = {3: 1e-3, 6: 1e-6, 9: 1e-9}


class QuantityError(ValueError):
    """The text is not a quantity."""


@lru_cache(maxsize=4096)
def parse(text: str) -> Fraction:
    """The exact value of a quantity.

    Raises:
        QuantityError: the text does not match the grammar.
    """
    match = _QUANTITY.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise QuantityError(f"{text[:40]!r} is not a quantity such as 250m, 1.5 or 128Mi")
    number, suffix, exponent = match.groups()
    if exponent is not None:
        return Fraction(number) * Fraction(10) ** int(exponent)
    scale = _BINARY.get(suffix) or _DECIMAL[suffix]
    return Fraction(number) * scale


@lru_cache(maxsize=4096)
def milli(text: str) -> int:
    """The quantity in thousandths, rounded away from zero as ``MilliValue()`` does."""
    return round_away(parse(text) * 1000)


@lru_cache(maxsize=4096)
def whole(text: str) -> int:
    """The quantity in whole units, rounded away from zero as ``Value()`` does."""
    return round_away(parse(text))


def format_milli(value: int) -> str:
    """Thousandths in canonical decimal form: ``500`` is ``500m``, ``2000`` is ``2``.

    Whole multiples of a thousand take the larger suffix, as the API server prints them:
    ``5_000_000`` thousandths are ``5k``.
    """
    mantissa, steps = value, 0
    while mantissa and steps < len(_DECIMAL_SUFFIXES) - 1 and mantissa % 1000 == 0:
        mantissa //= 1000
        steps += 1
    return f"{mantissa}{_DECIMAL_SUFFIXES[steps]}" if mantissa else "0"


def format_bytes(value: int) -> str:
    """Bytes in canonical binary form: ``134217728`` is ``128Mi``, ``1025`` stays ``1025``.

    Below 1024 the API server turns to decimal suffixes, so ``1000`` is ``1k``.
    """
    return format_milli_bytes(value * 1000)


def format_milli_bytes(value: int) -> str:
    """Thousandths of a byte in canonical binary form.

    Fractions of a byte and values below 1024 are printed in decimal form instead: the HPA's
    mean of three pods may well be ``28966229333m``.
    """
    whole_bytes, fraction = divmod(value, 1000)
    if fraction or abs(whole_bytes) < 1024:
        return format_milli(value)
    for suffix, scale in reversed(_BINARY.items()):
        if whole_bytes % scale == 0:
            return f"{whole_bytes // scale}{suffix}"
    return str(whole_bytes)


def approximate(text: str) -> float:
    """The float that ``AsApproximateFloat64()`` makes of the quantity.

    It multiplies the canonical mantissa by a power of ten, which is not always the float nearest
    to the exact value, and a tolerance compared with ``<=`` can tell the two apart.

    Raises:
        QuantityError: the text does not match the grammar.
    """
    value = parse(text)
    for digits in (0, 3, 6, 9):
        scaled = value * 10**digits
        if scaled.denominator == 1:
            return float(scaled.numerator) * _POWERS[digits] if digits else float(value)
    return float(round_away(value * 10**9)) * _POWERS[9]


def round_away(value: Fraction) -> int:
    """The integer next to the value on the side away from zero."""
    floor, remainder = divmod(abs(value.numerator), value.denominator)
    rounded = floor + (1 if remainder else 0)
    return rounded if value >= 0 else -rounded
