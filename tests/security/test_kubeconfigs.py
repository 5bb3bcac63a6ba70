"""What is wrong with a kubeconfig is told without what is secret in it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.security.canaries import KEY, TOKEN, assert_silent
from tui.cluster.errors import ApiError, ClusterError
from tui.cluster.kubeconfig import load_config
from tui.cluster.transport import Transport


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
