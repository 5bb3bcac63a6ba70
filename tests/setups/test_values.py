from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tui.setups import catalogue
from tui.setups.model import Placeholder, SetupError, ValueType
from tui.setups.values import assignments, complete, fit

SAFE = re.compile(r"[A-Za-z0-9._:/@-]+")
NUMBERS = (ValueType.PORT, ValueType.NODE_PORT, ValueType.NUMBER)


def placeholder(kind: ValueType) -> Placeholder:
    return Placeholder("x", kind, 1, "t", least=1, most=9)


@given(st.sampled_from(ValueType), st.text(max_size=80))
@example(ValueType.NAME, "a\n")
@example(ValueType.IMAGE, "nginx:1\nfoo: bar")
@example(ValueType.IMAGE, "nginx;}")
@example(ValueType.QUANTITY, "1²")
@example(ValueType.PORT, "٨٠")
def test_what_passes_can_end_no_string_line_or_directive(kind: ValueType, text: str) -> None:
    try:
        value = fit(placeholder(kind), text)
    except SetupError:
        return
    assert isinstance(value, int) == (kind in NUMBERS)
    assert SAFE.fullmatch(str(value))


@pytest.mark.parametrize(
    ("kind", "good"),
    [
        (ValueType.NAME, "fastapi-svc"),
        (ValueType.PORT, "8080"),
        (ValueType.NODE_PORT, "32767"),
        (ValueType.IMAGE, "registry.example.com:5000/team/app:1.2@sha256:" + "0" * 64),
        (ValueType.IMAGE, "localhost/nginx:1.22"),
        (ValueType.IMAGE, "tiangolo/uvicorn-gunicorn-fastapi:python3.11-slim"),
        (ValueType.NUMBER, "9"),
        (ValueType.QUANTITY, "1.5Gi"),
    ],
)
def test_what_people_write_fits(kind: ValueType, good: str) -> None:
    assert str(fit(placeholder(kind), good)) == good


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        (ValueType.NAME, "Upper"),
        (ValueType.NAME, "a" * 64),
        (ValueType.NAME, "-a"),
        (ValueType.PORT, "0"),
        (ValueType.PORT, "65536"),
        (ValueType.NODE_PORT, "8080"),
        (ValueType.NUMBER, "10"),
        (ValueType.NUMBER, "1.5"),
        (ValueType.NUMBER, True),
        (ValueType.IMAGE, "Nginx"),
        (ValueType.IMAGE, "a" * 501),
        (ValueType.QUANTITY, "0m"),
        (ValueType.QUANTITY, "much"),
    ],
)
def test_what_does_not_fit_says_what_would(kind: ValueType, bad: str) -> None:
    with pytest.raises(SetupError, match=r"x is a"):
        fit(placeholder(kind), bad)


def test_later_layers_win_and_unknown_names_are_told() -> None:
    nginx = catalogue.load().get("nginx")
    values = complete(nginx, [{"node-port": "30500"}, {"node-port": 30600, "app-port": "81"}])
    assert (values["node-port"], values["app-port"], values["app-service"]) == (
        30600,
        81,
        "fastapi-svc",
    )
    with pytest.raises(SetupError, match="no value 'colour'; there are: app-port"):
        complete(nginx, [{"colour": "red"}])


def test_words_of_a_command_line() -> None:
    assert assignments(["a=1", "b=x=y"]) == {"a": "1", "b": "x=y"}
    with pytest.raises(SetupError, match="KEY=VALUE"):
        assignments(["alone"])
