"""One generic handler for every resource: what a request asks for is looked up, not coded."""

from __future__ import annotations

import sys
from collections.abc import Callable
from random import Random
from typing import Final, Protocol

from tui.demo import resources
from tui.demo.api import (
    access,
    bodies,
    errors,
    health,
    listing,
    paths,
    representation,
    reviews,
    subresources,
    watching,
)
from tui.demo.api.accounts import Accounts
from tui.demo.api.discovery import Discovery
from tui.demo.api.operations import Api
from tui.demo.api.paths import Target
from tui.demo.api.requests import PLAIN, Request, Response, Stream, Upgrade
from tui.demo.openapi.documents import Documents
from tui.demo.resource import CREATE_ONLY, Resource
from tui.demo.store import Entry

_METRICS: Final = "/apis/metrics.k8s.io/v1beta1/"
_DEPRECATED: Final = {
    resources.ENDPOINTS: (
        "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
    ),
}
# A client that can read nothing but protobuf is refused; one that can read JSON too gets JSON.
_ACCEPTED: Final = ("application/json", "application/yaml", "*/*", "application/*", "")


class MetricsSource(Protocol):
    """Who answers ``metrics.k8s.io``."""

    def respond(self, target: Target, request: Request) -> Response:
        """Answer a get or a list of node or pod metrics."""

    def refusal(self) -> Response | None:
        """The answer to everything, if nobody stands behind the API."""


_RETURNED: Final = frozenset(
    {
        "namespaces",
        "persistentvolumeclaims",
        "persistentvolumes",
        "pods",
        "resourcequotas",
        "serviceaccounts",
        "services",
        "storageclasses",
    }
)
"""What a delete answers with as it was, rather than with a Status."""


