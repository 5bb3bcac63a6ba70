"""https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors"""

from __future__ import annotations

import pytest

from tui.analysis.selectors import matches
from tui.state.rows import Requirement

LABELS = (("app", "web"), ("tier", "front"))


@pytest.mark.parametrize(
    ("term", "holds"),
    [
        (Requirement("app", "In", ("web",)), True),
        (Requirement("app", "In", ("db", "web")), True),
        (Requirement("app", "In", ("db",)), False),
        (Requirement("none", "In", ("web",)), False),
        (Requirement("app", "NotIn", ("web",)), False),
        (Requirement("app", "NotIn", ("db",)), True),
        (Requirement("none", "NotIn", ("web",)), True),
        (Requirement("app", "Exists"), True),
        (Requirement("none", "Exists"), False),
        (Requirement("app", "DoesNotExist"), False),
        (Requirement("none", "DoesNotExist"), True),
        (Requirement("app", "Gt", ("1",)), False),
    ],
)
def test_one_term(term: Requirement, holds: bool) -> None:
    assert matches((term,), LABELS) is holds


def test_every_term_must_hold() -> None:
    web, front = Requirement("app", "In", ("web",)), Requirement("tier", "In", ("front",))
    assert matches((web, front), LABELS)
    assert not matches((web, Requirement("tier", "In", ("back",))), LABELS)


def test_no_terms_match_everything() -> None:
    assert matches((), LABELS)
    assert matches((), ())
