"""What an HPA's custom and external metrics read, as the two APIs answer."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tui.state.rows import MetricRow, Requirement


class PodReading(msgspec.Struct, frozen=True, gc=False):
    """A pod's value of a custom metric, in thousandths."""

    pod: str
    value: int
    time: float = 0.0
    window: float = 60.0
    """Seconds; a minute where the API does not say."""


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One metric's answer: values a pod, or values of series or an object, or why there is none."""

    pods: tuple[PodReading, ...] | None = None
    levels: tuple[int, ...] | None = None
    """Thousandths, one a series."""
    problem: str = ""
    """Why the controller cannot read it either."""
    unread: str = ""
    """Why we cannot read it, though the controller may: no right, no answer."""


class Needs(msgspec.Struct, frozen=True):
    """The custom and external metrics of the HPA in view, which alone are asked for."""

    hpa: str
    """Its uid."""
    namespace: str
    selector: tuple[Requirement, ...]
    """Of the scale target's pods."""
    metrics: Mapping[int, MetricRow]
    """By position in the HPA's metrics."""
