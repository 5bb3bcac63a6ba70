"""What commands print: no canary of a credential, and nothing but printable text.

The cluster's token, the client's key and a Secret are canaries; names and messages in the cluster
hold escapes, links, bells, bidi controls, markup and 253 characters. One run serves both.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner

from tests.faults.world import eventually
from tests.load.server import saying
from tests.load.serving import serving
from tests.security import canaries
from tests.security.lab import Lab
from tests.thorough import SOAK
from tui import crash
from tui.cli import cli
from tui.cluster.errors import ApiError
from tui.cluster.kubeconfig import load_config
from tui.cluster.session import Session
from tui.cluster.transport import Transport
from tui.demo import resources
from tui.demo.api.operations import Writer
from tui.demo.api.requests import Request, Response, Stream
from tui.demo.cluster import Cluster
from tui.log import Log
from tui.state.links import Health
from tui.state.rows import Kind
from tui.state.store import Store

HOSTILE: Final = (
    "\x1b[38;5;99mred\x1b]8;;http://e.invalid\x1b\\link\x1b]8;;\x1b\\\x07\x1b[2J\x9b5m\x85\x7f"
    "\u202e\u2066\u200b\ufeff[bold red]x[/] 한국어 \r\n\t$(reboot)" + "x" * 253
)
ODD_NAME: Final = HOSTILE.replace("/", "|")
_OURS: Final = re.compile(r"\x1b\[(?:0|1|3[0-7])m")
"""The colours that click gives to words of our own."""
_MANIFEST: Final = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\ndata: {a: b}\n"


def raw(text: str) -> bytes:
    """As it stands inside a string of JSON."""
    return json.dumps(text)[1:-1].encode()


def assert_printable(where: str, output: str) -> None:
    for char in _OURS.sub("", output):
        assert char.isprintable() or char == "\n", f"{char!a} in {where}: {output!a}"


class Poison:
    """Answers as the cluster does, with more in the strings than anybody asked for."""

    WORDS: Final = {
        "doctor": (b"fastapi-hpa", b"fastapi-deploy", b'"message":"', b"lab-worker"),
        "explain": (b"fastapi-hpa", b"fastapi-deploy", b'"message":"', b"lab-worker"),
        "setups": (b"kubectl-client-side-apply", b'"message":"', b'"image":"'),
    }
    """After what more is said, by the command that is asking."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.command = ""

    def answer(self, request: Request) -> Response | Stream | None:
        if request.method != "GET":
            return None
        answer = self._lab.cluster.handlers.respond(request)
        if isinstance(answer, Response):
            answer.body = self._more(answer.body)
        else:
            answer.chunks = self._all(answer.chunks)
        return answer

    async def _all(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            yield self._more(chunk)

    def _more(self, said: bytes) -> bytes:
        for word in self.WORDS.get(self.command, ()):
            said = said.replace(word, word + raw(ODD_NAME))
        return said

    @staticmethod
    def refuse(request: Request) -> Response:
        """What a broken server, or a proxy that says too much, gives for an error."""
        said = f"no access with {request.headers.get('authorization')} {HOSTILE}"
        status: dict[str, Any] = {"kind": "Status", "code": 500, "reason": said, "message": said}
        status["details"] = {"causes": [{"message": said, "field": said, "reason": said}]}
        return Response.of(status, 500)


def _with_secret(cluster: Cluster) -> None:
    secret = {"metadata": {"name": "db"}, "stringData": {"password": canaries.SECRET}}
    cluster.api.create(resources.SECRETS, "default", secret, Writer("kubectl"))


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(canaries.TOKEN, _with_secret) as running:
        yield running


@pytest.fixture
def poison(lab: Lab) -> Iterator[Poison]:
    made = Poison(lab)
    lab.answer = made.answer
    yield made
    lab.answer = lambda _: None


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "TMPDIR"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    own = tmp_path / "setups" / "own"
    own.mkdir(parents=True)
    (own / "setup.toml").write_text(f"title = {json.dumps(HOSTILE)}\nsummary = 's'\n")
    (own / "own.yaml").write_text(_MANIFEST)
    return tmp_path


def run(words: list[str]) -> tuple[int, str]:
    """The exit code and everything printed, as it would reach a terminal."""
    done = CliRunner().invoke(cli, words, color=True)
    assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
    return done.exit_code, done.output


def commands(lab: Lab, home: Path) -> dict[str, list[str]]:
    """Command lines by what they try; with KSCALE_SOAK all of them."""
    user = {
        "token": canaries.TOKEN,
        "client-certificate-data": base64.b64encode(canaries.CERTIFICATE.encode()).decode(),
        "client-key-data": base64.b64encode(canaries.KEY.encode()).decode(),
    }
    to = ["--kubeconfig", lab.kubeconfig(home / "kubeconfig", **user)]
    own = ["--setups", str(home / "setups"), "-n", "default", *to]
    explain = ["explain", f"fastapi-hpa{ODD_NAME}", "--once", *to]
    burst = ["burst", "svc/fastapi-svc", "-n", "3", "-c", "1"]
    burst += ["-H", f"Authorization: {canaries.HEADER}", "-m", "POST", "-d", canaries.BODY, *to]
    daily = {
        "doctor": ["doctor", *to],
        "apply": ["setups", "apply", "own", "--yes", *own],
        "status": ["setups", "status", "--json", *own],
        "explain": explain,
        "burst": [*burst, "--json"],
    }
    if not SOAK:
        return daily
    return daily | {
        "doctor as JSON": ["doctor", "--json", *to],
        "explain as JSON": [*explain, "--json"],
        "an HPA that is not there": ["explain", f"x{ODD_NAME}", *to],
        "list": ["setups", "list", "--setups", str(home / "setups")],
        "list as JSON": ["setups", "list", "--json", "--setups", str(home / "setups")],
        "diff": ["setups", "diff", "fastapi", *own],
        "diff as JSON": ["setups", "diff", "fastapi", "--json", *own],
        "status in words": ["setups", "status", *own],
        "burst in words": burst,
        "burst by the second": [*burst, "--csv"],
        "delete": ["setups", "delete", "own", "--yes", "--json", *own],
    }


def test_no_command_lets_anything_out(lab: Lab, home: Path, poison: Poison) -> None:
    before = len(lab.requests)
    for name, words in commands(lab, home).items():
        poison.command = words[0]
        code, output = run(words)
        assert code in (0, 1), output
        if words[0] != "burst":
            assert "[bold red]x[" in output or words[1] in ("apply", "delete"), name
        elif "Summary:" in output:
            output = output.replace("\t", " ")  # hey's own layout
        assert_printable(name, output)
        canaries.assert_silent(name, output)
    asked = lab.requests[before:]
    assert {r.headers["authorization"] for r in asked} == {f"Bearer {canaries.TOKEN}"}
    secret = [r for r in asked if "secret" in r.path.lower()]
    assert all("PartialObjectMetadata" in r.headers.get("accept", "") for r in secret)
    written = [path for path in (home / "home").rglob("*") if path.is_file()]
    assert any(path.name == "audit.jsonl" for path in written)
    assert any(path.parent.name == "bursts" for path in written)
    for path in written:
        canaries.assert_silent(str(path), path.read_text())
        assert_printable(str(path), path.read_text())
        if os.name == "posix":
            assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("words", [["doctor"], ["explain", "x"], ["setups", "status", "fastapi"]])
def test_errors_of_a_server_are_cleaned_and_keep_no_token(
    lab: Lab, home: Path, words: list[str]
) -> None:
    to = ["--kubeconfig", lab.kubeconfig(home / "kubeconfig")]
    lab.answer = Poison.refuse
    try:
        code, output = run([*words, *to])
    finally:
        lab.answer = lambda _: None
    assert code == 1
    assert "no access with" in output
    assert_printable(words[0], output)
    canaries.assert_silent(words[0], output)


def test_the_log_of_a_session_holds_neither(lab: Lab, home: Path) -> None:
    path = home / "log"
    log, store = Log(path), Store()
    config = load_config(lab.kubeconfig(home / "kubeconfig"))
    lab.answer = Poison.refuse
    session = Session(config, store, kinds=(Kind.PODS,))
    transport = Transport(config)
    try:
        with pytest.raises(ApiError) as caught:
            transport.get("/api")
        error = caught.value
        said = " ".join(
            [error.message, error.reason, *(f"{c.message}{c.field}" for c in error.causes)]
        )
        canaries.assert_silent("an error", said)
        assert_printable("an error", said)
        session.start()
        assert eventually(
            lambda: Kind.PODS in store.links and store.links[Kind.PODS].health is Health.RETRYING
        )
        log.links(store.links)
    finally:
        lab.answer = lambda _: None
        session.stop()
        transport.close()
        log.close()
    assert "no access with" in path.read_text()
    assert_printable("the log", path.read_text())
    canaries.assert_silent("the log", path.read_text())


def test_a_crash_report_holds_neither(
    lab: Lab, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(f"met something odd: {HOSTILE}")

    monkeypatch.setattr(Transport, "_note_clock", broken)
    transport = Transport(load_config(lab.kubeconfig(home / "kubeconfig")))
    with pytest.raises(RuntimeError) as caught:
        transport.get("/api")
    sentence = crash.note(caught.value)
    (path,) = (home / "home").rglob("crash-*.txt")
    assert "met something odd" in path.read_text()
    assert "_note_clock" in path.read_text()
    for name, text in {"sentence": sentence, "report": path.read_text()}.items():
        canaries.assert_silent(name, text)
        assert_printable(name, text)
    canaries.assert_silent("what debuggers print", repr(transport.config))


def _broken_setups(folder: Path) -> list[str]:
    (folder / "odd\u202e").mkdir()
    (folder / "odd\u202e" / "setup.toml").write_text(f"{json.dumps(HOSTILE)} = 1\n")
    return ["setups", "list", "--setups", str(folder)]


def _settings(text: str, *words: str) -> Callable[[Path], list[str]]:
    def write(folder: Path) -> list[str]:
        (folder / "config.toml").write_text(text)
        return [*words, "--config", str(folder / "config.toml")]

    return write


def _preset(folder: Path) -> list[str]:
    (folder / "odd.toml").write_text(f"{json.dumps(HOSTILE)} = 1\n")
    (folder / "config.toml").write_text(f'[load]\ndir = "{folder}"\n')
    words = ["burst", "http://127.0.0.1:1/", "--profile", "odd"]
    return [*words, "--config", str(folder / "config.toml")]


def _named(folder: Path) -> list[str]:
    context = {"name": HOSTILE, "context": {"cluster": HOSTILE, "user": HOSTILE}}
    document = {"current-context": HOSTILE, "contexts": [context]}
    (folder / "kubeconfig").write_text(json.dumps(document))
    return ["doctor", "--kubeconfig", str(folder / "kubeconfig")]


def _addressed(folder: Path) -> list[str]:
    document = {
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "clusters": [{"name": "x", "cluster": {"server": HOSTILE}}],
        "users": [{"name": "x", "user": {}}],
    }
    (folder / "kubeconfig").write_text(json.dumps(document))
    return ["setups", "status", "--kubeconfig", str(folder / "kubeconfig")]


_ODD_KEY: Final = f"{json.dumps(HOSTILE)} = 1\n"
FILES: Final[dict[str, Callable[[Path], list[str]]]] = {
    "settings of a burst": _settings(_ODD_KEY, "burst", "http://127.0.0.1:1/"),
    "settings of setups": _settings(_ODD_KEY, "setups", "list"),
    "settings of the dashboard": _settings(_ODD_KEY),
    "settings that are no TOML": _settings("theme = '\x1b[38;5;99m\u202e"),
    "a target": _settings(f"target = {json.dumps(HOSTILE)}\n"),
    "a preset": _preset,
    "a setup": _broken_setups,
    "a context": _named,
    "an address": _addressed,
    "a scenario": lambda folder: ["cluster", "--scenario", str(folder / "\x1b[38;5;99m\u202e")],
}


@pytest.mark.parametrize("file", FILES)
def test_what_is_wrong_with_a_file_is_told_in_plain_text(file: str, tmp_path: Path) -> None:
    code, output = run(FILES[file](tmp_path))
    assert code in (1, 2)
    assert_printable(file, output)
    assert "Traceback" not in output


def test_a_question_is_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    from tui.commands import asking

    asked: list[str] = []
    monkeypatch.setattr("click.confirm", lambda text: asked.append(text) or True)
    monkeypatch.setattr("click.prompt", lambda text: asked.append(text) or HOSTILE)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    asking.confirmed("setups", f"Apply x in {HOSTILE}?", False, HOSTILE, "")
    assert len(asked) == 2
    for text in asked:
        assert_printable("a question", text)


if SOAK:

    @pytest.mark.parametrize("how", [[], ["--json"], ["--csv"]])
    def test_what_answers_a_burst_is_only_text(how: list[str], home: Path) -> None:
        body = b'{"pod": "' + HOSTILE.encode() + b'"}'
        # What is below a space in a header is no HTTP, and counted as that.
        name = "".join(c for c in HOSTILE if c >= " " and c != "\x7f").encode()
        said = b"HTTP/1.1 200 OK\r\nX-Pod: %b\r\nContent-Length: %d\r\n\r\n%b"
        with serving(saying(said % (name, len(body), body))) as server:
            for pods in (["--pod-header", "X-Pod"], ["--pod-regex", '"pod": "([^"]*)']):
                words = ["burst", server.url, "-n", "5", "-c", "1", *pods, *how]
                code, output = run(words)
                assert code == 0, output
                assert_printable(" ".join(words), output.replace("\t", " "))
        for path in (home / "home").rglob("*.json"):
            assert_printable(str(path), path.read_text())
