"""The tables of fields: in step with the published models, and with each other."""

from __future__ import annotations

import pytest

from tests.demo import typetable
from tui.demo import resources
from tui.demo.api import protobuf, types
from tui.demo.api.errors import ApiError


def test_the_table_is_that_of_the_published_models() -> None:
    assert typetable.encoded() == typetable.TABLE.read_bytes()


def test_every_stored_kind_has_its_type() -> None:
    for resource in resources.SERVED:
        if resource.stored:
            assert types.root_of(resource), resource.kind
            assert "metadata" in types.table()[types.root_of(resource)]


def test_protobuf_fields_are_fields_of_the_types() -> None:
    known = types.table()
    for name, fields in protobuf.table().items():
        kind = name.rpartition(".")[2]
        candidates = [known.get(prefix + kind) for prefix in ("", "V1", "V2", "CoreV1")]
        candidates += [known.get(f"{kind}.{version}") for version in ("v1", "v2")]
        names = {field for one in candidates if one for field in one}
        if names:
            sent = {field for field, type_ in fields.values() if not type_.startswith("<")}
            assert sent <= names, name


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
    with pytest.raises(ApiError, match=r'unknown field "metadata.lables", unknown field "spec'):
        types.refuse_unknown(resources.DEPLOYMENTS, unknown)
    assert types.warnings(unknown).startswith('299 - "unknown field \\"metadata.lables\\""')


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
        ({"paused": "no"}, "string into Go struct field DeploymentSpec.spec.paused of type bool"),
        ({"selector": []}, "array into Go struct field"),
        ({"template": {"spec": {"containers": {}}}}, "object into Go struct field PodSpec"),
    ],
)
def test_wrong_types_are_refused(spec: dict[str, object], said: str) -> None:
    with pytest.raises(ApiError) as caught:
        types.decode(resources.DEPLOYMENTS, {"spec": spec})
    assert said in caught.value.message
    assert caught.value.code == 400


def test_quantities_may_be_numbers() -> None:
    container = {"name": "a", "resources": {"requests": {"cpu": 1, "memory": "1Gi"}}}
    data = {"spec": {"containers": [container]}}
    assert types.decode(resources.PODS, data) == (data, [])
