"""Tokens of service accounts, as ``kubectl create token`` asks for them.

They are JSON Web Tokens signed with a key that is made anew with each cluster, and good for its
API alone: who shows one has the account's rights.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import uuid
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from tui.demo import resources
from tui.demo.api import errors
from tui.demo.api.operations import Api
from tui.demo.api.paths import Target
from tui.demo.api.requests import Request, Response, part
from tui.demo.resource import Resource
from tui.demo.store import Object

_ISSUER: Final = "https://kubernetes.default.svc.cluster.local"
_SHORTEST: Final = 600
_LONGEST: Final = 2**32
_DEFAULT: Final = 3600
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
_HEAD: Final = {"alg": "HS256", "typ": "JWT"}
_REQUEST: Final = Resource("authentication.k8s.io", "v1", "tokenrequests", "TokenRequest")
_GROUPS: Final = "system:serviceaccounts"


class Accounts:
    """Gives out tokens and knows them again."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._key = secrets.token_bytes(32)

    def respond(self, target: Target, request: Request) -> Response:
        """Answer a TokenRequest for a service account.

        Raises:
            ApiError: 405, 404 for an unknown account, 400 or 422 for what cannot be asked.
        """
        if request.method != "POST":
            raise errors.method_not_allowed()
        account = self._api.get(target.resource, target.where, target.name)
        asked = request.object("TokenRequest")
        spec = part(asked, "spec")
        seconds = spec.get("expirationSeconds") or _DEFAULT
        audiences = spec.get("audiences") or [_ISSUER]
        if not isinstance(seconds, int) or not isinstance(audiences, list):
            raise errors.bad_request("TokenRequest: spec has a field of the wrong type")
        _check(seconds)
        now = int(self._api.clock.wall().timestamp())
        claims: Object = {
            "aud": audiences,
            "exp": now + seconds,
            "iat": now,
            "iss": _ISSUER,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": {
                "namespace": account.namespace,
                "serviceaccount": {"name": account.name, "uid": account.uid},
            },
            "nbf": now,
            "sub": f"system:serviceaccount:{account.namespace}:{account.name}",
        }
        answer = {
            "kind": "TokenRequest",
            "apiVersion": _REQUEST.group_version,
            "metadata": {
                "name": account.name,
                "namespace": account.namespace,
                "uid": account.uid,
                "creationTimestamp": self._api.clock.stamp(),
            },
            "spec": {
                "audiences": audiences,
                "expirationSeconds": seconds,
                "boundObjectRef": spec.get("boundObjectRef"),
            },
            "status": {
                "token": self._signed(claims),
                "expirationTimestamp": f"{datetime.fromtimestamp(now + seconds, UTC):{_TIME}}",
            },
        }
        return Response.of(answer, 201)

    def _signed(self, claims: Object) -> str:
        text = ".".join(_packed(msgspec.json.encode(one)) for one in (_HEAD, claims))
        return f"{text}.{self._signature(text)}"

    def _signature(self, text: str) -> str:
        return _packed(hmac.digest(self._key, text.encode(), hashlib.sha256))

    def headers(self, token: str) -> dict[str, str] | None:
        """The headers that make a request the account's; None if the token is not good.

        That the account is still the same is looked up each time, as the API server does.
        """
        text, _, signature = token.rpartition(".")
        expected = self._signature(text)
        if not hmac.compare_digest(signature.encode(), expected.encode()):
            return None
        claims: Any = msgspec.json.decode(_unpacked(text.partition(".")[2]))
        said = claims["kubernetes.io"]
        namespace, about = said["namespace"], said["serviceaccount"]
        storage = resources.SERVICE_ACCOUNTS.storage
        account = self._api.store.get(storage, namespace, about["name"])
        if account is None or account.uid != about["uid"] or _ISSUER not in claims["aud"]:
            return None
        if self._api.clock.wall().timestamp() >= claims["exp"]:
            return None
        groups = f"{_GROUPS},{_GROUPS}:{namespace}"
        return {"impersonate-user": claims["sub"], "impersonate-group": groups}


def _check(seconds: int) -> None:
    why = ""
    if seconds < _SHORTEST:
        why = "may not specify a duration less than 10 minutes"
    elif seconds > _LONGEST:
        why = "may not specify a duration larger than 2^32 seconds"
    if why:
        cause = errors.Cause.invalid("spec.expirationSeconds", seconds, why)
        raise errors.invalid(_REQUEST, "", [cause])


def _packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
