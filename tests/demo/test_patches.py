from __future__ import annotations

from typing import Any

import pytest

from tui.demo.api.errors import ApiError
from tui.demo.api.patches import json_patch, merge_patch, strategic_merge_patch

POD: dict[str, Any] = {
    "spec": {
        "containers": [
            {
                "name": "app",
                "image": "a:1",
                "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                "ports": [{"containerPort": 80, "protocol": "TCP"}],
                "command": ["run"],
            },
            {"name": "side", "image": "s:1"},
        ],
        "volumes": [{"name": "v", "emptyDir": {}}],
        "tolerations": [{"key": "a"}],
    },
    "metadata": {"finalizers": ["a", "b"], "labels": {"x": "1", "y": "2"}},
}


def _container(pod: dict[str, Any], name: str) -> Any:
    return next(c for c in pod["spec"]["containers"] if c["name"] == name)


def _patched(patch: dict[str, Any]) -> dict[str, Any]:
    before = repr(POD)
    result = strategic_merge_patch(POD, patch, "Pod")
    assert repr(POD) == before
    return result


def test_lists_merge_by_their_key() -> None:
    app = {"name": "app", "image": "a:2", "env": [{"name": "B", "value": "3"}, {"name": "C"}]}
    result = _patched({"spec": {"containers": [app]}})
    assert [c["name"] for c in result["spec"]["containers"]] == ["app", "side"]
    merged = _container(result, "app")
    assert merged["image"] == "a:2"
    assert merged["env"] == [
        {"name": "A", "value": "1"},
        {"name": "B", "value": "3"},
        {"name": "C"},
    ]
    assert merged["ports"] == [{"containerPort": 80, "protocol": "TCP"}]


def test_other_lists_are_replaced() -> None:
    result = _patched(
        {"spec": {"tolerations": [{"key": "b"}], "containers": [{"name": "app", "command": ["x"]}]}}
    )
    assert result["spec"]["tolerations"] == [{"key": "b"}]
    assert _container(result, "app")["command"] == ["x"]


def test_directives_delete_replace_and_order() -> None:
    result = _patched({"spec": {"containers": [{"name": "side", "$patch": "delete"}]}})
    assert [c["name"] for c in result["spec"]["containers"]] == ["app"]
    result = _patched({"spec": {"containers": [{"$patch": "replace"}, {"name": "new"}]}})
    assert result["spec"]["containers"] == [{"name": "new"}]
    result = _patched({"metadata": {"labels": {"$patch": "replace", "z": "3"}}})
    assert result["metadata"]["labels"] == {"z": "3"}
    order = [{"name": "side"}, {"name": "app"}]
    result = _patched({"spec": {"$setElementOrder/containers": order, "containers": []}})
    assert [c["name"] for c in result["spec"]["containers"]] == ["side", "app"]
    result = _patched({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}})
    assert result["metadata"]["finalizers"] == ["b"]
    volume = {"name": "v", "configMap": {"name": "c"}, "$retainKeys": ["name", "configMap"]}
    result = _patched({"spec": {"volumes": [volume]}})
    assert result["spec"]["volumes"] == [{"name": "v", "configMap": {"name": "c"}}]


def test_null_removes() -> None:
    assert _patched({"metadata": {"labels": {"x": None}}})["metadata"]["labels"] == {"y": "2"}
    assert merge_patch({"a": {"b": 1, "c": 2}}, {"a": {"b": None, "d": 3}}) == {
        "a": {"c": 2, "d": 3}
    }


def test_service_ports_merge_by_port_and_container_ports_by_number() -> None:
    service = {"spec": {"ports": [{"port": 80, "nodePort": 30080}]}}
    patch = {"spec": {"ports": [{"port": 443}, {"port": 80, "name": "web"}]}}
    assert strategic_merge_patch(service, patch, "Service")["spec"]["ports"] == [
        {"port": 443},
        {"port": 80, "nodePort": 30080, "name": "web"},
    ]


def test_items_of_a_patch_come_in_its_order_and_others_where_they_were() -> None:
    live = {"spec": {"containers": [{"name": name} for name in "abc"]}}
    for given, expected in (("x", "xabc"), ("bx", "abxc"), ("cb", "acb"), ("xa", "xabc")):
        patch = {"spec": {"containers": [{"name": name} for name in given]}}
        merged = strategic_merge_patch(live, patch, "Pod")["spec"]["containers"]
        assert "".join(one["name"] for one in merged) == expected


def test_an_item_without_its_key_is_refused() -> None:
    with pytest.raises(ApiError, match="merge key: name"):
        _patched({"spec": {"containers": [{"image": "x"}]}})


def test_json_patch_follows_rfc_6902() -> None:
    operations = [
        {"op": "test", "path": "/metadata/labels/x", "value": "1"},
        {"op": "add", "path": "/metadata/labels/z~1w", "value": "3"},
        {"op": "remove", "path": "/spec/containers/0"},
    ]
    result = json_patch(
        {**POD, "metadata": {"labels": {"x": "1"}}, "spec": {"containers": [1, 2]}}, operations
    )
    assert result["metadata"]["labels"] == {"x": "1", "z/w": "3"}
    assert result["spec"]["containers"] == [2]
    for bad in ({}, [{"op": "dance", "path": "/"}], [{"path": "/a"}], ["x"]):
        with pytest.raises(ApiError):
            json_patch({"a": 1}, bad)
