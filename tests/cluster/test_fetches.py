"""What the rules ask for, asked of a server that answers in all ways."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest

from tests.cluster import recorded
from tests.cluster.server import Exchange, Server
from tui.cluster.access import ClusterConfig
from tui.cluster.fetches import Fetches
from tui.cluster.route import Found, Route, RouteKind, Surroundings, Unreachable
from tui.cluster.transport import Transport
from tui.state.fetched import (
    Answer,
    ApiServiceFact,
    ApiServiceFetch,
    AutoscalerFact,
    AutoscalersFact,
    AutoscalersFetch,
    ClockFact,
    ClockFetch,
    ConfigMapFact,
    ConfigMapFetch,
    Fetch,
    IngressesFact,
    IngressesFetch,
    IngressFact,
    LogFact,
    LogFetch,
    NodePortFact,
    NodePortFetch,
    PathFact,
    PathFetch,
    ReplicasOwner,
    ReplicasOwnersFact,
    ReplicasOwnersFetch,
    Result,
)
from tui.state.rows import NodeRow, ServicePort, ServiceRow
from tui.state.store import Store

MAPS = "/api/v1/namespaces/default/configmaps"
MAP = ConfigMapFetch("default", "web")
LOG = LogFetch("default", "web-1", ("host not found",), container="nginx", previous=True)
LOG_PATH = "/api/v1/namespaces/default/pods/web-1/log"


class Clock:
    """Steady seconds that tests move."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Routes:
    """A way to a Service on this machine, or none."""

    def __init__(self, found: Found) -> None:
        self._found = found

    def find(self, *_: object, **__: object) -> Found:
        return self._found

    def known(self, *_: object) -> Found | None:
        return self._found

    def age(self, *_: object) -> float | None:
        return 0.0

    def failed(self, route: Route) -> None:
        pass

    def close(self) -> bool:
        return True


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


Make = Callable[..., Fetches]


@pytest.fixture
def make(server: Server) -> Iterator[Make]:
    transports: list[Transport] = []

    def made(store: Store | None = None, **options: Any) -> Fetches:
        transports.append(Transport(ClusterConfig(server=server.url)))
        return Fetches(transports[-1], store or Store(), **options)

    yield made
    for transport in transports:
        transport.close()


def says(document: Any, status: int = 200) -> Callable[[Exchange], None]:
    return lambda exchange: exchange.reply(status, document)


def fact(answer: Answer) -> object:
    assert answer.result is Result.FOUND, answer
    return answer.fact


# Each kind of fetch.


def test_an_apiservice(server: Server, make: Make) -> None:
    condition = {
        "type": "Available",
        "status": "False",
        "reason": "MissingEndpoints",
        "message": "endpoints for service/metrics-server have no addresses",
        "lastTransitionTime": "2026-11-21T00:00:00Z",
    }
    server.on(
        "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io",
        says(
            {
                "spec": {"service": {"namespace": "kube-system", "name": "metrics-server"}},
                "status": {"conditions": [condition]},
            }
        ),
    )
    found = fact(make().perform(ApiServiceFetch("v1beta1.metrics.k8s.io")))
    assert isinstance(found, ApiServiceFact)
    assert (found.available, found.reason) == ("False", "MissingEndpoints")
    assert found.service == "kube-system/metrics-server"
    assert found.since == 1795219200.0


def test_a_config_map_and_when_its_text_was_written(server: Server, make: Make) -> None:
    fields = [
        {"manager": "a", "time": "2026-11-21T00:00:10Z", "fieldsV1": {"f:data": {"f:x": {}}}},
        {"manager": "b", "time": "2026-11-21T00:09:00Z", "fieldsV1": {"f:metadata": {}}},
    ]
    meta = {"creationTimestamp": "2026-11-21T00:00:00Z", "managedFields": fields}
    server.on(f"{MAPS}/web", says({"metadata": meta, "data": {"x": "1", "a": "2" * 100_000}}))
    found = fact(make().perform(MAP))
    assert isinstance(found, ConfigMapFact)
    assert [(key, len(text)) for key, text in found.data] == [("a", 65536), ("x", 1)]
    assert found.changed == 1795219210.0


