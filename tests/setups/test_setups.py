"""Setups on the embedded cluster, with somebody else at work in the same namespace."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.cluster.server import eventually
from tests.setups.place import Place
from tui.cluster.errors import ApiError, Fault
from tui.cluster.guard import Guard
from tui.cluster.transport import Response, Transport
from tui.setups.model import Answer, Check, SetupError, State
from tui.setups.outcome import Outcome, Progress
from tui.setups.plan import Action, Plan

Write = Callable[..., Path]
NGINX = {"ConfigMap nginx-config", "Service nginx-svc", "Deployment nginx-proxy"}


@pytest.fixture
def app(place: Place) -> Place:
    """A place with the app's Service, which nginx needs, but not its pods."""
    place.create("Service", "fastapi-svc", spec={"selector": {"app": "x"}, "ports": [{"port": 80}]})
    return place


def state(place: Place, name: str) -> tuple[State, str]:
    found = place.setups().status(name, place.namespace)
    return found.state, found.sentence


def test_from_absent_to_healthy_and_back(app: Place) -> None:
    assert state(app, "nginx") == (State.ABSENT, "Not applied.")
    plan = app.setups().plan("nginx", app.namespace, {"node-port": app.port})
    assert {one.action for one in plan.objects} == {Action.CREATE}
    assert app.labelled() == set(), "a plan changes nothing"
    ended = app.apply("nginx")
    assert ended.good, ended.failure
    assert {str(ref) for ref, _ in ended.created} == NGINX == app.labelled()
    assert state(app, "nginx") == (State.HEALTHY, "1 pod ready.")
    again = app.setups().plan("nginx", app.namespace)
    assert again.empty
    assert app.apply("nginx").before == ()
    gone = app.delete("nginx")
    assert gone.good, gone.failure
    assert {str(ref) for ref in gone.done} == NGINX
    assert app.labelled() == set()
    assert state(app, "nginx")[0] is State.ABSENT
    assert app.delete("nginx").done == ()


def test_both_proxies_at_once(app: Place) -> None:
    outcomes: list[Outcome] = []
    threads = [
        threading.Thread(target=lambda name=name: outcomes.append(app.apply(name)))
        for name in ("nginx", "caddy")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [one.failure for one in outcomes] == [None, None]
    assert app.delete("nginx").good
    assert state(app, "caddy")[0] is State.HEALTHY
    assert app.delete("caddy").good


def test_what_is_needed_is_looked_for_first(place: Place) -> None:
    plan = place.setups().plan("nginx", place.namespace, {"node-port": place.port})
    [need] = plan.prerequisites
    assert need.blocks
    assert "There is no Service fastapi-svc" in plan.problems[0]
    assert not place.apply("nginx").good
    hpa = place.setups().plan("hpa-cpu", place.namespace)
    assert not hpa.problems, "an HPA may wait for what it scales"
    assert [one.met for one in hpa.prerequisites] == [False, True, True]
    assert place.labelled() == set()


def test_what_is_not_ours_is_left_byte_for_byte(app: Place) -> None:
    foreign = [
        ("ConfigMap", "nginx-config", {"data": {"nginx.conf": "theirs"}}, {}),
        (
            "Service",
            "nginx-svc",
            {"spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]}},
            {"annotations": {"meta.helm.sh/release-name": "web"}},
        ),
        # With our words, but of another setup.
        (
            "Deployment",
            "nginx-proxy",
            {
                "spec": {
                    "replicas": 0,
                    "selector": {"matchLabels": {"a": "b"}},
                    "template": {
                        "metadata": {"labels": {"a": "b"}},
                        "spec": {"containers": [{"name": "c", "image": "nginx:1"}]},
                    },
                }
            },
            {"labels": {"app.kubernetes.io/managed-by": "kscale-tui", "kscale-tui/setup": "mine"}},
        ),
    ]
    for kind, name, body, metadata in foreign:
        app.create(kind, name, metadata=metadata, **body)
    before = [app.raw(kind, name) for kind, name, _, _ in foreign[:2]]
    deployed = app.get("Deployment", "nginx-proxy")["metadata"]["uid"]
    found = app.setups().status("nginx", app.namespace)
    assert found.state is State.NOT_OURS
    owners = {ref.name: owner for ref, owner in found.foreign}
    assert owners == {
        "nginx-config": "the field manager somebody",
        "nginx-svc": "Helm release web",
        "nginx-proxy": "the setup mine",
    }
    ended = app.apply("nginx")
    assert ended.failure is not None
    assert (ended.failure.reason, ended.done) == ("Refused", ())
    deletion = app.setups().deletion("nginx", app.namespace)
    assert (deletion.empty, len(deletion.foreign)) == (True, 3)
    assert app.delete("nginx").good
    assert [app.raw(kind, name) for kind, name, _, _ in foreign[:2]] == before
    assert app.get("Deployment", "nginx-proxy")["metadata"]["uid"] == deployed


def test_somebody_is_faster_between_plan_and_apply(app: Place) -> None:
    setups = app.setups()
    plan = setups.plan("nginx", app.namespace, {"node-port": app.port})
    app.create("Deployment", "nginx-proxy", **_deployment())
    ended = setups.apply(plan, app.steps.append, wait=5)
    assert ended.failure is not None
    assert ended.failure.reason == "NotOurs"
    assert str(ended.failure.ref) == "Deployment nginx-proxy"
    assert "deletes that" in ended.undo
    undone = setups.undo(ended, app.steps.append)
    assert undone.good
    assert app.labelled() == set()
    assert app.get("Deployment", "nginx-proxy")["spec"]["replicas"] == 0


def _deployment() -> dict[str, Any]:
    template = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "nginx:1"}]},
    }
    return {"spec": {"replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": template}}


