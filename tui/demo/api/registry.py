"""The served types of one cluster: the built-in ones and those that definitions add."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tui.demo import resources
from tui.demo.custom import definitions
from tui.demo.resource import Resource
from tui.demo.store import Event, Object, Store

Listener = Callable[[Resource], None]


class Registry:
    """Finds types by path and by kind.

    Args:
        store: whose CustomResourceDefinitions count; those that are not established do not.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listeners: list[Listener] = []
        self._known: set[str] = set()
        self.generation = 0
        """Grows with every change of a definition."""
        self._read()
        store.subscribe(resources.DEFINITIONS.storage, self._changed)

    def _changed(self, _: Event) -> None:
        self._read()
        self.generation += 1
        for resource in self.custom:
            if not resource.alias_of and resource.storage not in self._known:
                self._known.add(resource.storage)
                for listener in tuple(self._listeners):
                    listener(resource)

    def _read(self) -> None:
        custom: list[Resource] = []
        self._schemas: dict[Resource, Object] = {}
        for entry in self._store.list_at(resources.DEFINITIONS.storage, None, None):
            if definitions.is_established(entry):
                for resource in definitions.resources_of(entry):
                    custom.append(resource)
                    self._schemas[resource] = definitions.schema_of(entry, resource.version)
        self.custom = tuple(custom)
        self._all = (*resources.SERVED, *self.custom)
        self._by_path = {(r.group, r.version, r.plural): r for r in self._all}
        self._by_kind = {(r.group_version, r.kind): r for r in self._all}

    def on_added(self, listener: Listener) -> None:
        """Call the listener with each type that a definition adds from now on, once."""
        self._listeners.append(listener)

    def all(self) -> tuple[Resource, ...]:
        """Every served type."""
        return self._all

    def stored(self) -> Iterator[Resource]:
        """The types that have objects of their own in the store."""
        return (r for r in self._all if r.stored and not r.alias_of)

    def schema_of(self, resource: Resource) -> Object:
        """The structural schema of a custom resource."""
        return self._schemas.get(resource, {})

    def columns_of(self, resource: Resource) -> list[Object]:
        """The printer columns of a custom resource."""
        entry = self._store.get(resources.DEFINITIONS.storage, "", resource.qualified)
        version = definitions.version_of(entry, resource.version) if entry is not None else {}
        return list(version.get("additionalPrinterColumns") or ())

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource at ``/apis/group/version/plural``."""
        return self._by_path.get((group, version, plural))

    def find_kind(self, group_version: str, kind: str) -> Resource | None:
        """The resource whose objects carry this ``apiVersion`` and ``kind``."""
        return self._by_kind.get((group_version, kind))

    def versions(self) -> dict[str, list[str]]:
        """Group → its versions, the preferred first, in order of service."""
        found: dict[str, list[str]] = {}
        for resource in self._all:
            seen = found.setdefault(resource.group, [])
            if resource.version not in seen:
                seen.append(resource.version)
        return found

    def in_group(self, group: str, version: str) -> Iterator[Resource]:
        """What one group version serves."""
        return (r for r in self._all if r.group == group and r.version == version)
