"""Credential plugins: commands of the kubeconfig that print a token or a client certificate.

The protocol is client.authentication.k8s.io/v1 (and v1beta1):
https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins

A plugin never sees the terminal: its input is closed, its error output is kept for the error
message, and it runs in a session of its own, so that it cannot open the terminal either.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from tui.cluster.access import Certificate, ExecPlugin
from tui.cluster.decode.common import instant
from tui.cluster.errors import UNREADABLE, ApiError, Fault, one_line
from tui.cluster.halt import current

VERSIONS: Final = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_LOOK: Final = 0.1
_PIECE: Final = 64 * 1024
_LARGEST: Final = 1024 * 1024
"""Bytes of an answer that are read."""


@dataclass(frozen=True, slots=True)
class PluginCredentials:
    """What a plugin printed."""

    token: str | None = field(default=None, repr=False)
    certificate: Certificate | None = None
    expires: float | None = None


class _Status(msgspec.Struct):
    token: str | None = None
    clientCertificateData: str | None = None  # noqa: N815 (the wire's name)
    clientKeyData: str | None = None  # noqa: N815
    expirationTimestamp: str | None = None  # noqa: N815


class _ExecCredential(msgspec.Struct):
    apiVersion: str | None = None  # noqa: N815
    kind: str | None = None
    status: _Status | None = None


def run(
    plugin: ExecPlugin, cluster_info: str = "", environ: Mapping[str, str] = os.environ
) -> PluginCredentials:
    """Run the plugin and read what it prints.

    Raises:
        ApiError: of kind CREDENTIALS; it is missing, failed, hung or printed something else.
    """
    name = one_line(os.path.basename(plugin.command), 60)
    if plugin.interactive_mode == "Always":
        raise _failure(
            f"The credential plugin {name} wants to ask questions on the terminal.",
            "Log in with kubectl first, or use a plugin that needs no terminal.",
        )
    output = _output(plugin, name, _environment(plugin, cluster_info, environ))
    try:
        answer = msgspec.json.decode(output, type=_ExecCredential)
    except UNREADABLE:
        raise _failure(f"The credential plugin {name} did not print an ExecCredential.") from None
    if answer.kind != "ExecCredential" or answer.apiVersion != plugin.api_version:
        raise _failure(
            f"The credential plugin {name} answered with {one_line(answer.apiVersion or '', 80)}, "
            f"the kubeconfig asks for {plugin.api_version}."
        )
    status = answer.status or _Status()
    certificate = None
    if status.clientCertificateData and status.clientKeyData:
        certificate = Certificate(
            cert_data=status.clientCertificateData.encode(),
            key_data=status.clientKeyData.encode(),
        )
    if not status.token and certificate is None:
        raise _failure(f"The credential plugin {name} printed neither token nor certificate.")
    return PluginCredentials(status.token, certificate, instant(status.expirationTimestamp))


def _environment(
    plugin: ExecPlugin, cluster_info: str, environ: Mapping[str, str]
) -> dict[str, str]:
    spec: dict[str, object] = {"interactive": False}
    if plugin.provide_cluster_info and cluster_info:
        spec["cluster"] = json.loads(cluster_info)
    info = {"kind": "ExecCredential", "apiVersion": plugin.api_version, "spec": spec}
    return {**environ, **dict(plugin.env), "KUBERNETES_EXEC_INFO": json.dumps(info)}


def _output(plugin: ExecPlugin, name: str, env: dict[str, str]) -> bytes:
    try:
        process = subprocess.Popen(  # noqa: S603 (the user's kubeconfig names the command)
            [plugin.command, *plugin.args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
            start_new_session=True,
        )
    except FileNotFoundError:
        hint = one_line(plugin.install_hint) or f"Install {name}, or put it on the PATH."
        raise _failure(f"The credential plugin {name} was not found.", hint) from None
    except (OSError, ValueError) as error:
        why = one_line(getattr(error, "strerror", None) or str(error))
        raise _failure(f"The credential plugin {name} cannot be run: {why}.") from None
    with process:
        try:
            output, complaint = _await(process, plugin.timeout, name)
        except BaseException:
            _kill(process)
            raise
    if process.returncode:
        said = _last_words(complaint)
        raise _failure(
            f"The credential plugin {name} failed with code {process.returncode}"
            + (f": {said}" if said else ".")
        )
    return output


def _await(process: subprocess.Popen[bytes], timeout: float, name: str) -> tuple[bytes, bytes]:
    """What it prints on both outputs, once it has ended; a stop is heard meanwhile.

    Both are read all the time, so that it never waits for us, and no more is kept than is of use.
    """
    deadline = time.monotonic() + timeout
    halt = current()
    printed: dict[object, bytes] = {process.stdout: b"", process.stderr: b""}
    with selectors.DefaultSelector() as pipes:
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipes.register(pipe, selectors.EVENT_READ)
        while True:
            ready = pipes.select(_LOOK) if pipes.get_map() else []
            for key, _ in ready:
                piece = os.read(key.fd, _PIECE)
                if not piece:
                    pipes.unregister(key.fileobj)
                most = _LARGEST + 1 if key.fileobj is process.stdout else _PIECE
                printed[key.fileobj] = (printed[key.fileobj] + piece)[-most:]
            if len(printed[process.stdout]) > _LARGEST:
                raise _failure(f"The credential plugin {name} prints without end.")
            # What it left running may hold the pipes open: its own end is what counts.
            if not ready and _ended(process, pipes):
                return printed[process.stdout], printed[process.stderr]
            if halt is not None and halt.stopped:
                raise ApiError(Fault.STOPPED, "stopped")
            if time.monotonic() > deadline:
                raise _failure(
                    f"The credential plugin {name} did not answer within {timeout:g} s.",
                    "Run kubectl once in another terminal to see what it waits for.",
                )


def _ended(process: subprocess.Popen[bytes], pipes: selectors.BaseSelector) -> bool:
    if pipes.get_map():
        return process.poll() is not None
    # Nothing more can be read: there is only its end to wait for.
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_LOOK)
    return process.poll() is not None


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the plugin and what it started, which may hold its pipes open."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _last_words(complaint: bytes) -> str:
    lines = [line for line in complaint.decode("utf-8", "replace").splitlines() if line.strip()]
    return one_line(" ".join(lines[-2:]), 200)


def _failure(message: str, hint: str = "") -> ApiError:
    return ApiError(Fault.CREDENTIALS, f"{message} {hint}".rstrip())
