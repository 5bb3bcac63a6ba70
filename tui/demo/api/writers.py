"""Who writes, and what a delete asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, for ``managedFields``."""

    manager: str
    subresource: str = ""
    dry_run: bool = False


CONTROLLER_MANAGER: Final = Writer("kube-controller-manager")
CONTROLLER_STATUS: Final = Writer("kube-controller-manager", "status")
SCHEDULER: Final = Writer("kube-scheduler")
KUBELET: Final = Writer("kubelet", "status")
API_SERVER: Final = Writer("kube-apiserver")


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """What a delete asks for."""

    propagation: str = "Background"
    """``Background``, ``Foreground`` or ``Orphan``."""
    grace: int | None = None
    """Seconds; None: what the object says."""
    uid: str = ""
    resource_version: str = ""
    dry_run: bool = False


DEFAULT_DELETE: Final = DeleteOptions()
