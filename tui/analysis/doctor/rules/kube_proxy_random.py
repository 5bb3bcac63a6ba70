"""kube-proxy chooses pods at random, not in turn."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.rule import Rule
from tui.state.fetched import ConfigMapFact, ConfigMapFetch, Fetch

_CONFIG: Final = ConfigMapFetch("kube-system", "kube-proxy")
_MODE: Final = re.compile(r"^mode:[ \t]*[\"']?(\w*)", re.MULTILINE)
_MODES: Final = {
    "": "iptables (the default on Linux)",
    "iptables": "iptables",
    "nftables": "nftables",
}


def _several(patient: Patient) -> bool:
    """Whether any Service has more than one pod to choose from."""
    return any(len(piece.ready) > 1 for piece in patient.delta.endpointslices.rows.values())


def _wants(patient: Patient) -> Iterable[Fetch]:
    if _several(patient):
        yield _CONFIG


def _examine(patient: Patient) -> Iterable[Finding]:
    fact = patient.fact(_CONFIG, ConfigMapFact)
    text = dict(fact.data).get("config.conf") if fact is not None else None
    mode = _MODE.search(text) if text is not None else None
    if mode is None or mode[1] not in _MODES or not _several(patient):
        return
    yield RULE.found(
        "ConfigMap kube-system/kube-proxy",
        "Services choose a pod at random for each connection, not in turn",
        "In this mode every new connection goes to a pod by chance. A few requests may well all "
        "reach the same one, and counts differ by chance; only many connections even out. Nor does "
        "the choice look at how busy a pod is.",
        [Evidence("ConfigMap kube-system/kube-proxy", "config.conf: mode", _MODES[mode[1]])],
        Fix(
            "Expect a spread, and judge it by many connections. kube-proxy's ipvs mode takes "
            "turns; so does a proxy that knows the pods.",
            kubectl("kube-system", "get", "configmap", "kube-proxy", "-o", "yaml"),
        ),
    )


RULE: Final = Rule(
    id="kube-proxy-random",
    title="Services choose pods at random",
    severity=Severity.ADVICE,
    page=(
        "kube-proxy's iptables and nftables modes are often called round-robin. They are not: each "
        "connection takes a pod at random. With 10 connections over 2 pods, a split of 7 to 3 or "
        "wider comes in one try out of three."
    ),
    examine=_examine,
    wants=_wants,
)
