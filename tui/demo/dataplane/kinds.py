"""Which server a container runs, told from its image."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from tui.demo.dataplane import costs
from tui.demo.dataplane.app import FastApi, Web
from tui.demo.dataplane.caddy.container import start as start_caddy
from tui.demo.dataplane.costs import Cost
from tui.demo.dataplane.nginx.container import start as start_nginx
from tui.demo.dataplane.setting import Made, Setting
from tui.demo.node.programs import ANNOTATION, Program
from tui.demo.store import Entry, Object

Make = Callable[[Setting], Made]

_COST: Final = re.compile(r"(\d+(?:\.\d+)?)ms")
_SYSTEM: Final = "kube-system"
_SCRIPT: Final = "load_app.py"


def find(pod: Entry, container: Object, program: Program) -> Make | None:
    """What starts the server of a container; None if it is none."""
    if not program.listens or program.lasts is not None or program.start_error:
        return None
    name = str(container.get("image", "")).partition("@")[0].rpartition("/")[2]
    command = container.get("command")
    runs = str(command[0]).rpartition("/")[2] if command else ""
    if "nginx" in name and runs in ("", "nginx"):
        return start_nginx
    if "caddy" in name and runs in ("", "caddy"):
        return start_caddy
    if "fastapi" in name or "uvicorn" in name or _is_load_app(container):
        return _start_app
    return None if pod.namespace == _SYSTEM else _start_web


def words(annotations: Mapping[str, str]) -> dict[str, str]:
    """The ``name=value`` words of the annotation `ANNOTATION`."""
    pairs = (word.partition("=") for word in annotations.get(ANNOTATION, "").split())
    return {name: value for name, _, value in pairs}


def _start_app(setting: Setting) -> Made:
    """A FastAPI app under gunicorn, printing what gunicorn prints."""
    port = _port(setting.container)
    script = _SCRIPT in _words(setting.container)
    process = FastApi(
        setting.place,
        setting.cpu,
        setting.print,
        frozenset({port}),
        _cost(setting),
        cpus=setting.cpus,
        speed=setting.clock.speed,
        health=setting.simulate.get("health") == "yes" or script,
        page=_is_load_app(setting.container),
    )
    stamp = setting.clock.wall().strftime("[%Y-%m-%d %H:%M:%S +0000]")
    output = (
        f"{stamp} [1] [INFO] Starting gunicorn 27.0.1",
        f"{stamp} [1] [INFO] Listening at: http://0.0.0.0:{port} (1)",
        f"{stamp} [1] [INFO] Using worker: uvicorn.workers.UvicornWorker",
        f"{stamp} [7] [INFO] Booting worker with pid: 7",
        f"{stamp} [7] [INFO] Started server process [7]",
        f"{stamp} [7] [INFO] Waiting for application startup.",
        f"{stamp} [7] [INFO] Application startup complete.",
    )
    return Made(process, output)


def _is_load_app(container: Object) -> bool:
    """Whether it runs the app that burns CPU on demand: by its image's name, or its script's."""
    image = str(container.get("image", "")).partition("@")[0].rpartition("/")[2]
    return "load" in image or _SCRIPT in _words(container)


def _words(container: Object) -> set[str]:
    """The file names in a container's command."""
    said = (*(container.get("command") or ()), *(container.get("args") or ()))
    return {str(word).rpartition("/")[2] for word in said}


def _start_web(setting: Setting) -> Made:
    """Some other server, on the ports that the container declares."""
    declared = frozenset(
        int(one["containerPort"])
        for one in setting.container.get("ports") or ()
        if one.get("protocol", "TCP") == "TCP"
    )
    ports = declared or frozenset({80})
    process = Web(setting.place, setting.cpu, setting.print, ports, _cost(setting))
    return Made(process)


def _port(container: Object) -> int:
    for variable in container.get("env") or ():
        if variable.get("name") == "PORT" and str(variable.get("value", "")).isdigit():
            return int(variable["value"])
    ports = container.get("ports") or ()
    return int(ports[0]["containerPort"]) if ports else 80


def _cost(setting: Setting) -> Cost:
    found = _COST.fullmatch(setting.simulate.get("cost", ""))
    return Cost(float(found[1]) / 1000 if found else costs.APP, setting.rng)
