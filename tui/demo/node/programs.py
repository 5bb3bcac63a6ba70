"""What runs in a container: how long, how it ends, what it prints, what it answers.

Nothing is executed. A program follows from the image, the command and, for lessons, from the pod
annotation ``kscale.dev/simulate``, a list of ``name=value`` words:

========================  =====================================================
``pull=fail``             the image cannot be pulled
``pull-time=20``          pulling takes 20 s
``start-time=5``          answers probes 5 s after its start
``exit-after=10``         ends by itself after 10 s
``exit-code=3``           with this code (137 and ``reason=OOMKilled`` for memory)
``readiness=fail``        fails its readiness probe (and ``liveness=fail``)
``stop-time=8``           takes 8 s to end when asked to
``cpu=50m memory=100Mi``  what it uses when idle
``cost=2ms``              CPU that each request costs an app
``health=yes``            the FastAPI sample answers ``/health``
``burn=4``                keeps four threads computing without end
========================  =====================================================
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from typing import Final

from tui import quantity
from tui.demo.store import Object

ANNOTATION: Final = "kscale.dev/simulate"
_MEBI: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Program:
    """The life of a container's process; times in simulated seconds."""

    lasts: float | None = None
    """Until it ends by itself; None: it runs until stopped."""
    exit_code: int = 0
    reason: str = ""
    """Why it ended, if it is not its code that tells (``OOMKilled``)."""
    output: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    """What it prints over and over."""
    every: float = 1.0
    """Seconds from one time to the next."""
    start_error: str = ""
    """The runtime's message if it cannot even start."""
    pull_fails: bool = False
    pull_time: float | None = None
    starts_in: float = 0.0
    """Until it answers."""
    stops_in: float = 0.5
    heeds_sigterm: bool = True
    listens: bool = True
    readiness: bool = True
    liveness: bool = True
    cpu: float = 0.0005
    """Cores used when idle."""
    memory: int = 12 * _MEBI
    """Bytes used when idle."""


_IMAGES: Final[tuple[tuple[str, Program], ...]] = (
    (
        "fastapi",
        Program(
            output=(
                "INFO:     Started server process [1]",
                "INFO:     Waiting for application startup.",
                "INFO:     Application startup complete.",
                "INFO:     Uvicorn running on http://0.0.0.0:80 (Press CTRL+C to quit)",
            ),
            stops_in=0.7,
            cpu=0.0021,
            memory=50 * _MEBI,
        ),
    ),
    (
        "nginx",
        Program(
            output=(
                "/docker-entrypoint.sh: Configuration complete; ready for start up",
                "[notice] 1#1: start worker processes",
            ),
            stops_in=0.2,
            cpu=0.0001,
            memory=4 * _MEBI,
        ),
    ),
    (
        "caddy",
        Program(
            output=(
                '{"level":"info","msg":"using config from file","file":"/etc/caddy/Caddyfile"}',
                '{"level":"info","msg":"serving initial configuration"}',
            ),
            stops_in=0.3,
            cpu=0.0003,
            memory=12 * _MEBI,
        ),
    ),
    ("kube-apiserver", Program(cpu=0.045, memory=310 * _MEBI)),
    ("etcd", Program(cpu=0.02, memory=60 * _MEBI)),
    ("kube-controller-manager", Program(cpu=0.015, memory=55 * _MEBI)),
    ("kube-scheduler", Program(cpu=0.004, memory=25 * _MEBI)),
    ("metrics-server", Program(cpu=0.004, memory=22 * _MEBI)),
    ("coredns", Program(cpu=0.002, memory=16 * _MEBI)),
    ("kube-proxy", Program(cpu=0.001, memory=18 * _MEBI)),
)
_NO_SUCH: Final = re.compile(r"no-?such|does-?not-?exist|nonexist|missing|\.invalid(/|$)", re.I)
_SHELL_IMAGES: Final = re.compile(r"(.*/)?(busybox|alpine|ubuntu|debian|centos|fedora)(:|$)")
DATE: Final = "\0date"
"""In a printed line: the time when it is printed."""
HOSTNAME: Final = "\0hostname"
"""In a printed line: the pod's name."""
_TASK: Final = 5.0
# Commands that are done at once, and what they print; what depends on files is left out.
_SHORT: Final = {
    "date": DATE,
    "hostname": HOSTNAME,
    "id": "uid=0(root) gid=0(root) groups=0(root)",
    "pwd": "/",
    "uname": "Linux",
    "whoami": "root",
} | dict.fromkeys(("cat", "chmod", "cp", "env", "ls", "mkdir", "mv", "printenv", "rm", "touch"), "")
_LOOP: Final = re.compile(
    r"(?P<head>.*?)\bwhile\s+(?:true|:|\[ 1 \])\s*;\s*do\b(?P<body>.*?)[;\s]*\bdone[;\s]*", re.S
)
_SHELLS: Final = ("sh", "bash", "/bin/sh", "/bin/bash")
_SHELL_NAMES: Final = ("sh", "ash", "bash")
_BINARIES: Final = (
    "/bin/",
    "/sbin/",
    "/usr/",
    "/opt/",
    "/app",
    "/entrypoint",
    "/docker",
    "/metrics",
)


