"""``kscale-tui burst`` as it is typed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.load.server import Server, ok, saying
from tests.load.serving import serving
from tui.cli import cli
from tui.load.history import History


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(ok) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def burst(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tui", "burst", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert "Traceback" not in done.stderr
    return done


def test_summary_on_a_pipe_and_nothing_else(server: Server, home: Path) -> None:
    before = len(server.requests)
    done = burst(
        server.url, "-n", "30", "-c", "3", "-m", "post", "-H", "X-Who: me", "-d", "duration=60"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Summary:\n  Total:\t" in done.stdout
    assert "  [200]\t30 responses\n" in done.stdout
    asked = server.requests[before:]
    assert len(asked) == 30
    assert asked[0].head.startswith(b"POST / HTTP/1.1\r\n")
    assert b"\r\nX-Who: me\r\n" in asked[0].head
    assert b"\r\nContent-Type: application/x-www-form-urlencoded\r\n" in asked[0].head
    assert asked[0].body == b"duration=60"
    (kept,) = History(home / "data" / "kscale-tui" / "bursts").latest()
    assert kept.good == 30


def test_json_of_a_preset_with_a_flag_that_overrides_it(server: Server, home: Path) -> None:
    folder = home / "config" / "kscale-tui" / "profiles"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text('title = "Mine"\nduration = "300ms"\nrate = 100\n')
    done = burst(server.url, "--profile", "mine", "-c", "4", "--json")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert found["schema_version"] == 1
    assert found["asked"]["profile"] == "mine"
    assert (found["asked"]["connections"], found["asked"]["rate"]) == (4, 100)
    assert 0 < found["sent"] <= 30  # all of them, where the machine is not busy with other things


def test_csv(server: Server, home: Path) -> None:
    done = burst(server.url, "-z", "200ms", "-q", "50", "-c", "2", "--csv")
    assert done.stdout.startswith("second,asked,responses,good,failed,connections,p50,")
    second, asked, responses, good, failed, *_ = done.stdout.splitlines()[1].split(",")
    assert (second, float(asked), failed) == ("0", 20, "0")
    assert 0 < int(good) == int(responses) <= 20


def test_nothing_good_is_exit_code_1(home: Path) -> None:
    with serving(saying(b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n")) as bad:
        done = burst(bad.url, "-n", "4", "-c", "1")
    assert done.returncode == 1
    assert "  [503]\t4 responses\n" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["http://example.com/"], "--allow-host example.com"),
        (["http://example.com/", "--allow-host", "example.org"], "--allow-host example.com"),
        (["127.0.0.1:8080"], "not a URL"),
        (["http://127.0.0.1/", "-q", "5", "--rate", "5"], "exclude each other"),
        (["http://127.0.0.1/", "-d", "x", "-D", __file__], "exclude each other"),
        (["http://127.0.0.1/", "-T", "a/b", "-H", "content-type: c/d"], "exclude each other"),
        (["http://127.0.0.1/", "--json", "--csv"], "exclude each other"),
        (["http://127.0.0.1/", "-z", "soon"], "soon"),
        (["http://127.0.0.1/", "-z", "31m"], "limit"),
        (["http://127.0.0.1/", "-c", "1001"], "limit"),
        (["http://127.0.0.1/", "--rate", "1e9"], "limit"),
        (["http://127.0.0.1/", "-H", "no colon"], "not a header"),
        (["http://127.0.0.1/", "-m", "BREW"], "not a method"),
        (["http://127.0.0.1/", "--profile", "none"], "class-burst"),
        (["http://127.0.0.1/", "--pod-regex", "none"], "one group"),
        (["http://127.0.0.1/", "-n", "0"], "-n"),
        (["-disable-keepalive", "http://127.0.0.1/"], "here it is --disable-keepalive"),
        (["-disable-compression", "http://127.0.0.1/"], "no compression is asked for"),
        (["-disable-redirects", "http://127.0.0.1/"], "redirects are not followed"),
        (["-disable-nothing", "http://127.0.0.1/"], "neither hey nor this has it"),
        (["-cpus", "2", "http://127.0.0.1/"], "hey's -cpus: how many processes send"),
        (["-cpus=2", "http://127.0.0.1/"], "hey's -cpus: how many processes send"),
        (["-host", "shop.example", "http://127.0.0.1/"], "-H 'Host: NAME'"),
        (["-h2", "http://127.0.0.1/"], "requests are HTTP/1.1"),
        (["-a", "user:word", "http://127.0.0.1/"], "'Authorization: Basic"),
        (["-A", "text/html", "http://127.0.0.1/"], "-H 'Accept: TYPE'"),
        (["-U", "me", "http://127.0.0.1/"], "-H 'User-Agent: NAME'"),
        (["-x", "proxy:3128", "http://127.0.0.1/"], "past any proxy"),
        (["-o", "csv", "http://127.0.0.1/"], "--csv prints a row for each second"),
        ([], "URL"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_a_sentence(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from tui.cli import cli

    with pytest.raises(SystemExit) as caught:
        cli(["burst", *arguments], prog_name="kscale-tui")
    assert caught.value.code == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


def test_what_only_looks_like_a_flag_of_heys(server: Server, home: Path) -> None:
    done = burst(server.url, "-n", "2", "-c", "1", "-m", "POST", "-d", "-host", "-H", "-a: b")
    assert done.returncode == 0, done.stderr
    assert "2 responses" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_end_is_followed_by_the_summary_of_what_ran(
    server: Server, home: Path, number: signal.Signals
) -> None:
    before = len(server.requests)
    child = subprocess.Popen(
        [sys.executable, "-m", "tui", "burst", server.url, "-z", "60s", "-c", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        while len(server.requests) < before + 200:
            assert child.poll() is None
        # As a terminal does, and timeout(1): to the whole group, workers too.
        os.killpg(child.pid, number)
        out, err = child.communicate(timeout=10)
    finally:
        child.kill()
    assert (child.returncode, err) == (0, "")
    assert "Stopped early" in out
    assert "[200]" in out


def test_once_it_has_run_ctrl_c_means_what_it_did_before(server: Server, home: Path) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    done = CliRunner().invoke(cli, ["burst", server.url, "-n", "1", "-c", "1"])
    assert done.exit_code == 0, done.output
    assert [signal.getsignal(number) for number in numbers] == before


def test_the_load_knows_neither_the_screen_nor_the_cluster() -> None:
    script = (
        "import sys, tui.commands.burst, tui.load.worker\n"
        "print([m for m in ('textual', 'rich', 'kubernetes', 'tui.app') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--pod-header", "X-Pod"], "no answer has a header X-Pod, which was to name the pods"),
        (
            ["--pod-header", "Content-Type", "--pod-regex", "pod-(.+)"],
            "no answer has a header Content-Type that matches 'pod-(.+)', which was to name",
        ),
        (["--pod-regex", "pod-(.+)"], "no answer matches 'pod-(.+)', which was to name the pods"),
    ],
)
def test_answers_that_name_no_pod(server: Server, home: Path, flags: list[str], said: str) -> None:
    done = burst(server.url, "-n", "3", "-c", "1", *flags)
    assert done.returncode == 0
    assert said in done.stderr


def test_answers_that_name_a_pod(server: Server, home: Path) -> None:
    done = burst(server.url, "-n", "3", "-c", "1", "--pod-header", "Content-Length")
    assert (done.returncode, done.stderr) == (0, "")