def test_vertical_autoscalers(server: Server, make: Make) -> None:
    spec = {
        "targetRef": {"kind": "Deployment", "name": "web"},
        "updatePolicy": {"updateMode": "Initial"},
        "resourcePolicy": {"containerPolicies": [{"controlledResources": ["memory"]}]},
    }
    plain = {"targetRef": {"kind": "Deployment", "name": "b"}}
    server.on(
        "/apis/autoscaling.k8s.io/v1/namespaces/default/verticalpodautoscalers",
        says(
            {
                "items": [
                    {"metadata": {"name": n}, "spec": s} for n, s in (("a", spec), ("b", plain))
                ]
            }
        ),
    )
    assert fact(make().perform(AutoscalersFetch("default"))) == AutoscalersFact(
        (
            AutoscalerFact("a", "Deployment", "web", "Initial", ("memory",)),
            AutoscalerFact("b", "Deployment", "b", "Auto", ("cpu", "memory")),
        )
    )


@pytest.mark.parametrize(
    ("moment", "owner"),
    [("idle", "kubectl-client-side-apply"), ("peak", "kube-controller-manager")],
)
def test_who_owns_replicas_in_the_recordings(
    server: Server, make: Make, moment: str, owner: str
) -> None:
    items = recorded.document(f"{moment}/deployments.json")["items"]
    deployment = next(i for i in items if i["metadata"]["name"] == "fastapi-deploy")
    where = "/apis/apps/v1/namespaces/default/deployments/fastapi-deploy"
    server.on(where, says(deployment))
    found = fact(make().perform(ReplicasOwnersFetch("Deployment", "default", "fastapi-deploy")))
    assert isinstance(found, ReplicasOwnersFact)
    assert [o.manager for o in found.owners] == [owner]
    assert found.applied


