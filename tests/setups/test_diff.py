from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tui.setups import diff

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(min_size=1, max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


def deployment() -> dict[str, Any]:
    container = {
        "name": "app",
        "image": "a:1",
        "ports": [{"containerPort": 80, "protocol": "TCP"}],
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        "resources": {"requests": {"cpu": "100m"}},
    }
    return {
        "kind": "Deployment",
        "metadata": {"name": "d", "labels": {"app": "d"}},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [container]}}},
    }


def said(old: Any, new: Any) -> list[tuple[str, str | None, str | None]]:
    return [(one.path, one.old, one.new) for one in diff.between(old, new)]


@settings(max_examples=25)
@given(JSON)
def test_nothing_differs_from_itself(value: Any) -> None:
    body = {"kind": "X", "metadata": {"name": "x"}, "spec": value}
    assert diff.between(body, copy.deepcopy(body)) == ()
    assert diff.departures(body, copy.deepcopy(body)) == []


@settings(max_examples=40)
@given(JSON, JSON)
def test_what_differs_is_told_and_what_does_not_is_not(one: Any, other: Any) -> None:
    old, new = {"metadata": {}, "spec": one}, {"metadata": {}, "spec": other}
    empty = ({}, [], None)
    found = diff.between(old, new)
    if not found:
        # Differences in what is stored alike are none.
        assert one == other or _bare(one) == _bare(other), (one, other)
    if one not in empty and one != other and _bare(one) != _bare(other):
        assert found


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {name: _bare(item) for name, item in value.items()}
        return {name: item for name, item in kept.items() if item not in ({}, [], None)} or None
    if isinstance(value, list):
        return [_bare(item) for item in value] or None
    return value


def test_fields_by_their_paths() -> None:
    old, new = deployment(), deployment()
    [container] = new["spec"]["template"]["spec"]["containers"]
    container["image"] = "a:2"
    container["env"] = [{"name": "B", "value": "3"}, {"name": "C", "value": "4"}]
    new["spec"].pop("replicas")
    path = "spec.template.spec.containers[name=app]"
    assert said(old, new) == [
        ("spec.replicas", "2", None),
        (f"{path}.image", '"a:1"', '"a:2"'),
        (f"{path}.env[name=A]", '{"name": "A", "value": "1"}', None),
        (f"{path}.env[name=B].value", '"2"', '"3"'),
        (f"{path}.env[name=C]", None, '{"name": "C", "value": "4"}'),
    ]


def test_what_the_server_keeps_is_no_difference() -> None:
    old, new = deployment(), deployment()
    new["metadata"] |= {
        "resourceVersion": "9",
        "uid": "u",
        "generation": 3,
        "managedFields": [{}],
        "annotations": {
            "deployment.kubernetes.io/revision": "2",
            "kscale-tui/digest": "x",
        },
    }
    new["status"] = {"replicas": 2}
    template = new["spec"]["template"]
    template["metadata"] = {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}
    assert said(old, new) == []


def test_quantities_are_compared_by_what_they_are() -> None:
    old, new = deployment(), deployment()
    requests = new["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]
    requests["cpu"] = "0.1"
    assert said(old, new) == []
    requests["cpu"] = "200m"
    assert len(said(old, new)) == 1


def test_texts_are_compared_line_by_line() -> None:
    old = {"metadata": {}, "data": {"nginx.conf": "a\nb\nc\n"}}
    new = {"metadata": {}, "data": {"nginx.conf": "a\nB\nc\nd\n"}}
    assert said(old, new) == [
        ("data[nginx.conf] line 2", '"b"', '"B"'),
        ("data[nginx.conf] line 4", None, '"d"'),
    ]


def test_defaults_that_the_server_adds_are_no_departure() -> None:
    wanted, live = deployment(), deployment()
    [container] = live["spec"]["template"]["spec"]["containers"]
    container |= {"imagePullPolicy": "IfNotPresent", "terminationMessagePath": "/dev/x"}
    live["spec"]["strategy"] = {"type": "RollingUpdate"}
    assert diff.departures(wanted, live) == []
    container["image"] = "a:9"
    [one] = diff.departures(wanted, live)
    assert one.path[-1] == "f:image"
    assert one.path[-2] == 'k:{"name":"app"}'


def test_long_values_are_shortened() -> None:
    [change] = diff.between(
        {"metadata": {}, "data": {"a": "x" * 5000}}, {"metadata": {}, "data": {}}
    )
    assert change.old is not None
    assert len(change.old) == 400


def test_what_is_called_a_password_is_never_shown() -> None:
    old, new = deployment(), deployment()
    [container] = new["spec"]["template"]["spec"]["containers"]
    container["env"] = [
        {"name": "DB_PASSWORD", "value": "hunter2"},
        {"name": "B", "value": "2"},
        {"name": "FROM", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    ]
    other = {"metadata": {}, "data": {"api-key": "hunter2", "plain": "x"}}
    told = [*diff.between(old, new), *diff.between({"metadata": {}}, other)]
    told += diff.between(other, {"metadata": {}, "data": {"api-key": "hunter3", "plain": "x"}})
    assert len(told) == 5
    assert "hunter" not in str(told)
    assert "secretKeyRef" in str(told)
    container["env"][0]["value"] = "hunter3"
    again = copy.deepcopy(new)
    again["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = "hunter4"
    [change] = diff.between(new, again)
    assert change.path.endswith("env[name=DB_PASSWORD].value")
    assert "hunter" not in str(change)


def test_another_spelling_of_a_quantity_is_no_difference() -> None:
    def hpa(kind: str, amount: str) -> dict[str, Any]:
        metric = {"resource": {"name": "memory", "target": {kind: amount}}}
        return {"metadata": {}, "spec": {"metrics": [metric]}}

    for kind in ("averageValue", "value"):
        assert diff.departures(hpa(kind, "1024Mi"), hpa(kind, "1Gi")) == []
        [found] = diff.departures(hpa(kind, "1024Mi"), hpa(kind, "2Gi"))
        assert found.change.path == f"spec.metrics[0].resource.target.{kind}"
    env = [{"name": "value", "value": "1024Mi"}]
    other = [{"name": "value", "value": "1Gi"}]
    assert diff.departures({"spec": {"env": env}}, {"spec": {"env": other}}), "this is text"
