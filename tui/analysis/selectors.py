"""Label selectors, as the API server evaluates them.

https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

from __future__ import annotations

from collections.abc import Sequence

from tui.state.rows import Labels, Requirement


def matches(selector: Sequence[Requirement], labels: Labels) -> bool:
    """Whether every term holds. An empty selector matches everything."""
    have = dict(labels)
    return all(_holds(term, have) for term in selector)


def _holds(term: Requirement, have: dict[str, str]) -> bool:
    match term.op:
        case "In":
            return have.get(term.key) in term.values
        case "NotIn":
            return have.get(term.key) not in term.values
        case "Exists":
            return term.key in have
        case "DoesNotExist":
            return term.key not in have
        case _:
            return False
