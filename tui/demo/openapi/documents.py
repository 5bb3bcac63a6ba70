"""The OpenAPI documents of one cluster: v3 by group version, v2 as a whole.

``kubectl explain`` and ``kubectl apply`` read v3; kubectl before 1.27 reads v2, as protobuf.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

import msgspec

from tui.demo.api.registry import Registry
from tui.demo.api.requests import Request, Response
from tui.demo.openapi import gnostic, v2, v3
from tui.demo.resource import Resource
from tui.demo.store import Object

_ROOT: Final = "/openapi/v3"
_encode = msgspec.json.encode


class Documents:
    """Answers requests for OpenAPI; documents are made when first asked for.

    Args:
        registry: what is served.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._made: dict[str, bytes] = {}
        self._of = -1

    def respond(self, path: str, request: Request) -> Response | None:
        """Answer a request; None if the path is none of OpenAPI's."""
        if not path.startswith("/openapi/"):
            return None
        self._refresh()
        if path == _ROOT:
            return Response(200, self._cached(_ROOT, self._index))
        if path == "/openapi/v2":
            accepted = request.headers.get("accept", "")
            if any(one in accepted for one in (gnostic.ASKED_FOR, gnostic.MEDIA_TYPE)):
                body = self._cached("v2.pb", lambda: gnostic.encode(self._whole()))
                return Response(200, body, gnostic.MEDIA_TYPE)
            return Response(200, self._cached("v2", lambda: _encode(self._whole())))
        where = path.removeprefix(_ROOT + "/")
        served = [one for one in self._registry.all() if v3.group_path(one) == where]
        if not served:
            return None
        return Response(200, self._document(where, served))

    def _refresh(self) -> None:
        if self._registry.generation != self._of:
            self._made.clear()
            self._of = self._registry.generation

    def _cached(self, key: str, make: Callable[[], bytes]) -> bytes:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def _document(self, where: str, served: list[Resource]) -> bytes:
        return self._cached(where, lambda: _encode(v3.document(served, self._registry.schema_of)))

    def _index(self) -> bytes:
        by_path: dict[str, list[Resource]] = {}
        for resource in self._registry.all():
            by_path.setdefault(v3.group_path(resource), []).append(resource)
        paths: Object = {}
        for where, served in by_path.items():
            digest = hashlib.sha256(self._document(where, served)).hexdigest().upper()
            paths[where] = {"serverRelativeURL": f"{_ROOT}/{where}?hash={digest}"}
        return _encode({"paths": paths})

    def _whole(self) -> Object:
        return v2.document(v3.document(list(self._registry.all()), self._registry.schema_of))
