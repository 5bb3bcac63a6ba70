"""Requests and responses, as the simulated processes see them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final

Headers = list[tuple[str, str]]
"""In the order sent; names as written."""


@dataclass(slots=True)
class Request:
    """One HTTP request."""

    method: str
    target: str
    """As in the request line: path and query."""
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    version: str = "1.1"
    client: tuple[str, int] = ("10.244.0.1", 0)
    """Address and port of the other end of the connection."""

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """What follows the question mark."""
        return self.target.partition("?")[2]

    def header(self, name: str) -> str | None:
        """A header's value by its name in lower case; None if it was not sent."""
        for key, value in self.headers:
            if key.lower() == name:
                return value
        return None

    def altered(self, **changes: object) -> Request:
        """A copy with other values."""
        return replace(self, **changes)  # type: ignore[arg-type]  # names are checked by replace


@dataclass(slots=True)
class Response:
    """One HTTP response; its length is added when it is sent."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """A header's value by its name in lower case; None if there is none."""
        for key, value in self.headers:
            if key.lower() == name:
                return value
        return None


Reply = Callable[[Response | None], None]
"""Takes the answer; None if the connection broke instead."""

_REASONS: Final = {status.value: status.phrase for status in HTTPStatus} | {
    413: "Request Entity Too Large",
    444: "",
}


def reason(status: int) -> str:
    """The words that go with a status code."""
    return _REASONS.get(status, "")
