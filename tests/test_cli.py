"""The command line, and what it says of input it cannot use.

What needs a terminal gets a pseudo-terminal, and is the real program.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from tests.cluster.server import (
    CERTS,
    Exchange,
    Server,
    eventually,
    listing,
    status,
    watching,
)
from tests.e2e.terminal import ALTERNATE_SCREEN, Terminal
from tests.needs import full_disk
from tui import __version__
from tui.cli import cli

PROGRAM = (sys.executable, "-m", "tui")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), prog_name="kscale-tui")


def said(result: Result) -> str:
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return " ".join(result.output.split())


def test_a_folder_of_setups_that_is_not_there_is_said(tmp_path: Path) -> None:
    missing = tmp_path / "none"
    done = process("--demo", "--setups", str(missing))
    assert done.returncode == 2
    assert f"there is no folder {missing} of setups" in " ".join(done.stderr.split())


def process(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    done: subprocess.CompletedProcess[str] = subprocess.run(
        [*PROGRAM, *arguments], capture_output=True, text=True, timeout=20, **more
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


class TestAnswers:
    def test_version(self) -> None:
        done = process("--version")
        assert (done.returncode, done.stdout) == (0, f"kscale-tui {__version__}\n")
        assert run("--version").output == done.stdout

    def test_help(self) -> None:
        result = run("--help")
        text = said(result)
        assert result.exit_code == 0
        for option in ("--demo", "--context", "--kubeconfig", "--namespace", "--all-namespaces",
                       "--target", "--read-only", "--theme", "--config"):  # fmt: skip
            assert option in text
        assert "cluster" in text
        assert run("-h").output == result.output

    def test_help_of_a_command(self) -> None:
        result = run("cluster", "--help")
        assert result.exit_code == 0
        assert "127.0.0.1" in said(result)

    def test_it_starts_without_what_it_does_not_need(self) -> None:
        heavy = ("textual", "kubernetes", "aiohttp", "rich", "httpx", "yaml", "msgspec")
        code = f"import tui.cli, sys; print([m for m in {heavy} if m in sys.modules])"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True
        )
        assert done.stdout.strip() == "[]"


class TestWrongUsage:
    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (("-n", "shop", "-A"), "-n and -A exclude each other"),
            (("--target", "daemonset/x"), "'daemonset' cannot be a target; use deployment/NAME"),
            (("--target", "deployment/"), "names no Deployment; use deployment/NAME"),
            (("--demo", "--context", "x"), "--demo brings its own cluster"),
            (("--config", "/nowhere/at-all.toml"), "there is no settings file /nowhere/at-all"),
            (("--nosuch",), "No such option"),
            (("--speed", "5"), "--speed goes with --demo"),
            (("--seed", "1", "--scenario", "calm"), "--seed and --scenario go with --demo"),
            (("--demo", "--scenario", "nosuch"), "there is no scenario named 'nosuch'"),
            (("cluster", "--scenario", "nosuch"), "there is no scenario named 'nosuch'"),
            (("--kubeconfig", "/nosuch"), "'/nosuch' does not exist"),
            (("explain", "hpa/web", "--kubeconfig", "/nosuch"), "'/nosuch' does not exist"),
            (("doctor", "--kubeconfig", "/nosuch"), "'/nosuch' does not exist"),
            (("burst", "svc/web", "--kubeconfig", "/nosuch"), "'/nosuch' does not exist"),
            (("--speed", "0"), "Invalid value for '--speed'"),
            (("--seed", "x"), "Invalid value for '--seed'"),
            (("nosuch",), "No such command 'nosuch'"),
            (("cluster", "--nosuch"), "No such option"),
            (("cluster", "--port", "99999"), "Invalid value for '--port'"),
        ],
    )
    def test_ends_with_2_and_says_why(self, arguments: Sequence[str], told: str) -> None:
        result = run(*arguments)
        assert result.exit_code == 2
        assert told in said(result)
        assert "--help" in result.output

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (("--demo",), ("doctor",)),
            (("--theme", "light"), ("setups", "list")),
            (("--target", "deployment/web"), ("explain", "hpa/web")),
            (("--all-namespaces",), ("explain", "hpa/web")),
            (("--context", "x"), ("cluster",)),
            (("--read-only",), ("burst", "http://127.0.0.1:1/")),
            # The dashboard's is a flag, the burst's has a preset's name.
            (("--profile",), ("burst", "http://127.0.0.1:1/")),
        ],
    )
    def test_before_a_subcommand_that_does_not_know_it(
        self, before: Sequence[str], after: Sequence[str]
    ) -> None:
        result = run(*before, *after)
        assert result.exit_code == 2
        assert f"{before[0]} before {after[0]} would do nothing" in said(result)
        assert f"`kscale-tui {after[0]} --help`" in said(result)

    def test_settings_that_cannot_be_used(self, tmp_path: Path) -> None:
        path = tmp_path / "config.toml"
        path.write_text("colour = 'red'\n", encoding="utf-8")
        result = run("--config", str(path))
        assert result.exit_code == 2
        assert "there is no setting colour;" in said(result)

    def test_a_target_from_the_settings(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KSCALE_TARGET", "pod/x")
        result = run()
        assert result.exit_code == 2
        assert "'pod' cannot be a target" in said(result)
        # The command line wins: what is missing then is a terminal.
        assert run("--target", "deployment/web").exit_code == 1


class TestBeforeASubcommand:
    """Options hold as though they stood after it."""

    @pytest.mark.parametrize(
        "command",
        [
            ("explain", "hpa/web"),
            ("doctor",),
            ("burst", "svc/web"),
            ("setups", "diff", "nginx"),
            ("setups", "delete", "nginx", "--yes"),
        ],
    )
    def test_the_cluster(self, tmp_path: Path, command: Sequence[str]) -> None:
        path = kubeconfig(tmp_path, "https://127.0.0.1:1")
        result = run("--kubeconfig", str(path), "--context", "nope", *command)
        assert result.exit_code == 1
        assert f"There is no context 'nope' in {path}" in said(result)

    def test_what_stands_after_it_goes_before(self, tmp_path: Path) -> None:
        path = kubeconfig(tmp_path, "https://127.0.0.1:1")
        result = run("--context", "a", "--kubeconfig", str(path), "doctor", "--context", "b")
        assert "There is no context 'b'" in said(result)

    def test_flags_and_namespaces(self) -> None:
        result = run("-n", "shop", "doctor", "-A")
        assert result.exit_code == 2
        assert "-n and -A exclude each other" in said(result)

    def test_the_namespace_of_a_burst_is_not_its_number_of_requests(self) -> None:
        result = run("-n", "shop", "burst", "http://127.0.0.1:1/")
        assert result.exit_code == 2
        assert "--namespace, --context and --kubeconfig go with svc/NAME" in said(result)

    def test_settings_and_setups(self, tmp_path: Path) -> None:
        gone = str(tmp_path / "gone.toml")
        assert f"there is no settings file {gone}" in said(run("--config", gone, "setups", "list"))
        own = tmp_path / "own" / "mine"
        own.mkdir(parents=True)
        (own / "setup.toml").write_text("title = 1")
        assert "mine" in said(run("--setups", str(own.parent), "setups", "list"))


class TestWithoutATerminal:
    def test_through_a_pipe(self) -> None:
        result = run("--demo")
        assert result.exit_code == 1
        assert "The dashboard needs a terminal" in said(result)

    @pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&- 2>&-"])
    def test_with_closed_streams(self, closed: str) -> None:
        command = f'"{sys.executable}" -m tui --demo {closed}'
        done = subprocess.run(
            ["sh", "-c", command], capture_output=True, text=True, timeout=20, check=False
        )
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "2>" in closed or "needs a terminal" in done.stderr


@full_disk
@pytest.mark.parametrize("arguments", [("setups", "list"), ("--help",)])
def test_output_that_cannot_be_written(arguments: Sequence[str]) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [*PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=20
        )
    assert done.returncode == 1
    assert done.stderr == "kscale-tui: The output cannot be written: No space left on device.\n"


def kubeconfig(folder: Path, server: str, **cluster: str) -> Path:
    """A file with three contexts, the current one for ``server``."""
    path = folder / "kubeconfig"
    names = ("kind-Lab", "Production", "minikube")
    document = {
        "current-context": "kind-Lab",
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": {"token": "not-a-secret"}}],
        "contexts": [{"name": n, "context": {"cluster": "c", "user": "u"}} for n in names],
    }
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment in which nothing of the user's own is found."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("KUBE", "KSCALE_"))}
    return {**kept, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}


def ending(
    home: dict[str, str], *arguments: str, columns: int = 100, rows: int = 30
) -> tuple[int, str]:
    """The exit code, and the one line that is on the terminal when the program has ended."""
    with Terminal([*PROGRAM, *arguments], columns, rows, env=home) as terminal:
        code = terminal.wait_exit(20)
        output = bytes(terminal.output)
        assert b"Traceback" not in output
        assert terminal.restored()
        after = output.rpartition(ALTERNATE_SCREEN[1])[2]
        lines = [line for line in _plain(after).splitlines() if line.strip()]
        assert len(lines) == 1, lines
        return code, lines[0].strip()


def _plain(output: bytes) -> str:
    text = re.sub(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[=>])", b"", output).decode()
    return text.replace("\r", "")


class TestInATerminal:
    """One sentence, exit code 1, and the terminal as it was."""

    def test_no_kubeconfig(self, home: dict[str, str]) -> None:
        code, line = ending(home)
        assert code == 1
        assert line.startswith("kscale-tui: No kubeconfig was found")
        assert "--demo" in line

    def test_an_unknown_context(self, home: dict[str, str], tmp_path: Path) -> None:
        path = kubeconfig(tmp_path, "https://127.0.0.1:1")
        code, line = ending(home, "--kubeconfig", str(path), "--context", "kind-lab")
        assert code == 1
        assert "There is no context 'kind-lab'" in line
        assert "Known are: Production, kind-Lab, minikube." in line

    @pytest.mark.parametrize("exported", [{}, {"COLUMNS": "200", "LINES": "60"}])
    def test_too_small(self, home: dict[str, str], exported: dict[str, str]) -> None:
        code, line = ending(home | exported, "--demo", columns=59, rows=16)
        assert code == 1
        assert "59 columns and 16 rows; the dashboard needs 60 and 16" in line

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("theme = 'drak'\n", "there is no theme 'drak'; there are"),
            ("[load]\npreset = 'nope'\n", "[load] names a preset that cannot be used: there is no"),
            ("[load]\ndir = '~nobody-of-this-name/x'\n", "there is no such home"),
            ("[keys]\nzoom = 'b'\n", "[keys] b is the key of both zoom and burst; give one"),
            ("[keys]\nzoom = 'notakey'\n", "zoom = 'notakey': there is no key 'notakey'; keys"),
            ("[keys]\nzooom = 'f5'\n", "[keys] names no action 'zooom'; there are"),
        ],
    )
    def test_settings_that_mean_nothing(
        self, home: dict[str, str], tmp_path: Path, text: str, told: str
    ) -> None:
        settings = tmp_path / "config.toml"
        settings.write_text(text, encoding="utf-8")
        path = kubeconfig(tmp_path, "https://127.0.0.1:1")
        code, line = ending(home, "--config", str(settings), "--kubeconfig", str(path))
        assert code == 2
        assert told in line

    def test_nothing_listens(self, home: dict[str, str], tmp_path: Path) -> None:
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))  # bound and not listening: refused, and nobody else's
            port = held.getsockname()[1]
            path = kubeconfig(tmp_path, f"https://127.0.0.1:{port}")
            code, line = ending(home, "--kubeconfig", str(path))
        assert code == 1
        assert f"Nothing listens at 127.0.0.1:{port}" in line

    def test_not_a_kubernetes(self, home: dict[str, str], tmp_path: Path) -> None:
        with Server() as server:
            page = "<html><title>\x1b]0;evil\x07Login</title></html>"
            for path in ("/version", "/api/v1/namespaces/default"):
                server.on(path, lambda exchange: exchange.reply(200, page, "text/html"))
            config = kubeconfig(tmp_path, server.url)
            code, line = ending(home, "--kubeconfig", str(config))
        assert code == 1
        assert "not a Kubernetes API server" in line
        assert "evil" not in line

    def test_an_expired_certificate(self, home: dict[str, str], tmp_path: Path) -> None:
        with Server(tls="expired") as server:
            config = kubeconfig(
                tmp_path, server.url, **{"certificate-authority": str(CERTS / "ca.pem")}
            )
            code, line = ending(home, "--kubeconfig", str(config))
        assert code == 1
        assert "has expired" in line

    def test_a_namespace_that_is_not_there(self, home: dict[str, str], tmp_path: Path) -> None:
        """Its lists are empty and may be watched, so everything else looks well."""
        with Server() as server:
            version = b'{"gitVersion": "v1.36.0"}'
            server.on("/version", lambda exchange: exchange.reply(200, version))
            gone = status(404, "NotFound", 'namespaces "nope" not found')
            pods = "/api/v1/namespaces/nope/pods"

            def late(exchange: Exchange) -> None:
                eventually(lambda: server.asked(pods, watch=True), 5)
                gone(exchange)

            server.on("/api/v1/namespaces/nope", late)
            server.on(pods, listing([]))
            server.on(pods, watching(), watch=True)
            config = kubeconfig(tmp_path, server.url)
            code, line = ending(home, "--kubeconfig", str(config), "-n", "nope")
        assert code == 1
        assert line == (
            "kscale-tui: The namespace nope does not exist in this cluster. "
            "List them with `kubectl get namespaces`, or pass -A for all."
        )
