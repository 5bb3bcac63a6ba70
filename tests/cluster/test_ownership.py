"""Whose an object is: ours by both labels, or somebody's by the best word there is."""

from __future__ import annotations

from typing import Any

import pytest

from tui.cluster import ownership

OURS = {ownership.MANAGED_BY: ownership.MANAGER, ownership.SETUP: "nginx"}
ARGO = "argocd.argoproj.io/"


def by(manager: str, time: str = "2026-11-21T00:00:00Z", **more: str) -> dict[str, str]:
    return {"manager": manager, "time": time, **more}


@pytest.mark.parametrize(
    ("labels", "setup"),
    [
        (OURS, "nginx"),
        ({ownership.SETUP: "nginx"}, None),
        ({ownership.SETUP: "nginx", ownership.MANAGED_BY: "Helm"}, None),
        ({ownership.MANAGED_BY: ownership.MANAGER}, None),
        ({**OURS, ownership.SETUP: ""}, None),
        (None, None),
        ("odd", None),
    ],
)
def test_ours_is_what_bears_both_labels(labels: Any, setup: str | None) -> None:
    assert ownership.setup_of({"metadata": {"labels": labels}}) == setup


@pytest.mark.parametrize(
    ("metadata", "whose"),
    [
        ({"labels": OURS}, "the setup nginx"),
        (
            {"annotations": {"meta.helm.sh/release-name": "web"}, "managedFields": [by("helm")]},
            "Helm release web",
        ),
        ({"annotations": {f"{ARGO}tracking-id": "shop:apps/Deployment:x/y"}},
         "Argo CD application shop"),
        ({"labels": {f"{ARGO}instance": "shop"}}, "Argo CD application shop"),
        ({"labels": {"helm.toolkit.fluxcd.io/name": "web"}}, "Flux helm web"),
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "web"}}, "Flux kustomize web"),
        ({"ownerReferences": [{"kind": "Rollout", "name": "web"}]}, "Rollout web"),
        ({"labels": {ownership.MANAGED_BY: "pulumi"}}, "pulumi, as its label managed-by says"),
        # Our own name without the name of a setup says nothing.
        (
            {
                "labels": {ownership.MANAGED_BY: ownership.MANAGER},
                "managedFields": [by(ownership.MANAGER), by("ada")],
            },
            "the field manager ada",
        ),
        (
            {"managedFields": [by("old", "2026-11-20T00:00:00Z"), by("new")]},
            "the field manager new",
        ),
        ({"managedFields": [by("new"), by("kubectl-edit", "2026-11-20T00:00:00Z")]},
         "the field manager kubectl-edit"),
        (
            {
                "managedFields": [
                    by("kubectl", "2026-11-22T00:00:00Z", subresource="scale"),
                    by("kube-controller-manager", "2026-11-22T00:00:00Z"),
                    by("ada"),
                ]
            },
            "the field manager ada",
        ),
        ({"managedFields": [by("kube-controller-manager")]},
         "the field manager kube-controller-manager"),
        ({"managedFields": ["odd", by("")]}, "somebody who left no name"),
        ({}, "somebody who left no name"),
    ],
)  # fmt: skip
def test_a_foreign_objects_owner_is_named_by_the_best_word(
    metadata: dict[str, Any], whose: str
) -> None:
    assert ownership.owner({"metadata": metadata}) == whose
