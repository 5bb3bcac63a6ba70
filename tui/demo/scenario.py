"""Scenarios: what is in the cluster, what happens to it and when, as data.

A scenario is a TOML file. All times are simulated seconds from the moment the cluster is ready::

    title = "Rush hour"
    summary = "What one sees, in a sentence."
    classroom = true                  # begin with the lesson's FastAPI, nginx, Caddy and HPA
    fronts = true                     # false: without nginx and Caddy

    [traffic]                         # what people ask for while nobody fires a burst
    points = [[0, 0], [60, 1800]]     # seconds, requests per second
    repeat = true

    [[node]]                          # a worker beside the two there always are
    name = "embedded-worker-2"

    [[add]]                           # objects, as for kubectl apply -f
    at = 30                           # left out: there from the beginning
    manifest = '''...'''

    [[change]]                        # a merge patch
    at = 60
    kind = "Deployment"
    name = "fastapi-deploy"
    patch = { spec = { replicas = 5 } }

    [[remove]]
    at = 90
    kind = "Service"
    name = "fastapi-svc"

    [[lose]]                          # a node stops answering, and all its pods with it
    at = 120
    node = "embedded-worker-2"

    [[restore]]                       # a lost node boots, and starts its pods anew
    at = 600
    node = "embedded-worker-2"
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import yaml

from tui import quantity
from tui.demo import bootstrap, resources
from tui.demo.api.errors import ApiError
from tui.demo.api.operations import Writer
from tui.demo.api.patches import merge_patch
from tui.demo.dataplane.costs import APP, CADDY
from tui.demo.resource import Resource
from tui.demo.store import Object
from tui.demo.traffic import Curve
from tui.resources import fixtures

if TYPE_CHECKING:
    from tui.demo.cluster import Cluster

DEFAULT: Final = "classroom"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]*")
_TEACHER: Final = Writer("kubectl-client-side-apply")
_LARGEST: Final = 1024 * 1024


class ScenarioError(Exception):
    """A scenario cannot be used; the text is a sentence for people."""


class Traffic(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What people ask of an app while nobody fires a burst."""

    points: list[tuple[float, float]]
    """Seconds and requests per second, in order of time."""
    service: str = "default/fastapi-svc"
    through: list[str] = msgspec.field(default_factory=lambda: ["default/caddy-svc"])
    """Services of the proxies that pass the requests on."""
    repeat: bool = True
    spread: float = 0.1
    """How much a second may differ, as a share."""


