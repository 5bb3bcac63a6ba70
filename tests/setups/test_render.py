from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.cluster import ownership
from tui.setups import catalogue, render
from tui.setups.model import SetupError
from tui.setups.plan import Manifest
from tui.setups.values import complete

FOUND = catalogue.load()


def rendered(name: str, **given: str | int) -> dict[str, Manifest]:
    setup = FOUND.get(name)
    values = complete(setup, [{key.replace("_", "-"): value for key, value in given.items()}])
    return {one.ref.kind: one for one in render.render(setup, values, "here")}


def shape(node: Any) -> Any:
    """What is left of a document without its values."""
    if isinstance(node, dict):
        return {name: shape(value) for name, value in node.items()}
    if isinstance(node, list):
        return [shape(value) for value in node]
    return type(node).__name__


NAMES = st.from_regex(r"\A[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?\Z")


@settings(max_examples=25)
@given(service=NAMES, port=st.integers(1, 65535), node_port=st.integers(30000, 32767))
def test_values_change_no_structure(service: str, port: int, node_port: int) -> None:
    plain = rendered("nginx", node_port=30082)
    made = rendered("nginx", app_service=service, app_port=port, node_port=node_port)
    for kind, manifest in made.items():
        assert shape(manifest.body["spec" if kind != "ConfigMap" else "data"]) == shape(
            plain[kind].body["spec" if kind != "ConfigMap" else "data"]
        )
    [named] = made["Service"].body["spec"]["ports"]
    assert named["nodePort"] == node_port
    conf = made["ConfigMap"].body["data"]["nginx.conf"]
    assert f"server {service}:{port};" in conf
    assert conf.count("{") == plain["ConfigMap"].body["data"]["nginx.conf"].count("{")


def test_objects_bear_our_labels_and_a_digest_of_themselves() -> None:
    for setup in FOUND.setups:
        for one in render.render(setup, complete(setup, []), "here"):
            assert ownership.setup_of(one.body) == setup.name
            assert one.body["metadata"]["namespace"] == "here"
            again = json.loads(json.dumps(one.body))
            digest = again["metadata"]["annotations"].pop(ownership.DIGEST)
            if not again["metadata"]["annotations"]:
                del again["metadata"]["annotations"]
            assert digest == ownership.digest(again)


def test_a_changed_config_map_rolls_the_pods_and_nothing_else_does() -> None:
    def note(**given: str | int) -> str:
        template = rendered("nginx", **given)["Deployment"].body["spec"]["template"]
        found: str = template["metadata"]["annotations"][ownership.CONFIG]
        return found

    assert note() != note(app_port=81)
    assert note() == note(node_port=30999)


def test_values_beside_the_defaults_are_noted_and_no_others() -> None:
    plain = rendered("nginx")["Service"].body["metadata"]["annotations"]
    assert ownership.VALUES not in plain
    changed = rendered("nginx", node_port=30999)["Service"].body
    assert ownership.values_of(changed) == {"node-port": 30999}


def test_text_stays_text_where_kubernetes_wants_text() -> None:
    template = {
        "kind": "ConfigMap",
        "metadata": {"name": "c", "labels": {"port": "${p}"}},
        "data": {"port": "${p}", "url": "http://x:${p}/$${y}"},
        "env": [{"name": "PORT", "value": "${p}"}],
        "port": "${p}",
    }
    made = render.object_of(template, {"p": 80}, {})
    assert made["data"] == {"port": "80", "url": "http://x:80/${y}"}
    assert made["metadata"]["labels"] == {"port": "80"}
    assert made["env"] == [{"name": "PORT", "value": "80"}]
    assert made["port"] == 80


def test_a_placeholder_without_a_value_is_told() -> None:
    with pytest.raises(SetupError, match="no value for the placeholder"):
        render.fill("${x}", {})


def test_an_hpa_and_its_target_agree() -> None:
    for hpa, app in (
        ("hpa-cpu", "fastapi"),
        ("hpa-memory", "fastapi"),
        ("hpa-behavior", "load-app"),
    ):
        spec = rendered(hpa)["HorizontalPodAutoscaler"].body["spec"]
        deployment = rendered(app)["Deployment"].body
        assert spec["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
        [container] = deployment["spec"]["template"]["spec"]["containers"]
        for metric in spec["metrics"]:
            assert metric["resource"]["name"] in container["resources"]["requests"]


def test_a_number_among_arguments_is_text() -> None:
    container = {"args": ["--port", "${port}"], "command": ["${port}"], "ports": ["${port}"]}
    assert render.object_of(container, {"port": 80}, {}) == {
        "args": ["--port", "80"],
        "command": ["80"],
        "ports": [80],
    }
