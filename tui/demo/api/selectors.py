"""Label and field selectors, in queries and in objects."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from tui.demo.api import errors
from tui.demo.resource import Resource
from tui.demo.store import Entry, Object

Labels = Mapping[str, str]
LabelTest = Callable[[Labels], bool]
EntryTest = Callable[[Entry], bool]

_TOKEN: Final = re.compile(r"\s*(==|!=|=|!|,|\(|\)|<|>|[^\s=!,()<>]+)")
_FIELDS: Final[dict[str, frozenset[str]]] = {
    "Pod": frozenset(
        {
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        }
    ),
    "Event": frozenset(
        {
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        }
    ),
    "Node": frozenset({"spec.unschedulable"}),
    "Namespace": frozenset({"status.phase"}),
    "Secret": frozenset({"type"}),
    "Service": frozenset({"spec.clusterIP", "spec.type"}),
    "ReplicaSet": frozenset({"status.replicas"}),
    "Job": frozenset({"status.successful"}),
}
# What events.k8s.io/v1 calls otherwise than the core group.
_RENAMED: Final = {"regarding": "involvedObject", "reportingController": "reportingComponent"}


def labels(text: str) -> LabelTest:
    """The test a ``labelSelector`` query stands for.

    Raises:
        ApiError: 400, the selector cannot be parsed.
    """
    tokens = _TOKEN.findall(text)
    tests: list[LabelTest] = []
    position = 0

    def take(expected: str, *, optional: bool = False) -> str:
        nonlocal position
        if optional and (position >= len(tokens) or tokens[position] == ","):
            return ""
        if position >= len(tokens):
            raise _unparsable("", expected)
        token: str = tokens[position]
        position += 1
        return token

    while position < len(tokens):
        word = take("identifier")
        if word == "!":
            key = take("identifier")
            tests.append(_names(key, there=False))
        elif not _is_identifier(word):
            raise _unparsable(word, "!, identifier, or 'end of string'")
        else:
            following = tokens[position] if position < len(tokens) else ","
            if following == ",":
                tests.append(_names(word, there=True))
            else:
                tests.append(_requirement(word, take))
        if position < len(tokens) and take(",") != ",":
            raise _unparsable(tokens[position - 1], "',' or 'end of string'")
    return lambda have: all(test(have) for test in tests)


def _names(key: str, *, there: bool) -> LabelTest:
    return lambda have: (key in have) is there


def _requirement(key: str, take: Callable[..., str]) -> LabelTest:
    operator = take("operator")
    if operator in ("=", "==", "!="):
        value = take("identifier", optional=True)
        if value and not _is_identifier(value):
            raise _unparsable(value, "identifier")
        if operator == "!=":
            return lambda have: have.get(key) != value
        return lambda have: have.get(key) == value
    if operator in ("in", "notin"):
        if (opening := take("(")) != "(":
            raise _unparsable(opening, "'('")
        values: set[str] = set()
        while (value := take("identifier")) != ")":
            if value != ",":
                values.add(value)
        if operator == "in":
            return lambda have: have.get(key) in values
        return lambda have: have.get(key) not in values
    if operator in (">", "<"):
        bound = int(take("identifier"))
        return lambda have: _compares(have.get(key), operator, bound)
    raise _unparsable(operator, "in, notin, =, ==, !=, gt, lt")


def _compares(value: str | None, operator: str, bound: int) -> bool:
    if value is None or not value.lstrip("-").isdigit():
        return False
    return int(value) > bound if operator == ">" else int(value) < bound


def _is_identifier(token: str) -> bool:
    return token not in ("=", "==", "!=", "!", ",", "(", ")", "<", ">")


def _unparsable(found: str, expected: str) -> errors.ApiError:
    shown = "=" if found == "==" else found
    return errors.bad_request(f"unable to parse requirement: found '{shown}', expected: {expected}")


def fields(text: str, resource: Resource) -> EntryTest:
    """The test a ``fieldSelector`` query stands for.

    Raises:
        ApiError: 400, the selector or one of its fields is not supported.
    """
    known = _FIELDS.get(resource.built_in, frozenset())
    tests: list[EntryTest] = []
    for part in filter(None, text.split(",")):
        match = re.fullmatch(r"([^=!]+)(==|!=|=)(.*)", part)
        if match is None:
            raise errors.bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
        path, operator, value = match.groups()
        if resource.alias_of is not None:
            first, dot, rest = path.partition(".")
            path = f"{_RENAMED.get(first, first)}{dot}{rest}"
        if path not in ("metadata.name", "metadata.namespace") and path not in known:
            raise errors.bad_request(f"field label not supported: {path}")
        names = tuple(path.split("."))
        wanted = operator != "!="
        tests.append(
            lambda entry, names=names, value=value, wanted=wanted: (  # type: ignore[misc]  # a lambda with defaults
                (_field(entry.data, names) == value) is wanted
            )
        )
    return lambda entry: all(test(entry) for test in tests)


def _field(data: Object, names: tuple[str, ...]) -> str:
    if names == ("source",):
        names = ("source", "component")
    value: Any = data
    for name in names:
        if not isinstance(value, dict):
            return ""
        value = value.get(name)
    if value is None:
        return "false" if names[-1] in ("unschedulable", "hostNetwork") else ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def matches(selector: Object | None, have: Labels) -> bool:
    """Whether a ``LabelSelector`` object selects the labels; None selects nothing, ``{}`` all."""
    if selector is None:
        return False
    for key, value in (selector.get("matchLabels") or {}).items():
        if have.get(key) != value:
            return False
    for expression in selector.get("matchExpressions") or ():
        key, values = expression["key"], expression.get("values") or ()
        found = have.get(key)
        operator = expression["operator"]
        if operator == "In" and found not in values:
            return False
        if operator == "NotIn" and found in values:
            return False
        if operator == "Exists" and found is None:
            return False
        if operator == "DoesNotExist" and found is not None:
            return False
    return True


def as_text(selector: Object | None) -> str:
    """A ``LabelSelector`` object as a query, as ``scale`` reports it."""
    if not selector:
        return ""
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for expression in selector.get("matchExpressions") or ():
        key, operator = expression["key"], expression["operator"]
        values = ",".join(sorted(expression.get("values") or ()))
        if operator in ("In", "NotIn"):
            parts.append(f"{key} {operator.lower()} ({values})")
        else:
            parts.append(key if operator == "Exists" else f"!{key}")
    return ",".join(parts)
