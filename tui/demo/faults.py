"""Faults on demand: what goes wrong, for whom, how often and how long.

A `Fault` is data; `Faults` holds those that are set and says which of them meets a request. What
a fault does to an answer is in `tui.demo.faults_http`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from random import Random
from typing import Annotated, Any, Final, Literal, NamedTuple, get_args

import msgspec

Kind = Literal[
    "drop-watches",
    "gone",
    "throttle",
    "error",
    "slow",
    "stall",
    "truncate",
    "expired-token",
    "forbid",
    "skew",
    "restart",
]
KINDS: Final[tuple[str, ...]] = get_args(Kind)

MOST: Final = 64
"""Faults that may be set at once."""

_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "gone": {"shape": ""},
    "throttle": {"after": 1.0},
    "error": {"status": 500},
    "slow": {"delay": 2.0},
    "skew": {"skew": 600.0},
    "restart": {"down": 1.0, "compact": True},
}
"""What only some kinds take, with its default."""
_UNSCOPED: Final = ("skew", "restart")
_NEEDS_WATCH: Final = ("drop-watches",)


class FaultError(ValueError):
    """A fault that cannot be set; the text says why."""


Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One fault as it was asked for."""

    kind: Kind
    resource: str = ""
    """The plural, such as ``pods``; empty: every request."""
    verb: Literal["", "get", "list", "watch", "create", "update", "patch", "delete"] = ""
    p: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    """Which part of the requests in scope it meets."""
    seed: int = 1
    seconds: Annotated[float, msgspec.Meta(gt=0, le=86_400)] | None = msgspec.field(
        name="for", default=None
    )
    """How long it lasts in real seconds; None: until it is cleared."""
    times: Annotated[int, msgspec.Meta(gt=0)] | None = None
    """How many requests it meets; None: all while it lasts."""
    shape: Literal["", "status", "event"] | None = None
    """How a watch says 410; empty: one way and the other, drawn from the seed."""
    after: Seconds | None = None
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    delay: Seconds | None = None
    skew: Annotated[float, msgspec.Meta(ge=-86_400, le=86_400)] | None = None
    down: Seconds | None = None
    compact: bool | None = None


def parse(text: str) -> Fault:
    """A fault from ``KIND:key=value,key=value``.

    Raises:
        FaultError: what is wrong with it.
    """
    kind, _, rest = text.strip().partition(":")
    given: dict[str, Any] = {"kind": kind}
    for pair in filter(None, rest.split(",")):
        key, equals, value = pair.partition("=")
        if not equals or key in given:
            raise FaultError(f"{pair[:40]!r} should be key=value, each key once")
        given[key.strip()] = value.strip()
    return convert(given)


def convert(given: object) -> Fault:
    """A fault from a decoded mapping, whose figures may be text; defaults are filled in.

    Raises:
        FaultError: what is wrong with it.
    """
    if isinstance(given, dict) and given.get("kind") not in KINDS:
        raise FaultError(f"there is no fault {str(given.get('kind'))[:40]!r}: {', '.join(KINDS)}")
    try:
        fault = msgspec.convert(given, Fault, strict=False)
    except msgspec.ValidationError as problem:
        raise FaultError(re.sub(r"`\$\.?([^`]*)`", r"\1", str(problem))) from None
    own = _OPTIONS.get(fault.kind, {})
    for options in _OPTIONS.values():
        for name in options.keys() - own.keys():
            if getattr(fault, name) is not None:
                raise FaultError(f"{fault.kind} takes no {name}=")
    if fault.kind in _UNSCOPED and (fault.resource or fault.verb or fault.times or fault.p != 1):
        raise FaultError(f"{fault.kind} meets the whole cluster: no resource=, verb=, p= or times=")
    if fault.kind == "restart" and fault.seconds is not None:
        raise FaultError("restart takes down=, the seconds it is away, and no for=")
    if fault.kind in _NEEDS_WATCH and fault.verb not in ("", "watch"):
        raise FaultError(f"{fault.kind} meets watches only, not {fault.verb}")
    missing = {name: value for name, value in own.items() if getattr(fault, name) is None}
    return msgspec.structs.replace(fault, **missing)


