"""What a failed request means, in plain words: answers and exceptions to :class:`ApiError`."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Mapping
from typing import Final

from tui.cluster.dates import http_date
from tui.cluster.decode.codec import Details, status_of
from tui.cluster.errors import ApiError, Cause, Fault, one_line

_BY_STATUS: Final = {
    401: Fault.UNAUTHORIZED,
    403: Fault.FORBIDDEN,
    404: Fault.NOT_FOUND,
    409: Fault.CONFLICT,
    410: Fault.GONE,
    429: Fault.THROTTLED,
    502: Fault.UNAVAILABLE,
    503: Fault.UNAVAILABLE,
    504: Fault.UNAVAILABLE,
}
_PLAIN: Final = {
    Fault.UNAUTHORIZED: "The server did not accept the credentials (401); log in again.",
    Fault.FORBIDDEN: "The server refuses this user the request (403).",
    Fault.NOT_FOUND: "The server does not have it (404).",
    Fault.GONE: "The server no longer keeps that part of its history (410).",
    Fault.THROTTLED: "The server is busy and asks to come back later (429).",
    Fault.UNAVAILABLE: "The server is there, but what should answer is not ({status}).",
    Fault.SERVER: "The server failed inside ({status}).",
    Fault.CONFLICT: "Another writer was there first (409).",
    Fault.INVALID: "The server does not take the request ({status}).",
}
_TALK: Final = 200
_LONGEST_WAIT: Final = 3600
"""Seconds that a server may ask us to stay away."""
_MOST_CAUSES: Final = 100
_CERTIFICATE: Final = {
    9: "is not valid yet: check this machine's clock",
    10: "has expired: renew it, or check this machine's clock",
    18: "is self-signed and not in the kubeconfig's certificate-authority",
    19: "is signed by a CA that the kubeconfig does not name (certificate-authority)",
    20: "is signed by a CA that the kubeconfig does not name (certificate-authority)",
    21: "is signed by a CA that the kubeconfig does not name (certificate-authority)",
    62: "is for another host name: use that name, or set tls-server-name",
    64: "is for another address: use its host name, or set tls-server-name",
}
_UNTYPED: Final = "failed to create typed patch object"
"""How an apply of a field that its type has not is refused, with 500, as though the server had
failed (``structuredmerge.go`` of k8s.io/apimachinery)."""
_NOT_TLS: Final = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH")


def of_answer(status: int, headers: Mapping[str, str], body: bytes) -> ApiError:
    """The meaning of an answer whose status is not 2xx. ``headers`` by lower-case name."""
    kind = _BY_STATUS.get(status)
    if kind is None:
        kind = Fault.SERVER if status >= 500 else Fault.INVALID
    told = status_of(body)
    retry_after = _seconds(headers.get("retry-after"))
    if told is not None:
        details = told.details
        if retry_after is None and details is not None and details.retryAfterSeconds:
            retry_after = float(max(0, min(details.retryAfterSeconds, _LONGEST_WAIT)))
        reason = one_line(told.reason or "", 60)
        if reason in ("Expired", "Gone"):
            kind = Fault.GONE
        message = one_line(told.message or "") or _PLAIN[kind].format(status=status)
        if kind is Fault.SERVER and message.startswith(_UNTYPED):
            kind = Fault.INVALID
        if kind is Fault.UNAUTHORIZED:
            message = _PLAIN[kind]
        rest = (told.metadata.continue_ if told.metadata else None) or ""
        return ApiError(
            kind,
            message,
            status=status,
            reason=reason,
            retry_after=retry_after,
            rest=rest,
            causes=_causes_told(details),
        )
    if 300 <= status < 400 or (_is_html(headers, body) and status < 500):
        return not_kubernetes(status, headers)
    if b"HTTP request to an HTTPS server" in body[:_TALK]:
        return ApiError(
            Fault.NOT_KUBERNETES,
            "The server wants TLS: its address must begin with https://.",
            status=status,
        )
    return ApiError(
        kind, _PLAIN[kind].format(status=status), status=status, retry_after=retry_after
    )


def _causes_told(details: Details | None) -> tuple[Cause, ...]:
    told = (details.causes if details is not None else None) or ()
    return tuple(
        Cause(one_line(c.reason or "", 60), one_line(c.field or ""), one_line(c.message or ""))
        for c in told[:_MOST_CAUSES]
    )


def not_kubernetes(status: int, headers: Mapping[str, str]) -> ApiError:
    """Something answered, but not with the Kubernetes API."""
    if 300 <= status < 400:
        what = f"a redirect ({status}), as a login page or a proxy gives"
    else:
        kind = one_line(headers.get("content-type", "").partition(";")[0], 40) or "no type"
        what = f"{kind} ({status})"
    return ApiError(
        Fault.NOT_KUBERNETES,
        f"What answers there is not a Kubernetes API server: it gave {what}. "
        "Check the server address of the context.",
        status=status,
    )


def of_status(code: int, reason: str, message: str) -> ApiError:
    """The meaning of a Status inside a watch (an ERROR event)."""
    kind = _BY_STATUS.get(code) or (Fault.SERVER if code >= 500 else Fault.INVALID)
    if reason in ("Expired", "Gone"):
        kind = Fault.GONE
    text = one_line(message) or _PLAIN[kind].format(status=code)
    return ApiError(kind, text, status=code, reason=one_line(reason, 60))


def of_exception(error: BaseException, host: str, *, stopped: bool = False) -> ApiError:
    """The meaning of an exception of the HTTP client, found by walking its causes."""
    if stopped:
        return ApiError(Fault.STOPPED, "stopped")
    chain = list(_causes(error))
    for cause in chain:
        if isinstance(cause, ApiError):
            return cause
    names = {type(cause).__name__ for cause in chain}
    for cause in chain:
        if isinstance(cause, ssl.SSLError):
            return _of_tls(cause, host)
        if isinstance(cause, socket.gaierror):
            return ApiError(
                Fault.DNS,
                f"The server's name, {host.rpartition(':')[0] or host}, cannot be resolved: "
                "check the network.",
            )
    if any(name.startswith("Proxy") for name in names):
        return ApiError(Fault.PROXY, f"The proxy on the way to {host} does not let us through.")
    for cause in chain:
        if isinstance(cause, ConnectionRefusedError):
            return ApiError(Fault.REFUSED, f"Nothing listens at {host}. Is the cluster running?")
        if isinstance(cause, TimeoutError) or "Timeout" in type(cause).__name__:
            return ApiError(Fault.TIMEOUT, f"The server {host} did not answer in time.")
    for cause in chain:
        if isinstance(cause, ConnectionError) or type(cause).__module__ == "http.client":
            return ApiError(Fault.BROKEN, f"The connection to {host} was cut.")
        if isinstance(cause, OSError) and cause.strerror:
            return ApiError(Fault.REFUSED, f"{host} cannot be reached: {one_line(cause.strerror)}.")
    if names & {"ProtocolError", "IncompleteRead", "InvalidChunkLength"}:
        return ApiError(Fault.BROKEN, f"The connection to {host} was cut.")
    if "DecodeError" in names:
        return ApiError(Fault.BAD_REPLY, f"The answer of {host} cannot be unpacked.")
    return ApiError(Fault.BAD_REPLY, f"The request to {host} failed ({type(error).__name__}).")


def _of_tls(error: ssl.SSLError, host: str) -> ApiError:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = _CERTIFICATE.get(error.verify_code)
        if why is None:
            why = f"cannot be verified ({one_line(error.verify_message or '', 80)})"
        return ApiError(Fault.TLS, f"The certificate of {host} {why}.")
    reason = error.reason or ""
    if isinstance(error, ssl.SSLEOFError) or "EOF" in reason:
        return ApiError(Fault.BROKEN, f"The connection to {host} was cut.")
    if any(mark in reason for mark in _NOT_TLS):
        return ApiError(
            Fault.TLS, f"{host} does not speak TLS: its address may have to begin with http://."
        )
    if "ALERT" in reason:
        what = one_line(reason.lower().replace("_", " "), 80)
        return ApiError(
            Fault.TLS, f"{host} did not accept our client certificate or TLS version ({what})."
        )
    return ApiError(Fault.TLS, f"TLS with {host} failed ({one_line(reason or str(error), 80)}).")


def _causes(error: BaseException) -> list[BaseException]:
    """The exception, its ``reason``, its arguments, causes and contexts, outermost first."""
    found: list[BaseException] = []
    queue = [error]
    while queue and len(found) < 16:
        cause = queue.pop(0)
        if any(cause is known for known in found):
            continue
        found.append(cause)
        nested = [getattr(cause, "reason", None), *getattr(cause, "args", ())]
        nested += [cause.__cause__, cause.__context__, getattr(cause, "original_error", None)]
        queue += [n for n in nested if isinstance(n, BaseException)]
    return found


def _is_html(headers: Mapping[str, str], body: bytes) -> bool:
    return "html" in headers.get("content-type", "") or body[:64].lstrip().lower().startswith(
        (b"<!doctype html", b"<html")
    )


def _seconds(value: str | None) -> float | None:
    """``Retry-After`` in seconds; a date counts from now."""
    if not value:
        return None
    try:
        return max(0.0, min(float(value), _LONGEST_WAIT))
    except ValueError:
        pass
    date = http_date(value)
    return None if date is None else max(0.0, min(date - time.time(), _LONGEST_WAIT))
