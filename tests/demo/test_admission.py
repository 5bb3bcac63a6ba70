"""What the API and the controllers add to what is created."""

from __future__ import annotations

import pytest

from tests.demo.conftest import Build
from tui.demo import resources
from tui.demo.api.defaults import TEMPLATE_GENERATION
from tui.demo.api.errors import ApiError
from tui.demo.api.operations import Writer
from tui.demo.controllers.namespace import BUNDLE
from tui.demo.controllers.revisions import HASH_LABEL
from tui.demo.store import Object

BY = Writer("test")


def _pod(name: str, **spec: object) -> Object:
    return {
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "c", "image": "i"}]} | spec,
    }


def test_pods_get_a_volume_with_their_accounts_token(build: Build) -> None:
    cluster = build()
    one = cluster.api.create(resources.PODS, "default", _pod("one"), BY)
    [volume] = one.spec["volumes"]
    [mount] = one.spec["containers"][0]["volumeMounts"]
    assert mount["name"] == volume["name"]
    assert mount["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount"
    kinds = {kind for source in volume["projected"]["sources"] for kind in source}
    assert kinds == {"serviceAccountToken", "configMap", "downwardAPI"}
    two = _pod("two", automountServiceAccountToken=False)
    assert "volumes" not in cluster.api.create(resources.PODS, "default", two, BY).spec
    account = {"metadata": {"name": "shy"}, "automountServiceAccountToken": False}
    cluster.api.create(resources.SERVICE_ACCOUNTS, "default", account, BY)
    three = _pod("three", serviceAccountName="shy")
    assert "volumes" not in cluster.api.create(resources.PODS, "default", three, BY).spec


def test_each_namespace_has_the_bundle_and_gets_it_back(build: Build) -> None:
    cluster = build()
    cluster.api.create(resources.NAMESPACES, "", {"metadata": {"name": "lab"}}, BY)
    cluster.clock.advance(5)
    first = cluster.api.get(resources.CONFIG_MAPS, "lab", BUNDLE)
    cluster.api.delete(resources.CONFIG_MAPS, "lab", BUNDLE)
    cluster.clock.advance(5)
    assert cluster.api.get(resources.CONFIG_MAPS, "lab", BUNDLE).uid != first.uid
    cluster.api.delete(resources.NAMESPACES, "", "lab")
    cluster.clock.advance(30)
    assert cluster.store.get(resources.NAMESPACES.storage, "", "lab") is None


def test_each_node_holds_a_lease_and_renews_it(build: Build) -> None:
    cluster = build()
    nodes = {node.name for node in cluster.store.entries(resources.NODES.storage)}
    leases = list(cluster.store.entries(resources.LEASES.storage, "kube-node-lease"))
    assert {lease.name for lease in leases} == nodes
    assert {lease.spec["holderIdentity"] for lease in leases} == nodes
    before = leases[0].spec["renewTime"]
    cluster.clock.advance(600)
    renewed = cluster.api.get(resources.LEASES, "kube-node-lease", leases[0].name)
    assert renewed.spec["renewTime"] > before


def test_a_changed_annotation_is_a_new_generation_of_a_deployment_alone(build: Build) -> None:
    cluster = build(lesson=True)

    def note(data: Object) -> None:
        data["metadata"].setdefault("annotations", {})["note"] = "new"

    for resource, more in ((resources.DEPLOYMENTS, 1), (resources.REPLICA_SETS, 0)):
        entry = cluster.store.list_at(resource.storage, "default", None)[0]
        before = entry.metadata["generation"]
        changed = cluster.api.change(resource, entry, note, BY)
        assert changed.metadata["generation"] == before + more


def test_limit_ranges_fill_in_and_refuse(build: Build) -> None:
    api = build().api
    item = {"type": "Container", "default": {"cpu": "100m"}, "defaultRequest": {"cpu": "10m"}}
    spec = {"limits": [item | {"max": {"cpu": "1"}}]}
    api.create(resources.LIMIT_RANGES, "default", {"metadata": {"name": "l"}, "spec": spec}, BY)
    one = api.create(resources.PODS, "default", _pod("one"), BY)
    [container] = one.spec["containers"]
    assert container["resources"] == {"limits": {"cpu": "100m"}, "requests": {"cpu": "10m"}}
    assert one.status["qosClass"] == "Burstable"
    assert one.metadata["annotations"]["kubernetes.io/limit-ranger"] == (
        "LimitRanger plugin set: cpu request for container c; cpu limit for container c"
    )
    greedy = _pod("two")
    greedy["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "2"}}
    with pytest.raises(ApiError) as refused:
        api.create(resources.PODS, "default", greedy, BY)
    assert refused.value.message == (
        'pods "two" is forbidden: maximum cpu usage per Container is 1, but limit is 2'
    )


def test_quotas_count_objects(build: Build) -> None:
    cluster = build()
    hard = {"count/deployments.apps": "0", "configmaps": "2"}  # no pod has to say these
    quota = {"metadata": {"name": "q"}, "spec": {"hard": hard}}
    cluster.api.create(resources.RESOURCE_QUOTAS, "default", quota, BY)
    cluster.api.create(resources.CONFIG_MAPS, "default", {"metadata": {"name": "one"}}, BY)
    cluster.api.create(resources.PODS, "default", _pod("one"), BY)
    cluster.clock.advance(1)
    status = cluster.api.get(resources.RESOURCE_QUOTAS, "default", "q").status
    assert status["used"] == {"configmaps": "2", "count/deployments.apps": "0"}
    with pytest.raises(ApiError) as refused:
        cluster.api.create(resources.CONFIG_MAPS, "default", {"metadata": {"name": "two"}}, BY)
    assert refused.value.message == (
        'configmaps "two" is forbidden: exceeded quota: q, requested: configmaps=1, '
        "used: configmaps=2, limited: configmaps=2"
    )


def test_sets_count_templates_and_name_their_revisions(build: Build) -> None:
    cluster = build()
    labels = {"app": "x"}
    template = {"metadata": {"labels": labels}, "spec": _pod("x")["spec"]}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    daemons = {"metadata": {"name": "d"}, "spec": spec}
    entry = cluster.api.create(resources.DAEMON_SETS, "default", daemons, BY)

    def alter(data: Object) -> None:
        data["metadata"]["annotations"] = {"note": "theirs"}
        data["spec"]["template"]["spec"]["containers"][0]["image"] = "j"

    changed = cluster.api.change(resources.DAEMON_SETS, entry, alter, BY)
    assert changed.metadata["annotations"] == {"note": "theirs", TEMPLATE_GENERATION: "2"}
    cluster.api.create(
        resources.STATEFUL_SETS, "default", {"metadata": {"name": "s"}, "spec": spec}, BY
    )
    cluster.clock.advance(5)
    first = cluster.api.get(resources.PODS, "default", "s-0")
    assert first.metadata["generateName"] == "s-"
    for revision in cluster.store.list_at(resources.CONTROLLER_REVISIONS.storage, "default", None):
        own = "controller.kubernetes.io/hash" if revision.name[0] == "s" else HASH_LABEL
        assert revision.name.endswith(revision.labels[own])
