"""One metric of an HPA: read, calculated, named, and what is said when that fails.

Messages are the controller's own, word for word, as conditions and events carry them.

Source: ``computeReplicasForMetric`` of Kubernetes 1.36's ``horizontal.go``.
"""

from __future__ import annotations

import json

import msgspec

from tui.analysis.hpa_inputs import (
    CONTAINER_RESOURCE,
    EXTERNAL,
    OBJECT,
    PODS,
    RESOURCE,
    HpaSpec,
    Inputs,
    LabelSelector,
    Levels,
    MetricSpec,
    MetricStatus,
    ObjectReference,
    Reading,
    Settings,
    Unavailable,
)
from tui.analysis.pod_groups import (
    CalculationError,
    PodGroups,
    PodSamples,
    custom_samples,
    resource_samples,
)
from tui.analysis.replica_calculator import (
    Calculation,
    Tolerances,
    average_value_replicas,
    external_average_replicas,
    external_total,
    object_average_replicas,
    utilization_replicas,
    value_replicas,
)


class MetricResult(msgspec.Struct, frozen=True):
    """What one metric asks for, or why it asks for nothing."""

    spec: MetricSpec
    status: MetricStatus
    """Its entry in ``status.currentMetrics``."""
    name: str = ""
    """As the controller calls it: ``cpu resource utilization (percentage of request)``."""
    calculation: Calculation | None = None
    reason: str = ""
    """FailedGetResourceMetric and the like; empty when there is a figure."""
    cause: str = ""
    """The message of the event with that reason."""
    error: str = ""
    """The cause as the controller passes it on, with what it was doing."""
    groups: PodGroups | None = None
    """How the pods were grouped, where it came that far."""

    @property
    def replicas(self) -> int | None:
        """The raw recommendation; None when the metric is invalid."""
        return self.calculation.replicas if self.calculation else None


class Sync(msgspec.Struct, frozen=True):
    """What all metrics of one sync share."""

    spec: HpaSpec
    inputs: Inputs
    replicas: int
    status_replicas: int
    tolerances: Tolerances
    settings: Settings
    now: float


class _InvalidMetricError(Exception):
    """No figure: the cause, and the same with what the caller was doing."""

    def __init__(self, cause: str, passed_on: str = "", groups: PodGroups | None = None) -> None:
        super().__init__(cause)
        self.passed_on = passed_on or cause
        self.groups = groups


def evaluate(index: int, sync: Sync) -> MetricResult:
    """The raw recommendation of the metric at that place in ``spec.metrics``. Never raises."""
    metric = sync.spec.metrics[index]
    try:
        if metric.type in (RESOURCE, CONTAINER_RESOURCE):
            return _resource(metric, sync)
        if metric.type == PODS:
            return _pods(metric, sync, _reading(index, metric, sync))
        if metric.type == OBJECT:
            return _object(metric, sync, _reading(index, metric, sync))
        if metric.type == EXTERNAL:
            return _external(metric, sync, _reading(index, metric, sync))
    except _InvalidMetricError as error:
        reason, doing = _failure(metric)
        return MetricResult(
            metric,
            MetricStatus(),
            reason=reason,
            cause=str(error),
            error=f"{doing}: {error.passed_on}",
            groups=error.groups,
        )
    cause = f"unknown metric source type {json.dumps(metric.type)}"
    return MetricResult(
        metric, MetricStatus(), reason="InvalidMetricSourceType", cause=cause, error=cause
    )


def selector_text(selector: LabelSelector | None) -> str:
    """A LabelSelector as Go prints it with ``%+v``."""
    if selector is None:
        return "nil"
    labels = "".join(f"{key}: {value}," for key, value in sorted(selector.match_labels))
    expressions = "".join(
        f"LabelSelectorRequirement{{Key:{key},Operator:{op},Values:[{' '.join(values)}],}},"
        for key, op, values in selector.match_expressions
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )


def _failure(metric: MetricSpec) -> tuple[str, str]:
    """The condition's reason, and what the controller was doing."""
    match metric.type:
        case "Resource":
            return "FailedGetResourceMetric", f"failed to get {metric.name} resource metric value"
        case "ContainerResource":
            doing = f"failed to get {metric.container} container metric value"
            return "FailedGetContainerResourceMetric", doing
        case "Pods":
            return "FailedGetPodsMetric", "failed to get pods metric value"
        case "Object":
            return "FailedGetObjectMetric", "failed to get object metric value"
        case _:
            return "FailedGetExternalMetric", f"failed to get {metric.name} external metric value"


def _reading(index: int, metric: MetricSpec, sync: Sync) -> Reading:
    reading = sync.inputs.readings.get(index)
    if reading is not None:
        return reading
    if metric.type == EXTERNAL:
        resource = f"{metric.name}.external.metrics.k8s.io"
        return Unavailable(f"the server could not find the requested resource (get {resource})")
    return Unavailable("no custom metrics API (custom.metrics.k8s.io) registered")


def _resource(metric: MetricSpec, sync: Sync) -> MetricResult:
    if metric.average_value is None and metric.average_utilization is None:
        raise _InvalidMetricError(
            "invalid resource metric source: neither an average utilization target "
            "nor an average value (usage) target was set"
        )
    wanted = "utilization" if metric.average_value is None else "usage"
    pods, settings, tolerances = sync.inputs.pods, sync.settings, sync.tolerances
    try:
        samples = _resource_samples(metric, sync)
        if metric.average_value is not None:
            name = f"{metric.name} resource"
            found = average_value_replicas(
                sync.replicas,
                metric.average_value,
                samples,
                pods,
                metric.name,
                tolerances,
                settings,
                sync.now,
            )
        else:
            of = "container resource" if metric.type == CONTAINER_RESOURCE else "resource"
            name = f"{metric.name} {of} utilization (percentage of request)"
            found = utilization_replicas(
                sync.replicas,
                metric.average_utilization or 0,
                samples,
                pods,
                metric.name,
                metric.container,
                tolerances,
                settings,
                sync.now,
            )
    except CalculationError as error:
        cause = f"failed to get {metric.name} {wanted}: {error}"
        raise _InvalidMetricError(cause, groups=error.groups) from None
    measured = found.measured
    status = _status(
        metric, average_utilization=measured.utilization, average_value=measured.average
    )
    return MetricResult(metric, status, name, found, groups=found.groups)


