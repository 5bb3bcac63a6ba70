"""What takes a patch back: held against the embedded cluster's own way of merging."""

from __future__ import annotations

from typing import Any

import pytest

from tui.demo.api.patches import merge_patch, strategic_merge_patch
from tui.setups.reverse import reverse

_SIDE = {"name": "side", "image": "s:1", "args": ["a", "b"]}
OLD: dict[str, Any] = {
    "replicas": 2,
    "behavior": {"scaleDown": {"stabilizationWindowSeconds": 300}},
    "template": {
        "metadata": {"annotations": {"own": "1"}},
        "spec": {"containers": [{"name": "app", "resources": {"requests": {"cpu": "1m"}}}, _SIDE]},
    },
}


def container(spec: dict[str, Any], name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = spec["template"]["spec"]["containers"]
    return next(one for one in found if one["name"] == name)


PATCHES: list[dict[str, Any]] = [
    {"replicas": 4},
    {"behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 4}]}}},
    {"behavior": None},
    {"paused": True, "strategy": {"type": "Recreate"}},
    {
        "template": {
            "spec": {"containers": [{"name": "app", "resources": {"limits": {"cpu": "2"}}}]}
        }
    },
    {"template": {"spec": {"containers": [{"name": "side", "args": ["c"], "image": None}]}}},
    {"template": {"spec": {"containers": [{"name": "new", "image": "n:1"}]}}},
    {"template": {"spec": {"containers": [{"name": "side", "$patch": "delete"}]}}},
    {"template": {"metadata": {"annotations": {"restarted": "now"}}}},
]


@pytest.mark.parametrize("patch", PATCHES, ids=range(len(PATCHES)))
def test_there_and_back(patch: dict[str, Any]) -> None:
    new = strategic_merge_patch({"spec": OLD}, {"spec": patch}, "Deployment")["spec"]
    back = {"spec": reverse(OLD, new, strategic=True)}
    found = strategic_merge_patch({"spec": new}, back, "Deployment")["spec"]
    # An empty map and none are stored alike.
    for one in found["template"]["spec"]["containers"]:
        one["resources"] = {k: v for k, v in one.get("resources", {}).items() if v}
    for one in (expected := strategic_merge_patch({"spec": OLD}, {}, "Deployment")["spec"])[
        "template"
    ]["spec"]["containers"]:
        one.setdefault("resources", {})
    by_name = {"key": lambda one: one["name"]}
    for spec in (found, expected):
        spec["template"]["spec"]["containers"].sort(**by_name)
    assert found == expected


def test_without_strategy_a_list_is_put_back_whole() -> None:
    new = merge_patch(OLD, {"behavior": {"scaleDown": {"policies": [1]}}, "list": [1]})
    back = reverse({**OLD, "list": [2, 3]}, new, strategic=False)
    assert back == {"behavior": {"scaleDown": {"policies": None}}, "list": [2, 3]}
    assert merge_patch(new, back) == {**OLD, "list": [2, 3]}


def test_what_others_wrote_meanwhile_stays() -> None:
    """Of requests that were not there before, only ours are taken out again."""
    app = {"resources": {"requests": {"cpu": "100m"}}}
    back = reverse({"resources": {}}, app, strategic=True)
    assert back == {"resources": {"requests": {"cpu": None}}}
    since = {"resources": {"requests": {"cpu": "100m", "memory": "1Gi"}}}
    assert merge_patch(since, back) == {"resources": {"requests": {"memory": "1Gi"}}}


def test_nothing_needs_nothing() -> None:
    assert reverse(OLD, OLD, strategic=True) == {}