def test_drift_names_field_and_manager_and_taking_over_is_a_choice(app: Place) -> None:
    assert app.apply("nginx").good
    image = {"name": "nginx", "image": "nginx:1.25"}
    config = app.get("Deployment", "nginx-proxy")["spec"]["template"]["spec"]["containers"][0]
    app.patch(
        "Deployment",
        "nginx-proxy",
        {"spec": {"template": {"spec": {"containers": [config | image]}}}},
    )
    app.patch("ConfigMap", "nginx-config", {"data": {"extra": "1"}}, by="kubectl-patch")
    found = app.setups().status("nginx", app.namespace)
    told = {(str(one.ref), one.change.path.rpartition("].")[2], one.by) for one in found.drift}
    assert told == {
        ("Deployment nginx-proxy", "image", "kubectl-edit"),
        ("ConfigMap nginx-config", "data.extra", "kubectl-patch"),
    }
    setups = app.setups()
    plan = setups.plan("nginx", app.namespace)
    [(ref, clash)] = plan.conflicts
    assert (str(ref), clash.manager) == ("Deployment nginx-proxy", "kubectl-edit")
    assert clash.field.endswith(".image")
    refused = setups.apply(plan, app.steps.append)
    assert refused.failure is not None
    assert refused.failure.reason == "FieldConflict"
    assert "kubectl-edit" in refused.failure.sentence
    taken = setups.apply(plan, app.steps.append, take_over=plan.conflicts)
    assert taken.good, taken.failure
    image_now = app.get("Deployment", "nginx-proxy")["spec"]["template"]["spec"]["containers"]
    assert image_now[0]["image"] == "nginx:1.27-alpine"


def test_conflicts_that_were_not_shown_are_not_taken_over(app: Place) -> None:
    assert app.apply("nginx").good
    setups = app.setups()
    app.patch("Deployment", "nginx-proxy", {"spec": {"replicas": 3}}, by="one")
    plan = setups.plan("nginx", app.namespace)
    app.patch("ConfigMap", "nginx-config", {"data": {"nginx.conf": "x"}}, by="two")
    ended = setups.apply(plan, app.steps.append, take_over=plan.conflicts)
    assert ended.failure is not None
    assert "two" in ended.failure.sentence
    assert app.get("ConfigMap", "nginx-config")["data"]["nginx.conf"] == "x"


def test_applying_again_does_not_reset_what_an_hpa_chose(place: Place) -> None:
    assert place.apply("fastapi").good
    assert place.apply("hpa-cpu").good
    place.scale("fastapi-deploy", 5, "kube-controller-manager")
    plan = place.setups().plan("fastapi", place.namespace)
    assert plan.empty
    assert not plan.conflicts
    assert place.apply("fastapi").good
    assert place.apply("fastapi", cpu_limit="600m").good
    assert place.get("Deployment", "fastapi-deploy")["spec"]["replicas"] == 5
    assert place.setups().status("fastapi", place.namespace).drift == ()


def test_a_second_hpa_on_the_same_deployment_is_refused(place: Place) -> None:
    assert place.apply("hpa-cpu").good
    plan = place.setups().plan("hpa-memory", place.namespace)
    assert "scales Deployment fastapi-deploy already" in plan.problems[0]
    assert place.delete("hpa-cpu").good
    assert not place.setups().plan("hpa-memory", place.namespace).problems


