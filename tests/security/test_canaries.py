"""Tokens, keys and Secrets as canaries: they are given to everything, and come out of nothing."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from click.testing import CliRunner

from tests.faults.world import eventually
from tests.security.lab import Lab, client_key
from tests.thorough import SOAK
from tui import crash
from tui.cli import cli
from tui.cluster.errors import ApiError, ClusterError
from tui.cluster.kubeconfig import load_config
from tui.cluster.session import Session
from tui.cluster.transport import Transport
from tui.demo import resources
from tui.demo.api.operations import Writer
from tui.demo.api.requests import Request, Response
from tui.demo.cluster import Cluster
from tui.log import Log
from tui.state.links import Health
from tui.state.rows import Kind
from tui.state.store import Store

TOKEN: Final = "canary-of-a-token-8f3a"
SECRET: Final = "canary-of-a-secret-51bd"
HEADER: Final = "canary-of-a-header-c07e"
BODY: Final = "canary-of-a-body-96d2"
CERTIFICATE, KEY = client_key()

OWN = 'title = "Own"\nsummary = "One ConfigMap."\n'
MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\ndata: {a: b}\n"


def canaries() -> Iterator[str]:
    for plain in (TOKEN, SECRET, HEADER, BODY, f"Bearer {TOKEN}"):
        yield plain
        yield base64.b64encode(plain.encode()).decode().rstrip("=")
    yield from KEY.splitlines()[1:-1]
    yield base64.b64encode(KEY.encode()).decode()[40:80]


def assert_silent(where: str, text: str) -> None:
    for canary in canaries():
        assert canary not in text, f"{canary[:40]} is in {where}"


def _with_secret(cluster: Cluster) -> None:
    cluster.api.create(
        resources.SECRETS,
        "default",
        {
            "metadata": {"name": "db", "labels": {"app": "fastapi"}},
            "stringData": {"password": SECRET},
        },
        Writer("kubectl"),
    )


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(TOKEN, _with_secret) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "TMPDIR"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    own = tmp_path / "setups" / "own"
    own.mkdir(parents=True)
    (own / "setup.toml").write_text(OWN)
    (own / "own.yaml").write_text(MANIFEST)
    return tmp_path


def everything(lab: Lab, home: Path) -> dict[str, list[str]]:
    """Command lines by what they try; with KSCALE_SOAK all of them."""
    user = {
        "token": TOKEN,
        "client-certificate-data": base64.b64encode(CERTIFICATE.encode()).decode(),
        "client-key-data": base64.b64encode(KEY.encode()).decode(),
    }
    to = ["--kubeconfig", lab.kubeconfig(home / "kubeconfig", **user)]
    own = ["--setups", str(home / "setups"), "-n", "default", *to]
    burst = ["burst", "svc/fastapi-svc", "-n", "3", "-c", "1", "-H", f"Authorization: {HEADER}"]
    burst += ["-m", "POST", "-d", BODY, *to]
    daily = {
        "doctor": ["doctor", "--json", *to],
        "apply": ["setups", "apply", "own", "--yes", *own],
        "status": ["setups", "status", "own", "--json", *own],
        "burst": [*burst, "--json"],
    }
    if not SOAK:
        return daily
    return daily | {
        "doctor in words": ["doctor", "-A", *to],
        "explain": ["explain", "fastapi-hpa", "--once", *to],
        "explain as JSON": ["explain", "fastapi-hpa", "--once", "--json", *to],
        "diff": ["setups", "diff", "fastapi", *own],
        "everything's status": ["setups", "status", *own],
        "burst in words": burst,
        "burst by the second": [*burst, "--csv"],
        "delete": ["setups", "delete", "own", "--yes", "--json", *own],
    }


def test_no_command_lets_one_out_and_none_asks_for_secrets(lab: Lab, home: Path) -> None:
    before = len(lab.requests)
    for name, words in everything(lab, home).items():
        done = CliRunner().invoke(cli, words)
        assert done.exception is None or isinstance(done.exception, SystemExit), name
        assert done.exit_code in (0, 1), done.output
        assert_silent(name, done.output)
    asked = lab.requests[before:]
    # The canary was alive: this is what it was sent with.
    assert {r.headers["authorization"] for r in asked} == {f"Bearer {TOKEN}"}
    secret = [r for r in asked if "secret" in r.path.lower()]
    assert all("PartialObjectMetadata" in r.headers.get("accept", "") for r in secret)
    written = [path for path in (home / "home").rglob("*") if path.is_file()]
    assert any(path.name == "audit.jsonl" for path in written)
    assert any(path.parent.name == "bursts" for path in written)
    for path in written:
        assert_silent(str(path), path.read_text())
        if os.name == "posix":
            assert path.stat().st_mode & 0o077 == 0, path


def _echo(request: Request) -> Response:
    """A proxy in front of the API that says too much."""
    said = f"no access with {request.headers.get('authorization')}"
    status: dict[str, Any] = {"kind": "Status", "code": 500, "reason": said, "message": said}
    status["details"] = {"causes": [{"message": said, "field": said}]}
    return Response.of(status, 500)


def test_a_server_that_repeats_the_token_is_not_repeated(lab: Lab, home: Path) -> None:
    path = home / "log"
    log, store = Log(path), Store()
    config = load_config(lab.kubeconfig(home / "kubeconfig"))
    lab.answer = _echo
    session = Session(config, store, kinds=(Kind.PODS,))
    transport = Transport(config)
    try:
        with pytest.raises(ApiError) as caught:
            transport.get("/api")
        assert "no access with" in caught.value.message
        assert_silent("an error", f"{caught.value!r} {caught.value.reason} {caught.value.causes}")
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
    assert_silent("the log", path.read_text())


def test_a_crash_report_holds_none(lab: Lab, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("met something odd")

    monkeypatch.setattr(Transport, "_note_clock", broken)
    transport = Transport(load_config(lab.kubeconfig(home / "kubeconfig", token=TOKEN)))
    with pytest.raises(RuntimeError) as caught:
        transport.get("/api")
    sentence = crash.note(caught.value)
    (path,) = (home / "home").rglob("crash-*.txt")
    assert "met something odd" in path.read_text()
    assert "_note_clock" in path.read_text()
    assert_silent("the sentence", sentence)
    assert_silent("the report", path.read_text())
    assert_silent("what debuggers print", repr(transport.config))


def _kubeconfig(user: dict[str, Any], **cluster: Any) -> str:
    return yaml.safe_dump(
        {
            "current-context": "x",
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
            "clusters": [{"name": "x", "cluster": {"server": "https://127.0.0.1:1", **cluster}}],
            "users": [{"name": "x", "user": user}],
        }
    )


_V1 = "client.authentication.k8s.io/v1"
SPOILED: dict[str, Callable[[], str]] = {
    "a tag": lambda: f"users:\n- token: !{TOKEN}\n",
    "an alias": lambda: f"users:\n- password: *{TOKEN}\n",
    "no end": lambda: f'users:\n- token: "{TOKEN}\n',
    "a colon": lambda: f"users:\n- token: {TOKEN}: {TOKEN}\n",
    "a key": lambda: f"? [{TOKEN}]\n: x\n",
    "a control": lambda: f"users:\n- token: {TOKEN}\x00\n",
    "no base64": lambda: _kubeconfig({"client-key-data": f"!{TOKEN}!"}),
    "a token in two lines": lambda: _kubeconfig({"token": f"{TOKEN}\n{TOKEN}"}),
    "a token as a file": lambda: _kubeconfig({"token": [TOKEN], "tokenFile": "/dev/null"}),
    "a password": lambda: _kubeconfig({"username": "x", "password": TOKEN}),
    "an address": lambda: _kubeconfig({"token": TOKEN}, server=f"https://me:{TOKEN}@[::"),
    "an address with a port": lambda: _kubeconfig(
        {"token": TOKEN}, server=f"https://me:{TOKEN}@127.0.0.1:99999"
    ),
    "a place": lambda: _kubeconfig({}, server=f"https://me:{TOKEN}@127.0.0.1:1"),
    "a proxy": lambda: _kubeconfig(
        {"token": TOKEN}, server="https://h.invalid", **{"proxy-url": f"http://me:{TOKEN}@[::"}
    ),
    "a proxy that is away": lambda: _kubeconfig(
        {"token": TOKEN},
        server="https://h.invalid",
        **{"proxy-url": f"http://me:{TOKEN}@127.0.0.1:1"},
    ),
    "a key that is none": lambda: _kubeconfig(
        {
            "client-certificate-data": base64.b64encode(TOKEN.encode()).decode(),
            "client-key-data": base64.b64encode(KEY.encode()).decode(),
        }
    ),
    "a plugin": lambda: _kubeconfig(
        {
            "exec": {
                "apiVersion": _V1,
                "command": "false",
                "args": [TOKEN],
                "env": [{"name": "T", "value": TOKEN}],
            }
        }
    ),
    "a plugin's answer": lambda: _kubeconfig(
        {"exec": {"apiVersion": _V1, "command": "echo", "args": [f'{{"token": "{TOKEN}"}}']}}
    ),
}


@pytest.mark.parametrize("spoiled", SPOILED)
def test_no_error_quotes_what_is_secret_in_a_kubeconfig(spoiled: str, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(SPOILED[spoiled]())
    said = ""
    transport = None
    try:
        transport = Transport(load_config(str(path)))
        said += repr(transport.config)
        transport.get("/api")
    except (ClusterError, ApiError) as error:
        said += f"{error} {error!r} {error.__cause__}"
    finally:
        if transport is not None:
            transport.close()
    assert len(said) > 20
    assert_silent("the error", said)
