"""Custom and external metrics: what is asked of which API, and what every answer comes to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.server import Exchange, Server, eventually, status
from tui.cluster.access import ClusterConfig
from tui.cluster.custom_metrics import CustomMetrics
from tui.cluster.transport import Transport
from tui.state.readings import Needs, PodReading, Reading
from tui.state.rows import MetricRow, Requirement
from tui.state.store import Store

CUSTOM, EXTERNAL = "/apis/custom.metrics.k8s.io", "/apis/external.metrics.k8s.io"
APP = (Requirement("app", "In", ("web",)),)


def group(*versions: str) -> Any:
    return lambda e: e.reply(
        200, {"kind": "APIGroup", "versions": [{"version": v} for v in versions]}
    )


def values(*items: dict[str, Any]) -> Any:
    return lambda e: e.reply(200, {"kind": "MetricValueList", "items": list(items)})


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


def read(server: Server, *metrics: MetricRow) -> dict[int, Reading]:
    """What the worker brings of these metrics."""
    store = Store()
    transport = Transport(ClusterConfig(server.url))
    worker = CustomMetrics(transport, store)
    store.needs = Needs("h", "default", APP, dict(enumerate(metrics)))
    worker.start()
    try:
        return dict(eventually(lambda: store.drain().readings.get("h")))
    finally:
        worker.stop()
        assert worker.join(2)
        transport.close()


def pods_metric(**more: Any) -> MetricRow:
    return MetricRow(type="Pods", name="requests", target_type="AverageValue", target=5000, **more)


def test_a_metric_of_pods(server: Server) -> None:
    path = f"{CUSTOM}/v1beta2/namespaces/default/pods/*/requests"
    server.on(CUSTOM, group("v1beta1", "v1beta2"))
    item = {
        "describedObject": {"kind": "Pod", "name": "web-1"},
        "timestamp": "2026-11-21T00:00:00Z",
        "windowSeconds": 30,
        "value": "12500m",
    }
    server.on(path, values(item, {"describedObject": {"name": "web-2"}, "value": "3"}))
    selector = (Requirement("verb", "In", ("GET", "PUT")),)
    found = read(server, pods_metric(selector=selector))
    assert found[0].pods == (
        PodReading("web-1", 12_500, 1_795_219_200.0, 30.0),
        PodReading("web-2", 3000),
    )
    (asked,) = server.asked(path)
    assert asked.query == {"labelSelector": "app=web", "metricLabelSelector": "verb in (GET,PUT)"}


def test_the_older_version_is_read_too(server: Server) -> None:
    server.on(CUSTOM, group("v1beta1"))
    path = f"{CUSTOM}/v1beta1/namespaces/default/pods/*/requests"
    server.on(path, values({"describedObject": {"name": "w"}, "window": 20, "value": "1"}))
    assert read(server, pods_metric())[0].pods == (PodReading("w", 1000, 0.0, 20.0),)


@pytest.mark.parametrize(
    ("described", "version", "discovery", "resources", "path"),
    [
        (
            "Service/mq",
            "v1",
            "/api/v1",
            [{"name": "services", "kind": "Service"}],
            "namespaces/default/services/mq/depth",
        ),
        (
            "Ingress/main",
            "networking.k8s.io/v1",
            "/apis/networking.k8s.io/v1",
            [
                {"name": "ingresses/status", "kind": "Ingress"},
                {"name": "ingresses", "kind": "Ingress"},
            ],
            "namespaces/default/ingresses.networking.k8s.io/main/depth",
        ),
        (
            "Namespace/shop",
            "v1",
            "/api/v1",
            [{"name": "namespaces", "kind": "Namespace"}],
            "namespaces/default/metrics/depth",
        ),
    ],
)
def test_a_metric_of_an_object(
    server: Server,
    described: str,
    version: str,
    discovery: str,
    resources: list[dict[str, str]],
    path: str,
) -> None:
    server.on(CUSTOM, group("v1beta2"))
    server.on(discovery, lambda e: e.reply(200, {"resources": resources}))
    server.on(f"{CUSTOM}/v1beta2/{path}", values({"value": "42"}))
    row = MetricRow(
        type="Object", name="depth", object=described, object_version=version, target_type="Value"
    )
    assert read(server, row)[0] == Reading(levels=(42_000,))


def test_an_external_metric_is_a_value_a_series(server: Server) -> None:
    path = f"{EXTERNAL}/v1beta1/namespaces/default/queue%2Fdepth"
    server.on(EXTERNAL, group("v1beta1"))
    server.on(path, values({"value": "7"}, {"value": "500m"}))
    server.on(path.replace("%2F", "/"), values({"value": "7"}, {"value": "500m"}))
    row = MetricRow(type="External", name="queue/depth", target_type="Value", selector=APP)
    assert read(server, row)[0] == Reading(levels=(7000, 500))


def test_an_api_that_is_not_there_is_the_controllers_problem_too(server: Server) -> None:
    found = read(server, pods_metric())[0]
    assert found.problem == "no API custom.metrics.k8s.io is registered: install an adapter"
    assert found.unread == ""


def test_what_only_we_may_not_read_is_ours(server: Server) -> None:
    server.on(CUSTOM, group("v1beta2"))
    server.on(
        f"{CUSTOM}/v1beta2/namespaces/default/pods/*/requests", status(403, "Forbidden", "no")
    )
    found = read(server, pods_metric())[0]
    assert found.problem == ""
    assert (
        found.unread
        == "you may not read custom.metrics.k8s.io: the right `get requests` is missing"
    )


def test_an_answer_that_is_none_is_said(server: Server) -> None:
    server.on(CUSTOM, group("v1beta2"))

    def garbage(exchange: Exchange) -> None:
        exchange.reply(200, {"items": "many"})

    server.on(f"{CUSTOM}/v1beta2/namespaces/default/pods/*/requests", garbage)
    assert read(server, pods_metric())[0].unread == (
        "the answer of custom.metrics.k8s.io could not be read"
    )


def test_without_needs_nothing_is_asked(server: Server) -> None:
    waited: list[float] = []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return len(waited) > 5

    transport = Transport(ClusterConfig(server.url))
    worker = CustomMetrics(transport, Store(), wait=wait)
    worker.start()
    assert worker.join(5)
    transport.close()
    assert len(waited) == 6
    assert server.asked(CUSTOM) == []
