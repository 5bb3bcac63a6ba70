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

from tui.cluster import halt, informer
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


class Mangler:
    """Adds to watches what no server should send, and what some do."""

    def __init__(self, seed: int, respond: Callable[[Request], Response | Stream]) -> None:
        self._respond = respond
        self._random = Random(f"mangler {seed}")
        self.chance = 0.0
        self._seen: dict[str, deque[bytes]] = {}
        self.failures: Counter[str] = Counter()
        """Streams that were ended by a line that means nothing."""

    def respond(self, request: Request) -> Response | Stream:
        answer = self._respond(request)
        if isinstance(answer, Stream):
            about = faults.about(request.method, request.path, request.watches)
            answer.chunks = self._mangled(about.resource, answer.chunks)
        return answer

    async def _mangled(self, resource: str, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        # What one stream has told another may tell again, after a list too.
        seen = self._seen.setdefault(resource, deque(maxlen=6))
        async for chunk in chunks:
            for line in chunk.splitlines(keepends=True):
                for extra in self._around(resource, seen, line):
                    yield extra
                seen.append(line)

    def _around(self, resource: str, seen: deque[bytes], line: bytes) -> list[bytes]:
        """The line, and what is sent before, after or in place of it."""
        if self._random.random() >= self.chance:
            return [line]
        match self._random.randrange(9):
            case 0:
                return [line, line, line]
            case 1 if seen:
                return [line, self._random.choice(seen)]
            case 2:
                return [b"\n", b"  \r\n", line]
            case 3:
                return [b'{"type":"FROBBED","object":{"metadata":{"uid":"x"}}}\n', line]
            case 4:
                return [b'{"type":"FROBBED","object":{"metadata":{"name":"\xff\xfe"}}}\n', line]
            case 5:
                # An event of a future version: more fields, of any type.
                return [line[:1] + b'"future":[null,{"a":1e400}],' + line[1:]]
            case 6 if self._random.random() < 0.1:
                return [line[:1] + b" " * _PADDING + line[1:]]
            case 7:
                return [line[:7], line[7:]]
            case _:
                self.failures[resource] += 1
                return [b'{"type":"MODIFIED","object":[}\n', line]


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
        self._thread = threading.Thread(target=self._loop.run_forever, name="server", daemon=True)
        self.failed: Counter[str] = Counter()
        """Faults met, by the plural of the resource."""

    def __enter__(self) -> World:
        self._thread.start()
        self.wait_for(self.server.start())
        url, authority = self.server.url, IDENTITY.certificate
        kubeconfig.write(self._kubeconfig, url, "token", authority)
        self._spy()
        config = self.configured(load_config(str(self._kubeconfig)))
        self.session = Session(config, self.store, kinds=KINDS)
        self.session.start()
        return self

    def configured(self, config: ClusterConfig) -> ClusterConfig:
        """The way to the server; a subclass may take another."""
        return config

    def __exit__(self, *_: object) -> None:
        self.ended = self.session.stop()
        self.wait_for(self.server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _spy(self) -> None:
        put = self.store.link

        def link(source: SourceKey, *about: Any, **more: Any) -> None:
            put(source, *about, **more)
            self.links.setdefault(source, []).append(self.store.links[source])

        self.store.link = link  # type: ignore[method-assign]  # a spy
        meet = self.server.faulty.faults.meet

        def met(request: faults.About, *kinds: str) -> faults.Set | None:
            found = meet(request, *kinds)
            if found is not None and found.fault.kind != "slow":
                self.failed[request.resource] += 1
            return found

        self.server.faulty.faults.meet = met  # type: ignore[method-assign]  # a spy

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
        return all(self.shown(kind) == self.truth(kind) for kind in KINDS) and all(
            self.store.links[kind].health is Health.LIVE and not self.store.links[kind].detail
            for kind in KINDS
        )

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


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
