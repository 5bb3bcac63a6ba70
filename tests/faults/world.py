"""A cluster that misbehaves, in a thread, and a session that watches it with quick clocks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final, TypeVar

import pytest

from tui.cluster import halt, informer, session
from tui.cluster.access import ClusterConfig
from tui.cluster.kubeconfig import load_config
from tui.cluster.resources import RESOURCES
from tui.cluster.session import Session
from tui.demo import certificate, faults, kubeconfig
from tui.demo.api.requests import Request, Response, Stream
from tui.demo.clock import Clock
from tui.demo.faults import parse
from tui.demo.server import HOST, Server
from tui.demo.store import Entry
from tui.demo.synthetic import objects
from tui.demo.synthetic.cluster import SyntheticCluster
from tui.demo.synthetic.population import Size
from tui.state.links import Health, Link, SourceKey
from tui.state.rows import Kind, Row
from tui.state.store import Store

T = TypeVar("T")
KINDS: Final = (Kind.PODS, Kind.HPAS, Kind.DEPLOYMENTS, Kind.NODES)
STORAGE: Final = {
    Kind.PODS: "pods",
    Kind.HPAS: "horizontalpodautoscalers.autoscaling",
    Kind.DEPLOYMENTS: "deployments.apps",
    Kind.NODES: "nodes",
}
QUICK: Final = 0.004
"""Real seconds for each second of waiting: ten minutes pass in two seconds and a half."""
SETTLED: Final = 0.05
SILENCE: Final = 0.25
IDENTITY: Final = certificate.make(HOST, "localhost")
_PADDING: Final = 5_000_000


ODDITIES: Final = (
    *("thrice", "repeated", "blank", "unknown type", "unknown in bytes", "future"),
    *("cut in two", "no JSON", "no UTF-8", "long"),
)
"""What may be sent in a watch before, after or in place of a line."""


class Mangler:
    """Adds to watches what no server should send, and what some do."""

    def __init__(self, seed: int, respond: Callable[[Request], Response | Stream]) -> None:
        self._respond = respond
        self._random = Random(f"mangler {seed}")
        self.chance = 0.0
        self.next: deque[str] = deque()
        """Oddities that come first, whatever the chance."""
        self._seen: dict[str, deque[bytes]] = {}
        self.failures: Counter[str] = Counter()
        """Streams that were ended by a line that means nothing."""

    def respond(self, request: Request) -> Response | Stream:
        answer = self._respond(request)
        if isinstance(answer, Stream):
            about = faults.about(request.method, request.path, request.watches)
            answer.chunks = self._mangled(about.resource, answer.chunks)
        else:
            # As Go writes a list that was never made.
            answer.body = answer.body.replace(b'"items":[]', b'"items":null')
        return answer

    async def _mangled(self, resource: str, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        # What one stream has told another may tell again, after a list too.
        seen = self._seen.setdefault(resource, deque(maxlen=6))
        async for chunk in chunks:
            for line in chunk.splitlines(keepends=True):
                for extra in self._around(resource, seen, line):
                    yield extra
                seen.append(line)

    def _oddity(self) -> str:
        if self.next:
            return self.next.popleft()
        if self._random.random() >= self.chance:
            return ""
        oddity = self._random.choice(ODDITIES)
        return "" if oddity == "long" and self._random.random() < 0.9 else oddity

    def _around(self, resource: str, seen: deque[bytes], line: bytes) -> list[bytes]:
        """The line, and what is sent before, after or in place of it."""
        match self._oddity():
            case "thrice":
                return [line, line, line]
            case "repeated" if seen:
                return [line, self._random.choice(seen)]
            case "blank":
                return [b"\n", b"  \r\n", line]
            case "unknown type":
                return [b'{"type":"FROBBED","object":{"metadata":{"uid":"x"}}}\n', line]
            case "unknown in bytes":
                return [b'{"type":"FROBBED","object":{"metadata":{"name":"\xff\xfe"}}}\n', line]
            case "future":
                return [line[:1] + b'"future":[null,{"a":1e400}],' + line[1:]]
            case "long":
                return [line[:1] + b" " * _PADDING + line[1:]]
            case "cut in two":
                return [line[:7], line[7:]]
            case "no JSON":
                self.failures[resource] += 1
                return [b'{"type":"MODIFIED","object":[}\n', line]
            case "no UTF-8":
                return [line.replace(b'"metadata":{', b'"metadata":{"motto":"\xff\xc3",', 1), line]
            case _:
                return [line]


@dataclass
class Waits:
    """What the session's threads wait, by thread: noted in full, waited in brief."""

    asked: dict[str, list[float]] = field(default_factory=dict)

    def install(self, patch: Any) -> None:
        asked = self.asked

        def wait(self: halt.Halt, seconds: float) -> bool:
            name = threading.current_thread().name
            asked.setdefault(name, []).append(seconds)
            # Those that look at something now and then, whatever goes wrong, need not hurry.
            quick = max(0.0, seconds) * QUICK
            return self._event.wait(quick if name.startswith("informer") else max(0.05, quick))

        patch.setattr(halt.Halt, "wait", wait)
        patch.setattr(informer, "SETTLED", SETTLED)
        patch.setattr(informer, "READ_TIMEOUT", SILENCE)


