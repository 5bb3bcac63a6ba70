"""What an answer has to look like before anything is read out of it.

A proxy or an aggregated API may answer anything, and call it JSON. The fields of whole objects that
setups and repairs follow are described here once, so that nobody behind has to ask whether a map is
a map. All other fields pass as they are: they are compared and shown, never followed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeAlias

import msgspec

from tui.cluster.errors import UNREADABLE, ApiError, Fault, one_line
from tui.cluster.ownership import Object

_WHERE: Final = re.compile(r" - at `\$\.?(.*)`$")
_TYPE: Final = re.compile(r"`([^`]*)`")
_MISSING: Final = re.compile(r"Object missing required field `(.*?)`")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*?)`")
_WORDS: Final = {
    "object": "a map",
    "array": "a list",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
}
_Map: TypeAlias = dict[str, Any]
_Number: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class _Shape(msgspec.Struct, rename="camel"):
    """Fields that are read, each with the type that Kubernetes gives it."""


class _Owner(_Shape):
    kind: str | None = None
    name: str | None = None
    uid: str | None = None
    controller: bool | None = None


class _Manager(_Shape):
    manager: str | None = None
    operation: str | None = None
    subresource: str | None = None
    time: str | None = None
    fields_v1: _Map | None = msgspec.field(default=None, name="fieldsV1")


class _Metadata(_Shape):
    name: str
    namespace: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    generation: _Number | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    finalizers: list[str] | None = None
    owner_references: list[_Owner] | None = None
    managed_fields: list[_Manager] | None = None


class _Any(_Shape):
    metadata: _Metadata
    spec: _Map | None = None
    status: _Map | None = None


class _Condition(_Shape):
    type: str | None = None
    status: str | None = None
    reason: str | None = None
    message: str | None = None
    last_transition_time: str | None = None


class _Resources(_Shape):
    requests: _Map | None = None
    limits: _Map | None = None


class _Container(_Shape):
    resources: _Resources | None = None


class _PodSpec(_Shape):
    containers: list[_Container] | None = None


class _Template(_Shape):
    metadata: _Map | None = None
    spec: _PodSpec | None = None


class _Selector(_Shape):
    match_labels: dict[str, str] | None = None
    match_expressions: list[_Map] | None = None


class _WorkloadSpec(_Shape):
    replicas: _Number | None = None
    selector: _Selector | None = None
    template: _Template | None = None


class _WorkloadStatus(_Shape):
    observed_generation: _Number | None = None
    replicas: _Number | None = None
    updated_replicas: _Number | None = None
    ready_replicas: _Number | None = None
    available_replicas: _Number | None = None
    desired_number_scheduled: _Number | None = None
    updated_number_scheduled: _Number | None = None
    number_available: _Number | None = None
    conditions: list[_Condition] | None = None


class _Workload(_Shape):
    metadata: _Metadata
    spec: _WorkloadSpec | None = None
    status: _WorkloadStatus | None = None


class _Target(_Shape):
    kind: str | None = None
    name: str | None = None


class _HpaSpec(_Shape):
    scale_target_ref: _Target | None = None


class _HpaStatus(_Shape):
    conditions: list[_Condition] | None = None


class _Hpa(_Shape):
    metadata: _Metadata
    spec: _HpaSpec | None = None
    status: _HpaStatus | None = None


class _Waiting(_Shape):
    reason: str | None = None
    message: str | None = None


class _Terminated(_Shape):
    exit_code: _Number | None = None
    reason: str | None = None


class _State(_Shape):
    waiting: _Waiting | None = None
    terminated: _Terminated | None = None


class _ContainerStatus(_Shape):
    name: str | None = None
    image: str | None = None
    state: _State | None = None
    last_state: _State | None = None


class _PodStatus(_Shape):
    conditions: list[_Condition] | None = None
    init_container_statuses: list[_ContainerStatus] | None = None
    container_statuses: list[_ContainerStatus] | None = None


class _Pod(_Shape):
    metadata: _Metadata
    status: _PodStatus | None = None


class _Involved(_Shape):
    name: str | None = None


class _Event(_Shape):
    metadata: _Metadata
    involved_object: _Involved | None = None
    reason: str | None = None
    message: str | None = None
    last_timestamp: str | None = None
    event_time: str | None = None


class _Page(_Shape):
    token: str | None = msgspec.field(default=None, name="continue")


class _List(_Shape):
    items: list[_Map] | None
    metadata: _Page | None = None


_SHAPES: Final[Mapping[str, type[_Shape]]] = {
    "deployments": _Workload,
    "statefulsets": _Workload,
    "daemonsets": _Workload,
    "replicasets": _Workload,
    "horizontalpodautoscalers": _Hpa,
    "pods": _Pod,
    "events": _Event,
}
"""By plural, as in a path; of other kinds only the metadata are followed."""


def one(body: bytes, plural: str) -> Object:
    """An object as the server sent it.

    Args:
        body: of the answer.
        plural: of its kind, as in a path.

    Raises:
        ApiError: of kind BAD_REPLY, it is not JSON, or not such an object.
    """
    found = _decoded(body, plural)
    wrong = fault(found, plural)
    if wrong:
        raise _bad(plural, wrong)
    return found


def page(body: bytes, plural: str) -> tuple[list[Object], str]:
    """The objects of a list, and the token that continues it; empty where it ends.

    Raises:
        ApiError: of kind BAD_REPLY, it is not JSON, or not a list of such objects.
    """
    found = _decoded(body, plural)
    wrong = _fault(found, _List)
    if wrong:
        raise _bad(plural, wrong)
    items: list[Object] = found["items"] or []
    for number, item in enumerate(items, start=1):
        wrong = fault(item, plural)
        if wrong:
            raise _bad(plural, f"{wrong}, in item {number} of {len(items)}")
    return items, str((found.get("metadata") or {}).get("continue") or "")


def _decoded(body: bytes, plural: str) -> Object:
    try:
        decoded = msgspec.json.decode(body)
    except UNREADABLE:
        raise ApiError(
            Fault.BAD_REPLY, f"The server's answer for {plural} cannot be read: it is no JSON."
        ) from None
    if not isinstance(decoded, dict):
        raise _bad(plural, "it is no object")
    return decoded


def fault(value: Object, plural: str) -> str:
    """What is wrong with an object of a kind, in a few words; empty if nothing is.

    ``expected a map, got a whole number at spec.scaleTargetRef``
    """
    return _fault(value, _SHAPES.get(plural, _Any))


def _fault(value: Object, shape: type[_Shape]) -> str:
    try:
        msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        return in_words(error)
    return ""


def in_words(error: Exception) -> str:
    """What msgspec found wrong, for people: ``expected a map, got text at spec.template``."""
    said = str(error)
    where = _WHERE.search(said)
    what = _MISSING.sub(r"\1 is missing", _UNKNOWN.sub(r"there is no such field as \1", said))
    what = _TYPE.sub(_type_in_words, _WHERE.sub("", what))
    path = where[1] if where else ""
    return f"{what[:1].lower()}{what[1:]}" + (f" at {path}" if path else "")


def _type_in_words(match: re.Match[str]) -> str:
    names = [name for name in match[1].split(" | ") if name != "null"] or ["null"]
    return " or ".join(_WORDS.get(name, name) for name in names)


def _bad(plural: str, why: str) -> ApiError:
    said = one_line(why)
    return ApiError(
        Fault.BAD_REPLY,
        f"The server's answer for {plural} is not what Kubernetes sends ({said}).",
    )
