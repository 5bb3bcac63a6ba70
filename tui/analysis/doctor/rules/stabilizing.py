"""An HPA waits before it changes its mind."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl
from tui.analysis.doctor.patches import hpa_patch
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import clock, hpa_name
from tui.analysis.tolerance import tolerances
from tui.state.rows import HpaRow

_DOWN, _UP = "ScaleDownStabilized", "ScaleUpStabilized"
_DEFAULT_DOWN: Final = 300


def _examine(patient: Patient) -> Iterable[Finding]:
    for hpa in patient.hpas:
        able = hpa.condition("AbleToScale")
        if able is None or able.reason not in (_DOWN, _UP) or not hpa.desired:
            continue
        now = _asked_now(hpa)
        down = able.reason == _DOWN
        # A hold that changes nothing, as at the minimum, is not worth a word.
        if now is None or (now >= hpa.desired if down else now <= hpa.desired):
            continue
        yield _finding(patient, hpa, able.reason, now)


def _asked_now(hpa: HpaRow) -> int | None:
    """The size that the metrics ask for by themselves, within minimum and maximum."""
    sizes = []
    for metric in hpa.metrics:
        if metric.current is None or not metric.target or metric.target_type == "Value":
            return None
        size = hpa.current or 0
        if not tolerances(hpa).within(metric.current / metric.target):
            size = -(-size * metric.current // metric.target)
        sizes.append(size)
    return max(hpa.min, min(hpa.max, max(sizes))) if sizes else None


def _finding(patient: Patient, hpa: HpaRow, reason: str, now: int) -> Finding:
    down = reason == _DOWN
    way, rules = ("down", hpa.scale_down) if down else ("up", hpa.scale_up)
    field = "scaleDown" if down else "scaleUp"
    set_ = rules.window if rules is not None else None
    window = set_ if set_ is not None else _DEFAULT_DOWN if down else 0
    since, seen = patient.held.get(hpa.uid, (patient.now, False))
    shorter = {field: {"stabilizationWindowSeconds": 60 if window > 60 else window // 2}}
    until = clock(since + window / patient.pace)
    when = f"until about {until}" if seen else f"until {until} at the latest"
    return RULE.found(
        hpa_name(hpa),
        f"{hpa.name} stays at {hpa.desired} {when}; the metrics ask for {now}",
        f"It takes the {'highest' if down else 'lowest'} size that it has reckoned in the last "
        f"{window} s, so that it does not follow every dip. When the last of the "
        f"{'higher' if down else 'lower'} ones is older than that, it scales {way}.",
        [
            Evidence(hpa_name(hpa), "status.conditions[AbleToScale]", f"True ({reason})"),
            Evidence(hpa_name(hpa), "status.desiredReplicas", str(hpa.desired)),
            Evidence(
                hpa_name(hpa), f"spec.behavior.{field}.stabilizationWindowSeconds",
                str(window) if set_ is not None else f"{window} (default)",
            ),
        ],
        Fix(
            f"Wait, or set a shorter window in spec.behavior.{field}.",
            kubectl(
                hpa.namespace, "patch", "hpa", hpa.name, "--type=merge", "-p",
                json.dumps({"spec": {"behavior": shorter}}, separators=(",", ":")),
            ),
            hpa_patch(hpa, {"behavior": shorter}),
        ),
    )  # fmt: skip


RULE: Final = Rule(
    id="stabilizing",
    title="Held by a stabilization window",
    severity=Severity.INFO,
    page=(
        "stabilizationWindowSeconds is how far the HPA looks back over its own recommendations: "
        "scaling down it takes the highest of them, scaling up the lowest. By default that is "
        "300 s down and 0 s up. It counts from when a higher recommendation was made, not from "
        "the last scaling."
    ),
    examine=_examine,
)
