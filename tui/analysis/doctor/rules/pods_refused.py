"""The API server refuses to create a workload's pods."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import count, hpa_name, stamp
from tui.state.rows import EventRow, HpaRow, Kind, WorkloadRow

_GRACE: Final = 5.0
"""A rollout may be refused a pod while those of before are still ending."""
_RECENT: Final = 1200.0
"""Controllers try again after 1000 s at the latest."""
_KINDS: Final = (Kind.REPLICASETS, Kind.STATEFULSETS, Kind.DEPLOYMENTS)
_NAME: Final = r"([a-z0-9.-]{1,253})"


class _Cause(NamedTuple):
    """A reason to refuse a pod, told by the server's words."""

    said: re.Pattern[str]
    """Its first group is the name of what is at fault."""
    title: str
    why: str
    fix: str
    look: tuple[str, ...]
    """The words of a command for kubectl. ``{}`` is the name, here and in the sentences."""


_CAUSES: Final = (
    _Cause(
        re.compile(rf"exceeded quota: {_NAME}"),
        "the quota {} is used up",
        "A ResourceQuota limits what all pods of the namespace request together, and one more "
        "would exceed it.",
        "Raise the quota, make something else in the namespace smaller, lower what each pod "
        "requests, or ask for fewer pods.",
        ("describe", "resourcequota", "{}"),
    ),
    _Cause(
        re.compile(rf"failed quota: {_NAME}: must specify"),
        "the quota {} wants requests or limits that they do not state",
        "A ResourceQuota that limits a resource admits only pods of which every container states "
        "that resource.",
        "State it in the pod template, or give the namespace a LimitRange with defaults.",
        ("describe", "resourcequota", "{}"),
    ),
    _Cause(
        re.compile(r"((?:maximum|minimum) \S+ usage per |max limit to request ratio per )"),
        "a LimitRange does not allow what they request",
        "A LimitRange sets the least and the most that one container or pod of the namespace may "
        "request and use.",
        "Change requests and limits in the pod template, or the LimitRange.",
        ("describe", "limitrange"),
    ),
    _Cause(
        re.compile(r'violates PodSecurity "([^"]{1,80})"'),
        "the namespace's Pod Security level {} forbids them",
        "The label pod-security.kubernetes.io/enforce of the namespace says what its pods may not "
        "do, and the pod template asks for some of that.",
        "Change securityContext and the other fields that are named, or the namespace's level.",
        ("get", "namespace", "{namespace}", "--show-labels"),
    ),
    _Cause(
        re.compile(rf'serviceaccount "{_NAME}" not found'),
        "the service account {} does not exist",
        "A pod runs as a service account of its own namespace, which has to be there first.",
        "Create the service account, or correct serviceAccountName in the pod template.",
        ("get", "serviceaccounts"),
    ),
    _Cause(
        re.compile(r'admission webhook "([^"]{1,253})" denied the request'),
        "the admission webhook {} refuses them",
        "The API server asks the webhook about each new pod, and it says no.",
        "Do what its message asks for, or ask whoever runs it.",
        ("get", "validatingwebhookconfigurations,mutatingwebhookconfigurations"),
    ),
    _Cause(
        re.compile(r'failed calling webhook "([^"]{1,253})"'),
        "the admission webhook {} does not answer",
        "The API server has to ask the webhook about each new pod, and cannot reach it.",
        "Mend what runs the webhook; its configuration names the Service.",
        ("get", "validatingwebhookconfigurations,mutatingwebhookconfigurations"),
    ),
    _Cause(
        re.compile(r"ValidatingAdmissionPolicy '([^']{1,253})' .{0,300}denied request"),
        "the policy {} refuses them",
        "A ValidatingAdmissionPolicy is evaluated for each new pod, and refuses these.",
        "Do what its message asks for, or change the policy.",
        ("describe", "validatingadmissionpolicy", "{}"),
    ),
)  # fmt: skip
_GLOBAL: Final = ("validatingwebhookconfigurations", "validatingadmissionpolicy", "namespace")


class _Refusal(NamedTuple):
    """A workload that has fewer pods than it should, and why."""

    workload: WorkloadRow
    words: str
    """The server's."""
    where: Evidence
    event: EventRow | None


def _examine(patient: Patient) -> Iterable[Finding]:
    lacking = [
        row
        for kind in _KINDS
        if patient.known(kind)
        for row in patient.delta.workloads(kind).rows.values()
        if row.current < row.replicas
    ]
    if not lacking:
        return
    events = _events(patient, {row.uid for row in lacking})
    seen = set()
    for row in lacking:
        refusal = _refusal(patient, row, events.get(row.uid))
        root = _root(patient, row)
        if refusal is not None and root.uid not in seen:
            seen.add(root.uid)
            yield _finding(patient, root, refusal)


