"""Tokens, plugins and certificates: fetched when needed, renewed once, never shown."""

from __future__ import annotations

import json
import os
import stat
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.server import AT_ONCE, CERTS
from tui.cluster import plugin
from tui.cluster.access import Auth, Certificate, ClusterConfig, ExecPlugin, Tls
from tui.cluster.credentials import Credentials
from tui.cluster.errors import ApiError, Fault
from tui.cluster.halt import Halt
from tui.cluster.tls import context

V1 = "client.authentication.k8s.io/v1"


class Script:
    """A credential plugin in Python; what it was given is in ``seen()``."""

    def __init__(self, directory: Path, body: str, **options: Any) -> None:
        self.path = directory / "plugin.py"
        self.log = directory / "runs.jsonl"
        self.path.write_text(
            textwrap.dedent(
                """
                import json, os, sys, time
                def show(**status):
                    answer = {"apiVersion": %r, "kind": "ExecCredential", "status": status}
                    print(json.dumps(answer))
                with open(%r, "a") as log:
                    log.write(json.dumps({"info": os.environ["KUBERNETES_EXEC_INFO"],
                        "env": os.environ.get("EXTRA"), "input": sys.stdin.read()}) + "\\n")
                runs = len(open(%r).readlines())
                """
            )
            % (options.get("api_version", V1), str(self.log), str(self.log))
            + textwrap.dedent(body)
        )
        self.plugin = ExecPlugin(sys.executable, ("-S", "-E", str(self.path)), **options)

    def seen(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def credentials(self, clock: Any = time.time) -> Credentials:
        return Credentials(ClusterConfig("https://h", auth=Auth(plugin=self.plugin)), clock)


def said(credentials: Credentials) -> str:
    return dict(credentials.present().headers).get("Authorization", "")


def test_a_token_and_basic_auth() -> None:
    assert said(Credentials(ClusterConfig("https://h", auth=Auth(token="t")))) == "Bearer t"
    basic = Auth(username="ada", password="lovelace")
    assert said(Credentials(ClusterConfig("https://h", auth=basic))) == "Basic YWRhOmxvdmVsYWNl"
    assert said(Credentials(ClusterConfig("https://h"))) == ""


@pytest.mark.parametrize("token", ["a\nb", "töken", "a\x00b"])
def test_a_token_that_is_none_is_refused(token: str) -> None:
    with pytest.raises(ApiError) as caught:
        Credentials(ClusterConfig("https://h", auth=Auth(token=token))).present()
    assert caught.value.kind is Fault.CREDENTIALS
    assert token not in str(caught.value)


def test_a_token_file_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("one\n")
    now = [0.0]
    config = ClusterConfig("https://h", auth=Auth(token_file=str(file)))
    credentials = Credentials(config, lambda: now[0])
    assert said(credentials) == "Bearer one"
    file.write_text("two")
    assert said(credentials) == "Bearer one"
    now[0] = 61
    assert said(credentials) == "Bearer two"
    file.write_text("three")
    assert credentials.refresh(credentials.present().generation)
    assert said(credentials) == "Bearer three"
    assert not credentials.refresh(credentials.present().generation)  # nothing new in it
    file.unlink()
    now[0] = 200
    with pytest.raises(ApiError, match="cannot be read"):
        credentials.present()


def test_a_plugin_runs_without_terminal_and_with_its_environment(tmp_path: Path) -> None:
    script = Script(
        tmp_path,
        'show(token="t")',
        env=(("EXTRA", "yes"),),
        provide_cluster_info=True,
    )
    config = ClusterConfig(
        "https://h", auth=Auth(plugin=script.plugin), cluster_info='{"server": "https://h"}'
    )
    typed, keyboard = os.pipe()
    os.write(keyboard, b"typed by the user")
    os.close(keyboard)
    ours = os.dup(0)
    os.dup2(typed, 0)
    try:
        assert said(Credentials(config)) == "Bearer t"
    finally:
        os.dup2(ours, 0)
        os.close(ours)
        os.close(typed)
    (seen,) = script.seen()
    assert seen["input"] == ""
    assert seen["env"] == "yes"
    assert json.loads(seen["info"]) == {
        "kind": "ExecCredential",
        "apiVersion": V1,
        "spec": {"interactive": False, "cluster": {"server": "https://h"}},
    }


def test_what_a_plugin_prints_on_its_error_output_stays_off_ours(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    body = """
        sys.stderr.write("warning: \\x1b[31mold version\\n")
        try:
            open("/dev/tty", "w").write("hello terminal")
        except OSError:
            pass
        show(token="t")
    """
    assert said(Script(tmp_path, body).credentials()) == "Bearer t"
    assert capfd.readouterr() == ("", "")


def test_a_plugins_token_is_kept_until_it_expires(tmp_path: Path) -> None:
    body = 'show(token=f"t{runs}", expirationTimestamp="2026-11-21T00:10:00Z")'
    script = Script(tmp_path, body)
    expires = 1795219800.0
    now = [expires - 600]
    credentials = script.credentials(lambda: now[0])
    assert [said(credentials), said(credentials)] == ["Bearer t1", "Bearer t1"]
    now[0] = expires - 5
    assert said(credentials) == "Bearer t2"


def test_a_plugin_whose_clock_is_behind_does_not_run_for_each_request(tmp_path: Path) -> None:
    script = Script(tmp_path, 'show(token=f"t{runs}", expirationTimestamp="2026-11-21T00:10:00Z")')
    now = [1795219800.0 + 600]
    credentials = script.credentials(lambda: now[0])
    assert [said(credentials) for _ in range(3)] == ["Bearer t1"] * 3
    now[0] += 11
    assert said(credentials) == "Bearer t2"


def test_a_plugin_that_gives_a_token_alone_leaves_the_certificate(tmp_path: Path) -> None:
    certificate = Certificate(cert_file="cert", key_file="key")
    auth = Auth(plugin=Script(tmp_path, 'show(token="t")').plugin, certificate=certificate)
    credentials = Credentials(ClusterConfig("https://h", auth=auth))
    assert said(credentials) == "Bearer t"
    assert credentials.certificate == certificate


def test_a_plugin_without_expiry_runs_once(tmp_path: Path) -> None:
    script = Script(tmp_path, 'show(token=f"t{runs}")')
    credentials = script.credentials()
    assert {said(credentials) for _ in range(3)} == {"Bearer t1"}


def test_after_a_401_many_threads_refresh_once(tmp_path: Path) -> None:
    script = Script(tmp_path, 'show(token=f"t{runs}")')
    now = [0.0]
    credentials = script.credentials(lambda: now[0])
    generation = credentials.present().generation
    now[0] = 60
    answers: list[bool] = []
    threads = [
        threading.Thread(target=lambda: answers.append(credentials.refresh(generation)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 6
    assert len(script.seen()) == 2
    # Rejected again within seconds: the plugin would give the same.
    assert not credentials.refresh(credentials.present().generation)


def test_a_plugin_may_give_a_certificate(tmp_path: Path) -> None:
    body = f"""
        show(clientCertificateData=open({str(CERTS / "client.pem")!r}).read(),
             clientKeyData=open({str(CERTS / "client.key")!r}).read())
    """
    credentials = Script(tmp_path, body).credentials()
    assert said(credentials) == ""
    assert credentials.certificate is not None
    context(Tls(insecure=True), credentials.certificate)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("sys.exit('\\x1b[31mplease log in\\x1b[0m')", "failed with code 1: please log in"),
        ("print('not json')", "did not print an ExecCredential"),
        ("show()", "neither token nor certificate"),
        ("print(json.dumps({'kind':'ExecCredential','apiVersion':'v9'}))", "answered with v9"),
        ("sys.stderr.write('x' * 100000); sys.exit(3)", "failed with code 3"),
    ],
)
def test_a_plugin_that_fails_is_explained_in_a_sentence(
    tmp_path: Path, body: str, words: str
) -> None:
    with pytest.raises(ApiError) as caught:
        Script(tmp_path, body).credentials().present()
    assert caught.value.kind is Fault.CREDENTIALS
    assert words in caught.value.message
    assert len(caught.value.message) < 400
    assert "\x1b" not in caught.value.message


def test_a_plugin_that_is_missing_gives_its_install_hint() -> None:
    missing = ExecPlugin("no-such-plugin-anywhere", install_hint="Get it from\nexample.com")
    with pytest.raises(ApiError, match=r"not found.*Get it from example\.com"):
        plugin.run(missing)
    with pytest.raises(ApiError, match="wants to ask questions"):
        plugin.run(ExecPlugin("x", interactive_mode="Always"))


def test_a_plugin_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    body = f"""
        import subprocess
        child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
        open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
        time.sleep(60)
    """
    script = Script(tmp_path, body, timeout=0.6)
    with pytest.raises(ApiError, match="did not answer within"):
        script.credentials().present()
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 5
    while _alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _alive(pid: int) -> bool:
    """Whether the process runs; one that is dead but not yet reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        try:
            os.kill(pid, 0)
        except OSError:
            return False
        return not Path("/proc/self").exists()
    return state != "Z"


def test_a_stop_reaches_a_plugin(tmp_path: Path) -> None:
    script = Script(tmp_path, "time.sleep(60)")
    credentials = script.credentials()
    halt = Halt()
    failed: list[ApiError] = []

    def ask() -> None:
        with halt.guarding():
            try:
                credentials.present()
            except ApiError as error:
                failed.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    while not script.log.exists():
        time.sleep(0.01)
    start = time.monotonic()
    halt.stop()
    for thread in threads:
        thread.join()
    assert time.monotonic() - start < AT_ONCE
    assert {error.kind for error in failed} == {Fault.STOPPED}


def test_inline_keys_touch_the_disk_for_an_instant_and_in_private(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import ssl
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    modes: list[int] = []
    load = ssl.SSLContext.load_cert_chain

    def watched(self: ssl.SSLContext, cert: str, key: str, **more: Any) -> None:
        modes.append(stat.S_IMODE(os.stat(key).st_mode))
        modes.append(stat.S_IMODE(os.stat(os.path.dirname(key)).st_mode))
        load(self, cert, key, **more)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", watched)
    data = Certificate(
        cert_data=(CERTS / "client.pem").read_bytes(), key_data=(CERTS / "client.key").read_bytes()
    )
    context(Tls(insecure=True), data)
    assert modes == [0o600, 0o700]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("tls", "certificate", "words"),
    [
        (Tls(ca_data=b"no pem"), None, "certificate authority in the kubeconfig"),
        (Tls(ca_data=b"\xff"), None, "certificate authority in the kubeconfig"),
        (Tls(ca_file="/no/such"), None, "certificate authority in /no/such"),
        (Tls(), Certificate(cert_data=b"x", key_data=b"SECRET"), "client certificate"),
        (Tls(), Certificate(cert_data=b"x"), "lacks its key"),
    ],
)
def test_bad_certificates_are_named(tls: Tls, certificate: Certificate | None, words: str) -> None:
    with pytest.raises(ApiError) as caught:
        context(tls, certificate)
    assert caught.value.kind is Fault.TLS
    assert words in caught.value.message
    assert "SECRET" not in caught.value.message
