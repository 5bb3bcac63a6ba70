"""What stands behind exec, attach and port-forward: the pod, as a session sees it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final, Protocol

from tui.demo import resources
from tui.demo.api import errors
from tui.demo.api.requests import Request, Response, Stream
from tui.demo.clock import Clock
from tui.demo.dataplane.app import FILES as APP_FILES
from tui.demo.dataplane.caddy.container import FILES as CADDY_FILES
from tui.demo.dataplane.files import Files
from tui.demo.dataplane.network import Network
from tui.demo.dataplane.nginx.image import FILES as NGINX_FILES
from tui.demo.dataplane.plane import DataPlane
from tui.demo.node.programs import reads_words
from tui.demo.resource import Resource
from tui.demo.store import Entry, Object, Store
from tui.demo.streams import service_links
from tui.demo.streams.attaching import Process
from tui.demo.streams.shell import Shell, World

_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MOST_ROOMS: Final = 32
_IMAGES: Final = (("fastapi", APP_FILES), ("nginx", NGINX_FILES), ("caddy", CADDY_FILES))


_KEYS: Final = (
    (resources.CONFIG_MAPS, "configMapKeyRef"),
    (resources.SECRETS, "secretKeyRef"),
)


def _status(pod: Entry, name: str) -> Object:
    """What the kubelet says of a container; empty if nothing."""
    kinds = ("containerStatuses", "ephemeralContainerStatuses")
    statuses = (one for kind in kinds for one in pod.status.get(kind) or ())
    return next((one for one in statuses if one["name"] == name), {})


def _runs(pod: Entry, name: str) -> bool:
    return "running" in (_status(pod, name).get("state") or {})


class LogSource(Protocol):
    """Who has the logs of containers."""

    def respond(self, pod: Entry, request: Request) -> Response | Stream:
        """Answer a log request."""

    def write(self, uid: str, container: str, text: str) -> None:
        """Print lines in the name of a container."""


class Ender(Protocol):
    """Who can end the processes of containers."""

    def exited(self, pod: Entry, container: str, code: int) -> None:
        """A container's process has ended with that code."""


