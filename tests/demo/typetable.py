"""Derives the table of types from the models of the kubernetes package.

``python -m tests.demo.typetable`` writes ``tui/demo/api/types.json`` anew, after an update of the
kubernetes package; a test holds the two together.
"""

from __future__ import annotations

import importlib
import types
import typing
from pathlib import Path
from typing import Any

import msgspec
from pydantic import BaseModel

TABLE = Path(__file__).parents[2] / "tui" / "demo" / "api" / "types.json"
_ROOTS = {
    "Namespace": "V1Namespace",
    "Node": "V1Node",
    "Pod": "V1Pod",
    "Service": "V1Service",
    "Endpoints": "V1Endpoints",
    "ConfigMap": "V1ConfigMap",
    "Secret": "V1Secret",
    "ServiceAccount": "V1ServiceAccount",
    "ResourceQuota": "V1ResourceQuota",
    "Event": "CoreV1Event",
    "EndpointSlice": "V1EndpointSlice",
    "Deployment": "V1Deployment",
    "ReplicaSet": "V1ReplicaSet",
    "StatefulSet": "V1StatefulSet",
    "HorizontalPodAutoscaler.v2": "V2HorizontalPodAutoscaler",
    "HorizontalPodAutoscaler.v1": "V1HorizontalPodAutoscaler",
    "Ingress": "V1Ingress",
    "APIService": "V1APIService",
}
# Quantities, which may be written as numbers.
_QUANTITIES = {"divisor", "sizeLimit", "averageValue"}
_OF_QUANTITIES = {
    "limits",
    "requests",
    "capacity",
    "allocatable",
    "allocatedResources",
    "hard",
    "used",
}
_PLAIN: dict[Any, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}


def table() -> dict[str, dict[str, str]]:
    """Type → field → type; ``[X]`` a list and ``{X}`` a map of X, ``*`` anything."""
    found: dict[str, dict[str, str]] = {}
    for kind, model in _ROOTS.items():
        _add(_model(model), found)
        found[kind] = found[model]
    for model in _ROOTS.values():
        found.pop(model, None)
    return dict(sorted(found.items()))


def _model(name: str) -> type[BaseModel]:
    models = importlib.import_module("kubernetes.client.models")
    found: type[BaseModel] = getattr(models, name)
    return found


def _add(model: type[BaseModel], found: dict[str, dict[str, str]]) -> None:
    if model.__name__ in found:
        return
    fields: dict[str, str] = {}
    found[model.__name__] = fields
    for name, info in model.model_fields.items():
        alias = info.serialization_alias or info.alias or name
        kind = _kind(info.annotation, found)
        if alias in _OF_QUANTITIES and kind == "{string}":
            kind = "{*}"
        elif alias in _QUANTITIES or (alias == "value" and model.__name__.startswith("V2Metric")):
            kind = "*"
        fields[alias] = kind


def _kind(annotation: Any, found: dict[str, dict[str, str]]) -> str:
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _kind(typing.get_args(annotation)[0], found)
    if origin in (typing.Union, types.UnionType):
        options = [one for one in typing.get_args(annotation) if one is not type(None)]
        return _kind(options[0], found) if len(options) == 1 else "*"
    if origin is list:
        return f"[{_kind(typing.get_args(annotation)[0], found)}]"
    if origin is dict:
        return f"{{{_kind(typing.get_args(annotation)[1], found)}}}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        _add(annotation, found)
        return annotation.__name__
    return _PLAIN.get(annotation, "*")


def encoded() -> bytes:
    """The table as it is kept."""
    return msgspec.json.format(msgspec.json.encode(table()), indent=1) + b"\n"


if __name__ == "__main__":
    TABLE.write_bytes(encoded())
