"""Connections that stay open keep load away from new pods."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import count
from tui.load.share import shares
from tui.state.load import BurstRow

_LEAST: Final = 1000
"""Requests, below which a spread says little."""
_REUSED: Final = 20
"""Requests a connection, from which on connections are kept."""
_SETTLED: Final = 20.0
"""Seconds of a burst, before which a pod may just not have had its turn."""
_RECENT: Final = 600.0
_LITTLE: Final = 0.5
"""Of a fair share: a pod with less is left out."""


def _examine(patient: Patient) -> Iterable[Finding]:
    for burst in patient.delta.bursts:
        pods = max(burst.behind or 0, len(burst.pods))
        answered = sum(burst.pods.values())
        if pods < 2 or answered < _LEAST or burst.elapsed < _SETTLED or burst.bypasses:
            continue
        if patient.now - burst.began - burst.elapsed > _RECENT:
            continue
        if answered < _REUSED * max(1, burst.opened) or not _is_skewed(burst, pods, answered):
            continue
        yield _finding(burst, pods, answered)


def _is_skewed(burst: BurstRow, pods: int, answered: int) -> bool:
    fewest = min(burst.pods.values()) if len(burst.pods) == pods else 0
    return fewest < _LITTLE * answered / pods


def _finding(burst: BurstRow, pods: int, answered: int) -> Finding:
    spread = shares(burst.pods, burst.opened, pods)
    silent = pods - len(burst.pods)
    idle = f"{count(silent, 'pod')} of {pods} got nothing" if silent else "some pods got little"
    name = f"Burst {burst.number} at {burst.target}"
    return RULE.found(
        name,
        f"{idle[:1].upper()}{idle[1:]} of the load on {burst.target}: connections stay where "
        "they are",
        "A connection is given to a pod once, when it is opened, and all its requests go there. "
        "A client or a proxy that keeps connections open goes on with the old pods, and those that "
        f"the HPA has added stay idle. {spread.sentence}",
        [
            Evidence(name, "requests per connection", str(answered // max(1, burst.opened))),
            *(
                Evidence(f"Pod {share.pod}", "share of requests", f"{100 * share.share:.0f} %")
                for share in spread.pods[:5]
            ),
            *([Evidence(name, "pods without a request", str(silent))] if silent else []),
        ],
        Fix(
            "Limit how long a connection lives (nginx: keepalive_requests, keepalive_time; "
            "uvicorn: --limit-max-requests), or fire with keep-alive off to compare "
            "(--disable-keepalive).",
        ),
    )


RULE: Final = Rule(
    id="keepalive-skew",
    title="Keep-alive pins load to old pods",
    severity=Severity.WARNING,
    page=(
        "kube-proxy chooses a pod at random for each connection, not for each request. With "
        "keep-alive the choice is made once: 50 connections are 50 choices, however many requests "
        "follow, and pods that come later get none until connections are opened anew."
    ),
    examine=_examine,
)
