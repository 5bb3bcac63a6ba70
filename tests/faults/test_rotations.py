"""Credentials and certificates that change while the cluster is watched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.cluster.server import CERTS
from tests.cluster.server import Server as TlsServer
from tests.faults.schedule import change
from tests.faults.world import IDENTITY, Waits, World, eventually
from tui.cluster import credentials
from tui.cluster.access import Auth, Certificate, ClusterConfig, ExecPlugin, Tls
from tui.cluster.transport import Transport
from tui.demo import certificate
from tui.demo.server import HOST
from tui.state.links import Health
from tui.state.rows import Kind

ANSWER = (
    '{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", '
    '"status": {"token": "%s"}}'
)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    made = Waits()
    made.install(monkeypatch)
    return made


class ByFiles(World):
    """Reaches its server with a CA, and a token or a plugin's answer, from files."""

    def __init__(self, seed: int, folder: Path, *, plugin: bool = False) -> None:
        super().__init__(seed, folder)
        self.authority, self.token = folder / "ca.pem", folder / "token"
        self.authority.write_text(IDENTITY.certificate)
        self._plugin = plugin
        self.give("token")

    def give(self, token: str) -> None:
        self.token.write_text(ANSWER % token if self._plugin else token)

    def configured(self, config: ClusterConfig) -> ClusterConfig:
        cat = ExecPlugin("cat", (str(self.token),))
        auth = Auth(plugin=cat) if self._plugin else Auth(token_file=str(self.token))
        return replace(config, tls=Tls(ca_file=str(self.authority)), auth=auth)

    def said(self, words: str) -> bool:
        return words in self.store.links[Kind.PODS].detail

    def change_token(self, token: str) -> None:
        """The server takes this one alone from now on, and asks for it."""

        def change_it() -> None:
            self.server._token = token.encode()

        self.do(change_it)
        self.fault("drop-watches")

    def stale_and_kept(self) -> bool:
        """Whether the rows are as they were, and marked as old."""
        return (
            len(self.shown(Kind.PODS)) == 40
            and self.store.links[Kind.PODS].health is not Health.LIVE
        )


def test_a_token_that_is_renewed_in_its_file(waits: Waits, tmp_path: Path) -> None:
    with ByFiles(21, tmp_path) as world:
        assert eventually(world.settled), world.difference()
        world.change_token("another")
        assert eventually(lambda: world.said("did not accept the credentials"))
        assert world.stale_and_kept()
        world.do(lambda: change(world, world.random))
        world.give("another")
        assert eventually(world.settled), world.difference()


def test_a_plugin_that_fails_for_a_while(
    waits: Waits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "_PAUSE", 0.05)
    with ByFiles(22, tmp_path, plugin=True) as world:
        assert eventually(world.settled), world.difference()
        world.token.write_text("please log in \x1b]0;again\x07")
        world.change_token("another")
        assert eventually(lambda: world.said("did not print an ExecCredential"))
        assert world.stale_and_kept()
        world.token.unlink()
        assert eventually(lambda: world.said("cat failed with code 1"))
        world.do(lambda: change(world, world.random))
        world.give("another")
        assert eventually(world.settled), world.difference()


def test_a_server_with_another_certificate_of_another_authority(
    waits: Waits, tmp_path: Path
) -> None:
    with ByFiles(23, tmp_path) as world:
        assert eventually(world.settled), world.difference()
        other = certificate.make(HOST, "localhost")

        def rotate() -> None:
            world.server._certificate = other

        world.do(rotate)
        world.fault("restart:down=0.05,compact=true")
        assert eventually(lambda: world.said("signed"))
        assert world.stale_and_kept()
        world.authority.write_text(IDENTITY.certificate + other.certificate)
        assert eventually(world.settled), world.difference()


def test_a_client_certificate_that_is_renewed_in_its_files(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert", tmp_path / "key"

    def use(name: str, key_name: str) -> None:
        cert.write_bytes((CERTS / name).read_bytes())
        key.write_bytes((CERTS / key_name).read_bytes())

    use("client.pem", "client.key")
    auth = Auth(certificate=Certificate(cert_file=str(cert), key_file=str(key)))
    with TlsServer(tls="server", client_ca=True) as server:
        server.on("/x", lambda e: e.reply(200, {"as": str(e.handler.connection.getpeercert())}))
        trusted = Tls(ca_file=str(CERTS / "ca.pem"))
        transport = Transport(ClusterConfig(server.url, tls=trusted, auth=auth))
        assert b"ada" in transport.get("/x").body
        use("server.pem", "server.key")
        assert b"ada" not in transport.get("/x").body
        transport.close()