def _events(patient: Patient, uids: set[str]) -> dict[str, EventRow]:
    """The newest that tells of a pod created or refused, by the uid of its workload."""
    found: dict[str, EventRow] = {}
    for event in patient.delta.events.rows.values():
        if event.about_uid in uids and event.reason in ("FailedCreate", "SuccessfulCreate"):
            before = found.get(event.about_uid)
            if before is None or (before.last_seen, before.uid) < (event.last_seen, event.uid):
                found[event.about_uid] = event
    return found


def _refusal(patient: Patient, row: WorkloadRow, event: EventRow | None) -> _Refusal | None:
    """Why the workload lacks pods, if it is because they are refused."""
    if event is not None and event.reason != "FailedCreate":
        event = None
    name = named(row.kind, row.namespace, row.name)
    failure = row.failure
    if failure is not None and failure.reason == "FailedCreate":
        if failure.since is not None and patient.now - failure.since < _GRACE:
            return None
        said = Evidence(name, "status.conditions[ReplicaFailure]", failure.message)
        return _Refusal(row, failure.message, said, event)
    if event is None or row.kind != "StatefulSet" or patient.now - event.last_seen > _RECENT:
        return None  # only of StatefulSets no condition tells
    if patient.now - event.created < _GRACE:
        return None
    return _Refusal(row, event.message, Evidence(name, "event FailedCreate", event.message), event)


def _root(patient: Patient, row: WorkloadRow) -> WorkloadRow:
    """Its Deployment, where that is known."""
    if row.owner is None:
        return row
    return patient.delta.workloads(Kind.DEPLOYMENTS).rows.get(row.owner.uid, row)


def _finding(patient: Patient, root: WorkloadRow, refusal: _Refusal) -> Finding:
    row = refusal.workload
    # A rollout may have all the pods asked for, and lack those of the new revision.
    wanting = root if root.current < root.replicas else row
    missing = f"{wanting.replicas - wanting.current} of {count(wanting.replicas, 'pod')}"
    hpa = next((h for h in patient.hpas if _scales(patient, h, root)), None)
    title, why, fix = _told(refusal.words, root.namespace, row)
    return RULE.found(
        named(root.kind, root.namespace, root.name),
        f"{missing} of {root.name} cannot be created: {title}",
        f"{why} {_outcome(wanting, hpa)}",
        _evidence(wanting, refusal, hpa),
        fix,
        Severity.ERROR if not root.current else None,
    )


def _scales(patient: Patient, hpa: HpaRow, root: WorkloadRow) -> bool:
    target = patient.target(hpa)
    return target is not None and target.uid == root.uid


def _told(words: str, namespace: str, row: WorkloadRow) -> tuple[str, str, Fix]:
    """What the server's words mean: for the title, for the explanation, and what to do."""
    for cause in _CAUSES:
        found = cause.said.search(words)
        if found is not None:
            name = found[1]
            look = [one.replace("{namespace}", namespace).replace("{}", name) for one in cause.look]
            scope = "" if look[1].startswith(_GLOBAL) else namespace
            fix = Fix(cause.fix.replace("{}", name), kubectl(scope, *look))
            return cause.title.replace("{}", name), cause.why, fix
    return (
        "the API server refuses them",
        "The API server admits no such pod; its words tell why.",
        Fix(
            "Change the pod template as the message asks for.",
            kubectl(namespace, "describe", row.kind.lower(), row.name),
        ),
    )


def _outcome(wanting: WorkloadRow, hpa: HpaRow | None) -> str:
    there = f"{wanting.current} of {count(wanting.replicas, 'pod')} are there"
    whatever = f", whatever {hpa.name} asks for" if hpa is not None else ""
    return f"So {there}{whatever}. The controller goes on trying."


def _evidence(wanting: WorkloadRow, refusal: _Refusal, hpa: HpaRow | None) -> Iterator[Evidence]:
    name = named(wanting.kind, wanting.namespace, wanting.name)
    yield Evidence(
        name, "status.replicas of spec.replicas", f"{wanting.current} of {wanting.replicas}"
    )
    yield refusal.where
    if refusal.event is not None:
        event, row = refusal.event, refusal.workload
        yield Evidence(
            named(row.kind, row.namespace, row.name), "events",
            f"FailedCreate ×{event.count}, last at {stamp(event.last_seen)}",
        )  # fmt: skip
    if hpa is not None:
        yield Evidence(hpa_name(hpa), "spec.maxReplicas", str(hpa.max))


RULE: Final = Rule(
    id="pods-refused",
    title="Pods that may not be created",
    severity=Severity.WARNING,
    page=(
        "The API server may refuse a pod: a ResourceQuota or a LimitRange, Pod Security, an "
        "admission webhook or policy, a service account that does not exist. Nobody sees the "
        "answer but the controller that asked, so no pod tells of it: the ReplicaSet has the "
        "condition ReplicaFailure and events FailedCreate. The HPA does not notice, and goes on "
        "asking for pods that never come."
    ),
    examine=_examine,
)
