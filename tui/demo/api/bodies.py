"""What requests carry: manifests, patches, delete options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from tui.demo.api import conversions, duplicates, errors, patches, schema, types
from tui.demo.api.errors import Cause
from tui.demo.api.operations import Api, DeleteOptions
from tui.demo.api.paths import Target
from tui.demo.api.requests import Request, part
from tui.demo.resource import Resource
from tui.demo.store import Entry, Object

_PATCH_TYPES: Final = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
_CUSTOM_PATCHES: Final = tuple(one for one in _PATCH_TYPES if "strategic" not in one)
_NO_KIND: Final = Resource("", "", "", "")
"""What the real one names where a patch is at fault: nothing."""
_encode = msgspec.json.Encoder().encode
_MODES: Final = ("Ignore", "Strict", "Warn")
_PROPAGATIONS: Final = ("Background", "Foreground", "Orphan")


def check_kind(resource: Resource, data: Object) -> None:
    """Refuse an object of another kind than the path's.

    Raises:
        ApiError: 400.
    """
    kind = data.get("kind") or resource.kind
    version = data.get("apiVersion") or resource.group_version
    if kind != resource.kind:
        group, _, number = str(version).rpartition("/")
        mine = resource.group or "core"
        raise errors.bad_request(
            f'{kind} in version "{number}" cannot be handled as a {resource.kind}: converting '
            f"({group or ''}{'.' if group else ''}{number}.{kind}) to ({mine}.{resource.kind}): "
            "unknown conversion"
        )
    if version != resource.group_version:
        raise errors.bad_request(
            f"the API version in the data ({version}) does not match the expected API version "
            f"({resource.group_version})"
        )


def manifest(
    api: Api, resource: Resource, data: Object, request: Request
) -> tuple[Object, dict[str, str]]:
    """A manifest, checked and decoded to the stored version, and headers that warn of it.

    Raises:
        ApiError: 400, it is of another kind, has a field of the wrong type, or an unknown one
            where the request wants none.
    """
    check_kind(resource, data)
    schema = api.registry.schema_of(resource) if resource.custom else None
    decoded, unknown = types.decode(resource, data, schema)
    mode = request.query.get("fieldValidation") or "Warn"
    if mode not in _MODES:
        said = Cause.unsupported("fieldValidation", mode, ("", *_MODES)).message
        raise errors.unprocessable(f'options.meta.k8s.io "" is invalid: fieldValidation: {said}')
    problems = list(unknown)
    if mode != "Ignore":
        problems = [f'unknown field "{path}"' for path in unknown]
        if request.method in ("POST", "PUT"):
            problems += [f'duplicate field "{path}"' for path in duplicates.find(request.body)]
    if mode == "Strict":
        types.refuse(resource, problems)
    warning = types.warnings(problems) if mode == "Warn" else ""
    stored = conversions.to_stored(resource, decoded)
    stored.setdefault("metadata", {})
    return stored, {"Warning": warning} if warning else {}


def applied(api: Api, target: Target, request: Request) -> tuple[Object, dict[str, str]]:
    """What is to be applied on the server's side, and headers that warn of it.

    Raises:
        ApiError: 500 for a field that the type does not have, or what `manifest` raises.
    """
    resource = target.resource
    data = request.object(resource.kind)
    check_kind(resource, data)
    if not resource.custom:
        _, unknown = types.decode(resource, data)
        found = [
            f"{path}: field not declared in schema" for path in _typed(resource, data, unknown)
        ]
        if found:
            # Without a reason: the real one has none either for what its typed objects refuse.
            said = found[0] if len(found) == 1 else "errors:\n  " + "\n  ".join(found)
            about = f"{target.where}/{target.name}; {resource.group}/{resource.version}"
            raise errors.ApiError(
                500,
                "",
                f"failed to create typed patch object ({about}, Kind={resource.kind}): {said}",
            )
    return manifest(api, resource, data, request)


def _typed(resource: Resource, data: Object, unknown: list[str]) -> Iterator[str]:
    """Unknown fields as server-side apply writes them: one of each struct, items by their keys."""
    seen = set()
    for path in unknown:
        holder = path.rpartition(".")[0]
        if holder in seen:
            continue
        seen.add(holder)
        node: Any = data
        names: list[str] = []
        shown = ""
        for step in re.findall(r"[^.\[\]]+", path):
            if isinstance(node, list):
                node = node[int(step)]
                keys = schema.list_keys(tuple(names), resource.kind)
                named = ",".join(f"{k}={_encode(node[k]).decode()}" for k in keys if k in node)
                shown += f"[{named or step}]"
            else:
                node = node.get(step)
                names.append(step)
                shown += f".{step}"
        yield shown


def patch_type(request: Request) -> str:
    """The kind of patch.

    Raises:
        ApiError: 415.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind not in _PATCH_TYPES:
        raise errors.unsupported_media_type()
    return kind


