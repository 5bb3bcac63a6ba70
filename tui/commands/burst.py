"""``kscale-tui burst``: a burst without the screen."""

from __future__ import annotations

import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click
import msgspec

from tui.commands.burst_pods import Counter
from tui.commands.burst_target import Aim, UnreachableError, aimed
from tui.commands.hey import HeyCommand
from tui.config import ConfigError, LoadSettings, Settings
from tui.config import load as load_settings
from tui.load import profile as profiles
from tui.load import report
from tui.load.burst import Burst
from tui.load.choice import ANSWERED_BY
from tui.load.curve import Points, steady
from tui.load.history import History
from tui.load.limits import excess, refusal
from tui.load.plan import Pattern, Plan, PlanError, target
from tui.load.result import Result, to_csv, to_json
from tui.load.stats import Snapshot

if TYPE_CHECKING:
    from tui.doors.pod_counts import PodCounts

FAILED: Final = 1
USAGE: Final = 2
_COUNT: Final = 200
_BODY: Final = 16 * 1024 * 1024


@click.command(cls=HeyCommand, short_help="Fire HTTP requests at a URL and report, as hey does.")
@click.argument("where", metavar="URL|svc/NAME")
@click.option("-z", "duration", metavar="TIME", help="How long: 30s, 3m, 1m30s.")
@click.option(
    "-n", "count", type=click.IntRange(1), help="How many requests; not with -z.  [default: 200]"
)
@click.option(
    "-c", "connections", type=click.IntRange(1), help="How many connections.  [default: 50]"
)
@click.option(
    "-q", "each", type=click.FloatRange(0, min_open=True), help="Requests/s of each connection."
)
@click.option(
    "--rate", type=click.FloatRange(0, min_open=True), help="Requests/s over all connections."
)
@click.option("-m", "method", metavar="METHOD", help="GET, POST, PUT, HEAD ...  [default: GET]")
@click.option("-H", "headers", metavar="'NAME: VALUE'", multiple=True, help="A header; repeatable.")
@click.option("-d", "body", help="The request's body.")
@click.option(
    "-D", "body_file", type=click.Path(exists=True, dir_okay=False), help="A file with the body."
)
@click.option(
    "-T", "content_type", help="The body's type.  [default: application/x-www-form-urlencoded]"
)
@click.option("-t", "timeout", metavar="TIME", help="For each request.  [default: 20s]")
@click.option("--disable-keepalive", is_flag=True, help="A new connection for every request.")
@click.option(
    "--cacert", type=click.Path(exists=True, dir_okay=False), help="Authorities to trust, as PEM."
)
@click.option("--insecure", is_flag=True, help="Take any TLS certificate.")
@click.option("--profile", "preset", metavar="NAME", help="A preset; other flags override it.")
@click.option(
    "--pod-header", metavar="NAME", help="Count requests per pod by this response header."
)
@click.option(
    "--pod-regex", metavar="REGEX", help="Count requests per pod by this group in the body."
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    help="Processes that send, at most one for each connection.",
)
@click.option("--seed", type=int, default=1, help="The same seed, the same pauses.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print a row for each second as CSV.")
@click.option(
    "--allow-host", "allowed", metavar="HOST", multiple=True, help="A host that you may load."
)
@click.option("--namespace", metavar="NS", help="Of svc/NAME; the context's by default.")
@click.option("--context", help="The kubeconfig context in which svc/NAME is.")
@click.option(
    "--kubeconfig", type=click.Path(exists=True, dir_okay=False), help="The kubeconfig file."
)
@click.option("--config", type=click.Path(dir_okay=False), help="The settings file.")
def command(
    where: str,
    as_json: bool,
    as_csv: bool,
    allowed: tuple[str, ...],
    namespace: str | None,
    context: str | None,
    kubeconfig: str | None,
    config: str | None,
    **flags: Any,
) -> None:
    """Fire HTTP/1.1 requests at a URL or a Service and print a summary in the layout of hey.

    svc/NAME, svc/NAME:PORT and svc/NAME/PATH go to a Service of the cluster by the best route to
    it: load balancer, NodePort, Ingress, or else a port-forward, which bypasses the Service.

    Without -z, -n and --profile, 200 requests are sent over 50 connections. With -q or --rate,
    latency counts from when a request was due, so a slow target cannot hide behind a pause. Only
    this machine is loaded, Services of the cluster, and hosts that are named with --allow-host or
    in the settings, whose table [load] alone can raise the limits.

    Exit codes: 0 something was answered with 2xx or 3xx, 1 nothing was, 2 wrong usage.
    """
    if as_json and as_csv:
        _usage("--json and --csv exclude each other")
    settings = _settings(config)
    try:
        # What is wrong with the flags is said before a cluster is asked for anything.
        _allow(_plan("http://127.0.0.1/", settings.load, **flags), settings.load, ())
        named = (*allowed, *settings.load.allow_hosts)
        with aimed(where, namespace, context, kubeconfig, named, settings=settings) as aim:
            plan = _aimed_plan(aim, settings.load, flags)
            _allow(plan, settings.load, (*allowed, aim.host) if aim.service else allowed)
            _tell_route(where, aim)
            result, told = _fire(plan, aim.counts(plan) if aim.counts is not None else None)
    except PlanError as error:
        _usage(str(error))
    except UnreachableError as error:
        _say(str(error).removesuffix("."))
        sys.exit(FAILED)
    lost = _keep(result)  # before it is printed, which may fail
    if as_json:
        click.echo(to_json(result), nl=False)
    elif as_csv:
        click.echo(to_csv(result), nl=False)
    else:
        click.echo("\n" + report.text(result), nl=False)
    if result.responses and not told:
        _tell_nameless(flags["pod_header"], flags["pod_regex"])
    if lost:
        _say(lost)
    if result.problem:
        _say(result.problem)
    if result.problem or not result.good:
        sys.exit(FAILED)


