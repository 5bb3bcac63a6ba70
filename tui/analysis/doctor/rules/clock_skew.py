"""This machine's clock and the API server's differ."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.rule import Rule
from tui.state.fetched import ClockFact, ClockFetch, Fetch

_ALLOWED: Final = 5
"""Seconds. The Date of an answer is in whole seconds, and the way takes its time."""


def _wants(patient: Patient) -> Iterable[Fetch]:
    yield ClockFetch()


def _examine(patient: Patient) -> Iterable[Finding]:
    fact = patient.fact(ClockFetch(), ClockFact)
    if fact is None or patient.simulated or abs(fact.ahead) <= _ALLOWED:
        return
    way = "behind" if fact.ahead > 0 else "ahead of"
    yield RULE.found(
        "Cluster",
        f"This machine's clock is {abs(fact.ahead)} s {way} the API server's",
        "Ages, countdowns and the order of what happened here and there are off by as much; "
        "tokens and certificates may count as expired, or not valid yet. Ages on this screen are "
        "set right by it.",
        [Evidence("API server", "Date of its answers", f"{fact.ahead:+d} s against this machine")],
        Fix(
            "Set both clocks by NTP. A virtual machine whose clock stood still while the laptop "
            "slept is put right by a restart of it.",
            "date -u",
        ),
    )


RULE: Final = Rule(
    id="clock-skew",
    title="Clocks differ",
    severity=Severity.WARNING,
    page=(
        "Every answer of the API server carries its Date. If it differs from this machine's clock "
        "by more than a few seconds, one of the two is wrong: often a virtual machine's after the "
        "laptop has slept."
    ),
    examine=_examine,
    wants=_wants,
)
