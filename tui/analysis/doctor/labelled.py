"""Finds what bears the labels of a selector without asking each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from tui.analysis.selectors import matches
from tui.state.rows import PodRow, Requirement

T = TypeVar("T")


class Labelled(Generic[T]):
    """Pods, or what stands for some that are labelled alike, by namespace and each label."""

    def __init__(self, items: Iterable[T], pod: Callable[[T], PodRow]) -> None:
        self._pod = pod
        self._items: dict[tuple[str, tuple[str, str] | None], list[T]] = {}
        for item in items:
            row = pod(item)
            for label in (None, *row.labels):
                self._items.setdefault((row.namespace, label), []).append(item)

    def matching(self, namespace: str, terms: Sequence[Requirement]) -> list[T]:
        """What a selector matches; nothing without one."""
        if not terms:
            return []
        plain = next((t for t in terms if t.op == "In" and len(t.values) == 1), None)
        label = (plain.key, plain.values[0]) if plain is not None else None
        found = self._items.get((namespace, label), ())
        if plain is not None and len(terms) == 1:
            return list(found)
        return [item for item in found if matches(terms, self._pod(item).labels)]
