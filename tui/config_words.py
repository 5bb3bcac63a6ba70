"""What is wrong with the settings in a file, in words for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, get_args, get_origin

import msgspec

_Tables = Mapping[str, type[msgspec.Struct]]
"""What may stand in each table, by its name; ``""`` is what stands before the first."""
_LONGEST: Final = 40
_TEXT: Final = 'a text in quotes, such as "web"'
_LIST: Final = 'a list of texts, such as ["a", "b"]'
_WANTED: Final[Mapping[Any, str]] = {
    str: _TEXT,
    str | None: _TEXT,
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str | int: "a text in quotes or a whole number",
    str | int | dict[str, str | int]: "a text in quotes, a whole number, or a table of them",
    tuple[str, ...]: _LIST,
    tuple[str, ...] | None: _LIST,
}


def trouble(document: Mapping[str, Any], kind: type[msgspec.Struct]) -> str | None:
    """The first thing that does not fit; None if all of it fits.

    Args:
        document: the file as TOML has it.
        kind: what it should be.

    Returns:
        A sentence without a full stop, which names the key and its table.
    """
    tables = {"": kind} | {
        key: inner
        for key, inner in _fields(kind).items()
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct)
    }
    return next(_troubles(document, tables, ""), None)


def written(key: str, table: str) -> str:
    """A setting as a sentence names it: ``max-rate in [load]``."""
    return f"{key} in [{table}]" if table else key


def shown(value: object) -> str:
    """A value about as TOML writes it, short enough for a sentence."""
    if isinstance(value, dict):
        return "a table"
    simple = isinstance(value, str | bool | int | float | list)
    text = json.dumps(value, ensure_ascii=False, default=str) if simple else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _troubles(document: Mapping[str, Any], tables: _Tables, table: str) -> Iterator[str]:
    known = _fields(tables[table])
    for key, value in document.items():
        if key not in known:
            yield _unknown(key, tables, table)
        elif isinstance(value, dict) and key in tables:
            yield from _troubles(value, tables, key)
        elif isinstance(value, dict) and get_origin(known[key]) is dict:
            inner = get_args(known[key])[1]
            path = f"{table}.{key}" if table else key
            yield from (
                _wrong(written(name, path), one, inner)
                for name, one in value.items()
                if not _fits(one, inner)
            )
        elif not _fits(value, known[key]):
            yield _wrong(written(key, table), value, known[key])


def _unknown(key: str, tables: _Tables, table: str) -> str:
    missing = f"there is no setting {written(shown(key)[1:-1], table)}"
    known = _fields(tables[table])
    near = get_close_matches(key, known, 1)
    if near:
        return f"{missing}; the nearest is {near[0]}"
    elsewhere = [name for name, kind in tables.items() if key in _fields(kind)]
    if elsewhere:
        place = f"in [{elsewhere[0]}]" if elsewhere[0] else "before the first table"
        return f"{missing}; {key} stands {place}"
    return f"{missing}; there are {', '.join(known)}"


def _wrong(what: str, value: object, kind: Any) -> str:
    wanted = _WANTED.get(kind, "a table")
    return f"{what} has to be {wanted}, not {shown(value)}"


def _fits(value: object, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _fields(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