def _keep(result: Result) -> str:
    """Why the run is not kept; empty if it is."""
    try:
        History().add(result)
    except OSError as error:
        return f"the run is not kept: {error.strerror or error}"
    return ""


def _settings(path: str | None) -> Settings:
    try:
        settings = load_settings(Path(path) if path else None)
    except ConfigError as error:
        _usage(str(error))
    if settings.read_only:
        _usage("read-only is set (in the settings or by KSCALE_READ_ONLY), which forbids bursts")
    return settings


def _allow(plan: Plan, settings: LoadSettings, allowed: tuple[str, ...]) -> None:
    """Raises:
    PlanError: the plan may not be carried out.
    """
    no = refusal(target(plan.url).host, (*allowed, *settings.allow_hosts))
    no = no or excess(plan, settings.limits)
    if no:
        raise PlanError(no)


def _aimed_plan(aim: Aim, settings: LoadSettings, flags: dict[str, Any]) -> Plan:
    plan = _plan(aim.url, settings, **flags)
    most = aim.most_connections
    if most is not None and plan.most_connections > most:
        raise PlanError(f"{aim.label} carries {most} connections, not {plan.most_connections}")
    changes: dict[str, Any] = {}
    if aim.host_header and not any(name.lower() == "host" for name, _ in plan.headers):
        changes["headers"] = (("Host", aim.host_header), *plan.headers)
    if aim.address and target(plan.url).host == aim.host:
        changes["address"] = aim.address
    if aim.service and plan.pattern is None:
        changes["pattern"] = ANSWERED_BY
    return msgspec.structs.replace(plan, **changes)


def _tell_route(where: str, aim: Aim) -> None:
    """Which way is taken: always where it is not the way of the cluster's users."""
    if aim.bypasses:
        hint = f". {aim.hint}" if aim.hint else ""
        _say(f"{where} by {aim.label}, which kube-proxy has no part in{hint}".removesuffix("."))
    elif aim.service and sys.stderr.isatty():
        _say(f"{where} by {aim.label}")


def _plan(
    url: str,
    settings: LoadSettings,
    duration: str | None,
    count: int | None,
    connections: int | None,
    each: float | None,
    rate: float | None,
    method: str | None,
    headers: tuple[str, ...],
    body: str | None,
    body_file: str | None,
    content_type: str | None,
    timeout: str | None,
    disable_keepalive: bool,
    cacert: str | None,
    insecure: bool,
    preset: str | None,
    pod_header: str | None,
    pod_regex: str | None,
    workers: int,
    seed: int,
) -> Plan:
    if duration is not None and count is not None and preset is None:
        count = None  # as with hey
    if each is not None and rate is not None:
        raise PlanError("-q and --rate exclude each other")
    if body is not None and body_file is not None:
        raise PlanError("-d and -D exclude each other")
    changes: dict[str, Any] = {"verify": not insecure, "workers": workers, "seed": seed}
    if preset is not None:
        found = profiles.load(preset, profiles.folders(settings.dir))
        plan = _stretched(found, duration).plan(url)
    else:
        seconds = None if duration is None else profiles.seconds(duration)
        if duration is None and count is None:
            count = _COUNT
        plan = Plan(url=url, duration=seconds, count=count)
    if count is not None:
        changes["count"] = count
    if connections is not None:
        changes["connections"] = steady(connections)
    if each is not None:
        changes |= {"rate_per_connection": each, "rate": None}
    if rate is not None:
        points: Points = steady(rate)
        changes |= {"rate": points, "rate_per_connection": None}
    if method is not None:
        changes["method"] = method.upper()
    if timeout is not None:
        changes["timeout"] = profiles.seconds(timeout)
    if disable_keepalive:
        changes["keep_alive"] = False
    if cacert is not None:
        changes["cacert"] = cacert
    if pod_header is not None or pod_regex is not None:
        changes["pattern"] = Pattern(pod_regex or "(.+)", pod_header)
    raw = _body(body, body_file)
    more = [_header(text) for text in headers]
    typed = any(name.lower() == "content-type" for name, _ in more)
    if content_type is not None and typed:
        raise PlanError("-T and -H 'Content-Type: ...' exclude each other")
    if raw is not None:
        changes["body"] = raw
        if content_type is None and not typed:
            content_type = "application/x-www-form-urlencoded"
    if content_type is not None:
        more.append(("Content-Type", content_type))
    said = {name.lower() for name, _ in more}
    kept = [(name, value) for name, value in plan.headers if name.lower() not in said]
    changes["headers"] = (*kept, *more)
    return msgspec.structs.replace(plan, **changes)