class PodSessions:
    """Opens shells and tunnels into the pods of one cluster."""

    def __init__(
        self, store: Store, clock: Clock, plane: DataPlane, logs: LogSource, kubelet: Ender
    ) -> None:
        self._store = store
        self._clock = clock
        self._plane = plane
        self.logs = logs
        self._kubelet = kubelet
        self._shells: dict[tuple[str, str], tuple[str, Shell]] = {}
        self._written: dict[tuple[str, str], tuple[str, dict[str, str]]] = {}

    @property
    def network(self) -> Network:
        """Where the pods' processes listen."""
        return self._plane.network

    def container(self, pod: Entry, name: str) -> Object:
        """The container that a session is for; the first if none is named.

        Raises:
            ApiError: 400, there is none of this name, or it does not run.
        """
        found = self._named(pod, name)
        if pod.status.get("phase") in ("Succeeded", "Failed"):
            phase = pod.status["phase"]
            message = f"cannot exec into a container in a completed pod; current phase is {phase}"
            raise errors.bad_request(message)
        if not _runs(pod, found["name"]):
            raise errors.ApiError(
                500,
                "InternalError",
                f'container not found ("{found["name"]}")'
                if pod.spec.get("nodeName")
                else f"pod {pod.name} does not have a host assigned",
            )
        return found

    @staticmethod
    def _named(pod: Entry, name: str) -> Object:
        parts = ("containers", "initContainers", "ephemeralContainers")
        containers = [one for part in parts for one in pod.spec.get(part) or ()]
        found: Object | None = next(
            (one for one in containers if not name or one["name"] == name), None
        )
        if found is None:
            raise errors.bad_request(f"container {name} is not valid for pod {pod.name}")
        return found

    def process(self, pod: Entry, name: str) -> Process:
        """The first process of a container; of the first one if none is named.

        Raises:
            ApiError: 400, there is none of this name, or it does not run.
        """
        container = self._named(pod, name)
        reads = bool(container.get("stdin"))
        # A task may be done before whoever has started it comes to see.
        if not reads or not _status(pod, container["name"]).get("state", {}).get("terminated"):
            container = self.container(pod, name)
        uid, name = pod.uid, str(container["name"])
        query = {"follow": "true", "container": name} | ({} if reads else {"tailLines": "0"})
        output = self.logs.respond(pod, Request("GET", "", query))
        assert isinstance(output, Stream)
        run = _status(pod, name).get("containerID")

        def over() -> bool:
            now = self._store.get(resources.PODS.storage, *pod.key)
            if now is None or now.uid != uid or not _runs(now, name):
                return True
            return bool(_status(now, name).get("containerID") != run)

        return Process(
            shell=self._own_shell(pod, container, str(run)) if reads_words(container) else None,
            reads=reads,
            tty=bool(container.get("tty")),
            once=bool(container.get("stdinOnce")),
            output=output.chunks,
            over=over,
            log=lambda text: self.logs.write(uid, name, text),
            end=lambda code: None if over() else self._kubelet.exited(pod, name, code),
        )

    def _own_shell(self, pod: Entry, container: Object, run: str) -> Shell:
        """The shell that is a container's process: who comes back finds it as it was left."""
        key = (pod.uid, str(container["name"]))
        before, shell = self._shells.pop(key, ("", None))
        if shell is None or before != run:
            shell = self.shell(pod, container)
        while len(self._shells) >= _MOST_ROOMS:
            del self._shells[next(iter(self._shells))]
        self._shells[key] = (run, shell)
        return shell

    def shell(self, pod: Entry, container: Object) -> Shell:
        """A shell in a container."""
        image = str(container.get("image", ""))
        known = next((files for name, files in _IMAGES if name in image), {})
        mounts = container.get("volumeMounts") or ()
        known = {**known, **self._room(pod, container)}
        files = Files(known, mounts, self._plane.volumes(pod))
        return Shell(
            World(
                hostname=str(pod.spec.get("hostname") or pod.name),
                namespace=pod.namespace,
                address=str(pod.status.get("podIP", "")),
                env=self._environment(pod, container),
                files=files,
                network=self.network,
                now=self._clock.wall,
                written=self._room(pod, container),
                speed=self._clock.speed,
            )
        )

    def _room(self, pod: Entry, container: Object) -> dict[str, str]:
        """What was written in a container, which is lost when it starts again."""
        run = str(_status(pod, container["name"]).get("containerID", ""))
        key = (pod.uid, str(container["name"]))
        before, written = self._written.pop(key, ("", {}))
        while len(self._written) >= _MOST_ROOMS:
            del self._written[next(iter(self._written))]
        self._written[key] = (run, written if before == run else {})
        return self._written[key][1]

    def _environment(self, pod: Entry, container: Object) -> Mapping[str, str]:
        found = {"PATH": _PATH, "HOSTNAME": str(pod.spec.get("hostname") or pod.name)}
        for source in container.get("envFrom") or ():
            data = self._data(resources.CONFIG_MAPS, pod, source.get("configMapRef"))
            data |= self._data(resources.SECRETS, pod, source.get("secretRef"))
            prefix = source.get("prefix", "")
            found |= {f"{prefix}{key}": value for key, value in data.items()}
        for variable in container.get("env") or ():
            found[variable["name"]] = self._value(pod, variable)
        running = (_status(pod, container["name"]).get("state") or {}).get("running") or {}
        links = service_links.variables(self._store, pod, str(running.get("startedAt", "")))
        return {**found, **{key: links[key] for key in links if key not in found}, "HOME": "/root"}

    def _value(self, pod: Entry, variable: Object) -> str:
        if "value" in variable:
            return str(variable["value"])
        source = variable.get("valueFrom") or {}
        for resource, kind in _KEYS:
            if key := source.get(kind):
                return self._data(resource, pod, key).get(str(key.get("key")), "")
        path = str((source.get("fieldRef") or {}).get("fieldPath", ""))
        value: object = pod.data
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value if isinstance(value, str) else ""

    def _data(self, resource: Resource, pod: Entry, reference: Object | None) -> dict[str, str]:
        """What is in the ConfigMap or Secret that a container refers to."""
        name = str((reference or {}).get("name", ""))
        entry = self._store.get(resource.storage, pod.namespace, name)
        data: dict[str, str] = dict(entry.data.get("data") or {}) if entry is not None else {}
        if resource is resources.SECRETS:
            return {
                key: base64.b64decode(value).decode("utf-8", "replace")
                for key, value in data.items()
            }
        return data
