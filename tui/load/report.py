"""A burst's summary for people, in the layout of hey (https://github.com/rakyll/hey).

Beside hey's figures stand p99.9, what was asked, and, where a rate was set, the service time:
latency then counts from when a request was due, not from when it could be sent.
"""

from __future__ import annotations

from typing import Final

from tui.load.result import Latency, Result, Timing
from tui.load.share import PodShare, shares

_BAR: Final = 40
_BEHIND: Final = 0.99
"""Less than this share of the asked rate is not what was asked."""


def text(result: Result) -> str:
    """The summary, some forty lines, ending in a line feed. Plain text without colours."""
    parts = [_summary(result)]
    if result.latency.count:
        parts += [_bars(result), _distribution(result), _details(result)]
    parts += [_statuses(result), _errors(result), _pods(result), _remarks(result)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _summary(result: Result) -> str:
    lines = ["Summary:", f"  Total:\t{result.elapsed:.4f} secs"]
    if result.latency.count:
        lines += [
            f"  Slowest:\t{result.latency.most:.4f} secs",
            f"  Fastest:\t{result.latency.least:.4f} secs",
            f"  Average:\t{result.latency.mean:.4f} secs",
        ]
    lines.append(f"  Requests/sec:\t{result.rate:.4f}")
    asked = result.asked
    if asked.requests is not None and result.elapsed:
        # Nothing was due any more while the last answers were waited for.
        rate = asked.requests / min(result.elapsed, asked.duration or result.elapsed)
        # Between n requests lie n - 1 gaps: what was sent was due, though its gap is not over.
        due = max(asked.requests, result.sent)
        share = 100 * result.responses / due if due else 0.0
        lines.append(f"  Asked/sec:\t{rate:.4f} ({share:.1f} % achieved)")
    if result.received:
        lines += ["", f"  Total data:\t{result.received} bytes, headers included"]
        if result.responses:
            lines.append(f"  Size/request:\t{result.received // result.responses} bytes")
    return "\n".join(lines)


def _bars(result: Result) -> str:
    bars = result.latency.bars
    most = max(count for _, count in bars)
    lines = ["Response time histogram:"]
    for edge, count in bars:
        bar = "■" * ((count * _BAR + most // 2) // most)
        lines.append(f"  {edge:.3f} [{count}]\t|{bar}")
    return "\n".join(lines)


def _distribution(result: Result) -> str:
    lines = ["Latency distribution:"]
    if result.corrected:
        lines = ["Latency distribution (from when a request was due; service time beside it):"]
    for percent, seconds in result.latency.percentiles.items():
        line = f"  {percent}% in {seconds:.4f} secs"
        if result.corrected:
            line += f"\t{result.service.percentiles[percent]:.4f} secs"
        lines.append(line)
    return "\n".join(lines)


def _details(result: Result) -> str:
    def row(name: str, timing: Timing | Latency) -> str:
        return f"  {name}:\t{timing.mean:.4f} secs, {timing.least:.4f} secs, {timing.most:.4f} secs"

    lines = [
        "Details (average, fastest, slowest):",
        row("dialup", result.dial),
        f"  DNS-lookup:\t{result.dns:.4f} secs, once",
        row("resp wait", result.wait),
        row("resp read", result.read),
    ]
    if result.corrected:
        lines.append(row("service time", result.service))
    return "\n".join(lines)


def _statuses(result: Result) -> str:
    lines = [f"  [{code}]\t{count} responses" for code, count in result.statuses.items()]
    return "\n".join(["Status code distribution:", *lines]) if lines else ""


def _errors(result: Result) -> str:
    lines = [f"  [{count}]\t{kind}" for kind, count in result.failures.items()]
    lines += [f"  \t{reason}" for reason in result.reasons]
    if result.unfinished:
        when = "" if result.opened else ", before there was a connection"
        lines.append(f"  [{result.unfinished}]\tgiven up at the end{when}")
    return "\n".join(["Error distribution:", *lines]) if lines else ""


def _pods(result: Result) -> str:
    found = shares(result.pods, result.opened, chances=result.chances)
    if not found.pods:
        return ""
    lines = ["Requests per pod:"]
    lines += [
        f"  {pod.pod}\t{pod.requests}\t{100 * pod.share:.1f} %{_against(pod)}" for pod in found.pods
    ]
    if found.judged and len(found.pods) > 1:
        alike = len({(pod.low, pod.high) for pod in found.pods}) == 1
        each = "each" if alike else "by how long each was ready"
        lines.append(f"  random choice gives {found.low} to {found.high} {each}")
    lines.append(f"  {found.sentence}")
    return "\n".join(lines)


def _against(pod: PodShare) -> str:
    if pod.inside:
        return ""
    return "  more than random choice" if pod.requests > pod.high else "  fewer than random choice"


def _remarks(result: Result) -> str:
    lines: list[str] = []
    if result.problem:
        lines.append(f"The burst failed: {result.problem}.")
    elif result.state == "stopped":
        lines.append("Stopped early: these are the figures of what ran.")
    due = result.asked.requests
    if due and result.responses < due * _BEHIND:
        said = "Fewer requests were answered than were due."
        if result.unsent:
            requests = "1 request was" if result.unsent == 1 else f"{result.unsent} requests were"
            said = f"The target did not keep up with the rate: {requests} due and never sent."
        if result.unsent and result.latency.count:
            said += (
                " Latency from the due time then grows with the length of the burst; read the"
                " service time for what one request took."
            )
        lines.append(said)
    return "\n".join(lines)
