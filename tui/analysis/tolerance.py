"""How far a metric may be from its target before the HPA acts, as an HPA's row tells it."""

from __future__ import annotations

from tui.analysis.hpa_inputs import DEFAULT_SETTINGS
from tui.analysis.replica_calculator import Tolerances
from tui.state.rows import HpaRow


def tolerances(hpa: HpaRow) -> Tolerances:
    """By direction: the behavior's where it is set, else the controller's default."""
    up = hpa.scale_up.tolerance if hpa.scale_up is not None else None
    down = hpa.scale_down.tolerance if hpa.scale_down is not None else None
    default = DEFAULT_SETTINGS.tolerance
    return Tolerances(default if up is None else up, default if down is None else down)


def is_over(hpa: HpaRow, current: int, target: int) -> bool:
    """Whether that figure asks for more pods."""
    return current / target > 1.0 + tolerances(hpa).up if target else current > 0
