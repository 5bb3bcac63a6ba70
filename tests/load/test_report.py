"""The summary, JSON and CSV of a known result."""

from __future__ import annotations

import csv
import io
import json

import msgspec
import pytest

from tests.load.samples import made
from tui.load import report, result
from tui.load.stats import Failure


def test_summary_is_laid_out_as_heys() -> None:
    text = report.text(made())
    assert text.startswith(
        "Summary:\n"
        "  Total:\t2.0000 secs\n"
        "  Slowest:\t1.0000 secs\n"
        "  Fastest:\t0.0010 secs\n"
        "  Average:\t0.5005 secs\n"
        "  Requests/sec:\t500.0000\n"
        "\n"
        "  Total data:\t100000 bytes, headers included\n"
        "  Size/request:\t100 bytes\n"
        "\n"
        "Response time histogram:\n"
        "  0.001 [1]\t|\n"
    )
    heads = [line for line in text.splitlines() if line.endswith(":") and line[0] != " "]
    assert heads == [
        "Summary:",
        "Response time histogram:",
        "Latency distribution:",
        "Details (average, fastest, slowest):",
        "Status code distribution:",
    ]
    assert "  [200]\t980 responses\n  [503]\t20 responses\n" in text
    assert "Asked" not in text


def test_bars_are_forty_wide_at_most_and_count_everything() -> None:
    lines = report.text(made()).split("histogram:\n")[1].split("\n\n")[0].splitlines()
    assert len(lines) == 11
    assert sum(int(line.split("[")[1].split("]")[0]) for line in lines) == 1000
    assert max(line.count("■") for line in lines) == 40


@pytest.mark.parametrize(("percent", "seconds"), [("50", 0.5), ("99", 0.99), ("99.9", 0.999)])
def test_percentiles(percent: str, seconds: float) -> None:
    found = made().latency.percentiles[percent]
    assert found == pytest.approx(seconds, rel=0.005)
    assert f"  {percent}% in {found:.4f} secs\n" in report.text(made())


def test_with_a_rate_the_service_time_stands_beside() -> None:
    kept = made(rate=500)
    text = report.text(kept)
    p99, service = kept.latency.percentiles["99"], kept.service.percentiles["99"]
    assert f"  99% in {p99:.4f} secs\t{service:.4f} secs\n" in text
    assert "  Asked/sec:\t500.0000 (100.0 % achieved)\n" in text
    assert "did not keep up" not in text


def test_a_rate_that_was_not_kept_is_said() -> None:
    text = report.text(made(rate=5000))
    assert "  Asked/sec:\t5000.0000 (10.0 % achieved)\n" in text
    assert "9000 requests were due and never sent" in text


def test_what_was_asked_does_not_fade_while_the_last_answers_are_waited_for() -> None:
    text = report.text(made(rate=1000, duration=1.0))
    assert "  Asked/sec:\t1000.0000 (100.0 % achieved)\n" in text


def test_no_more_is_achieved_than_was_asked() -> None:
    """The last of the requests is due when its gap begins, not when it is over."""
    text = report.text(made(rate=499, count=1000))
    assert "  Asked/sec:\t499.0000 (100.0 % achieved)\n" in text


def test_errors_and_early_ends_are_said() -> None:
    text = report.text(made(failures={Failure.RESET: 3, Failure.TIMEOUT: 1}, state="stopped"))
    assert "Error distribution:\n  [3]\tconnection reset\n  [1]\ttimed out\n" in text
    assert text.endswith("Stopped early: these are the figures of what ran.\n")


def test_pods_are_listed_with_what_chance_predicts() -> None:
    text = report.text(made(pods={"a": 600, "b": 400}))
    assert "  a\t600\t60.0 %  more than random choice\n" in text
    assert "  b\t400\t40.0 %  fewer than random choice\n" in text
    assert "Keep-alive shows: 50 connections" in text


def test_where_it_is_not_known_who_was_ready_nothing_is_said_of_chance() -> None:
    known = msgspec.structs.replace(made(pods={"a": 600, "b": 400}), chances=None)
    text = report.text(known)
    assert "  a\t600\t60.0 %\n  b\t400\t40.0 %\n  Which pods were ready is not known" in text
    assert result.of_json(result.to_json(known)) == known


def test_nothing_answered_still_makes_a_summary() -> None:
    from tests.load.running import MOMENT, plan
    from tui.load.ledger import Ledger

    empty = result.of(Ledger(plan("http://127.0.0.1/")), MOMENT, "failed", "why", 0.0)
    text = report.text(empty)
    assert "Latency" not in text
    assert "The burst failed: why." in text
    assert result.of_json(result.to_json(empty)) == empty


def test_json_has_a_schema_version_and_comes_back() -> None:
    kept = made(rate=500, pods={"a": 1000})
    raw = result.to_json(kept)
    loaded = json.loads(raw)
    assert loaded["schema_version"] == 1
    assert loaded["latency"]["percentiles"]["99.9"] == kept.latency.percentiles["99.9"]
    assert result.of_json(raw) == kept
    assert result.histogram(kept.latency).percentile(42) == pytest.approx(0.42, rel=0.005)
    with pytest.raises(ValueError, match="version 2"):
        result.of_json(raw.replace(b'"schema_version": 1', b'"schema_version": 2'))


def test_no_secret_is_kept() -> None:
    kept = made(headers=(("Authorization", "Bearer hunter2"),), body=b"hunter2", method="POST")
    assert b"hunter2" not in result.to_json(kept)
    assert kept.asked.headers == ("Authorization",)
    assert "hunter2" not in report.text(kept)


def test_csv_has_a_row_for_each_second() -> None:
    rows = list(csv.DictReader(io.StringIO(result.to_csv(made(rate=500)))))
    assert [(r["second"], r["asked"], r["responses"], r["good"]) for r in rows] == [
        ("0", "500.000000", "500", "490"),
        ("1", "500.000000", "500", "490"),
    ]
    assert float(rows[0]["p99"]) == pytest.approx(0.99, rel=0.01)
    assert float(rows[0]["service_p99"]) == pytest.approx(0.099, rel=0.01)
