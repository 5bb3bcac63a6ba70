"""Requests per pod, against what random choice predicts. Pure functions.

kube-proxy's iptables mode picks a pod at random for each **connection**, not in turn and not for
each request. With keep-alive a connection stays with its pod, so a burst of 500,000 requests over
50 connections makes 50 choices, not 500,000: the spread is wide, and pods that came later get
nothing. See https://kubernetes.io/docs/reference/networking/virtual-ips/.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

CONFIDENCE: Final = 0.95
_EXACT: Final = 20_000


@dataclass(frozen=True)
class PodShare:
    """What one pod answered."""

    pod: str
    requests: int
    share: float
    """Of all requests, 0 to 1."""
    inside: bool
    """Whether a random choice for each request would give as much."""


@dataclass(frozen=True)
class Shares:
    """What all pods answered."""

    pods: tuple[PodShare, ...]
    low: int
    high: int
    """The band of requests per pod if each request chose at random."""
    kept_low: int
    kept_high: int
    """The band if each connection chose at random and stayed."""
    sentence: str
    """What the spread means; empty without pods."""


def binomial_band(trials: int, chance: float, confidence: float = CONFIDENCE) -> tuple[int, int]:
    """Between which counts a binomial variable lies.

    Args:
        trials: independent choices.
        chance: of each.
        confidence: the probability of lying in the band is at least this; each tail has at most
            half of the rest.

    Returns:
        (low, high), both inclusive. Exact up to 20,000 trials, by the normal curve beyond.
    """
    if trials <= 0 or chance <= 0:
        return 0, 0
    if chance >= 1:
        return trials, trials
    tail = (1 - confidence) / 2
    if trials > _EXACT:
        mean, deviation = trials * chance, math.sqrt(trials * chance * (1 - chance))
        reach = -NormalDist().inv_cdf(tail) * deviation
        return max(0, math.floor(mean - reach)), min(trials, math.ceil(mean + reach))
    return _quantile(trials, chance, tail), trials - _quantile(trials, 1 - chance, tail)


def _quantile(trials: int, chance: float, tail: float) -> int:
    """The least count whose cumulative probability is more than ``tail``."""
    whole = math.lgamma(trials + 1)
    odds, against = math.log(chance), math.log1p(-chance)
    total = 0.0
    for count in range(trials + 1):
        ways = whole - math.lgamma(count + 1) - math.lgamma(trials - count + 1)
        total += math.exp(ways + count * odds + (trials - count) * against)
        if total > tail:
            return count
    return trials


def shares(
    counts: Mapping[str, int], opened: int, pods: int | None = None, confidence: float = CONFIDENCE
) -> Shares:
    """Judge how requests fell to pods.

    Args:
        counts: pod → requests that it answered.
        opened: connections that were made in all.
        pods: how many there are, if some may have got nothing.
        confidence: that all pods are inside their bands when choice is random.
    """
    total = sum(counts.values())
    number = max(pods or 0, len(counts))
    if not total or not number:
        return Shares((), 0, 0, 0, 0, "")
    # So that all are inside together, each must be more surely so (Bonferroni).
    each = 1 - (1 - confidence) / number
    low, high = binomial_band(total, 1 / number, each)
    choices = min(max(opened, 1), total)
    few, many = binomial_band(choices, 1 / number, each)
    kept_low, kept_high = few * total // choices, -(-many * total // choices)
    rows = tuple(
        PodShare(pod, count, count / total, low <= count <= high)
        for pod, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
    silent = number - len(counts)
    fewest = 0 if silent else rows[-1].requests
    sentence = _sentence(
        number,
        silent,
        all(row.inside for row in rows) and fewest >= low,
        kept_low <= fewest and rows[0].requests <= kept_high,
        choices,
        total,
    )
    return Shares(rows, low, high, kept_low, kept_high, sentence)


def _sentence(number: int, silent: int, even: bool, kept: bool, choices: int, total: int) -> str:
    if number == 1:
        return "One pod answered everything."
    if even:
        return "The spread is what a random choice for each request gives."
    if choices >= total:
        return "The spread is wider than random choice gives: pods are not chosen alike."
    idle = f"; {silent} of {number} pods got nothing" if silent else ""
    if kept:
        return (
            f"Keep-alive shows: {choices} connections chose a pod and stayed with it, "
            f"so {total:,} requests spread like {choices} choices{idle}."
        )
    return (
        f"The spread is wider than {choices} connections that each chose at random would "
        f"give{idle}: connections are older than some pods, or pods are not chosen alike."
    )