def test_two_at_once_apply_the_same_setup(app: Place) -> None:
    plans = [app.setups().plan("nginx", app.namespace, {"node-port": app.port}) for _ in range(4)]
    outcomes: list[Outcome] = []

    def run(plan: Plan) -> None:
        outcomes.append(app.setups().apply(plan, lambda step: None, wait=20))

    threads = [threading.Thread(target=run, args=(plan,)) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [one.failure for one in outcomes] == [None] * 4
    assert sum(len(one.created) for one in outcomes) == 3, "each object has one maker"
    assert app.labelled() == NGINX
    assert app.delete("nginx").good


def test_values_are_remembered_until_they_are_said_anew(app: Place) -> None:
    assert app.apply("nginx", image="nginx:1.26").good
    assert app.setups().plan("nginx", app.namespace).values["image"] == "nginx:1.26"
    assert state(app, "nginx")[0] is State.HEALTHY
    ended = app.apply("nginx", image="nginx:1.27-alpine")
    assert [str(ref) for ref, _ in ended.before] == [
        "ConfigMap nginx-config",
        "Service nginx-svc",
        "Deployment nginx-proxy",
    ]
    settings = {"nginx": {"image": "nginx:1.28"}, "": {"app-port": 81, "replicas": 3}}
    values = app.setups(overrides=settings).plan("nginx", app.namespace).values
    assert (values["image"], values["app-port"]) == ("nginx:1.28", 81)
    assert "replicas" not in values


def test_a_failed_change_is_told_and_undone(app: Place) -> None:
    assert app.apply("nginx").good
    before = app.get("Deployment", "nginx-proxy")["spec"]
    setups = app.setups()
    ended = app.apply("nginx", setups, image="nginx:no-such")
    assert ended.failure is not None
    assert ended.failure.reason == "ImagePullBackOff"
    assert "nginx:no-such cannot be pulled" in ended.failure.sentence
    # Between two tries, and for a moment, the kubelet says ErrImagePull again.
    eventually(lambda: state(app, "nginx")[0] is State.DEGRADED)
    assert "undoing applies what was there before" in ended.undo
    undone = setups.undo(ended, app.steps.append)
    assert undone.good, undone.failure
    assert app.get("Deployment", "nginx-proxy")["spec"] == before
    assert app.setups().plan("nginx", app.namespace).empty


def test_what_was_taken_over_gets_its_old_value_back(app: Place) -> None:
    assert app.apply("nginx").good
    [container] = app.get("Deployment", "nginx-proxy")["spec"]["template"]["spec"]["containers"]
    theirs = container | {"image": "nginx:1.26", "resources": {"limits": {"cpu": "250m"}}}
    template = {"spec": {"containers": [theirs]}}
    app.patch("Deployment", "nginx-proxy", {"spec": {"template": template}})
    before = app.get("Deployment", "nginx-proxy")["spec"]
    setups = app.setups()
    plan = setups.plan("nginx", app.namespace, {"image": "nginx:no-such"})
    ended = setups.apply(plan, app.steps.append, take_over=plan.conflicts, wait=20)
    assert ended.failure is not None
    undone = setups.undo(ended, app.steps.append)
    assert undone.good, undone.failure
    assert app.get("Deployment", "nginx-proxy")["spec"] == before


def test_leftovers_of_an_older_version_are_pruned(place: Place, folder: Write) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {}}}\ndata: {{a: '1'}}\n"
    own = folder("own", a__yaml=text.format("one"), b__yaml=text.format("two"))
    assert place.apply("own", place.setups(own)).good
    (own / "own" / "b.yaml").unlink()
    stranger = place.create("ConfigMap", "three", data={"a": "1"})
    found = place.setups(own).status("own", place.namespace)
    assert (found.state, [ref.name for ref in found.leftover]) == (State.DRIFTED, ["two"])
    plan = place.setups(own).plan("own", place.namespace)
    assert [one.action for one in plan.objects] == [Action.UNCHANGED, Action.PRUNE]
    ended = place.apply("own", place.setups(own))
    assert (ended.good, [ref.name for ref in ended.done]) == (True, ["one", "two"])
    assert place.labelled() == {"ConfigMap one"}
    assert place.get("ConfigMap", "three") == stranger
    # Also what the catalogue no longer has can be deleted.
    assert place.delete("own").good
    assert place.labelled() == set()


