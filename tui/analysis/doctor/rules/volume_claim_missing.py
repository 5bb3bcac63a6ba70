"""A pod waits for a PersistentVolumeClaim that nobody made."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import count
from tui.state.rows import PodRow

_GRACE: Final = 15.0
_SAID: Final = re.compile(r'persistentvolumeclaim "([^"]{1,253})" not found')


def _examine(patient: Patient) -> Iterable[Finding]:
    def counts(pod: PodRow) -> bool:
        return (
            pod.status == "Pending"
            and patient.now - pod.created >= _GRACE
            and _SAID.search(pod.message) is not None
        )

    for root, pods in patient.by_owner(patient.troubled, counts).items():
        said = _SAID.search(pods[0].message)
        claim = said[1] if said is not None else ""
        first = pods[0]
        yield RULE.found(
            str(root),
            f"{count(len(pods), 'pod')} of {root.name} waits for the claim {claim}, which does "
            "not exist",
            "A pod that mounts a PersistentVolumeClaim is not scheduled before the claim exists.",
            [Evidence(named("Pod", first.namespace, first.name), "PodScheduled", first.message)],
            Fix("Create the claim, or correct its name.", kubectl(root.namespace, "get", "pvc")),
        )


RULE: Final = Rule(
    id="volume-claim-missing",
    title="A volume claim that does not exist",
    severity=Severity.ERROR,
    page=(
        "claimName in a pod's volumes refers to a PersistentVolumeClaim of the same namespace; it "
        "is not made by naming it. Until it exists the pod stays Pending."
    ),
    examine=_examine,
)