def _stretched(preset: profiles.Profile, duration: str | None) -> profiles.Profile:
    return preset if duration is None else msgspec.structs.replace(preset, duration=duration)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise PlanError(f"{text!r} is not a header such as 'Accept: text/html'")
    return name.strip(), value.strip()


def _body(text: str | None, file: str | None) -> bytes | None:
    if file is None:
        return None if text is None else text.encode()
    try:
        raw = Path(file).read_bytes()
    except OSError as error:
        raise PlanError(f"cannot read {file}: {error.strerror or error}") from None
    if len(raw) > _BODY:
        raise PlanError(f"{file} is larger than {_BODY // 1024 // 1024} MB")
    return raw


def _tell_nameless(header: str | None, regex: str | None) -> None:
    """That no answer told its pod, where it was said how one would."""
    if header is not None:
        how = f" that matches {regex!r}" if regex is not None else ""
        _say(f"no answer has a header {header}{how}, which was to name the pods")
    elif regex is not None:
        _say(f"no answer matches {regex!r}, which was to name the pods")


def _fire(plan: Plan, counts: PodCounts | None) -> tuple[Result, bool]:
    """Run it to its end, or until Ctrl-C; with it, whether answers told which pod they are of."""
    line = _Line() if sys.stderr.isatty() else None
    burst = Burst(plan, line.show if line else None)
    interrupted = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: interrupted.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        burst.start()
        counter = Counter(burst, counts) if counts is not None else None
        while not burst.wait(0.05):
            if interrupted.is_set():
                burst.stop()
                break
        burst.wait(1.0)
        if line is not None:
            line.clear()
        result = burst.result()
        told = bool(result.pods)
        interrupted.clear()  # from now on it means that the logs are not waited for
        return result if counter is None else counter.finish(result, interrupted), told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Line:
    """A progress bar on one line of the terminal, plain enough for any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cleared = False

    def show(self, now: Snapshot) -> None:
        filled = round(now.progress * 20)
        place = f"{now.elapsed:.0f} s"
        if now.duration:
            place += f" / {now.duration:.0f} s"
        elif now.count:
            place = f"{now.responses + now.failed} / {now.count}"
        parts = [
            f"[{'#' * filled}{'.' * (20 - filled)}] {place}",
            f"{now.achieved_rate:,.0f}/s",
            f"p99 {1000 * now.latency.get(99.0, 0.0):.1f} ms",
        ]
        if now.asked_rate is not None:
            parts.insert(2, f"of {now.asked_rate:,.0f}/s asked")
        bad = now.responses - now.good + now.failed
        if bad:
            parts.append(f"{bad} failed")
        self._write("  ".join(parts)[: shutil.get_terminal_size().columns - 1])

    def clear(self) -> None:
        self._write("")
        self._cleared = True

    def _write(self, text: str) -> None:
        with self._lock:
            if not self._cleared:
                sys.stderr.write(f"\r{text}\x1b[K")
                sys.stderr.flush()


def _say(sentence: str) -> None:
    from tui.text import clean  # it brings Rich, which a burst does not need

    click.echo(f"kscale-tui burst: {clean(sentence)}.", err=True)


def _usage(sentence: str) -> NoReturn:
    from tui.text import clean

    click.echo(f"kscale-tui burst: {clean(sentence)}. See `kscale-tui burst --help`.", err=True)
    sys.exit(USAGE)
