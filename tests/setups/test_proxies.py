"""The proxies' configurations, held against the proxies themselves where they are installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tui.setups import catalogue, render
from tui.setups.values import complete

NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
CADDY = shutil.which("caddy")


def configuration(name: str, file: str) -> str:
    setup = catalogue.load().get(name)
    values = complete(setup, [{"app-service": "localhost"}])
    [data] = [
        one.body["data"]
        for one in render.render(setup, values, "here")
        if one.ref.kind == "ConfigMap"
    ]
    text: str = data[file]
    return text


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    conf = tmp_path / "nginx.conf"
    text = configuration("nginx", "nginx.conf").replace("/tmp/nginx.pid", str(tmp_path / "pid"))
    conf.write_text(text)
    assert NGINX is not None
    done = subprocess.run(
        [NGINX, "-t", "-c", str(conf)], capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr.replace('the "user" directive', "")


@pytest.mark.skipif(CADDY is None, reason="caddy is not installed")
def test_caddy_takes_its_configuration(tmp_path: Path) -> None:
    file = tmp_path / "Caddyfile"
    file.write_text(configuration("caddy", "Caddyfile"))
    assert CADDY is not None
    checked = [CADDY, "validate", "--adapter", "caddyfile", "--config", str(file)]
    done = subprocess.run(checked, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    formatted = subprocess.run(
        [CADDY, "fmt", str(file)], capture_output=True, text=True, timeout=20
    )
    assert formatted.stdout == file.read_text()


def test_the_faults_of_the_lesson_are_mended() -> None:
    caddy = configuration("caddy", "Caddyfile")
    code = [line.partition("#")[0] for line in caddy.splitlines()]
    assert not any("handle_path" in line or "health_uri" in line for line in code)
    assert not any("admin off" in line or "output file" in line for line in code)
    for setup in catalogue.load().setups:
        for template in setup.templates:
            assert "subPath" not in str(template)
            assert ":latest" not in str(template)
            if template["kind"] == "Deployment":
                [container] = template["spec"]["template"]["spec"]["containers"]
                assert {"requests", "limits"} <= container["resources"].keys()
                assert {"readinessProbe", "livenessProbe"} <= container.keys()
