"""One metric and one set of pods to a number of replicas, before any limit is applied.

Each result is a :class:`Calculation`: the figure with every step that led to it, so that it can
be explained. The arithmetic is that of Kubernetes 1.36's ``replica_calculator.go`` and
``utilization.go``, operation by operation.

Source: https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/#algorithm-details
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from tui.analysis.go_numbers import (
    MAX_INT32,
    MAX_INT64,
    ceil_int32,
    ceil_int64,
    int32,
    int64,
    quotient,
    ratio,
)
from tui.analysis.hpa_inputs import PodInput, Settings
from tui.analysis.pod_groups import (
    CalculationError,
    PodGroups,
    PodSamples,
    group_pods,
    pod_requests,
)

_NO_PODS: Final = "no pods returned by selector while calculating replica count"
_NO_SAMPLES: Final = "did not receive metrics for targeted pods (pods might be unready)"


class Verdict(StrEnum):
    """Which rule gave the number of replicas."""

    WITHIN_TOLERANCE = "the ratio is within tolerance: no change"
    SCALED = "the ratio times the pods counted, rounded up"
    CORRECTED = "as above, after the correction for missing and unready pods"
    CORRECTED_WITHIN_TOLERANCE = "within tolerance after the correction: no change"
    CORRECTION_REVERSES = "the correction turns the direction round: no change"
    POD_COUNT_REVERSES = "the pods counted would turn the direction round: no change"
    TOTAL = "the total divided by the value per pod, rounded up"
    FROM_ZERO = "the ratio alone, rounded up, as there are no replicas yet"


class Tolerances(msgspec.Struct, frozen=True):
    """How far the ratio may be from 1 without a change, per direction. Inclusive."""

    up: float = 0.1
    down: float = 0.1

    def within(self, usage_ratio: float) -> bool:
        """Whether the ratio is close enough to 1. NaN is not."""
        return (1.0 - self.down) <= usage_ratio <= (1.0 + self.up)


class Measure(msgspec.Struct, frozen=True):
    """Usage against target: one evaluation of the sums. Quantities in thousandths."""

    usage: int
    """Sum over the pods counted, or the metric's value."""
    average: int
    """Usage per pod, as the status shows it."""
    target: int
    """Percent for Utilization, else thousandths (per pod, or in all for Value)."""
    ratio: float
    pods: int
    """How many pods the ratio is multiplied by."""
    requests: int | None = None
    """Sum of the requests of the pods counted; None unless the target is a utilization."""
    utilization: int | None = None
    """Whole percent of the requests, truncated."""


class Calculation(msgspec.Struct, frozen=True):
    """A raw recommendation and how it came about."""

    replicas: int
    verdict: Verdict
    tolerances: Tolerances
    measured: Measure
    """From the pods counted. This is what the status shows."""
    groups: PodGroups | None = None
    """None where pods play no part."""
    assumed: Mapping[str, int] = msgspec.field(default_factory=dict)
    """What missing and unready pods were taken to use, in thousandths."""
    corrected: Measure | None = None
    """The sums redone with :attr:`assumed`."""
    usage: Mapping[str, int] = msgspec.field(default_factory=dict)
    """Per pod counted, in thousandths."""
    requests: Mapping[str, int] = msgspec.field(default_factory=dict)
    """Per pod of the selector, in thousandths."""


def utilization_replicas(
    current: int,
    target: int,
    samples: PodSamples,
    pods: tuple[PodInput, ...],
    resource: str,
    container: str,
    tolerances: Tolerances,
    settings: Settings,
    now: float,
) -> Calculation:
    """Replicas for ``averageUtilization``, with ``target`` in percent of the request.

    Raises:
        CalculationError: no pods, no samples that count, or a request is missing.
    """
    groups, values = _counted(pods, samples, resource, settings, now)
    try:
        requests = pod_requests(pods, resource, container)
        measured = _utilization(values, requests, target, groups.ready)
    except CalculationError as error:
        raise CalculationError(str(error), groups) from None
    fallback = max(100, target)

    def full_use(pod: str) -> int:
        return quotient(int64(requests[pod] * fallback), 100)

    def again(all_values: Mapping[str, int]) -> Measure:
        return _utilization(all_values, requests, target, len(all_values))

    return _replicas(current, measured, groups, values, tolerances, full_use, again, requests)


