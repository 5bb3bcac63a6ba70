"""Whether memory grows while pods come and go: ``python -m benchmarks.scale_soak [--minutes M]``.

Ten thousand pods and 500 events a second, as in :mod:`benchmarks.scale`; nobody at the keys. What
is resident after two hours is to lie within 5 % of what was after ten minutes. A shorter run
compares its end with the same part of its time, and tells of the trend.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Final

from benchmarks.cluster import running
from benchmarks.idle import _cpu, _memory, _take_in
from benchmarks.scale import SIZES, all_there
from benchmarks.startup import program
from benchmarks.table import machine, show, verdict
from tests.e2e.terminal import Terminal

SETTLED: Final = 10.0
"""Minutes after which memory may grow no more, in a run that is long enough."""
GROWTH: Final = 5.0
"""Percent."""
_LINES: Final = 12


def run(minutes: float = 120.0) -> None:
    """Measure, and print a table."""
    size = SIZES[-1]
    options = ["--pods", str(size.pods), "--nodes", str(size.pods // 10)]
    samples: list[tuple[float, float, float]] = []
    with running(options=[*options, "--churn", str(size.churn)]) as cluster:
        environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}
        with Terminal([program(), "-A"], env=environment) as it:
            it.wait_for("Running")
            it.press("a")
            it.wait_until(lambda: all_there(it, size.pods), "all pods are there", 60)
            used = _cpu(it.pid)
            step = min(0.5, minutes / 12)
            for number in range(1, round(minutes / step) + 1):
                _take_in(it, 60 * step)
                it.output.clear()
                now = _cpu(it.pid)
                samples.append(
                    (number * step, _memory(it.pid, "VmRSS"), 100 * (now - used) / (60 * step))
                )
                used = now
                if number % max(1, round(minutes / step / _LINES)) == 0:
                    print(f"{samples[-1][0]:.1f} min: {samples[-1][1]:.1f} MB", file=sys.stderr)
            it.press("q")
            it.wait_exit()
    settled = min(SETTLED, minutes / 2)
    # The mean of a few: a single look may fall into a list or a collection of garbage.
    around = [rss for at, rss, _ in samples if settled <= at <= settled + 4 * step]
    first, last = sum(around) / len(around), sum(rss for _, rss, _ in samples[-5:]) / 5
    growth = 100 * (last / first - 1)
    shown = samples[:: max(1, len(samples) // _LINES)]
    show(
        f"Memory over {minutes:g} min, {size.pods:,} pods, {size.churn}/s",
        ["minute", "RSS, MB", "CPU, % of a core"],
        [
            *([f"{at:.1f}", f"{rss:.1f}", f"{cpu:.0f}"] for at, rss, cpu in shown),
            [f"from {settled:g} on", f"{growth:+.1f} % (≤ {GROWTH:g} %)", verdict(growth, GROWTH)],
        ],
    )


def main() -> None:
    """Of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=120.0)
    print(machine())
    run(parser.parse_args().minutes)


if __name__ == "__main__":
    main()
