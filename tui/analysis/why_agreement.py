"""Whether our reckoning of a look came to what the controller wrote, and if not, why not."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from tui.analysis import hpa
from tui.analysis.why_words import value_of

_KEPT: Final = 20


class Difference(NamedTuple):
    """A look at which we came to another size than the controller."""

    at: float
    theirs: int
    ours: int
    why: str


class Agreement(msgspec.Struct, frozen=True):
    """How often we came to the controller's size."""

    looks: int = 0
    agreed: int = 0
    differences: tuple[Difference, ...] = ()
    """The latest, oldest first."""

    @property
    def share(self) -> float | None:
        """From 0 to 1; None before the first look."""
        return self.agreed / self.looks if self.looks else None


class Ledger(msgspec.Struct):
    """Counts looks. A look may be judged again when a sample that it lacked has come."""

    looks: int = 0
    agreed: int = 0
    differences: deque[Difference] = msgspec.field(default_factory=lambda: deque(maxlen=_KEPT))

    def count(self, found: Difference | None) -> None:
        """Enter a look."""
        self.looks += 1
        if found is None:
            self.agreed += 1
        else:
            self.differences.append(found)

    def again(self, before: Difference | None, found: Difference | None) -> None:
        """Judge the last look anew."""
        if before is not None and before in self.differences:
            self.differences.remove(before)
        self.agreed += (before is not None) - (found is not None)
        if found is not None:
            self.differences.append(found)

    @property
    def agreement(self) -> Agreement:
        """What was counted so far."""
        return Agreement(self.looks, self.agreed, tuple(self.differences))


def same_figures(decision: hpa.Decision, status: hpa.Status) -> bool:
    """Whether the metrics read the same, to the last digit: then the same samples were used."""
    if not decision.metrics:
        return True  # the count was clamped without reading any, or nothing could be read
    return figures([result.status for result in decision.metrics]) == figures(
        status.current_metrics
    )


def figures(metrics: Iterable[hpa.MetricStatus]) -> tuple[object, ...]:
    """What was read, to compare; nothing at all where no metric has a figure."""
    found = tuple(_figures(metric) for metric in metrics)
    return found if any(name for name, *_ in found) else ()


def difference(outcome: hpa.Outcome, status: hpa.Status, at: float) -> Difference | None:
    """How the outcome differs from the status in size; None if it does not."""
    ours, theirs = outcome.status.desired_replicas, status.desired_replicas
    if ours == theirs:
        return None
    return Difference(at, theirs, ours, _why(outcome, status))


def _why(outcome: hpa.Outcome, status: hpa.Status) -> str:
    decision = outcome.decision
    if decision.current is not None and decision.current != status.current_replicas:
        return f"it found {status.current_replicas} replicas, we {decision.current}"
    if not same_figures(decision, status):
        return f"it read {_read(status)}, our sample says {_read(outcome.status)}"
    limits = decision.normalization
    held = limits is not None and limits.stabilization.reason.endswith("Stabilized")
    theirs_held = _reason(status, "AbleToScale").endswith("Stabilized")
    if theirs_held and not held:
        return "it remembers a recommendation from before we watched"
    if held and not theirs_held:
        return "what we remember has left its window"
    theirs, ours = _reason(status, "ScalingLimited"), _reason(outcome.status, "ScalingLimited")
    if theirs != ours:
        return "it counts rescales otherwise against its rate limit"
    return "the reason is not seen from outside"


def _read(status: hpa.Status) -> str:
    parts = []
    for metric in status.current_metrics:
        if metric.average_utilization is not None:
            parts.append(f"{metric.average_utilization} %")
        else:
            value = metric.average_value if metric.value is None else metric.value
            said = "nothing" if value is None else value_of(metric.type, metric.name, value)
            parts.append(said)
    return ", ".join(parts) or "nothing"


def _figures(metric: hpa.MetricStatus) -> tuple[str, int | None, int | None, int | None]:
    if metric.average_utilization is not None:
        # The mean beside a utilization tells samples apart that round to one percent.
        return metric.name, metric.average_utilization, metric.average_value, None
    return metric.name, None, metric.average_value, metric.value


def _reason(status: hpa.Status, type_: str) -> str:
    found = status.condition(type_)
    return found.reason if found is not None else ""
