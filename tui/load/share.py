"""Requests per pod, against what random choice predicts. Pure functions.

kube-proxy's iptables mode picks a pod at random for each **connection**, not in turn and not for
each request. With keep-alive a connection stays with its pod, so a burst of 500,000 requests over
50 connections makes 50 choices, not 500,000: the spread is wide, and pods that came later get
nothing. See https://kubernetes.io/docs/reference/networking/virtual-ips/.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from statistics import NormalDist
from types import MappingProxyType
from typing import Final

import msgspec

CONFIDENCE: Final = 0.95
_EXACT: Final = 20_000
_ALIKE: Final[Mapping[str, float]] = MappingProxyType({})


class PodShare(msgspec.Struct, frozen=True):
    """What one pod answered."""

    pod: str
    requests: int
    share: float
    """Of all requests, 0 to 1."""
    inside: bool
    """Whether a random choice for each request would give as much."""
    low: int = 0
    high: int = 0
    """The band of its requests if each request chose at random among the pods ready then."""


class Shares(msgspec.Struct, frozen=True):
    """What all pods answered."""

    pods: tuple[PodShare, ...]
    low: int
    high: int
    """The band of requests per pod if each request chose at random; over all pods."""
    kept_low: int
    kept_high: int
    """The band if each connection chose at random and stayed."""
    sentence: str
    """What the spread means; empty without pods."""
    judged: bool = True
    """Whether it is known what chance would give; else there are no bands."""


class Due:
    """Each pod's part of a burst by random choice, while pods come and go.

    A request can only choose a pod that is ready then, so what a pod is due is the sum, over the
    intervals between two looks, of the requests of that interval divided by the number of pods
    ready in it. The number that falls to a pod is a sum of choices with different chances; its
    spread is at most that of a binomial variable with their mean chance (W. Hoeffding, "On the
    distribution of the number of successes in independent trials", 1956), so a band of that one
    holds at least what it promises.
    """

    def __init__(self) -> None:
        self._due: dict[str, float] = {}
        self._requests = 0

    def __contains__(self, pod: str) -> bool:
        """Whether it was ever seen ready."""
        return pod in self._due

    def look(self, requests: int, ready: Collection[str]) -> None:
        """Args:
        requests: answers so far.
        ready: the pods that are ready now, taken to have been so since the last look.
        """
        new = requests - self._requests
        if not ready or new < 0:
            return  # whoever answered will be known at the next look
        self._requests = requests
        for pod in ready:
            self._due[pod] = self._due.get(pod, 0.0) + new / len(ready)

    @property
    def chances(self) -> dict[str, float]:
        """Pod → its part of all requests, 0 to 1; empty before the first answers."""
        total = sum(self._due.values())
        return {pod: due / total for pod, due in self._due.items()} if total else {}


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
    counts: Mapping[str, int],
    opened: int,
    pods: int | None = None,
    confidence: float = CONFIDENCE,
    chances: Mapping[str, float] | None = _ALIKE,
) -> Shares:
    """Judge how requests fell to pods.

    Args:
        counts: pod → requests that it answered.
        opened: connections that were made in all.
        pods: how many there are, if some may have got nothing.
        confidence: that all pods are inside their bands when choice is random.
        chances: pod → its part of all requests that random choice predicts (:class:`Due`); if
            empty, all pods are taken to have been ready from the start; None: it is not known
            who else was.
    """
    total = sum(counts.values())
    if chances is None or (chances and any(n and pod not in chances for pod, n in counts.items())):
        return _unjudged(counts, total)
    due = chances
    if due:
        counts = {**dict.fromkeys(due, 0), **counts}
    number = max(pods or 0, len(counts))
    if not total or not number:
        return Shares((), 0, 0, 0, 0, "")
    # So that all are inside together, each must be more surely so (Bonferroni).
    each = 1 - (1 - confidence) / number
    choices = min(max(opened, 1), total)
    rows, kept_bands = [], []
    for pod, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        chance = due.get(pod, 0.0) if due else 1 / number
        low, high = binomial_band(total, chance, each)
        rows.append(PodShare(pod, count, count / total, low <= count <= high, low, high))
        few, many = binomial_band(choices, chance, each)
        kept_bands.append((few * total // choices, -(-many * total // choices)))
    silent = number - sum(count > 0 for count in counts.values())
    unseen = number > len(rows) and rows[-1].low > 0
    sentence = _sentence(
        number,
        silent,
        all(row.inside for row in rows) and not unseen,
        all(low <= row.requests <= high for row, (low, high) in zip(rows, kept_bands, strict=True))
        and not (number > len(rows) and kept_bands[-1][0] > 0),
        choices,
        total,
    )
    return Shares(
        tuple(rows),
        min(row.low for row in rows),
        max(row.high for row in rows),
        min(low for low, _ in kept_bands),
        max(high for _, high in kept_bands),
        sentence,
    )


def _unjudged(counts: Mapping[str, int], total: int) -> Shares:
    rows = tuple(
        PodShare(pod, count, count / total, True)
        for pod, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        if count
    )
    text = "Which pods were ready is not known, so neither is what random choice would give."
    return Shares(rows, 0, 0, 0, 0, text if rows else "", judged=False)


def _sentence(number: int, silent: int, even: bool, kept: bool, choices: int, total: int) -> str:
    if number == 1:
        return "One pod answered everything."
    if even:
        return "The spread is what a random choice for each request gives."
    if choices >= total:
        return "The spread is wider than random choice gives: pods are not chosen alike."
    idle = f"; {silent} of {number} pods got nothing" if silent else ""
    # Who chose is left open: kube-proxy does for a Service, a port-forward past it does itself.
    one = choices == 1
    if kept:
        stayed = (
            "one connection stayed with the pod that was chosen for it"
            if one
            else f"{choices:,} connections stayed with the pods that were chosen for them"
        )
        like = "one choice" if one else f"{choices:,} choices"
        return f"Keep-alive shows: {stayed}, so {total:,} requests spread like {like}{idle}."
    wider = (
        "one connection to a pod chosen at random"
        if one
        else f"{choices:,} connections to pods chosen at random"
    )
    return (
        f"The spread is wider than {wider} would give{idle}: connections are older than some "
        "pods, or pods are not chosen alike."
    )
