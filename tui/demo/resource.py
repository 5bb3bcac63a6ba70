"""One served type: its names, its verbs, its subresources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

READ_ONLY: Final = ("get", "list")
CREATE_ONLY: Final = ("create",)
_ALL: Final = (
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
)
ALL_BUT_COLLECTION: Final = tuple(verb for verb in _ALL if verb != "deletecollection")


@dataclass(frozen=True, slots=True)
class Resource:
    """One served type."""

    group: str
    """API group; ``""`` is the core group."""
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    status: bool = False
    """Has a status subresource, so a plain update leaves the status alone."""
    scale: bool = False
    others: tuple[str, ...] = ()
    """Further subresources, such as ``log``."""
    verbs: tuple[str, ...] = _ALL
    alias_of: Resource | None = None
    """The stored type, where this is another version or group of the same objects."""
    counts_generation: bool = False
    """A change of the spec raises ``metadata.generation``."""
    custom: bool = False
    """Comes from a CustomResourceDefinition, so that no rule for a known kind is meant for it."""
    singular_name: str = ""
    """The singular, where it is not the kind in lower case."""
    list_kind_name: str = ""
    """The list's kind, where it is not the kind and ``List``."""

    @property
    def group_version(self) -> str:
        """``apps/v1``; the core group has the version alone."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """``deployments.apps``, the name errors use; the core group has the plural alone."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified_kind(self) -> str:
        """``Deployment.apps``."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def storage(self) -> str:
        """The name under which the store keeps the objects."""
        return self.alias_of.storage if self.alias_of else self.qualified

    @property
    def stored_as(self) -> Resource:
        """The type whose version is the stored one; mostly the same."""
        return self.alias_of or self

    @property
    def built_in(self) -> str:
        """The kind, if its rules are Kubernetes' own; empty for custom resources."""
        return "" if self.custom else self.kind

    @property
    def list_kind(self) -> str:
        """The kind of lists."""
        return self.list_kind_name or f"{self.kind}List"

    @property
    def stored(self) -> bool:
        """False for what is computed at each request, such as metrics."""
        return self.verbs not in (READ_ONLY, CREATE_ONLY)

    @property
    def singular(self) -> str:
        """The name a user may type instead of the plural."""
        return self.singular_name or self.kind.lower()

    def has(self, subresource: str) -> bool:
        """Whether the subresource is served."""
        return (
            (subresource == "status" and self.status)
            or (subresource == "scale" and self.scale)
            or subresource in self.others
        )
