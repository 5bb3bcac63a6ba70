"""What a burst may be aimed at: the Services in scope, the scaled workload's way in first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tui.analysis.focus import Focus
from tui.analysis.selectors import matches
from tui.load.choice import Aim
from tui.state.delta import Delta
from tui.state.fetched import ConfigMapFact, ConfigMapFetch
from tui.state.links import Health
from tui.state.rows import Kind, Requirement, ServiceRow

_OUTSIDE = ("NodePort", "LoadBalancer")
_ORDER: Final = (
    Kind.ENDPOINTSLICES,
    Kind.PODS,
    Kind.HPAS,
    Kind.DEPLOYMENTS,
    Kind.REPLICASETS,
    Kind.STATEFULSETS,
)
"""What decides which Service leads to what is in view."""
_ELSE: Final = "give a URL with B"
_CHOOSE: Final = "B chooses a target"


@dataclass(frozen=True, slots=True)
class Offer:
    """What may be loaded now, for what is in view now."""

    aims: tuple[Aim, ...]
    focus: Focus
    waiting: bool = False
    """Whether more is to come: lists that decide about it are still being read."""
    absence: str = ""
    """Why nothing leads to what is in view, and what to do; empty if something does."""
    leading: int = 0
    """How many of the aims lead to what is in view: they are the first."""

    @property
    def way(self) -> tuple[Aim, ...]:
        """The best of those that lead to what is in view; empty if none does."""
        return self.aims[: min(1, self.leading)]


def offer(delta: Delta, focus: Focus) -> Offer:
    """What may be loaded, as far as the cluster has been read."""
    found, leading = aims(delta, focus)
    link = delta.link(Kind.SERVICES)
    if link.health is Health.LIVE or delta.services.rows:
        # One that nobody reads is not waited for.
        reading = (delta.links.get(kind) for kind in _ORDER)
        waiting = any(other and other.health is Health.CONNECTING for other in reading)
        absence = "" if leading else _nothing_leads(focus)
        if not found:
            absence = f"there is no Service to load here; {_ELSE}"
        return Offer(found, focus, waiting, absence, leading)
    waiting = link.health in (Health.CONNECTING, Health.RETRYING)
    said = link.detail.removesuffix(".")
    absence = said or f"the list of Services has not come ({link.health.value})"
    return Offer(found, focus, waiting, f"{absence}; {_ELSE}", leading)


def _nothing_leads(focus: Focus) -> str:
    if focus.target is None:
        return f"nothing that scales is in view; {_CHOOSE}"
    if focus.workload is None:
        return f"the pods of {focus.target.name} are not known, nor what leads there; {_CHOOSE}"
    return f"nothing leads to {focus.target.name}; {_CHOOSE}"


def aims(delta: Delta, focus: Focus) -> tuple[tuple[Aim, ...], int]:
    """In the order in which they are offered, and how many of them lead to the pods that scale.

    Those come first: the pods' own Service if it has an address outside the cluster, else a proxy
    in front of it that has one, else the Service all the same. Then the other Services, those of
    the same namespace first.
    """
    fed = _fed(delta, _live(focus)) | _selecting(delta, focus)
    fronts = _fronts(delta, fed)
    namespace = focus.target.namespace if focus.target is not None else None

    def rank(service: ServiceRow) -> tuple[int, bool, str, str]:
        name = (service.namespace, service.name)
        outside = service.type in _OUTSIDE
        order = (name in fed and outside, name in fronts and outside, name in fed, name in fronts)
        place = order.index(True) if True in order else len(order)
        return place, service.namespace != namespace, service.namespace, service.name

    found = [s for s in delta.services.rows.values() if _answers(s)]
    several = len({s.namespace for s in found}) > 1
    leading = sum((s.namespace, s.name) in fed | fronts for s in found)
    return tuple(Aim(s.namespace, s.name, several) for s in sorted(found, key=rank)), leading


def _live(focus: Focus) -> set[tuple[str, str]]:
    return {(pod.namespace, pod.name) for pod in focus.live_pods}


def _fed(delta: Delta, pods: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """The Services, by namespace and name, with any of the pods, named alike, behind them."""
    return {
        (row.namespace, row.service)
        for row in delta.endpointslices.rows.values()
        if any((row.namespace, name) in pods for name in (*row.ready, *row.not_ready))
    }


def _selecting(delta: Delta, focus: Focus) -> set[tuple[str, str]]:
    """The Services that select pods of what scales: also while there are none, and where
    EndpointSlices may not be read.
    """
    workload = focus.workload
    if workload is None:
        return set()
    every = tuple((t.key, t.values[0]) for t in workload.selector if _is_one(t))
    labels = [every, *(pod.labels for pod in focus.live_pods)]
    found = set()
    for service in delta.services.rows.values():
        wanted = [Requirement(key, "In", (value,)) for key, value in service.selector]
        near = bool(wanted) and service.namespace == workload.namespace
        if near and any(matches(wanted, one) for one in labels):
            found.add((service.namespace, service.name))
    return found


def _is_one(term: Requirement) -> bool:
    return term.op == "In" and len(term.values) == 1


def _fronts(delta: Delta, behind: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """The Services whose pods pass requests on to one of those behind.

    Told by the text of the ConfigMaps that the pods mount, as far as it has been fetched.
    """
    proxies: set[tuple[str, str]] = set()
    for pod in delta.pods.rows.values():
        names = [name for namespace, name in behind if namespace == pod.namespace]
        maps = {mount.config_map for container in pod.containers for mount in container.configs}
        if names and any(_names(delta, pod.namespace, one, names) for one in maps):
            proxies.add((pod.namespace, pod.name))
    return _fed(delta, proxies)


def _names(delta: Delta, namespace: str, config_map: str, services: list[str]) -> bool:
    answer = delta.fetched.get(ConfigMapFetch(namespace, config_map))
    if answer is None or not isinstance(answer.fact, ConfigMapFact):
        return False
    host = rf"(?<![\w.-])(?:{'|'.join(map(re.escape, services))})(?![\w-])"
    return any(re.search(host, text) for _, text in answer.fact.data)


def _answers(service: ServiceRow) -> bool:
    """Whether it may speak HTTP: the API server's own Service does not, to us."""
    if (service.namespace, service.name) == ("default", "kubernetes"):
        return False
    return bool(service.selector) and any(p.protocol == "TCP" for p in service.ports)
