"""What a setup needs of the cluster, and whether it is there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tui.cluster.errors import ApiError, Fault
from tui.cluster.halt import Halt
from tui.cluster.objects import Object, Ref
from tui.setups.model import Need, NeedKind
from tui.setups.plan import Manifest, Prerequisite
from tui.setups.render import fill
from tui.setups.site import Site

_METRICS = "/apis/metrics.k8s.io/v1beta1"


def check(
    site: Site,
    needs: Iterable[Need],
    values: dict[str, Any],
    manifests: Iterable[Manifest],
    namespace: str,
    hpas: list[Object],
    halt: Halt,
) -> tuple[Prerequisite, ...]:
    """Each need and whether it is met; what may not be read counts as met and says so."""
    own = {one.ref for one in manifests}
    found = []
    for need in needs:
        name = fill(need.name, values)
        try:
            met, words = _look(site, need, name, own, namespace, hpas, halt)
        except ApiError as error:
            if error.kind is not Fault.FORBIDDEN:
                raise
            met, words = True, f"Whether there is {_named(need, name)} may not be read."
        if not met and need.hint:
            words = f"{words} {fill(need.hint, values)}"
        found.append(Prerequisite(need, met, words))
    return tuple(found)


def _look(
    site: Site,
    need: Need,
    name: str,
    own: set[Ref],
    namespace: str,
    hpas: list[Object],
    halt: Halt,
) -> tuple[bool, str]:
    if need.kind is NeedKind.METRICS:
        return _metrics(site, halt)
    if need.kind is NeedKind.ONLY_HPA:
        return _only_hpa(name, own, namespace, hpas)
    kind = "Service" if need.kind is NeedKind.SERVICE else "Deployment"
    ref = Ref(kind, namespace, name)
    if ref in own:
        return True, f"{ref} is part of the setup."
    live = site.objects.get(ref, halt)
    if live is None:
        return False, f"There is no {ref} in namespace {namespace}."
    lacking = _requests_nothing(live, need.resources) if kind == "Deployment" else ""
    if lacking:
        return False, f"{ref} does not request {lacking} in every container, which an HPA needs."
    return True, f"{ref} is there."


def _metrics(site: Site, halt: Halt) -> tuple[bool, str]:
    try:
        site.transport.get(_METRICS, halt=halt)
    except ApiError as error:
        if error.kind is Fault.NOT_FOUND:
            return False, "The metrics API (metrics.k8s.io) is not installed."
        if error.kind in (Fault.UNAVAILABLE, Fault.SERVER):
            return False, "The metrics API is installed, but does not answer."
        raise
    return True, "The metrics API answers."


def _only_hpa(name: str, own: set[Ref], namespace: str, hpas: list[Object]) -> tuple[bool, str]:
    for hpa in hpas:
        target = (hpa.get("spec") or {}).get("scaleTargetRef") or {}
        ref = Ref("HorizontalPodAutoscaler", namespace, str(hpa["metadata"]["name"]))
        if ref not in own and target.get("kind") == "Deployment" and target.get("name") == name:
            return False, f"{ref} scales Deployment {name} already."
    return True, f"No other HPA scales Deployment {name}."


def _requests_nothing(live: Object, resources: tuple[str, ...]) -> str:
    spec = ((live.get("spec") or {}).get("template") or {}).get("spec") or {}
    for resource in resources:
        for container in spec.get("containers") or ():
            asked = container.get("resources") or {}
            if resource not in {**(asked.get("limits") or {}), **(asked.get("requests") or {})}:
                return resource
    return ""


def _named(need: Need, name: str) -> str:
    return "a metrics API" if need.kind is NeedKind.METRICS else f"what {need.kind} {name} needs"
