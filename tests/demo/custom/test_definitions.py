"""CustomResourceDefinitions as MetalLB, the VPA and Argo CD bring them, and their objects."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from tests.demo.conftest import Build
from tests.demo.http import Http
from tui.demo import resources
from tui.demo.api import watching
from tui.demo.cluster import Cluster
from tui.demo.custom import printing, structural

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
POOLS = "/apis/metallb.io/v1beta1/namespaces/default/ipaddresspools"
MERGE = {"Content-Type": "application/merge-patch+json"}
APPLY = {"Content-Type": "application/apply-patch+yaml"}


def _definition(group: str, kind: str, spec: dict[str, Any], **version: Any) -> dict[str, Any]:
    plural = f"{kind.lower()}s"
    schema = {
        "type": "object",
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
    }
    served = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "shortNames": [kind[:3].lower()]},
            "versions": [served | version],
        },
    }


POOL = {
    "type": "object",
    "required": ["addresses"],
    "properties": {
        "addresses": {"type": "array", "minItems": 1, "items": {"type": "string"}},
        "autoAssign": {"type": "boolean", "default": True},
        "mode": {"type": "string", "enum": ["layer2", "bgp"]},
        "weight": {"type": "integer", "minimum": 1, "maximum": 10},
        "port": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}]},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "limits": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 4}},
    },
}
COLUMNS = [
    {"name": "Auto", "type": "boolean", "jsonPath": ".spec.autoAssign"},
    {
        "name": "Ready",
        "type": "string",
        "jsonPath": '.status.conditions[?(@.type=="Ready")].status',
    },
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]


async def _install(http: Http, definition: dict[str, Any]) -> None:
    made = await http("POST", DEFINITIONS, definition)
    assert made.status == 201, made.text
    http.cluster.clock.advance(1)


def _metallb() -> dict[str, Any]:
    return _definition(
        "metallb.io",
        "IPAddressPool",
        POOL,
        name="v1beta1",
        subresources={"status": {}},
        additionalPrinterColumns=COLUMNS,
    )


def _pool(name: str = "first", **spec: Any) -> dict[str, Any]:
    spec = {"addresses": ["192.0.2.1-192.0.2.9"]} | spec
    return {
        "apiVersion": "metallb.io/v1beta1",
        "kind": "IPAddressPool",
        "metadata": {"name": name},
        "spec": spec,
    }


async def test_a_definition_serves_its_objects(build: Build) -> None:
    async with Http(build()) as http:
        assert (await http("GET", POOLS)).status == 404
        await _install(http, _metallb())
        group = await http("GET", "/apis/metallb.io")
        assert group.json["preferredVersion"]["version"] == "v1beta1"
        made = await http("POST", POOLS, _pool())
        assert made.status == 201
        assert made.json["spec"]["autoAssign"] is True
        assert made.json["metadata"]["generation"] == 1
        listed = await http("GET", POOLS)
        assert listed.json["kind"] == "IPAddressPoolList"
        assert [one["metadata"]["name"] for one in listed.json["items"]] == ["first"]
        changed = await http("PATCH", f"{POOLS}/first", {"spec": {"weight": 3}}, MERGE)
        assert (changed.json["metadata"]["generation"], changed.json["spec"]["weight"]) == (2, 3)
        kind = {"Content-Type": "application/strategic-merge-patch+json"}
        assert (await http("PATCH", f"{POOLS}/first", {}, kind)).status == 415


async def test_the_status_is_a_thing_of_its_own(build: Build) -> None:
    async with Http(build()) as http:
        await _install(http, _metallb())
        await http("POST", POOLS, _pool() | {"status": {"used": 1}})
        assert "status" not in (await http("GET", f"{POOLS}/first")).json
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        patch = {"status": ready, "spec": {"weight": 9}}
        done = await http("PATCH", f"{POOLS}/first/status", patch, MERGE)
        assert done.json["status"] == ready
        assert "weight" not in done.json["spec"]
        accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
        table = (await http("GET", POOLS, headers=accept)).json
        assert [one["name"] for one in table["columnDefinitions"]] == [
            "Name",
            "Auto",
            "Ready",
            "Age",
        ]
        assert table["rows"][0]["cells"][:3] == ["first", True, "True"]


async def test_applying_and_watching(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LONGEST", 0.3)
    async with Http(build()) as http:
        await _install(http, _metallb())
        path = f"{POOLS}/first?fieldManager=me"
        assert (await http("PATCH", path, _pool(), APPLY)).status == 201
        version = (await http("GET", POOLS)).json["metadata"]["resourceVersion"]
        async with http.stream(f"{POOLS}?watch=true&resourceVersion={version}") as stream:
            assert (await http("PATCH", path, _pool(weight=2), APPLY)).status == 200
            other = await http("PATCH", f"{POOLS}/first?fieldManager=you", _pool(weight=3), APPLY)
            assert other.status == 409
            assert ".spec.weight" in other.json["message"]
            await http("DELETE", f"{POOLS}/first")
            async with asyncio.timeout(5):
                lines = [msgspec.json.decode(line) async for line in stream.content]
    assert [line["type"] for line in lines] == ["MODIFIED", "DELETED"]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"addresses": []}, "spec.addresses in body should have at least 1 items"),
        ({"autoAssign": "yes"}, 'spec.autoAssign in body must be of type boolean: "string"'),
        ({"mode": "arp"}, 'Unsupported value: "arp": supported values: "layer2", "bgp"'),
        ({"weight": 11}, "spec.weight in body should be less than or equal to 10"),
        ({"limits": {"a": "12345"}}, "Too long: may not be more than 4 bytes"),
        ({"port": True}, "must be of type integer,string"),
    ],
)
async def test_what_breaks_the_schema_is_refused(
    build: Build, spec: dict[str, Any], said: str
) -> None:
    async with Http(build()) as http:
        await _install(http, _metallb())
        answer = await http("POST", POOLS, _pool(**spec))
        assert answer.status == 422
        assert said in answer.json["message"]


async def test_unknown_fields_are_pruned_warned_of_or_refused(build: Build) -> None:
    async with Http(build()) as http:
        await _install(http, _metallb())
        body = _pool(adresses=["x"], free={"any": {"thing": 1}})
        warned = await http("POST", POOLS, body)
        assert 'unknown field \\"spec.adresses\\"' in warned.headers["Warning"]
        assert warned.json["spec"]["free"] == {"any": {"thing": 1}}
        assert "adresses" not in warned.json["spec"]
        strict = await http("POST", f"{POOLS}?fieldValidation=Strict", body)
        assert 'strict decoding error: unknown field "spec.adresses"' in strict.json["message"]
        quiet = await http("POST", f"{POOLS}?fieldValidation=Ignore", _pool("b", adresses=[]))
        assert "Warning" not in quiet.headers


async def test_a_definition_goes_with_its_objects(build: Build) -> None:
    cluster: Cluster = build()
    async with Http(cluster) as http:
        await _install(http, _metallb())
        held = _pool()
        held["metadata"]["finalizers"] = ["example.org/wait"]
        await http("POST", POOLS, held)
        await http("DELETE", f"{DEFINITIONS}/ipaddresspools.metallb.io")
        cluster.clock.advance(2)
        assert (await http("GET", f"{POOLS}/first")).json["metadata"]["deletionTimestamp"]
        patch = {"metadata": {"finalizers": None}}
        await http("PATCH", f"{POOLS}/first", patch, MERGE)
        cluster.clock.advance(2)
        assert cluster.store.count("ipaddresspools.metallb.io") == 0
        assert (await http("GET", POOLS)).status == 404


async def test_explained_and_discovered(build: Build) -> None:
    async with Http(build()) as http:
        await _install(http, _metallb())
        document = (await http("GET", "/openapi/v3/apis/metallb.io/v1beta1")).json
        schema = document["components"]["schemas"]["io.metallb.v1beta1.IPAddressPool"]
        assert schema["properties"]["spec"]["required"] == ["addresses"]
        accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        groups = (await http("GET", "/apis", headers={"Accept": accept})).json["items"]
        found = next(one for one in groups if one["metadata"]["name"] == "metallb.io")
        assert found["versions"][0]["resources"][0]["shortNames"] == ["ipa"]


async def test_owners_and_namespaces_take_custom_objects_with_them(build: Build) -> None:
    cluster: Cluster = build()
    async with Http(cluster) as http:
        await _install(http, _metallb())
        await http("POST", "/api/v1/namespaces", {"metadata": {"name": "lab"}})
        await http("POST", POOLS.replace("default", "lab"), _pool())
        maps = "/api/v1/namespaces/default/configmaps"
        owner = (await http("POST", maps, {"metadata": {"name": "o"}})).json["metadata"]["uid"]
        owned = _pool("owned")
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": owner}
        owned["metadata"]["ownerReferences"] = [reference]
        await http("POST", POOLS, owned)
        await http("DELETE", "/api/v1/namespaces/lab")
        await http("DELETE", f"{maps}/o")
        cluster.clock.advance(5)
        assert cluster.store.count("ipaddresspools.metallb.io") == 0
        assert cluster.store.get(resources.NAMESPACES.storage, "", "lab") is None


async def test_a_kind_of_a_known_name_has_rules_of_its_own(build: Build) -> None:
    async with Http(build()) as http:
        free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        await _install(http, _definition("serving.example.org", "Service", free))
        path = "/apis/serving.example.org/v1/namespaces/default/services"
        data = {
            "apiVersion": "serving.example.org/v1",
            "kind": "Service",
            "metadata": {"name": "a.b"},
            "spec": {"template": 1},
        }
        assert (await http("POST", path, data)).status == 201


def test_paths_of_columns() -> None:
    data = {
        "spec": {"a.b": 1, "list": [{"name": "x", "v": 1}, {"name": "y", "v": 2}]},
        "metadata": {"creationTimestamp": "2026-11-21T11:00:00Z"},
    }
    assert printing.lookup(data, ".spec.list[1].v") == [2]
    assert printing.lookup(data, '.spec.list[?(@.name=="y")].v') == [2]
    assert printing.lookup(data, ".spec.list[*].name") == ["x", "y"]
    assert printing.lookup(data, ".spec.a\\.b") == [1]
    assert printing.lookup(data, ".spec.nothing.at.all") == []
    assert printing.lookup(data, "spec[") == []
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert printing.cells([], data, now) == ["60m"]


def test_schemas_combine() -> None:
    schema = {"oneOf": [{"required": ["a"]}, {"required": ["b"]}], "type": "object"}
    assert not list(structural.check(schema, {"a": 1}, "spec"))
    assert list(structural.check(schema, {"a": 1, "b": 1}, "spec"))
    keyed = {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
    }
    twice = [{"name": "a"}, {"name": "a"}]
    assert [one.reason for one in structural.check(keyed, twice, "l")] == ["FieldValueDuplicate"]
