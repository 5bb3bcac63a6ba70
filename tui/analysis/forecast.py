"""What an HPA will do in the next minutes if the load stays as it is.

The algorithm itself is run forward, look by look, over pods that are made, become ready and are
measured with the delays seen so far. What is assumed: CPU and Pods metrics keep their total. Pods
that are not ready keep what they have of it, the rest spreads evenly over those that are. Memory
keeps its value a pod; objects and external series keep theirs. A pod that has been waiting for long
goes on waiting, and one that has finished stays where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Final

import msgspec
from msgspec import structs
from msgspec.structs import replace

from tui.analysis import hpa
from tui.analysis.hpa_inputs import PODS, Reading
from tui.analysis.why_steps import deciding

READY: Final = 3.0
"""Seconds from a decision to Ready, until they have been measured."""
HORIZON: Final = 300.0
"""Seconds."""
_STUCK: Final = 60.0
"""Seconds after which a pod that is not ready is taken to stay so."""
_MOST_PODS: Final = 1000
_CPU: Final = "cpu"
_FINISHED: Final = ("Failed", "Succeeded")


class Delays(msgspec.Struct, frozen=True):
    """What the forecast takes for granted, in seconds."""

    ready: float = READY
    """From a decision to the pods' being Ready."""
    period: float = hpa.SYNC_PERIOD
    sample_step: float = 15.0
    sample_window: float = 15.0


class Foreseen(msgspec.Struct, frozen=True):
    """One look to come."""

    at: float
    size: int
    decides: str
    """The key of the step that decides."""
    reading: int | None
    """The utilization (percent) or mean per pod (thousandths) of the metric that counts."""


class Forecast(msgspec.Struct, frozen=True):
    """The looks of the next minutes."""

    at: float = 0.0
    """When it was made."""
    start: int = 0
    """The size now."""
    looks: tuple[Foreseen, ...] = ()
    spec: hpa.HpaSpec | None = None

    @property
    def changes(self) -> tuple[tuple[float, int], ...]:
        """When the size changes, and to what."""
        found: list[tuple[float, int]] = []
        size = self.start
        for look in self.looks:
            if look.size != size:
                size = look.size
                found.append((look.at, size))
        return tuple(found)

    @property
    def end(self) -> int:
        """The size at the horizon."""
        return self.looks[-1].size if self.looks else self.start


class Prospect:
    """A forecast that is made when it is first looked at: nobody pays for one behind a pane."""

    def __init__(self, make: Callable[[], Forecast] = Forecast) -> None:
        self._make = make

    @cached_property
    def forecast(self) -> Forecast:
        """What it comes to; the same value ever after."""
        return self._make()


NO_PROSPECT: Final = Prospect()
"""Of an HPA about which too little is known."""


_NO_VALUES: Final[Mapping[int, int]] = {}


class _Pod(msgspec.Struct):
    """A pod in the forecast."""

    given: hpa.PodInput
    ready_at: float
    """When it is Ready; infinity if it stays as it is."""
    usage: hpa.PodUsage | None = None
    """Its newest sample, if it has one."""
    values: Mapping[int, int] = _NO_VALUES
    """What it has of each Pods metric, by the metric's position."""


class _Course(msgspec.Struct):
    """The state that is carried from look to look."""

    spec: hpa.HpaSpec
    inputs: hpa.Inputs
    delays: Delays
    pods: list[_Pod]
    finished: tuple[hpa.PodInput, ...]
    """Succeeded and Failed: no replicas, but the selector finds them."""
    replicas: int
    totals: dict[str, int]
    """CPU of all pods now by container, in thousandths."""
    model: hpa.PodInput | None
    per_pod: dict[tuple[str, str], int]
    """What a pod uses of anything but CPU: by container and resource."""

    last_sample: float
    made: int = 0
    custom: Mapping[int, int] = msgspec.field(default_factory=dict)
    """Totals of Pods metrics by position."""


