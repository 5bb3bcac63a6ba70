"""What rules advise as patches, and what they say of fixes that are none."""

from __future__ import annotations

import json

import pytest

from tui.analysis.doctor.finding import NOW, Fix, PatchType
from tui.analysis.doctor.patches import resources_patch, restart_patch
from tui.analysis.doctor.patient import Root
from tui.state.rows import ContainerRow

ROOT = Root("Deployment", "default", "web", "u")


def test_containers_are_merged_by_name() -> None:
    patch = resources_patch(ROOT, [ContainerRow("side")], "requests", {"cpu": "100m"})
    assert patch is not None
    assert patch.type is PatchType.STRATEGIC
    [container] = json.loads(patch.body)["spec"]["template"]["spec"]["containers"]
    assert container == {"name": "side", "resources": {"requests": {"cpu": "100m"}}}
    assert patch.command.startswith(
        "kubectl -n default patch deployment web --type=strategic -p '{"
    )


def test_a_sidecar_is_patched_among_the_init_containers() -> None:
    both = [ContainerRow("app"), ContainerRow("proxy", sidecar=True)]
    patch = resources_patch(ROOT, both, "requests", {"cpu": "100m"})
    assert patch is not None
    spec = json.loads(patch.body)["spec"]["template"]["spec"]
    assert [c["name"] for c in spec["containers"]] == ["app"]
    assert [c["name"] for c in spec["initContainers"]] == ["proxy"]


def test_what_comes_from_no_template_is_not_patched() -> None:
    for kind in ("Pod", "Job", "ReplicaSet", "Rollout"):
        root = ROOT._replace(kind=kind)
        assert restart_patch(root) is None
        assert resources_patch(root, [ContainerRow("app")], "limits", {"cpu": "1"}) is None
    restart = restart_patch(ROOT)
    assert restart is not None
    assert NOW in restart.body


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("kubectl -n get edit hpa logs", "how it should read"),
        ("kubectl describe nodes", "only looks"),
        ("kubectl -n a delete hpa b", "takes a deletion back"),
        ("kubectl -n a apply edit-last-applied deployment/get", "your manifest"),
        ("kubectl apply -f https://example.invalid/x.yaml", "the whole cluster"),
        ("date -u", "clocks"),
        ("kubectl -n a port-forward service/x 8080:80", "as long as you need it"),
        ("something else", "where this program does not write"),
        ("", "nothing that a command does"),
    ],
)
def test_why_a_command_stays_one(command: str, why: str) -> None:
    fix = Fix("words", command)
    assert why in fix.by_hand
    assert not fix.applicable


def test_what_is_applied_from_here_needs_no_excuse() -> None:
    assert Fix("w", "kubectl get x", restart_patch(ROOT)).by_hand == ""
    assert Fix("w", "kubectl get x", setup="fastapi").by_hand == ""
