"""What the API and the controllers add to what is created."""

from __future__ import annotations

from tests.demo.conftest import Build
from tui.demo import resources
from tui.demo.api.operations import Writer
from tui.demo.controllers.namespace import BUNDLE
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
