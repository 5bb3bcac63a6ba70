"""Who decides the number of replicas, so that applying again never resets what an HPA chose.

A manifest says how many pods to begin with. Once an HPA scales the object, that number is the
HPA's: the field is left out of what is applied, or repeated as it is while the field is still ours,
since leaving out a field of one's own resets it to its default (`transferring ownership`_).

.. _transferring ownership:
   https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from tui.cluster import ownership
from tui.cluster.objects import Object, Ref
from tui.setups import managed

_REPLICAS: Final[managed.Path] = ("f:spec", "f:replicas")
_AUTOSCALERS: Final = frozenset({"kube-controller-manager", "horizontal-pod-autoscaler", "k3s"})
SCALED: Final = frozenset({"Deployment", "StatefulSet"})


def targets(hpas: Iterable[Object]) -> set[tuple[str, str]]:
    """Kind and name of each object that one of these HPAs scales."""
    found = set()
    for hpa in hpas:
        target = (hpa.get("spec") or {}).get("scaleTargetRef") or {}
        found.add((str(target.get("kind")), str(target.get("name"))))
    return found


def hand_over(body: Object, ref: Ref, live: Object | None, scaled: set[tuple[str, str]]) -> Object:
    """What to apply of a manifest, given what is there.

    Args:
        body: as rendered.
        ref: which object.
        live: as it is; None if it is to be created.
        scaled: from :func:`targets`.
    """
    spec = body.get("spec")
    if ref.kind not in SCALED or live is None or not isinstance(spec, dict):
        return body
    if "replicas" not in spec:
        return body
    owners = managed.owners(managed.managers(live), _REPLICAS)
    theirs = any(one.name in _AUTOSCALERS and one.subresource == "scale" for one in owners)
    if (ref.kind, ref.name) not in scaled and not theirs:
        return body
    ours = any(one.name == ownership.MANAGER for one in owners)
    changed: dict[str, Any] = {k: v for k, v in spec.items() if k != "replicas"}
    now = (live.get("spec") or {}).get("replicas")
    if ours and now is not None:
        changed["replicas"] = now
    return {**body, "spec": changed}
