"""Which nodes a pod may be on: selectors, affinity, taints. Pure functions over specs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tui.demo.api import selectors
from tui.demo.store import Entry, Object

_HARD: Final = ("NoSchedule", "NoExecute")


def selects(spec: Object, node: Entry) -> bool:
    """Whether ``nodeSelector`` and the required node affinity allow the node."""
    if not selectors.matches({"matchLabels": spec.get("nodeSelector")}, node.labels):
        return False
    terms = required_terms(spec)
    return not terms or any(_term(term, node) for term in terms)


def required_terms(spec: Object) -> list[Object]:
    """The terms of the required node affinity, one of which must hold."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    return list(required.get("nodeSelectorTerms") or ())


def _term(term: Object, node: Entry) -> bool:
    labels, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not labels and not fields:
        return False
    named = {"metadata.name": node.name}
    return all(_holds(one, node.labels) for one in labels) and all(
        _holds(one, named) for one in fields
    )


def _holds(requirement: Object, have: Mapping[str, Any]) -> bool:
    key, operator = requirement.get("key"), requirement.get("operator")
    values = requirement.get("values") or []
    found = have.get(str(key))
    if operator == "In":
        return found in values
    if operator == "NotIn":
        return found not in values
    if operator == "Exists":
        return found is not None
    if operator == "DoesNotExist":
        return found is None
    try:
        number, bound = int(str(found)), int(str(values[0]))
    except (ValueError, IndexError):
        return False
    return number > bound if operator == "Gt" else number < bound


def hard_taints(node: Entry) -> list[Object]:
    """The taints that keep pods away."""
    return [one for one in node.spec.get("taints") or () if one.get("effect") in _HARD]


def tolerates(spec: Object, taint: Object) -> bool:
    """Whether a pod puts up with a taint."""
    for one in spec.get("tolerations") or ():
        if one.get("effect") not in (None, "", taint["effect"]):
            continue
        if one.get("operator", "Equal") == "Exists":
            if one.get("key") in (None, "", taint["key"]):
                return True
        elif one.get("key") == taint["key"] and one.get("value", "") == taint.get("value", ""):
            return True
    return False
