"""``kscale-tui explain`` of HPAs that cannot reckon, on an embedded cluster."""

from __future__ import annotations

from typing import Any

from click.testing import CliRunner, Result

from tests.cluster.server import eventually
from tests.setups.place import Place
from tui.commands.explain import command

CPU = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
}


def explain(place: Place, name: str) -> Result:
    to = ["--kubeconfig", place.transport.config.source, "-n", place.namespace]
    done = CliRunner().invoke(command, [f"hpa/{name}", "--once", *to])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code == 1
    return done


def hpa(place: Place, target: str) -> None:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
    spec: dict[str, Any] = {"scaleTargetRef": reference, "maxReplicas": 5, "metrics": [CPU]}
    place.create("HorizontalPodAutoscaler", target, spec=spec)


def test_without_a_target_no_size_is_claimed(place: Place) -> None:
    hpa(place, "nobody")
    said = explain(place, "nobody").stdout
    assert said.startswith(f"HPA {place.namespace}/nobody → deployment/nobody\n")
    assert "not found" in said
    assert said.endswith("\n\nWithout a figure the controller sets no size.\n")


def test_with_a_missing_request_the_size_stays(place: Place) -> None:
    labels = {"app": "plain"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "app", "image": "registry.k8s.io/pause:3.9"}]},
    }
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    place.create("Deployment", "plain", spec=spec)
    hpa(place, "plain")

    def told() -> str:
        said = explain(place, "plain").stdout
        return said if "deployment/plain: 2\n" in said else ""

    said = eventually(told, 20)
    assert said.endswith("\n\nWithout a figure the controller sets no size: 2 stays.\n")


def test_a_namespace_without_an_hpa(place: Place) -> None:
    said = explain(place, "web").stderr
    assert said == (
        f"kscale-tui explain: There is no HPA in namespace {place.namespace}, and so no web. "
        "Name another namespace with -n.\n"
    )
