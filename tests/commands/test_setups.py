"""``kscale-tui setups`` as it is typed, on an embedded cluster."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.needs import full_disk
from tests.ports import node_port
from tui.cli import cli
from tui.cluster.access import ClusterConfig

EXIT_OK, EXIT_FAILED, EXIT_USAGE = 0, 1, 2


@pytest.fixture
def kubeconfig(cluster: ClusterConfig) -> str:
    return cluster.source


@pytest.fixture
def run(kubeconfig: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("KSCALE_AUDIT_LOG", str(tmp_path / "audit.jsonl"))

    def go(*words: str, namespace: str = "kube-public", **options: Any) -> Result:
        arguments = ["setups", *words]
        if words[0] != "list":
            arguments += ["--kubeconfig", kubeconfig, "-n", namespace]
        done = CliRunner().invoke(cli, arguments, **options)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    return go


def test_list_names_setups_and_their_values(run: Any, tmp_path: Path) -> None:
    done = run("list")
    assert done.exit_code == EXIT_OK
    assert "nginx: nginx in front of the app" in done.stdout
    assert "node-port=30081" in done.stdout
    own = tmp_path / "own" / "bad"
    own.mkdir(parents=True)
    (own / "setup.toml").write_text("title = 1")
    done = run("list", "--setups", str(own.parent), "--json")
    assert done.exit_code == EXIT_FAILED
    assert json.loads(done.stdout)[-1]["name"] == "bad"


def test_a_setup_from_preview_to_deletion(run: Any, tmp_path: Path) -> None:
    assert run("status", "load-app").exit_code == EXIT_FAILED
    preview = run("apply", "load-app", "--dry-run", "--json")
    assert preview.exit_code == EXIT_OK
    assert {one["action"] for one in json.loads(preview.stdout)["objects"]} == {"create"}
    assert run("diff", "load-app", "--exit-code").exit_code == EXIT_FAILED
    assert not (tmp_path / "audit.jsonl").exists()
    here, elsewhere = node_port(), node_port()
    done = run("apply", "load-app", "--yes", "--set", f"node-port={here}")
    assert done.exit_code == EXIT_OK, done.output
    assert "/health answers 200" in done.stdout
    status = run("status", "load-app", "--json")
    assert status.exit_code == EXIT_OK
    assert json.loads(status.stdout)["state"] == "healthy"
    assert run("diff", "load-app", "--exit-code").exit_code == EXIT_OK
    changed = run("diff", "load-app", "--set", f"node-port={elsewhere}")
    assert f"nodePort: {here} -> {elsewhere}" in changed.stdout
    goes = run("delete", "load-app", "--dry-run")
    assert "- Deployment load-app" in goes.stdout
    gone = run("delete", "load-app", "--yes", "--json")
    assert gone.exit_code == EXIT_OK
    assert len(json.loads(gone.stdout)["done"]) == 3
    verbs = [json.loads(line)["verb"] for line in (tmp_path / "audit.jsonl").open()]
    assert verbs == ["apply"] * 6 + ["delete"] * 6


def test_what_is_not_ours_is_refused_in_words(run: Any) -> None:
    # The embedded classroom begins with the teacher's nginx.
    done = run("apply", "nginx", "--yes", namespace="default")
    assert done.exit_code == EXIT_FAILED
    assert "is not ours: it belongs to the field manager kubectl" in done.stderr
    assert run("status", "nginx", namespace="default").exit_code == EXIT_FAILED
    everything = run("status", namespace="default")
    assert everything.exit_code == EXIT_OK
    assert everything.stdout.count("not ours") >= 3
    nothing = run("delete", "nginx", "--yes", namespace="default")
    assert "stays: Service nginx-svc" in nothing.stdout


def test_what_failed_can_be_taken_back_at_once(run: Any) -> None:
    words = (
        "--yes",
        "--undo",
        "--wait",
        "2",
        "--set",
        "image=localhost/no-such:1",
        "--set",
        f"node-port={node_port()}",
    )
    done = run("apply", "load-app", *words)
    assert done.exit_code == EXIT_FAILED
    assert "ImagePullBackOff" in done.stderr
    assert "It was taken back." in done.stderr
    assert json.loads(run("status", "load-app", "--json").stdout)["state"] == "absent"


def test_stopped_by_a_signal_it_says_what_is_left(kubeconfig: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tui", "setups", "apply", "load-app", "--yes"]
    command += ["--kubeconfig", kubeconfig, "-n", "kube-public"]
    command += ["--set", "image=localhost/no-such:2", "--set", f"node-port={node_port()}"]
    child = subprocess.Popen(
        command,
        env={**os.environ, "KSCALE_AUDIT_LOG": str(tmp_path / "audit.jsonl")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert any("0 of 2 pods ready" in line for line in iter(child.stdout.readline, ""))
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=20)
    assert child.returncode == EXIT_FAILED
    assert "It was stopped" in said
    assert "undoing" not in said
    where = f"-n kube-public --kubeconfig {kubeconfig}"
    assert f"This deletes it: kscale-tui setups delete load-app {where}\n" in said
    assert "Traceback" not in said
    words = ("--kubeconfig", kubeconfig, "-n", "kube-public", "--yes")
    assert CliRunner().invoke(cli, ["setups", "delete", "load-app", *words]).exit_code == EXIT_OK


def test_stopped_with_undo_nothing_is_left_to_complete(run: Any, started: Any) -> None:
    words = ("--yes", "--undo", "--set", f"node-port={node_port()}")
    words += ("--set", "image=localhost/no-such:4")
    child = started("apply", "load-app", *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert any("0 of 2 pods ready" in line for line in iter(child.stdout.readline, ""))
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=60)
    assert child.returncode == EXIT_FAILED
    assert said == "kscale-tui: It was stopped.\nkscale-tui: It was taken back.\n"
    assert json.loads(run("status", "load-app", "--json").stdout)["state"] == "absent"


def test_no_command_is_described_by_half_a_sentence() -> None:
    said = CliRunner().invoke(cli, ["setups", "--help"]).stdout
    assert "..." not in said.partition("Commands:")[2]


@pytest.fixture
def started(kubeconfig: str, tmp_path: Path) -> Iterator[Any]:
    """Starts the command in a process of its own; kills it in the end if it is still there."""
    children: list[subprocess.Popen[str]] = []

    def start(*words: str, **streams: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tui", "setups", *words]
        command += ["--kubeconfig", kubeconfig, "-n", "kube-public"]
        env = {**os.environ, "KSCALE_AUDIT_LOG": str(tmp_path / "audit.jsonl")}
        streams.setdefault("stdin", subprocess.DEVNULL)
        children.append(subprocess.Popen(command, env=env, text=True, **streams))
        return children[-1]

    yield start
    for child in children:
        child.kill()
        child.wait()


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_write_goes_on_when_nobody_reads_any_more(
    run: Any, started: Any, more: tuple[str, ...]
) -> None:
    words = ("load-app", "--yes", *more)
    child = started("apply", *words, "--set", f"node-port={node_port()}", stdout=subprocess.PIPE)
    child.stdout.close()  # before anything is printed: as with `| head -1`, only sooner
    assert child.wait(60) == EXIT_OK
    assert json.loads(run("status", "load-app", "--json").stdout)["state"] == "healthy"
    reading, writing = os.pipe()
    child = started("delete", *words, stdout=writing, stderr=subprocess.STDOUT)
    os.close(writing)
    os.close(reading)
    assert child.wait(60) == EXIT_OK
    assert json.loads(run("status", "load-app", "--json").stdout)["state"] == "absent"


@full_disk
def test_nobody_is_asked_who_cannot_read_what_would_change(run: Any, started: Any) -> None:
    ours, theirs = pty.openpty()
    with open("/dev/full", "w") as full:
        child = started("apply", "load-app", stdin=theirs, stdout=full, stderr=subprocess.PIPE)
        _, said = child.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert child.returncode == EXIT_FAILED
    assert said == "kscale-tui: What would change cannot be shown; nothing was changed.\n"
    assert json.loads(run("status", "load-app", "--json").stdout)["state"] == "absent"


@full_disk
def test_a_write_that_fails_unread_is_told_on_stderr_and_by_the_exit_code(
    run: Any, started: Any
) -> None:
    words = ("load-app", "--yes", "--wait", "2", "--set", f"node-port={node_port()}", "--undo")
    words += ("--set", "image=localhost/no-such:3")
    with open("/dev/full", "w") as full:
        child = started("apply", *words, stdout=full, stderr=subprocess.PIPE)
        _, said = child.communicate(timeout=60)
    assert child.returncode == EXIT_FAILED
    assert "ImagePullBackOff" in said
    assert "It was taken back." in said
    assert "Traceback" not in said
    assert json.loads(run("status", "load-app", "--json").stdout)["state"] == "absent"


@full_disk
def test_a_dry_run_that_nobody_can_read_fails(started: Any) -> None:
    for words in (("apply", "load-app"), ("delete", "load-app")):
        with open("/dev/full", "w") as full:
            child = started(*words, "--dry-run", stdout=full, stderr=subprocess.PIPE)
            _, said = child.communicate(timeout=60)
        assert (child.returncode, said.count("\n")) == (EXIT_FAILED, 1), said


def test_what_is_refused_is_json_too(run: Any) -> None:
    done = run("apply", "nginx", "--yes", "--json", namespace="default")
    assert done.exit_code == EXIT_FAILED
    said = json.loads(done.stdout)
    assert (said["done"], said["failure"]["reason"]) == ([], "Refused")
    assert said["failure"]["sentence"] in done.stderr
    assert json.loads(run("delete", "nginx", "--json", "--read-only").stdout)["failure"]


def test_what_may_not_be_deleted_is_not_asked_for(run: Any) -> None:
    done = run("delete", "load-app", "--read-only")
    assert done.exit_code == EXIT_FAILED
    assert done.stderr.startswith("kscale-tui: This is read-only")
    done = run("delete", "load-app", "--read-only", "--dry-run")
    assert done.exit_code == EXIT_FAILED
    assert "! This is read-only" in done.stdout


def test_a_setup_that_is_not_up_yet_is_not_healthy(run: Any) -> None:
    assert run("apply", "hpa-cpu", "--yes").exit_code == EXIT_OK
    done = run("status", "hpa-cpu", "--json")
    assert json.loads(done.stdout)["state"] == "applying", "what it scales is not there"
    assert done.exit_code == EXIT_FAILED
    assert run("delete", "hpa-cpu", "--yes").exit_code == EXIT_OK


def test_nobody_to_ask_is_wrong_usage(run: Any) -> None:
    done = run("apply", "fastapi")
    assert done.exit_code == EXIT_USAGE
    assert "add --yes" in done.stderr


def test_read_only_before_the_command_holds(run: Any, kubeconfig: str, tmp_path: Path) -> None:
    assert run("apply", "hpa-cpu", "--yes", "--wait", "0").exit_code in (EXIT_OK, EXIT_FAILED)
    delete = ["setups", "delete", "hpa-cpu", "--yes"]
    before = ["--kubeconfig", kubeconfig, "-n", "kube-public"]
    done = CliRunner().invoke(cli, [*before, "--read-only", *delete])
    assert done.exit_code == EXIT_FAILED
    assert "read-only" in done.stderr
    there = run("delete", "hpa-cpu", "--dry-run")
    assert "- HorizontalPodAutoscaler" in there.stdout
    assert CliRunner().invoke(cli, [*before, *delete]).exit_code == EXIT_OK


def test_read_only_and_protected_contexts(run: Any, tmp_path: Path) -> None:
    done = run("apply", "fastapi", "--yes", "--read-only")
    assert done.exit_code == EXIT_FAILED
    assert "read-only" in done.stderr
    config = tmp_path / "config.toml"
    config.write_text('protected-contexts = ["embed*"]\n')
    done = run("delete", "fastapi", "--yes", "--config", str(config))
    assert done.exit_code == EXIT_FAILED
    assert "protected by the settings" in done.stderr
    done = run("apply", "fastapi", "--yes", "--config", str(config))
    assert "protected by the settings" in done.stderr
    config.write_text('production = ["embed*"]\n[setups.values]\nreplicas = 1\n')
    done = run("apply", "fastapi", "--yes", "--config", str(config))
    assert "--confirm-context embedded" in done.stderr
    done = run("apply", "fastapi", "--yes", "--confirm-context", "wrong", "--config", str(config))
    assert done.exit_code == EXIT_FAILED
    shown = run("diff", "fastapi", "--json", "--config", str(config))
    assert json.loads(shown.stdout)["values"]["replicas"] == 1


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("apply", "apache", "--yes"), EXIT_USAGE, "There is no setup 'apache'"),
        (("diff", "apache"), EXIT_USAGE, "there are caddy, fastapi"),
        (("status", "apache"), EXIT_USAGE, "There is no setup 'apache'"),
        (("delete", "apache", "--yes"), EXIT_USAGE, "There is no setup 'apache'"),
        (("delete", "No Such", "--yes"), EXIT_USAGE, "'No Such' is no name of a setup"),
        (("diff", "nginx", "--set", "node-port"), EXIT_USAGE, "KEY=VALUE"),
        (("diff", "nginx", "--set", "foo=bar"), EXIT_USAGE, "has no value 'foo'; there are: app-"),
        (("diff", "nginx", "--set", "node-port=1"), EXIT_USAGE, "30000 to 32767"),
        (("apply", "nginx", "--set", "node-port=x"), EXIT_USAGE, "30000 to 32767, not 'x'"),
        (("status", "fastapi", "--set", "replicas=x"), EXIT_USAGE, "replicas is a whole number"),
        (("status", "fastapi", "--set", "x"), EXIT_USAGE, "KEY=VALUE"),
        (("status", "--set", "a=1"), EXIT_USAGE, "needs the NAME"),
        (("diff", "nginx", "--setups", "/nowhere/at/all"), EXIT_USAGE, "cannot be read"),
        (("diff", "nginx", "--context", "other"), EXIT_FAILED, "other"),
    ],
)
def test_mistakes_are_told_in_a_sentence(
    run: Any, words: tuple[str, ...], code: int, says: str
) -> None:
    done = run(*words)
    assert (done.exit_code, says in done.stderr) == (code, True), done.stderr
    assert done.stderr.startswith("kscale-tui")
    assert done.stderr.count("\n") == 1


def test_wrong_usage_is_told_whether_or_not_the_cluster_answers(tmp_path: Path) -> None:
    nowhere = tmp_path / "kubeconfig"
    nowhere.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: x\n"
        "contexts: [{name: x, context: {cluster: x, user: x}}]\n"
        "clusters: [{name: x, cluster: {server: 'http://127.0.0.1:1'}}]\n"
        "users: [{name: x, user: {}}]\n"
    )
    for words in (("diff", "nginx"), ("status", "nginx")):
        arguments = ["setups", *words, "--set", "node-port=x", "--kubeconfig", str(nowhere)]
        assert CliRunner().invoke(cli, arguments).exit_code == EXIT_USAGE