def program_of(container: Object, annotations: dict[str, str], *, task: bool = False) -> Program:
    """The program of a container of a pod with these annotations.

    Args:
        container: its part of the pod's spec.
        annotations: the pod's.
        task: the pod is not to run for ever, so that a command nobody knows ends after a while.
    """
    image = str(container.get("image", ""))
    name = image.partition("@")[0]
    found = next((program for part, program in _IMAGES if part in name), Program())
    if _NO_SUCH.search(image):
        found = replace(found, pull_fails=True)
    words = [str(w) for w in (*(container.get("command") or ()), *(container.get("args") or ()))]
    if reads_words(container):
        return _as_annotated(
            replace(found, listens=False, output=()), annotations.get(ANNOTATION, "")
        )
    if _SHELL_IMAGES.match(name) and not container.get("command"):
        # Their default is a shell, which ends at once if nobody can say a word to it.
        found = replace(found, lasts=0.05, listens=False)
    if container.get("command") or (words and _SHELL_IMAGES.match(name)):
        found = _of_command(replace(found, lasts=None), words, container)
        known = words[0] in _SHELLS or words[0] == "sleep"
        if task and not known and found.lasts is None and not found.start_error:
            found = replace(found, lasts=_TASK, listens=False)
    return _as_annotated(found, annotations.get(ANNOTATION, ""))


def reads_words(container: Object) -> bool:
    """Whether a container's process is a shell that waits for words on its standard input."""
    if not container.get("stdin"):
        return False
    name = str(container.get("image", "")).partition("@")[0]
    words = [str(w) for w in (*(container.get("command") or ()), *(container.get("args") or ()))]
    if words:
        flags = words[1:]
        return words[0].rpartition("/")[2] in _SHELL_NAMES and all(
            one.startswith("-") and not one.endswith("c") for one in flags
        )
    if _SHELL_IMAGES.match(name):
        return True
    # Nobody wants a terminal of what does not talk to people.
    return bool(container.get("tty")) and not any(part in name for part, _ in _IMAGES)


def _of_command(program: Program, words: list[str], container: Object) -> Program:
    first = words[0]
    if first in _SHELLS and len(words) == 1:
        return _ended(program, 0.05, 0, [])
    if first in _SHELLS and len(words) > 2 and words[1] in ("-c", "-ec"):
        return _of_script(program, words[2])
    if first == "sleep" and len(words) > 1:
        seconds = _seconds(words[1])
        return replace(program, lasts=seconds, listens=False, heeds_sigterm=False)
    name = first.rpartition("/")[2]
    if name == "echo":
        return _ended(program, 0.05, 0, [" ".join(words[1:])])
    if name in _SHORT:
        return replace(program, lasts=0.05, listens=False, output=_printed(name))
    if first in ("true", "false", "/bin/true", "/bin/false"):
        return replace(program, lasts=0.05, exit_code=int(first.endswith("false")), listens=False)
    if first == "stress" and "--vm-bytes" in words[:-1]:
        return _of_stress(program, words, container)
    if first.startswith("/") and not first.startswith(_BINARIES):
        message = (
            "failed to create containerd task: failed to create shim task: OCI runtime create "
            "failed: runc create failed: unable to start container process: exec: "
            f'"{first}": stat {first}: no such file or directory: unknown'
        )
        return replace(program, start_error=message)
    return program


