"""Subresources: status, scale, log, binding, eviction, finalize and the like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tui.demo import resources
from tui.demo.api import bodies, ephemeral, errors, representation, selectors
from tui.demo.api.errors import Cause
from tui.demo.api.operations import Api, DeleteOptions, Writer
from tui.demo.api.paths import Target
from tui.demo.api.requests import Request, Response, Stream, Upgrade, part
from tui.demo.resource import Resource
from tui.demo.store import Entry, Object


class LogSource(Protocol):
    """Who has the logs of containers."""

    def respond(self, pod: Entry, request: Request) -> Response | Stream:
        """Answer a log request."""


def respond(api: Api, logs: LogSource, target: Target, request: Request) -> Response | Stream:
    """Answer a request for a subresource.

    Raises:
        ApiError: as the operation demands.
    """
    name = target.subresource
    if name == "log":
        if request.method != "GET":
            raise errors.method_not_allowed()
        return logs.respond(api.get(target.resource, target.where, target.name), request)
    if name == "proxy":
        plain, _, port = target.name.partition(":")
        if ":" in port:
            plain, _, port = port.partition(":")  # after the scheme
        entry = api.get(target.resource, target.where, plain)
        return Upgrade(101, b"", kind=name, pod=entry, port=port, path=target.rest)
    if name in ("exec", "attach", "portforward"):
        pod = api.get(target.resource, target.where, target.name)
        if "upgrade" not in request.headers:
            raise errors.bad_request("Upgrade request required")
        return Upgrade(101, b"", kind=name, pod=pod)
    if name in ("binding", "eviction", "finalize"):
        return _ACTIONS[name](api, target, request)
    entry = api.get(target.resource, target.where, target.name)
    if name == "ephemeralcontainers":
        return ephemeral.respond(api, target, entry, request)
    if name == "scale":
        return _scale(api, target, entry, request)
    return _status(api, target, entry, request)


def _status(api: Api, target: Target, entry: Entry, request: Request) -> Response:
    resource = target.resource
    if request.method == "PUT":
        data = request.object(resource.kind)
        data, _ = bodies.manifest(api, resource, data, request)
        data["metadata"].setdefault("name", target.name)
        entry = api.update(resource, target.where, data, request.writer("status"))
    elif request.method == "PATCH":
        patched, _ = bodies.apply_patch(api, resource, entry, request)
        entry = api.update(resource, target.where, patched, request.writer("status"))
    elif request.method == "GET":
        shape = representation.Shape(
            resource, request, api.clock, api.registry.columns_of(resource)
        )
        return Response(200, shape.one(entry) + b"\n")
    else:
        raise errors.method_not_allowed()
    return Response(200, representation.whole(resource, entry) + b"\n")


def scale_of(resource: Resource, entry: Entry) -> Object:
    """The ``autoscaling/v1`` Scale of a workload."""
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    status: Object = {"replicas": entry.status.get("replicas", 0)}
    selector = selectors.as_text(entry.spec.get("selector"))
    if selector:
        status["selector"] = selector
    replicas = entry.spec.get("replicas", 1)
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: entry.metadata[name] for name in kept if name in entry.metadata},
        "spec": {"replicas": replicas} if replicas else {},
        "status": status,
    }


def set_scale(api: Api, resource: Resource, entry: Entry, replicas: int, by: Writer) -> Entry:
    """Set the replicas of a workload through its scale subresource.

    Raises:
        ApiError: 404, or 422 for a negative number.
    """
    if replicas < 0:
        cause = Cause.invalid("spec.replicas", replicas, "must be greater than or equal to 0")
        scale = Resource("autoscaling", "v1", "scales", "Scale")
        raise errors.invalid(scale, entry.name, [cause])

    def alter(data: Object) -> None:
        data["spec"]["replicas"] = replicas

    return api.change(resource, entry, alter, Writer(by.manager, "scale", by.dry_run))


def _scale(api: Api, target: Target, entry: Entry, request: Request) -> Response:
    resource = target.resource
    if request.method in ("PUT", "PATCH"):
        shown = scale_of(resource, entry)
        if request.method == "PUT":
            wanted = request.object("Scale")
        else:
            wanted = bodies.patch_object("Scale", shown, request)
        metadata = part(wanted, "metadata")
        asked = metadata.get("resourceVersion")
        if asked and asked != str(entry.revision):
            raise errors.conflict(resource, target.name)
        replicas = part(wanted, "spec").get("replicas", 0)
        if not isinstance(replicas, int) or isinstance(replicas, bool) or replicas > 2**31 - 1:
            raise errors.bad_request("Scale: spec.replicas is not a number")
        entry = set_scale(api, resource, entry, replicas, request.writer())
    elif request.method != "GET":
        raise errors.method_not_allowed()
    return Response.of(scale_of(resource, entry))


def _success() -> Object:
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def _bind(api: Api, target: Target, request: Request) -> Response:
    pod = api.get(target.resource, target.where, target.name)
    node = part(request.object("Binding"), "target").get("name")
    if not node or not isinstance(node, str):
        cause = Cause.required("target.name")
        raise errors.invalid(Resource("", "v1", "bindings", "Binding"), target.name, [cause])
    if pod.spec.get("nodeName"):
        message = (
            f'Operation cannot be fulfilled on pods/binding "{target.name}": pod {target.name} '
            f'is already assigned to node "{pod.spec["nodeName"]}"'
        )
        about = errors.details(target.resource, target.name)
        raise errors.ApiError(409, "Conflict", message, about)

    def alter(data: Object) -> None:
        data["spec"]["nodeName"] = node

    api.change(target.resource, pod, alter, request.writer("binding"))
    return Response.of(_success(), 201)


def _evict(api: Api, target: Target, request: Request) -> Response:
    pod = api.get(target.resource, target.where, target.name)
    options = part(request.object("Eviction"), "deleteOptions")
    dry_run = request.dry_run or options.get("dryRun") == ["All"]
    budget = _take_from_budget(api, pod, request, dry_run=dry_run)
    if budget is not None:
        status = budget.status
        cause = (
            f"The disruption budget {budget.name} needs {status.get('desiredHealthy', 0)} healthy "
            f"pods and has {status.get('currentHealthy', 0)} currently"
        )
        about = {"causes": [{"reason": "DisruptionBudget", "message": cause}]}
        message = "Cannot evict pod as it would violate the pod's disruption budget."
        raise errors.ApiError(429, "TooManyRequests", message, about)
    grace = options.get("gracePeriodSeconds")
    grace = grace if isinstance(grace, int) else None
    api.delete(
        target.resource, target.where, target.name, DeleteOptions(grace=grace, dry_run=dry_run)
    )
    return Response.of(_success(), 201)


def _take_from_budget(api: Api, pod: Entry, request: Request, *, dry_run: bool) -> Entry | None:
    """Count an eviction on the pod's budget; returns the budget that refuses it."""
    if pod.status.get("phase") in ("Pending", "Succeeded", "Failed"):
        return None
    storage = resources.DISRUPTION_BUDGETS.storage
    for budget in api.store.list_at(storage, pod.namespace, None):
        selector = budget.spec.get("selector")
        if selector is None or not selectors.matches(selector, pod.labels):
            continue
        if budget.status.get("disruptionsAllowed", 0) < 1:
            return budget

        def fewer(data: Object) -> None:
            data["status"]["disruptionsAllowed"] -= 1

        if not dry_run:
            writer = request.writer("status")
            api.change(resources.DISRUPTION_BUDGETS, budget, fewer, writer)
        break
    return None


def _finalize(api: Api, target: Target, request: Request) -> Response:
    if request.method != "PUT":
        raise errors.method_not_allowed()
    entry = api.get(target.resource, "", target.name)
    wanted = part(request.object("Namespace"), "spec").get("finalizers") or []

    def alter(data: Object) -> None:
        data["spec"]["finalizers"] = wanted

    entry = api.change(target.resource, entry, alter, request.writer())
    return Response(200, representation.whole(resources.NAMESPACES, entry) + b"\n")


_ACTIONS: dict[str, Callable[[Api, Target, Request], Response]] = {
    "binding": _bind,
    "eviction": _evict,
    "finalize": _finalize,
}
