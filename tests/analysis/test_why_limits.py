"""Countdowns of windows and rate limits are told while they run, and not when they are over."""

from __future__ import annotations

import pytest

from tests.analysis.hpa_samples import NOW, inputs, remembered, spec, sync
from tui.analysis import hpa
from tui.analysis.why_steps import steps

ONE_A_MINUTE = hpa.ScalingRules(policies=(hpa.ScalingPolicy("Pods", 1, 60),))
SLOWLY_UP = hpa.ScalingRules(stabilization_window_seconds=60)
JUST_NOW = hpa.Memory(scale_up_events=(hpa.ScaleEvent(1, NOW - 50),))


@pytest.mark.parametrize(
    ("rules", "memory", "key", "running", "over"),
    [
        (ONE_A_MINUTE, JUST_NOW, "rate", "frees in ~10 s", "frees"),
        (SLOWLY_UP, remembered((2, 50)), "window", "10 s more", "more"),
    ],
)
def test_a_countdown_ends(
    rules: hpa.ScalingRules, memory: hpa.Memory, key: str, running: str, over: str
) -> None:
    outcome = sync(spec(behavior=hpa.Behavior(scale_up=rules)), inputs(90, 90), memory)

    def said(now: float) -> str:
        (step,) = (one for one in steps(outcome, now) if one.key == key)
        return " ".join(piece.text for line in (step.says, *step.notes) for piece in line)

    assert running in said(NOW)
    assert over not in said(NOW + 11)