def average_value_replicas(
    current: int,
    target: int,
    samples: PodSamples,
    pods: tuple[PodInput, ...],
    resource: str,
    tolerances: Tolerances,
    settings: Settings,
    now: float,
) -> Calculation:
    """Replicas for ``averageValue`` of a resource or (``resource`` empty) a Pods metric.

    Raises:
        CalculationError: no pods, or no samples that count.
    """
    groups, values = _counted(pods, samples, resource, settings, now)
    measured = _average(values, target, groups.ready)

    def at_target(pod: str) -> int:
        return target

    def again(all_values: Mapping[str, int]) -> Measure:
        return _average(all_values, target, len(all_values))

    return _replicas(current, measured, groups, values, tolerances, at_target, again, {})


def value_replicas(
    current: int, usage: int, target: int, pods: tuple[PodInput, ...], tolerances: Tolerances
) -> Calculation:
    """Replicas for the ``value`` of an Object or External metric.

    Raises:
        CalculationError: no pods to multiply the ratio by.
    """
    usage_ratio = ratio(float(usage), float(target))
    measured = Measure(usage, usage, target, usage_ratio, pods=0)
    if current == 0:
        return Calculation(ceil_int32(usage_ratio), Verdict.FROM_ZERO, tolerances, measured)
    if tolerances.within(usage_ratio):
        return Calculation(current, Verdict.WITHIN_TOLERANCE, tolerances, measured)
    if not pods:
        raise CalculationError(f"unable to calculate ready pods: {_NO_PODS}")
    ready = sum(1 for pod in pods if pod.phase == "Running" and pod.ready == "True")
    proposal = usage_ratio * float(ready)
    replicas = MAX_INT32 if proposal > MAX_INT32 else ceil_int32(proposal)
    measured = Measure(usage, usage, target, usage_ratio, pods=ready)
    return Calculation(replicas, Verdict.SCALED, tolerances, measured, PodGroups(ready))


def object_average_replicas(
    status_replicas: int, usage: int, target: int, tolerances: Tolerances
) -> Calculation:
    """Replicas for the ``averageValue`` of an Object metric."""
    usage_ratio = ratio(float(usage), float(target) * float(status_replicas))
    average = ceil_int64(ratio(float(usage), float(status_replicas)))
    measured = Measure(usage, average, target, usage_ratio, status_replicas)
    if tolerances.within(usage_ratio):
        return Calculation(status_replicas, Verdict.WITHIN_TOLERANCE, tolerances, measured)
    replicas = ceil_int32(ratio(float(usage), float(target)))
    return Calculation(replicas, Verdict.TOTAL, tolerances, measured)


def external_average_replicas(
    status_replicas: int, values: Iterable[int], target: int, tolerances: Tolerances
) -> Calculation:
    """Replicas for the ``averageValue`` of an External metric."""
    usage = 0
    for value in values:
        usage = int64(usage + value)
        if usage < 0:
            usage = MAX_INT64
            break
    usage_ratio = ratio(float(usage), float(target) * float(status_replicas))
    if float(usage) >= float(MAX_INT64):
        average = MAX_INT64
    else:
        average = ceil_int64(ratio(float(usage), float(status_replicas)))
    measured = Measure(usage, average, target, usage_ratio, status_replicas)
    if tolerances.within(usage_ratio):
        return Calculation(status_replicas, Verdict.WITHIN_TOLERANCE, tolerances, measured)
    total = ratio(float(usage), float(target))
    replicas = MAX_INT32 if total > MAX_INT32 else ceil_int32(total)
    return Calculation(replicas, Verdict.TOTAL, tolerances, measured)


