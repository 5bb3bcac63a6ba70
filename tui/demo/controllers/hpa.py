"""HorizontalPodAutoscalers: Kubernetes' own algorithm, every 15 s of the cluster's clock."""

from __future__ import annotations

from typing import ClassVar, Final

from tui.analysis import hpa
from tui.demo import resources
from tui.demo.api import selectors
from tui.demo.api.errors import ApiError
from tui.demo.api.operations import CONTROLLER_MANAGER, CONTROLLER_STATUS
from tui.demo.api.subresources import scale_of, set_scale
from tui.demo.controllers.base import Controller, ControlPlane
from tui.demo.metrics import PodSample, UnavailableError
from tui.demo.resource import Resource
from tui.demo.store import Entry, Event, Key, Object

_NANO_PER_MILLI: Final = 1_000_000
_NO_SCALE: Final = "the server could not find the requested resource"


class HpaController(Controller):
    """Reads what an HPA looks at, lets the algorithm decide, writes scale, status and events.

    What it remembers of an HPA (recommendations, rescales) lives here alone, as in the real
    controller, and goes with the HPA.
    """

    name: ClassVar[str] = "horizontal-pod-autoscaler"

    def __init__(self, plane: ControlPlane) -> None:
        super().__init__(plane)
        self._memory: dict[Key, hpa.Memory] = {}
        self._selectors: dict[Key, Object | None] = {}

    def start(self) -> None:
        """Follow the HPAs: one sync a period each, the first a period after it was made."""
        self.store.subscribe(resources.HPAS.storage, self._listen)
        for entry in self.store.entries(resources.HPAS.storage):
            self._listen(Event("ADDED", entry, None))

    def _listen(self, event: Event) -> None:
        key = event.entry.key
        if event.type == "DELETED":
            self._memory.pop(key, None)
            self._selectors.pop(key, None)
            return
        # Known from the start, selecting nothing until its first sync has read the scale.
        self._selectors.setdefault(key, None)
        self._enqueue_sync(key)

    def _enqueue_sync(self, key: Key) -> None:
        self.enqueue(key, hpa.SYNC_PERIOD + self.latency)

    def reconcile(self, key: Key) -> None:
        """One sync; the next is due whatever comes of this one."""
        entry = self.store.get(resources.HPAS.storage, *key)
        if entry is None:
            return
        self._enqueue_sync(key)
        spec = hpa.spec_from_object(entry.data)
        try:
            resource, target = self._target(spec)
        except ApiError as problem:
            unavailable = hpa.Unavailable(problem.message)
            inputs = hpa.Inputs(unavailable, status=self._status(entry))
            self._settle(entry, self._decide(key, spec, inputs))
            return
        outcome = self._decide(key, spec, self._inputs(entry, resource, target))
        if outcome.scale_to is not None:
            try:
                set_scale(self.api, resource, target, outcome.scale_to, CONTROLLER_MANAGER)
            except ApiError as problem:
                outcome = hpa.rescale_failed(outcome, problem.message)
        self._settle(entry, outcome)

    def _decide(self, key: Key, spec: hpa.HpaSpec, inputs: hpa.Inputs) -> hpa.Outcome:
        remembered = self._memory.get(key, hpa.NOTHING_REMEMBERED)
        return hpa.reconcile(spec, inputs, remembered, self.clock.now())

    def _settle(self, entry: Entry, outcome: hpa.Outcome) -> None:
        """Remember, tell, and write the status if it has changed."""
        self._memory[entry.key] = outcome.memory
        for event in outcome.events:
            self.record(resources.HPAS, entry, event.type, event.reason, event.message)
        if not outcome.status_changed:
            return
        status = hpa.status_to_object(outcome.status, self.clock.stamp)

        def alter(data: Object) -> None:
            data["status"] = status

        try:
            self.api.change(resources.HPAS, entry, alter, CONTROLLER_STATUS)
        except ApiError as problem:
            self.record(resources.HPAS, entry, "Warning", "FailedUpdateStatus", problem.message)

    def _target(self, spec: hpa.HpaSpec) -> tuple[Resource, Entry]:
        """The workload that the HPA scales.

        Raises:
            ApiError: its kind is unknown or has no scale, or there is no such object.
        """
        version, kind = spec.target.api_version, spec.target.kind
        if version.count("/") > 1:
            raise ApiError(400, "BadRequest", f"unexpected GroupVersion string: {version}")
        group = version.rpartition("/")[0]
        for resource in self.api.registry.all():
            if resource.group == group and resource.kind == kind and not resource.alias_of:
                if not resource.scale:
                    raise ApiError(404, "NotFound", _NO_SCALE)
                return resource, self.api.get(resource, spec.namespace, spec.target.name)
        raise ApiError(404, "NotFound", f'no matches for kind "{kind}" in group "{group}"')

    def _inputs(self, entry: Entry, resource: Resource, target: Entry) -> hpa.Inputs:
        selector: Object | None = target.spec.get("selector")
        if selector:
            self._selectors[entry.key] = selector
        pods = [
            pod
            for pod in self.store.list_at(resources.PODS.storage, entry.namespace, None)
            if selectors.matches(selector, pod.labels)
        ]
        return hpa.Inputs(
            scale=hpa.scale_from_object(scale_of(resource, target)),
            pods=tuple(hpa.pod_from_object(pod.data, self.clock.simulated) for pod in pods),
            usage=self._usage(entry.namespace, selector),
            selecting_hpas=self._selecting(entry.namespace, pods),
            status=self._status(entry),
        )

    def _status(self, entry: Entry) -> hpa.Status:
        return hpa.status_from_object(entry.data, self.clock.simulated)

    def _selecting(self, namespace: str, pods: list[Entry]) -> tuple[str, ...]:
        """The HPAs that one of the pods belongs to, by their selectors when last read."""
        return tuple(
            f"{place}/{name}"
            for (place, name), selector in sorted(self._selectors.items())
            if place == namespace and any(selectors.matches(selector, p.labels) for p in pods)
        )

    def _usage(
        self, namespace: str, selector: Object | None
    ) -> tuple[hpa.PodUsage, ...] | hpa.Unavailable:
        try:
            samples = self.plane.metrics.pods(namespace, selector)
        except UnavailableError as problem:
            return hpa.Unavailable(str(problem))
        return tuple(self._pod_usage(sample) for sample in samples)

    def _pod_usage(self, sample: PodSample) -> hpa.PodUsage:
        """The sample with the figures that the metrics API would give: nanocores, whole Ki."""
        return hpa.PodUsage(
            pod=sample.name,
            timestamp=self.clock.simulated(self.clock.stamp(sample.timestamp)),
            window=sample.window,
            containers=tuple(
                hpa.ContainerUsage(
                    one.name,
                    {
                        "cpu": -(-round(one.cpu * 1e9) // _NANO_PER_MILLI),
                        "memory": one.memory // 1024 * 1024 * 1000,
                    },
                )
                for one in sample.containers
            ),
        )
