"""A recorded run fed into a store at its own instants: no server, no thread, no waiting."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from tests.cluster import recorded
from tests.playback import NAMES, Track, seconds
from tui.analysis.focus import Focus, resolve
from tui.analysis.why import Explainer, Explanation
from tui.cluster.decode import metrics as wire
from tui.cluster.resources import RESOURCES
from tui.state.delta import Delta
from tui.state.links import Health, Source
from tui.state.rows import Kind
from tui.state.store import Store

S = TypeVar("S", bound=msgspec.Struct)


class Replay:
    """Steps through a recording: each step is one tick of the screen."""

    def __init__(self, folder: str = "scale-run") -> None:
        self.now = 0.0
        self.store = Store(clock=lambda: self.now)
        self.happenings: list[tuple[float, Kind | None, bytes]] = []
        self._initial: dict[Kind, bytes] = {}
        for name, kind in NAMES.items():
            track = Track(folder, name)
            self._initial[kind] = json.dumps({"kind": "List", **track.initial}).encode()
            for entry in track.entries:
                if entry.event.get("type") in ("ADDED", "MODIFIED", "DELETED"):
                    self.happenings.append((entry.time, kind, entry.line.encode()))
        for poll in recorded.lines(f"{folder}/metrics-pods.poll.jsonl"):
            if poll["status"] == 200:
                self.happenings.append((seconds(poll["t"]), None, poll["body"].encode()))
        self.happenings.sort(key=lambda h: h[0])
        self.now = self.happenings[0][0] - 1

    def begin(self) -> None:
        """List everything."""
        for kind, body in self._initial.items():
            self.store.put(kind, RESOURCES[kind].codec.page(body).rows)
        for source in (*Kind, *Source):
            self.store.link(source, Health.LIVE)

    def happen(self, kind: Kind | None, line: bytes) -> None:
        """One line of the recording."""
        if kind is None:
            self.store.sample_pods(wire.pod_list(line))
            return
        event = RESOURCES[kind].codec.event(line)
        if event.type == "DELETED":
            self.store.drop(kind, [event.uid])
        elif event.row is not None:
            self.store.put(kind, [event.row])

    def ticks(self, every: float = 0.1) -> Iterator[tuple[Delta, Focus]]:
        """Let it all happen; a tick every so many seconds."""
        self.begin()
        at, end = 0, self.happenings[-1][0] + 5
        while self.now < end:
            target = self.now + every
            while at < len(self.happenings) and self.happenings[at][0] <= target:
                time, kind, line = self.happenings[at]
                self.now = max(self.now, time)
                self.happen(kind, line)
                at += 1
            self.now = target
            delta = self.store.drain()
            yield delta, resolve(delta, None, None)


class Quick(Replay):
    """The same in a cluster whose time runs so many times faster than ours."""

    def __init__(self, pace: float) -> None:
        super().__init__()
        self.pace = pace
        self.start = self.now
        self.happenings = [(self._then(at), *more) for at, *more in self.happenings]

    def begin(self) -> None:
        super().begin()
        for kind in Kind:
            self.store.put(kind, [self._quick(row) for row in self.store.rows(kind) or ()])

    def happen(self, kind: Kind | None, line: bytes) -> None:
        if kind is None:
            self.store.sample_pods([self._quick(row) for row in wire.pod_list(line)])
            return
        event = RESOURCES[kind].codec.event(line)
        if event.type == "DELETED":
            self.store.drop(kind, [event.uid])
        elif event.row is not None:
            self.store.put(kind, [self._quick(event.row)])

    def _then(self, at: float) -> float:
        return self.start + (at - self.start) / self.pace

    def _quick(self, row: S) -> S:
        """The row with all its moments nearer to the start."""
        found = {name: getattr(row, name) for name in row.__struct_fields__}
        moments = {n: self._then(at) for n, at in found.items() if isinstance(at, float) and at}
        if "window" in found:
            moments["window"] = found["window"] / self.pace
        return replace(row, **moments)


def explained(replay: Replay, every: float = 0.1) -> Iterator[tuple[Explainer, Explanation]]:
    """The run as the explainer sees it."""
    explainer = Explainer()
    for delta, focus in replay.ticks(every):
        if focus.hpa is None or focus.hpa.name != "fastapi-hpa":
            continue
        yield explainer, explainer.feed(delta, focus, replay.now)