class Handlers:
    """Turns requests into answers."""

    def __init__(
        self,
        api: Api,
        metrics: MetricsSource,
        logs: subresources.LogSource,
        rng: Random,
    ) -> None:
        self._api = api
        self._metrics = metrics
        self._logs = logs
        self._rng = rng
        self._discovery = Discovery(api.registry)
        self._documents = Documents(api.registry)
        self._accounts = Accounts(api)
        self.sessions: object = None
        """Who opens streams into pods."""

    def account(self, token: str) -> dict[str, str] | None:
        """The headers that make a request a service account's; None if the token is not its."""
        return self._accounts.headers(token)

    def respond(self, request: Request) -> Response | Stream:
        """Answer a request; what goes wrong is an answer too."""
        try:
            return self._route(request)
        except paths.UnknownGroupError:
            return Response.text("404 page not found\n", 404)
        except errors.ApiError as problem:
            answer = Response.of(problem.status(), problem.code)
            if problem.code == 504 and not problem.details:
                answer.content_type = PLAIN  # as the real filter for timeouts has it
            return answer
        except Exception as problem:  # a request must not take the server down
            what = f"{type(problem).__name__}: {problem}"
            sys.stderr.write(f"cannot answer {request.method} {request.path}: {what}\n")
            failed = errors.ApiError(500, "InternalError", f"Internal error occurred: {what}", {})
            return Response.of(failed.status(), 500)

    def _route(self, request: Request) -> Response | Stream:
        path = request.path.rstrip("/") or "/"
        healthy = health.respond(path, request)
        if healthy is not None:
            return healthy
        documents = self._documents.respond(path, request)
        if documents is not None:
            return documents
        self._check_accept(request)
        refusal = self._metrics.refusal()
        if refusal is not None and (path + "/").startswith(_METRICS):
            return refusal
        metrics = 200 if refusal is None else refusal.status
        found = self._discovery.respond(path, request, metrics)
        if found is not None:
            return found
        if not path.startswith(("/api/", "/apis/")):
            return Response.text("404 page not found\n", 404)
        target = paths.parse(path, self._api.registry)
        access.check(self._api.store, target, request)
        request.check_timeout()
        if not target.resource.stored:
            return self._computed(target, request)
        if target.subresource == "token":
            return self._accounts.respond(target, request)
        if target.subresource:
            answer = subresources.respond(self._api, self._logs, target, request)
            if isinstance(answer, Upgrade):
                answer.sessions = self.sessions
            return answer
        handler = self._verbs().get(request.method)
        if handler is None:
            raise errors.method_not_allowed()
        answer = handler(target, request)
        warning = _DEPRECATED.get(target.resource)
        if warning is not None and isinstance(answer, Response):
            answer.headers.setdefault("Warning", f'299 - "{warning}"')
        return answer

    @staticmethod
    def _check_accept(request: Request) -> None:
        accepted = request.headers.get("accept", "")
        kinds = [part.partition(";")[0].strip() for part in accepted.split(",")]
        if not any(kind in _ACCEPTED for kind in kinds):
            raise errors.not_acceptable()

    def _verbs(self) -> dict[str, Callable[[Target, Request], Response | Stream]]:
        return {
            "GET": self._read,
            "POST": self._create,
            "PUT": self._update,
            "PATCH": self._patch,
            "DELETE": self._delete,
        }

    def _computed(self, target: Target, request: Request) -> Response:
        if target.resource.verbs == CREATE_ONLY:
            return reviews.respond(self._api.store, target, request)
        if request.method != "GET":
            raise errors.method_not_allowed()
        if request.watches or target.watches:
            qualified = target.resource.qualified
            raise errors.ApiError(
                405,
                "MethodNotAllowed",
                f'watch is not supported on resources of kind "{qualified}"',
                {"group": target.resource.group, "kind": target.resource.plural},
            )
        return self._metrics.respond(target, request)

    def _read(self, target: Target, request: Request) -> Response | Stream:
        resource = target.resource
        shape = representation.Shape(
            resource, request, self._api.clock, self._api.registry.columns_of(resource)
        )
        if request.watches or target.watches:
            return watching.watch(
                self._api.store,
                resource,
                target.namespace,
                target.name,
                request,
                self._rng,
                shape,
            )
        if target.name:
            entry = self._api.get(resource, target.where, target.name)
            return Response(200, shape.one(entry) + b"\n")
        found = listing.choose(self._api.store, resource, target.namespace, request)
        return Response(200, shape.many(*found))

    def _create(self, target: Target, request: Request) -> Response:
        resource = target.resource
        if target.name or (resource.namespaced and target.namespace is None):
            raise errors.method_not_allowed()
        data = request.object(resource.kind)
        data, warnings = bodies.manifest(self._api, resource, data, request)
        entry = self._api.create(resource, target.where, data, request.writer())
        return _shown(resource, entry, 201, warnings)

    def _update(self, target: Target, request: Request) -> Response:
        resource = target.resource
        if not target.name:
            raise errors.method_not_allowed()
        data = request.object(resource.kind)
        data, warnings = bodies.manifest(self._api, resource, data, request)
        data["metadata"].setdefault("name", target.name)
        if data["metadata"]["name"] != target.name:
            raise errors.bad_request(
                f"the name of the object ({data['metadata']['name']}) does not match the name on "
                f"the URL ({target.name})"
            )
        entry = self._api.update(resource, target.where, data, request.writer())
        return _shown(resource, entry, 200, warnings)

    def _patch(self, target: Target, request: Request) -> Response:
        resource = target.resource
        if not target.name:
            raise errors.method_not_allowed()
        kind = bodies.patch_type(request)
        if kind == "application/apply-patch+yaml":
            config, warnings = bodies.applied(self._api, target, request)
            if not request.query.get("fieldManager"):
                raise errors.bad_request(
                    "PatchOptions.meta.k8s.io is invalid: fieldManager: Required value: is "
                    "required for apply patch"
                )
            entry, created = self._api.apply(
                resource,
                target.where,
                target.name,
                config,
                request.writer(),
                request.flag("force"),
            )
            return _shown(resource, entry, 201 if created else 200, warnings)
        current = self._api.get(resource, target.where, target.name)
        patched, warnings = bodies.apply_patch(self._api, resource, current, request)
        entry = self._api.update(resource, target.where, patched, request.writer())
        return _shown(resource, entry, 200, warnings)

    def _delete(self, target: Target, request: Request) -> Response:
        options = bodies.delete_options(request)
        resource = target.resource
        if target.name:
            entry, gone = self._api.delete(resource, target.where, target.name, options)
            if gone and resource.plural not in _RETURNED:
                about = {"name": target.name, "group": resource.group, "kind": resource.plural}
                status = {
                    "kind": "Status",
                    "apiVersion": "v1",
                    "metadata": {},
                    "status": "Success",
                    "details": {k: v for k, v in about.items() if v} | {"uid": entry.uid},
                }
                return Response.of(status)
            return _shown(resource, entry)
        if "deletecollection" not in resource.verbs:
            raise errors.method_not_allowed()
        chosen = listing.Filter(request, resource)
        doomed = self._api.store.list_at(resource.storage, target.namespace, None)
        doomed = [entry for entry in doomed if chosen(entry)]
        for entry in doomed:
            self._api.delete(resource, entry.namespace, entry.name, options)
        metadata = {"resourceVersion": str(self._api.store.revision)}
        items = [representation.item(resource, entry) for entry in doomed]
        return Response(200, representation.listed(resource, metadata, items))


def _shown(
    resource: Resource, entry: Entry, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    body = representation.whole(resource, entry) + b"\n"
    return Response(status, body, headers=headers or {})
