"""What may be written to a cluster at all, decided before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

PRODUCTION: Final = ("*prod*", "*prd*", "live", "*-live", "live-*", "*-live-*")
"""Names of contexts that look like production, as shell patterns."""


class RefusedError(Exception):
    """A write that was not sent: why, and the next step. One sentence or two."""


@dataclass(frozen=True, slots=True)
class Guard:
    """The rules of one context.

    Attributes:
        context: the kubeconfig context's name.
        cluster: the cluster's name in the kubeconfig, looked at like the context's.
        read_only: nothing may be written, not even as a dry run.
        protected: patterns of contexts in which nothing may be written.
        production: patterns of contexts whose name has to be typed first.
    """

    context: str
    cluster: str = ""
    read_only: bool = False
    protected: tuple[str, ...] = ()
    production: tuple[str, ...] = PRODUCTION

    @property
    def refusal(self) -> str:
        """Why nothing may be written; empty if something may."""
        if self.read_only:
            return (
                "This is read-only, by --read-only, KSCALE_READ_ONLY or the settings: "
                "nothing is changed."
            )
        if self._named(self.protected):
            return (
                f"The context {self.context} is protected by the settings (protected-contexts): "
                "nothing is written there."
            )
        return ""

    @property
    def typed(self) -> str:
        """The name to type before anything is written; empty if none is asked for."""
        return self.context if self._named(self.production) else ""

    def permit(self, typed: str, *, dry_run: bool = False) -> None:
        """Let one write pass.

        Args:
            typed: the context's name as the user typed it; empty if not asked.
            dry_run: the server is asked to change nothing.

        Raises:
            RefusedError: it may not.
        """
        if self.refusal:
            raise RefusedError(self.refusal)
        if not dry_run and self.typed and typed != self.typed:
            raise RefusedError(
                f"The context {self.context} looks like production: its name has to be typed to "
                "change anything."
            )

    def _named(self, patterns: tuple[str, ...]) -> bool:
        names = [name.lower() for name in (self.context, self.cluster) if name]
        return any(fnmatchcase(name, pattern.lower()) for name in names for pattern in patterns)
