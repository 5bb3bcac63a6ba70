"""Kubeconfig files, merged as kubectl merges them."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from tui.cluster.errors import ClusterError
from tui.cluster.kubeconfig import ContextInfo, list_contexts, load_config


def write(path: Path, **document: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **document}))
    return path


def entries(
    context: str = "dev",
    *,
    cluster: dict[str, Any] | None = None,
    user: dict[str, Any] | None = None,
    namespace: str | None = None,
) -> dict[str, Any]:
    return {
        "contexts": [
            {
                "name": context,
                "context": {
                    "cluster": f"{context}-c",
                    "user": f"{context}-u",
                    "namespace": namespace,
                },
            }
        ],
        "clusters": [
            {"name": f"{context}-c", "cluster": cluster or {"server": f"https://{context}:6443"}}
        ],
        "users": [{"name": f"{context}-u", "user": user or {"token": f"{context}-token"}}],
        "current-context": context,
    }


def failure(*args: Any, **more: Any) -> ClusterError:
    with pytest.raises(ClusterError) as caught:
        load_config(*args, **more)
    assert "Traceback" not in str(caught.value)
    assert caught.value.message.endswith((".", "?"))
    return caught.value


def test_a_plain_file(tmp_path: Path) -> None:
    config = load_config(str(write(tmp_path / "c", **entries(namespace="shop"))), environ={})
    assert config.server == "https://dev:6443"
    assert (config.context, config.cluster, config.user) == ("dev", "dev-c", "dev-u")
    assert (config.namespace, config.auth.token, config.host) == ("shop", "dev-token", "dev:6443")


def test_home_is_the_default(tmp_path: Path) -> None:
    write(tmp_path / ".kube" / "config", **entries())
    config = load_config(environ={"HOME": str(tmp_path)})
    assert config.context == "dev"
    assert config.namespace == "default"


def test_of_several_files_the_first_to_name_something_wins(tmp_path: Path) -> None:
    first = write(tmp_path / "1", **entries("a", user={"token": "first"}))
    second = entries("b")
    second["users"].append({"name": "a-u", "user": {"token": "second"}})
    write(tmp_path / "2", **second)
    listed = os.pathsep.join([str(tmp_path / "missing"), str(first), "", str(tmp_path / "2")])
    environ = {"KUBECONFIG": listed}
    assert load_config(environ=environ).auth.token == "first"
    assert load_config(context="b", environ=environ).server == "https://b:6443"
    assert list_contexts(environ=environ) == [
        ContextInfo("a", "a-c", "a-u", "default", True),
        ContextInfo("b", "b-c", "b-u", "default", False),
    ]


def test_a_context_may_use_another_files_cluster(tmp_path: Path) -> None:
    one, two = entries("x"), entries("x")
    del one["clusters"], two["contexts"], two["users"]
    paths = [write(tmp_path / "1", **one), write(tmp_path / "2", **two)]
    config = load_config(environ={"KUBECONFIG": os.pathsep.join(map(str, paths))})
    assert config.server == "https://x:6443"


def test_paths_are_relative_to_the_file_they_stand_in(tmp_path: Path) -> None:
    for name in ("ca.crt", "me.crt", "me.key", "token"):
        (tmp_path / "one" / "pki").mkdir(parents=True, exist_ok=True)
        (tmp_path / "one" / "pki" / name).write_text(name)
    write(
        tmp_path / "one" / "config",
        **entries(
            cluster={"server": "https://h", "certificate-authority": "pki/ca.crt"},
            user={
                "client-certificate": "pki/me.crt",
                "client-key": "pki/me.key",
                "tokenFile": "pki/token",
            },
        ),
    )
    config = load_config(str(tmp_path / "one" / "config"), environ={})
    assert config.tls.ca_file == str(tmp_path / "one" / "pki" / "ca.crt")
    assert config.auth.certificate is not None
    assert config.auth.certificate.key_file == str(tmp_path / "one" / "pki" / "me.key")
    assert config.auth.token_file == str(tmp_path / "one" / "pki" / "token")
    assert config.auth.token is None


def test_inline_data_wins_over_files_and_is_not_shown(tmp_path: Path) -> None:
    secret = base64.b64encode(b"SECRET").decode()
    config = load_config(
        str(
            write(
                tmp_path / "c",
                **entries(
                    cluster={
                        "server": "https://h",
                        "certificate-authority": "missing",
                        "certificate-authority-data": secret,
                        "tls-server-name": "inner",
                        "proxy-url": "http://proxy:3128",
                    },
                    user={
                        "client-certificate-data": secret,
                        "client-key-data": secret,
                        "token": "SECRET",
                        "username": "u",
                        "password": "SECRET",
                        "exec": {
                            "apiVersion": "client.authentication.k8s.io/v1",
                            "command": "./bin/login",
                            "args": ["SECRET"],
                            "env": [{"name": "A", "value": "SECRET"}],
                        },
                    },
                ),
            )
        ),
        environ={},
    )
    assert config.tls.ca_data == b"SECRET"
    assert (config.tls.server_name, config.proxy) == ("inner", "http://proxy:3128")
    assert config.auth.certificate is not None
    assert config.auth.certificate.key_data == b"SECRET"
    assert config.auth.plugin is not None
    assert config.auth.plugin.command == str(tmp_path / "bin" / "login")
    assert config.auth.plugin.env == (("A", "SECRET"),)
    assert "SECRET" not in repr(config)
    assert secret not in repr(config)


def test_impersonation(tmp_path: Path) -> None:
    user = {"as": "ada", "as-groups": ["a", "b"], "as-user-extra": {"Scope": ["x"]}}
    config = load_config(str(write(tmp_path / "c", **entries(user=user))), environ={})
    assert config.auth.impersonate == (
        ("Impersonate-User", "ada"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b"),
        ("Impersonate-Extra-scope", "x"),
    )


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"server": "h:8080"}, "http://h:8080"),
        ({"server": "h:6443", "insecure-skip-tls-verify": True}, "https://h:6443"),
        ({"server": "https://h/k8s/c-1/"}, "https://h/k8s/c-1"),
        ({"server": "https://[::1]:6443"}, "https://[::1]:6443"),
    ],
)
def test_server_addresses(tmp_path: Path, given: dict[str, Any], made: str) -> None:
    config = load_config(str(write(tmp_path / "c", **entries(cluster=given))), environ={})
    assert config.server == made


def test_insecure_is_known(tmp_path: Path) -> None:
    def insecure(cluster: dict[str, Any]) -> bool:
        path = write(tmp_path / "c", **entries(cluster=cluster))
        return load_config(str(path), environ={}).insecure

    assert not insecure({"server": "https://h"})
    assert not insecure({"server": "https://h", "insecure-skip-tls-verify": "true"})
    assert insecure({"server": "https://h", "insecure-skip-tls-verify": True})
    assert insecure({"server": "http://h"})


def test_no_kubeconfig_says_where_was_looked(tmp_path: Path) -> None:
    error = failure(environ={"HOME": str(tmp_path)})
    assert str(tmp_path / ".kube" / "config") in error.message
    assert "--demo" in error.hint
    error = failure(environ={"KUBECONFIG": "/no/such/file"})
    assert "/no/such/file" in error.message
    error = failure("/no/such/other", environ={})
    assert "/no/such/other" in error.message
    assert list_contexts(environ={"HOME": str(tmp_path)}) == []


def test_an_unknown_context_lists_the_known_ones(tmp_path: Path) -> None:
    document = entries("a")
    document["contexts"] += entries("b")["contexts"]
    error = failure(str(write(tmp_path / "c", **document)), "prod", environ={})
    assert "'prod'" in error.message
    assert "a, b" in error.hint


def test_no_current_context(tmp_path: Path) -> None:
    document = {**entries("a"), "current-context": ""}
    error = failure(str(write(tmp_path / "c", **document)), environ={})
    assert "No context is chosen" in error.message
    assert "--context NAME" in error.hint
    error = failure(str(write(tmp_path / "c")), environ={})
    assert "names none" in error.hint


@pytest.mark.parametrize("what", ["cluster", "user"])
def test_a_context_that_names_what_is_missing(tmp_path: Path, what: str) -> None:
    document = {**entries("a"), f"{what}s": None}
    error = failure(str(write(tmp_path / "c", **document)), environ={})
    assert f"the {what} 'a-{what[0]}'" in error.message


def test_malformed_yaml_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "c"
    path.write_text("apiVersion: v1\nclusters: [\nusers: }\n")
    error = failure(str(path), environ={})
    assert "not valid YAML at line 3" in error.message


@pytest.mark.parametrize(
    "text", ["just text", "- a\n- b\n", "clusters: 5\n", "!!python/object:os.system {}\n", "\x00"]
)
def test_what_is_no_kubeconfig(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c"
    path.write_text(text)
    failure(str(path), environ={})


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "c"
    path.mkdir()
    assert "cannot be read" in failure(str(path), environ={}).message


@pytest.mark.parametrize(
    ("cluster", "user", "words"),
    [
        ({"server": ""}, {}, "no usable server address"),
        ({"server": "ftp://x"}, {}, "no usable server address"),
        ({"server": "https://h:99999999"}, {}, "no usable server address"),
        ({"server": "https://h", "certificate-authority": "nope"}, {}, "cannot be read"),
        ({"server": "https://h", "certificate-authority-data": "%"}, {}, "not base64"),
        (None, {"auth-provider": {"name": "gcp"}}, "'gcp'"),
        (None, {"exec": {"command": "x", "apiVersion": "v0"}}, "'v0'"),
        (None, {"exec": {"apiVersion": "client.authentication.k8s.io/v1"}}, "no command"),
        (None, {"tokenFile": "nope"}, "cannot be read"),
    ],
)
def test_unusable_entries(
    tmp_path: Path, cluster: dict[str, Any] | None, user: dict[str, Any], words: str
) -> None:
    path = write(tmp_path / "c", **entries(cluster=cluster, user=user or {"token": "t"}))
    error = failure(str(path), environ={})
    assert words in error.message
    assert error.hint


def test_odd_names_are_printable_in_errors(tmp_path: Path) -> None:
    path = write(tmp_path / "c", **entries("\x1b[31mred"))
    error = failure(str(path), "x", environ={})
    assert "\x1b" not in str(error)


def test_in_a_pod_the_service_account_is_used(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t")
    (tmp_path / "ca.crt").write_text("pem")
    (tmp_path / "namespace").write_text("shop\n")
    environ = {"HOME": str(tmp_path), "KUBERNETES_SERVICE_HOST": "fd00::1"}
    config = load_config(environ=environ, service_account=tmp_path)
    assert config.server == "https://[fd00::1]:443"
    assert config.auth.token_file == str(tmp_path / "token")
    assert config.tls.ca_file == str(tmp_path / "ca.crt")
    assert config.namespace == "shop"
    (tmp_path / "token").unlink()
    assert "service account token" in failure(environ=environ, service_account=tmp_path).message
