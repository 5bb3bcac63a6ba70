"""HPAs that the API server does not take, and what it says of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.demo.conftest import Build
from tui.demo import resources
from tui.demo.api.errors import ApiError
from tui.demo.api.operations import Writer

BY = Writer("test")
RULES = {"policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}]}


def hpa(metric: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"},
        "maxReplicas": 5,
        **more,
    }
    if metric is not None:
        kind = metric["type"]
        part = metric.pop("source", {})
        spec["metrics"] = [{**metric, kind[0].lower() + kind[1:]: part}]
    return {"metadata": {"name": "h"}, "spec": spec}


def aimed(kind: str, target: dict[str, Any], **source: Any) -> dict[str, Any]:
    return hpa({"type": kind, "source": {**source, "target": target}})


def behaving(**rules: Any) -> dict[str, Any]:
    return hpa(behavior={"scaleUp": {**RULES, **rules}})


def refusal(build: Build, wire: dict[str, Any]) -> ApiError:
    with pytest.raises(ApiError) as error:
        build().api.create(resources.HPAS, "default", wire, BY)
    return error.value


CPU = {"name": "cpu"}
QUEUE = {"metric": {"name": "q"}}
HALF = {"type": "Utilization", "averageUtilization": 50}


@pytest.mark.parametrize(
    ("wire", "field", "says"),
    [
        (hpa(maxReplicas=-1), "spec.maxReplicas", "must be greater than or equal to 1"),
        (behaving(policies=[]), "scaleUp.policies", "must specify at least one Policy"),
        (behaving(selectPolicy="Most"), "scaleUp.selectPolicy", '"Disabled", "Max", "Min"'),
        (behaving(tolerance="-10m"), "scaleUp.tolerance", "must be greater than or equal to 0"),
        (
            aimed("Resource", {"averageUtilization": 50}, **CPU),
            "resource.target.type",
            "must specify a metric target type",
        ),
        (
            aimed("Resource", {"type": "Average", "averageUtilization": 50}, **CPU),
            "resource.target.type",
            "must be either Utilization, Value, or AverageValue",
        ),
        (
            aimed("Resource", {"type": "Value", "value": "1"}, **CPU),
            "resource.target.averageUtilization",
            "must set either a target raw value or a target utilization",
        ),
        (
            aimed("Resource", {**HALF, "averageValue": "1"}, **CPU),
            "resource.target.averageValue",
            "may not set both",
        ),
        (
            aimed("Resource", {"type": "AverageValue", "averageValue": "0"}, **CPU),
            "resource.target.averageValue",
            'Invalid value: "0": must be positive',
        ),
        (
            aimed("ContainerResource", HALF, **CPU),
            "containerResource.container",
            "must specify a container",
        ),
        (
            aimed("Pods", HALF, **QUEUE),
            "pods.target.averageValue",
            "must specify a positive target averageValue",
        ),
        (
            aimed("External", {"type": "Value", "value": 1, "averageValue": 1}, **QUEUE),
            "external.target.value",
            "may not set both",
        ),
        (
            aimed("Object", {"type": "Value", "value": "1"}, **QUEUE),
            "object.describedObject.kind",
            "Required value",
        ),
        (
            aimed("External", {"type": "Value", "value": 1}, metric={"name": "a/b"}),
            "external.metric.name",
            "may not contain '/'",
        ),
    ],
)
def test_what_breaks_a_rule_is_refused_by_its_field(
    build: Build, wire: dict[str, Any], field: str, says: str
) -> None:
    error = refusal(build, wire)
    assert error.code == 422
    assert field in str(error)
    assert says in str(error)


@pytest.mark.parametrize(
    "wire", [behaving(tolerance="lots"), aimed("Pods", {"averageValue": "x"}, **QUEUE)]
)
def test_what_is_no_quantity_is_not_even_read(build: Build, wire: dict[str, Any]) -> None:
    error = refusal(build, wire)
    assert error.code == 400
    assert "quantities must match" in str(error)


@pytest.mark.parametrize(
    "wire",
    [
        hpa(),
        behaving(tolerance="12500u", selectPolicy="Min"),
        aimed("Resource", HALF, **CPU),
        # The type need not be that of the field.
        aimed("Resource", {"type": "Value", "averageValue": "1"}, **CPU),
        aimed("External", {"type": "Utilization", "value": 1}, **QUEUE),
    ],
)
def test_what_keeps_them_is_taken(build: Build, wire: dict[str, Any]) -> None:
    assert build().api.create(resources.HPAS, "default", wire, BY).name == "h"
