"""The patches that rules advise. Each changes just what its finding is about."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from tui.analysis.doctor.finding import NOW, Patch, PatchType
from tui.analysis.doctor.patient import Root
from tui.state.rows import ContainerRow, HpaRow

WORKLOADS: Final = ("Deployment", "StatefulSet", "DaemonSet")
"""Kinds whose pods are made from a template that may be patched."""
RESTARTED: Final = "kubectl.kubernetes.io/restartedAt"
"""What ``kubectl rollout restart`` notes on the template, so that new pods are made."""


def hpa_patch(hpa: HpaRow, spec: Mapping[str, Any]) -> Patch:
    """Of an HPA's spec."""
    return Patch(
        "autoscaling/v2", "HorizontalPodAutoscaler", hpa.namespace, hpa.name, _text({"spec": spec})
    )


def vpa_patch(namespace: str, name: str, spec: Mapping[str, Any]) -> Patch:
    """Of a VerticalPodAutoscaler's spec."""
    kind = "VerticalPodAutoscaler"
    return Patch("autoscaling.k8s.io/v1", kind, namespace, name, _text({"spec": spec}))


def resources_patch(
    root: Root, containers: Iterable[ContainerRow], kind: str, resources: Mapping[str, str]
) -> Patch | None:
    """Of ``requests`` or ``limits`` of containers; None if the pods have no template to patch.

    Strategic: to a merge patch a list of containers is one value, and the others would go.
    """
    spec: dict[str, list[dict[str, Any]]] = {}
    for each in containers:
        change = {"name": each.name, "resources": {kind: dict(resources)}}
        spec.setdefault(each.field, []).append(change)
    return _template_patch(root, {"spec": spec})


def restart_patch(root: Root) -> Patch | None:
    """What ``kubectl rollout restart`` does; None if the pods have no template to patch."""
    return _template_patch(root, {"metadata": {"annotations": {RESTARTED: NOW}}})


def json_patch(api_version: str, kind: str, namespace: str, name: str, operations: str) -> Patch:
    """Operations of RFC 6902, written as JSON."""
    return Patch(api_version, kind, namespace, name, operations, PatchType.JSON)


def _template_patch(root: Root, template: Mapping[str, Any]) -> Patch | None:
    if root.kind not in WORKLOADS:
        return None
    body = _text({"spec": {"template": template}})
    return Patch("apps/v1", root.kind, root.namespace, root.name, body, PatchType.STRATEGIC)


def _text(body: object) -> str:
    return json.dumps(body, separators=(",", ":"))
