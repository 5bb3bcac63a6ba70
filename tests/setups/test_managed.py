from __future__ import annotations

from typing import Any

from tui.cluster.objects import Ref
from tui.setups import managed, scaling

LIVE: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "d",
        "namespace": "n",
        "labels": {"a": "1", "b": "2"},
        "managedFields": [
            {
                "manager": "kscale-tui",
                "operation": "Apply",
                "time": "2026-01-01T00:00:00Z",
                "fieldsV1": {
                    "f:metadata": {"f:labels": {"f:a": {}}},
                    "f:spec": {
                        "f:replicas": {},
                        "f:template": {
                            "f:containers": {
                                'k:{"name":"app"}': {
                                    ".": {},
                                    "f:name": {},
                                    "f:image": {},
                                    "f:ports": {
                                        'k:{"containerPort":80,"protocol":"TCP"}': {
                                            ".": {},
                                            "f:containerPort": {},
                                        }
                                    },
                                }
                            }
                        },
                    },
                },
            },
            {
                "manager": "kubectl-edit",
                "operation": "Update",
                "time": "2026-02-01T00:00:00Z",
                "fieldsV1": {"f:metadata": {"f:labels": {"f:b": {}}}},
            },
            {"manager": "broken", "fieldsV1": {"k:{": {"f:x": {}}}},
        ],
    },
    "spec": {
        "replicas": 2,
        "template": {
            "containers": [
                {
                    "name": "app",
                    "image": "a:1",
                    "pull": "Always",
                    "ports": [{"containerPort": 80, "protocol": "TCP", "name": "http"}],
                },
                {"name": "sidecar", "image": "b:1"},
            ]
        },
    },
}


def test_what_a_manager_applied_can_be_applied_again() -> None:
    assert managed.extract(LIVE, managed.applied(LIVE, "kscale-tui")) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "n", "labels": {"a": "1"}},
        "spec": {
            "replicas": 2,
            "template": {
                "containers": [
                    {
                        "name": "app",
                        "image": "a:1",
                        "ports": [{"containerPort": 80, "protocol": "TCP"}],
                    }
                ]
            },
        },
    }


def test_owners_the_latest_first() -> None:
    entries = managed.managers(LIVE)
    labels = [one.name for one in managed.owners(entries, ("f:metadata", "f:labels"))]
    assert labels == ["kubectl-edit", "kscale-tui"]
    assert managed.owners(entries, ("f:spec", "f:paused")) == []


def hpa(name: str) -> dict[str, Any]:
    return {"spec": {"scaleTargetRef": {"kind": "Deployment", "name": name}}}


def wanted(live: dict[str, Any] | None, hpas: list[dict[str, Any]]) -> Any:
    body = {"spec": {"replicas": 2, "paused": False}}
    ref = Ref("Deployment", "n", "d")
    return scaling.hand_over(body, ref, live, scaling.targets(hpas))["spec"].get("replicas")


def scaled(to: int, by: str) -> dict[str, Any]:
    entry = {
        "manager": by,
        "operation": "Update",
        "subresource": "scale",
        "fieldsV1": {"f:spec": {"f:replicas": {}}},
    }
    return {"metadata": {"managedFields": [entry]}, "spec": {"replicas": to}}


def test_the_first_apply_says_how_many() -> None:
    assert wanted(None, []) == 2
    assert wanted(None, [hpa("d")]) == 2


def test_what_an_hpa_chose_is_left_to_it() -> None:
    assert wanted(scaled(7, "kube-controller-manager"), [hpa("d")]) is None
    # Even when the HPA is gone by now.
    assert wanted(scaled(7, "kube-controller-manager"), []) is None


def test_a_number_still_ours_is_repeated_as_it_is() -> None:
    ours = {**LIVE, "spec": {"replicas": 4}}
    assert wanted(ours, [hpa("d")]) == 4
    assert wanted(ours, [hpa("other")]) == 2


def test_scaling_by_hand_is_told_as_a_conflict() -> None:
    assert wanted(scaled(5, "kubectl"), []) == 2
