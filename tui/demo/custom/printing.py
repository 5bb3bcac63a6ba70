"""The columns that a definition adds to tables, by their JSON paths.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#additional-printer-columns
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, Final

from tui.demo.api.durations import human
from tui.demo.store import Object

_AGE: Final[Object] = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}
_STEP: Final = re.compile(
    r"\.(?P<name>[\w\-/]+(?:\\\.[\w\-/]+)*)"
    r"|\[\?\(@\.(?P<key>[\w.]+)\s*==\s*[\"'](?P<value>[^\"']*)[\"']\)\]"
    r"|\[(?P<index>-?\d+)\]|\[(?P<all>\*)\]|\[['\"](?P<quoted>[^'\"]+)['\"]\]"
)


def _shown(printer: list[Object]) -> list[Object]:
    return printer or [_AGE]


def columns(printer: list[Object]) -> list[Object]:
    """``columnDefinitions``: the name, then what the definition says, or the age."""
    found: list[Object] = [
        {"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}
    ]
    said: Object = {"format": "", "description": "", "priority": 0}
    kept = ("name", "type", *said)
    return found + [
        said | {name: one[name] for name in kept if name in one} for one in _shown(printer)
    ]


def cells(printer: list[Object], data: Object, now: datetime) -> list[Any]:
    """The cells after the name."""
    return [_cell(one, data, now) for one in _shown(printer)]


def _cell(column: Object, data: Object, now: datetime) -> Any:
    found = lookup(data, str(column.get("jsonPath", "")))
    if not found:
        return None
    value = found[0]
    type_ = column.get("type")
    if type_ == "date":
        try:
            return human((now - datetime.fromisoformat(value)).total_seconds())
        except (TypeError, ValueError):
            return "<invalid>"
    if type_ == "boolean":
        return value if isinstance(value, bool) else None
    if type_ in ("integer", "number"):
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
        return value if good else None
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"))


def lookup(data: Any, path: str) -> list[Any]:
    """What a JSON path leads to; nothing for a path that cannot be read."""
    found = [data]
    position = 0
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            return []
        position = step.end()
        found = [inner for one in found for inner in _into(one, step)]
    return found


def _into(value: Any, step: re.Match[str]) -> list[Any]:
    name = step["name"] or step["quoted"]
    if name:
        key = name.replace("\\.", ".")
        return [value[key]] if isinstance(value, dict) and key in value else []
    if not isinstance(value, list):
        return list(value.values()) if step["all"] and isinstance(value, dict) else []
    if step["all"]:
        return list(value)
    if step["index"]:
        index = int(step["index"])
        return [value[index]] if -len(value) <= index < len(value) else []
    inner = "." + step["key"]
    return [one for one in value if lookup(one, inner) == [step["value"]]]
