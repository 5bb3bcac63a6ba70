"""The pods behind an HPA's selector: their samples, which of them count, what they request.

Source: ``groupPods`` and ``calculateRequests`` of Kubernetes 1.36's ``replica_calculator.go``;
KEP-2837 for requests of the pod as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from tui.analysis.go_numbers import int64
from tui.analysis.hpa_inputs import PodInput, PodUsage, PodValue, Settings

_CPU: Final = "cpu"


class Unready(StrEnum):
    """Why a pod's sample is not counted."""

    PENDING = "pending"
    NO_READY_CONDITION = "the kubelet has not reported readiness yet"
    NOT_READY = "not ready, within its CPU initialization period"
    SAMPLE_TOO_OLD = "no full sample since it became ready"
    NEVER_READY = "not ready since it started"


class PodGroups(msgspec.Struct, frozen=True):
    """The pods of the selector, by how their samples are treated."""

    ready: int
    """Pods whose sample counts."""
    unready: Mapping[str, Unready] = msgspec.field(default_factory=dict)
    missing: tuple[str, ...] = ()
    """Pods without a sample."""
    ignored: tuple[str, ...] = ()
    """Pods that are being deleted or have failed."""
    ended: tuple[str, ...] = ()
    """Those without a sample that have run to their end, and will never have one."""


class PodSamples(msgspec.Struct, frozen=True):
    """A metric's value per pod, with the sample that each came from."""

    values: Mapping[str, int]
    samples: Mapping[str, PodUsage | PodValue]


class CalculationError(Exception):
    """No number of replicas can be given; the message is the controller's own."""

    def __init__(self, message: str, groups: PodGroups | None = None) -> None:
        super().__init__(message)
        self.groups = groups
        """How the pods were grouped, where it came that far."""


def resource_samples(usage: Iterable[PodUsage], resource: str, container: str) -> PodSamples:
    """A resource's usage per pod: the sum of its containers, or one container if named.

    A pod with a container that reports no such figure has no sample.
    """
    values: dict[str, int] = {}
    samples: dict[str, PodUsage | PodValue] = {}
    for sample in usage:
        total = 0
        found = False
        for each in sample.containers:
            if container and each.name != container:
                continue
            used = each.usage.get(resource)
            found = used is not None
            if used is None:
                break
            total += used
            if container:
                break
        if found:
            values[sample.pod] = int64(total)
            samples[sample.pod] = sample
    return PodSamples(values, samples)


def custom_samples(values: Iterable[PodValue]) -> PodSamples:
    """A custom metric's value per pod."""
    samples: dict[str, PodUsage | PodValue] = {v.pod: v for v in values}
    return PodSamples(
        {v.pod: v.value for v in samples.values() if isinstance(v, PodValue)}, samples
    )


def group_pods(
    pods: Iterable[PodInput],
    samples: Mapping[str, PodUsage | PodValue],
    resource: str,
    settings: Settings,
    now: float,
) -> PodGroups:
    """Sort the pods by whether their samples count. Readiness matters for CPU only."""
    ready = 0
    unready: dict[str, Unready] = {}
    missing: list[str] = []
    ignored: list[str] = []
    ended: list[str] = []
    is_cpu = resource == _CPU
    for pod in pods:
        if pod.deleting or pod.phase == "Failed":
            ignored.append(pod.name)
        elif pod.phase == "Pending":
            unready[pod.name] = Unready.PENDING
        elif (sample := samples.get(pod.name)) is None:
            missing.append(pod.name)
            if pod.phase == "Succeeded":
                ended.append(pod.name)
        elif is_cpu and (reason := _unready(pod, sample, settings, now)):
            unready[pod.name] = reason
        else:
            ready += 1
    return PodGroups(ready, unready, tuple(missing), tuple(ignored), tuple(ended))


def pod_requests(pods: Iterable[PodInput], resource: str, container: str) -> dict[str, int]:
    """The request per pod: of the named container, of the pod as a whole, or the sum.

    Raises:
        CalculationError: a pod, ready or not, lacks the request or the container.
    """
    requests: dict[str, int] = {}
    for pod in pods:
        if pod.pod_requests is not None and not container:
            whole = pod.pod_requests.get(resource)
            if whole is None:
                message = f"missing pod-level request for {resource} in Pod {pod.name}"
                raise CalculationError(message)
            requests[pod.name] = whole
            continue
        total = 0
        found = not container
        for each in pod.containers:
            if container and each.name != container:
                continue
            request = each.requests.get(resource)
            if request is None:
                place = f"container {each.name} of Pod {pod.name}"
                raise CalculationError(f"missing request for {resource} in {place}")
            total += request
            if container:
                found = True
                break
        if not found:
            raise CalculationError(f"container {container} not found in Pod {pod.name}")
        requests[pod.name] = int64(total)
    return requests


def _unready(
    pod: PodInput, sample: PodUsage | PodValue, settings: Settings, now: float
) -> Unready | None:
    if pod.ready is None or pod.started is None:
        return Unready.NO_READY_CONDITION
    since = pod.ready_since if pod.ready_since is not None else 0.0
    if pod.started + settings.reach(settings.cpu_initialization_period) > now:
        if pod.ready == "False":
            return Unready.NOT_READY
        return Unready.SAMPLE_TOO_OLD if sample.timestamp < since + sample.window else None
    delay = settings.reach(settings.initial_readiness_delay)
    if pod.ready == "False" and pod.started + delay > since:
        return Unready.NEVER_READY
    return None
