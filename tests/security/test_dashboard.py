"""The real program before a hostile cluster: what reaches the terminal and the log, byte by byte.

It takes some seconds, and so is part of the soak; ``tests/panes/test_hostile.py`` tries the panes
every day.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from tests.e2e.terminal import Terminal
from tests.security import canaries
from tests.security.lab import Lab
from tests.security.test_command_lines import Poison, assert_printable
from tests.thorough import SOAK

_ESCAPE = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])"
)


def _everywhere(folder: Path, keys: str) -> tuple[bytes, str]:
    """What the program writes while these keys are pressed, and its log."""
    log = folder / "log"
    with Lab(canaries.TOKEN) as lab:
        poison = Poison(lab)
        poison.command = "doctor"
        lab.answer = poison.answer
        path = lab.kubeconfig(folder / "kubeconfig")
        home = {name: str(folder) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
        command = [sys.executable, "-m", "tui", "--kubeconfig", path, "--profile"]
        env = {**os.environ, **home, "KSCALE_LOG": str(log)}
        with Terminal(command, 160, 50, env=env) as terminal:
            terminal.wait_for(r"● live")
            terminal.wait_for(r"1/1 Running")
            for key in keys:
                terminal.press(key)
                terminal.rest(0.4)
            lab.answer = Poison.refuse
            lab.fault("drop-watches")
            terminal.wait_for(r"retry in|stale")
            terminal.rest(1.0)
            terminal.press("q")
            assert terminal.wait_exit() == 0
            assert terminal.restored()
            return bytes(terminal.output), log.read_text()


if SOAK:

    def test_neither_obeyed_nor_given_away(tmp_path: Path) -> None:
        output, log = _everywhere(tmp_path, "wd2 3 1zzaaps")
        escapes = _ESCAPE.findall(output)
        text = _ESCAPE.sub(b"", output).decode()
        assert len(escapes) > 100
        assert "[bold red]x[" in text  # the poison was drunk
        assert not any(b"e.invalid" in found or b"38;5;99" in found for found in escapes)
        strings = {found for found in escapes if found[1:2] in b"]PX^_"}
        assert strings == {b"\x1b]22;default\x07"}  # the mouse pointer's shape, of Textual
        assert "\x07" not in text
        assert not re.search("[\u202e\u2066\u200b\ufeff\x85\x9b\x7f]", text)
        assert_printable("the log", log)
        assert '"event":"link"' in log
        for where, said in {"the screen": output.decode(), "the log": log}.items():
            canaries.assert_silent(where, said)
