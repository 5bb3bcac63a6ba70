"""The arithmetic of a Deployment's rollout: pure functions over numbers.

Follows ``pkg/controller/deployment`` of Kubernetes 1.36.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Final

import msgspec

from tui.demo.store import Object

HASH_LABEL: Final = "pod-template-hash"
_SAFE: Final = "bcdfghjklmnpqrstvwxz2456789"
_encode = msgspec.json.Encoder(order="deterministic").encode


def template_hash(template: Object) -> str:
    """A short name for a pod template; equal templates have equal names."""
    digits = str(zlib.crc32(_encode(template)))
    return "".join(_SAFE[ord(digit) % len(_SAFE)] for digit in digits)


def without_hash(template: Object) -> Object:
    """A ReplicaSet's template as its Deployment wrote it."""
    metadata = template.get("metadata") or {}
    labels = {k: v for k, v in (metadata.get("labels") or {}).items() if k != HASH_LABEL}
    return {**template, "metadata": {**metadata, "labels": labels}}


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a rolling update may stray from the wanted number of pods."""

    surge: int
    unavailable: int


def limits(spec: Object) -> Limits:
    """The limits in pods; a Recreate deployment may lose all and gain none."""
    replicas = int(spec.get("replicas", 1))
    strategy = spec.get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return Limits(0, replicas)
    rolling = strategy.get("rollingUpdate") or {}
    surge = share(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = share(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Limits(surge, min(unavailable, replicas))


def share(value: int | str, of: int, *, up: bool) -> int:
    """A number, or a percentage of a number, rounded up or down."""
    if isinstance(value, str):
        exact = of * int(value.rstrip("%")) / 100
        return math.ceil(exact) if up else math.floor(exact)
    return value


@dataclass(frozen=True, slots=True)
class Size:
    """A ReplicaSet in numbers."""

    name: str
    wanted: int
    current: int
    available: int


def grow_new(replicas: int, limit: Limits, new: Size, old: list[Size]) -> int:
    """The number the new ReplicaSet may have now."""
    if new.wanted >= replicas:
        return replicas
    total = new.wanted + sum(size.wanted for size in old)
    room = replicas + limit.surge - total
    if room <= 0:
        return new.wanted
    return min(new.wanted + room, replicas)


def shrink_old(replicas: int, limit: Limits, new: Size, old: list[Size]) -> dict[str, int]:
    """The numbers of the old ReplicaSets after one step; oldest first in ``old``.

    Pods that are not available go first, then as many others as may be missed.
    """
    wanted = {size.name: size.wanted for size in old}
    total = new.wanted + sum(wanted.values())
    least = replicas - limit.unavailable
    starting = new.wanted - new.available
    spare = total - least - starting
    for size in old:
        broken = min(size.wanted - size.available, spare)
        if broken > 0:
            wanted[size.name] -= broken
            spare -= broken
    available = new.available + sum(min(size.available, wanted[size.name]) for size in old)
    spare = available - least
    for size in old:
        fewer = min(wanted[size.name], spare)
        if fewer > 0:
            wanted[size.name] -= fewer
            spare -= fewer
    return wanted
