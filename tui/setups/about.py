"""What a ``setup.toml`` says of its setup, in the words of the person who has to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

import msgspec

from tui import toml
from tui.cluster.shapes import in_words
from tui.setups.model import Check, Need, NeedKind, Placeholder, SetupError, ValueType
from tui.setups.values import NAME, fit

_FILE: Final = "setup.toml"
E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


class _Value(msgspec.Struct, forbid_unknown_fields=True):
    type: str
    default: str | int
    title: str
    least: int | None = None
    most: int | None = None


class _Need(msgspec.Struct, forbid_unknown_fields=True):
    kind: str
    name: str = ""
    required: bool = True
    resources: list[str] = []
    hint: str = ""


class _Check(msgspec.Struct, forbid_unknown_fields=True):
    service: str
    path: str
    port: int = 80
    status: int = 200
    served_by: str = ""
    title: str = ""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """What may stand in it; tables are looked at one by one, so that each can be named."""

    title: str
    summary: str
    key: str = ""
    values: dict[str, Any] = {}
    needs: list[Any] = []
    health: Any = None
    checks: list[Any] = []


@dataclass(frozen=True, slots=True)
class About:
    """What a ``setup.toml`` says."""

    title: str
    summary: str
    key: str
    placeholders: tuple[Placeholder, ...]
    needs: tuple[Need, ...]
    health: Check | None
    checks: tuple[Check, ...]


def parse(text: str) -> About:
    """What stands in a ``setup.toml``.

    Raises:
        SetupError: something in it cannot be meant; says where, and what could.
    """
    try:
        said = toml.decode(text, _File)
    except ValueError as error:
        raise SetupError(f"{_FILE}: {in_words(error)}.") from None
    return About(
        said.title,
        said.summary,
        said.key,
        tuple(_placeholder(name, given) for name, given in said.values.items()),
        tuple(_need(f"[[needs]] {n}", given) for n, given in enumerate(said.needs, start=1)),
        None if said.health is None else _check("[health]", said.health),
        tuple(_check(f"[[checks]] {n}", given) for n, given in enumerate(said.checks, start=1)),
    )


def _placeholder(name: str, given: Any) -> Placeholder:
    if not NAME.fullmatch(name) or name == "namespace":
        raise SetupError(
            f"{_FILE}: {name!r} cannot be the name of a value: that is of small letters, digits "
            "and dashes, and not namespace."
        )
    where = f"[values.{name}]"
    value = _table(where, given, _Value)
    kind = _one_of(where, "type", value.type, ValueType)
    if kind is not ValueType.NUMBER and (value.least, value.most) != (None, None):
        raise SetupError(f"{_FILE}: {where}: least and most are for numbers, not for a {kind}.")
    made = Placeholder(name, kind, value.default, value.title, value.least, value.most)
    try:
        default = fit(made, value.default)
    except SetupError as error:
        raise SetupError(f"{_FILE}: the default of {error}") from None
    return Placeholder(name, kind, default, value.title, value.least, value.most)


def _need(where: str, given: Any) -> Need:
    need = _table(where, given, _Need)
    kind = _one_of(where, "kind", need.kind, NeedKind)
    return Need(kind, need.name, need.required, tuple(need.resources), need.hint)


def _check(where: str, given: Any) -> Check:
    check = _table(where, given, _Check)
    if not check.path.startswith("/") or any(c <= " " for c in check.path):
        raise SetupError(f"{_FILE}: {where}: {check.path!r} is no path of a URL, such as /healthz.")
    return Check(check.service, check.path, check.port, check.status, check.served_by, check.title)


def _table(where: str, given: Any, shape: type[T]) -> T:
    try:
        return msgspec.convert(given, shape)
    except msgspec.ValidationError as error:
        raise SetupError(f"{_FILE}: {where}: {in_words(error)}.") from None


def _one_of(where: str, field: str, given: str, allowed: type[E]) -> E:
    known: Iterable[E] = allowed
    for one in known:
        if one.value == given:
            return one
    there = ", ".join(one.value for one in known)
    raise SetupError(f"{_FILE}: {where}: {field} is {given!r}, and has to be one of {there}.")