def _of_loop(program: Program, script: str) -> Program | None:
    """A script that ends in a loop of ``echo`` and ``sleep`` without end; None for another."""
    match = _LOOP.fullmatch(script)
    if match is None:
        return None
    body = _of_script(Program(), match["body"])
    head = _of_script(Program(), match["head"])
    if body.lasts is None or body.exit_code or head.lasts is None or head.exit_code:
        return None
    return replace(
        program,
        lasts=None,
        output=(*head.output, *body.output),
        again=body.output,
        every=max(1.0, body.lasts),
        listens=False,
        heeds_sigterm=False,
    )


def _of_script(program: Program, script: str) -> Program:
    """A shell script of ``echo``, ``sleep``, ``exit`` and what is `_SHORT`; else it runs on."""
    loop = _of_loop(program, script)
    if loop is not None:
        return loop
    lasted, printed = 0.05, []
    for step in re.split(r";|&&|\n", script):
        try:
            words = shlex.split(step.replace(">&2", ""))
        except ValueError:
            words = [step]
        if not words:
            continue
        if words[0] == "echo":
            printed.append(" ".join(words[1:]))
        elif words[0] == "sleep" and len(words) > 1 and (seconds := _seconds(words[1])) is not None:
            lasted += seconds
        elif words[0] == "exit":
            code = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
            return _ended(program, lasted, code, printed)
        elif words[0] == "false":
            return _ended(program, lasted, 1, printed)
        elif words[0] in _SHORT:
            printed += _printed(words[0])
        elif words[0] != "true":
            return replace(program, output=(*printed, *program.output))
    return _ended(program, lasted, 0, printed)


def _printed(name: str) -> tuple[str, ...]:
    text = _SHORT[name]
    return (text,) if text else ()


def _ended(program: Program, lasts: float, code: int, printed: list[str]) -> Program:
    return replace(
        program,
        lasts=lasts,
        exit_code=code % 256,
        output=tuple(printed),
        listens=False,
        heeds_sigterm=False,
    )


def _of_stress(program: Program, words: list[str], container: Object) -> Program:
    text = words[words.index("--vm-bytes") + 1].rstrip("Bb")
    try:
        asked = quantity.whole(text + "i" if text[-1:].isalpha() else text)
    except quantity.QuantityError:
        return program
    limit = ((container.get("resources") or {}).get("limits") or {}).get("memory")
    if limit is not None and asked > quantity.whole(str(limit)):
        return replace(program, lasts=0.4, exit_code=137, reason="OOMKilled", listens=False)
    return replace(program, memory=asked, cpu=1.0, listens=False)


def _seconds(text: str) -> float | None:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if match is None:
        return None
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]


def _as_annotated(program: Program, text: str) -> Program:
    changes: Object = {}
    for word in text.split():
        name, _, value = word.partition("=")
        seconds = _seconds(value)
        if name == "pull":
            changes["pull_fails"] = value == "fail"
        elif name in ("readiness", "liveness"):
            changes[name] = value != "fail"
        elif name == "reason":
            changes["reason"] = value
        elif name == "exit-code" and value.isdigit():
            changes["exit_code"] = int(value) % 256
        elif name in _TIMES and seconds is not None:
            changes[_TIMES[name]] = seconds
        elif name in ("cpu", "memory"):
            try:
                amount = quantity.parse(value)
            except quantity.QuantityError:
                continue
            changes[name] = float(amount) if name == "cpu" else int(amount)
    return replace(program, **changes)


_TIMES: Final = {
    "pull-time": "pull_time",
    "start-time": "starts_in",
    "exit-after": "lasts",
    "stop-time": "stops_in",
}