class About(NamedTuple):
    """What a request is about."""

    verb: str
    resource: str
    """The plural; empty where the path names no resource."""
    group: str = ""
    namespace: str = ""


_VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def about(method: str, path: str, watches: bool) -> About:
    """The verb and the resource of a request, as rules of RBAC name them."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"]:
        group, rest = "", parts[2:]
    elif parts[:1] == ["apis"]:
        group, rest = (parts[1] if len(parts) > 1 else ""), parts[3:]
    else:
        group, rest = "", []
    if rest[:1] == ["watch"]:
        watches, rest = True, rest[1:]
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces" and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    resource = rest[0] if rest else ""
    verb = _VERBS.get(method) or ("watch" if watches else "get" if len(rest) > 1 else "list")
    return About(verb if resource or method != "GET" else "get", resource, group, namespace)


class Set(msgspec.Struct):
    """A fault that is set."""

    id: int
    fault: Fault
    since: float
    """Seconds of the clock of `Faults`."""
    random: Random
    met: int = 0
    """Requests it has met."""

    def describe(self, now: float) -> dict[str, Any]:
        """As JSON shows it."""
        seconds = self.fault.seconds
        left = {} if seconds is None else {"left": round(max(0.0, self.since + seconds - now), 1)}
        return {"id": self.id, **msgspec.to_builtins(self.fault), "met": self.met, **left}


class Faults:
    """The faults that are set.

    Args:
        clock: real seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._set: list[Set] = []
        self._last = 0

    def add(self, fault: Fault) -> Set:
        """Set a fault.

        Raises:
            FaultError: there are too many.
        """
        if len(self.active()) >= MOST:
            raise FaultError(f"there are {MOST} faults already; clear some")
        self._last += 1
        made = Set(self._last, fault, self.clock(), Random(fault.seed))
        self._set.append(made)
        return made

    def active(self) -> list[Set]:
        """Those that last, oldest first."""
        if self._set:
            now = self.clock()
            self._set = [one for one in self._set if _lasts(one, now)]
        return list(self._set)

    def clear(self, number: int | None = None) -> int:
        """Take back one fault, or all; returns how many."""
        kept = [one for one in self.active() if number is not None and one.id != number]
        gone = len(self._set) - len(kept)
        self._set = kept
        return gone

    def lasts(self, one: Set) -> bool:
        """Whether a fault is still set."""
        return one in self.active()

    def meet(self, request: About, *kinds: str) -> Set | None:
        """The first fault of those kinds that meets the request; it is counted."""
        if not self._set:
            return None
        for one in self.active():
            fault = one.fault
            if fault.kind not in kinds or not in_scope(fault, request) or _spent(one):
                continue
            if fault.p < 1 and one.random.random() >= fault.p:
                continue
            one.met += 1
            return one
        return None

    @property
    def skew(self) -> float:
        """Seconds the cluster's clock is ahead."""
        skews = [one.fault.skew or 0.0 for one in self.active() if one.fault.kind == "skew"]
        return skews[-1] if skews else 0.0


def in_scope(fault: Fault, request: About) -> bool:
    """Whether a request is one that the fault may meet."""
    return (not fault.resource or fault.resource == request.resource) and (
        not fault.verb or fault.verb == request.verb
    )


def _lasts(one: Set, now: float) -> bool:
    fault = one.fault
    if fault.seconds is not None and now >= one.since + fault.seconds:
        return False
    # A stall has met its requests and goes on holding them.
    return not _spent(one) or fault.kind == "stall"


def _spent(one: Set) -> bool:
    return one.fault.times is not None and one.met >= one.fault.times
