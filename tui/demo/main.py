"""Running the embedded cluster as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import secrets
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import click

from tui.demo.faults_help import HELP

if TYPE_CHECKING:
    from tui.demo.api.handlers import Handlers
    from tui.demo.clock import Clock
    from tui.demo.faults import Fault
    from tui.demo.scenario import Scenario
    from tui.demo.store import Store
    from tui.demo.synthetic.population import Size


def run(
    *,
    port: int = 0,
    kubeconfig_out: str | None = None,
    speed: float = 1.0,
    seed: int = 1,
    scenario: str | None = None,
    parent: int | None = None,
    ready_json: bool = False,
    faults: tuple[Fault, ...] = (),
    size: Size | None = None,
) -> int:
    """Serve an embedded cluster until interrupted or the parent ends.

    Args:
        port: to listen on at 127.0.0.1; 0 takes a free one.
        kubeconfig_out: where to write the kubeconfig; None: in a private directory that is
            removed at the end.
        speed: simulated seconds per real second.
        seed: what is random repeats with the same seed.
        scenario: name or file of a scenario; None: the classroom.
        parent: process to end with.
        ready_json: say readiness in one line of JSON instead of in words.
        faults: what goes wrong from the start.
        size: of a large cluster without controllers; None: a small one that works.

    Returns:
        The exit code: 0 done, 1 failed.
    """
    from tui.demo.scenario import DEFAULT, ScenarioError, load

    try:
        played = load(scenario or DEFAULT)
    except ScenarioError as problem:
        _fail(f"{problem}. See `kscale-tui cluster --help`.")
        return 2  # wrong usage
    directory = None if kubeconfig_out else tempfile.mkdtemp(prefix="kscale-")  # mode 0700
    path = Path(kubeconfig_out) if kubeconfig_out else Path(directory or "") / "kubeconfig"
    gc.disable()  # nothing of what the start makes is garbage, and looking takes a while
    try:
        return asyncio.run(
            _serve(port, path, speed, _World(seed, played, size), parent, ready_json, faults)
        )
    except KeyboardInterrupt:
        return 0
    finally:
        gc.enable()
        if directory is not None:
            shutil.rmtree(directory, ignore_errors=True)


class _OneLine(logging.Formatter):
    """What libraries log, as a sentence for people: no traceback."""

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage().partition("\n")[0]
        problem = record.exc_info[1] if record.exc_info else None
        why = f" ({type(problem).__name__}: {problem})" if problem is not None else ""
        return f"kscale-tui cluster: {_printable(text + why)}"


def _log_in_one_line() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def _fail(problem: str) -> int:
    sys.stderr.write(f"kscale-tui cluster: {_printable(problem)}\n")
    return 1


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)


class _Runs(Protocol):
    """A cluster that can be served."""

    @property
    def handlers(self) -> Handlers: ...
    @property
    def store(self) -> Store: ...
    def bring_up(self) -> None: ...
    async def open(self) -> None: ...
    async def close(self) -> None: ...


class _Lesson:
    """The small cluster with all its machinery."""

    def __init__(self, clock: Clock, seed: int, scenario: Scenario, authority: str) -> None:
        from tui.demo.cluster import Cluster

        self._scenario = scenario
        self._authority = authority
        self._cluster = Cluster(clock, seed, scenario=scenario)
        self.handlers = self._cluster.handlers
        self.store = self._cluster.store

    def bring_up(self) -> None:
        self._cluster.bring_up(
            classroom_lesson=self._scenario.classroom,
            fronts=self._scenario.fronts,
            authority=self._authority,
        )

    async def open(self) -> None:
        await self._cluster.dataplane.open()

    async def close(self) -> None:
        await self._cluster.dataplane.close()


class _World(NamedTuple):
    """Which cluster it is to be."""

    seed: int
    scenario: Scenario
    size: Size | None

    def make(self, clock: Clock, authority: str) -> _Runs:
        if self.size is None:
            return _Lesson(clock, self.seed, self.scenario, authority)
        from tui.demo.synthetic.cluster import SyntheticCluster

        return SyntheticCluster(clock, self.size, self.seed)


async def _serve(
    port: int,
    path: Path,
    speed: float,
    world: _World,
    parent: int | None,
    ready_json: bool,
    faults: tuple[Fault, ...],
) -> int:
    from tui.demo import certificate, kubeconfig, lifeline
    from tui.demo.clock import RealClock
    from tui.demo.cluster import AGE
    from tui.demo.scenario import ScenarioError
    from tui.demo.server import HOST, Server

    _log_in_one_line()
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, ended.set)
    lifeline.hold(parent, ended.set)
    token = secrets.token_urlsafe(32)
    clock = RealClock(speed, AGE * speed)
    identity = certificate.make(HOST, "localhost")
    cluster = world.make(clock, identity.certificate)
    server = Server(
        cluster.handlers,
        token,
        identity,
        account=cluster.handlers.account,
        compact=cluster.store.compact,
        set_skew=clock.set_skew,
    )
    try:
        await server.start(port)
    except OSError as problem:
        # asyncio wraps the reason into a sentence of its own, with a tuple in it.
        why = os.strerror(problem.errno) if problem.errno else problem.strerror
        return _fail(f"cannot listen on 127.0.0.1:{port} ({why}); try --port 0")
    try:
        for fault in faults:
            if fault.kind == "skew":  # what is made from the start bears it
                server.faulty.set(fault)
        try:
            cluster.bring_up()
        except ScenarioError as problem:
            return _fail(str(problem))
        clock.go_live(loop)
        await cluster.open()
        try:
            kubeconfig.write(path, server.url, token, identity.certificate)
        except kubeconfig.NotOursError:
            return _fail(
                f"{path} exists and is not the kubeconfig of an embedded cluster; "
                "name a new file with --kubeconfig-out"
            )
        except OSError as problem:
            return _fail(f"cannot write the kubeconfig to {path} ({problem.strerror})")
        # What was made so far lives to the end: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        gc.enable()
        for fault in faults:
            if fault.kind != "skew":
                server.faulty.set(fault)
        _say_ready(path, server.url, ready_json)
        await ended.wait()
    finally:
        kubeconfig.remove(path, token)
        clock.stop()
        await cluster.close()
        await server.stop()
    return 0


def _say_ready(path: Path, url: str, ready_json: bool) -> None:
    if ready_json:
        line = json.dumps({"kubeconfig": str(path), "server": url})
        print(line, flush=True)  # noqa: T201 - the answer to the parent
        return
    command = "set KUBECONFIG=" if os.name == "nt" else "export KUBECONFIG="
    print(  # noqa: T201
        f"The embedded cluster is ready at {url} (simulated, on this machine only).\n\n"
        f"  In another terminal:\n"
        f"    {command}{path}\n"
        f"    kubectl get pods,hpa\n\n"
        f"Press Ctrl+C to end it.",
        flush=True,
    )


def _parse_faults(
    context: click.Context, parameter: click.Parameter, given: tuple[str, ...]
) -> tuple[Fault, ...]:
    from tui.demo.faults import FaultError, parse

    try:
        return tuple(parse(text) for text in given)
    except FaultError as problem:
        raise click.BadParameter(str(problem), context, parameter) from None


@click.command("cluster", help="Serve an embedded Kubernetes cluster on 127.0.0.1.", epilog=HELP)
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="0 takes a free port.")
@click.option(
    "--kubeconfig-out",
    type=click.Path(dir_okay=False),
    help="Where to write the kubeconfig; without it, a private temporary file.",
)
@click.option(
    "--speed",
    default=1.0,
    type=click.FloatRange(0.01, 1000),
    help="Divides the waiting times: 20 plays five minutes in 15 s.",
)
@click.option("--seed", default=1, type=int, help="What is random repeats with the same seed.")
@click.option(
    "--scenario",
    metavar="NAME|FILE",
    help="What happens in the cluster: calm, classroom (the default, with nginx and Caddy), "
    "flash-crowd, image-pull, lesson (as --demo has it), metrics-server-down, node-lost, "
    "noisy-neighbour, quota-too-small, rush-hour, two-deployments-one-label, or a file.",
)
@click.option(
    "--fault",
    "faults",
    metavar="FAULT",
    multiple=True,
    callback=_parse_faults,
    help="What goes wrong, as told below; may be repeated.",
)
@click.option(
    "--pods",
    metavar="N",
    type=click.IntRange(1, 100_000),
    help="Serve a synthetic cluster of so many pods: large, with nothing that acts on writes.",
)
@click.option("--nodes", metavar="N", type=click.IntRange(1, 20_000), help="Its nodes [pods/10].")
@click.option(
    "--churn",
    metavar="N",
    type=click.FloatRange(0, 10_000),
    help="Events of its pods a second [0].",
)
@click.option("--ready-json", is_flag=True, help="Say readiness in one line of JSON.")
@click.option("--parent-pid", type=int, hidden=True)
def command(
    port: int,
    kubeconfig_out: str | None,
    speed: float,
    seed: int,
    scenario: str | None,
    ready_json: bool,
    parent_pid: int | None,
    faults: tuple[Fault, ...],
    pods: int | None,
    nodes: int | None,
    churn: float | None,
) -> None:
    """Run the embedded cluster from the command line."""
    size = None
    if pods is None and (nodes is not None or churn is not None):
        raise click.UsageError("--nodes and --churn are of a synthetic cluster: give --pods too.")
    if pods is not None:
        if scenario is not None or speed != 1:
            raise click.UsageError("a synthetic cluster (--pods) plays no --scenario or --speed.")
        from tui.demo.synthetic.population import Size

        size = Size(pods, nodes or max(1, pods // 10), churn or 0.0)
    code = run(
        port=port,
        kubeconfig_out=kubeconfig_out,
        speed=speed,
        seed=seed,
        scenario=scenario,
        parent=parent_pid,
        ready_json=ready_json,
        faults=faults,
        size=size,
    )
    raise SystemExit(code)
