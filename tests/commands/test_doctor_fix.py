"""``kscale-tui doctor --fix`` as it is typed."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest

from tests.commands.test_doctor import doctor
from tests.setups.place import Place
from tui.analysis.doctor.finding import Finding, Fix, Patch, Severity
from tui.commands.doctor_fix import Wish, run
from tui.setups.repair import Repair, Repairs

TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}


def hpa(place: Place, name: str = "web") -> None:
    """One that the doctor finds at fault."""
    spec = {"scaleTargetRef": TARGET, "minReplicas": 2, "maxReplicas": 2}
    place.create("HorizontalPodAutoscaler", name, spec=spec)


def most(place: Place) -> int:
    return int(place.get("HorizontalPodAutoscaler", "web")["spec"]["maxReplicas"])


def test_a_fix_is_previewed_asked_for_and_applied(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KSCALE_AUDIT_LOG", str(place.audit))
    hpa(place)
    monkeypatch.setattr("tui.commands.doctor.load_config", lambda *_: place.transport.config)
    fix = ["-n", place.namespace, "--fix", "min-is-max"]
    done = doctor(*fix, "--dry-run")
    assert done.exit_code == 0, done.output
    assert "spec.maxReplicas: 2 → 4" in done.stdout
    assert '\'{"spec":{"maxReplicas":2}}\'' in done.stdout
    done = doctor(*fix)
    assert done.exit_code == 2
    assert "there is nobody to ask: add --yes" in done.stderr
    assert not place.audit.exists()
    assert most(place) == 2
    done = doctor(*fix, "--yes", "--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["schema_version"] == 1
    assert document["done"] is True
    assert document["changes"] == [{"path": "spec.maxReplicas", "old": "2", "new": "4"}]
    assert most(place) == 4
    assert len(place.audit.read_text().splitlines()) == 2


def finding(object: str, fix: Fix) -> Finding:
    return Finding("min-is-max", Severity.WARNING, object, "t", "e", (), fix, "p")


BY_HAND = Fix("Look.", "kubectl -n a get pods")
REFUSALS = [
    ([], {}, 1, "finds no min-is-max here"),
    ([finding("HPA a/x", BY_HAND)], {}, 1, "the command only looks"),
    ([finding("HPA a/x", BY_HAND)], {"object": "y"}, 1, "is of y. There are findings of HPA a/x."),
    ([finding(f"HPA a/{n}", BY_HAND) for n in "xy"], {}, 2, "one of: HPA a/x, HPA a/y"),
    ([finding(f"HPA a/{n}", BY_HAND) for n in "xy"], {"object": "x"}, 1, "By hand: kubectl"),
    ([finding("HPA a/x", Fix("w", setup="fastapi"))], {}, 1, "kscale-tui setups apply fastapi"),
    ([finding("HPA \x1b[31ma/x", Fix("\x1b]0;w\x07"))], {}, 1, "nothing that a command does"),
]


@pytest.mark.parametrize(("findings", "wish", "code", "words"), REFUSALS, ids=range(len(REFUSALS)))
def test_what_cannot_be_applied_is_said(
    place: Place,
    capsys: pytest.CaptureFixture[str],
    findings: list[Finding],
    wish: dict[str, Any],
    code: int,
    words: str,
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(Wish("min-is-max", **wish), place.transport.config, findings)
    said = capsys.readouterr().err
    assert ended.value.code == code
    assert words in said
    assert "\x1b" not in said


def test_read_only_forbids_it(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KSCALE_AUDIT_LOG", str(place.audit))
    hpa(place)
    kind = "HorizontalPodAutoscaler"
    patch = Patch("autoscaling/v2", kind, place.namespace, "web", '{"spec":{"maxReplicas":4}}')
    wish = Wish("min-is-max", yes=True, read_only=True)
    found = finding("HPA a/x", Fix("Raise it.", patch=patch))
    with pytest.raises(SystemExit) as ended:
        run(wish, place.transport.config, [found])
    assert ended.value.code == 1
    said = capsys.readouterr()
    assert "by --read-only, KSCALE_READ_ONLY or the settings: nothing is changed." in said.out
    assert "Nothing was changed." in said.err
    assert most(place) == 2
    assert not place.audit.exists()


def fixing(place: Place, most: int) -> Finding:
    kind, spec = "HorizontalPodAutoscaler", f'{{"spec":{{"maxReplicas":{most}}}}}'
    patch = Patch("autoscaling/v2", kind, place.namespace, "web", spec)
    return finding("HPA a/x", Fix("Raise it.", patch=patch))


def test_json_is_printed_where_nothing_is_done_too(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KSCALE_AUDIT_LOG", str(place.audit))
    hpa(place)
    wish = Wish("min-is-max", yes=True, as_json=True)
    run(wish, place.transport.config, [fixing(place, 2)])
    document = json.loads(capsys.readouterr().out)
    assert (document["changes"], document["problems"], document["done"]) == ([], [], False)
    with pytest.raises(SystemExit):
        run(wish, place.transport.config, [fixing(place, 0)])
    document = json.loads(capsys.readouterr().out)
    assert "does not take it" in document["problems"][0]
    monkeypatch.setenv("KSCALE_AUDIT_LOG", str(place.audit / "none" / "such"))
    place.audit.touch()
    with pytest.raises(SystemExit):
        run(wish, place.transport.config, [fixing(place, 4)])
    document = json.loads(capsys.readouterr().out)
    assert document["done"] is False
    assert "cannot be written" in document["problems"][0]


def test_stopped_while_it_writes_it_says_what_is_not_known(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KSCALE_AUDIT_LOG", str(place.audit))
    hpa(place)
    carry_out = Repairs.carry_out

    def struck(self: Repairs, *args: Any) -> Repair:
        os.kill(os.getpid(), signal.SIGINT)
        return carry_out(self, *args)

    monkeypatch.setattr(Repairs, "carry_out", struck)
    with pytest.raises(SystemExit) as ended:
        run(Wish("min-is-max", yes=True), place.transport.config, [fixing(place, 4)])
    assert ended.value.code == 1
    assert "web may have been changed. Look again" in capsys.readouterr().err


def test_wrong_usage() -> None:
    done = doctor("--fix", "no-such-rule\x1b[31m")
    assert done.exit_code == 2
    assert "there is no rule no-such-rule" in done.stderr
    done = doctor("--fix", "missing-requests")
    assert "no rule missing-requests; the nearest is missing-request." in done.stderr
    for words in (["--yes"], ["--dry-run"], ["--object", "x"], ["--confirm-context", "x"]):
        done = doctor(*words)
        assert done.exit_code == 2
        assert "go with --fix" in done.stderr
