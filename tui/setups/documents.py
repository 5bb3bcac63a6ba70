"""YAML from a folder to plain objects: safely, strictly, and within bounds.

As kubectl reads it (YAML 1.1 without timestamps), but a key given twice is an error instead of
the last one winning.
"""

from __future__ import annotations

import math
from typing import Any, Final

import yaml

from tui.cluster import yaml_bounds
from tui.cluster.objects import Object
from tui.setups.model import SetupError

LARGEST: Final = 1024 * 1024
"""Bytes of a file: what a ConfigMap may hold at most."""
_MOST_NODES: Final = 20_000


class _Loader(yaml.SafeLoader):
    """Plain data alone, every key once."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        if isinstance(node, yaml.MappingNode):
            seen: set[Any] = set()
            for key, _ in node.value:
                name = key.value if isinstance(key, yaml.ScalarNode) else None
                if name in seen and name != "<<":
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {name!r} stands twice", key.start_mark
                    )
                seen.add(name)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse(text: str, where: str) -> list[Object]:
    """The documents of a YAML file; empty ones are left out.

    Args:
        text: the file.
        where: its name, for errors.

    Raises:
        SetupError: not YAML, not objects, or beyond the bounds.
    """
    if len(text) > LARGEST:
        raise SetupError(f"{where} is larger than {LARGEST // 1024} KiB.")
    found: list[Object] = []
    loader: Any = None
    try:
        yaml_bounds.check(text, nodes=_MOST_NODES)
        loader = _Loader(text)
        while loader.check_data():
            document = loader.get_data()
            if document is None:
                continue
            _plain(document, where)
            if not isinstance(document, dict):
                raise SetupError(f"{where} holds something that is no Kubernetes object.")
            found.append(document)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise SetupError(f"{where} cannot be read as YAML: {_words(error)}.") from None
    finally:
        if loader is not None:
            loader.dispose()
    return found


def _plain(document: Any, where: str) -> None:
    """Refuse what is not fit for JSON."""
    stack: list[Any] = [document]
    left = _MOST_NODES
    while stack:
        value = stack.pop()
        left -= 1
        if left < 0:  # an alias inside of what it names
            raise SetupError(f"{where} is too large or too deeply nested.")
        if isinstance(value, dict):
            if not all(isinstance(key, str) for key in value):
                raise SetupError(f"{where} has a key that is no text; put it in quotes.")
            stack += value.values()
        elif isinstance(value, list):
            stack += value
        elif isinstance(value, float):
            if not math.isfinite(value):
                raise SetupError(f"{where} has a number that JSON does not know.")
        elif not isinstance(value, str | int | bool | None):
            raise SetupError(f"{where} has a value that is neither text nor number.")


def _words(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is too deeply nested"
    if isinstance(error, yaml.reader.ReaderError):
        return "it has characters that no YAML may have"
    mark = getattr(error, "problem_mark", None)
    said = str(getattr(error, "problem", None) or error).rstrip(".")
    return f"{said} (line {mark.line + 1})" if mark is not None else said
