"""What a pod's spec says of its containers: what they ask for, and what they run."""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias

import msgspec

from tui import quantity
from tui.cluster.decode.common import bounded, milli, shared, whole
from tui.state.rows import ConfigMount, ContainerRow, PodRequests

Quantity: TypeAlias = str | int | float | None


class Resources(msgspec.Struct, gc=False):
    """``resources`` of a container; values are quantities, as text or as bare numbers."""

    requests: dict[str, str | int | float | None] | None = None
    limits: dict[str, str | int | float | None] | None = None


class Mount(msgspec.Struct, gc=False):
    """``volumeMounts[]``."""

    name: str | None = None
    mountPath: str | None = None  # noqa: N815
    subPath: str | None = None  # noqa: N815


class Probe(msgspec.Struct, gc=False):
    """``readinessProbe``: that it is there is all that counts."""


class Container(msgspec.Struct, gc=False):
    """``spec.containers[]`` and ``spec.initContainers[]``."""

    name: str | None = None
    image: str | None = None
    resources: Resources | None = None
    restartPolicy: str | None = None  # noqa: N815
    readinessProbe: Probe | None = None  # noqa: N815
    volumeMounts: list[Mount] | None = None  # noqa: N815


class ConfigMapSource(msgspec.Struct, gc=False):
    """``volumes[].configMap``."""

    name: str | None = None


class Volume(msgspec.Struct, gc=False):
    """``volumes[]``, of which only ConfigMaps are of interest."""

    name: str | None = None
    configMap: ConfigMapSource | None = None  # noqa: N815


class Spec(msgspec.Struct, gc=False):
    """``spec``."""

    volumes: list[Volume] | None = None

    nodeName: str | None = None  # noqa: N815
    containers: list[Container] | None = None
    initContainers: list[Container] | None = None  # noqa: N815
    resources: Resources | None = None
    overhead: dict[str, str | int | float | None] | None = None


def containers_of(spec: Spec) -> tuple[ContainerRow, ...]:
    """What the HPA reckons with: the containers and the restartable init containers."""
    containers = [*(spec.containers or ())]
    containers += [c for c in spec.initContainers or () if c.restartPolicy == "Always"]
    maps = {
        v.name: v.configMap.name for v in spec.volumes or () if v.configMap and v.configMap.name
    }
    return shared(tuple([_container(c, maps) for c in containers]))


def _container(container: Container, maps: dict[str | None, str]) -> ContainerRow:
    requests = (container.resources.requests if container.resources else None) or {}
    limits = (container.resources.limits if container.resources else None) or {}
    return ContainerRow(
        container.name or "",
        milli(requests.get("cpu")),
        milli(limits.get("cpu")),
        whole(requests.get("memory")),
        whole(limits.get("memory")),
        container.image or "",
        container.readinessProbe is not None,
        tuple(
            ConfigMount(maps[mount.name], mount.mountPath or "", mount.subPath or "")
            for mount in container.volumeMounts or ()
            if mount.name in maps
        )
        if maps
        else (),
        container.restartPolicy == "Always",
    )


def requests_of(spec: Spec) -> PodRequests | None:
    """Requests of the pod as a whole: what it sets itself, else what its containers need.

    ``PodRequests`` of k8s.io/component-helpers/resource, for the two resources an HPA reckons with.
    """
    own = (spec.resources.requests if spec.resources else None) or {}
    if not any(k in ("cpu", "memory") or k.startswith("hugepages-") for k in own):
        return None
    return _requests(spec, own)


def placed_by(spec: Spec, whole: PodRequests | None) -> PodRequests | None:
    """What the scheduler counts, where more than the containers have a say; else None.

    Args:
        spec: the pod's.
        whole: what :func:`requests_of` makes of it.
    """
    if whole is not None:
        return whole
    passing = any(
        c.restartPolicy != "Always" and c.resources is not None and c.resources.requests
        for c in spec.initContainers or ()
    )
    return _requests(spec, {}) if passing or spec.overhead else None


def _requests(spec: Spec, own: dict[str, Quantity]) -> PodRequests:
    cpu, memory = _needed(spec, "cpu", own), _needed(spec, "memory", own)
    return PodRequests(
        None if cpu is None else bounded(quantity.round_away(cpu * 1000)),
        None if memory is None else bounded(quantity.round_away(memory)),
    )


def _needed(spec: Spec, resource: str, own: dict[str, Quantity]) -> Fraction | None:
    """Exact until all is summed: the rounding comes last."""

    def asked(container: Container) -> Fraction | None:
        requests = container.resources.requests if container.resources else None
        return _exact((requests or {}).get(resource))

    needed = _exact(own.get(resource))
    if needed is None:
        found = [n for c in spec.containers or () if (n := asked(c)) is not None]
        sidecars = peak = Fraction()
        for container in spec.initContainers or ():
            each = asked(container)
            if each is None:
                continue
            found.append(Fraction())
            if container.restartPolicy == "Always":
                sidecars += each
                peak = max(peak, sidecars)
            else:
                peak = max(peak, each + sidecars)
        needed = max(sum(found, Fraction()) + sidecars, peak) if found else None
    overhead = _exact((spec.overhead or {}).get(resource))
    if needed is None or overhead is None:
        return overhead if needed is None else needed
    return needed + overhead


def _exact(amount: Quantity) -> Fraction | None:
    try:
        return None if amount is None else quantity.parse(str(amount))
    except quantity.QuantityError:
        return None
