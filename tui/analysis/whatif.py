"""Another HPA in thought: what it would do, and the commands that would make it so.

Nothing here writes anything. What is asked for comes as the text of a form; what it comes to is a
spec and inputs for the forecast, and a JSON patch (RFC 6902) for ``kubectl patch``.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from tui import quantity
from tui.analysis import hpa
from tui.analysis.forecast import requests_changed
from tui.analysis.scaling_behavior import effective_behavior

FIELDS: Final = ("target", "min", "max", "request", "up window", "up", "down window", "down")
"""The form, in its order."""
_POLICY: Final = re.compile(r"\+?-?(\d+)\s*(%|pods?|percent)\s*/\s*(\d+)\s*s?")
_HIGHEST: Final = 1_000_000
_LONGEST_WINDOW: Final = 3600
_LONGEST_PERIOD: Final = 1800


class WhatIfError(ValueError):
    """A field says nothing that an HPA could be. The text names the field and what it may be."""


class Plan(msgspec.Struct, frozen=True):
    """What was asked for."""

    spec: hpa.HpaSpec
    inputs: hpa.Inputs
    patch: tuple[Mapping[str, Any], ...] = ()
    """JSON patch operations on the HPA; empty if it stays as it is."""
    requests: Mapping[str, str] = msgspec.field(default_factory=dict)
    """By container, the CPU request to set on the target."""

    @property
    def commands(self) -> tuple[str, ...]:
        """What to type to have it so; nothing where nothing differs."""
        spec = self.spec
        found: list[str] = []
        where = f"-n {shlex.quote(spec.namespace)}"
        if self.patch:
            body = shlex.quote(json.dumps(list(self.patch), separators=(",", ":")))
            name = shlex.quote(spec.name)
            found.append(f"kubectl patch hpa {name} {where} --type json -p {body}")
        target = shlex.quote(f"{spec.target.kind.lower()}/{spec.target.name}")
        for container, amount in self.requests.items():
            chosen = f"-c {shlex.quote(container)} --requests=cpu={amount}"
            found.append(f"kubectl set resources {target} {where} {chosen}")
        return tuple(found)


def form(spec: hpa.HpaSpec, inputs: hpa.Inputs) -> dict[str, str]:
    """The fields as they are. A field that is empty here cannot be asked about."""
    place = _metric_place(spec)
    metric = spec.metrics[place] if place is not None else None
    up, down = _rules(spec)
    request = _request(inputs)
    return {
        "target": "" if metric is None else _aim_text(metric),
        "min": str(1 if spec.min_replicas is None else spec.min_replicas),
        "max": str(spec.max_replicas),
        "request": "" if request is None else quantity.format_milli(request),
        "up window": str(up.stabilization_window_seconds or 0),
        "up": _policies_text(up) if spec.behavior is not None else "default",
        "down window": str(down.stabilization_window_seconds or 0),
        "down": _policies_text(down) if spec.behavior is not None else "default",
    }


def plan(spec: hpa.HpaSpec, inputs: hpa.Inputs, asked: Mapping[str, str]) -> Plan:
    """What the form asks for.

    Raises:
        WhatIfError: a field cannot be so.
    """
    before = form(spec, inputs)
    said = {name: asked.get(name, before[name]).strip() for name in FIELDS}
    changed = {name for name in FIELDS if said[name] != before[name]}
    wanted, patch = spec, []
    if "target" in changed:
        wanted, operation = _with_target(spec, said["target"])
        patch.append(operation)
    # None is what scaling to zero needs: an HPA that has it may keep it.
    low = _whole("min", said["min"], min(1, int(before["min"])), _HIGHEST)
    high = _whole("max", said["max"], 1, _HIGHEST)
    if high < low:
        raise WhatIfError(f"max is {high}, which is less than min {low}")
    if "min" in changed:
        wanted = replace(wanted, min_replicas=low)
        patch.append({"op": "add", "path": "/spec/minReplicas", "value": low})
    if "max" in changed:
        wanted = replace(wanted, max_replicas=high)
        patch.append({"op": "add", "path": "/spec/maxReplicas", "value": high})
    if changed & {"up window", "up", "down window", "down"}:
        behavior = _behavior(spec, said, changed)
        wanted = replace(wanted, behavior=behavior)
        patch.append({"op": "add", "path": "/spec/behavior", "value": _behavior_object(behavior)})
    requests: dict[str, str] = {}
    if "request" in changed:
        milli = _quantity("request", said["request"])
        inputs = requests_changed(inputs, "cpu", milli)
        newest = inputs.pods[-1].containers if inputs.pods else ()
        requests = {c.name: quantity.format_milli(c.requests.get("cpu", 0)) for c in newest}
    return Plan(wanted, inputs, tuple(patch), requests)


# One field each.


def _metric_place(spec: hpa.HpaSpec) -> int | None:
    """The metric that the form speaks of: CPU if there is one, else the first."""
    cpu = next((n for n, m in enumerate(spec.metrics) if m.name == "cpu"), None)
    return cpu if cpu is not None else 0 if spec.metrics else None


def _aim(metric: hpa.MetricSpec) -> int:
    if metric.average_utilization is not None:
        return metric.average_utilization
    return (metric.average_value if metric.average_value is not None else metric.value) or 0


def _aim_text(metric: hpa.MetricSpec) -> str:
    if metric.average_utilization is not None:
        return str(metric.average_utilization)
    is_memory = metric.name == "memory" and metric.type in ("Resource", "ContainerResource")
    write: Callable[[int], str] = (
        quantity.format_milli_bytes if is_memory else quantity.format_milli
    )
    return write(_aim(metric))


def _with_target(spec: hpa.HpaSpec, text: str) -> tuple[hpa.HpaSpec, dict[str, Any]]:
    place = _metric_place(spec)
    if place is None:
        raise WhatIfError("target: this HPA has no metric")
    metric = spec.metrics[place]
    value: int | str
    if metric.average_utilization is not None:
        value = _whole("target", text.removesuffix("%").strip(), 1, 10_000)
        aimed, field_ = replace(metric, average_utilization=value), "averageUtilization"
    else:
        value, milli = text, _quantity("target", text)
        if metric.average_value is not None:
            aimed, field_ = replace(metric, average_value=milli), "averageValue"
        else:
            aimed, field_ = replace(metric, value=milli), "value"
    source = metric.type[:1].lower() + metric.type[1:]
    path = f"/spec/metrics/{place}/{source}/target/{field_}"
    metrics = (*spec.metrics[:place], aimed, *spec.metrics[place + 1 :])
    return replace(spec, metrics=metrics), {"op": "replace", "path": path, "value": value}


def _request(inputs: hpa.Inputs) -> int | None:
    """CPU a pod, in thousandths; None where a container asks for none."""
    if not inputs.pods:
        return None
    pod = inputs.pods[-1]
    if pod.pod_requests is not None:
        return None  # set on the pod as a whole: there is no command for it
    each = [c.requests.get("cpu") for c in pod.containers]
    return None if None in each or not each else sum(n for n in each if n is not None)


def _rules(spec: hpa.HpaSpec) -> tuple[hpa.ScalingRules, hpa.ScalingRules]:
    rules = effective_behavior(spec.behavior or hpa.Behavior(), hpa.DEFAULT_SETTINGS)
    return rules.scale_up or hpa.ScalingRules(), rules.scale_down or hpa.ScalingRules()


def _behavior(spec: hpa.HpaSpec, said: Mapping[str, str], changed: set[str]) -> hpa.Behavior:
    up, down = _rules(spec)
    own = spec.behavior or hpa.Behavior()
    found = []
    for name, rules, before in (("up", up, own.scale_up), ("down", down, own.scale_down)):
        window = _whole(f"{name} window", said[f"{name} window"], 0, _LONGEST_WINDOW)
        rules = replace(rules, stabilization_window_seconds=window)
        if name in changed:
            rules = _with_policies(name, rules, said[name])
        found.append(replace(rules, tolerance=before.tolerance if before is not None else None))
    return hpa.Behavior(*found)


def _with_policies(name: str, rules: hpa.ScalingRules, text: str) -> hpa.ScalingRules:
    if text in ("off", "disabled"):
        return replace(rules, select_policy="Disabled")
    select = "Max"
    if text.startswith("least of "):
        select, text = "Min", text.removeprefix("least of ")
    policies = []
    for part in text.split(","):
        match = _POLICY.fullmatch(part.strip())
        if match is None:
            raise WhatIfError(
                f"{name}: {part.strip()[:20]!r} is no policy such as 4 pods/15s or 100 %/15s; "
                "or write off"
            )
        type_ = "Pods" if match[2].startswith("pod") else "Percent"
        value = _whole(name, match[1], 1, _HIGHEST)
        period = _whole(f"{name}, period", match[3], 1, _LONGEST_PERIOD)
        policies.append(hpa.ScalingPolicy(type_, value, period))
    return replace(rules, policies=tuple(policies), select_policy=select)


def _policies_text(rules: hpa.ScalingRules) -> str:
    if rules.select_policy == "Disabled":
        return "off"
    parts = [
        f"{p.value} {'pods' if p.type == 'Pods' else '%'}/{p.period_seconds}s"
        for p in rules.policies or ()
    ]
    least = "least of " if rules.select_policy == "Min" else ""
    return least + ", ".join(parts)


def _behavior_object(behavior: hpa.Behavior) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, rules in (("scaleUp", behavior.scale_up), ("scaleDown", behavior.scale_down)):
        if rules is None:
            continue
        written: dict[str, Any] = {
            "stabilizationWindowSeconds": rules.stabilization_window_seconds,
            "selectPolicy": rules.select_policy or "Max",
            "policies": [
                {"type": p.type, "value": p.value, "periodSeconds": p.period_seconds}
                for p in rules.policies or ()
            ],
        }
        if rules.tolerance is not None:
            written["tolerance"] = f"{rules.tolerance:.9f}".rstrip("0").rstrip(".")
        found[name] = written
    return found


def _whole(name: str, text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 9 and low <= int(text) <= high):
        raise WhatIfError(f"{name}: {text[:20]!r} is no whole number from {low} to {high}")
    return int(text)


def _quantity(name: str, text: str) -> int:
    try:
        found = quantity.milli(text)
    except quantity.QuantityError as error:
        raise WhatIfError(f"{name}: {error}") from None
    if found <= 0:
        raise WhatIfError(f"{name}: it has to be more than 0")
    return found
