"""Rows of pods and of what makes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from tui.demo.api import selectors
from tui.demo.api.durations import human
from tui.demo.api.pod_words import words
from tui.demo.cells.common import (
    NONE,
    UNKNOWN,
    Cells,
    Column,
    age,
    ago,
    columns,
    containers,
    pairs,
)
from tui.demo.store import Object


def _pod(data: Object, now: datetime) -> list[Any]:
    found = words(data)
    spec, status = data["spec"], data.get("status") or {}
    restarts = str(found.restarts)
    if found.restarted_at:
        restarts += f" ({ago(found.restarted_at, now)} ago)"
    gates = spec.get("readinessGates")
    return [
        found.ready,
        found.status,
        restarts,
        age(data, now),
        status.get("podIP") or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        f"0/{len(gates)}" if gates else NONE,
    ]


def _deployment(data: Object, now: datetime) -> list[Any]:
    spec, status = data["spec"], data.get("status") or {}
    return [
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 1)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        age(data, now),
        *containers(spec),
        selectors.as_text(spec.get("selector")),
    ]


def _replica_set(data: Object, now: datetime) -> list[Any]:
    spec, status = data["spec"], data.get("status") or {}
    return [
        spec.get("replicas", 1),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        age(data, now),
        *containers(spec),
        selectors.as_text(spec.get("selector")),
    ]


def _stateful_set(data: Object, now: datetime) -> list[Any]:
    spec, status = data["spec"], data.get("status") or {}
    ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 1)}"
    return [ready, age(data, now), *containers(spec)]


def _daemon_set(data: Object, now: datetime) -> list[Any]:
    spec, status = data["spec"], data.get("status") or {}
    counts = ("desired", "current")
    return [
        *(status.get(f"{name}NumberScheduled", 0) for name in counts),
        status.get("numberReady", 0),
        status.get("updatedNumberScheduled", 0),
        status.get("numberAvailable", 0),
        pairs(spec["template"]["spec"].get("nodeSelector")),
        age(data, now),
        *containers(spec),
        selectors.as_text(spec.get("selector")),
    ]


def _controller_revision(data: Object, now: datetime) -> list[Any]:
    owners = data["metadata"].get("ownerReferences") or ()
    owner = next((one for one in owners if one.get("controller")), None)
    name = NONE
    if owner is not None:
        group = owner["apiVersion"].rpartition("/")[0]
        name = f"{owner['kind'].lower()}{'.' if group else ''}{group}/{owner['name']}"
    return [name, data.get("revision", 0), age(data, now)]


_JOB_STATES: Final = (
    ("Complete", "Complete"),
    ("Failed", "Failed"),
    ("", "Terminating"),
    ("Suspended", "Suspended"),
    ("FailureTarget", "FailureTarget"),
    ("SuccessCriteriaMet", "SuccessCriteriaMet"),
)


def _job(data: Object, now: datetime) -> list[Any]:
    spec, status = data["spec"], data.get("status") or {}
    done = status.get("succeeded", 0)
    parallel = spec.get("parallelism", 0)
    if "completions" in spec:
        completions = f"{done}/{spec['completions']}"
    else:
        completions = f"{done}/1 of {parallel}" if parallel > 1 else f"{done}/1"
    took = ""
    if status.get("startTime"):
        ended = status.get("completionTime")
        until = datetime.fromisoformat(ended) if ended else now
        took = human((until - datetime.fromisoformat(status["startTime"])).total_seconds())
    true = {c["type"] for c in status.get("conditions") or () if c.get("status") == "True"}
    if "deletionTimestamp" in data["metadata"]:
        true.add("")
    state = next((shown for type_, shown in _JOB_STATES if type_ in true), "Running")
    selector = selectors.as_text(spec.get("selector"))
    return [state, completions, took, age(data, now), *containers(spec), selector]


def _cron_job(data: Object, now: datetime) -> list[Any]:
    spec, status = data["spec"], data.get("status") or {}
    last = status.get("lastScheduleTime")
    job = spec["jobTemplate"]["spec"]
    return [
        spec.get("schedule", ""),
        spec.get("timeZone") or NONE,
        str(bool(spec.get("suspend"))),
        len(status.get("active") or ()),
        ago(last, now) if last else NONE,
        age(data, now),
        *containers(job),
        selectors.as_text(job.get("selector")) or NONE,
    ]


def _hpa(data: Object, now: datetime) -> list[Any]:
    spec, status = data["spec"], data.get("status") or {}
    reference = spec["scaleTargetRef"]
    return [
        f"{reference.get('kind')}/{reference.get('name')}",
        _targets(spec.get("metrics") or [], status.get("currentMetrics") or []),
        str(spec["minReplicas"]) if "minReplicas" in spec else "<unset>",
        spec.get("maxReplicas", 0),
        status.get("currentReplicas", 0),
        age(data, now),
    ]


_SHOWN_TARGETS: Final = 2


def _targets(metrics: list[Object], current: list[Object]) -> str:
    shown = [_target(m, current[i] if i < len(current) else {}) for i, m in enumerate(metrics)]
    text = ", ".join(shown[:_SHOWN_TARGETS]) or NONE
    return f"{text} + {len(shown) - _SHOWN_TARGETS} more..." if len(shown) > 2 else text


def _target(metric: Object, now: Object) -> str:
    kind = metric["type"]
    part = {"ContainerResource": "containerResource"}.get(kind, kind.lower())
    source, found = metric.get(part) or {}, (now.get(part) or {}).get("current") or {}
    target = source.get("target") or {}
    label = f"{source['name']}: " if kind in ("Resource", "ContainerResource") else ""
    if "averageUtilization" in target:
        value = found.get("averageUtilization")
        shown = UNKNOWN if value is None else f"{value}%"
        return f"{label}{shown}/{target['averageUtilization']}%"
    if target.get("averageValue") is not None:
        suffix = " (avg)" if kind in ("Object", "External") else ""
        return f"{label}{found.get('averageValue', UNKNOWN)}/{target['averageValue']}{suffix}"
    return f"{label}{found.get('value', UNKNOWN)}/{target.get('value', UNKNOWN)}"


def _disruption_budget(data: Object, now: datetime) -> list[Any]:
    spec, status = data.get("spec") or {}, data.get("status") or {}
    limits = [str(spec.get(name, "N/A")) for name in ("minAvailable", "maxUnavailable")]
    return [*limits, status.get("disruptionsAllowed", 0), age(data, now)]


_WIDE: Final = "Containers Images Selector"
ROWS: Final[dict[str, tuple[tuple[Column, ...], Cells]]] = {
    "Pod": (
        columns("Name Ready Status Restarts Age", "IP Node Nominated_Node Readiness_Gates"),
        _pod,
    ),
    "Deployment": (columns("Name Ready Up-to-date Available Age", _WIDE), _deployment),
    "ReplicaSet": (columns("Name Desired Current Ready Age", _WIDE), _replica_set),
    "StatefulSet": (columns("Name Ready Age", "Containers Images"), _stateful_set),
    "DaemonSet": (
        columns("Name Desired Current Ready Up-to-date Available Node_Selector Age", _WIDE),
        _daemon_set,
    ),
    "ControllerRevision": (columns("Name Controller Revision Age"), _controller_revision),
    "Job": (columns("Name Status Completions Duration Age", _WIDE), _job),
    "CronJob": (
        columns("Name Schedule Timezone Suspend Active Last_Schedule Age", _WIDE),
        _cron_job,
    ),
    "HorizontalPodAutoscaler": (
        columns("Name Reference Targets MinPods MaxPods Replicas Age"),
        _hpa,
    ),
    "PodDisruptionBudget": (
        columns("Name Min_Available Max_Unavailable Allowed_Disruptions Age"),
        _disruption_budget,
    ),
}
