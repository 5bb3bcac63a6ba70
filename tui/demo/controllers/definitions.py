"""CustomResourceDefinitions: established when they begin, emptied when they go.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

from __future__ import annotations

from typing import ClassVar, Final

from tui.demo import resources
from tui.demo.api.operations import Writer
from tui.demo.controllers.base import Controller
from tui.demo.custom import definitions
from tui.demo.store import Entry, Key, Object

_AGAIN: Final = 0.5
_SERVER: Final = Writer("kube-apiserver")
_SERVER_STATUS: Final = Writer("kube-apiserver", "status")


class DefinitionController(Controller):
    """Does what the API server's own controllers do with definitions."""

    name: ClassVar[str] = "crd-controller"
    latency: ClassVar[float] = 0.01

    def start(self) -> None:
        """Watch what matters."""
        self.watch(resources.DEFINITIONS)

    def reconcile(self, key: Key) -> None:
        """Make the world right for one key."""
        definition = self.store.get(resources.DEFINITIONS.storage, *key)
        if definition is None:
            return
        if definition.deleting:
            self._empty(definition)
        elif not definitions.is_established(definition):
            self._establish(definition)

    def _establish(self, definition: Entry) -> None:
        names = definition.spec["names"]
        clash = self._clash(definition)
        stored = next(one["name"] for one in definition.spec["versions"] if one.get("storage"))
        now = self.clock.stamp()

        def condition(type_: str, status: str, reason: str, message: str) -> Object:
            found = {"type": type_, "status": status, "lastTransitionTime": now}
            return found | {"reason": reason, "message": message}

        def alter(data: Object) -> None:
            if clash:
                conditions = [
                    condition("NamesAccepted", "False", "KindConflict", clash),
                    condition("Established", "False", "NotAccepted", "not all names are accepted"),
                ]
            else:
                conditions = [
                    condition("NamesAccepted", "True", "NoConflicts", "no conflicts found"),
                    condition(
                        "Established",
                        "True",
                        "InitialNamesAccepted",
                        "the initial names have been accepted",
                    ),
                ]
            accepted = {} if clash else names
            data["status"] = {
                "conditions": conditions,
                "acceptedNames": {"plural": names["plural"], "kind": names["kind"]} | accepted,
                "storedVersions": [stored],
            }

        if definition.status.get("conditions") is None or not clash:
            self.api.change(resources.DEFINITIONS, definition, alter, _SERVER_STATUS)

    def _clash(self, definition: Entry) -> str:
        group, kind = definition.spec["group"], definition.spec["names"]["kind"]
        for other in self.api.registry.all():
            if (other.group, other.kind) == (group, kind) and other.qualified != definition.name:
                return f'"{kind}" is already in use'
        return ""

    def _empty(self, definition: Entry) -> None:
        """Delete all objects, then let go of the definition."""
        resource = next(
            (one for one in self.api.registry.stored() if one.qualified == definition.name), None
        )
        left = list(self.store.entries(definition.name)) if resource is not None else []
        for entry in left:
            if resource is not None and not entry.deleting:
                self.api.delete(resource, entry.namespace, entry.name)
        if self.store.count(definition.name):
            self.enqueue(definition.key, _AGAIN)
            return

        def let_go(data: Object) -> None:
            kept = [
                one
                for one in data["metadata"].get("finalizers") or ()
                if one != definitions.FINALIZER
            ]
            data["metadata"]["finalizers"] = kept

        self.api.change(resources.DEFINITIONS, definition, let_go, _SERVER)
