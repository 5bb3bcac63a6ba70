"""What comes in and what goes out, without a web server's types."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from tui.demo.api import errors, protobuf
from tui.demo.api.operations import Writer
from tui.demo.store import Object

JSON: Final = "application/json"
PLAIN: Final = "text/plain; charset=utf-8"

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_DURATION: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_SHORTEST: Final = 1e-4
_TRUE: Final = ("true", "1", "True")


def part(data: Object, name: str) -> Object:
    """A part of an object that must be an object itself; empty if absent.

    Raises:
        ApiError: 400, it is something else.
    """
    found = data.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise errors.bad_request(f"json: cannot unmarshal: {name} is not an object")
    return found


@dataclass(slots=True)
class Request:
    """One HTTP request."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""

    def flag(self, name: str) -> bool:
        """A boolean of the query; absent is false."""
        return self.query.get(name, "") in _TRUE

    def number(self, name: str) -> int | None:
        """A number of the query; None if absent.

        Raises:
            ApiError: 400, it is not a number.
        """
        text = self.query.get(name, "")
        if not text:
            return None
        try:
            return int(text)
        except ValueError:
            shown = msgspec.json.encode(text[:80]).decode()
            raise errors.bad_request(f"strconv.ParseInt: parsing {shown}: invalid syntax") from None

    @property
    def watches(self) -> bool:
        """Whether the request is a watch."""
        return self.flag("watch")

    @property
    def dry_run(self) -> bool:
        """Whether nothing is to be stored.

        Raises:
            ApiError: 400 for anything but ``All``.
        """
        asked = self.query.get("dryRun", "")
        if asked not in ("", "All"):
            raise errors.ApiError(
                422,
                "Invalid",
                f'Invalid value: ["{asked[:40]}"]: dryRun: supported values: "All"',
                {},
            )
        return asked == "All"

    def check_timeout(self) -> None:
        """Give up at once what is to be done in no time.

        Raises:
            ApiError: 400, ``timeout`` is no duration; 504, it is too short for anything.
        """
        text = self.query.get("timeout", "")
        if not text:
            return
        parts = _DURATION.findall(text)
        if "".join(number + unit for number, unit in parts) != text:
            raise errors.bad_request(
                "invalid timeout specified in the request URL - time: invalid duration "
                f'"{text[:80]}"'
            )
        if 0 < sum(float(number) * _SECONDS[unit] for number, unit in parts) < _SHORTEST:
            message = "Timeout: request did not complete within the allotted timeout"
            raise errors.ApiError(504, "Timeout", message, {})

    def writer(self, subresource: str = "") -> Writer:
        """Who writes: the field manager named, or the user agent's first word."""
        agent = self.headers.get("user-agent", "").partition("/")[0].strip()
        manager = self.query.get("fieldManager") or agent or "unknown"
        return Writer(manager[:128], subresource, self.dry_run)

    def json(self, kind: str = "") -> Any:
        """The decoded body.

        Raises:
            ApiError: 400 if it is not JSON, 415 if it says it is something else.
        """
        content_type = self.headers.get("content-type", JSON).partition(";")[0].strip()
        if content_type in ("application/yaml", "application/apply-patch+yaml"):
            return self._yaml()
        if content_type == protobuf.MEDIA_TYPE:
            try:
                return protobuf.decode(self.body)
            except protobuf.MalformedError as problem:
                raise errors.bad_request(str(problem)) from None
        if content_type and not content_type.endswith("json"):
            raise errors.unsupported_media_type()
        try:
            return _decode(self.body)
        except RecursionError:
            raise errors.bad_request("json: exceeded max depth") from None
        except msgspec.DecodeError as problem:
            text = self.body[:400].decode(errors="replace")
            reason = "unexpected end of JSON input" if "truncated" in str(problem) else str(problem)
            raise errors.bad_request(
                f"the object provided is unrecognized (must be of type {kind or 'Unknown'}): "
                f"couldn't get version/kind; json parse error: {reason} ({text})"
            ) from None

    def _yaml(self) -> Any:
        try:
            return _decode(self.body)
        except RecursionError:
            raise errors.bad_request("json: exceeded max depth") from None
        except msgspec.DecodeError:
            pass
        import yaml  # late: most clients send JSON

        try:
            return yaml.safe_load(self.body)
        except (yaml.YAMLError, RecursionError) as problem:
            first = str(problem).partition("\n")[0]
            raise errors.bad_request(f"error decoding YAML: {first}") from None

    def object(self, kind: str = "") -> Object:
        """The decoded body, which must be an object."""
        decoded = self.json(kind)
        if not isinstance(decoded, dict):
            raise errors.bad_request(
                f"the object provided is unrecognized (must be of type {kind or 'Unknown'}): "
                "couldn't get version/kind; json parse error: the body is not an object"
            )
        return decoded


@dataclass(slots=True)
class Response:
    """One HTTP answer."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, data: object, status: int = 200) -> Response:
        """An answer of JSON."""
        return cls(status, _encode(data) + b"\n")

    @classmethod
    def text(cls, text: str, status: int = 200) -> Response:
        """An answer of plain text."""
        return cls(status, text.encode(), PLAIN)


@dataclass(slots=True)
class Upgrade(Response):
    """An answer that is no answer: the connection becomes streams into a pod."""

    kind: str = ""
    """``exec``, ``attach``, ``portforward`` or ``proxy``."""
    pod: Any = None
    """The pod's entry; of a proxy the pod's or the Service's."""
    port: str = ""
    """Of a proxy."""
    path: str = ""
    """Of a proxy."""
    sessions: object = None
    """Who opens them, for the web server."""


@dataclass(slots=True)
class Stream:
    """An answer that comes in chunks until it ends."""

    chunks: AsyncIterator[bytes]
    content_type: str = JSON
