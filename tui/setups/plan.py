"""What applying or deleting a setup would do, before it does. Data alone.

Text that came from a cluster or a user's folder may stand in any ``str`` here: clean it before it
is shown (:func:`tui.text.clean`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tui.cluster.objects import Object, Ref
from tui.setups.model import FieldChange, Need, Setup, Values


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
    note: str = ""
    """What else is to say of it, a sentence."""
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
    def leftover(self) -> tuple[Ref, ...]:
        """What an older version of the setup left behind: it goes once the new one is up."""
        return tuple(one.ref for one in self.objects if one.action is Action.PRUNE)

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
    def problems(self) -> tuple[str, ...]:
        """Sentences that say why nothing can be deleted; empty if it can."""
        guard = [self.guard] if self.guard else []
        return (*guard, *(f"You may not {right}." for right in self.missing_rights))

    @property
    def empty(self) -> bool:
        """Whether there is nothing to delete."""
        return not self.objects
