"""Tokens of service accounts: asked for, shown, and what they allow."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator

import msgspec
import pytest

from tests.demo.conftest import Build
from tests.demo.http import Http
from tui.demo.api.requests import Request, Response
from tui.demo.clock import RealClock
from tui.demo.cluster import AGE, Cluster
from tui.demo.store import Object

PODS = "/api/v1/namespaces/default/pods"
ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default"
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings"
VIEW: Object = {
    "metadata": {"name": "view"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
    "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "default"}],
}


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    clock = RealClock(50, AGE)
    cluster = Cluster(clock, wave=None)
    cluster.bring_up(classroom_lesson=False)
    clock.go_live(asyncio.get_running_loop())
    async with Http(cluster) as client, asyncio.timeout(20):
        yield client
    clock.stop()


async def _token(http: Http, **spec: object) -> str:
    answer = await http("POST", f"{ACCOUNT}/token", {"spec": spec})
    assert answer.status == 201, answer.text
    token: str = answer.json["status"]["token"]
    return token


async def test_a_token_has_the_rights_of_its_account_and_no_more(http: Http) -> None:
    token = await _token(http)
    refused = await http("GET", PODS, token=token)
    assert refused.status == 403
    assert 'User "system:serviceaccount:default:default" cannot list' in refused.json["message"]
    assert (await http("POST", BINDINGS, VIEW)).status == 201
    assert (await http("GET", PODS, token=token)).status == 200
    assert (await http("DELETE", PODS, token=token)).status == 403
    # It is nobody else, whatever it says, and has no say over the cluster itself.
    owner = {"Impersonate-User": "kubernetes-admin", "Impersonate-Group": "system:masters"}
    assert (await http("DELETE", PODS, headers=owner, token=token)).status == 403
    assert (await http("GET", "/kscale/v1/faults", token=token)).status == 401


async def test_what_is_no_token_of_ours_is_refused(http: Http) -> None:
    token = await _token(http)
    head, claims, signature = token.split(".")
    other = base64.urlsafe_b64encode(b'{"sub":"system:admin"}').decode().rstrip("=")
    for wrong in (f"{token}x", f"{head}.{other}.{signature}", f"{head}.{claims}.", "..", "é", ""):
        assert (await http("GET", PODS, token=wrong)).status == 401, wrong
    elsewhere = await _token(http, audiences=["vault"])
    assert (await http("GET", PODS, token=elsewhere)).status == 401
    await http("DELETE", ACCOUNT)
    assert (await http("GET", PODS, token=token)).status == 401
    same_name = {"metadata": {"name": "default"}}
    await http("POST", ACCOUNT.rpartition("/")[0], same_name)
    assert (await http("GET", PODS, token=token)).status == 401


def test_a_token_ends_when_its_time_is_up(build: Build) -> None:
    cluster = build()
    answer = _ask(cluster, {"spec": {"expirationSeconds": 600}})
    token = msgspec.json.decode(answer.body)["status"]["token"]
    assert cluster.handlers.account(token) is not None
    cluster.clock.advance(601)
    assert cluster.handlers.account(token) is None


def _ask(cluster: Cluster, body: Object, account: str = "default") -> Response:
    path = f"/api/v1/namespaces/default/serviceaccounts/{account}/token"
    answer = cluster.handlers.respond(Request("POST", path, {}, {}, msgspec.json.encode(body)))
    assert isinstance(answer, Response)
    return answer


@pytest.mark.parametrize(
    ("spec", "status"),
    [
        ({"expirationSeconds": 5}, 422),
        ({"expirationSeconds": 2**33}, 422),
        ({"expirationSeconds": "long"}, 400),
        ({"audiences": "me"}, 400),
    ],
)
def test_what_cannot_be_asked(build: Build, spec: Object, status: int) -> None:
    cluster = build()
    assert _ask(cluster, {"spec": spec}).status == status
    assert _ask(cluster, {}, "nobody").status == 404
