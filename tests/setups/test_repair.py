"""Fixes on the embedded cluster: what they would change, whose it is, and what comes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.setups.place import Place
from tui.analysis.doctor.finding import Patch
from tui.analysis.doctor.patches import RESTARTED, json_patch, resources_patch, restart_patch
from tui.analysis.doctor.patient import Root
from tui.cluster.audit import AuditLog
from tui.cluster.guard import Guard
from tui.cluster.transport import Response, Transport
from tui.setups.model import SetupError
from tui.setups.repair import Repair, Repairs
from tui.setups.repair_words import words
from tui.state.rows import ContainerRow

TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}


def hpa(place: Place, **metadata: Any) -> Patch:
    """An HPA that somebody made, and a patch of its maximum."""
    place.create(
        "HorizontalPodAutoscaler",
        "web",
        metadata=metadata,
        spec={"scaleTargetRef": TARGET, "minReplicas": 1, "maxReplicas": 2},
    )
    return wider(place)


def wider(place: Place, body: str = '{"spec":{"maxReplicas":4}}') -> Patch:
    kind = "HorizontalPodAutoscaler"
    return Patch("autoscaling/v2", kind, place.namespace, "web", body)


def deployment(place: Place, name: str = "web") -> Root:
    """A Deployment without pods, of two containers."""
    labels = {"app": name}
    containers = [{"name": n, "image": "i:1", "args": ["x"]} for n in ("app", "side")]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    made = place.create("Deployment", name, spec=spec)
    return Root("Deployment", place.namespace, name, made["metadata"]["uid"])


def repairs(place: Place, guard: Guard | None = None) -> Repairs:
    log = AuditLog(place.audit)
    return Repairs(place.transport, guard or Guard("embedded"), log, lambda: 1_800_000_000.0)


def most(place: Place) -> int:
    return int(place.get("HorizontalPodAutoscaler", "web")["spec"]["maxReplicas"])


def said(repair: Repair) -> str:
    return "\n".join(f"{one.sign}{one.text}" for one in words(repair, 120))


def test_a_look_changes_nothing_and_says_what_would(place: Place) -> None:
    patch = hpa(place)
    seen = repairs(place).look("min-is-max", patch)
    assert [(c.path, c.old, c.new) for c in seen.changes] == [("spec.maxReplicas", "2", "4")]
    assert seen.possible
    assert seen.undo is not None
    assert seen.undo.body == '{"spec":{"maxReplicas":2}}'
    assert "spec.maxReplicas: 2 → 4" in said(seen)
    assert '--type=merge -p \'{"spec":{"maxReplicas":2}}\'' in said(seen)
    assert most(place) == 2
    assert not place.audit.exists()


def test_there_and_back(place: Place) -> None:
    door = repairs(place)
    done = door.carry_out(door.look("min-is-max", hpa(place)))
    assert most(place) == 4
    assert done.undo is not None
    door.carry_out(door.look("min-is-max", done.undo))
    assert most(place) == 2
    again = door.look("min-is-max", done.undo)
    assert not again.possible
    assert "is like that already" in said(again)
    with pytest.raises(SetupError, match="needs no change"):
        door.carry_out(again)
    log = [json.loads(line) for line in place.audit.read_text().splitlines()]
    assert [one["result"] for one in log] == ["sent", "ok", "sent", "ok"]
    assert {one["rule"] for one in log} == {"min-is-max"}


def test_a_request_is_given_to_one_container_and_taken_back(place: Place) -> None:
    patch = resources_patch(deployment(place), [ContainerRow("side")], "requests", {"cpu": "100m"})
    assert patch is not None
    door = repairs(place)
    before = place.get("Deployment", "web")["spec"]["template"]
    done = door.carry_out(door.look("missing-request", patch))
    app, side = place.get("Deployment", "web")["spec"]["template"]["spec"]["containers"]
    assert side["resources"] == {"requests": {"cpu": "100m"}}
    assert not app.get("resources")
    assert (app["args"], side["args"]) == (["x"], ["x"])
    assert "All its pods are replaced" in said(done)
    assert done.undo is not None
    door.carry_out(door.look("missing-request", done.undo))
    after = place.get("Deployment", "web")["spec"]["template"]
    assert not after["spec"]["containers"][1]["resources"].get("requests")
    assert before["spec"]["containers"][0] == after["spec"]["containers"][0]


def test_a_restart_is_of_now_and_final(place: Place) -> None:
    patch = restart_patch(deployment(place))
    assert patch is not None
    door = repairs(place)
    done = door.carry_out(door.look("stale-subpath", patch))
    template = place.get("Deployment", "web")["spec"]["template"]
    assert template["metadata"]["annotations"][RESTARTED] == "2027-01-15T08:00:00Z"
    assert done.undo is None


def test_an_argument_is_added_and_taken_back(place: Place) -> None:
    deployment(place)
    add = '[{"op":"add","path":"/spec/template/spec/containers/0/args/-","value":"--lab"}]'
    door = repairs(place)
    patch = json_patch("apps/v1", "Deployment", place.namespace, "web", add)
    done = door.carry_out(door.look("metrics-api-unavailable", patch))

    def args() -> Any:
        return place.get("Deployment", "web")["spec"]["template"]["spec"]["containers"][0]["args"]

    assert args() == ["x", "--lab"]
    assert done.undo is not None
    door.carry_out(door.look("metrics-api-unavailable", done.undo))
    assert args() == ["x"]


def test_an_object_that_changed_since_is_left_alone(place: Place) -> None:
    door = repairs(place)
    seen = door.look("min-is-max", hpa(place))
    place.patch("HorizontalPodAutoscaler", "web", {"spec": {"maxReplicas": 3}})
    with pytest.raises(SetupError, match="has been changed since"):
        door.carry_out(seen)
    assert most(place) == 3


def test_one_whose_other_fields_changed_is_looked_at_again(place: Place) -> None:
    """As its status does all the time; what is done is still what was shown."""
    door = repairs(place)
    seen = door.look("min-is-max", hpa(place))
    place.patch("HorizontalPodAutoscaler", "web", {"metadata": {"labels": {"a": "b"}}})
    door.carry_out(seen)
    assert most(place) == 4


def test_one_that_was_made_anew_is_another(place: Place) -> None:
    door = repairs(place)
    seen = door.look("min-is-max", hpa(place))
    ref = place.ref("HorizontalPodAutoscaler", "web")
    place.transport.request("DELETE", place.path(ref), body=b"{}")
    with pytest.raises(SetupError, match="not there any more"):
        door.carry_out(seen)
    hpa(place)
    with pytest.raises(SetupError, match="has been changed since"):
        door.carry_out(seen)
    assert most(place) == 2


def test_who_would_set_it_back_is_said(place: Place) -> None:
    door = repairs(place)
    patch = hpa(place)
    assert door.look("x", patch).keepers == ()
    apply = {"spec": {"maxReplicas": 3}}
    place.patch("HorizontalPodAutoscaler", "web", apply, by="kubectl-client-side-apply")
    [keeper] = door.look("x", patch).keepers
    assert keeper.startswith("kubectl apply manages spec.maxReplicas, and sets it back")
    helm = {"metadata": {"annotations": {"meta.helm.sh/release-name": "shop"}}}
    place.patch("HorizontalPodAutoscaler", "web", helm)
    [keeper] = door.look("x", patch).keepers
    assert keeper.startswith("Helm release shop manages spec.maxReplicas")
    argo = {"metadata": {"annotations": {"meta.helm.sh/release-name": None}}}
    place.patch("HorizontalPodAutoscaler", "web", argo)
    replicas = {"spec": {"maxReplicas": 5}}
    place.patch("HorizontalPodAutoscaler", "web", replicas, by="argocd-application-controller")
    [keeper] = door.look("x", patch).keepers
    assert keeper.startswith("Argo CD manages spec.maxReplicas")
    behavior = '{"spec":{"behavior":{"scaleDown":{"stabilizationWindowSeconds":60}}}}'
    assert door.look("x", wider(place, behavior)).keepers == ()
    place.patch("HorizontalPodAutoscaler", "web", helm)
    [keeper] = door.look("x", wider(place, behavior)).keepers
    assert keeper.startswith("It belongs to Helm release shop, which does not set")


def test_what_the_guard_forbids_is_not_even_tried(place: Place) -> None:
    patch = hpa(place)
    for guard in (Guard("a", read_only=True), Guard("shop", protected=("shop",))):
        seen = repairs(place, guard).look("x", patch)
        assert seen.problems == (guard.refusal,)
        assert "By hand it would be:" in said(seen)
    live = repairs(place, Guard("prod"))
    seen = live.look("x", patch)
    assert (seen.possible, seen.typed) == (True, "prod")
    for typed in ("", "pro"):
        with pytest.raises(SetupError, match="has to be typed"):
            live.carry_out(seen, typed)
    assert most(place) == 2
    live.carry_out(seen, "prod")
    assert most(place) == 4


@contextmanager
def denying(place: Place, *verbs: str) -> Iterator[Place]:
    """The same place for a user who lacks those rights."""

    class Denied(Transport):
        def request(self, method: str, path: str, *rest: Any, **options: Any) -> Response:
            if path.endswith("/selfsubjectaccessreviews"):
                asked = json.loads(options["body"])["spec"]["resourceAttributes"]
                assert asked["name"] == "web"
                allowed = asked["verb"] not in verbs
                return Response(201, {}, json.dumps({"status": {"allowed": allowed}}).encode())
            return super().request(method, path, *rest, **options)

    transport = Denied(place.transport.config)
    made = Place(transport, place.namespace, place.audit.parent)
    yield made
    transport.close()


def test_missing_rights_are_named(place: Place) -> None:
    patch = hpa(place)
    with denying(place, "patch") as denied:
        seen = repairs(denied).look("x", patch)
    assert seen.problems == (
        f"You may not patch horizontalpodautoscalers in namespace {place.namespace} (web).",
    )
    with pytest.raises(SetupError, match="You may not patch"):
        repairs(place).carry_out(seen)
    assert most(place) == 2


def test_what_the_server_does_not_take_is_said(place: Place) -> None:
    hpa(place)
    door = repairs(place)
    for body in ('{"spec":{"maxReplicas":0}}', '{"spec":{"nonsense":1}}'):
        seen = door.look("x", wider(place, body))
        assert seen.problems[0].startswith("The API server does not take it: "), body
        assert not seen.possible
    gone = Patch("autoscaling/v2", "HorizontalPodAutoscaler", place.namespace, "gone", "{}")
    assert door.look("x", gone).problems == ("HorizontalPodAutoscaler gone is not there any more.",)
    secret = Patch("v1", "Secret", place.namespace, "s", '{"spec":{}}')
    assert "never patched from here" in door.look("x", secret).problems[0]


def test_names_from_the_cluster_are_only_text(place: Place) -> None:
    name = "[/]\x1b[31m\u202ex"
    made = Repair("x", wider(place), place.ref("Deployment", name), problems=(f"no {name}",))
    assert not set("\x1b\u202e") & set(said(made))
    assert "[/]x" in said(made)
