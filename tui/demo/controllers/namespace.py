"""Namespaces: their default account when they begin, and an empty end."""

from __future__ import annotations

from typing import ClassVar, Final

from tui.demo import resources
from tui.demo.api.operations import CONTROLLER_MANAGER, CONTROLLER_STATUS, DeleteOptions
from tui.demo.controllers.base import Controller
from tui.demo.resource import Resource
from tui.demo.store import Entry, Event, Key, Object

_AGAIN: Final = 1.0
BUNDLE: Final = "kube-root-ca.crt"
"""The ConfigMap by which pods trust the API server."""
_ABOUT_BUNDLE: Final = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "
    "endpoints such as the internal service IP or kubernetes.default.svc. No other usage is "
    "guaranteed across distributions of Kubernetes clusters."
)


class NamespaceController(Controller):
    """Gives a namespace its ServiceAccount and CA bundle; empties one that is to go."""

    name: ClassVar[str] = "namespace-controller"
    authority: str = ""
    """The PEM certificate that signed the API server's."""

    def start(self) -> None:
        """Watch what matters."""
        self.watch(resources.NAMESPACES)
        self.watch(resources.CONFIG_MAPS, self._lost)

    @staticmethod
    def _lost(event: Event) -> list[Key]:
        gone = event.type == "DELETED" and event.entry.name == BUNDLE
        return [("", event.entry.namespace)] if gone else []

    def reconcile(self, key: Key) -> None:
        """Make the world right for one key."""
        namespace = self.store.get(resources.NAMESPACES.storage, *key)
        if namespace is None:
            return
        if not namespace.deleting:
            self._equip(namespace)
            return
        left: dict[str, int] = {}
        for resource in self._content():
            for entry in self.store.entries(resource.storage, namespace.name):
                if not entry.deleting:
                    self.api.delete(
                        resource, namespace.name, entry.name, DeleteOptions("Background")
                    )
            count = len(list(self.store.entries(resource.storage, namespace.name)))
            if count:
                left[f"{resource.plural}.{resource.group}"] = count
        self._describe(namespace, left)
        if left:
            self.enqueue(key, _AGAIN)
        else:
            self._finish(namespace)

    def _content(self) -> list[Resource]:
        return [one for one in self.api.registry.stored() if one.namespaced]

    def _equip(self, namespace: Entry) -> None:
        if self.store.get(resources.SERVICE_ACCOUNTS.storage, namespace.name, "default") is None:
            account: Object = {"metadata": {"name": "default"}}
            self.api.create(resources.SERVICE_ACCOUNTS, namespace.name, account, CONTROLLER_MANAGER)
        if self.store.get(resources.CONFIG_MAPS.storage, namespace.name, BUNDLE) is None:
            annotations = {"kubernetes.io/description": _ABOUT_BUNDLE}
            bundle: Object = {
                "metadata": {"name": BUNDLE, "annotations": annotations},
                "data": {"ca.crt": self.authority},
            }
            self.api.create(resources.CONFIG_MAPS, namespace.name, bundle, CONTROLLER_MANAGER)

    def _describe(self, namespace: Entry, left: dict[str, int]) -> None:
        now = self.clock.stamp()
        remaining = "; ".join(
            f"{name.rstrip('.')} has {n} resource instances" for name, n in left.items()
        )
        found = {
            "NamespaceDeletionDiscoveryFailure": (
                "False",
                "ResourcesDiscovered",
                "All resources successfully discovered",
            ),
            "NamespaceDeletionGroupVersionParsingFailure": (
                "False",
                "ParsedGroupVersions",
                "All legacy kube types successfully parsed",
            ),
            "NamespaceDeletionContentFailure": (
                "False",
                "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization",
            ),
            "NamespaceContentRemaining": (
                ("True", "SomeResourcesRemain", f"Some resources are remaining: {remaining}")
                if left
                else ("False", "ContentRemoved", "All content successfully removed")
            ),
        }
        before = {one["type"]: one for one in namespace.status.get("conditions") or ()}
        conditions = []
        for type_, (status, reason, message) in found.items():
            old = before.get(type_, {})
            since = old["lastTransitionTime"] if old.get("status") == status else now
            conditions.append(
                {
                    "type": type_,
                    "status": status,
                    "lastTransitionTime": since,
                    "reason": reason,
                    "message": message,
                }
            )

        def alter(data: Object) -> None:
            data["status"] = {"phase": "Terminating", "conditions": conditions}

        self.api.change(resources.NAMESPACES, namespace, alter, CONTROLLER_STATUS)

    def _finish(self, namespace: Entry) -> None:
        def alter(data: Object) -> None:
            data["spec"]["finalizers"] = []

        self.api.change(resources.NAMESPACES, namespace, alter, CONTROLLER_MANAGER)
