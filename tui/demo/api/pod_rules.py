"""The rules for pods and for what makes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from tui import quantity
from tui.demo.api import schedule, selectors
from tui.demo.api.errors import Cause
from tui.demo.api.names import DNS_LABEL, LABEL_RULE, NON_NEGATIVE, Causes, labels
from tui.demo.store import Object

_PERCENT: Final = re.compile(r"[0-9]{1,9}%")
_PERCENT_RULE: Final = (
    "a valid percent string must consist of a numeric string followed by an ending '%' (e.g. "
    "'1%',  or '93%', regex used for validation is '[0-9]+%')"
)


def _pod_spec(spec: Object, field: str, claims: Any = ()) -> Causes:
    if not spec.get("containers"):
        yield Cause.required(f"{field}.containers")
    volumes = {volume.get("name") for volume in spec.get("volumes") or ()}
    volumes |= {(claim.get("metadata") or {}).get("name") for claim in claims or ()}
    seen: set[str] = set()
    for group in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(group) or ()):
            where = f"{field}.{group}[{index}]"
            called = container.get("name", "")
            if not called:
                yield Cause.required(f"{where}.name")
            elif called in seen:
                yield Cause.duplicate(f"{where}.name", called)
            elif not DNS_LABEL.fullmatch(called):
                yield Cause.invalid(f"{where}.name", called, LABEL_RULE)
            seen.add(called)
            if not container.get("image"):
                yield Cause.required(f"{where}.image")
            yield from _ports(container.get("ports") or (), f"{where}.ports")
            yield from _resources(container.get("resources") or {}, f"{where}.resources")
            for mount_index, mount in enumerate(container.get("volumeMounts") or ()):
                if mount.get("name") not in volumes:
                    yield Cause(
                        f"{where}.volumeMounts[{mount_index}].name",
                        "FieldValueNotFound",
                        f'Not found: "{mount.get("name", "")}"',
                    )


def _ports(ports: Any, field: str) -> Causes:
    for index, port in enumerate(ports):
        number = port.get("containerPort")
        if number is None:
            yield Cause.required(f"{field}[{index}].containerPort")
        elif not 0 < number < 65536:
            yield Cause.invalid(
                f"{field}[{index}].containerPort", number, "must be between 1 and 65535, inclusive"
            )


def _resources(resources: Object, field: str) -> Causes:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for part, values in (("limits", limits), ("requests", requests)):
        for key, value in values.items():
            if quantity.parse(str(value)) < 0:
                yield Cause.invalid(f"{field}.{part}[{key}]", str(value), NON_NEGATIVE)
    for key, value in requests.items():
        limit = limits.get(key)
        if limit is not None and quantity.parse(str(value)) > quantity.parse(str(limit)):
            detail = f"must be less than or equal to {key} limit of {limit}"
            yield Cause.invalid(f"{field}.requests", str(value), detail)


def _pod(data: Object, old: Object | None) -> Causes:
    if old is None:
        yield from _pod_spec(data["spec"], "spec")
    yield from _ephemeral(data["spec"], old["spec"] if old is not None else None)


def _ephemeral(spec: Object, old: Object | None) -> Causes:
    """Ephemeral containers come later than the pod, and then stay as they are."""
    field = "spec.ephemeralContainers"
    wanted: list[Object] = spec.get("ephemeralContainers") or []
    if old is None:
        if wanted:
            yield Cause.forbidden(field, "cannot be set on create")
        return
    known: list[Object] = old.get("ephemeralContainers") or []
    by_name = {one.get("name"): one for one in wanted}
    for one in known:
        if one["name"] not in by_name:
            said = f'existing ephemeral containers "{one["name"]}" may not be removed\n'
            yield Cause.forbidden(field, said)
        elif by_name[one["name"]] != one:
            said = f'existing ephemeral containers "{one["name"]}" may not be changed\n'
            yield Cause.forbidden(field, said)
    seen = {
        one.get("name") for part in ("initContainers", "containers") for one in spec.get(part) or ()
    }
    for index, one in enumerate(wanted):
        where, name = f"{field}[{index}]", one.get("name")
        if not name:
            yield Cause.required(f"{where}.name")
        elif name in seen:
            yield Cause.duplicate(f"{where}.name", name)
        seen.add(name)
        if not one.get("image"):
            yield Cause.required(f"{where}.image")
        target = one.get("targetContainerName")
        if target and all(target != each.get("name") for each in spec["containers"]):
            said = f'Not found: "{target}"'
            yield Cause(f"{where}.targetContainerName", "FieldValueNotFound", said)


def _share(holder: Object, names: tuple[str, ...], field: str) -> Causes:
    """Numbers of pods, or percentages."""
    for name in names:
        value = holder.get(name)
        if isinstance(value, str) and not _PERCENT.fullmatch(value):
            yield Cause.invalid(f"{field}.{name}", value, _PERCENT_RULE)
        elif isinstance(value, int) and value < 0:
            yield Cause.invalid(f"{field}.{name}", value, NON_NEGATIVE)


def _disruption_budget(data: Object, old: Object | None) -> Causes:
    spec = data["spec"]
    yield from _share(spec, ("minAvailable", "maxUnavailable"), "spec")
    if "minAvailable" in spec and "maxUnavailable" in spec:
        detail = "minAvailable and maxUnavailable cannot be both set"
        yield Cause.invalid("spec", spec, detail)


def _workload(data: Object, old: Object | None) -> Causes:
    spec = data["spec"]
    for name in ("strategy", "updateStrategy"):
        rolling = (spec.get(name) or {}).get("rollingUpdate") or {}
        names = ("maxUnavailable", "maxSurge")
        yield from _share(rolling, names, f"spec.{name}.rollingUpdate")
    replicas = spec.get("replicas", 1)
    if replicas < 0:
        yield Cause.invalid("spec.replicas", replicas, NON_NEGATIVE)
    selector = spec.get("selector")
    template = spec.get("template") or {}
    have = (template.get("metadata") or {}).get("labels") or {}
    if not selector:
        yield Cause.required("spec.selector")
    elif not selectors.matches(selector, have):
        yield Cause.invalid(
            "spec.template.metadata.labels", have, "`selector` does not match template `labels`"
        )
    yield from labels(have, "spec.template.labels")
    claims = spec.get("volumeClaimTemplates")
    yield from _pod_spec(template.get("spec") or {}, "spec.template.spec", claims)
    if old is not None and old["spec"].get("selector") != selector:
        yield Cause.invalid("spec.selector", selector, "field is immutable")


def _stateful_set(data: Object, old: Object | None) -> Causes:
    yield from _workload(data, old)
    if old is None:
        return
    fixed = ("serviceName", "podManagementPolicy", "volumeClaimTemplates")
    if any(old["spec"].get(one) != data["spec"].get(one) for one in fixed):
        yield Cause.forbidden(
            "spec",
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
            "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
            "'minReadySeconds' are forbidden",
        )


def _job(data: Object, old: Object | None) -> Causes:
    spec = data["spec"]
    yield from _job_spec(spec, "spec")
    if old is None:
        return
    for name in ("template", "selector", "completionMode"):
        if old["spec"].get(name) != spec.get(name):
            yield Cause.invalid(f"spec.{name}", spec.get(name), "field is immutable")


def _job_spec(spec: Object, field: str) -> Causes:
    for name in ("parallelism", "completions", "backoffLimit", "activeDeadlineSeconds"):
        if spec.get(name, 0) < 0:
            yield Cause.invalid(f"{field}.{name}", spec[name], NON_NEGATIVE)
    if spec.get("completionMode") == "Indexed" and "completions" not in spec:
        detail = "when completion mode is Indexed"
        yield Cause.required(f"{field}.completions", detail)
    template = spec.get("template") or {}
    pod = template.get("spec") or {}
    yield from _pod_spec(pod, f"{field}.template.spec")
    policy = pod.get("restartPolicy")
    if policy not in ("OnFailure", "Never"):
        known = ("OnFailure", "Never")
        yield Cause.unsupported(f"{field}.template.spec.restartPolicy", policy, known)


def _cron_job(data: Object, old: Object | None) -> Causes:
    spec = data["spec"]
    text = spec.get("schedule", "")
    if not text:
        yield Cause.required("spec.schedule")
    else:
        try:
            schedule.parse(text)
        except schedule.ScheduleError as problem:
            yield Cause.invalid("spec.schedule", text, str(problem))
    if len(data["metadata"]["name"]) > 52:
        said = "must be no more than 52 characters"
        yield Cause.invalid("metadata.name", data["metadata"]["name"], said)
    yield from _job_spec(spec["jobTemplate"].get("spec") or {}, "spec.jobTemplate.spec")


RULES: Final[dict[str, Callable[[Object, Object | None], Causes]]] = {
    "Pod": _pod,
    "Deployment": _workload,
    "ReplicaSet": _workload,
    "StatefulSet": _stateful_set,
    "DaemonSet": _workload,
    "Job": _job,
    "CronJob": _cron_job,
    "PodDisruptionBudget": _disruption_budget,
}
