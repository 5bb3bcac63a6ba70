"""Reviews: whether one may, what one may, and who one is.

https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
"""

from __future__ import annotations

from tui.demo import resources
from tui.demo.api import errors, rbac
from tui.demo.api.paths import Target
from tui.demo.api.requests import Request, Response, part
from tui.demo.resource import Resource
from tui.demo.store import Object, Store


def respond(store: Store, target: Target, request: Request) -> Response:
    """Answer a review.

    Raises:
        ApiError: 405 for anything but a POST, 400 or 422 for a body that is no review.
    """
    if request.method != "POST":
        raise errors.method_not_allowed()
    resource = target.resource
    review = request.object(resource.kind)
    user = rbac.user_of(request.headers)
    spec = part(review, "spec")
    if resource is resources.SELF_REVIEWS:
        info: Object = {"username": user.name, "groups": list(user.groups)}
        return _answer(resource, {}, {"userInfo": info})
    if resource is resources.RULES_REVIEWS:
        return _answer(resource, {"spec": {}}, _rules(store, user, str(spec.get("namespace", ""))))
    if resource is not resources.ACCESS_REVIEWS:
        groups = spec.get("groups") or []
        if not isinstance(groups, list):
            raise errors.bad_request("json: cannot unmarshal: spec.groups is not a list")
        user = rbac.User(str(spec.get("user", "")), tuple(map(str, groups)))
    return _answer(resource, {"spec": spec}, _decide(store, user, spec, resource))


def _answer(resource: Resource, said: Object, status: Object) -> Response:
    head = {"kind": resource.kind, "apiVersion": resource.group_version, "metadata": {}}
    return Response.of({**head, **said, "status": status}, 201)


def _decide(store: Store, user: rbac.User, spec: Object, resource: Resource) -> Object:
    attributes, path = part(spec, "resourceAttributes"), part(spec, "nonResourceAttributes")
    if not attributes and not path:
        causes = [
            errors.Cause.invalid(
                "spec.resourceAttributes",
                None,
                "exactly one of nonResourceAttributes or resourceAttributes must be specified",
            )
        ]
        raise errors.invalid(resource, "", causes)
    if path:
        verb, where = str(path.get("verb", "")), str(path.get("path", ""))
        return {"allowed": rbac.allows_path(store, user, verb, where)}
    plural = str(attributes.get("resource", ""))
    if attributes.get("subresource"):
        plural += f"/{attributes['subresource']}"
    attempt = rbac.Attempt(
        str(attributes.get("verb", "")),
        str(attributes.get("group", "")),
        plural,
        str(attributes.get("namespace", "")),
        str(attributes.get("name", "")),
    )
    allowed, reason = rbac.allows(store, user, attempt)
    return {"allowed": allowed} | ({"reason": reason} if reason else {})


def _rules(store: Store, user: rbac.User, namespace: str) -> Object:
    rules = rbac.rules_of(store, user, namespace)
    return {
        "resourceRules": [one for one in rules if "nonResourceURLs" not in one],
        "nonResourceRules": [one for one in rules if "nonResourceURLs" in one],
        "incomplete": False,
    }