def test_what_argo_cd_leaves_on_an_object(server: Server, make: Make) -> None:
    field: dict[str, Any] = {
        "manager": "argocd-controller",
        "operation": "Apply",
        "time": "2026-11-21T00:00:00Z",
    }
    field |= {"fieldsV1": {"f:spec": {"f:replicas": {}}}}
    meta = {
        "managedFields": [field],
        "labels": {"argocd.argoproj.io/instance": "web", "app": "x"},
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{not json"},
    }
    server.on("/apis/apps/v1/namespaces/default/deployments/web", says({"metadata": meta}))
    assert fact(make().perform(ReplicasOwnersFetch("Deployment", "default", "web"))) == (
        ReplicasOwnersFact(
            (ReplicasOwner("argocd-controller", "Apply", 1795219200.0),),
            False,
            (("argocd.argoproj.io/instance", "web"),),
        )
    )


def test_rewriting_ingresses(server: Server, make: Make) -> None:
    rewriting = {
        "metadata": {
            "name": "a",
            "annotations": {"nginx.ingress.kubernetes.io/rewrite-target": "/$1"},
        },
        "spec": {"rules": [{"http": {"paths": [{"path": "/foo(/|$)(.*)"}]}}, {}]},
    }
    items = [rewriting, {"metadata": {"name": "b"}}]
    server.on("/apis/networking.k8s.io/v1/namespaces/default/ingresses", says({"items": items}))
    assert fact(make().perform(IngressesFetch("default"))) == IngressesFact(
        (IngressFact("a", "/$1", ("/foo(/|$)(.*)",)),)
    )


def test_of_a_log_only_the_lines_asked_for_are_kept(server: Server, make: Make) -> None:
    text = 'password=hunter2\n[emerg] host not found in upstream "a"\x1b[31m\n'
    server.on(LOG_PATH, lambda e: e.reply(200, text, "text/plain"))
    found = fact(make().perform(LOG))
    assert found == LogFact("web-1", ('[emerg] host not found in upstream "a"',))
    (asked,) = server.asked(LOG_PATH)
    assert asked.query["container"] == "nginx"
    assert int(asked.query["limitBytes"]) <= 65536


def test_what_the_present_run_did_not_say_the_one_before_may_have(
    server: Server, make: Make
) -> None:
    server.on(
        LOG_PATH,
        lambda e: e.reply(200, "starting\n", "text/plain"),
        lambda e: e.reply(200, "host not found\n", "text/plain"),
    )
    assert fact(make().perform(LOG)) == LogFact("web-1", ("host not found",))
    assert [e.query.get("previous") for e in server.asked(LOG_PATH)] == [None, "true"]


def test_a_log_without_a_run_before(server: Server, make: Make) -> None:
    refused = {"kind": "Status", "code": 400, "reason": "BadRequest", "message": "not found"}
    server.on(LOG_PATH, lambda e: e.reply(200, "x\n", "text/plain"), says(refused, 400))
    assert fact(make().perform(LOG)) == LogFact("web-1")


def test_the_log_of_the_newest_pod_with_some_labels(server: Server, make: Make) -> None:
    def meta(name: str, created: str, **more: str) -> dict[str, Any]:
        return {"metadata": {"name": name, "creationTimestamp": created, **more}}

    pods = [
        meta("old", "2026-11-21T00:00:00Z"),
        meta("new", "2026-11-21T01:00:00Z"),
        meta("gone", "2026-11-21T02:00:00Z", deletionTimestamp="2026-11-21T02:00:01Z"),
    ]
    where = "/api/v1/namespaces/kube-system/pods"
    server.on(where, says({"items": pods}))
    server.on(f"{where}/new/log", lambda e: e.reply(200, "x509: no\n", "text/plain"))
    fetch = LogFetch("kube-system", "", ("x509",), labels="k8s-app=metrics-server")
    assert fact(make().perform(fetch)) == LogFact("new", ("x509: no",))
    assert server.asked(where)[0].query["labelSelector"] == "k8s-app=metrics-server"


def test_a_path_of_a_service(server: Server, make: Make) -> None:
    server.on("/health", lambda e: e.reply(404, "no", "text/plain"))
    route = Route("web", "default", 80, RouteKind.NODE_PORT, f"{server.url}/", label="here")
    fetches = make(routes=Routes(route))
    assert fact(fetches.perform(PathFetch("default", "web", 80, "/health"))) == PathFact(
        404, "here"
    )


@pytest.mark.parametrize(
    "found",
    [
        Unreachable("default/web", "No way leads there.", "Wait."),
        Route("web", "default", 80, RouteKind.NODE_PORT, "http://127.0.0.1:9/"),
    ],
    ids=["no way", "nobody answers"],
)
def test_a_path_that_cannot_be_asked_is_not_known(make: Make, found: Found) -> None:
    answer = make(routes=Routes(found)).perform(PathFetch("default", "web", 80, "/health"))
    assert answer.result is Result.FAILED


def test_without_routes_no_app_is_asked(make: Make) -> None:
    assert make().perform(PathFetch("default", "web", 80, "/")).result is Result.FAILED


def _around(node_port: int, address: str) -> Surroundings:
    port = (ServicePort(port=80, node_port=node_port),)
    row = ServiceRow(uid="u", name="web", namespace="default", type="NodePort", ports=port)
    node = NodeRow(uid="n", name="n", ready="True", addresses=(("InternalIP", address),))
    return Surroundings(services=(row,), nodes=(node,))


def test_a_node_port_on_an_address_that_refuses(make: Make) -> None:
    # 192.0.2.0/24 is for documentation: nobody is there (RFC 5737).
    fetches = make(around=lambda: _around(30082, "192.0.2.2"))
    found = fact(fetches.perform(NodePortFetch("default", "web", 80)))
    assert isinstance(found, NodePortFact)
    assert not found.reached
    assert found.tried[0].startswith("192.0.2.2:30082: ")


def test_a_node_port_without_a_known_address(make: Make) -> None:
    fetches = make(around=lambda: Surroundings(services=_around(30082, "x").services))
    assert fetches.perform(NodePortFetch("default", "web", 80)).result in (
        Result.ABSENT,
        Result.FOUND,
    )
    assert make().perform(NodePortFetch("default", "web", 80)).result is Result.ABSENT


@pytest.mark.parametrize(("ahead", "said"), [(0, 0), (90, 90), (-4000, -4000)])
def test_the_clock_of_the_server(server: Server, make: Make, ahead: int, said: int) -> None:
    server.date = time.time() + ahead
    server.on(f"{MAPS}/web", says({"data": {}}))
    fetches = make()
    fetches.perform(MAP)
    found = fact(fetches.perform(ClockFetch()))
    assert isinstance(found, ClockFact)
    assert abs(found.ahead - said) <= 1


# What goes wrong is an answer.


@pytest.mark.parametrize(
    ("status", "result"),
    [(404, Result.ABSENT), (403, Result.FORBIDDEN), (500, Result.FAILED), (429, Result.FAILED)],
)
def test_refusals_are_answers(server: Server, make: Make, status: int, result: Result) -> None:
    message = {"kind": "Status", "code": status, "reason": "X", "message": "no"}
    server.on(f"{MAPS}/web", says(message, status))
    answer = make().perform(MAP)
    assert (answer.result, answer.fact) == (result, None)


@pytest.mark.parametrize("body", ["[1]", '{"data": 5}', '{"metadata": []}', "{", "\ufffd"])
def test_an_answer_that_cannot_be_read(server: Server, make: Make, body: str) -> None:
    server.on(f"{MAPS}/web", lambda e: e.reply(200, body))
    assert make().perform(MAP).result is Result.FAILED


def test_a_connection_that_is_cut(server: Server, make: Make) -> None:
    server.on(f"{MAPS}/web", lambda e: e.cut())
    assert make().perform(MAP).result is Result.FAILED


def test_a_name_cannot_leave_its_place(server: Server, make: Make) -> None:
    make().perform(ConfigMapFetch("default", "../secrets/token"))
    assert [r.path for r in server.requests] == [f"{MAPS}/..%2Fsecrets%2Ftoken"]


# The schedule.


def test_only_what_is_wanted_is_asked_and_again_only_later(server: Server, make: Make) -> None:
    clock, store = Clock(), Store()
    server.on(f"{MAPS}/web", says({"data": {"a": "1"}}))
    fetches = make(store, steady=clock)
    assert not fetches.step()
    store.wanted = (MAP, ClockFetch())
    assert fetches.step()
    assert fetches.step()
    assert not fetches.step()
    assert set(store.drain().fetched) == {MAP, ClockFetch()}
    clock.now += 31
    assert [fetches.step(), fetches.step(), fetches.step()] == [True, True, False]
    assert len(server.asked(f"{MAPS}/web")) == 2


def test_what_is_no_longer_wanted_is_forgotten(server: Server, make: Make) -> None:
    store = Store()
    server.on(f"{MAPS}/web", says({"data": {}}))
    fetches = make(store)
    store.wanted = (MAP,)
    fetches.step()
    store.wanted = ()
    assert not fetches.step()
    assert not store.drain().fetched


def test_the_same_answer_is_no_news(server: Server, make: Make) -> None:
    clock, store = Clock(), Store()
    server.on(f"{MAPS}/web", says({"data": {"a": "1"}}))
    fetches = make(store, steady=clock)
    store.wanted = (MAP,)
    fetches.step()
    before = store.drain().fetched
    clock.now += 31
    fetches.step()
    assert store.drain().fetched is before


def test_it_stops_while_it_waits_for_an_answer(server: Server, make: Make) -> None:
    store = Store()
    server.on(f"{MAPS}/web", lambda e: e.stall())
    fetches = make(store)
    store.wanted = (MAP,)
    fetches.start()
    deadline = time.monotonic() + 10
    while not server.asked(f"{MAPS}/web") and time.monotonic() < deadline:
        time.sleep(0.005)
    began = time.monotonic()
    fetches.stop()
    assert fetches.join(5)
    assert time.monotonic() - began < 2
    assert not store.drain().fetched


def test_no_fetch_reads_a_secret() -> None:
    kinds: tuple[type, ...] = get_args(Fetch)
    assert len(kinds) == 9
    assert not [kind for kind in kinds if "secret" in kind.__name__.lower()]
