"""The schemas: in step with the published models, and with the table of protobuf fields."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from tui.demo import resources
from tui.demo.api import protobuf, schemas, types
from tui.demo.api.errors import ApiError
from tui.demo.resource import Resource

MODELS: Any = importlib.import_module("kubernetes.client.models")
KINDS = [one for one in resources.SERVED if one.group != "metrics.k8s.io"]


@pytest.mark.parametrize("resource", KINDS, ids=lambda one: one.qualified)
def test_every_kind_has_the_fields_of_the_published_model(resource: Resource) -> None:
    version = resource.version.upper()
    prefixes = {"": "Core", "events.k8s.io": "Events"}
    prefix = prefixes[resource.group] if resource.kind == "Event" else ""
    model = getattr(MODELS, f"{prefix}{version}{resource.kind}")
    published = {
        info.serialization_alias or info.alias or name for name, info in model.model_fields.items()
    }
    assert set(schemas.fields(schemas.root_of(resource))) == published


def test_protobuf_fields_are_fields_of_the_types() -> None:
    known = {
        ".".join(name.removeprefix("io.k8s.api.").split(".")): set(schemas.fields(name))
        for name in schemas.table()
    }
    compared = 0
    for name, fields in protobuf.table().items():
        if name in known:
            sent = {field for field, type_ in fields.values() if not type_.startswith("<")}
            assert sent <= known[name], name
            compared += 1
    assert compared > 100


def test_decoding_drops_the_unknown_and_the_null() -> None:
    data = {
        "metadata": {"name": "d", "creationTimestamp": None, "lables": {"a": "b"}},
        "spec": {
            "replicas": 2,
            "template": {"spec": {"containers": [{"name": "a", "imgae": "x"}, {"tty": None}]}},
        },
    }
    decoded, unknown = types.decode(resources.DEPLOYMENTS, data)
    assert decoded == {
        "metadata": {"name": "d"},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "a"}, {}]}}},
    }
    assert unknown == ["metadata.lables", "spec.template.spec.containers[0].imgae"]
    problems = [f'unknown field "{path}"' for path in unknown]
    with pytest.raises(ApiError, match=r'unknown field "metadata.lables", unknown field "spec'):
        types.refuse(resources.DEPLOYMENTS, problems)
    assert types.warnings(problems).startswith('299 - "unknown field \\"metadata.lables\\""')


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            {"replicas": "2"},
            "string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            {"replicas": True},
            "bool into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            {"replicas": 2**31},
            "number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        ({"paused": "no"}, "string into Go struct field DeploymentSpec.spec.paused of type bool"),
        ({"selector": []}, "array into Go struct field"),
        ({"template": {"spec": {"containers": {}}}}, "object into Go struct field PodSpec"),
        (
            {"template": {"spec": {"containers": [{"env": [{"name": True}]}]}}},
            "bool into Go struct field EnvVar.spec.template.spec.containers.env.name of type",
        ),
        (
            {"template": {"metadata": {"creationTimestamp": "soon"}}},
            'parsing time "soon" as "2006-01-02T15:04:05Z07:00"',
        ),
    ],
)
def test_wrong_types_are_refused(spec: dict[str, object], said: str) -> None:
    with pytest.raises(ApiError) as caught:
        types.decode(resources.DEPLOYMENTS, {"spec": spec})
    assert said in caught.value.message
    assert caught.value.code == 400


def test_what_is_not_base64_is_refused() -> None:
    with pytest.raises(ApiError, match="illegal base64 data at input byte 4"):
        types.decode(resources.SECRETS, {"data": {"a": "abcd!"}})
    good = {"data": {"a": "YWJj"}}
    assert types.decode(resources.SECRETS, good) == (good, [])


def test_quantities_may_be_numbers() -> None:
    container = {"name": "a", "resources": {"requests": {"cpu": 1, "memory": "1Gi"}}}
    data = {"spec": {"containers": [container]}}
    assert types.decode(resources.PODS, data) == (data, [])