def forecast(
    spec: hpa.HpaSpec,
    inputs: hpa.Inputs,
    memory: hpa.Memory,
    now: float,
    next_look: float | None = None,
    delays: Delays | None = None,
    settings: hpa.Settings = hpa.DEFAULT_SETTINGS,
    horizon: float = HORIZON,
) -> Forecast:
    """Every look from ``next_look`` (or half a period from now) to the horizon."""
    scale = inputs.scale
    delays = delays or Delays()
    if isinstance(scale, hpa.Unavailable):
        return Forecast(at=now, spec=spec)
    course = _course(spec, inputs, scale, delays, now)
    at = max(now, next_look if next_look is not None else now + delays.period / 2)
    status = inputs.status
    looks: list[Foreseen] = []
    while at <= now + horizon:
        seen = _inputs(course, at, status)
        outcome = hpa.reconcile(spec, seen, memory, at, settings)
        memory, status = outcome.memory, outcome.status
        size = course.replicas if outcome.scale_to is None else outcome.scale_to
        looks.append(Foreseen(at, size, deciding(outcome.decision), _reading(outcome)))
        _resize(course, size, at)
        at += delays.period
    return Forecast(now, scale.replicas, tuple(looks), spec)


def requests_changed(inputs: hpa.Inputs, resource: str, request: int) -> hpa.Inputs:
    """The inputs with another request (thousandths) on every pod, shared out as it is now."""
    pods = []
    for pod in inputs.pods:
        before = [c.requests.get(resource, 0) for c in pod.containers]
        total = sum(before)
        containers = []
        for number, (container, share) in enumerate(zip(pod.containers, before, strict=True)):
            part = request * share // total if total else (request if number == 0 else 1)
            requests = {**container.requests, resource: part}
            containers.append(structs.replace(container, requests=requests))
        whole = pod.pod_requests
        if whole is not None:
            whole = {**whole, resource: request}
        pods.append(structs.replace(pod, containers=tuple(containers), pod_requests=whole))
    return replace(inputs, pods=tuple(pods))


