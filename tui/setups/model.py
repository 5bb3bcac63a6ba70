"""What the catalogue, a plan, its application and a status are made of. Data alone.

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
        raise SetupError(f"There is no setup {name!r}; there are {known}.")


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object as it will be sent: rendered, labelled, digested."""

    ref: Ref
    body: Object


class Action(StrEnum):
    """What applying would do to one object."""

    CREATE = "create"
    CHANGE = "change"
    UNCHANGED = "unchanged"
    PRUNE = "prune"
    """An older version of the setup left it behind: it would be deleted."""
    REFUSED = "refused"
    """It is there and not ours, or the API server does not take it."""


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


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that another manager owns and that applying would change (KEP-555)."""

    manager: str
    field: str


@dataclass(frozen=True, slots=True)
class ObjectDiff:
    """What applying would do to one object, as the server reckons it (dry run)."""

    ref: Ref
    action: Action
    changes: tuple[FieldChange, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    """Non-empty: only an explicit take-over may apply it."""
    warnings: tuple[str, ...] = ()
    """The API server's warnings."""
    problem: str = ""
    """Why it is refused, a sentence; for foreign objects whose it is."""
    owner: str = ""
    """Of a foreign object: who it belongs to, such as ``Helm release web``."""


@dataclass(frozen=True, slots=True)
class Prerequisite:
    """A need and whether it is met."""

    need: Need
    met: bool
    sentence: str
    """What was found, and the next step where it is missing."""

    @property
    def blocks(self) -> bool:
        """Whether applying is refused because of it."""
        return self.need.required and not self.met


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying a setup would do. Made by :meth:`Setups.plan`, carried out by ``apply``."""

    setup: Setup
    values: Values
    namespace: str
    manifests: tuple[Manifest, ...]
    objects: tuple[ObjectDiff, ...]
    """In the order of application; what is pruned comes last."""
    prerequisites: tuple[Prerequisite, ...]
    missing_rights: tuple[str, ...] = ()
    """In words: ``create services in namespace default``."""
    local: bool = False
    """True where the server was not asked (read-only): the diff is our own reckoning."""
    guard: str = ""
    """Why writing is refused here (read-only, a protected context); empty if it is not."""
    typed: str = ""
    """Non-empty: the context's name, which has to be typed (a production-looking context)."""

    @property
    def conflicts(self) -> tuple[tuple[Ref, Conflict], ...]:
        """Every conflict with its object."""
        return tuple((one.ref, clash) for one in self.objects for clash in one.conflicts)

    @property
    def problems(self) -> tuple[str, ...]:
        """Sentences that say why it cannot be applied; empty if it can."""
        found = [self.guard] if self.guard else []
        found += [f"You may not {right}." for right in self.missing_rights]
        found += [one.problem for one in self.objects if one.action is Action.REFUSED]
        found += [one.sentence for one in self.prerequisites if one.blocks]
        return tuple(found)

    @property
    def empty(self) -> bool:
        """Whether applying would change nothing."""
        return all(one.action is Action.UNCHANGED for one in self.objects)


class Step(StrEnum):
    """Where an object of an apply or a delete is."""

    WAITING = "waiting"
    SENT = "sent"
    """The server has it (``created``, ``changed``, ``unchanged`` in ``sentence``)."""
    ROLLING_OUT = "rolling out"
    ANSWERING = "answering"
    """The health path answers."""
    READY = "ready"
    DELETING = "deleting"
    GONE = "gone"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of one object; ``apply`` and ``delete`` hand these on as they happen."""

    ref: Ref
    step: Step
    sentence: str
    """What is known: ``1 of 2 pods ready: ErrImagePull of nginx:1.99``."""
    seconds: float
    """Since the start."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why it stopped."""

    ref: Ref | None
    reason: str
    """A word for machines: ``ImagePullBackOff``, ``FailedScheduling``, ``Conflict``, ``Timeout``…
    """
    sentence: str
    """What happened to which object, and what to do next."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an apply or a delete ended."""

    setup: str
    namespace: str
    seconds: float
    done: tuple[Ref, ...]
    """Objects written, or gone."""
    left: tuple[Ref, ...] = ()
    """After a failure: objects not reached, or not gone."""
    failure: Failure | None = None
    undo: str = ""
    """After a failed apply: what undoing means, in a sentence; empty if nothing was written."""
    probe: str = ""
    """What the health path answered, in a sentence."""
    created: tuple[tuple[Ref, str], ...] = ()
    """Objects that were made, and their uids."""
    before: tuple[tuple[Ref, Object], ...] = field(default=(), repr=False)
    """Objects that were changed, and what had been applied to them before."""

    @property
    def good(self) -> bool:
        """Whether all of it was done."""
        return self.failure is None


@dataclass(frozen=True, slots=True)
class Deletion:
    """What deleting a setup will delete, each by its uid. Made by :meth:`Setups.deletion`."""

    setup: str
    namespace: str
    objects: tuple[tuple[Ref, str], ...]
    """Objects and their uids, in the order of deletion."""
    foreign: tuple[tuple[Ref, str], ...] = ()
    """Objects of the setup's names that are not ours, and whose they are: they stay."""
    missing_rights: tuple[str, ...] = ()
    guard: str = ""
    typed: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to delete."""
        return not self.objects


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
