"""Which targets are offered first, and whose pods answer in the end."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.samples import NAMES, deployment, hpa, pod
from tui.analysis.focus import Focus, Target, resolve
from tui.doors.aims import Offer, aims, offer
from tui.doors.answering import answering
from tui.load.choice import Aim
from tui.state.fetched import Answer, ConfigMapFact, ConfigMapFetch, Result
from tui.state.links import Health
from tui.state.rows import (
    ConfigMount,
    ContainerRow,
    EndpointSliceRow,
    Kind,
    Requirement,
    ServicePort,
    ServiceRow,
    WorkloadRow,
)
from tui.state.store import Store

NGINX = "server { location / { proxy_pass http://fastapi-svc:80; } }"


def service(name: str, type: str = "ClusterIP", namespace: str = "default") -> ServiceRow:
    return ServiceRow(
        uid=f"{namespace}/{name}",
        name=name,
        namespace=namespace,
        type=type,
        ports=(ServicePort(80),),
        selector=(("app", name),),
    )


def endpoints(name: str, *pods: str, namespace: str = "default") -> EndpointSliceRow:
    return EndpointSliceRow(
        uid=f"slice-{namespace}/{name}", name=name, namespace=namespace, service=name, ready=pods
    )


class Classroom:
    """An app inside the cluster, nginx and another web server with a NodePort each."""

    def __init__(self) -> None:
        self.store = Store()
        proxy = ContainerRow("nginx", configs=(ConfigMount("nginx-config", "/etc/nginx/conf.d"),))
        self.store.put(Kind.HPAS, [hpa(2, 2, 3)])
        self.store.put(Kind.DEPLOYMENTS, [deployment(2, 2)])
        self.store.put(Kind.PODS, [pod(name, age=100) for name in NAMES[:2]])
        self.store.put(
            Kind.PODS,
            [
                pod("nginx-1", age=100, labels=(("app", "nginx"),), containers=(proxy,)),
                pod("web-1", age=100, labels=(("app", "web"),)),
            ],
        )
        self.store.link(Kind.PODS, Health.LIVE)
        self.services(
            service("fastapi-svc"), service("nginx-svc", "NodePort"), service("a-web", "NodePort")
        )
        self.store.put(
            Kind.ENDPOINTSLICES,
            [
                endpoints("fastapi-svc", *NAMES[:2]),
                endpoints("nginx-svc", "nginx-1"),
                endpoints("a-web", "web-1"),
            ],
        )

    def services(self, *rows: ServiceRow) -> None:
        self.store.put(Kind.SERVICES, rows)

    def tell(self, text: str) -> None:
        """What the ConfigMap of nginx says has been fetched."""
        fact = ConfigMapFact((("default.conf", text),), 0.0)
        self.store.put_fetched(
            ConfigMapFetch("default", "nginx-config"), Answer(Result.FOUND, fact)
        )

    @property
    def focus(self) -> Focus:
        return resolve(self.store.drain(), None, None)

    @property
    def offered(self) -> list[str]:
        delta = self.store.drain()
        return [aim.service for aim in aims(delta, resolve(delta, None, None))[0]]

    def leading(self, focus: Focus | None = None) -> list[str]:
        """Those that lead to what is in view."""
        found, leading = aims(self.store.drain(), focus or self.focus)
        return [aim.service for aim in found[:leading]]


def test_the_proxy_in_front_of_what_scales_comes_first() -> None:
    room = Classroom()
    room.tell(NGINX)
    assert room.offered == ["nginx-svc", "fastapi-svc", "a-web"]


def test_its_own_service_comes_first_if_it_has_an_address_outside() -> None:
    room = Classroom()
    room.tell(NGINX)
    room.services(service("fastapi-svc", "NodePort"))
    assert room.offered == ["fastapi-svc", "nginx-svc", "a-web"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "proxy_pass http://other-svc;",
        "proxy_pass http://my-fastapi-svc;",
        "proxy_pass http://fastapi-svc-old;",
        "proxy_pass http://x.fastapi-svc;",
    ],
)
def test_a_proxy_of_something_else_does_not(text: str) -> None:
    room = Classroom()
    room.tell(text)
    assert room.offered == ["fastapi-svc", "a-web", "nginx-svc"]


def test_until_its_configuration_is_known_its_own_service_it_is() -> None:
    assert Classroom().offered[0] == "fastapi-svc"


def test_what_cannot_speak_http_is_not_offered() -> None:
    room = Classroom()
    udp = (ServicePort(53, protocol="UDP"),)
    room.services(
        service("kubernetes"),
        msgspec.structs.replace(service("dns"), ports=udp),
        msgspec.structs.replace(service("no-pods"), selector=()),
    )
    assert room.offered == ["fastapi-svc", "a-web", "nginx-svc"]


def test_those_of_the_same_namespace_come_before_others() -> None:
    room = Classroom()
    room.services(service("aaa", "NodePort", namespace="aaa"))
    assert room.offered == ["fastapi-svc", "a-web", "nginx-svc", "aaa"]


def test_an_empty_cluster_offers_nothing() -> None:
    delta = Store().drain()
    assert aims(delta, resolve(delta, None, None)) == ((), 0)


def other(name: str) -> WorkloadRow:
    """A workload that has nothing to do with the rest."""
    labels = (Requirement("app", "In", (name,)),)
    return deployment(1, 1, uid=f"uid-{name}", name=name, selector=labels)


def test_its_service_and_a_proxy_that_names_it_lead_to_what_scales() -> None:
    room = Classroom()
    assert room.leading() == ["fastapi-svc"]
    room.tell(NGINX)
    assert room.leading() == ["nginx-svc", "fastapi-svc"]


def test_nothing_leads_to_what_has_no_service() -> None:
    room = Classroom()
    room.tell(NGINX)
    room.store.put(Kind.DEPLOYMENTS, [other("nosvc")])
    room.store.put(Kind.PODS, [pod("nosvc-1", age=100, labels=(("app", "nosvc"),))])
    delta = room.store.drain()
    focus = resolve(delta, None, Target("Deployment", "nosvc"))
    assert [pod.name for pod in focus.pods] == ["nosvc-1"]
    found = offer(delta, focus)
    assert (found.way, found.absence) == ((), "nothing leads to nosvc; B chooses a target")
    assert len(found.aims) == 3  # they may still be chosen


def test_a_service_leads_to_what_it_selects_where_endpoints_are_not_known() -> None:
    room = Classroom()
    room.store.put(Kind.DEPLOYMENTS, [other("web"), other("a-web")])
    delta = room.store.drain()
    # Scaled to zero: no pod, no endpoint.
    assert room.leading(resolve(delta, None, Target("Deployment", "a-web"))) == ["a-web"]
    assert room.leading(resolve(delta, None, Target("Deployment", "web"))) == ["a-web"]
    assert room.leading(Focus(workload=other("none"))) == []


def test_a_pod_of_the_same_name_in_another_namespace_is_another() -> None:
    room = Classroom()
    room.services(service("app", "NodePort", namespace="aaa"))
    room.store.put(Kind.ENDPOINTSLICES, [endpoints("app", *NAMES[:2], namespace="aaa")])
    assert room.leading() == ["fastapi-svc"]


def test_a_target_whose_pods_are_not_known_is_not_called_unreachable() -> None:
    room = Classroom()
    found = offer(room.store.drain(), Focus(target=Target("Rollout", "shop", "default")))
    assert found.way == ()
    assert found.absence == (
        "the pods of shop are not known, nor what leads there; B chooses a target"
    )


def names(found: Any) -> list[str]:
    return sorted(row.name for row in found)


def test_the_ready_pods_of_the_scaled_workload_answer_behind_any_proxy() -> None:
    room = Classroom()
    room.store.put(Kind.PODS, [pod(NAMES[2], age=1, status="ContainerCreating")])
    assert names(answering(room.store, "default", "nginx-svc", room.focus.workload)) == sorted(
        NAMES[:2]
    )


def test_without_a_workload_those_behind_the_service_do() -> None:
    room = Classroom()
    assert names(answering(room.store, "default", "nginx-svc", None)) == ["nginx-1"]
    assert names(answering(room.store, "default", "none", None)) == []
    assert names(answering(Store(), "default", "nginx-svc", None)) == []


# While the cluster is being read, and where it may not be.


def offered(store: Store) -> Offer:
    return offer(store.drain(), Focus())


def test_services_are_waited_for_until_they_are_listed() -> None:
    store = Store()
    assert offered(store).waiting
    store.link(Kind.SERVICES, Health.CONNECTING)
    store.link(Kind.ENDPOINTSLICES, Health.CONNECTING)
    assert offered(store).waiting
    store.put(Kind.SERVICES, [service("web")])
    store.link(Kind.SERVICES, Health.LIVE)
    assert offered(store).waiting  # which is the first is not known yet
    store.link(Kind.ENDPOINTSLICES, Health.LIVE)
    found = offered(store)
    assert (found.waiting, [aim.service for aim in found.aims]) == (False, ["web"])
    assert (found.way, found.absence) == ((), "nothing that scales is in view; B chooses a target")


def test_a_cluster_without_services_is_no_waiting() -> None:
    store = Store()
    store.link(Kind.SERVICES, Health.LIVE)
    found = offered(store)
    assert not found.waiting
    assert found.absence == "there is no Service to load here; give a URL with B"


def test_a_list_that_is_not_permitted_is_named() -> None:
    store = Store()
    store.link(Kind.SERVICES, Health.FORBIDDEN, "You may not list services in namespace demo.")
    found = offered(store)
    assert not found.waiting
    assert found.absence == "You may not list services in namespace demo; give a URL with B"


def test_a_list_that_is_lost_before_it_came_is_waited_for() -> None:
    store = Store()
    store.link(Kind.SERVICES, Health.RETRYING, "The API server does not answer.")
    found = offered(store)
    assert found.waiting
    assert found.absence.startswith("The API server does not answer; ")


def test_services_of_several_namespaces_carry_theirs() -> None:
    room = Classroom()
    room.services(service("nginx-svc", "NodePort", namespace="other"))
    delta = room.store.drain()
    labels = [aim.label for aim in aims(delta, Focus())[0]]
    assert "default/nginx-svc" in labels
    assert "other/nginx-svc" in labels
    assert aims(delta, Focus())[0][0] == Aim(*labels[0].split("/"))  # the same target all the same
