"""Lists: selectors, pages that show one moment, and how old a list may be."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left
from typing import Final

import msgspec

from tui.demo.api import errors, list_options, selectors
from tui.demo.api.requests import Request
from tui.demo.resource import Resource
from tui.demo.store import CompactedError, Entry, Object, Store

_VERSION: Final = "meta.k8s.io/v1"
_TOO_OLD: Final = (
    "The provided continue parameter is too old to display a consistent list result. You can "
    "start a new list without the continue parameter, or use the continue token in this response "
    "to retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list."
)


class Filter:
    """The selectors of a request."""

    def __init__(self, request: Request, resource: Resource) -> None:
        label_text = request.query.get("labelSelector", "")
        field_text = request.query.get("fieldSelector", "")
        self._labels = selectors.labels(label_text) if label_text else None
        self._fields = selectors.fields(field_text, resource) if field_text else None

    @property
    def all(self) -> bool:
        """Whether everything passes."""
        return self._labels is None and self._fields is None

    def __call__(self, entry: Entry) -> bool:
        """Whether the object is selected."""
        return (self._labels is None or self._labels(entry.labels)) and (
            self._fields is None or self._fields(entry)
        )


def choose(
    store: Store, resource: Resource, namespace: str | None, request: Request
) -> tuple[Object, list[Entry]]:
    """The metadata and the objects of a list.

    Raises:
        ApiError: 400 for bad parameters, 410 for what is too old, 504 for what is in the future.
    """
    list_options.check(request, watches=False)
    chosen = Filter(request, resource)
    limit = max(0, request.number("limit") or 0)
    token = request.query.get("continue", "")
    start = ""
    revision: int | None = None
    if token:
        revision, start = _parse_token(token)
        shown = store.revision if revision is None else revision
    else:
        revision = revision_of(request)
        match = request.query.get("resourceVersionMatch", "")
        if revision is not None and revision > store.revision:
            raise _in_future(revision, store.revision)
        if match != "Exact" or not revision:
            revision = None
        shown = store.revision if revision is None else revision
    try:
        entries = store.list_at(resource.storage, namespace, revision)
    except CompactedError:
        if token:
            fresh = {"continue": _token(-1, start)}
            raise errors.expired(_TOO_OLD, fresh) from None
        message = "The resourceVersion for the provided list is too old."
        raise errors.expired(message) from None
    if start:
        first = bisect_left(entries, start, key=lambda entry: _position(entry, namespace))
        entries = entries[first:]
    if not chosen.all:
        entries = [entry for entry in entries if chosen(entry)]
    metadata: Object = {"resourceVersion": str(shown)}
    if limit and len(entries) > limit:
        following = _position(entries[limit - 1], namespace) + "\0"
        metadata["continue"] = _token(shown, following)
        if chosen.all:
            metadata["remainingItemCount"] = len(entries) - limit
        entries = entries[:limit]
    return metadata, entries


def revision_of(request: Request) -> int | None:
    """The resourceVersion asked for; None if there is none.

    Raises:
        ApiError: it is not a number: 400, or 500 for a watch, as the real one has it.
    """
    text = request.query.get("resourceVersion", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        shown = msgspec.json.encode(text[:80]).decode()
        why = (
            f"resourceVersion: Invalid value: {shown}: "
            f"strconv.ParseUint: parsing {shown}: invalid syntax"
        )
        if request.flag("watch"):
            raise errors.ApiError(500, "", why)
        raise errors.bad_request(f"invalid resource version: {why}")
    return int(text)


def _position(entry: Entry, namespace: str | None) -> str:
    return entry.name if namespace is not None else f"{entry.namespace}/{entry.name}"


def _token(revision: int, start: str) -> str:
    token = {"v": _VERSION, "rv": revision, "start": start}
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).decode().rstrip("=")


def _parse_token(token: str) -> tuple[int | None, str]:
    try:
        decoded = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        found = msgspec.json.decode(decoded)
        revision, start = found["rv"], found["start"]
        if not isinstance(revision, int) or not isinstance(start, str):
            raise TypeError
    except (binascii.Error, ValueError, KeyError, TypeError, msgspec.MsgspecError):
        raise errors.bad_request(
            "invalid continue token: continue key is not valid: invalid character 'i' looking "
            "for beginning of value"
        ) from None
    return (None if revision < 0 else revision), start


def _in_future(asked: int, current: int) -> errors.ApiError:
    about = {
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1,
    }
    message = f"Timeout: Too large resource version: {asked}, current: {current}"
    return errors.ApiError(504, "Timeout", message, about)