def _resource_samples(metric: MetricSpec, sync: Sync) -> PodSamples:
    usage = sync.inputs.usage
    problem = ""
    if isinstance(usage, Unavailable):
        problem = f"unable to fetch metrics from resource metrics API: {usage.error}"
    elif not usage:
        problem = "no metrics returned from resource metrics API"
    if problem or isinstance(usage, Unavailable):
        raise CalculationError(f"unable to get metrics for resource {metric.name}: {problem}")
    container = metric.container if metric.type == CONTAINER_RESOURCE else ""
    return resource_samples(usage, metric.name, container)


def _pods(metric: MetricSpec, sync: Sync, reading: Reading) -> MetricResult:
    problem = _problem(reading, "custom")
    if problem or not isinstance(reading, tuple):
        raise _InvalidMetricError(f"unable to get metric {metric.name}: {problem}")
    try:
        found = average_value_replicas(
            sync.replicas,
            metric.average_value or 0,
            custom_samples(reading),
            sync.inputs.pods,
            "",
            sync.tolerances,
            sync.settings,
            sync.now,
        )
    except CalculationError as error:
        raise _InvalidMetricError(str(error), groups=error.groups) from None
    status = _status(metric, average_value=found.measured.average)
    return MetricResult(metric, status, f"pods metric {metric.name}", found, groups=found.groups)


def _object(metric: MetricSpec, sync: Sync, reading: Reading) -> MetricResult:
    described = metric.described_object or ObjectReference("", "")
    problem = _problem(reading, "custom")
    usage = 0
    if not problem and isinstance(reading, Levels):
        if len(reading.values) == 1:
            usage = reading.values[0]
        else:
            problem = (
                "unable to fetch metrics from custom metrics API: the custom metrics API server "
                f"returned {len(reading.values)} results when we asked for exactly one"
            )
    # The controller passes the four words after the metric's name in the wrong order.
    failed = (
        f"unable to get metric {metric.name}: {described.kind} on "
        f"{sync.spec.namespace} {described.name}/{problem}"
    )
    if metric.target_type == "Value" and metric.value is not None:
        if problem:
            raise _InvalidMetricError(failed)
        try:
            found = value_replicas(
                sync.replicas, usage, metric.value, sync.inputs.pods, sync.tolerances
            )
        except CalculationError as error:
            raise _InvalidMetricError(str(error)) from None
        status = _status(metric, value=found.measured.average)
        name = f"{described.kind} metric {metric.name}"
        return MetricResult(metric, status, name, found, groups=found.groups)
    if metric.target_type == "AverageValue" and metric.average_value is not None:
        if problem:
            raise _InvalidMetricError(
                failed, f"failed to get {metric.name} object metric: {failed}"
            )
        found = object_average_replicas(
            sync.status_replicas, usage, metric.average_value, sync.tolerances
        )
        status = _status(metric, average_value=found.measured.average)
        return MetricResult(metric, status, _external_name(metric), found)
    raise _InvalidMetricError(
        "invalid object metric source: neither a value target nor an average value target was set"
    )


def _external(metric: MetricSpec, sync: Sync, reading: Reading) -> MetricResult:
    if metric.average_value is None and metric.value is None:
        raise _InvalidMetricError(
            "invalid external metric source: neither a value target "
            "nor an average value target was set"
        )
    of = f"{metric.name} external metric" if metric.average_value is not None else ""
    doing = f"failed to get {of or f'external metric {metric.name}'}"
    problem = _problem(reading, "external")
    if problem or not isinstance(reading, Levels):
        place = f"{sync.spec.namespace}/{metric.name}/{selector_text(metric.selector)}"
        cause = f"unable to get external metric {place}: {problem}"
        raise _InvalidMetricError(cause, f"{doing}: {cause}")
    if metric.average_value is not None:
        found = external_average_replicas(
            sync.status_replicas, reading.values, metric.average_value, sync.tolerances
        )
        status = _status(metric, average_value=found.measured.average)
    else:
        try:
            found = value_replicas(
                sync.replicas,
                external_total(reading.values),
                metric.value or 0,
                sync.inputs.pods,
                sync.tolerances,
            )
        except CalculationError as error:
            raise _InvalidMetricError(str(error), f"{doing}: {error}") from None
        status = _status(metric, value=found.measured.average)
    return MetricResult(metric, status, _external_name(metric), found, groups=found.groups)


def _status(
    metric: MetricSpec,
    *,
    average_utilization: int | None = None,
    average_value: int | None = None,
    value: int | None = None,
) -> MetricStatus:
    return MetricStatus(
        metric.type,
        metric.name,
        metric.container,
        metric.selector,
        metric.described_object,
        average_utilization,
        average_value,
        value,
    )


def _external_name(metric: MetricSpec) -> str:
    return f"external metric {metric.name}({selector_text(metric.selector)})"


def _problem(reading: Reading, api: str) -> str:
    if isinstance(reading, Unavailable):
        return f"unable to fetch metrics from {api} metrics API: {reading.error}"
    if reading == () or reading == Levels(()):
        return f"no metrics returned from {api} metrics API"
    return ""
