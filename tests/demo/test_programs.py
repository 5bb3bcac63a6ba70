from __future__ import annotations

from typing import Any

import pytest

from tui.demo.node.programs import ANNOTATION, DATE, HOSTNAME, Program, program_of, reads_words
from tui.demo.node.status import canonical, pull_error


def _program(image: str = "nginx:1", note: str = "", **container: Any) -> Program:
    return program_of({"name": "a", "image": image, **container}, {ANNOTATION: note})


@pytest.mark.parametrize(
    ("command", "lasts", "code", "output"),
    [
        (["true"], 0.05, 0, ()),
        (["false"], 0.05, 1, ()),
        (["sleep", "90"], 90, 0, ()),
        (["sleep", "2m"], 120, 0, ()),
        (["sleep", "infinity"], None, 0, ()),
        (["sh", "-c", "echo hi; sleep 3; exit 4"], 3.05, 4, ("hi",)),
        (["sh", "-c", "echo 'a b' && false && echo no"], 0.05, 1, ("a b",)),
        (["sh", "-c", "while true; do date; done"], None, 0, (DATE,)),
        (["sh", "-c", "while true; do nc -l 80; done"], None, 0, ()),
    ],
)
def test_commands(command: list[str], lasts: float | None, code: int, output: tuple[str]) -> None:
    program = _program("busybox", command=command)
    assert program.lasts == (pytest.approx(lasts) if lasts is not None else None)
    assert (program.exit_code, program.output) == (code, output)


def test_a_loop_prints_again() -> None:
    script = "echo up; while true; do echo 'Logging frontend...'; sleep 10; done"
    program = _program("busybox", command=["sh", "-c", script])
    assert program.output == ("up", "Logging frontend...")
    assert (program.again, program.every) == (("Logging frontend...",), pytest.approx(10.05))


def test_a_shell_without_a_terminal_ends_at_once() -> None:
    assert _program("busybox").lasts is not None
    assert _program("busybox", args=["sleep", "5"]).lasts == 5
    assert _program("nginx", args=["-g", "daemon off;"]).lasts is None
    assert _program("perl", command=["bash"]).lasts is not None


@pytest.mark.parametrize(
    ("container", "reads"),
    [
        ({"image": "busybox"}, True),
        ({"image": "perl", "command": ["/bin/bash", "-l"]}, True),
        ({"image": "busybox", "args": ["sh"]}, True),
        ({"image": "nicolaka/netshoot", "tty": True}, True),
        ({"image": "nicolaka/netshoot"}, False),
        ({"image": "nginx", "tty": True}, False),
        ({"image": "busybox", "args": ["sh", "-c", "echo a"]}, False),
        ({"image": "busybox", "command": ["echo", "hi"]}, False),
    ],
)
def test_a_shell_with_an_open_input_waits_for_words(container: dict[str, Any], reads: bool) -> None:
    assert reads_words({**container, "stdin": True}) is reads
    assert not reads_words(container)
    if reads:
        assert program_of({**container, "stdin": True}, {}, task=True).lasts is None


def test_a_binary_that_is_not_there() -> None:
    assert "no such file or directory" in _program(command=["/no/such"]).start_error
    assert not _program(command=["/usr/bin/thing"]).start_error


def test_memory_beyond_the_limit_is_fatal() -> None:
    limits = {"resources": {"limits": {"memory": "128Mi"}}}
    words = ["stress", "--vm", "1", "--vm-bytes"]
    killed = _program(command=[*words, "250M"], **limits)
    assert (killed.exit_code, killed.reason) == (137, "OOMKilled")
    assert _program(command=[*words, "64M"], **limits).memory == 64 * 1024**2


def test_annotations_decide() -> None:
    note = "pull-time=20 start-time=5 exit-after=10s exit-code=3 readiness=fail cpu=50m memory=1Mi"
    program = _program(note=note + " nonsense=1 exit-code=x pull=ok")
    assert (program.pull_time, program.starts_in, program.lasts) == (20, 5, 10)
    assert (program.exit_code, program.readiness, program.pull_fails) == (3, False, False)
    assert (program.cpu, program.memory) == (0.05, 1024**2)


@pytest.mark.parametrize(
    ("image", "full"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1", "docker.io/library/nginx:1"),
        ("a/b", "docker.io/a/b:latest"),
        ("ghcr.io/a/b:2", "ghcr.io/a/b:2"),
        ("localhost/a", "localhost/a:latest"),
        ("host:5000/a", "host:5000/a:latest"),
    ],
)
def test_images_have_full_names(image: str, full: str) -> None:
    assert canonical(image) == full
    assert full in pull_error(image)


def test_short_commands_end_and_tasks_do_not_run_for_ever() -> None:
    script = {"image": "busybox", "command": ["sh", "-c", "date; echo Hello; hostname"]}
    found = program_of(script, {})
    assert found.lasts is not None
    assert found.output == (DATE, "Hello", HOSTNAME)
    unknown = {"image": "perl:5", "command": ["perl", "-wle", "print 1"]}
    assert program_of(unknown, {}).lasts is None
    assert program_of(unknown, {}, task=True).lasts == 5.0
    for ever in (["sleep", "infinity"], ["sh", "-c", "while true; do date; done"]):
        assert program_of({"image": "busybox", "command": ever}, {}, task=True).lasts is None
    server = {"image": "nginx:alpine"}
    assert program_of(server, {}, task=True).lasts is None
