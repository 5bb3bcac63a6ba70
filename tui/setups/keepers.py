"""Who keeps a field as it is: what a change by hand of somebody else's object comes to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tui.cluster import ownership
from tui.cluster.objects import Object
from tui.setups import managed
from tui.setups.diff import Difference

_TOOLS: Final = (
    ("argocd", "Argo CD", "sets it back when it syncs, with selfHeal within seconds"),
    ("helm", "Helm", "sets it back at the release's next upgrade"),
    ("kustomize-controller", "Flux", "sets it back within its interval"),
    ("flux", "Flux", "sets it back within its interval"),
    ("terraform", "Terraform", "sets it back when it is applied next"),
    ("pulumi", "Pulumi", "sets it back when it is applied next"),
    (
        "kubectl-client-side-apply",
        "kubectl apply",
        "sets it back when the manifest is applied next",
    ),
    ("vpa-", "The VPA", "sets it as it sees fit"),
)
"""Field managers by how their names begin, what they are called, and what they will do."""
_LABELS: Final = (
    ("Argo CD", "Argo CD", "sets it back when it syncs, with selfHeal within seconds"),
    ("Flux", "Flux", "sets it back within its interval"),
    ("Helm", "Helm", "sets it back at the release's next upgrade"),
)
"""Owners as :func:`tui.cluster.ownership.owner` names them, whatever manager writes for them."""


def keepers(live: Object, changes: Sequence[Difference]) -> tuple[str, ...]:
    """Sentences: who manages the fields that would change, and what that means for the change.

    Args:
        live: the object with its ``managedFields``.
        changes: what would change.
    """
    said: dict[tuple[str, str], list[str]] = {}
    every = managed.managers(live)
    free = []
    for one in changes:
        # Only what a manager wrote itself: `resources: {}` is no word on what is in it.
        owners = [
            m
            for m in every
            if not m.subresource and any(f[: len(one.path)] == one.path for f in m.fields)
        ]
        keeper = next((found for m in owners if (found := _keeper(live, m)) is not None), None)
        if keeper is not None:
            said.setdefault(keeper, []).append(one.change.path)
        elif not owners:
            free.append(one.change.path)
    lines = [
        f"{who} manages {_listed(paths)}, and {does}: change it there, too."
        for (who, does), paths in said.items()
    ]
    owner = _owner(live)
    if free and owner:
        lines.append(
            f"It belongs to {owner}, which does not set {_listed(free)}: the change stays, but "
            "write it there, too."
        )
    return tuple(lines)


def _keeper(live: Object, manager: managed.Manager) -> tuple[str, str] | None:
    """Who will set a field back that this manager owns, and how; None if nobody will."""
    setup = ownership.setup_of(live)
    if setup is not None and manager.name == ownership.MANAGER:
        return f"The setup {setup}", "sets it back when it is applied next"
    by_label = ownership.owner(live)
    for start, _, does in _LABELS:
        if by_label.startswith(start) and manager.name.startswith(
            ("kubectl", "argocd", "helm", "kustomize", "flux")
        ):
            return by_label, does
    for start, who, does in _TOOLS:
        if manager.name.lower().startswith(start):
            return who, does
    if manager.operation == "Apply":
        return manager.name, "sets it back when it is applied next"
    return None


def _owner(live: Object) -> str:
    """Whose the object is, where a tool keeps it."""
    owner = ownership.owner(live)
    return owner if owner.startswith(tuple(start for start, _, _ in _LABELS)) else ""


def _listed(paths: list[str]) -> str:
    return paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"
