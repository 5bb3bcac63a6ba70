"""The figures of a decision in words: units, ratios, times."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

import msgspec

from tui import quantity
from tui.analysis import hpa
from tui.analysis.replica_calculator import Measure

_MIB: Final = 1024**2 * 1000


class Tone(StrEnum):
    """What sort of thing a piece of text is; the screen gives each a colour."""

    TEXT = "text"
    MEASURED = "measured"
    DECIDED = "decided"
    GOOD = "good"
    BAD = "bad"
    ESTIMATED = "estimated"
    MUTED = "muted"


class Piece(NamedTuple):
    """A piece of text and its tone. What comes from the cluster in it has not been cleaned."""

    text: str
    tone: Tone = Tone.TEXT
    strong: bool = False


Text: TypeAlias = tuple[Piece, ...]


class Step(msgspec.Struct, frozen=True):
    """One step of the reckoning."""

    key: str
    """problem, off, clamp, usage, ratio, tolerance, pods, correction, metrics, window, rate,
    bounds or desired."""
    title: str
    says: Text
    result: int | None = None
    """The number of replicas after it, from where there is one."""
    notes: tuple[Text, ...] = ()
    deciding: bool = False
    estimated: bool = False
    """Whether it rests on what the controller remembers, which is rebuilt."""


def pods(count: int, what: str = "pod") -> str:
    """``1 pod``, ``4 ready pods``."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def number(value: float, *others: float) -> str:
    """Two figures after the point, without empty ones: ``3.48``, ``1.7``, ``12``.

    More of them where it would else read like one of ``others`` that it is not: ``1.103`` is
    outside 0.9 … 1.1.
    """
    unlike = [other for other in others if other != value]
    for places in (2 if abs(value) < 1000 else 0, 3, 4, 6):
        text = _rounded(value, places)
        if all(text != _rounded(other, places) for other in unlike):
            return text
    return repr(value)


def product(value: float) -> str:
    """What is rounded up next: it shows why, ``4.002`` and not ``4`` where 5 comes of it."""
    return number(value, float(math.floor(value)))


def _rounded(value: float, places: int) -> str:
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def amount(spec: hpa.MetricSpec, thousandths: int) -> str:
    """A metric's value in its own unit: ``174m``, ``96Mi``, ``12``."""
    if spec.type in ("Resource", "ContainerResource") and spec.name == "memory":
        return f"{thousandths / _MIB:.0f}Mi"
    if spec.type in ("Resource", "ContainerResource") and spec.name == "cpu":
        return f"{thousandths}m" if abs(thousandths) < 10_000 else f"{number(thousandths / 1000)}"
    return quantity.format_milli(thousandths)


def value_of(type_: str, name: str, thousandths: int) -> str:
    """A value that no target explains: ``552m``, ``96Mi``, ``25.5``."""
    if type_ in ("Resource", "ContainerResource"):
        return amount(hpa.MetricSpec(type_, name), thousandths)
    return f"{thousandths / 1000:g}"


def target(spec: hpa.MetricSpec, measure: Measure) -> str:
    """What the metric aims at: ``50 %``, ``100m``."""
    if measure.utilization is not None:
        return f"{measure.target} %"
    return amount(spec, measure.target)


def reading(spec: hpa.MetricSpec, measure: Measure) -> str:
    """What is held against the target: ``87 %``, ``174m``."""
    if measure.utilization is not None:
        return f"{measure.utilization} %"
    return amount(spec, measure.average)


def fraction(spec: hpa.MetricSpec, measure: Measure) -> str:
    """``87/50``: short, for a sentence."""
    if measure.utilization is not None:
        return f"{measure.utilization}/{measure.target}"
    return f"{amount(spec, measure.average)}/{amount(spec, measure.target)}"


def title(spec: hpa.MetricSpec) -> str:
    """``cpu``, ``cpu of app``, ``requests per pod``, ``queue of Service/mq``."""
    match spec.type:
        case "ContainerResource":
            return f"{spec.name} of {spec.container}"
        case "Pods":
            return f"{spec.name} per pod"
        case "Object" if spec.described_object is not None:
            return f"{spec.name} of {spec.described_object.kind}/{spec.described_object.name}"
        case _:
            return spec.name or spec.type


def span(seconds: float) -> str:
    """``9 s``, ``3 min 20 s``, ``5 min``."""
    total = max(0, round(seconds))
    minutes, rest = divmod(total, 60)
    if total < 100:
        return f"{total} s"
    return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"


def left(until: float, now: float, at_most: bool) -> str:
    """``~3 min 20 s``, ``at most 5 min``."""
    return f"{'at most ' if at_most else '~'}{span(until - now)}"


def policy(each: hpa.ScalingPolicy, up: bool) -> str:
    """``+4 pods / 15 s``, ``−100 % / 15 s``."""
    sign = "+" if up else "−"
    size = pods(each.value) if each.type == "Pods" else f"{each.value} %"
    return f"{sign}{size} / {span(each.period_seconds)}"


def short(pod: str) -> str:
    """What tells a pod from its siblings: the end of its name."""
    return pod if len(pod) <= 16 else f"…{pod[-5:]}" if pod[-6:-5] == "-" else f"…{pod[-12:]}"


def share(slack: float) -> str:
    """A tolerance in percent: ``10 %``, ``2.5 %``."""
    return f"{number(100 * slack)} %"