def test_leftovers_stay_as_long_as_the_new_version_is_not_up(place: Place, folder: Write) -> None:
    text = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n"
        "spec:\n  selector: {matchLabels: {a: b}}\n  template:\n"
        "    metadata: {labels: {a: b}}\n"
        "    spec: {containers: [{name: c, image: 'IMAGE'}]}\n"
    )
    old = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: old}\ndata: {a: '1'}\n"
    own = folder("own", a__yaml=text.replace("IMAGE", "nginx:1.27-alpine"), b__yaml=old)
    assert place.apply("own", place.setups(own)).good
    (own / "own" / "b.yaml").unlink()
    folder("own", a__yaml=text.replace("IMAGE", "nginx:no-such"))
    setups = place.setups(own)
    ended = place.apply("own", setups)
    assert ended.failure is not None
    assert [str(ref) for ref in ended.left] == ["ConfigMap old"]
    assert setups.undo(ended, place.steps.append).good
    assert place.labelled() == {"Deployment d", "ConfigMap old"}, "it is as it was before"


def test_a_finalizer_holds_a_deletion_no_longer_than_was_said(app: Place) -> None:
    assert app.apply("nginx").good
    app.patch("Service", "nginx-svc", {"metadata": {"finalizers": ["example.com/hold"]}})
    setups = app.setups()
    deletion = setups.deletion("nginx", app.namespace)
    ended = setups.delete(deletion, app.steps.append, wait=0.3)
    assert ended.failure is not None
    assert ended.failure.reason == "Timeout"
    assert "example.com/hold" in ended.failure.sentence
    assert [ref.name for ref in ended.left] == ["nginx-svc", "nginx-config"] or [
        ref.name for ref in ended.left
    ] == ["nginx-svc"]
    assert state(app, "nginx")[0] is State.APPLYING
    app.patch("Service", "nginx-svc", {"metadata": {"finalizers": None}})
    assert app.delete("nginx").good


def test_what_is_waited_for_is_told_once(app: Place) -> None:
    assert app.apply("nginx").good
    app.patch("ConfigMap", "nginx-config", {"metadata": {"finalizers": ["example.com/hold"]}})
    setups = app.setups()
    held = setups.delete(setups.deletion("nginx", app.namespace), app.steps.append, wait=0.2)
    assert not held.good
    steps: list[Progress] = []
    plan = setups.plan("nginx", app.namespace, {"node-port": app.port})
    ended = setups.apply(plan, steps.append, wait=0.3)
    assert ended.failure is not None
    assert "its finalizers hold it (example.com/hold)" in ended.failure.sentence
    assert [one.sentence for one in steps] == ["the old one is being deleted"]
    app.patch("ConfigMap", "nginx-config", {"metadata": {"finalizers": None}})


def test_pods_of_another_workload_with_the_same_labels_are_not_waited_for(place: Place) -> None:
    # The trap of every tutorial: two Deployments whose pods both say `app: fastapi`.
    assert place.apply("fastapi").good
    ours = place.get("Deployment", "fastapi-deploy")["spec"]
    place.create("Deployment", "another", spec=ours | {"replicas": 1})
    eventually(lambda: place.get("Deployment", "another")["status"].get("readyReplicas") == 1)
    setups = place.setups()
    ended = setups.delete(setups.deletion("fastapi", place.namespace), place.steps.append, wait=5)
    assert ended.good, ended.failure
    assert place.get("Deployment", "another")["status"]["readyReplicas"] == 1


def test_an_object_given_away_since_is_not_deleted(app: Place) -> None:
    assert app.apply("nginx").good
    setups = app.setups()
    deletion = setups.deletion("nginx", app.namespace)
    app.patch("ConfigMap", "nginx-config", {"metadata": {"labels": {"kscale-tui/setup": None}}})
    ended = setups.delete(deletion, app.steps.append, wait=5)
    assert ended.failure is not None
    assert ended.failure.reason == "NotOurs"
    assert app.get("ConfigMap", "nginx-config")["data"]
    assert app.labelled() == set()


def test_an_object_made_again_since_is_not_deleted(app: Place) -> None:
    assert app.apply("nginx").good
    setups = app.setups()
    deletion = setups.deletion("nginx", app.namespace)
    app.transport.request("DELETE", app.path(app.ref("ConfigMap", "nginx-config")), body=b"{}")
    app.create("ConfigMap", "nginx-config", data={"theirs": "1"})
    assert setups.delete(deletion, app.steps.append, wait=10).good
    assert app.get("ConfigMap", "nginx-config")["data"] == {"theirs": "1"}


