"""Server-side apply and managed fields, held against what a real server recorded."""

from __future__ import annotations

from typing import Any

import pytest

from tests.demo import recorded
from tests.demo.conftest import Build
from tui.demo import resources
from tui.demo.api import fieldsets, pod_defaults
from tui.demo.api.errors import ApiError
from tui.demo.api.operations import Api, Writer
from tui.demo.resources import Resource

KUBECTL = Writer("kubectl-client-side-apply")
CASES: list[tuple[Resource, dict[str, Any]]] = [
    (resource, item)
    for resource, name in (
        (resources.DEPLOYMENTS, "deployments"),
        (resources.SERVICES, "services"),
        (resources.HPAS, "hpa-v2"),
    )
    for item in recorded.read(f"idle/{name}")["items"]
    if recorded.LAST_APPLIED in item["metadata"].get("annotations", {})
]


@pytest.fixture
def api(build: Build) -> Api:
    return build().api


@pytest.mark.parametrize(("resource", "item"), CASES, ids=[i["metadata"]["name"] for _, i in CASES])
def test_defaults_and_owners_of_a_manifest_are_those_recorded(
    api: Api, resource: Resource, item: dict[str, Any]
) -> None:
    entry = api.create(resource, "default", recorded.applied(item), KUBECTL)
    spec = {**entry.spec}
    for name in ("clusterIP", "clusterIPs"):
        assert (name in spec) == (name in item["spec"])
        spec.pop(name, None)
    assert spec == {k: v for k, v in item["spec"].items() if not k.startswith("clusterIP")}
    [mine] = entry.metadata["managedFields"]
    theirs = next(m for m in item["metadata"]["managedFields"] if m["manager"] == KUBECTL.manager)
    assert mine["fieldsV1"] == theirs["fieldsV1"]
    assert (mine["operation"], mine["apiVersion"]) == (theirs["operation"], theirs["apiVersion"])


def test_field_sets_survive_their_encoding() -> None:
    for _, item in CASES:
        for manager in item["metadata"]["managedFields"]:
            decoded = fieldsets.decode(manager["fieldsV1"])
            assert fieldsets.encode(decoded) == manager["fieldsV1"]


def _config(data: dict[str, str], **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": "c", **metadata}, "data": data}


def _apply(api: Api, manager: str, config: dict[str, Any], *, force: bool = False) -> Any:
    entry, _ = api.apply(resources.CONFIG_MAPS, "default", "c", config, Writer(manager), force)
    return entry.data


def test_what_is_no_longer_applied_goes(api: Api) -> None:
    _apply(api, "one", _config({"a": "1", "b": "2"}, labels={"x": "1"}))
    data = _apply(api, "one", _config({"a": "1"}))
    assert data["data"] == {"a": "1"}
    assert "labels" not in data["metadata"]


def test_what_another_owns_too_stays(api: Api) -> None:
    _apply(api, "one", _config({"a": "1", "b": "2"}))
    _apply(api, "two", _config({"b": "2", "c": "3"}))
    assert _apply(api, "one", _config({"a": "1"}))["data"] == {"a": "1", "b": "2", "c": "3"}
    assert _apply(api, "two", _config({"c": "3"}))["data"] == {"a": "1", "c": "3"}


def test_a_conflict_names_the_other_and_the_field(api: Api) -> None:
    _apply(api, "one", _config({"a": "1", "b": "2"}))
    with pytest.raises(ApiError) as caught:
        _apply(api, "two", _config({"a": "other"}))
    assert caught.value.code == 409
    assert caught.value.message == ('Apply failed with 1 conflict: conflict with "one": .data.a')
    forced = _apply(api, "two", _config({"a": "other"}), force=True)
    assert forced["data"] == {"a": "other", "b": "2"}
    owners = {m["manager"]: m["fieldsV1"] for m in forced["metadata"]["managedFields"]}
    assert owners == {"one": {"f:data": {"f:b": {}}}, "two": {"f:data": {"f:a": {}}}}


def test_agreeing_is_no_conflict_and_changes_nothing(api: Api) -> None:
    _apply(api, "one", _config({"a": "1"}))
    again = _apply(api, "one", _config({"a": "1"}))
    revision = again["metadata"]["resourceVersion"]
    assert _apply(api, "one", _config({"a": "1"}))["metadata"]["resourceVersion"] == revision
    shared = _apply(api, "two", _config({"a": "1"}))
    assert len(shared["metadata"]["managedFields"]) == 2


def test_an_update_takes_over_what_it_changes(api: Api) -> None:
    _apply(api, "one", _config({"a": "1", "b": "2"}))
    entry = api.get(resources.CONFIG_MAPS, "default", "c")
    data = entry.copy()
    data["data"]["a"] = "9"
    updated = api.update(resources.CONFIG_MAPS, "default", data, Writer("editor"))
    owners = {m["manager"]: m["fieldsV1"] for m in updated.metadata["managedFields"]}
    assert owners["editor"] == {"f:data": {"f:a": {}}}
    assert owners["one"] == {"f:data": {"f:b": {}}}
    with pytest.raises(ApiError, match=r"conflict with \"editor\" using v1: \.data\.a"):
        _apply(api, "one", _config({"a": "1", "b": "2"}))


def test_lists_of_containers_merge_by_name(api: Api) -> None:
    def manifest(*containers: dict[str, Any]) -> dict[str, Any]:
        template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": list(containers)}}
        spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
        return {"metadata": {"name": "d"}, "spec": spec}

    def apply(manager: str, config: dict[str, Any]) -> list[Any]:
        entry, _ = api.apply(resources.DEPLOYMENTS, "default", "d", config, Writer(manager), False)
        found: list[Any] = entry.spec["template"]["spec"]["containers"]
        return [(c["name"], c["image"], c.get("env")) for c in found]

    apply("one", manifest({"name": "app", "image": "a:1"}))
    side = {"name": "side", "image": "s:1"}
    with_env = {"name": "app", "image": "a:1", "env": [{"name": "X", "value": "1"}]}
    both = apply("two", manifest(with_env, side))
    assert both == [("app", "a:1", [{"name": "X", "value": "1"}]), ("side", "s:1", None)]
    assert apply("one", manifest({"name": "app", "image": "a:1"})) == both
    assert apply("two", manifest({"name": "app", "image": "a:1"})) == [("app", "a:1", None)]


def test_an_apply_counts_whatever_of_an_object_it_changes(api: Api) -> None:
    def apply(address: str) -> Any:
        endpoints = [{"addresses": [address], "conditions": {"ready": True}}]
        config = {
            "metadata": {"name": "s"}, "addressType": "IPv4", "endpoints": endpoints, "ports": []
        }  # fmt: skip
        by = Writer("one")
        entry, _ = api.apply(resources.ENDPOINT_SLICES, "default", "s", config, by, False)
        return entry.metadata["generation"]

    assert [apply("10.0.0.1"), apply("10.0.0.2"), apply("10.0.0.2")] == [1, 2, 2]


def test_quality_of_service() -> None:
    def pod(*resources: dict[str, Any]) -> dict[str, Any]:
        return {"containers": [{"resources": one} for one in resources]}

    full = {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Gi"}}
    assert pod_defaults.qos_class(pod({}, {})) == "BestEffort"
    assert pod_defaults.qos_class(pod(full, full)) == "Guaranteed"
    assert pod_defaults.qos_class(pod(full, {})) == "Burstable"
    assert pod_defaults.qos_class(pod({"requests": {"cpu": "1"}})) == "Burstable"
