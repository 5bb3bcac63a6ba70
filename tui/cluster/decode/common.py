"""What every family of objects shares: wire types of the metadata, instants, quantities, sharing.

Wire types name only the fields that are used; msgspec skips the rest without building it. Every
field may be absent or null, for real servers send both. Unknown values of an enumeration stay
strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Final, TypeAlias, TypeVar

import msgspec

from tui import quantity
from tui.state.rows import Condition, Labels, Owner, Requirement

T = TypeVar("T")

Int32: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
"""As the API has counts and ports. An object with a larger one is no object of Kubernetes: no float
may be able to hold it.
"""


class OwnerReference(msgspec.Struct, gc=False):
    """``metadata.ownerReferences[]``."""

    kind: str | None = None
    name: str | None = None
    uid: str | None = None
    controller: bool | None = None


class Meta(msgspec.Struct, gc=False):
    """``metadata``."""

    uid: str | None = None
    name: str | None = None
    namespace: str | None = None
    resourceVersion: str | None = None  # noqa: N815 (the wire's name)
    creationTimestamp: str | None = None  # noqa: N815
    deletionTimestamp: str | None = None  # noqa: N815
    labels: dict[str, str | None] | None = None
    annotations: dict[str, str | None] | None = None
    ownerReferences: list[OwnerReference] | None = None  # noqa: N815


class LeanMeta(msgspec.Struct, gc=False):
    """``metadata`` of objects whose annotations may be long and are not used."""

    uid: str | None = None
    name: str | None = None
    namespace: str | None = None
    resourceVersion: str | None = None  # noqa: N815
    creationTimestamp: str | None = None  # noqa: N815
    deletionTimestamp: str | None = None  # noqa: N815
    labels: dict[str, str | None] | None = None
    ownerReferences: list[OwnerReference] | None = None  # noqa: N815


class Expression(msgspec.Struct, gc=False):
    """``matchExpressions[]`` of a label selector."""

    key: str | None = None
    operator: str | None = None
    values: list[str | None] | None = None


class Selector(msgspec.Struct, gc=False):
    """A ``LabelSelector``."""

    matchLabels: dict[str, str | None] | None = None  # noqa: N815
    matchExpressions: list[Expression] | None = None  # noqa: N815


class WireCondition(msgspec.Struct, gc=False):
    """``status.conditions[]`` of any object."""

    type: str | None = None
    status: str | None = None
    reason: str | None = None
    message: str | None = None
    lastTransitionTime: str | None = None  # noqa: N815


class NamedObject(msgspec.Struct, gc=False):
    """A reference by kind and name, such as ``scaleTargetRef`` or ``targetRef``."""

    kind: str | None = None
    name: str | None = None
    uid: str | None = None
    apiVersion: str | None = None  # noqa: N815


class MalformedObjectError(ValueError):
    """The object cannot be a row: it has no uid or no name."""


class Shared:
    """Gives one object for all equal ones, so that ten thousand pods share a few label tuples.

    A bounded cache: a cluster whose values never repeat costs no more than ``limit`` entries.
    Safe between threads, for each step is one dictionary operation.
    """

    def __init__(self, limit: int = 8192) -> None:
        self._limit = limit
        self._known: dict[object, object] = {}

    def __call__(self, value: T) -> T:
        """The first value seen that equals this one."""
        known = self._known
        if len(known) >= self._limit:
            known.clear()
        return known.setdefault(value, value)  # type: ignore[return-value]  # equal, so same type


shared: Final = Shared()
"""Namespaces, node names, statuses, reasons, label tuples, owners, container tuples."""

ABSENT: Final = "0001-01-01T00:00:00Z"
"""Go's zero time, which some clients write for null."""

_LONGEST_INSTANT: Final = 40
_LONGEST_NUMBER: Final = 32
_MOST: Final = 2**63 - 1
"""The API server takes a quantity of ``1e999``, which no float can hold."""


@lru_cache(maxsize=2048)
def instant(text: str | None) -> float | None:
    """RFC 3339, with or without a fraction, as seconds since the epoch; None if it is neither.

    Cached, because an object's several times are mostly the same second.
    """
    if not text or text == ABSENT or len(text) > _LONGEST_INSTANT:
        return None
    try:
        parsed = datetime.fromisoformat(text)
        return parsed.timestamp() if parsed.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def labels_of(labels: Mapping[str, str | None] | None) -> Labels:
    """Labels as sorted pairs, one tuple for all objects that have the same."""
    if not labels:
        return ()
    return shared(tuple(sorted([(key, value or "") for key, value in labels.items()])))


def owner_of(references: list[OwnerReference] | None) -> Owner | None:
    """The controller among the owner references."""
    for reference in references or ():
        if reference.controller and reference.uid:
            return shared(Owner(reference.kind or "", reference.name or "", reference.uid))
    return None


def requirements_of(selector: Selector | None) -> tuple[Requirement, ...]:
    """The terms of a label selector, equality as In with one value, sorted by key."""
    if selector is None:
        return ()
    terms = [
        Requirement(key, "In", (value or "",))
        for key, value in (selector.matchLabels or {}).items()
    ]
    terms += [
        Requirement(e.key or "", e.operator or "", tuple(v or "" for v in e.values or ()))
        for e in selector.matchExpressions or ()
    ]
    terms.sort(key=lambda term: term.key)
    return shared(tuple(terms))


def conditions_of(conditions: list[WireCondition] | None) -> tuple[Condition, ...]:
    """Conditions that have a type, in the server's order."""
    return tuple(
        Condition(
            shared(c.type),
            shared(c.status or "Unknown"),
            shared(c.reason or ""),
            c.message or "",
            instant(c.lastTransitionTime),
        )
        for c in conditions or ()
        if c.type
    )


def identity(meta: LeanMeta | Meta | None) -> tuple[str, str, str, float]:
    """uid, name, namespace and time of creation.

    Raises:
        MalformedObjectError: it has no uid or no name.
    """
    if meta is None or not meta.uid or not meta.name:
        raise MalformedObjectError("an object without uid or name")
    return (
        meta.uid,
        meta.name,
        shared(meta.namespace or ""),
        instant(meta.creationTimestamp) or 0.0,
    )


def milli(text: str | int | float | None) -> int | None:
    """A quantity in thousandths; None if it is absent or no quantity.

    The metrics API writes nanocores that never repeat: those are reckoned without the cache.
    """
    if type(text) is str:
        if text[-1:] == "n" and _is_number(text[:-1]):
            return bounded(-(-int(text[:-1]) // 1_000_000))
        try:
            return bounded(quantity.milli(text))
        except quantity.QuantityError:
            return None
    return None if text is None else milli(str(text))


def bounded(value: int) -> int:
    """The value, or the highest or lowest that 64 bits hold."""
    return value if -_MOST <= value <= _MOST else _MOST if value > 0 else -_MOST


def approximate(text: str | int | float | None) -> float | None:
    """A quantity as the float that Go makes of it; None if it is absent, no quantity, too large."""
    try:
        return None if text is None else quantity.approximate(str(text))
    except (quantity.QuantityError, OverflowError):
        return None


def whole(text: str | int | float | None) -> int | None:
    """A quantity in whole units (bytes, pods); None if it is absent or no quantity."""
    if type(text) is str:
        if text[-2:] == "Ki" and _is_number(text[:-2]):
            return bounded(int(text[:-2]) * 1024)
        try:
            return bounded(quantity.whole(text))
        except quantity.QuantityError:
            return None
    return None if text is None else whole(str(text))


def _is_number(text: str) -> bool:
    return text.isdecimal() and text.isascii() and len(text) < _LONGEST_NUMBER
