from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

from tui.cluster.objects import Ref
from tui.setups import report
from tui.setups.model import (
    Broken,
    Catalogue,
    Drift,
    FieldChange,
    Need,
    NeedKind,
    Setup,
    SetupStatus,
    State,
)
from tui.setups.outcome import Failure, Outcome, Progress, Step
from tui.setups.plan import Action, Conflict, Deletion, ObjectDiff, Plan, Prerequisite

EVIL = "x\x1b[31m\u202e[red]\n\x00y"
REF = Ref("ConfigMap", "here", EVIL)
CHANGE = FieldChange(EVIL, EVIL, EVIL)
SETUP = Setup("s", EVIL, EVIL, Path("/nowhere"), builtin=False)
DIFF = ObjectDiff(
    REF, Action.CHANGE, (CHANGE,), (Conflict(EVIL, EVIL),), (EVIL,), problem=EVIL, owner=EVIL
)
PLAN = Plan(
    SETUP,
    {},
    "here",
    (),
    (DIFF, ObjectDiff(REF, Action.REFUSED, problem=EVIL)),
    (Prerequisite(Need(NeedKind.SERVICE), False, EVIL),),
    missing_rights=(EVIL,),
)
STATUS = SetupStatus(EVIL, "here", State.DRIFTED, EVIL, (REF,), drift=(Drift(REF, CHANGE, EVIL),))
OUTCOME = Outcome("s", "here", 1.0, (), (REF,), Failure(REF, EVIL, EVIL), undo=EVIL, probe=EVIL)
DELETION = Deletion("s", "here", ((REF, EVIL),), ((REF, EVIL),))


def test_nothing_from_a_cluster_reaches_the_terminal_as_it_is() -> None:
    found = Catalogue((SETUP,), (Broken(EVIL, Path("/"), EVIL),))
    lines = [
        *report.catalogue(found),
        *report.plan(PLAN),
        *report.deletion(DELETION),
        *report.status(STATUS),
        *report.outcome(OUTCOME),
        report.progress(Progress(REF, Step.SENT, EVIL, 1.0)),
    ]
    assert len(lines) > 15
    for line in lines:
        assert not [c for c in line if unicodedata.category(c)[0] == "C"], line


def test_data_is_json() -> None:
    data: list[Any] = [
        report.catalogue_data(Catalogue((SETUP,))),
        report.plan_data(PLAN),
        report.deletion_data(DELETION),
        report.status_data(STATUS),
        report.outcome_data(OUTCOME),
    ]
    assert json.loads(json.dumps(data)) == data
    assert {one["schema_version"] for one in [*data[0], *data[1:]]} == {report.SCHEMA_VERSION}
    assert data[1]["problems"] == [f"You may not {EVIL}.", EVIL, EVIL]


def test_the_way_back_is_a_command_that_can_be_copied() -> None:
    made, changed = Ref("ConfigMap", "here", "made"), Ref("Deployment", "here", "changed")
    failure = Failure(changed, "Timeout", "It was not ready in time.")
    ended = Outcome("s", "here", 1.0, (made,), (), failure, created=((made, "u"),))
    delete = "kscale-tui setups delete s -n here --context 'my lab'"
    options = ("--context", "my lab")
    assert report.way_back(ended, options) == f"Created: ConfigMap made. This deletes it: {delete}"
    ended = Outcome(
        "s", "here", 1.0, (made, changed), (), failure, created=((made, "u"),),
        before=((changed, {}),),
    )  # fmt: skip
    assert report.way_back(ended, options) == (
        "Created: ConfigMap made. Changed: Deployment changed. Apply it again with the values that "
        f"it had, or delete all of it, what was there before as well: {delete}"
    )
