"""Who may do what: the cluster's owner everything, everybody else what Roles and bindings say.

The bearer token is the owner's. He may act as another with the ``Impersonate-User`` header
(``kubectl --as``), and then has that user's rights alone.
https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tui.demo import resources
from tui.demo.api import selectors
from tui.demo.store import Entry, Object, Store

_MASTERS: Final = "system:masters"
_EVERYBODY: Final = "system:authenticated"
_ACCOUNT: Final = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class User:
    """Who asks."""

    name: str
    groups: tuple[str, ...] = ()

    @property
    def owns(self) -> bool:
        """Whether everything is allowed."""
        return _MASTERS in self.groups


OWNER: Final = User("kubernetes-admin", (_MASTERS, _EVERYBODY))


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody wants to do with a resource."""

    verb: str
    group: str
    resource: str
    """The plural; with a subresource ``pods/log``."""
    namespace: str = ""
    name: str = ""


def user_of(headers: Any) -> User:
    """The user of a request that carried the token."""
    name = headers.get("impersonate-user", "")
    if not name:
        return OWNER
    groups = [one.strip() for one in headers.get("impersonate-group", "").split(",")]
    return User(name, (*filter(None, groups), _EVERYBODY))


def allows(store: Store, user: User, attempt: Attempt) -> tuple[bool, str]:
    """Whether a user may, and by which binding."""
    if user.owns:
        return True, ""
    for rules, where in _rules(store, user, attempt.namespace):
        if any(_covers(rule, attempt) for rule in rules):
            return True, where
    return False, ""


def allows_path(store: Store, user: User, verb: str, path: str) -> bool:
    """Whether a user may get a path that is no resource, such as ``/healthz``."""
    if user.owns:
        return True
    for rules, _ in _rules(store, user, ""):
        for rule in rules:
            verbs, paths = rule.get("verbs") or (), rule.get("nonResourceURLs") or ()
            if {"*", verb} & set(verbs) and any(_matches_path(one, path) for one in paths):
                return True
    return False


def _matches_path(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern


def rules_of(store: Store, user: User, namespace: str) -> list[Object]:
    """All rules a user has in a namespace."""
    found: list[Object] = []
    if user.owns:
        found = [
            {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
            {"verbs": ["*"], "nonResourceURLs": ["*"]},
        ]
    for rules, _ in _rules(store, user, namespace):
        found += [rule for rule in rules if rule not in found]
    return found


def _rules(store: Store, user: User, namespace: str) -> Iterator[tuple[list[Object], str]]:
    storage = resources.CLUSTER_ROLE_BINDINGS.storage
    bindings = [(one, "ClusterRoleBinding") for one in store.list_at(storage, None, None)]
    if namespace:
        storage = resources.ROLE_BINDINGS.storage
        bindings += [(one, "RoleBinding") for one in store.list_at(storage, namespace, None)]
    for binding, kind in bindings:
        subject = _subject(binding, user)
        if not subject:
            continue
        reference = binding.data.get("roleRef") or {}
        of_cluster = reference.get("kind") == "ClusterRole"
        role = store.get(
            resources.CLUSTER_ROLES.storage if of_cluster else resources.ROLES.storage,
            "" if of_cluster else binding.namespace,
            str(reference.get("name", "")),
        )
        if role is None:
            continue
        name = f"{binding.name}/{binding.namespace}" if binding.namespace else binding.name
        named = f'{reference.get("kind")} "{role.name}"'
        where = f'RBAC: allowed by {kind} "{name}" of {named} to {subject}'
        yield _rules_of_role(store, role), where


def _rules_of_role(store: Store, role: Entry) -> list[Object]:
    """The rules of a role; an aggregated one has those of the roles it selects."""
    rules: list[Object] = list(role.data.get("rules") or ())
    for selector in (role.data.get("aggregationRule") or {}).get("clusterRoleSelectors") or ():
        for other in store.list_at(resources.CLUSTER_ROLES.storage, None, None):
            if other.name != role.name and selectors.matches(selector, other.labels):
                rules += other.data.get("rules") or ()
    return rules


def _subject(binding: Entry, user: User) -> str:
    for one in binding.data.get("subjects") or ():
        kind, name = one.get("kind"), str(one.get("name", ""))
        if kind == "User" and name == user.name:
            return f'User "{name}"'
        if kind == "Group" and name in user.groups:
            return f'Group "{name}"'
        if kind == "ServiceAccount":
            account = f"{one.get('namespace') or binding.namespace}:{name}"
            if user.name == _ACCOUNT + account:
                return f'ServiceAccount "{account.replace(":", "/")}"'
    return ""


def _covers(rule: Object, attempt: Attempt) -> bool:
    names = rule.get("resourceNames") or ()
    return (
        bool({"*", attempt.verb} & set(rule.get("verbs") or ()))
        and bool({"*", attempt.group} & set(rule.get("apiGroups") or ()))
        and _has_resource(rule.get("resources") or (), attempt.resource)
        and (not names or attempt.name in names)
    )


def _has_resource(listed: Any, resource: str) -> bool:
    _, slash, subresource = resource.partition("/")
    wanted = {"*", resource}
    if slash:
        wanted.add(f"*/{subresource}")
    return bool(wanted & set(listed))
