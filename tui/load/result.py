"""What came of a burst: figures to print, to keep and to compare. No secret is among them."""

from __future__ import annotations

import base64
import csv
import io
import json
from datetime import datetime
from typing import Final

import msgspec

from tui.load.histogram import Histogram
from tui.load.ledger import Ledger
from tui.load.plan import target
from tui.load.stats import Second, Spread

SCHEMA_VERSION: Final = 1
PERCENTS: Final = (10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9)
"""hey's, and 99.9."""


class Latency(msgspec.Struct, frozen=True):
    """A distribution of durations, in seconds."""

    count: int
    mean: float
    least: float
    most: float
    percentiles: dict[str, float]
    """Percent, as ``"99.9"`` → seconds."""
    bars: tuple[tuple[float, int], ...]
    """Upper edge → count, in eleven bars of equal width, as hey draws them."""
    histogram: str
    """All of it, in base64; see :class:`tui.load.histogram.Histogram`."""


class Timing(msgspec.Struct, frozen=True):
    """A detail, in seconds."""

    count: int
    mean: float
    least: float
    most: float


class Asked(msgspec.Struct, frozen=True):
    """What the burst was told to do."""

    url: str
    method: str
    profile: str | None
    connections: int
    """At most."""
    duration: float | None
    count: int | None
    rate: float | None
    """At most, requests a second over all connections; None: as fast as it goes."""
    requests: float | None
    """How many were due; None: no rate is set."""
    keep_alive: bool
    timeout: float
    headers: tuple[str, ...]
    """Names alone: values may be secrets."""
    body: int
    """Bytes."""
    seed: int
    workers: int


class Result(msgspec.Struct, frozen=True):
    """One burst that ran, or ran until it was stopped."""

    schema_version: int
    began: datetime
    state: str
    problem: str | None
    asked: Asked
    elapsed: float
    """Seconds until the last request ended."""
    sent: int
    responses: int
    good: int
    """Responses with a 2xx or 3xx code."""
    failed: int
    unfinished: int
    """Sent, and given up at the end."""
    unsent: int
    """Due, and never sent: the target did not keep up."""
    rate: float
    """Responses a second."""
    received: int
    """Bytes, headers and all."""
    latency: Latency
    """From the intended time of sending where a rate is set; else the same as ``service``."""
    service: Latency
    """From the sending itself; from the first SYN where that took a new connection."""
    statuses: dict[str, int]
    failures: dict[str, int]
    reasons: tuple[str, ...]
    """What TLS said."""
    pods: dict[str, int]
    opened: int
    """Connections made in all."""
    dial: Timing
    dns: float
    """Seconds that the one look-up of the name took."""
    wait: Timing
    read: Timing
    seconds: tuple[Second, ...]
    chances: dict[str, float] | None = {}
    """By pod: its part of all requests if each chose at random among the pods ready then; empty
    where nobody looked, None where it is not known who was.
    """

    @property
    def corrected(self) -> bool:
        """Whether latency counts from the intended time of sending."""
        return self.asked.rate is not None


def of(ledger: Ledger, began: datetime, state: str, problem: str | None, dns: float) -> Result:
    """The result of what a ledger holds."""
    plan, totals, elapsed = ledger.plan, ledger.totals, ledger.lasted
    due = plan.asked(elapsed)
    asked = Asked(
        url=plan.url,
        method=plan.method,
        profile=plan.profile,
        connections=plan.most_connections,
        duration=plan.duration,
        count=plan.count,
        rate=plan.most_rate,
        requests=None if due is None else round(due, 1),
        keep_alive=plan.keep_alive,
        timeout=plan.timeout,
        headers=tuple(name for name, _ in plan.headers),
        body=len(plan.body),
        seed=plan.seed,
        workers=plan.workers,
    )
    return Result(
        schema_version=SCHEMA_VERSION,
        began=began,
        state=state,
        problem=problem,
        asked=asked,
        elapsed=elapsed,
        sent=totals.sent,
        responses=totals.responses,
        good=totals.good,
        failed=totals.failed,
        unfinished=max(0, totals.sent - totals.responses - totals.failed),
        unsent=0 if due is None else max(0, int(due) - totals.sent),
        rate=totals.responses / elapsed if elapsed else 0.0,
        received=totals.received,
        latency=_latency(totals.latency),
        service=_latency(totals.service),
        statuses={str(code): number for code, number in sorted(totals.statuses.items())},
        failures=dict(totals.failures.most_common()),
        reasons=tuple(totals.reasons),
        pods=dict(sorted(totals.pods.items())),
        opened=totals.opened,
        dial=_timing(totals.dial),
        dns=dns,
        wait=_timing(totals.wait),
        read=_timing(totals.read),
        seconds=ledger.seconds.all(),
    )


def to_json(result: Result) -> bytes:
    """One JSON object, indented."""
    text = json.dumps(msgspec.to_builtins(result), indent=2)
    return text.replace("\x7f", "\\u007f").encode("ascii") + b"\n"


def of_json(raw: bytes) -> Result:
    """The result that gave this JSON.

    Raises:
        ValueError: it is none, or of another schema.
    """
    found = msgspec.json.decode(raw, type=Result)
    if found.schema_version != SCHEMA_VERSION:
        raise ValueError(f"schema version {found.schema_version} is not {SCHEMA_VERSION}")
    return found


def to_csv(result: Result) -> str:
    """A row for each second, with a header. Latencies are in seconds."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    names = Second.__struct_fields__
    rows.writerow(names)
    for second in result.seconds:
        values = (getattr(second, name) for name in names)
        rows.writerow(f"{value:.6f}" if isinstance(value, float) else value for value in values)
    return out.getvalue()


def histogram(latency: Latency) -> Histogram:
    """The whole distribution, to merge or to ask for other percentiles."""
    return Histogram.of_bytes(base64.b64decode(latency.histogram))


def host(result: Result) -> str:
    """What was loaded, briefly."""
    return target(result.asked.url).authority


def _latency(found: Histogram) -> Latency:
    percentiles = found.percentiles(PERCENTS)
    return Latency(
        count=found.count,
        mean=found.mean,
        least=found.least if found.count else 0.0,
        most=found.most,
        percentiles={f"{percent:g}": percentiles[percent] for percent in PERCENTS},
        bars=tuple(found.bars()),
        histogram=base64.b64encode(bytes(found)).decode(),
    )


def _timing(spread: Spread) -> Timing:
    least = spread.least if spread.count else 0.0
    return Timing(spread.count, spread.mean, least, spread.most)