def test_read_only_reckons_by_itself_and_writes_nothing(app: Place) -> None:
    assert app.apply("nginx").good
    log = app.audit.read_bytes()
    setups = app.setups(guard=Guard("embedded", read_only=True))
    plan = setups.plan("nginx", app.namespace, {"app-port": 81})
    assert plan.local
    (problem,) = plan.problems
    assert problem.startswith("This is read-only, by --read-only, KSCALE_READ_ONLY or the settings")
    changed = {str(one.ref) for one in plan.objects if one.action is Action.CHANGE}
    assert changed == {"ConfigMap nginx-config", "Deployment nginx-proxy"}
    ended = setups.apply(plan, app.steps.append)
    assert ended.failure is not None
    assert ended.failure.reason == "Refused"
    deletion = setups.deletion("nginx", app.namespace)
    assert not deletion.empty
    assert setups.delete(deletion, app.steps.append).done == ()
    assert app.audit.read_bytes() == log
    assert app.labelled() == NGINX


def test_a_namespace_that_does_not_exist_is_told(place: Place) -> None:
    setups = place.setups()
    plan = setups.plan("fastapi", "nowhere-at-all")
    assert "kubectl create namespace nowhere-at-all" in plan.problems[0]
    with pytest.raises(SetupError, match="no name of a namespace"):
        setups.plan("fastapi", "../kube-system")
    with pytest.raises(SetupError, match="no name of a setup"):
        setups.deletion("a,b", place.namespace)


def test_what_the_server_does_not_take_is_told_in_the_plan(place: Place, folder: Write) -> None:
    text = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
        "spec: {portz: [], ports: [{port: 99999}]}\n"
    )
    plan = place.setups(folder("own", a__yaml=text)).plan("own", place.namespace)
    [one] = plan.objects
    assert one.action is Action.REFUSED
    assert "portz" in one.problem or "99999" in one.problem
    assert place.labelled() == set()


def test_every_setup_at_once_in_one_look(app: Place) -> None:
    assert app.apply("nginx").good
    found = {one.setup: one.state for one in app.setups().statuses(app.namespace)}
    # Of the setup fastapi there is a Service of that name, and it is somebody else's.
    assert found == {
        "caddy": State.ABSENT,
        "fastapi": State.NOT_OURS,
        "hpa-behavior": State.ABSENT,
        "hpa-cpu": State.ABSENT,
        "hpa-memory": State.ABSENT,
        "load-app": State.ABSENT,
        "nginx": State.HEALTHY,
    }


def test_a_crashing_container_is_told_with_what_it_said(app: Place) -> None:
    # The Service is there when nginx is planned, and gone when it starts.
    setups = app.setups()
    plan = setups.plan("nginx", app.namespace, {"node-port": app.port})
    app.transport.request("DELETE", app.path(app.ref("Service", "fastapi-svc")), body=b"{}")
    ended = setups.apply(plan, app.steps.append, wait=20)
    assert ended.failure is not None
    assert ended.failure.reason == "CrashLoopBackOff"
    assert "host not found in upstream" in ended.failure.sentence
    assert app.delete("nginx").good


def test_the_load_app_answers_for_itself(place: Place) -> None:
    ended = place.apply("load-app")
    assert ended.good, ended.failure
    assert place.delete("load-app").good


class Webhooked(Transport):
    """A cluster with an admission webhook that does not support dry runs."""

    def request(self, method: str, path: str, query: Any = None, **more: Any) -> Response:
        if query and "dryRun" in query:
            words = 'admission webhook "x.example.com" does not support dry run'
            raise ApiError(Fault.INVALID, words, status=400, reason="BadRequest")
        return super().request(method, path, query, **more)


def test_what_cannot_be_tried_out_is_reckoned_and_told(app: Place) -> None:
    transport = Webhooked(app.transport.config)
    setups = app.setups(transport=transport)
    ended = app.apply("nginx", setups)
    assert ended.good, ended.failure
    plan = setups.plan("nginx", app.namespace, {"app-port": 81})
    changed = [str(one.ref) for one in plan.objects if one.action is Action.CHANGE]
    assert changed == ["ConfigMap nginx-config", "Deployment nginx-proxy"]
    assert all("cannot try it out" in one.note for one in plan.objects)
    transport.close()