class World:
    """Use as a context manager."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.random = Random(seed)
        self.clock = Clock(start=time.time())
        self.cluster = SyntheticCluster(self.clock, Size(pods=40, nodes=4, churn=0), seed)
        self.cluster.bring_up()
        self._add_hpas()
        self.mangler = Mangler(seed, self.cluster.handlers.respond)
        self.server = Server(
            self.mangler,
            "token",
            IDENTITY,
            compact=self.cluster.store.compact,
            set_skew=self.clock.set_skew,
        )
        self.store = Store()
        self.links: dict[SourceKey, list[Link]] = {}
        self._kubeconfig = folder / "kubeconfig"
        self._loop = asyncio.new_event_loop()
        self._patch = pytest.MonkeyPatch()
        self._thread = threading.Thread(target=self._loop.run_forever, name="server", daemon=True)
        self.failed: Counter[str] = Counter()
        """Faults that informers met, by the plural of the resource."""

    def __enter__(self) -> World:
        self._thread.start()
        self.wait_for(self.server.start())
        url, authority = self.server.url, IDENTITY.certificate
        kubeconfig.write(self._kubeconfig, url, "token", authority)
        self._spy()
        config = self.configured(load_config(str(self._kubeconfig)))
        self.session = Session(config, self.store, kinds=KINDS)
        self._clocks = _Clocks()
        self._patch.setattr(session, "time", self._clocks)  # the machine's, as it sees it
        self.session.start()
        return self

    def configured(self, config: ClusterConfig) -> ClusterConfig:
        """The way to the server; a subclass may take another."""
        return config

    def __exit__(self, *_: object) -> None:
        self.ended = self.session.stop()
        self._patch.undo()
        self.wait_for(self.server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _add_hpas(self) -> None:
        """So few apps have none of their own."""
        (app, *_) = self.cluster.population.apps
        for number in range(3):
            hpa = objects.hpa(app, f"hpa-{number}", self.clock.stamp())
            hpa["metadata"]["name"] += f"-{number}"
            self.cluster.store.put(STORAGE[Kind.HPAS], hpa)

    def _spy(self) -> None:
        put = self.store.link

        def link(source: SourceKey, *about: Any, **more: Any) -> None:
            put(source, *about, **more)
            self.links.setdefault(source, []).append(self.store.links[source])

        self._patch.setattr(self.store, "link", link)
        meet = self.server.faulty.faults.meet

        def met(request: faults.About, *kinds: str) -> faults.Set | None:
            found = meet(request, *kinds)
            # The metrics API has pods and nodes too, which a poll asks for, not an informer.
            informers = request.verb in ("list", "watch") and request.group != "metrics.k8s.io"
            if found is not None and found.fault.kind != "slow" and informers:
                self.failed[request.resource] += 1
            return found

        self._patch.setattr(self.server.faulty.faults, "meet", met)

    def suspend(self, seconds: float) -> None:
        """The machine was asleep for so long: its wall clock went on, its steady one did not."""
        self._clocks.slept += seconds

    # In the server's thread.

    def wait_for(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def do(self, call: Callable[[], T]) -> T:
        async def called() -> T:
            return call()

        result: T = self.wait_for(called())
        return result

    def fault(self, text: str) -> None:
        self.do(lambda: self.server.faulty.set(parse(text)))

    def clear(self) -> None:
        self.mangler.chance = 0.0
        self.do(lambda: self.server.faulty.faults.clear())

    def entries(self, kind: Kind) -> list[Entry]:
        return list(self.cluster.store.entries(STORAGE[kind]))

    # What should be, and what is.

    def truth(self, kind: Kind) -> dict[str, Row]:
        """The rows of the server's objects, each decoded by itself."""

        def rows() -> dict[str, Row]:
            codec = RESOURCES[kind].codec
            found: dict[str, Row] = {}
            for entry in self.entries(kind):
                event = codec.event(b'{"type":"ADDED","object":%s}' % entry.raw)
                if event.row is not None:
                    found[entry.uid] = event.row
            return found

        return self.do(rows)

    def shown(self, kind: Kind) -> dict[str, Row]:
        return dict(self.store.drain().tables[kind].rows)

    def settled(self) -> bool:
        """Whether every table is the server's and every link says so."""
        # What is quickly told comes first: this is asked a hundred times a second.
        return all(
            self.store.links[kind].health is Health.LIVE and not self.store.links[kind].detail
            for kind in KINDS
        ) and all(self.shown(kind) == self.truth(kind) for kind in KINDS)

    def difference(self) -> str:
        """What is not as it should be, in words."""
        found = []
        for kind in KINDS:
            shown, truth = self.shown(kind), self.truth(kind)
            ghosts = [shown[uid].name for uid in shown.keys() - truth.keys()]
            missing = [truth[uid].name for uid in truth.keys() - shown.keys()]
            stale = [
                (shown[uid], truth[uid])
                for uid in shown.keys() & truth.keys()
                if shown[uid] != truth[uid]
            ]
            link = self.store.links.get(kind)
            found.append(f"{kind.value}: {ghosts=} {missing=} {stale=} {link}")
        return "\n".join(found)


class _Clocks:
    """The module ``time`` on a machine that sleeps now and then."""

    def __init__(self) -> None:
        self.slept = 0.0

    def time(self) -> float:
        return time.time() + self.slept

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
