"""The ephemeral containers of a pod, as ``kubectl debug`` adds them.

https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/
"""

from __future__ import annotations

from typing import Final

from tui.demo.api import bodies, errors, representation
from tui.demo.api.operations import Api
from tui.demo.api.paths import Target
from tui.demo.api.requests import Request, Response
from tui.demo.store import Entry, Object

_FIELD: Final = "ephemeralContainers"


def respond(api: Api, target: Target, pod: Entry, request: Request) -> Response:
    """Show a pod, or add containers to it: those it has can neither change nor go.

    Raises:
        ApiError: 400, 405, 409 or 422.
    """
    resource = target.resource
    if request.method == "GET":
        return Response(200, representation.whole(resource, pod) + b"\n")
    if request.method == "PUT":
        sent, _ = bodies.manifest(api, resource, request.object(resource.kind), request)
    elif request.method == "PATCH":
        sent, _ = bodies.apply_patch(api, resource, pod, request)
    else:
        raise errors.method_not_allowed()
    asked = sent["metadata"].get("resourceVersion")
    if asked and asked != str(pod.revision):
        raise errors.conflict(resource, pod.name)
    wanted: list[Object] = (sent.get("spec") or {}).get(_FIELD) or []

    def alter(data: Object) -> None:
        data["spec"][_FIELD] = wanted

    changed = api.change(resource, pod, alter, request.writer("ephemeralcontainers"))
    return Response(200, representation.whole(resource, changed) + b"\n")
