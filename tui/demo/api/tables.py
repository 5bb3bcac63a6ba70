"""Tables: what ``kubectl get`` prints, made by the server as the real one does."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec

from tui.demo.cells import cluster, network, workloads
from tui.demo.cells.common import Cells, Column
from tui.demo.cells.common import columns as named
from tui.demo.custom import printing
from tui.demo.resource import Resource
from tui.demo.store import Entry, Object

_encode = msgspec.json.Encoder().encode
_ROWS: Final[dict[str, tuple[tuple[Column, ...], Cells]]] = {
    **workloads.ROWS,
    **network.ROWS,
    **cluster.ROWS,
}


def _other(data: Object, now: datetime) -> list[Any]:
    return [data["metadata"].get("creationTimestamp", "")]


_OTHER: Final[tuple[tuple[Column, ...], Cells]] = (named("Name Created_At"), _other)


def columns(resource: Resource, printer: list[Object] | None = None) -> list[Object]:
    """``columnDefinitions`` of a resource.

    Args:
        resource: what the rows are.
        printer: the ``additionalPrinterColumns`` of a custom resource.
    """
    if resource.custom:
        return printing.columns(printer or [])
    found = (
        cluster.EVENT_COLUMNS if resource.kind == "Event" else _ROWS.get(resource.kind, _OTHER)[0]
    )
    return [
        {
            "name": one.name,
            "type": one.type,
            "format": "name" if one.name == "Name" and not one.wide else "",
            "description": "",
            "priority": int(one.wide),
        }
        for one in found
    ]


def cells(
    resource: Resource, data: Object, now: datetime, printer: list[Object] | None = None
) -> list[Any]:
    """The cells of one object.

    Args:
        resource: what it is, in the stored version.
        data: the object.
        now: the wall clock's time, for ages.
        printer: the ``additionalPrinterColumns`` of a custom resource.
    """
    if resource.custom:
        return [data["metadata"]["name"], *printing.cells(printer or [], data, now)]
    if resource.kind == "Event":
        return cluster.event(data, now)
    name = data["metadata"]["name"]
    if resource.kind == "StorageClass":
        name = cluster.storage_class_name(data)
    return [name, *_ROWS.get(resource.kind, _OTHER)[1](data, now)]


def row(
    resource: Resource,
    entry: Entry,
    now: datetime,
    include: str,
    printer: list[Object] | None = None,
) -> bytes:
    """One row; ``include`` is ``Metadata``, ``Object`` or ``None``, as in the query."""
    body: Object = {"cells": cells(resource, entry.data, now, printer)}
    if include == "Object":
        kind = {"kind": resource.kind, "apiVersion": resource.group_version}
        body["object"] = msgspec.Raw(_encode(kind)[:-1] + b"," + entry.raw[1:])
    elif include != "None":
        body["object"] = {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": entry.metadata,
        }
    return _encode(body)


def table(
    resource: Resource,
    metadata: Object,
    rows: list[bytes],
    *,
    head: bool = True,
    printer: list[Object] | None = None,
) -> bytes:
    """A Table; without ``head`` it leaves the columns out, as later events of a watch do."""
    shown = {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": columns(resource, printer) if head else [],
    }
    return _encode(shown)[:-1] + b',"rows":[' + b",".join(rows) + b"]}"
