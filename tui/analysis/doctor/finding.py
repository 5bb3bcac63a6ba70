"""What the doctor says: a fault, how it is known, what it means, what to do."""

from __future__ import annotations

import json
import shlex
from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How bad it is, the worst first."""

    ERROR = "error"
    """Something does not work."""
    WARNING = "warning"
    """It works, but not as it should, or soon not."""
    INFO = "info"
    """Nothing is wrong: it explains what one sees."""
    ADVICE = "advice"
    """Nothing is wrong now; it is how trouble begins. Listed apart, and never counted."""

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return tuple(Severity).index(self)

    @property
    def wrong(self) -> bool:
        """Whether something should be done."""
        return self.rank <= Severity.WARNING.rank


class Evidence(msgspec.Struct, frozen=True):
    """Where it can be seen. Text from the cluster: clean it before it is shown."""

    object: str
    """``Kind namespace/name``, or ``Kind name``."""
    field: str
    value: str


class Patch(msgspec.Struct, frozen=True):
    """A merge patch (RFC 7386) that repairs it, to be previewed and applied by the one door."""

    api_version: str
    kind: str
    namespace: str
    name: str
    body: str
    """JSON."""


class Fix(msgspec.Struct, frozen=True):
    """What to do: in words, and as a command where one does it."""

    words: str
    command: str = ""
    patch: Patch | None = None
    setup: str = ""
    """The name of a setup of the catalogue that repairs it."""


class Finding(msgspec.Struct, frozen=True):
    """A fault of one object."""

    id: str
    """The rule's."""
    severity: Severity
    object: str
    """``Kind namespace/name`` of what is at fault."""
    title: str
    """One line."""
    explanation: str
    """What it means for somebody who has not met it before."""
    evidence: tuple[Evidence, ...]
    fix: Fix
    page: str
    """What the rule looks for, and why it matters."""


def named(kind: str, namespace: str, name: str) -> str:
    """``Deployment default/web``; ``Node worker`` for what has no namespace."""
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def kubectl(namespace: str, *words: str) -> str:
    """A command that can be pasted into a shell, whatever the names hold."""
    scope = ["-n", namespace] if namespace else []
    return shlex.join(["kubectl", *scope, *words])


def merge_patch(api_version: str, kind: str, namespace: str, name: str, body: object) -> Patch:
    """A patch of that body."""
    return Patch(api_version, kind, namespace, name, json.dumps(body, separators=(",", ":")))
