"""Errors as the API server words them: a `Status` object for each, with its HTTP code.

The wording was taken from a running Kubernetes 1.36.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from tui.demo.resource import Resource


class Cause(NamedTuple):
    """One thing wrong with one field."""

    field: str
    reason: str
    message: str

    @classmethod
    def invalid(cls, field: str, value: object, detail: str) -> Cause:
        """The value is not allowed."""
        shown = msgspec.json.encode(value).decode()
        return cls(field, "FieldValueInvalid", f"Invalid value: {shown}: {detail}")

    @classmethod
    def required(cls, field: str, detail: str = "") -> Cause:
        """The value is missing."""
        text = f"Required value: {detail}" if detail else "Required value"
        return cls(field, "FieldValueRequired", text)

    @classmethod
    def duplicate(cls, field: str, value: object) -> Cause:
        """The value appears twice in a list whose entries differ."""
        shown = msgspec.json.encode(value).decode()
        return cls(field, "FieldValueDuplicate", f"Duplicate value: {shown}")

    @classmethod
    def unsupported(cls, field: str, value: object, supported: Sequence[str]) -> Cause:
        """The value is none of those known."""
        shown = msgspec.json.encode(value).decode()
        known = ", ".join(f'"{one}"' for one in supported)
        message = f"Unsupported value: {shown}: supported values: {known}"
        return cls(field, "FieldValueNotSupported", message)

    @classmethod
    def forbidden(cls, field: str, detail: str) -> Cause:
        """The field may not be set or changed."""
        return cls(field, "FieldValueForbidden", f"Forbidden: {detail}")


class ApiError(Exception):
    """A request that fails with a `Status`.

    Args:
        code: HTTP status.
        reason: the machine-readable reason, such as ``NotFound``.
        details: ``status.details``, None to leave it out.
        metadata: ``status.metadata``, used by expired continue tokens.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.metadata = metadata or {}

    def status(self) -> dict[str, Any]:
        """The `Status` object."""
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = self.details
        status["code"] = self.code
        return status


def details(resource: Resource, name: str = "") -> dict[str, Any]:
    """``status.details`` that names an object by its plural."""
    found: dict[str, Any] = {"name": name} if name else {}
    if resource.group:
        found["group"] = resource.group
    found["kind"] = resource.plural
    return found


def bad_request(message: str) -> ApiError:
    """400."""
    return ApiError(400, "BadRequest", message)


def unauthorized() -> ApiError:
    """401."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def forbidden(resource: Resource, name: str, why: str, causes: Sequence[Cause] = ()) -> ApiError:
    """403 for one object."""
    about = details(resource, name)
    if causes:
        about["causes"] = [
            {"reason": cause.reason, "message": cause.message, "field": cause.field}
            for cause in causes
        ]
    message = f'{resource.qualified} "{name}" is forbidden: {why}'
    return ApiError(403, "Forbidden", message, about)


def not_found(resource: Resource, name: str) -> ApiError:
    """404 for one object."""
    message = f'{resource.qualified} "{name}" not found'
    return ApiError(404, "NotFound", message, details(resource, name))


def no_such_path() -> ApiError:
    """404 for a resource that is not served."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def method_not_allowed() -> ApiError:
    """405."""
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", message, {})


def not_acceptable() -> ApiError:
    """406."""
    message = (
        "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, "
        "application/vnd.kubernetes.protobuf, application/json;stream=watch, "
        "application/vnd.kubernetes.protobuf;stream=watch"
    )
    return ApiError(406, "NotAcceptable", message, {})


def already_exists(resource: Resource, name: str) -> ApiError:
    """409 on create."""
    message = f'{resource.qualified} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, details(resource, name))


def conflict(resource: Resource, name: str) -> ApiError:
    """409: the resourceVersion is not the current one."""
    message = (
        f'Operation cannot be fulfilled on {resource.qualified} "{name}": the object has been '
        "modified; please apply your changes to the latest version and try again"
    )
    return ApiError(409, "Conflict", message, details(resource, name))


def no_such_uid(resource: Resource, name: str, uid: str) -> ApiError:
    """409: an apply names a uid, and there is no object."""
    message = (
        f'Operation cannot be fulfilled on {resource.qualified} "{name}": uid mismatch: the '
        f"provided object specified uid {uid}, and no existing object was found"
    )
    return ApiError(409, "Conflict", message, details(resource, name))


def uid_is_fixed(resource: Resource, name: str, uid: str) -> ApiError:
    """422: an apply names another uid than the object's."""
    words = f'Invalid value: "{uid}": field is immutable'
    return invalid(resource, name, [Cause("metadata.uid", "FieldValueInvalid", words)])


def precondition_failed(
    resource: Resource, name: str, field: str, asked: str, found: str
) -> ApiError:
    """409: a delete's precondition does not hold. ``field`` is ``UID`` or ``ResourceVersion``."""
    message = (
        f'Operation cannot be fulfilled on {resource.qualified_kind} "{name}": the {field} in the '
        f"precondition ({asked}) does not match the {field} in record ({found}). "
        "The object might have been deleted and then recreated"
        if field == "UID"
        else f'Operation cannot be fulfilled on {resource.qualified_kind} "{name}": the '
        f"{field} in the precondition ({asked}) does not match the {field} in record ({found}). "
        "The object might have been modified"
    )
    about: dict[str, Any] = {"name": name}
    if resource.group:
        about["group"] = resource.group
    about["kind"] = resource.kind
    return ApiError(409, "Conflict", message, about)


def expired(message: str, metadata: dict[str, Any] | None = None) -> ApiError:
    """410."""
    return ApiError(410, "Expired", message, None, metadata)


def unsupported_media_type() -> ApiError:
    """415."""
    return ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})


def unsupported_patch(accepted: Sequence[str]) -> ApiError:
    """415: custom resources cannot be patched so."""
    message = (
        "the body of the request was in an unknown format - accepted media types include: "
        + ", ".join(accepted)
    )
    return ApiError(415, "UnsupportedMediaType", message, {})


def invalid(resource: Resource, name: str, causes: Sequence[Cause]) -> ApiError:
    """422: the object breaks a rule, each named by its field."""
    said = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in causes))
    listed = said[0] if len(said) == 1 else f"[{', '.join(said)}]"
    about: dict[str, Any] = {"name": name} if name else {}
    if resource.group:
        about["group"] = resource.group
    if resource.kind:
        about["kind"] = resource.kind
    about["causes"] = [
        {"reason": cause.reason, "message": cause.message, "field": cause.field} for cause in causes
    ]
    message = f'{resource.qualified_kind} "{name}" is invalid: {listed}'
    return ApiError(422, "Invalid", message, about)


def unprocessable(message: str) -> ApiError:
    """422 for a patch that cannot be carried out."""
    return ApiError(422, "Invalid", message, {})
