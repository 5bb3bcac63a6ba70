"""What is not shown of values, and what has to stay readable."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.resources import fixtures
from tui.setups import covered, diff

NAMES = (
    "DB_PASS PGPASS dbPass MYSQL_PWD PASSWORD passphrase AUTH REDIS_AUTH Authorization JWT bearer "
    "AWS_ACCESS_KEY_ID STRIPE_KEY SIGNING_KEY x-api-key tls.key clientSecret TOKEN DB_CREDS"
)
ORDINARY = (
    "PWD OLDPWD key monkey topologyKey topology-key PARTITION_KEY PUBLIC_KEY AUTHOR AUTH_URL "
    "JWT_ISSUER BYPASS COMPASS PASS_THROUGH proxy_pass secretName automountServiceAccountToken "
    "MAX_TOKENS configMapKeyRef PASSWORD_FILE nginx.conf Caddyfile replicas"
)


@pytest.mark.parametrize("name", NAMES.split())
def test_a_name_tells_what_is_not_shown(name: str) -> None:
    shown = diff.shown({"name": name, "value": "HUNTER2"})
    assert "HUNTER2" not in str(shown)
    assert "HUNTER2" not in str(diff.shown("HUNTER2", ("f:data", f"f:{name}")))
    path = ("f:env", f'k:{{"name":"{name}"}}', "f:value")
    assert "HUNTER2" not in str(diff.shown("HUNTER2", path))


@pytest.mark.parametrize("name", ORDINARY.split())
def test_a_name_like_others_hides_nothing(name: str) -> None:
    assert "v1" in str(diff.shown({"name": name, "value": "v1"}))
    assert "v1" in str(diff.shown("v1", ("f:data", f"f:{name}")))


def test_a_container_may_be_called_anything() -> None:
    path = ("f:spec", "f:containers", 'k:{"name":"auth"}', "f:image")
    assert diff.shown("auth:1", path) == '"auth:1"'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgres://app:HUNTER2@db:5432/x", "postgres://app:(not shown)@db:5432/x"),
        ("redis://:HUN@TER2@r/0", "redis://:(not shown)@r/0"),
        ("https://ghp0123456789HUNTER2abc@git/x", "https://(not shown)@git/x"),
        ("a: 1\npassword: HUNTER2 x\nb: 2", "a: 1\npassword: (not shown)\nb: 2"),
        ("DB_PASSWORD=HUNTER2\nX=1", "DB_PASSWORD=(not shown)\nX=1"),
        ("export TOKEN=HUNTER2", "export TOKEN=(not shown)"),
        ("  - api_key: HUNTER2", "  - api_key: (not shown)"),
        ("user=u password=HUNTER2 host=h", "user=u password=(not shown) host=h"),
        ("Server=db;Password=HUNTER2;Port=1", "Server=db;Password=(not shown);Port=1"),
        ("url=http://x/?token=HUNTER2&y=1", "url=http://x/?token=(not shown)&y=1"),
        ("run --password HUNTER2 -v", "run --password (not shown) -v"),
        ("--db-password=HUNTER2", "--db-password=(not shown)"),
        ('{"a": "b", "password": "HUNTER2"}', '{"a": "b", "password": (not shown)}'),
        ("curl -H 'X: Bearer HUNTER2abc'", "curl -H 'X: Bearer (not shown)'"),
        ("bob $2a$14$HUNTER2", "bob (not shown)"),
        (
            "-----BEGIN PRIVATE KEY-----\nHUNTER2\n-----END PRIVATE KEY-----\nx",
            "-----BEGIN PRIVATE KEY-----\n(not shown)\n-----END PRIVATE KEY-----\nx",
        ),
    ],
)
def test_what_is_set_inside_of_a_text_is_not_shown(text: str, shown: str) -> None:
    assert covered.text(text) == shown
    assert covered.text(shown) == shown


@pytest.mark.parametrize(
    "line",
    [
        "proxy_pass http://app:80;",
        "proxy_pass http://auth:8080;",
        "proxy_set_header Authorization $http_authorization;",
        "proxy_cache_key $host$uri;",
        'auth_basic "Basic authentication";',
        "auth_request /auth;",
        "server_tokens off;",
        "ssl_certificate_key /etc/tls/server.pem;",
        "log_format x '$remote_user token=$arg_token';",
        "if ($arg_token = x) {",
        "forward_auth auth:9091 {",
        "basic_auth {",
        "token: ${TOKEN}",
        "password:",
        "password: ''",
        "passwordFile: /run/secrets/db",
        "http://a:80/b @named",
    ],
)
def test_a_configuration_stays_readable(line: str) -> None:
    assert covered.text(line) == line


@pytest.mark.parametrize("file", sorted((fixtures() / "setups").glob("*/*")), ids=lambda p: p.name)
def test_nothing_is_hidden_of_the_setups_that_come_along(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert covered.text(text) == text


def test_an_argument_after_its_flag_is_not_shown() -> None:
    shown = diff.shown(["run", "--token", "HUNTER2", "--port", "80", "--password", "--quiet"])
    assert shown == '["run", "--token", "(not shown)", "--port", "80", "--password", "--quiet"]'


def test_changed_lines_are_covered_by_what_stands_around_them() -> None:
    pem = "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\nport: {}\n"
    old, new = ({"data": {"a.conf": pem.format(*one)}} for one in (("OLD", 1), ("HUNTER2", 2)))
    changes = [(one.path, one.old, one.new) for one in diff.between(old, new)]
    assert changes == [
        ("data[a.conf] line 2", '"(not shown)"', '"(not shown)"'),
        ("data[a.conf] line 4", '"port: 1"', '"port: 2"'),
    ]
