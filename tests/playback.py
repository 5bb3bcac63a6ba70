"""Serves recorded traffic to real informers: lists, watches and polls at a recorded instant.

The test moves the instant with :meth:`Playback.advance`, or lets it run with :meth:`Playback.play`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from tests.cluster import recorded
from tests.cluster.server import Exchange, Server
from tui.cluster.access import ClusterConfig
from tui.cluster.metrics import ROOT
from tui.cluster.resources import RESOURCES
from tui.state.rows import Kind

NAMES = {
    "pods": Kind.PODS,
    "hpa-v2": Kind.HPAS,
    "deployments": Kind.DEPLOYMENTS,
    "replicasets": Kind.REPLICASETS,
    "endpointslices": Kind.ENDPOINTSLICES,
    "nodes": Kind.NODES,
    "events": Kind.EVENTS,
}
POLLS = {
    "metrics-pods": [f"{ROOT}/pods", f"{ROOT}/namespaces/default/pods"],
    "metrics-nodes": [f"{ROOT}/nodes"],
}


def seconds(text: str) -> float:
    """A recorded time in seconds since the epoch."""
    return datetime.fromisoformat(text).timestamp()


@dataclass
class Entry:
    """A line of a recording."""

    time: float
    line: str = ""
    relist: dict[str, Any] | None = None
    closed: bool = False
    refused: bool = False
    version: str = ""
    """Where a watch may go on after it."""
    event: dict[str, Any] = field(default_factory=dict)

    def missed(self, connected: float) -> bool:
        """Whether a watch opened then has nothing of it."""
        return self.refused or (self.closed and self.time <= connected)


@dataclass
class State:
    """A table of the server at one instant."""

    objects: dict[str, dict[str, Any]]
    version: str
    down: bool = False


class Track:
    """The list of one resource and all that its watch said after it."""

    def __init__(self, folder: str, name: str) -> None:
        self.initial = recorded.document(f"{folder}/{name}.initial-list.json")
        self.version = str(self.initial["metadata"]["resourceVersion"])
        self.entries = [_entry(raw) for raw in recorded.lines(f"{folder}/{name}.watch.jsonl")]

    def at(self, now: float) -> State:
        """What a list gives then."""
        state = State(_by_uid(self.initial), self.version)
        for number, entry in enumerate(self.entries):
            if entry.time > now:
                break
            state.down = entry.refused
            relist = entry.relist
            if entry.event.get("type") == "ERROR":
                # The history is gone: the list that was taken next is what there is.
                relist = next(e.relist for e in self.entries[number:] if e.relist is not None)
            if relist is not None:
                state = State(_by_uid(relist), str(relist["metadata"]["resourceVersion"]))
            elif entry.event:
                _apply(state, entry)
        return state

    def after(self, version: str) -> int | None:
        """The entry at which a watch from that version begins; None if it is not known."""
        if version == self.version:
            return 0
        for number in reversed(range(len(self.entries))):
            if self.entries[number].version == version:
                return number + 1
        return None


class Playback:
    """A server that is where the recording was at :attr:`now`. Use as a context manager."""

    def __init__(self, folder: str) -> None:
        present = {PurePosixPath(n).name for n in recorded.names(".watch.jsonl") if _in(n, folder)}
        self.tracks = {
            kind: Track(folder, name)
            for name, kind in NAMES.items()
            if f"{name}.watch.jsonl" in present
        }
        self.polls = {
            name: [(seconds(p["t"]), p) for p in recorded.lines(f"{folder}/{name}.poll.jsonl")]
            for name in POLLS
            if f"{folder}/{name}.poll.jsonl" in set(recorded.names(".poll.jsonl"))
        }
        self.moments = sorted({e.time for t in self.tracks.values() for e in t.entries})
        self.now = self.moments[0] - 1
        self.server = Server()
        self._moved = threading.Condition()

    @property
    def config(self) -> ClusterConfig:
        """How to reach it."""
        return ClusterConfig(self.server.url, context="recorded", namespace="default")

    def clock(self) -> float:
        """The recorded instant, for the store."""
        return self.now

    def advance(self, to: float) -> None:
        """Let everything happen up to then."""
        with self._moved:
            self.now = max(self.now, to)
            self._moved.notify_all()

    def advance_to_version(self, kind: Kind, version: int) -> None:
        """Let everything happen up to the last event whose version is not beyond that one."""
        before = [e.time for e in self.tracks[kind].entries if int(e.version or 0) <= version]
        self.advance(max(before, default=self.now))

    @contextmanager
    def play(self, speed: float) -> Iterator[None]:
        """Let the instant run, so many recorded seconds a second, while the block lasts."""
        over = threading.Event()
        began, start = time.monotonic(), self.now

        def run() -> None:
            while not over.wait(0.02):
                self.advance(start + (time.monotonic() - began) * speed)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def __enter__(self) -> Playback:
        self.server.__enter__()
        for kind, track in self.tracks.items():
            for namespace in (None, "default"):
                path = RESOURCES[kind].path(namespace)
                self.server.on(path, lambda e, k=kind, t=track: self._list(e, k, t))
                self.server.on(path, lambda e, t=track: self._watch(e, t), watch=True)
        for kind in set(Kind) - set(self.tracks):
            for namespace in (None, "default"):
                self.server.on(RESOURCES[kind].path(namespace), _empty)
                self.server.on(RESOURCES[kind].path(namespace), _silent, watch=True)
        for name in self.polls:
            for path in POLLS[name]:
                self.server.on(path, lambda e, n=name: self._poll(e, n))
        version = recorded.raw("idle/version.json")
        self.server.on("/version", lambda e: e.reply(200, version))
        self.server.on("/api/v1/namespaces/default", lambda e: e.reply(200, {"kind": "Namespace"}))
        return self

    def __exit__(self, *args: Any) -> None:
        with self._moved:
            self.server.__exit__(*args)
            self._moved.notify_all()

    def _list(self, exchange: Exchange, kind: Kind, track: Track) -> None:
        state = track.at(self.now)
        if state.down:
            exchange.cut()
            return
        objects = list(state.objects.values())
        at = int(exchange.query.get("continue") or 0)
        end = at + int(exchange.query.get("limit") or len(objects) or 1)
        meta = {"resourceVersion": state.version}
        if end < len(objects):
            meta["continue"] = str(end)
        exchange.reply(200, {"kind": f"{kind}List", "metadata": meta, "items": objects[at:end]})

    def _watch(self, exchange: Exchange, track: Track) -> None:
        connected = self.now  # asked once: a test may move it any time
        if track.at(connected).down:
            exchange.cut()
            return
        at = track.after(exchange.query["resourceVersion"])
        exchange.start_chunked()
        if at is None:
            gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
            exchange.event("ERROR", gone)
            exchange.end()
            return
        while not self.server.stopped.is_set():
            with self._moved:
                while at < len(track.entries) and track.entries[at].missed(connected):
                    at += 1
                due = at < len(track.entries) and track.entries[at].time <= self.now
                if not due:
                    self._moved.wait(1)
                    continue
            entry = track.entries[at]
            at += 1
            if entry.line:
                exchange.chunk(entry.line.encode() + b"\n")
            if entry.closed or entry.event.get("type") == "ERROR":
                exchange.end()
                return

    def _poll(self, exchange: Exchange, name: str) -> None:
        polls = self.polls[name]
        last = polls[0][1]
        for when, poll in polls:
            if when > self.now:
                break
            last = poll
        exchange.reply(last["status"], last["body"])


def _entry(raw: dict[str, Any]) -> Entry:
    entry = Entry(seconds(raw["t"]), raw.get("line", ""))
    if entry.line:
        entry.event = json.loads(entry.line)
        entry.version = str(entry.event["object"]["metadata"].get("resourceVersion", ""))
    if "relist" in raw:
        relist = raw["relist"]
        entry.relist = json.loads(relist) if isinstance(relist, str) else relist
        entry.version = str(entry.relist["metadata"]["resourceVersion"]) if entry.relist else ""
    entry.closed = bool(raw.get("closed"))
    entry.refused = "connection_error" in raw
    return entry


def _apply(state: State, entry: Entry) -> None:
    obj = entry.event["object"]
    if entry.version:
        state.version = entry.version
    if entry.event["type"] == "DELETED":
        state.objects.pop(obj["metadata"]["uid"], None)
    elif entry.event["type"] in ("ADDED", "MODIFIED"):
        state.objects[obj["metadata"]["uid"]] = obj


def _by_uid(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["metadata"]["uid"]: item for item in document["items"]}


def _in(name: str, folder: str) -> bool:
    return str(PurePosixPath(name).parent) == folder


def _empty(exchange: Exchange) -> None:
    exchange.reply(200, {"kind": "List", "metadata": {"resourceVersion": "1"}, "items": []})


def _silent(exchange: Exchange) -> None:
    exchange.start_chunked()
    exchange.stall()
