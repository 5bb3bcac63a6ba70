"""What setups leave alone, whoever gets in between what was shown and what is done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.setups.place import Place
from tui.cluster.transport import Response, Transport

Write = Callable[..., Path]
LABELS = {"app.kubernetes.io/managed-by": "kscale-tui", "kscale-tui/setup": "nginx"}


@pytest.fixture
def app(place: Place) -> Place:
    place.create("Service", "fastapi-svc", spec={"selector": {"app": "x"}, "ports": [{"port": 80}]})
    return place


def test_an_object_of_another_setup_is_as_foreign_as_anybodys(place: Place, folder: Write) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: shared}}\ndata: {{of: {}}}\n"
    folder("one", a__yaml=text.format("one"))
    setups = place.setups(folder("two", a__yaml=text.format("two")))
    plan = setups.plan("two", place.namespace)
    assert place.apply("one", setups).good
    ended = setups.apply(plan, place.steps.append, wait=5)
    assert ended.failure is not None
    assert ended.failure.reason == "NotOurs"
    assert "the setup one" in ended.failure.sentence
    deletion = setups.deletion("two", place.namespace)
    assert deletion.objects == ()
    assert [whose for _, whose in deletion.foreign] == ["the setup one"]
    assert place.get("ConfigMap", "shared")["data"] == {"of": "one"}


def test_leave_to_take_one_field_over_is_no_leave_for_the_next(app: Place) -> None:
    assert app.apply("nginx").good
    image = {"name": "nginx", "image": "nginx:9"}
    pod = {"spec": {"containers": [image]}}
    app.patch("Deployment", "nginx-proxy", {"spec": {"template": pod}}, by="one")
    setups = app.setups()
    plan = setups.plan("nginx", app.namespace)
    assert {clash.manager for _, clash in plan.conflicts} == {"one"}
    app.patch("Deployment", "nginx-proxy", {"spec": {"replicas": 3}}, by="two")
    ended = setups.apply(plan, app.steps.append, take_over=plan.conflicts, wait=5)
    assert ended.failure is not None
    assert ended.failure.reason == "FieldConflict"
    assert "two" in ended.failure.sentence
    assert app.get("Deployment", "nginx-proxy")["spec"]["replicas"] == 3


class Meanwhile(Transport):
    """To a cluster where something happens before the first of some requests arrives."""

    method, path = "DELETE", "/configmaps/nginx-config"

    def __init__(self, place: Place, happens: Callable[[], object]) -> None:
        super().__init__(place.transport.config)
        self.happens: Callable[[], object] | None = happens

    def request(self, method: str, path: str, *args: Any, **more: Any) -> Response:
        if self.happens and method == self.method and path.endswith(self.path):
            happens, self.happens = self.happens, None
            happens()
        return super().request(method, path, *args, **more)


@pytest.mark.parametrize("labels", [LABELS, {}], ids=["by a setup", "by somebody"])
def test_an_object_made_again_at_the_last_moment_is_not_deleted(
    app: Place, labels: dict[str, str]
) -> None:
    assert app.apply("nginx").good

    def make_again() -> None:
        where = app.path(app.ref("ConfigMap", "nginx-config"))
        app.transport.request("DELETE", where, body=b"{}")
        app.create("ConfigMap", "nginx-config", data={"new": "1"}, metadata={"labels": labels})

    transport = Meanwhile(app, make_again)
    setups = app.setups(transport=transport)
    ended = setups.delete(setups.deletion("nginx", app.namespace), app.steps.append, wait=10)
    assert transport.happens is None
    assert ended.good, ended.failure
    assert app.get("ConfigMap", "nginx-config")["data"] == {"new": "1"}
    noted = [json.loads(line) for line in app.audit.read_text().splitlines()]
    assert [n for n in noted if n["verb"] == "delete" and "nginx-config" in json.dumps(n)]
    transport.close()
