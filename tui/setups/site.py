"""Where setups are applied: one cluster's reader and writer, and what is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tui.cluster import ownership, rights
from tui.cluster.apply import Writer
from tui.cluster.errors import ApiError, Fault
from tui.cluster.halt import Halt
from tui.cluster.objects import (
    EVENTS,
    KINDS,
    PODS,
    REPLICA_SETS,
    KnownKind,
    Object,
    Objects,
    Ref,
)
from tui.cluster.rights import Right
from tui.cluster.transport import Transport
from tui.setups import rollout, scaling
from tui.setups.model import Answer, Check, SetupError
from tui.setups.plan import Manifest

T = TypeVar("T")
OUTAGE = 40.0
"""Seconds that the API server may be away in the middle of an apply or a delete."""
_AWAY = frozenset(
    {Fault.REFUSED, Fault.BROKEN, Fault.TIMEOUT, Fault.UNAVAILABLE, Fault.THROTTLED, Fault.SERVER}
)
_REVISION = "deployment.kubernetes.io/revision"


@dataclass(frozen=True, slots=True)
class Stock:
    """What is in a namespace of all setups."""

    ours: dict[Ref, Object]
    hpas: list[Object]
    """All of them, whosever they are."""
    unseen: tuple[Right, ...] = ()
    """What may not be listed."""

    def values(self, setup: str) -> dict[str, Any]:
        """The values, other than the defaults, that a setup was applied with."""
        for item in self.ours.values():
            if ownership.setup_of(item) == setup:
                return ownership.values_of(item)
        return {}


@dataclass(frozen=True, slots=True)
class Survey:
    """What is in a namespace of a setup."""

    live: dict[Ref, Object | None]
    """Each object of the manifests as it is; None if there is none."""
    leftover: dict[Ref, Object]
    """Labelled as the setup's, but not among its manifests."""
    hpas: list[Object]
    unseen: tuple[Right, ...] = ()
    """What may not be read."""


