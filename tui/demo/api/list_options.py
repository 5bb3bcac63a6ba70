"""Which options of a list or watch go together.

As ``ValidateListOptions`` of Kubernetes' apimachinery has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tui.demo.api import errors
from tui.demo.api.errors import Cause
from tui.demo.api.requests import Request
from tui.demo.resource import Resource

_OPTIONS: Final = Resource("meta.k8s.io", "v1", "listoptions", "ListOptions")
_MATCH: Final = "resourceVersionMatch"
_INITIAL: Final = "sendInitialEvents"
_NOT_OLDER: Final = "NotOlderThan"


def check(request: Request, *, watches: bool) -> None:
    """Refuse options that contradict each other.

    Raises:
        ApiError: 422.
    """
    causes = list(_of_watch(request) if watches else _of_list(request))
    if causes:
        raise errors.invalid(_OPTIONS, "", causes)


def _of_watch(request: Request) -> Iterator[Cause]:
    match, initial = request.query.get(_MATCH, ""), request.query.get(_INITIAL, "")
    if initial and match != _NOT_OLDER:
        yield Cause.forbidden(_MATCH, f"{_INITIAL} requires setting {_MATCH} to {_NOT_OLDER}")
    if not match:
        return
    if not initial:
        yield Cause.forbidden(
            _MATCH, f"{_MATCH} is forbidden for watch unless {_INITIAL} is provided"
        )
    if match != _NOT_OLDER:
        yield Cause.unsupported(_MATCH, match, [_NOT_OLDER])
    if request.query.get("continue"):
        yield Cause.forbidden(_MATCH, f"{_MATCH} is forbidden when continue is provided")


def _of_list(request: Request) -> Iterator[Cause]:
    match, version = request.query.get(_MATCH, ""), request.query.get("resourceVersion", "")
    if match:
        if not version:
            said = f"{_MATCH} is forbidden unless resourceVersion is provided"
            yield Cause.forbidden(_MATCH, said)
        if request.query.get("continue"):
            yield Cause.forbidden(_MATCH, f"{_MATCH} is forbidden when continue is provided")
        if match not in ("Exact", _NOT_OLDER):
            yield Cause.unsupported(_MATCH, match, ["Exact", _NOT_OLDER, ""])
        if match == "Exact" and version == "0":
            said = f'{_MATCH} "exact" is forbidden for resourceVersion "0"'
            yield Cause.forbidden(_MATCH, said)
    if request.query.get(_INITIAL):
        yield Cause.forbidden(_INITIAL, f"{_INITIAL} is forbidden for list")
