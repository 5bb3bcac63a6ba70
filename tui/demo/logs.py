"""What containers print, and the log endpoint that shows it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Final, NamedTuple

from tui.demo.api import errors
from tui.demo.api.requests import PLAIN, Request, Response, Stream
from tui.demo.clock import Clock
from tui.demo.store import Entry

_MOST_LINES: Final = 10_000
_POLL: Final = 0.2
_PULLING: Final = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


class Line(NamedTuple):
    """One printed line."""

    number: int
    time: datetime
    text: str


class _Log:
    """The output of one container, of its present and its last run."""

    def __init__(self) -> None:
        self.lines: deque[Line] = deque(maxlen=_MOST_LINES)
        self.previous: deque[Line] | None = None
        self.count = 0
        self.runs = 0
        self.closed = False


class Logs:
    """The logs of all containers, by pod uid and container name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._logs: dict[tuple[str, str], _Log] = {}

    def write(self, uid: str, container: str, text: str) -> None:
        """Print lines in the name of a container."""
        log = self._logs.setdefault((uid, container), _Log())
        for line in text.splitlines():
            log.count += 1
            log.lines.append(Line(log.count, self._clock.wall(), line))

    def restart(self, uid: str, container: str) -> None:
        """The container starts again: what it printed so far is the previous log."""
        log = self._logs.setdefault((uid, container), _Log())
        if log.runs:
            log.previous, log.lines = log.lines, deque(maxlen=_MOST_LINES)
        log.runs += 1
        log.closed = False

    def close(self, uid: str, container: str) -> None:
        """The container has ended: nobody needs to wait for more."""
        self._logs.setdefault((uid, container), _Log()).closed = True

    def forget(self, uid: str) -> None:
        """The pod is gone."""
        for key in [key for key in self._logs if key[0] == uid]:
            self._logs.pop(key).closed = True

    def respond(self, pod: Entry, request: Request) -> Response | Stream:
        """Answer a request for a pod's log.

        Raises:
            ApiError: 400, the container is unknown, not started, or the parameters are bad.
        """
        container = self._container(pod, request.query.get("container", ""))
        log = self._logs.get((pod.uid, container))
        if request.flag("previous"):
            if log is None or log.previous is None:
                raise errors.bad_request(
                    f'previous terminated container "{container}" in pod "{pod.name}" not found'
                )
            lines = log.previous
        elif log is None and not pod.spec.get("nodeName"):
            return Response(200, b"", PLAIN)  # nobody to ask
        elif log is None:
            raise errors.bad_request(_waiting_message(pod, container))
        else:
            lines = log.lines
        show = _printer(request)
        chosen = self._choose(lines, request)
        if log is not None and request.flag("follow") and not request.flag("previous"):
            return Stream(self._follow(log, log.count, chosen, show), PLAIN)
        body = "".join(map(show, chosen)).encode()
        limit = request.number("limitBytes")
        return Response(200, body[:limit] if limit else body, PLAIN)

    @staticmethod
    def _container(pod: Entry, asked: str) -> str:
        regular = [one["name"] for one in pod.spec.get("containers") or ()]
        inits = [one["name"] for one in pod.spec.get("initContainers") or ()]
        if asked:
            added = [one["name"] for one in pod.spec.get("ephemeralContainers") or ()]
            if asked not in regular + inits + added:
                raise errors.bad_request(f"container {asked} is not valid for pod {pod.name}")
            return asked
        if len(regular) > 1:
            listed = " ".join(regular)
            extra = f" or one of the init containers: [{' '.join(inits)}]" if inits else ""
            raise errors.bad_request(
                f"a container name must be specified for pod {pod.name}, choose one of: "
                f"[{listed}]{extra}"
            )
        only: str = regular[0]
        return only

    def _choose(self, lines: deque[Line], request: Request) -> list[Line]:
        chosen = list(lines)
        seconds = request.number("sinceSeconds")
        since = request.query.get("sinceTime", "")
        if seconds is not None:
            now = self._clock.wall()
            chosen = [one for one in chosen if (now - one.time).total_seconds() <= seconds]
        elif since:
            try:
                start = datetime.fromisoformat(since)
                chosen = [one for one in chosen if one.time >= start]
            except (ValueError, TypeError):
                raise errors.bad_request(f'parsing time "{since[:40]}": cannot parse') from None
        tail = request.number("tailLines")
        if tail is not None:
            chosen = chosen[-tail:] if tail > 0 else []
        return chosen

    @staticmethod
    async def _follow(
        log: _Log, last: int, chosen: list[Line], show: Callable[[Line], str]
    ) -> AsyncIterator[bytes]:
        if chosen:
            yield "".join(map(show, chosen)).encode()
        while True:
            if log.count > last:
                fresh = [line for line in log.lines if line.number > last]
                last = log.count
                yield "".join(map(show, fresh)).encode()
            elif log.closed:
                return
            else:
                await asyncio.sleep(_POLL)


def _printer(request: Request) -> Callable[[Line], str]:
    if request.flag("timestamps"):
        return lambda line: f"{line.time:%Y-%m-%dT%H:%M:%S.%f}000Z {line.text}\n"
    return lambda line: f"{line.text}\n"


def _waiting_message(pod: Entry, container: str) -> str:
    for status in pod.status.get("containerStatuses") or ():
        if status["name"] == container:
            waiting = (status.get("state") or {}).get("waiting") or {}
            reason = waiting.get("reason", "ContainerCreating")
            why = _PULLING.get(reason, reason)
            return f'container "{container}" in pod "{pod.name}" is waiting to start: {why}'
    return f'container "{container}" in pod "{pod.name}" is waiting to start: ContainerCreating'