class Node(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A worker node."""

    name: str
    cpu: str = "4"
    memory: str = "8052312Ki"


class Add(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Objects that come."""

    manifest: str
    at: float | None = None


class Change(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A merge patch to an object."""

    kind: str
    name: str
    patch: dict[str, Any]
    at: float = 0.0
    namespace: str = "default"


class Remove(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An object that goes."""

    kind: str
    name: str
    at: float
    namespace: str = "default"


class Lose(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A node that stops answering, or is back."""

    node: str
    at: float


class Scenario(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One scenario."""

    title: str
    summary: str
    classroom: bool = True
    fronts: bool = True
    """Whether nginx and Caddy are there when the lesson begins."""
    traffic: Traffic | None = None
    node: list[Node] = []
    add: list[Add] = []
    change: list[Change] = []
    remove: list[Remove] = []
    lose: list[Lose] = []
    restore: list[Lose] = []

    def curve(self) -> Curve | None:
        """The traffic in cores."""
        if self.traffic is None:
            return None
        points = tuple(self.traffic.points)
        return Curve(points, APP, self.traffic.spread, self.traffic.repeat)

    def app(self) -> tuple[str, str]:
        """Namespace and name of the Service that the traffic is for."""
        return _service(self.traffic.service) if self.traffic else ("default", "")

    def proxies(self) -> tuple[tuple[str, str, float], ...]:
        """The Services it passes, and what that costs against what the app costs."""
        through = self.traffic.through if self.traffic else []
        return tuple((*_service(one), CADDY / APP) for one in through)


def _service(text: str) -> tuple[str, str]:
    namespace, slash, name = text.partition("/")
    return (namespace, name) if slash else ("default", namespace)


def names() -> list[str]:
    """The scenarios that come with the program."""
    return sorted(path.stem for path in _folder().glob("*.toml"))


def _folder() -> Path:
    return fixtures() / "scenarios"


def load(name: str) -> Scenario:
    """A scenario by its name, or from a file (what ends in ``.toml`` or has a ``/``).

    Raises:
        ScenarioError: there is none, or something in it is wrong.
    """
    if name.endswith(".toml") or "/" in name:
        path = Path(name)
    elif _NAME.fullmatch(name) and (_folder() / f"{name}.toml").is_file():
        path = _folder() / f"{name}.toml"
    else:
        known = ", ".join(names())
        raise ScenarioError(f"there is no scenario named {name!r}; choose from {known}, or a file")
    try:
        if path.stat().st_size > _LARGEST:
            raise ScenarioError(f"the scenario {path} is larger than 1 MiB; make it smaller")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8"
        raise ScenarioError(f"cannot read the scenario {path} ({why}); check its path") from None
    return parse(text, str(path))


def parse(text: str, source: str = "the scenario") -> Scenario:
    """A scenario from its text.

    Raises:
        ScenarioError: something in it is wrong.
    """
    try:
        found = msgspec.convert(tomllib.loads(text), Scenario)
    except tomllib.TOMLDecodeError as problem:
        raise ScenarioError(f"{source} is not TOML: {problem}") from None
    except msgspec.ValidationError as problem:
        raise ScenarioError(f"{source}: {str(problem).replace('`', '')}") from None
    problem_text = _problem(found)
    if problem_text:
        raise ScenarioError(f"{source}: {problem_text}")
    return found


def _problem(scenario: Scenario) -> str:
    """What is wrong beyond types; empty if nothing is."""
    traffic = scenario.traffic
    if traffic is not None:
        moments = [moment for moment, _ in traffic.points]
        if len(moments) < 2 or moments[0] != 0 or sorted(set(moments)) != moments:
            return "traffic.points must begin at 0, go on in order of time and be two or more"
        if any(rate < 0 for _, rate in traffic.points) or not 0 <= traffic.spread < 1:
            return "traffic.points and traffic.spread must not be negative"
    times = [one.at or 0.0 for one in scenario.add]
    times += [one.at for one in scenario.change]
    times += [one.at for one in scenario.remove]
    times += [one.at for one in (*scenario.lose, *scenario.restore)]
    for at in times:
        if not 0 <= at < float("inf"):
            return f"at = {at} is no time after the beginning"
    for node in scenario.node:
        try:
            quantity.parse(node.cpu)
            quantity.parse(node.memory)
        except quantity.QuantityError as problem:
            return f"node {node.name}: {problem}"
    named = [(one.kind, one.name) for one in scenario.change]
    named += [(one.kind, one.name) for one in scenario.remove]
    for kind, name in named:
        if _by_kind(kind) is None:
            return f"{kind} {name}: this cluster has no such kind"
    for addition in scenario.add:
        try:
            manifests(addition.manifest)
        except ScenarioError as problem:
            return str(problem)
    return ""


def manifests(text: str) -> list[tuple[Resource, str, Object]]:
    """The objects of a YAML manifest: resource, namespace and object each.

    Raises:
        ScenarioError: it is not YAML, or an object has no kind or name.
    """
    try:
        documents = [one for one in yaml.safe_load_all(text) if one]
    except yaml.YAMLError as problem:
        line = " ".join(str(problem).split())
        raise ScenarioError(f"a manifest is not YAML: {line}") from None
    found = []
    for data in documents:
        if not isinstance(data, dict) or not isinstance(data.get("metadata"), dict):
            raise ScenarioError("a manifest has an object without metadata")
        kind, name = str(data.get("kind")), data["metadata"].get("name")
        resource = resources.find_kind(str(data.get("apiVersion")), kind)
        if resource is None or not resource.stored:
            raise ScenarioError(f"a manifest has {kind} {name}, of which there is no such kind")
        if not name:
            raise ScenarioError(f"a manifest has a {kind} without a name")
        namespace = data["metadata"].get("namespace", "default") if resource.namespaced else ""
        found.append((resource, namespace, data))
    return found


def _by_kind(kind: str) -> Resource | None:
    return next((one for one in resources.SERVED if one.kind == kind and one.stored), None)


class Player:
    """Plays a scenario on a cluster.

    Args:
        scenario: what happens.
        cluster: to whom.
    """

    def __init__(self, scenario: Scenario, cluster: Cluster) -> None:
        self._scenario = scenario
        self._cluster = cluster

    def add_nodes(self) -> None:
        """The nodes, before anything is scheduled."""
        for index, node in enumerate(self._scenario.node, 2):
            bootstrap.create_node(
                self._cluster.api, index, node.name, "worker", node.cpu, node.memory
            )

    def begin(self) -> None:
        """What is there from the beginning; what comes later is put on the clock.

        Raises:
            ScenarioError: an object is refused.
        """
        for addition in self._scenario.add:
            if addition.at is None:
                try:
                    self._add(addition)
                except ApiError as problem:
                    raise ScenarioError(f"the scenario cannot begin: {problem.message}") from None
            else:
                self._later(addition.at, partial(self._add, addition))
        for change in self._scenario.change:
            self._later(change.at, partial(self._change, change))
        for removal in self._scenario.remove:
            self._later(removal.at, partial(self._remove, removal))
        for loss in self._scenario.lose:
            self._later(loss.at, partial(self._cluster.lose_node, loss.node))
        for back in self._scenario.restore:
            self._later(back.at, partial(self._cluster.restore_node, back.node))

    def _later(self, at: float, call: Callable[[], None]) -> None:
        clock = self._cluster.clock

        def run() -> None:
            try:
                call()
            except ApiError as problem:
                sys.stderr.write(f"scenario, at {at:g} s: {problem.message}\n")

        clock.call_later(max(0.0, clock.start - clock.now()) + at, run)

    def _add(self, addition: Add) -> None:
        for resource, namespace, data in manifests(addition.manifest):
            self._cluster.api.create(resource, namespace, data, _TEACHER)

    def _change(self, change: Change) -> None:
        resource = _by_kind(change.kind)
        if resource is None:
            return
        namespace = change.namespace if resource.namespaced else ""
        entry = self._cluster.api.get(resource, namespace, change.name)

        def alter(data: Object) -> None:
            merged = merge_patch(data, change.patch)
            data.clear()
            data.update(merged)

        self._cluster.api.change(resource, entry, alter, Writer("kubectl-patch"))

    def _remove(self, removal: Remove) -> None:
        resource = _by_kind(removal.kind)
        if resource is not None:
            namespace = removal.namespace if resource.namespaced else ""
            self._cluster.api.delete(resource, namespace, removal.name)