def test_a_quota_is_told_as_what_stops_it(place: Place) -> None:
    place.quota(pods="0")
    ended = place.apply("fastapi")
    assert ended.failure is not None
    assert ended.failure.reason == "FailedCreate"
    assert "exceeded quota: small" in ended.failure.sentence
    assert place.delete("fastapi").good


def test_pods_that_fit_nowhere_are_told_when_the_wait_is_over(place: Place) -> None:
    setups = place.setups()
    plan = setups.plan("fastapi", place.namespace, {"cpu-request": "900", "cpu-limit": "900"})
    ended = setups.apply(plan, place.steps.append, wait=1)
    assert ended.failure is not None
    assert ended.failure.reason == "FailedScheduling"
    assert "Insufficient cpu" in ended.failure.sentence
    assert setups.undo(ended, place.steps.append).good
    assert place.labelled() == set()


def test_what_answers_counts_and_what_cannot_be_reached_does_not(app: Place) -> None:
    asked: list[Check] = []
    answers = [Answer(False, "not yet"), Answer(True, "/nginx-health answers 200")]

    def probe(namespace: str, check: Check) -> Answer:
        asked.append(check)
        return answers[min(len(asked), len(answers)) - 1]

    assert app.apply("nginx", app.setups(probe=probe)).probe == "/nginx-health answers 200"
    assert (asked[0].service, asked[0].path, len(asked)) == ("nginx-svc", "/nginx-health", 2)
    answers[:] = [Answer(False, "503 from nobody")]
    setups = app.setups(probe=probe)
    silent = setups.apply(setups.plan("nginx", app.namespace), app.steps.append, wait=0.2)
    assert silent.failure is not None
    assert (silent.failure.reason, silent.undo) == ("NoAnswer", "")
    assert "503 from nobody" in silent.failure.sentence


def test_the_own_key_of_a_setup_is_kept(folder: Write, place: Place) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: '1'}\n"
    setups = place.setups(folder("own", 'key = "o"', a__yaml=text))
    assert setups.catalogue.get("own").key == "o"


class Deep(Transport):
    """To a cluster whose ConfigMaps are nested deeper than any kind is."""

    def request(self, method: str, path: str, *args: Any, **more: Any) -> Response:
        answer = super().request(method, path, *args, **more)
        if method == "GET" and path.endswith("/configmaps"):
            page = json.loads(answer.body)
            for item in page["items"]:
                item["data"] = {"nginx.conf": "HERE"}
            deep = b"[" * 700 + b"]" * 700
            body = json.dumps(page).encode().replace(b'"HERE"', deep)
            return msgspec.structs.replace(answer, body=body)
        return answer


def test_an_object_nested_too_deeply_is_told_and_leaves_the_others_alone(app: Place) -> None:
    assert app.apply("nginx").good
    transport = Deep(app.transport.config)
    setups = app.setups(transport=transport)
    found = {one.setup: one for one in setups.statuses(app.namespace)}
    assert found["nginx"].state is State.UNKNOWN
    assert "nested too deeply" in found["nginx"].sentence
    assert found["caddy"].state is State.ABSENT
    with pytest.raises(SetupError, match="nested too deeply"):
        setups.plan("nginx", app.namespace)
    transport.close()


def test_what_else_is_not_ours_is_named(place: Place) -> None:
    for kind in ("ConfigMap", "Service"):
        name = {"ConfigMap": "nginx-config", "Service": "nginx-svc"}[kind]
        place.create(kind, name, **({"spec": {"ports": [{"port": 80}]}} if kind[0] == "S" else {}))
    assert state(place, "nginx") == (
        State.NOT_OURS,
        "ConfigMap nginx-config is there and belongs to somebody who left no name: it stays as "
        "it is. Not ours, either: Service nginx-svc.",
    )


def test_how_many_fields_were_changed_is_said(app: Place) -> None:
    assert app.apply("nginx").good
    app.patch("ConfigMap", "nginx-config", {"data": {"more": "y"}})
    found, words = state(app, "nginx")
    assert found is State.DRIFTED
    assert words == (
        "ConfigMap nginx-config: data.more was added by kubectl-edit. Applying again leaves it; "
        "take it away by hand."
    )
    app.patch("Service", "nginx-svc", {"spec": {"selector": {"app": "y"}}})
    found, words = state(app, "nginx")
    assert words == (
        "Service nginx-svc: spec.selector.app was changed by kubectl-edit, and 1 other field. "
        "Applying again sets it back."
    )
