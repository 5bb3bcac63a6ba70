from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui import quantity
from tui.quantity import QuantityError

repeatable = settings(derandomize=True, deadline=None)


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("0", Fraction(0)),
        ("1", Fraction(1)),
        ("+1.50", Fraction(3, 2)),
        ("-2", Fraction(-2)),
        (".5", Fraction(1, 2)),
        ("5.", Fraction(5)),
        ("250m", Fraction(1, 4)),
        ("12u", Fraction(12, 10**6)),
        ("214847n", Fraction(214847, 10**9)),
        ("2k", Fraction(2000)),
        ("1.5Gi", Fraction(3 * 2**29)),
        ("1Ki", Fraction(1024)),
        ("3M", Fraction(3 * 10**6)),
        ("1E", Fraction(10**18)),
        ("1Ei", Fraction(2**60)),
        ("1e3", Fraction(1000)),
        ("12E-1", Fraction(6, 5)),
        ("9223372036854775807", Fraction(2**63 - 1)),
    ],
)
def test_a_quantity_is_exact(text: str, exact: Fraction) -> None:
    assert quantity.parse(text) == exact


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "m",
        "1mm",
        "1K",
        "1ki",
        "1.2.3",
        "--1",
        "1e",
        "1e+",
        "0x1",
        "١",
        "1\n",
        "NaN",
    ],
)
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(QuantityError, match="is not a quantity such as 250m"):
        quantity.parse(text)


def test_a_hostile_quantity_costs_nothing() -> None:
    with pytest.raises(QuantityError) as refused:
        quantity.parse("9" * 10_000_000)
    assert len(str(refused.value)) < 120
    with pytest.raises(QuantityError):
        quantity.parse("1e9999999")


@pytest.mark.parametrize(
    ("text", "milli", "whole"),
    [
        ("1n", 1, 1),
        ("-1n", -1, -1),
        ("100.5m", 101, 1),
        ("-100.5m", -101, -1),
        ("1", 1000, 1),
        ("1.0001", 1001, 2),
        ("0", 0, 0),
        ("128Mi", 134217728000, 134217728),
    ],
)
def test_rounding_is_away_from_zero(text: str, milli: int, whole: int) -> None:
    assert quantity.milli(text) == milli
    assert quantity.whole(text) == whole


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1, "1m"),
        (500, "500m"),
        (1000, "1"),
        (1500, "1500m"),
        (2_000_000, "2k"),
        (2_500_000, "2500"),
        (-5_000_000_000, "-5M"),
        (10**21, "1E"),
        (10**24, "1000E"),
        (9223372036854775807, "9223372036854775807m"),
    ],
)
def test_thousandths_are_printed_as_the_api_server_prints_them(value: int, text: str) -> None:
    assert quantity.format_milli(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1000, "1k"),
        (1023, "1023"),
        (1024, "1Ki"),
        (1025, "1025"),
        (1536, "1536"),
        (2048, "2Ki"),
        (134217728, "128Mi"),
        (2**60, "1Ei"),
        (-2048, "-2Ki"),
    ],
)
def test_bytes_are_printed_in_binary_from_1024(value: int, text: str) -> None:
    assert quantity.format_bytes(value) == text


def test_a_part_of_a_byte_is_printed_in_decimal() -> None:
    assert quantity.format_milli_bytes(28_966_229_333) == "28966229333m"
    assert quantity.format_milli_bytes(134_217_728_000) == "128Mi"


@given(st.integers(-(2**63), 2**63 - 1))
@repeatable
def test_printing_loses_nothing(value: int) -> None:
    assert quantity.milli(quantity.format_milli(value)) == value
    assert quantity.milli(quantity.format_milli_bytes(value)) == value
    assert quantity.whole(quantity.format_bytes(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0),
        ("0", 0.0),
        ("0.1", 100 * 1e-3),
        ("350m", 350 * 1e-3),
        ("0.35", 350 * 1e-3),
        ("5u", 5 * 1e-6),
        ("0.0000000001", 1e-9),
        ("2k", 2000.0),
    ],
)
def test_the_float_is_the_one_kubernetes_makes(text: str, value: float) -> None:
    assert quantity.approximate(text) == value


def test_the_float_need_not_be_the_nearest() -> None:
    assert quantity.approximate("9m") == 0.009000000000000001


@given(st.integers(0, 10**6))
@repeatable
def test_the_float_is_close(milli: int) -> None:
    assert quantity.approximate(f"{milli}m") == pytest.approx(milli / 1000)
