"""What the doctor says: a fault, how it is known, what it means, what to do."""

from __future__ import annotations

import shlex
from enum import StrEnum
from typing import Final

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


class PatchType(StrEnum):
    """How a patch is written, as ``kubectl patch --type`` names it."""

    MERGE = "merge"
    """RFC 7386: a list is replaced as a whole."""
    STRATEGIC = "strategic"
    """Kubernetes' own: containers are matched by name."""
    JSON = "json"
    """RFC 6902: a list of operations."""


class Patch(msgspec.Struct, frozen=True):
    """What repairs it, to be previewed and applied by the guarded door."""

    api_version: str
    kind: str
    namespace: str
    name: str
    body: str
    """JSON. `NOW` in it stands for the time at which it is looked at."""
    type: PatchType = PatchType.MERGE

    @property
    def command(self) -> str:
        """The same by hand."""
        return kubectl(
            self.namespace, "patch", self.kind.lower(), self.name, f"--type={self.type}",
            "-p", self.body,
        )  # fmt: skip


NOW: Final = "{now}"


class Fix(msgspec.Struct, frozen=True):
    """What to do: in words, and as a command where one does it."""

    words: str
    command: str = ""
    patch: Patch | None = None
    setup: str = ""
    """The name of a setup of the catalogue that repairs it."""

    @property
    def applicable(self) -> bool:
        """Whether it can be previewed and applied from here."""
        return self.patch is not None or bool(self.setup)

    @property
    def by_hand(self) -> str:
        """Why it is not applied from here; empty if it can be."""
        if self.applicable:
            return ""
        verb = _verb(self.command)
        return _BY_HAND.get(verb, _ELSEWHERE if verb else "it is nothing that a command does")


_LOOKS: Final = "the command only looks; what to do then is yours to decide"
_ELSEWHERE: Final = "it is done where this program does not write"
_BY_HAND: Final = {
    **dict.fromkeys(("get", "describe", "logs", "exec"), _LOOKS),
    "edit": "how it should read is yours to decide",
    "edit-last-applied": "it belongs into your manifest, and into what kubectl remembers of it",
    "delete": "which of them to keep is yours to decide, and nothing takes a deletion back",
    "port-forward": "it is a connection that lasts as long as you need it",
    "apply": "it installs something for the whole cluster",
    "set": "the version is yours to name",
    "annotate": "from here only what is below spec is changed",
    "rollout": "these pods come from no template that is patched from here",
    "date": "clocks are set on the machines themselves",
}
"""By the verb of its command."""


def _verb(command: str) -> str:
    """What a command does: of kubectl its verb, with the one below ``apply``."""
    words = shlex.split(command)
    if words[:1] != ["kubectl"]:
        return "".join(words[:1])
    words = words[3:] if words[1:2] == ["-n"] else words[1:]
    return words[1] if words[:1] == ["apply"] and words[1:2] == ["edit-last-applied"] else words[0]


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
