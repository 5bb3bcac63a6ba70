"""Requests per pod, counted from access logs: ``kubectl logs POD | grep 'GET /' | wc -l``.

Only what was logged since a moment is read, and each line once, however often one asks. See
https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#read-log-pod-v1-core.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from tui.cluster.errors import ApiError, Fault
from tui.cluster.halt import Halt
from tui.cluster.transport import Transport

_TIMEOUT: Final = 5.0
_MOST: Final = 8 * 1024 * 1024
"""Bytes of one pod's log that are read at once; what is beyond is read the next time."""
_NANOS: Final = 9


@dataclass(slots=True)
class _Read:
    """How far one pod's log has been read."""

    upto: str
    """The last line's time, so written that times sort as text."""
    lines: int = 0


class AccessLogs:
    """Counts lines of access logs that tell of one kind of request. Not thread-safe.

    Args:
        transport: to the cluster whose pods they are.
        method: of the requests.
        path: of the requests, as it stands in the request line.
        since: seconds since the epoch; earlier lines are not counted.
    """

    def __init__(self, transport: Transport, method: str, path: str, since: float) -> None:
        self._transport = transport
        self._since = since
        # The request line of nginx, uvicorn, Apache and Go; and the two fields of Caddy's JSON.
        self._line = f"{method} {path} HTTP/".encode()
        self._fields = (f'"method":"{method}"'.encode(), f'"uri":"{path}"'.encode())
        self._halt = Halt()
        self._reads: dict[tuple[str, str], _Read] = {}
        self.problem = ""
        """Why the pod that was read last could not be; empty if it could, or has gone."""

    def read(self, namespace: str, pod: str, container: str) -> int:
        """Read what was logged since the last call; how many requests there were in all."""
        state = self._reads.setdefault(
            (namespace, pod), _Read(_sortable(_rfc3339(self._since).encode()))
        )
        query: dict[str, str | int | bool] = {
            "container": container,
            "timestamps": True,
            "sinceTime": state.upto[: len("2026-01-01T00:00:00")] + "Z",
            "limitBytes": _MOST,
        }
        path = f"/api/v1/namespaces/{quote(namespace, '')}/pods/{quote(pod, '')}/log"
        try:
            answer = self._transport.get(
                path, query, timeout=_TIMEOUT, accept="*/*", halt=self._halt
            )
        except ApiError as error:
            self.problem = "" if error.kind is Fault.NOT_FOUND else error.message
            return state.lines
        self.problem = ""
        self._count(state, answer.body)
        return state.lines

    def stop(self) -> None:
        """End a read that waits."""
        self._halt.stop()

    def _count(self, state: _Read, log: bytes) -> None:
        whole, _, _ = log.rpartition(b"\n")
        method, uri = self._fields
        last = state.upto
        for line in whole.split(b"\n"):
            stamp, _, text = line.partition(b" ")
            moment = _sortable(stamp)
            # Lines of the very second are sent again; those of one instant are all sent together.
            if not moment or moment <= state.upto:
                continue
            last = max(last, moment)
            if self._line in text or (method in text and uri in text):
                state.lines += 1
        state.upto = last


def _rfc3339(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _sortable(stamp: bytes) -> str:
    """A time in RFC 3339 of which the trailing zeros were cut off, with all its nine digits.

    Empty if it is none.
    """
    text = stamp.decode("ascii", "replace")
    if len(text) < len("2026-01-01T00:00:00Z") or text[10:11] != "T" or text[-1] != "Z":
        return ""
    seconds, _, part = text[:-1].partition(".")
    return f"{seconds}.{part:0<{_NANOS}}"