@dataclass(slots=True)
class Site:
    """One cluster.

    Attributes:
        transport: its connections.
        writer: the door out.
        probe: asks whether a check is answered; None: there is no way to.
        steady: a monotonic clock, seconds.
        look: seconds between two looks at what is being waited for.
        grace: seconds that a trouble which seems hopeless may last before it counts.
    """

    transport: Transport
    writer: Writer
    probe: Callable[[str, Check], Answer] | None = None
    steady: Callable[[], float] = time.monotonic
    look: float = 0.5
    grace: float = 5.0
    objects: Objects = field(init=False)

    def __post_init__(self) -> None:
        self.objects = Objects(self.transport)

    def stock(self, namespace: str, kinds: Iterable[KnownKind], halt: Halt) -> Stock:
        """Everything of ours in a namespace, whatever setup it belongs to, and all HPAs."""
        ours: dict[Ref, Object] = {}
        hpas: list[Object] = []
        unseen: list[Right] = []
        for known in kinds:
            is_hpa = known.kind == "HorizontalPodAutoscaler"
            try:
                selector = "" if is_hpa else ownership.selector()
                items = self.objects.list(known, namespace, selector, halt=halt)
            except ApiError as error:
                if error.kind is not Fault.FORBIDDEN:
                    raise
                unseen.append(Right("list", known, namespace))
                continue
            # Items of a list do not say what they are.
            items = [
                {**item, "apiVersion": known.api_version, "kind": known.kind} for item in items
            ]
            if is_hpa:
                hpas = items
            for item in items:
                if _is_ours(item):
                    ours[Ref(known.kind, namespace, str(item["metadata"].get("name")))] = item
        return Stock(ours, hpas, tuple(unseen))

    def survey(
        self,
        manifests: Iterable[Manifest],
        setup: str,
        namespace: str,
        halt: Halt,
        stock: Stock | None = None,
    ) -> Survey:
        """A setup's objects as they are, what else bears its label, and the HPAs."""
        stock = stock or self.stock(namespace, KINDS, halt)
        live: dict[Ref, Object | None] = {}
        unseen = list(stock.unseen)
        for ref in (one.ref for one in manifests):
            try:
                live[ref] = stock.ours.get(ref) or self.objects.get(ref, halt)
            except ApiError as error:
                if error.kind is not Fault.FORBIDDEN:
                    raise
                unseen.append(Right("get", ref.known, namespace))
        leftover = {
            ref: item
            for ref, item in stock.ours.items()
            if ref not in live and ownership.setup_of(item) == setup
        }
        return Survey(live, leftover, stock.hpas, tuple(dict.fromkeys(unseen)))

    def wanted(
        self, manifest: Manifest, live: Object | None, scaled: set[tuple[str, str]]
    ) -> Object:
        """What to apply of a manifest now; the number of replicas is the HPA's if there is one."""
        return scaling.hand_over(manifest.body, manifest.ref, live, scaled)

    def verdict(self, live: Object, namespace: str, halt: Halt) -> rollout.Verdict:
        """How far a workload's rollout is, pods and events read where it is not done."""
        simple = rollout.judge(live, [])
        if simple.done:
            return simple
        pods, sets = self.pods(live, namespace, halt)
        try:
            events = [
                event
                for pod in pods[:5]
                for event in self.objects.list(
                    EVENTS,
                    namespace,
                    fields=f"involvedObject.name={pod['metadata']['name']}",
                    halt=halt,
                )
            ]
        except ApiError as error:
            if error.kind not in (Fault.FORBIDDEN, Fault.INVALID):
                raise
            events = []
        return rollout.judge(live, pods, events, sets)

    def pods(self, live: Object, namespace: str, halt: Halt) -> tuple[list[Object], list[Object]]:
        """The pods of a workload's newest version that are not ending, and its ReplicaSets; none
        if they may not be read.
        """
        try:
            newest = self._newest_sets(live, namespace, halt)
            makers = frozenset(map(_uid, newest or [live]))
            found = self.pods_of(live, makers, namespace, halt)
        except ApiError as error:
            if error.kind is Fault.FORBIDDEN:
                return [], []
            raise
        return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")], newest

    def pods_of(
        self, live: Object, makers: frozenset[str], namespace: str, halt: Halt
    ) -> list[Object]:
        """The pods that a workload's selector matches and that these made, by uid."""
        chosen = selector_of(live)
        found = self.objects.list(PODS, namespace, chosen, halt=halt) if chosen else []
        return [pod for pod in found if _owners(pod) & makers]

    def makers(self, live: Object, namespace: str, halt: Halt) -> frozenset[str]:
        """The uids of what makes a workload's pods: its ReplicaSets, or itself."""
        return frozenset(map(_uid, [live, *self._sets(live, namespace, halt)]))

    def _sets(self, live: Object, namespace: str, halt: Halt) -> list[Object]:
        """A Deployment's ReplicaSets."""
        chosen = selector_of(live)
        if live.get("kind") != "Deployment" or not chosen:
            return []
        found = self.objects.list(REPLICA_SETS, namespace, chosen, halt=halt)
        return [one for one in found if _uid(live) in _owners(one)]

    def _newest_sets(self, live: Object, namespace: str, halt: Halt) -> list[Object]:
        revision = (live["metadata"].get("annotations") or {}).get(_REVISION)
        return [
            one
            for one in self._sets(live, namespace, halt)
            if (one["metadata"].get("annotations") or {}).get(_REVISION) == revision
        ]

    def missing(self, wanted: Iterable[Right], halt: Halt) -> tuple[Right, ...]:
        """Rights that this user lacks."""
        return rights.missing(self.transport, wanted, halt)

    def patiently(self, attempt: Callable[[], T], halt: Halt, say: Callable[[str], None]) -> T:
        """Try again while the API server is away, for `OUTAGE` seconds.

        ``attempt`` must begin with reading what is there: what was sent before may have arrived.
        """
        began, pause = self.steady(), self.look / 2
        while True:
            try:
                return attempt()
            except ApiError as error:
                if error.kind not in _AWAY or self.steady() - began > OUTAGE:
                    raise
                say(f"{error.message} Trying again.")
            if halt.wait(pause):
                raise ApiError(Fault.STOPPED, "stopped")
            pause = min(2 * pause, 2.0)


def selector_of(live: Object) -> str:
    """A workload's ``matchLabels`` as a label selector; empty if it has more than those."""
    selector = (live.get("spec") or {}).get("selector") or {}
    labels = selector.get("matchLabels") or {}
    if selector.get("matchExpressions"):
        return ""
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))


def _uid(item: Object) -> str:
    return str(item["metadata"].get("uid", ""))


def _owners(item: Object) -> set[str]:
    """The uids of an object's owners."""
    return {str(one.get("uid")) for one in item["metadata"].get("ownerReferences") or ()}


def told(error: ApiError, doing: str) -> SetupError:
    """An API error as a sentence of ours."""
    if error.kind is Fault.STOPPED:
        return SetupError(f"Stopped while {doing}.")
    return SetupError(f"{doing.capitalize()} failed: {error.message}")


def _is_ours(item: Object) -> bool:
    """Ours, and no copy of our labels that a controller made, as of a Service's on its slices."""
    references = (item.get("metadata") or {}).get("ownerReferences") or ()
    return ownership.setup_of(item) is not None and not any(
        one.get("controller") for one in references
    )