def apply_patch(
    api: Api, resource: Resource, current: Entry, request: Request
) -> tuple[Object, dict[str, str]]:
    """The stored version of an object after a JSON, merge or strategic patch, and warnings.

    Raises:
        ApiError: 400, 415 or 422.
    """
    if resource.custom and patch_type(request) == "application/strategic-merge-patch+json":
        raise errors.unsupported_patch(_CUSTOM_PATCHES)
    shown = conversions.from_stored(resource, current.copy())
    patched = patch_object(resource.kind, shown, request)
    if not isinstance(patched.get("metadata"), dict):
        raise errors.bad_request("the patched object has no metadata")
    name = patched["metadata"].setdefault("name", current.name)
    if name != current.name:
        raise errors.bad_request(
            f"the name of the object ({name}) does not match the name on the URL ({current.name})"
        )
    try:
        return manifest(api, resource, patched, request)
    except errors.ApiError as problem:
        raise _of_patch(resource, patched, problem) from None


def _of_patch(resource: Resource, patched: Object, problem: errors.ApiError) -> errors.ApiError:
    """What does not decode once it is patched is the patch's fault."""
    _, found, why = problem.message.partition(f"cannot be handled as a {resource.kind}: ")
    if problem.code != 400 or not found:
        return problem
    head = {"apiVersion": resource.group_version, "kind": resource.kind}
    text = _encode(head | patched).decode()
    return errors.invalid(_NO_KIND, "", [Cause.invalid("patch", text, why)])


def patch_object(kind: str, data: Object, request: Request) -> Object:
    """Apply the request's patch to an object.

    Raises:
        ApiError: 400, 415 or 422.
    """
    how = patch_type(request)
    if how == "application/json-patch+json":
        return patches.json_patch(data, request.json())
    patch = request.object(kind)
    patch.pop("kind", None)
    patch.pop("apiVersion", None)
    if how == "application/merge-patch+json":
        merged: Object = patches.merge_patch(data, patch)
        return merged
    try:
        return patches.strategic_merge_patch(data, patch, kind)
    except (AttributeError, TypeError) as problem:
        raise errors.bad_request(f"cannot apply the patch: {problem}") from None


def delete_options(request: Request) -> DeleteOptions:
    """The options of a delete, in its query or its body.

    Raises:
        ApiError: 400 or 422.
    """
    body: Object = request.object("DeleteOptions") if request.body else {}
    conditions = part(body, "preconditions")
    propagation = request.query.get("propagationPolicy") or body.get("propagationPolicy")
    if propagation is None and body.get("orphanDependents"):
        propagation = "Orphan"
    if propagation is not None and propagation not in _PROPAGATIONS:
        cause = errors.Cause.unsupported("propagationPolicy", propagation, _PROPAGATIONS)
        raise errors.unprocessable(f'DeleteOptions.meta.k8s.io "" is invalid: {cause.message}')
    grace = request.number("gracePeriodSeconds")
    if grace is None and isinstance(body.get("gracePeriodSeconds"), int):
        grace = body["gracePeriodSeconds"]
    return DeleteOptions(
        propagation or "Background",
        grace,
        str(conditions.get("uid") or ""),
        str(conditions.get("resourceVersion") or ""),
        request.dry_run or body.get("dryRun") == ["All"],
    )
