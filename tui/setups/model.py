"""What the catalogue is made of, and how a setup of it is in a cluster. Data alone.

Text that came from a cluster or a user's folder may stand in any ``str`` here: clean it before it
is shown (:func:`tui.text.clean`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from tui.cluster.objects import Object, Ref

Value: TypeAlias = str | int
Values: TypeAlias = Mapping[str, Value]
"""A value for every placeholder of a setup, validated: see :func:`tui.setups.values.complete`."""


class SetupError(Exception):
    """A setup cannot be used as asked: one sentence for people, and what to do next."""


class UsageError(SetupError):
    """What was asked for cannot be meant: no such setup or value, or a value that does not fit."""


class ValueType(StrEnum):
    """What a placeholder accepts."""

    NAME = "name"
    """A DNS label, as Services and Deployments are named (RFC 1123)."""
    PORT = "port"
    """1 to 65535."""
    NODE_PORT = "node-port"
    """30000 to 32767, the API server's default range."""
    IMAGE = "image"
    """An image reference with a tag or a digest."""
    NUMBER = "number"
    """A whole number between ``least`` and ``most``."""
    QUANTITY = "quantity"
    """CPU or memory, such as ``100m`` or ``128Mi``."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One value that a setup's manifests leave open: ``${name}`` in them."""

    name: str
    type: ValueType
    default: Value
    title: str
    """What it is, for a dialog."""
    least: int | None = None
    most: int | None = None


class NeedKind(StrEnum):
    """What a setup may need of the cluster before it works."""

    METRICS = "metrics"
    """The metrics API (metrics.k8s.io) answers."""
    SERVICE = "service"
    """A Service of this name exists in the namespace."""
    DEPLOYMENT = "deployment"
    """A Deployment of this name exists, and its containers request CPU or memory."""
    ONLY_HPA = "only-hpa"
    """No HorizontalPodAutoscaler but the setup's own scales that Deployment."""


@dataclass(frozen=True, slots=True)
class Need:
    """One prerequisite, as the catalogue declares it."""

    kind: NeedKind
    name: str = ""
    """The object's name, with placeholders."""
    required: bool = True
    """False: what is applied waits for it and then works."""
    resources: tuple[str, ...] = ()
    """For a Deployment: what every container must request (``cpu``, ``memory``)."""
    hint: str = ""
    """What to do where it is missing."""


@dataclass(frozen=True, slots=True)
class Check:
    """A request that a healthy setup answers."""

    service: str
    """The Service's name; may hold placeholders in the catalogue, not in a plan."""
    path: str
    port: int = 80
    """The Service's port."""
    status: int = 200
    served_by: str = ""
    """What the answer must say in ``X-Served-By``; empty if that does not matter."""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a probe of a :class:`Check` found."""

    good: bool
    sentence: str
    """``/ answers 200 in 3 ms, X-Served-By: nginx``, or what went wrong."""
    reached: bool = True
    """False: no way leads to the Service from here, which says nothing of its health."""
    url: str = ""
    """Where it was asked."""
    latency: float = 0.0
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Setup:
    """A folder of manifests that is applied, watched and deleted as one."""

    name: str
    """The folder's name: a DNS label."""
    title: str
    summary: str
    """What it shows, in a sentence or two."""
    folder: Path
    builtin: bool
    key: str = ""
    """The key the user's folder asks for; empty where it asks for none."""
    placeholders: tuple[Placeholder, ...] = ()
    needs: tuple[Need, ...] = ()
    health: Check | None = None
    """What must answer for the setup to count as up; None for setups without a Service."""
    checks: tuple[Check, ...] = ()
    """Further requests worth trying."""
    templates: tuple[Object, ...] = field(default=(), repr=False)
    """The manifests as parsed, placeholders in them."""
    files: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Text files of the folder that manifests name as ``${file:NAME}``."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A folder that cannot be used as a setup."""

    name: str
    folder: Path
    problem: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every setup, built in first, each kind by name; and folders that are none."""

    setups: tuple[Setup, ...]
    broken: tuple[Broken, ...] = ()
    own: Path | None = None
    """Where a user's own were looked for."""

    def get(self, name: str) -> Setup:
        """The setup of that name.

        Raises:
            SetupError: there is none; names those there are.
        """
        for setup in self.setups:
            if setup.name == name:
                return setup
        for one in self.broken:
            if one.name == name:
                raise SetupError(one.problem)
        known = ", ".join(setup.name for setup in self.setups)
        where = f" One of your own would be the folder {self.own / name}." if self.own else ""
        raise UsageError(f"There is no setup {name!r}; there are {known}.{where}")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of an object, before and after.

    Attributes:
        path: such as ``spec.template.spec.containers[name=nginx].image``.
        old: as compact JSON; None if it was not there.
        new: as compact JSON; None if it goes.
    """

    path: str
    old: str | None
    new: str | None


class State(StrEnum):
    """How a setup is in a namespace."""

    ABSENT = "absent"
    APPLYING = "applying"
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    DRIFTED = "drifted"
    NOT_OURS = "not ours"
    UNKNOWN = "unknown"
    """It cannot be read; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A field that is no longer what was applied."""

    ref: Ref
    change: FieldChange
    """``old``: what was applied; ``new``: what is there."""
    by: str
    """The field's manager now, such as ``kubectl-edit``; empty if nobody owns it."""
    added: bool = False
    """Whether it was never ours: applying again leaves it."""


@dataclass(frozen=True, slots=True)
class SetupStatus:
    """What is known of one setup in one namespace."""

    setup: str
    namespace: str
    state: State
    sentence: str
    """Why, for people."""
    objects: tuple[Ref, ...] = ()
    """Those that are there and ours."""
    missing: tuple[Ref, ...] = ()
    leftover: tuple[Ref, ...] = ()
    """Labelled with the setup's name but not among its manifests."""
    foreign: tuple[tuple[Ref, str], ...] = ()
    drift: tuple[Drift, ...] = ()
    ready: int | None = None
    """Ready pods of its Deployments; None if it has none."""
    wanted: int | None = None
    health: Check | None = None
    """What to ask to see whether it answers, names filled in."""
