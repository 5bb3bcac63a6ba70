"""What applying would do, told by a server that has reasons of its own to refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.setups.place import Place
from tui.cluster.transport import Response, Transport
from tui.setups.plan import Action


@pytest.fixture
def app(place: Place) -> Place:
    """A place with the app's Service, which nginx needs, but not its pods."""
    place.create("Service", "fastapi-svc", spec={"selector": {"app": "x"}, "ports": [{"port": 80}]})
    return place


def test_a_quota_of_objects_is_told_in_the_plan(app: Place) -> None:
    app.quota(services="1")
    plan = app.setups().plan("nginx", app.namespace, {"node-port": app.port})
    refused = {str(one.ref): one.problem for one in plan.objects if one.action is Action.REFUSED}
    assert list(refused) == ["Service nginx-svc"]
    assert "exceeded quota: small" in refused["Service nginx-svc"]
    assert refused["Service nginx-svc"].endswith("or ask for less.")
    assert not app.apply("nginx").done


def test_a_namespace_that_is_going_away_is_told_in_the_plan(place: Place) -> None:
    name = f"{place.namespace}-going"
    place.write("/api/v1/namespaces", {"metadata": {"name": name}})
    going = Place(place.transport, name, place.audit.parent)
    going.create("ConfigMap", "held", metadata={"finalizers": ["example.com/hold"]})
    place.transport.request("DELETE", f"/api/v1/namespaces/{name}", body=b"{}")
    plan = going.setups().plan("caddy", name, {"node-port": place.port})
    assert {one.action for one in plan.objects} == {Action.REFUSED}
    assert "being terminated. Choose another namespace" in plan.problems[0]
    going.patch("ConfigMap", "held", {"metadata": {"finalizers": None}})


def test_a_webhook_that_does_not_answer_stops_what_it_guards_alone(app: Place) -> None:
    webhook = {
        "name": "guard.example.com",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "clientConfig": {"service": {"name": "guard", "namespace": "default"}},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": app.namespace}},
        "rules": [
            {
                "operations": ["CREATE"],
                "apiGroups": ["apps"],
                "apiVersions": ["v1"],
                "resources": ["deployments"],
            }
        ],
    }
    where = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    app.write(where, {"metadata": {"name": app.namespace}, "webhooks": [webhook]})
    plan = app.setups().plan("nginx", app.namespace, {"node-port": app.port})
    app.transport.request("DELETE", f"{where}/{app.namespace}", body=b"{}")
    actions = {str(one.ref): one.action for one in plan.objects}
    assert actions["Deployment nginx-proxy"] is Action.REFUSED
    assert actions["Service nginx-svc"] is Action.CREATE
    assert 'failed calling webhook "guard.example.com"' in plan.problems[0]
    assert plan.problems[0].endswith("has to answer first.")


def test_what_is_refused_even_if_it_were_taken_over_is_told(app: Place) -> None:
    assert app.apply("nginx").good
    taken = {"port": 80, "nodePort": app.port + 1}
    app.create("Service", "other", spec={"type": "NodePort", "ports": [taken]})
    port = {"name": "http", "port": 80, "targetPort": "http", "nodePort": app.port + 2}
    app.patch("Service", "nginx-svc", {"spec": {"ports": [port]}})
    plan = app.setups().plan("nginx", app.namespace, {"node-port": app.port + 1})
    assert "port is already allocated. Choose another node-port" in plan.problems[0]


def test_what_is_being_deleted_is_made_again(app: Place) -> None:
    assert app.apply("nginx").good
    app.patch("ConfigMap", "nginx-config", {"metadata": {"finalizers": ["example.com/hold"]}})
    setups = app.setups()
    assert not setups.delete(setups.deletion("nginx", app.namespace), app.steps.append, wait=0).good
    plan = setups.plan("nginx", app.namespace, {"node-port": app.port})
    assert [one.action for one in plan.objects] == [Action.CREATE] * 3
    assert "waits until it is gone" in plan.objects[0].note
    app.patch("ConfigMap", "nginx-config", {"metadata": {"finalizers": None}})
    assert setups.apply(plan, app.steps.append, wait=20).good


class Named(Transport):
    """As a user whose role names the objects that may be read, changed and deleted."""

    def request(self, method: str, path: str, *args: Any, **more: Any) -> Response:
        if path.endswith("/selfsubjectaccessreviews"):
            asked = json.loads(more["body"])["spec"]["resourceAttributes"]
            allowed = asked["verb"] == "create" or "name" in asked
            return Response(201, {}, json.dumps({"status": {"allowed": allowed}}).encode())
        return super().request(method, path, *args, **more)


def test_a_right_to_these_objects_alone_is_enough(app: Place) -> None:
    transport = Named(app.transport.config)
    setups = app.setups(transport=transport)
    ended = app.apply("nginx", setups)
    assert ended.good, ended.failure
    gone = app.delete("nginx", setups)
    assert gone.good, gone.failure
    transport.close()
