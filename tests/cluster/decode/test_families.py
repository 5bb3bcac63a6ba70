"""Nodes, workloads, services, endpoint slices, events and metrics."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.cluster import recorded
from tui.cluster.decode import events, metrics, nodes, services, workloads
from tui.cluster.decode.codec import BadReplyError
from tui.cluster.resources import RESOURCES
from tui.state.rows import (
    EndpointSliceRow,
    EventRow,
    Kind,
    NodeRow,
    Requirement,
    ServicePort,
    ServiceRow,
    WorkloadRow,
)

META = {"uid": "u", "name": "x", "namespace": "n"}


def rows(kind: Kind, file: str) -> list[Any]:
    page = RESOURCES[kind].codec.page(recorded.raw(file))
    assert page.skipped == 0
    return page.rows


@pytest.mark.parametrize("moment", ["idle", "peak", "after-scale-down"])
def test_deployments_read_as_kubectl_printed_them(moment: str) -> None:
    ours = {
        r.name: (f"{r.ready}/{r.replicas}", r.updated, r.available)
        for r in rows(Kind.DEPLOYMENTS, f"{moment}/deployments.json")
    }
    theirs = {
        name: (c["Ready"], c["Up-to-date"], c["Available"])
        for name, c in recorded.table(f"{moment}/deployments-table.json").items()
    }
    assert ours == theirs


@pytest.mark.parametrize("moment", ["idle", "peak", "after-scale-down"])
def test_nodes_read_as_kubectl_printed_them(moment: str) -> None:
    ours = {
        r.name: (r.ready, ",".join(r.roles) or "<none>", r.version)
        for r in rows(Kind.NODES, f"{moment}/nodes.json")
    }
    theirs = {
        name: ("True" if c["Status"] == "Ready" else "False", c["Roles"], c["Version"])
        for name, c in recorded.table(f"{moment}/nodes-table.json").items()
    }
    assert ours == theirs


def test_a_node_tells_its_problems_roles_and_room() -> None:
    row = nodes.project(
        msgspec.convert(
            {
                "metadata": {
                    **META,
                    "labels": {
                        "node-role.kubernetes.io/worker": "",
                        "node-role.kubernetes.io/control-plane": None,
                        "kubernetes.io/role": "edge",
                    },
                },
                "spec": {"unschedulable": True, "providerID": "kind://docker/x"},
                "status": {
                    "capacity": {"cpu": "2", "memory": "4Gi"},
                    "allocatable": {"cpu": "1930m", "memory": "3Gi", "pods": "110"},
                    "nodeInfo": {"kubeletVersion": "v1.36.2"},
                    "conditions": [
                        {"type": "MemoryPressure", "status": "True"},
                        {"type": "DiskPressure", "status": "False"},
                        {"type": "EtcdIsVoter", "status": "True"},
                        {"type": "KernelReady", "status": "False"},
                        {"type": "Ready", "status": "False"},
                        {"type": None},
                    ],
                },
            },
            nodes.Node,
        )
    )
    assert isinstance(row, NodeRow)
    assert row.problems == ("MemoryPressure", "KernelReady=False")
    assert row.roles == ("control-plane", "edge", "worker")
    assert (row.ready, row.unschedulable, row.provider) == ("False", True, "kind://docker/x")
    assert (row.cpu_capacity, row.cpu_allocatable, row.pods_allocatable) == (2000, 1930, 110)
    assert (row.memory_capacity, row.memory_allocatable) == (4 * 1024**3, 3 * 1024**3)


def test_a_replicaset_knows_its_deployment_and_selector() -> None:
    found = rows(Kind.REPLICASETS, "peak/replicasets.json")
    (row,) = [r for r in found if r.name.startswith("fastapi")]
    assert isinstance(row, WorkloadRow)
    assert row.kind == "ReplicaSet"
    assert row.owner is not None
    assert (row.owner.kind, row.owner.name) == ("Deployment", "fastapi-deploy")
    assert row.revision == "1"
    assert Requirement("app", "In", ("fastapi",)) in row.selector
    assert (row.replicas, row.current, row.ready) == (10, 10, 10)


def test_a_selector_of_expressions() -> None:
    wire = {
        "metadata": META,
        "spec": {
            "selector": {
                "matchLabels": {"z": "1"},
                "matchExpressions": [
                    {"key": "a", "operator": "In", "values": ["x", None]},
                    {"key": "b", "operator": "Exists", "values": None},
                ],
            }
        },
    }
    row = workloads.statefulset(msgspec.convert(wire, workloads.Workload))
    assert row.selector == (
        Requirement("a", "In", ("x", "")),
        Requirement("b", "Exists"),
        Requirement("z", "In", ("1",)),
    )
    assert row.replicas == 1  # the default of an absent spec.replicas


@pytest.mark.parametrize(("status", "failing"), [("True", True), ("False", False)])
def test_pods_that_cannot_be_created_are_told_by_a_condition(status: str, failing: bool) -> None:
    conditions = [
        {"type": "Available", "status": "True"},
        {
            "type": "ReplicaFailure",
            "status": status,
            "reason": "FailedCreate",
            "message": "m" * 9999,
        },
    ]
    wire = {"metadata": META, "status": {"conditions": conditions}}
    failure = workloads.replicaset(msgspec.convert(wire, workloads.Workload)).failure
    assert (failure is not None) is failing
    if failure is not None:
        assert (failure.reason, len(failure.message)) == ("FailedCreate", 1024)


def test_zero_replicas_are_zero() -> None:
    wire = {"metadata": META, "spec": {"replicas": 0}, "status": None}
    assert workloads.deployment(msgspec.convert(wire, workloads.Workload)).replicas == 0


def test_services_and_their_pods() -> None:
    by_name = {r.name: r for r in rows(Kind.SERVICES, "peak/services.json")}
    row = by_name["caddy-svc"]
    assert isinstance(row, ServiceRow)
    assert (row.type, row.selector) == ("NodePort", (("app", "caddy-proxy"),))
    assert row.ports == (ServicePort(80, node_port=30082, target="80"),)
    assert (row.ingress, row.external_name, row.local_only) == ((), "", False)
    slices = rows(Kind.ENDPOINTSLICES, "peak/endpointslices.json")
    (fastapi,) = [s for s in slices if s.service == "fastapi-svc"]
    assert isinstance(fastapi, EndpointSliceRow)
    assert len(fastapi.ready) == 10
    assert fastapi.not_ready == ()
    assert fastapi.nodes == ("lab-node",)
    assert [port for _, port, _ in fastapi.ports] == [80]


def test_readiness_of_endpoints() -> None:
    wire = {
        "metadata": {**META, "labels": {"kubernetes.io/service-name": "s"}},
        "endpoints": [
            {"targetRef": {"kind": "Pod", "name": "a"}},
            {"targetRef": {"kind": "Pod", "name": "b"}, "conditions": {"ready": None}},
            {"targetRef": {"kind": "Pod", "name": "c"}, "conditions": {"ready": False}},
            {"targetRef": {"kind": "Node", "name": "d"}},
            {"targetRef": None},
        ],
    }
    row = services.endpointslice(msgspec.convert(wire, services.EndpointSlice))
    assert (row.service, row.ready, row.not_ready) == ("s", ("a", "b"), ("c",))
    assert (row.others, row.nodes, row.ports) == (2, (), ())
    empty = services.endpointslice(
        msgspec.convert({"metadata": META, "endpoints": None}, services.EndpointSlice)
    )
    assert (empty.ready, empty.not_ready) == ((), ())


def test_where_a_service_can_be_entered() -> None:
    wire = {
        "metadata": META,
        "spec": {
            "type": "LoadBalancer",
            "externalName": "db.example.org",
            "externalTrafficPolicy": "Local",
            "ports": [
                {"name": "web", "port": 80, "targetPort": "http", "nodePort": 30080},
                {"port": 443, "targetPort": 8443, "protocol": None, "appProtocol": "https"},
                {"port": 53, "protocol": "UDP"},
            ],
        },
        "status": {
            "loadBalancer": {
                "ingress": [{"ip": "192.0.2.7"}, {"hostname": "lb.example.org"}, {}, {"ip": ""}]
            }
        },
    }
    row = services.service(msgspec.convert(wire, services.Service))
    assert row.ports == (
        ServicePort(80, "web", 30080, target="http"),
        ServicePort(443, target="8443", app_protocol="https"),
        ServicePort(53, protocol="UDP", target="53"),
    )
    assert row.ingress == ("192.0.2.7", "lb.example.org")
    assert (row.external_name, row.local_only) == ("db.example.org", True)


def test_ports_and_nodes_of_endpoints() -> None:
    wire = {
        "metadata": META,
        "ports": [{"name": "web", "port": 8080}, {"port": 53, "protocol": "UDP"}],
        "endpoints": [
            {"targetRef": {"kind": "Pod", "name": "a"}, "nodeName": "n2"},
            {"targetRef": {"kind": "Pod", "name": "b"}, "nodeName": "n1"},
            {
                "targetRef": {"kind": "Pod", "name": "c"},
                "nodeName": "n3",
                "conditions": {"ready": False},
            },
        ],
    }
    row = services.endpointslice(msgspec.convert(wire, services.EndpointSlice))
    assert row.ports == (("web", 8080, "TCP"), ("", 53, "UDP"))
    assert row.nodes == ("n1", "n2")


def test_where_a_node_is() -> None:
    (row,) = rows(Kind.NODES, "peak/nodes.json")
    assert ("InternalIP", "192.0.2.2") in row.addresses
    assert ("kubernetes.io/hostname", "lab-node") in row.labels


def event(**fields: Any) -> EventRow:
    return events.project(msgspec.convert({"metadata": META, **fields}, events.Event))


def test_events_of_the_old_shape() -> None:
    row = event(
        involvedObject={"kind": "Pod", "name": "p", "uid": "1"},
        count=7,
        type="Warning",
        reason="BackOff",
        message="m",
        firstTimestamp="2026-11-21T00:00:00Z",
        lastTimestamp="2026-11-21T00:00:30Z",
        source={"component": "kubelet", "host": "n"},
    )
    assert (row.count, row.last_seen, row.source) == (7, 1795219230.0, "kubelet")
    assert (row.about_kind, row.about_name, row.about_uid) == ("Pod", "p", "1")


def test_an_event_that_stands_for_many_tells_the_newest() -> None:
    row = event(
        reason="SuccessfulRescale",
        message="(combined from similar events): New size: 15; reason: All metrics below target",
        count=17,
    )
    assert row.message == "New size: 15; reason: All metrics below target"
    assert row.count == 17


def test_events_of_the_new_shape() -> None:
    row = event(
        eventTime="2026-11-21T00:00:00.500000Z",
        lastTimestamp=None,
        firstTimestamp=None,
        source={},
        reportingComponent="default-scheduler",
        series={"count": 3, "lastObservedTime": "2026-11-21T00:01:00.000000Z"},
    )
    assert (row.count, row.last_seen, row.source) == (3, 1795219260.0, "default-scheduler")
    assert row.type == "Normal"


def test_every_recorded_event_has_a_time_and_an_object() -> None:
    found = rows(Kind.EVENTS, "after-scale-down/events.json")
    assert len(found) > 40
    assert all(r.last_seen > 1.79e9 and r.about_name and r.source for r in found)


def test_samples_of_pods_and_nodes() -> None:
    samples = metrics.pod_list(recorded.raw("peak/metrics-pods.json"))
    (caddy,) = [s for s in samples if s.name.startswith("caddy")]
    assert caddy.containers == (("caddy", 361, 26008 * 1024),)  # 360533303n, rounded up
    assert (caddy.time, caddy.window) == (1795222083.0, 14.995)
    (node,) = metrics.node_list(recorded.raw("peak/metrics-nodes.json"))
    assert (node.name, node.cpu, node.memory) == ("lab-node", 1971, 2039276 * 1024)


def test_odd_samples_are_left_out() -> None:
    body = b"""{"kind":"PodMetricsList","items":[
        {"metadata":{"name":"a"},"timestamp":"2026-11-21T00:00:00Z","window":"1m0s","containers":null},
        {"metadata":{"name":"b"},"timestamp":null},
        {"metadata":null}, {"metadata":{"name":7}}, 5]}"""
    (sample,) = metrics.pod_list(body)
    assert (sample.name, sample.window, sample.containers) == ("a", 60.0, ())
    assert metrics.pod_list(b'{"kind":"PodMetricsList","items":null}') == []
    for bad in (b"", b"[]", b'{"kind":"Status"}' * 2, b"<html>"):
        with pytest.raises(BadReplyError):
            metrics.pod_list(bad)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15s", 15), ("1m0s", 60), ("1h2m3.5s", 3723.5), ("500ms", 0.5), ("x", 15), (None, 15)],
)
def test_windows(text: str | None, seconds: float) -> None:
    assert metrics.seconds(text) == seconds


def test_slices_share_the_names_of_nodes_and_remember_no_set_of_them() -> None:
    def told(text: str) -> tuple[str, ...]:
        # As the decoder makes them: equal, and yet not the same.
        wire = {"metadata": META, "endpoints": [{"nodeName": name} for name in text.split()]}
        return services.endpointslice(msgspec.convert(wire, services.EndpointSlice)).nodes

    first, second = told("b a"), told("c b a")
    assert (first, second) == (("a", "b"), ("a", "b", "c"))
    assert all(one is other for one, other in zip(first, second, strict=False))
    again = told("a b")
    assert again == first
    assert again is not first
