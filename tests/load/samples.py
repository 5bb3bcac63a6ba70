"""A result made of given latencies."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.load.running import MOMENT
from tui.load import result
from tui.load.curve import steady
from tui.load.histogram import Histogram
from tui.load.ledger import Ledger
from tui.load.plan import Plan
from tui.load.stats import Spread, Tick


def made(
    *,
    rate: float | None = None,
    slow: float = 1.0,
    pods: dict[str, int] | None = None,
    failures: dict[str, int] | None = None,
    minutes: int = 0,
    state: str = "done",
    **more: Any,
) -> result.Result:
    """1,000 responses in two seconds: 1 to 1,000 ms times ``slow``; service takes a tenth."""
    options: dict[str, Any] = {"url": "http://127.0.0.1:8080/", "duration": 2.0, **more}
    if rate is not None:
        options["rate"] = steady(rate)
    ledger = Ledger(Plan(**options))
    values = [n * slow / 1000 for n in range(1, 1001)]
    for number in (1, 2):
        half = values[number - 1 :: 2]
        service = [v / 10 for v in half]
        spread = Spread(len(service), sum(service), min(service), max(service))
        ledger.add(
            0,
            Tick(
                number=number,
                elapsed=float(number),
                sent=500 + sum((failures or {}).values()) * (number - 1),
                latency=bytes(Histogram(half)),
                service=bytes(Histogram(service if rate is not None else half)),
                statuses={200: 490, 503: 10},
                failures=failures or {} if number == 2 else {},
                pods=pods or {} if number == 2 else {},
                received=50_000,
                connections=50,
                opened=25,
                dial=Spread(25, 0.025, 0.001, 0.001),
                wait=spread,
                read=Spread(len(service), 0.0, 0.0, 0.0),
                ended=2.0 if number == 2 else None,
            ),
        )
    began = MOMENT + timedelta(minutes=minutes)
    return result.of(ledger, began, state, None, 0.002)