def _course(
    spec: hpa.HpaSpec, inputs: hpa.Inputs, scale: hpa.Scale, delays: Delays, now: float
) -> _Course:
    usage = {} if isinstance(inputs.usage, hpa.Unavailable) else {u.pod: u for u in inputs.usage}
    custom = {
        place: {v.pod: v.value for v in reading}
        for place, reading in inputs.readings.items()
        if isinstance(reading, tuple) and spec.metrics[place].type == PODS
    }
    there = [p for p in inputs.pods if not p.deleting]
    alive = [p for p in there if p.phase not in _FINISHED]
    pods = [
        _Pod(
            p,
            _ready_at(p, delays, now),
            usage.get(p.name),
            {place: found[p.name] for place, found in custom.items() if p.name in found},
        )
        for p in alive
    ]
    counted = [p.usage for p in pods if p.usage is not None]
    others: dict[tuple[str, str], int] = {}
    for sample in counted:
        for container in sample.containers:
            for resource, used in container.usage.items():
                if resource != _CPU:
                    key = (container.name, resource)
                    others[key] = others.get(key, 0) + used
    return _Course(
        spec,
        inputs,
        delays,
        pods,
        tuple([p for p in there if p.phase in _FINISHED]),
        scale.replicas,
        _cpu(pods),
        alive[0] if alive else None,
        {key: total // max(1, len(counted)) for key, total in others.items()},
        max((s.timestamp for s in counted), default=now),
        custom={place: sum(found.values()) for place, found in custom.items()},
    )


def _cpu(pods: Iterable[_Pod]) -> dict[str, int]:
    """What pods use now, by container, in thousandths."""
    totals: dict[str, int] = {}
    for pod in pods:
        for container in pod.usage.containers if pod.usage is not None else ():
            if _CPU in container.usage:
                totals[container.name] = totals.get(container.name, 0) + container.usage[_CPU]
    return totals


def _ready_at(pod: hpa.PodInput, delays: Delays, now: float) -> float:
    if pod.ready == "True":
        return pod.ready_since if pod.ready_since is not None else 0.0
    begun = pod.started if pod.started is not None else pod.created
    if begun is None:
        begun = now
    if now - begun > _STUCK + delays.ready:
        return float("inf")
    return max(now, begun + delays.ready)


def _inputs(course: _Course, at: float, status: hpa.Status) -> hpa.Inputs:
    """What the look reads then."""
    delays = course.delays
    since = max(0.0, at - course.last_sample)
    sampled = course.last_sample + since // delays.sample_step * delays.sample_step
    pods = (*[_pod_then(pod, at) for pod in course.pods], *course.finished)
    if sampled <= course.last_sample or isinstance(course.inputs.usage, hpa.Unavailable):
        names = {pod.name for pod in pods}
        usage = course.inputs.usage
        if not isinstance(usage, hpa.Unavailable):
            usage = tuple([u for u in usage if u.pod in names])
        readings = course.inputs.readings
    else:
        begun = sampled - delays.sample_window
        sharing = [p for p in course.pods if p.ready_at <= begun]
        keeping = [p for p in course.pods if p.ready_at > begun]
        usage = _usage(course, sharing, keeping, sampled)
        readings = _readings(course, sharing, keeping, sampled)
    return replace(
        course.inputs,
        scale=_scale(course),
        pods=pods,
        usage=usage,
        readings=readings,
        status=status,
    )


def _scale(course: _Course) -> hpa.Scale:
    scale = course.inputs.scale
    selector = scale.selector if isinstance(scale, hpa.Scale) else ""
    return hpa.Scale(course.replicas, len(course.pods), selector)


def _pod_then(pod: _Pod, at: float) -> hpa.PodInput:
    if pod.given.ready == "True" or pod.ready_at > at:
        return pod.given
    return structs.replace(pod.given, phase="Running", ready="True", ready_since=pod.ready_at)


def _usage(
    course: _Course, sharing: list[_Pod], keeping: list[_Pod], sampled: float
) -> tuple[hpa.PodUsage, ...]:
    kept = _cpu(keeping)
    share = max(1, len(sharing))
    names = {*course.totals, *(container for container, _ in course.per_pod)}
    containers = tuple(
        hpa.ContainerUsage(
            name,
            {
                **(
                    {_CPU: (course.totals[name] - kept.get(name, 0)) // share}
                    if name in course.totals
                    else {}
                ),
                **{r: used for (c, r), used in course.per_pod.items() if c == name},
            },
        )
        for name in sorted(names)
    )
    window = course.delays.sample_window
    shared = [hpa.PodUsage(p.given.name, sampled, window, containers) for p in sharing]
    own = [structs.replace(p.usage, timestamp=sampled) for p in keeping if p.usage is not None]
    return (*shared, *own)


def _readings(
    course: _Course, sharing: list[_Pod], keeping: list[_Pod], sampled: float
) -> Mapping[int, Reading]:
    share = max(1, len(sharing))
    changed: dict[int, Reading] = dict(course.inputs.readings)
    for place, total in course.custom.items():
        own = {p.given.name: p.values[place] for p in keeping if place in p.values}
        each = (total - sum(own.values())) // share
        values = own | {p.given.name: each for p in sharing}
        changed[place] = tuple([hpa.PodValue(name, v, sampled) for name, v in values.items()])
    return changed


def _resize(course: _Course, size: int, at: float) -> None:
    """Make pods, or let go of those that are not ready and then of the youngest."""
    course.replicas = size
    missing = min(size, _MOST_PODS) - len(course.pods)
    if missing < 0:
        course.pods.sort(key=lambda p: (p.ready_at > at, p.ready_at))
        del course.pods[size:]
    model = course.model
    if model is None:
        return
    for _ in range(missing):
        course.made += 1
        new = structs.replace(
            model,
            name=f"to-come-{course.made}",
            phase="Pending",
            ready="False",
            ready_since=at,
            started=at,
        )
        course.pods.append(_Pod(new, at + course.delays.ready))


def _reading(outcome: hpa.Outcome) -> int | None:
    chosen = outcome.decision.chosen
    if chosen is None or chosen.calculation is None:
        return None
    measure = chosen.calculation.measured
    return measure.average if measure.utilization is None else measure.utilization
