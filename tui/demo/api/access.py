"""The gate in front of the API for those who are not the cluster's owner."""

from __future__ import annotations

from typing import Final

from tui.demo.api import errors, rbac
from tui.demo.api.paths import Target
from tui.demo.api.requests import Request
from tui.demo.store import Store

_VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def verb_of(target: Target, request: Request) -> str:
    """The verb that rules know a request by."""
    if request.method in ("GET", "HEAD"):
        if target.subresource in ("exec", "attach", "portforward"):
            return "get"
        if request.watches or target.watches:
            return "watch"
        return "get" if target.name else "list"
    if request.method == "DELETE" and not target.name:
        return "deletecollection"
    return _VERBS.get(request.method, request.method.lower())


def check(store: Store, target: Target, request: Request) -> None:
    """Let a request for a resource pass.

    Raises:
        ApiError: 403.
    """
    user = rbac.user_of(request.headers)
    if user.owns:
        return
    resource = target.resource
    plural = f"{resource.plural}/{target.subresource}" if target.subresource else resource.plural
    verb = verb_of(target, request)
    attempt = rbac.Attempt(verb, resource.group, plural, target.where, target.name)
    if rbac.allows(store, user, attempt)[0]:
        return
    where = f'in the namespace "{target.namespace}"' if target.where else "at the cluster scope"
    name = f' "{target.name}"' if target.name else ""
    message = (
        f'{resource.qualified}{name} is forbidden: User "{user.name}" cannot {verb} resource '
        f'"{plural}" in API group "{resource.group}" {where}'
    )
    raise errors.ApiError(403, "Forbidden", message, errors.details(resource, target.name))
