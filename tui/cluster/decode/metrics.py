"""Samples of metrics.k8s.io/v1beta1."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import Final, Generic, TypeAlias, TypeVar

import msgspec

from tui.cluster.decode.codec import BadReplyError
from tui.cluster.decode.common import instant, milli, shared, whole
from tui.cluster.errors import UNREADABLE
from tui.state.rows import NodeUsage, PodUsage

Quantity: TypeAlias = str | int | float | None
W = TypeVar("W")
U = TypeVar("U")
_DURATION: Final = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?", re.ASCII)
_DEFAULT_WINDOW: Final = 15.0


class Meta(msgspec.Struct, gc=False):
    """``metadata``; samples have no uid."""

    name: str | None = None
    namespace: str | None = None


class Usage(msgspec.Struct, gc=False):
    """``usage``."""

    cpu: Quantity = None
    memory: Quantity = None


class ContainerMetrics(msgspec.Struct, gc=False):
    """``containers[]``."""

    name: str | None = None
    usage: Usage | None = None


class PodMetrics(msgspec.Struct, gc=False):
    """A PodMetrics object as it comes over the wire."""

    metadata: Meta | None = None
    timestamp: str | None = None
    window: str | None = None
    containers: list[ContainerMetrics] | None = None


class NodeMetrics(msgspec.Struct, gc=False):
    """A NodeMetrics object as it comes over the wire."""

    metadata: Meta | None = None
    timestamp: str | None = None
    window: str | None = None
    usage: Usage | None = None


class _List(msgspec.Struct, Generic[W], gc=False):
    kind: str
    items: list[W] | None = None


_PODS: Final = msgspec.json.Decoder(_List[PodMetrics])
_POD: Final = msgspec.json.Decoder(PodMetrics)
_NODES: Final = msgspec.json.Decoder(_List[NodeMetrics])
_NODE: Final = msgspec.json.Decoder(NodeMetrics)
_LOOSE: Final = msgspec.json.Decoder(_List[msgspec.Raw])
_NO_META: Final = Meta()
_NO_USAGE: Final = Usage()


def pod(wire: PodMetrics) -> PodUsage | None:
    """A pod's sample; None if it has no name or no time."""
    meta = wire.metadata or _NO_META
    time = instant(wire.timestamp)
    if not meta.name or time is None:
        return None
    return PodUsage(
        shared(meta.namespace or ""),
        meta.name,
        time,
        seconds(wire.window),
        tuple([_container(c) for c in wire.containers or ()]),
    )


def node(wire: NodeMetrics) -> NodeUsage | None:
    """A node's sample; None if it has no name or no time."""
    meta = wire.metadata or _NO_META
    time = instant(wire.timestamp)
    if not meta.name or time is None:
        return None
    usage = wire.usage or _NO_USAGE
    return NodeUsage(
        shared(meta.name),
        time,
        seconds(wire.window),
        milli(usage.cpu) or 0,
        whole(usage.memory) or 0,
    )


def pod_list(body: bytes) -> list[PodUsage]:
    """The samples of a PodMetricsList.

    Raises:
        BadReplyError: the body is not such a list.
    """
    return _samples(body, _PODS, _POD, pod)


def node_list(body: bytes) -> list[NodeUsage]:
    """The samples of a NodeMetricsList.

    Raises:
        BadReplyError: the body is not such a list.
    """
    return _samples(body, _NODES, _NODE, node)


def seconds(duration: str | None) -> float:
    """A Go duration such as ``14.995s`` or ``1m0s`` in seconds; 15 if it is none."""
    match = _DURATION.fullmatch(duration) if duration and len(duration) < 32 else None
    if match is None:
        return _DEFAULT_WINDOW
    hours, minutes, secs, millis = match.groups()
    return (
        int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(secs or 0) + int(millis or 0) / 1000
    )


def _container(container: ContainerMetrics) -> tuple[str, int | None, int | None]:
    usage = container.usage or _NO_USAGE
    return shared(container.name or ""), milli(usage.cpu), whole(usage.memory)


def _samples(
    body: bytes,
    whole: msgspec.json.Decoder[_List[W]],
    one: msgspec.json.Decoder[W],
    project: Callable[[W], U | None],
) -> list[U]:
    try:
        items = whole.decode(body).items or []
    except UNREADABLE:
        items = _one_by_one(body, one)
    return [sample for item in items if (sample := project(item)) is not None]


def _one_by_one(body: bytes, one: msgspec.json.Decoder[W]) -> list[W]:
    """Leaving out what does not fit."""
    items = []
    try:
        loose = _LOOSE.decode(body)
        if not loose.kind.endswith("List"):
            raise BadReplyError("the answer is not a list of metrics")
    except UNREADABLE:
        raise BadReplyError("the answer is not a list of metrics") from None
    for raw in loose.items or ():
        with contextlib.suppress(*UNREADABLE):
            items.append(one.decode(raw))
    return items
