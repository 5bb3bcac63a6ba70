"""A ConfigMap was changed after a pod had copied it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patches import restart_patch
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.proxies import Mounted, mounted, started
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import count, stamp
from tui.state.fetched import ConfigMapFact, Fetch
from tui.state.rows import PodRow

_GRACE: Final = 2.0
"""Seconds within which a pod and its ConfigMap count as applied together."""


def _wants(patient: Patient) -> Iterable[Fetch]:
    return (one.fetch for one in mounted(patient) if one.mount.sub_path)


def _examine(patient: Patient) -> Iterable[Finding]:
    for one in mounted(patient):
        fact = patient.fact(one.fetch, ConfigMapFact) if one.mount.sub_path else None
        if fact is None:
            continue
        stale = [
            pod
            for pod in one.pods
            if (since := started(pod)) is not None and fact.changed > since + _GRACE
        ]
        if stale:
            yield _finding(one, fact, stale)


def _finding(one: Mounted, fact: ConfigMapFact, stale: list[PodRow]) -> Finding:
    root, first = one.root, stale[0]
    return RULE.found(
        str(root),
        f"{count(len(stale), 'pod')} of {root.name} still has the old {one.mount.sub_path}",
        f"The file is mounted with subPath: it was copied when the container started, and no "
        f"change of ConfigMap {one.mount.config_map} reaches it. What kubectl shows of the "
        "ConfigMap is not what runs.",
        [
            Evidence(
                named("ConfigMap", root.namespace, one.mount.config_map),
                "data, last written",
                stamp(fact.changed),
            ),
            Evidence(
                named("Pod", first.namespace, first.name), "started", stamp(started(first) or 0.0)
            ),
            Evidence(
                named("Pod", first.namespace, first.name),
                f"volumeMounts[{one.mount.path}].subPath",
                one.mount.sub_path,
            ),
        ],
        Fix(
            "Start the pods anew. To spare that, mount the whole folder instead of a subPath.",
            kubectl(root.namespace, "rollout", "restart", f"{root.kind.lower()}/{root.name}"),
            restart_patch(root),
        ),
    )


RULE: Final = Rule(
    id="stale-subpath",
    title="A subPath mount older than its ConfigMap",
    severity=Severity.WARNING,
    page=(
        "A ConfigMap mounted as a folder follows changes within a minute or so. Mounted with "
        "subPath, a single file is copied once and never updated. A Caddy with `admin off` cannot "
        "be told to reload either: only a restart brings the new text."
    ),
    examine=_examine,
    wants=_wants,
)
