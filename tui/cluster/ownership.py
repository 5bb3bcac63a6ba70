"""Whose an object is: ours by its labels, or somebody's by theirs and by ``managedFields``.

Ours is an object with both labels ``app.kubernetes.io/managed-by: kscale-tui`` and
``kscale-tui/setup: NAME``. Only such are ever changed or deleted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

Object: TypeAlias = dict[str, Any]
"""An API object as JSON."""

MANAGER: Final = "kscale-tui"
"""The field manager, and the value of `MANAGED_BY`."""
MANAGED_BY: Final = "app.kubernetes.io/managed-by"
SETUP: Final = "kscale-tui/setup"
DIGEST: Final = "kscale-tui/digest"
"""Annotation: SHA-256 of the manifest that was applied last."""
VALUES: Final = "kscale-tui/values"
"""Annotation: the values that were not the defaults when it was applied, as JSON."""
CONFIG: Final = "kscale-tui/config"
"""Annotation of a pod template: SHA-256 of the ConfigMaps it reads, so that a change rolls it."""
_LONGEST: Final = 20_000
_NOT_PEOPLE: Final = frozenset({"kube-controller-manager", "k3s", "kube-scheduler", "kubelet"})


def selector(setup: str | None = None) -> str:
    """The label selector of a setup's objects; of every setup's for None."""
    ours = f"{MANAGED_BY}={MANAGER}"
    return f"{ours},{SETUP}={setup}" if setup is not None else f"{ours},{SETUP}"


def setup_of(live: Object) -> str | None:
    """The setup that an object belongs to; None if it is not ours."""
    labels = _map(live, "labels")
    found = labels.get(SETUP)
    return str(found) if found and labels.get(MANAGED_BY) == MANAGER else None


def values_of(live: Object) -> dict[str, Any]:
    """The values noted by `VALUES`; empty if there are none that can be read."""
    try:
        found = json.loads(str(_map(live, "annotations").get(VALUES, "{}"))[:_LONGEST])
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def owner(live: Object) -> str:
    """Whose a foreign object is, in words: ``Helm release web``, ``kubectl apply (kubectl)``."""
    labels, annotations = _map(live, "labels"), _map(live, "annotations")
    ours = setup_of(live)
    if ours is not None:
        return f"the setup {ours}"
    release = annotations.get("meta.helm.sh/release-name")
    if release:
        return f"Helm release {release}"
    tracked = annotations.get("argocd.argoproj.io/tracking-id") or labels.get(
        "argocd.argoproj.io/instance"
    )
    if tracked:
        return f"Argo CD application {str(tracked).partition(':')[0]}"
    for name in ("kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name"):
        if labels.get(name):
            return f"Flux {name.partition('.')[0]} {labels[name]}"
    for reference in live.get("metadata", {}).get("ownerReferences") or ():
        return f"{reference.get('kind', 'object')} {reference.get('name', '')}"
    said = labels.get(MANAGED_BY)
    if said and said != MANAGER:
        return f"{said}, as its label managed-by says"
    managers = [name for name in _managers(live) if name != MANAGER]
    if managers:
        return f"the field manager {managers[0]}"
    return "somebody who left no name"


def canonical(value: Any) -> bytes:
    """JSON in one form for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(value: Any) -> str:
    """SHA-256 of a value, 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _managers(live: Object) -> list[str]:
    """Who wrote the object's main part, the latest first; controllers only if nobody else did."""
    entries = [
        (str(one.get("time", "")), str(one.get("manager", "")))
        for one in live.get("metadata", {}).get("managedFields") or ()
        if isinstance(one, Mapping) and not one.get("subresource")
    ]
    names = list(dict.fromkeys(name for _, name in sorted(entries, reverse=True) if name))
    people = [name for name in names if name not in _NOT_PEOPLE]
    return sorted(people, key=lambda name: not name.startswith("kubectl")) or names


def _map(live: Object, name: str) -> dict[str, Any]:
    found = live.get("metadata", {}).get(name)
    return found if isinstance(found, dict) else {}