def external_total(values: Iterable[int]) -> int:
    """Sum of an External metric's series, held at the highest int64."""
    usage = 0
    for value in values:
        if value > 0 and usage > MAX_INT64 - value:
            return MAX_INT64
        usage = int64(usage + value)
    return usage


def _counted(
    pods: tuple[PodInput, ...],
    samples: PodSamples,
    resource: str,
    settings: Settings,
    now: float,
) -> tuple[PodGroups, dict[str, int]]:
    if not pods:
        raise CalculationError(_NO_PODS)
    groups = group_pods(pods, samples.samples, resource, settings, now)
    values = dict(samples.values)
    for name in groups.ignored:
        values.pop(name, None)
    for name in groups.unready:
        values.pop(name, None)
    if not values:
        raise CalculationError(_NO_SAMPLES, groups)
    return groups, values


def _utilization(
    values: Mapping[str, int], requests: Mapping[str, int], target: int, pods: int
) -> Measure:
    usage = requested = entries = 0
    for name, value in values.items():
        request = requests.get(name)
        if request is not None:
            usage += value
            requested += request
            entries += 1
    usage, requested = int64(usage), int64(requested)
    if requested == 0:
        raise CalculationError("no metrics returned matched known pods")
    percent = int32(quotient(int64(usage * 100), requested))
    usage_ratio = ratio(float(percent), float(target))
    average = quotient(usage, entries)
    return Measure(usage, average, target, usage_ratio, pods, requested, percent)


def _average(values: Mapping[str, int], target: int, pods: int) -> Measure:
    usage = int64(sum(values.values()))
    average = quotient(usage, len(values))
    return Measure(usage, average, target, ratio(float(average), float(target)), pods)


def _replicas(
    current: int,
    measured: Measure,
    groups: PodGroups,
    values: dict[str, int],
    tolerances: Tolerances,
    missing_on_scale_down: Callable[[str], int],
    measure_again: Callable[[Mapping[str, int]], Measure],
    requests: Mapping[str, int],
) -> Calculation:
    """The part that utilization and average value share: tolerance and correction."""
    before = measured.ratio
    up_with_unready = bool(groups.unready) and before > 1.0

    def result(
        replicas: int,
        verdict: Verdict,
        assumed: Mapping[str, int] | None = None,
        corrected: Measure | None = None,
    ) -> Calculation:
        return Calculation(
            replicas,
            verdict,
            tolerances,
            measured,
            groups,
            assumed or {},
            corrected,
            values,
            requests,
        )

    if not up_with_unready and not groups.missing:
        if tolerances.within(before):
            return result(current, Verdict.WITHIN_TOLERANCE)
        return result(ceil_int32(before * float(groups.ready)), Verdict.SCALED)

    assumed: dict[str, int] = {}
    if before < 1.0:
        assumed.update((name, missing_on_scale_down(name)) for name in groups.missing)
    elif before > 1.0:
        assumed.update((name, 0) for name in groups.missing)
    if up_with_unready:
        assumed.update((name, 0) for name in groups.unready)
    corrected = measure_again({**values, **assumed})
    after = corrected.ratio

    if tolerances.within(after):
        return result(current, Verdict.CORRECTED_WITHIN_TOLERANCE, assumed, corrected)
    if (before < 1.0 and after > 1.0) or (before > 1.0 and after < 1.0):
        return result(current, Verdict.CORRECTION_REVERSES, assumed, corrected)
    replicas = ceil_int32(after * float(corrected.pods))
    if (after < 1.0 and replicas > current) or (after > 1.0 and replicas < current):
        return result(current, Verdict.POD_COUNT_REVERSES, assumed, corrected)
    return result(replicas, Verdict.CORRECTED, assumed, corrected)
