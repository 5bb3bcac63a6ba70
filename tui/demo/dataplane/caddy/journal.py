"""Caddy's log lines: JSON by default, or text for a console."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from tui.demo.dataplane.caddy.model import LogOutput, Visit
from tui.demo.dataplane.messages import Headers

_HIDDEN: Final = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie"})


class Journal:
    """Writes log entries where they are meant to go.

    Args:
        wall: the time that entries carry.
        show: prints to the container's log.
        runtime: where Caddy's own entries go.
    """

    def __init__(
        self, wall: Callable[[], datetime], show: Callable[[str], None], runtime: LogOutput
    ) -> None:
        self._wall = wall
        self._show = show
        self._runtime = runtime

    def say(self, level: str, logger: str, message: str, **fields: Any) -> None:
        """An entry of Caddy's own."""
        self.write(self._runtime, level, logger, message, fields)

    def write(
        self, output: LogOutput, level: str, logger: str, message: str, fields: dict[str, Any]
    ) -> None:
        """An entry for one output; what goes to a file is seen nowhere."""
        if output.shown:
            self._show(line(self._wall(), level, logger, message, fields, console=output.console))


def line(
    moment: datetime,
    level: str,
    logger: str,
    message: str,
    fields: dict[str, Any],
    *,
    console: bool = False,
) -> str:
    """One entry as it is printed."""
    if console:
        stamp = moment.strftime("%Y/%m/%d %H:%M:%S.%f")[:-3]
        rest = f"\t{json.dumps(fields)}" if fields else ""
        return "\t".join(filter(None, (stamp, level.upper(), logger, message))) + rest
    entry: dict[str, Any] = {"level": level, "ts": round(moment.timestamp(), 7)}
    if logger:
        entry["logger"] = logger
    entry |= {"msg": message, **fields}
    return json.dumps(entry, separators=(",", ":"), ensure_ascii=False)


def request_fields(visit: Visit) -> dict[str, Any]:
    """What an entry tells of a request; credentials are left out, as Caddy does."""
    request = visit.request
    return {
        "remote_ip": request.client[0],
        "remote_port": str(request.client[1]),
        "proto": f"HTTP/{request.version}",
        "method": request.method,
        "host": visit.incoming.get("host", ""),
        "uri": request.target,
        "headers": header_fields(
            [(name, value) for name, value in request.headers if name.lower() != "host"]
        ),
    }


def header_fields(headers: Headers) -> dict[str, list[str]]:
    """Headers by their canonical names."""
    found: dict[str, list[str]] = {}
    for name, value in headers:
        values = found.setdefault(name.title(), [])
        if name.lower() not in _HIDDEN:
            values.append(value)
    return found
