"""A rule: one fault, how it is found, and the page that tells of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity
from tui.analysis.doctor.patient import Patient
from tui.state.fetched import Fetch


def _nothing(patient: Patient) -> Iterable[Fetch]:
    return ()


class Rule(msgspec.Struct, frozen=True):
    """Looks for one fault. Both functions are pure, and quick: they run on the screen's thread."""

    id: str
    title: str
    """The fault in a few words."""
    severity: Severity
    page: str
    """For help: what it is, how it comes about, what it does."""
    examine: Callable[[Patient], Iterable[Finding]]
    """What is known to be so. What is not known, or just changing, is no finding."""
    wants: Callable[[Patient], Iterable[Fetch]] = _nothing
    """What it has to know beyond the tables."""

    def found(
        self,
        object: str,
        title: str,
        explanation: str,
        evidence: Iterable[Evidence],
        fix: Fix,
        severity: Severity | None = None,
    ) -> Finding:
        """A finding of this rule."""
        return Finding(
            id=self.id,
            severity=severity or self.severity,
            object=object,
            title=title,
            explanation=explanation,
            evidence=tuple(evidence),
            fix=fix,
            page=self.page,
        )
