"""A burst, as the rest of the program sees it: start it, watch it, stop it.

The load comes from processes of their own, so that it takes nothing from whoever shows it. They
end with this one, however it ends.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from time import perf_counter
from typing import Final

import msgspec

from tui.load import result
from tui.load.address import look_up
from tui.load.engine import tls_context
from tui.load.ledger import Ledger
from tui.load.messages import (
    Frames,
    FromWorker,
    Go,
    Order,
    Problem,
    Ready,
    Stop,
    ToWorker,
    frame,
    from_worker,
)
from tui.load.plan import Plan, PlanError, target
from tui.load.stats import Snapshot, Tick

STOP_WITHIN: Final = 0.2
"""Seconds after which a burst that was stopped sends nothing, whatever its workers do."""
_READY_WITHIN: Final = 15.0
_OVERDUE: Final = 10.0

Listener = Callable[[Snapshot], None]


class Burst:
    """One burst. Every method may be called from any thread."""

    def __init__(self, plan: Plan, on_snapshot: Listener | None = None) -> None:
        """Args:
        plan: what to do.
        on_snapshot: called ten times a second, from a thread of the burst's own, and once more
            when it is over. It must not block.
        """
        plan = msgspec.structs.replace(plan, workers=min(plan.workers, plan.most_workers))
        self.plan = plan
        self._listener = on_snapshot
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._stopped = threading.Event()
        self._ready = threading.Semaphore(0)
        self._state = "starting"
        self._problem: str | None = None
        self._workers: list[subprocess.Popen[bytes]] = []
        self._ledger = Ledger(plan)
        self._dns = 0.0
        self._began = datetime.now(UTC)
        self._snapshot = self._ledger.snapshot(self._state, None)
        self._thread = threading.Thread(target=self._run, name="burst", daemon=True)

    def start(self) -> None:
        """Begin; returns at once. Call it once."""
        self._thread.start()

    def stop(self) -> None:
        """End now. When this returns, within 0.2 s, nothing is sent any more."""
        self._stopped.set()
        if self._thread.ident is None:
            self._close("stopped")
            return
        self._tell_workers(Stop())
        if not self._over.wait(STOP_WITHIN - 0.05):
            self._kill()
            self._over.wait(0.05)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end. Whether it came within ``timeout`` seconds."""
        return self._over.wait(timeout)

    @property
    def snapshot(self) -> Snapshot:
        """The burst as it was at the last tick."""
        return self._snapshot

    @property
    def pids(self) -> list[int]:
        """Of the worker processes."""
        with self._lock:
            return [worker.pid for worker in self._workers]

    def result(self) -> result.Result:
        """Everything there is to say about it, so far or for good."""
        with self._lock:
            return result.of(self._ledger, self._began, self._state, self._problem, self._dns)

    # The burst's own thread.

    def _run(self) -> None:
        readers: list[threading.Thread] = []
        try:
            tls_context(self.plan)
            address = self.plan.address
            if address is None:
                address, self._dns = look_up(target(self.plan.url))
            if not self._stopped.is_set():
                self._work(address, readers)
        except PlanError as error:
            self._problem = str(error)
        except OSError as error:
            self._problem = f"cannot start the load: {error.strerror or error}"
        finally:
            self._clear_up(readers)
            stopped = self._stopped.is_set()
            self._close("stopped" if stopped else "failed" if self._problem else "done")

    def _work(self, address: str, readers: list[threading.Thread]) -> None:
        for index in range(self.plan.workers):
            worker = self._spawn()
            _write(worker, Order(self.plan, address, index))
            reader = threading.Thread(target=self._read, args=(index, worker), daemon=True)
            reader.start()
            readers.append(reader)
        deadline = perf_counter() + _READY_WITHIN
        for _ in readers:
            if not self._ready.acquire(timeout=max(0.0, deadline - perf_counter())):
                raise PlanError("the load's worker processes did not start in time")
        if self._problem is not None or self._stopped.is_set():
            return
        with self._lock:
            self._began = datetime.now(UTC)
            self._state = "running"
        self._tell_workers(Go())
        limit = None
        if self.plan.duration is not None:
            limit = perf_counter() + self.plan.duration + _OVERDUE
        for reader in readers:
            reader.join(None if limit is None else max(0.0, limit - perf_counter()))
            if reader.is_alive():
                raise PlanError("a worker process of the load hung; it was ended")

    def _spawn(self) -> subprocess.Popen[bytes]:
        worker = subprocess.Popen(
            [sys.executable, "-m", "tui.load.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        with self._lock:
            self._workers.append(worker)
        return worker

    def _clear_up(self, readers: list[threading.Thread]) -> None:
        for worker in self._workers:
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.wait(0 if self._problem else STOP_WITHIN)
        self._kill()
        for reader in readers:
            reader.join(1.0)
        for worker in self._workers:
            for pipe in (worker.stdin, worker.stdout):
                if pipe is not None:
                    pipe.close()

    def _close(self, state: str) -> None:
        with self._lock:
            self._state = state
            self._snapshot = self._ledger.snapshot(state, self._problem)
        self._over.set()
        self._show()

    def _kill(self) -> None:
        with self._lock:
            for worker in self._workers:
                worker.kill()
        for worker in self._workers:
            worker.wait()

    def _tell_workers(self, message: ToWorker) -> None:
        with self._lock:
            for worker in self._workers:
                _write(worker, message)

    # A thread for each worker.

    def _read(self, index: int, worker: subprocess.Popen[bytes]) -> None:
        frames = Frames()
        finished = False
        try:
            while worker.stdout is not None:
                data = os.read(worker.stdout.fileno(), 262_144)
                if not data:
                    break
                for raw in frames.feed(data):
                    finished |= self._hear(index, from_worker.decode(raw))
        except (ValueError, OSError, msgspec.DecodeError):
            finished = False
        if not finished and not self._stopped.is_set() and self._problem is None:
            self._problem = "a worker process of the load ended unexpectedly"
        self._ready.release()

    def _hear(self, index: int, message: FromWorker) -> bool:
        """Whether it was the worker's last word."""
        match message:
            case Ready():
                self._ready.release()
                return False
            case Problem(sentence=sentence):
                self._problem = sentence
                return True
            case Tick() as tick:
                with self._lock:
                    news = self._ledger.add(index, tick)
                    if news:
                        self._snapshot = self._ledger.snapshot(self._state, None)
                if news:
                    self._show()
                return tick.ended is not None

    def _show(self) -> None:
        if self._listener is not None:
            self._listener(self._snapshot)


def _write(worker: subprocess.Popen[bytes], message: ToWorker) -> None:
    if worker.stdin is not None and not worker.stdin.closed:
        with contextlib.suppress(OSError):  # it has ended: its reader knows
            worker.stdin.write(frame(message))
