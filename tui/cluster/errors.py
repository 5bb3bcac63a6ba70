"""What can go wrong with a cluster, for people and for the loops that try again."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

import msgspec

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises: no JSON or not of that type, no UTF-8, nested without end."""

_ESCAPES: Final = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]")


def one_line(text: str, longest: int = 300) -> str:
    """Foreign text as one printable line of bounded length, for use inside a message."""
    text = _ESCAPES.sub(" ", text[: longest * 8])
    if not text.isprintable():
        # Controls, bidi and zero-width characters, lone surrogates, what has no meaning yet.
        text = "".join(c if c.isprintable() else " " for c in text)
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def sentence(error: Exception) -> str:
    """What an exception says, as a sentence; names in it keep their case."""
    text = one_line(str(error)).rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


def unexpected(error: Exception) -> str:
    """An error that nobody expected, in a few words."""
    return one_line(f"{type(error).__name__}: {error}", 200)


class ClusterError(Exception):
    """The cluster cannot be used as asked: what is wrong, and what to do next."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        # What a server says of itself often ends without a full stop.
        stop = "" if not self.hint or self.message.endswith((".", "!", "?", ":")) else "."
        return f"{self.message}{stop} {self.hint}".rstrip()


class MissingNamespaceError(ClusterError):
    """The namespace asked for does not exist: its lists are empty, not refused."""


class Fault(StrEnum):
    """What kind of failure a request met."""

    UNAUTHORIZED = "unauthorized"
    """401: the credentials were not accepted, and new ones neither."""
    CREDENTIALS = "credentials"
    """No credentials could be had: a plugin failed, a token file cannot be read."""
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not found"
    GONE = "gone"
    """410: the resourceVersion or the continue token is too old."""
    INVALID = "invalid"
    """400, 405, 406, 415, 422: the server will not take the request as it is."""
    CONFLICT = "conflict"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    """502, 503, 504: something between here and the answer is down."""
    SERVER = "server"
    """Any other 5xx."""
    REFUSED = "refused"
    """Nothing listens there, or no route leads there."""
    DNS = "dns"
    TLS = "tls"
    PROXY = "proxy"
    TIMEOUT = "timeout"
    BROKEN = "broken"
    """The connection was cut."""
    NOT_KUBERNETES = "not kubernetes"
    """Something answered that is not an API server."""
    BAD_REPLY = "bad reply"
    """The answer cannot be read, or is too long."""
    STOPPED = "stopped"
    """We ended it ourselves."""


class Cause(msgspec.Struct, frozen=True):
    """One of the details that an API error gives: a field, and what is wrong with it."""

    reason: str
    field: str
    message: str


class ApiError(Exception):
    """A request that failed.

    Attributes:
        status: the HTTP status; 0 if there was no answer.
        reason: the API's reason (``Forbidden``, ``Expired``), or ``""``.
        message: one sentence for people, printable.
        retry_after: seconds the server asked to wait, or None.
        kind: what to make of it.
        rest: the continue token that a 410 in the middle of a list offers.
        causes: the details of a refusal, at most 100; printable.
    """

    def __init__(
        self,
        kind: Fault,
        message: str,
        *,
        status: int = 0,
        reason: str = "",
        retry_after: float | None = None,
        rest: str = "",
        causes: tuple[Cause, ...] = (),
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = status
        self.reason = reason
        self.retry_after = retry_after
        self.rest = rest
        self.causes = causes

    @property
    def anonymous(self) -> bool:
        """Whether the server refused because it was given no credentials that it knows."""
        return self.kind is Fault.FORBIDDEN and '"system:anonymous"' in self.message

    def __str__(self) -> str:
        return self.message
