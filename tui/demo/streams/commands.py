"""Exec: a shell behind standard streams."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Final

import msgspec

from tui.demo.store import Object
from tui.demo.streams import archive
from tui.demo.streams.shell import PROMPT, Result, Shell

STDIN: Final = 0
STDOUT: Final = 1
STDERR: Final = 2
ERROR: Final = 3
_MOST_LINE: Final = 8192
_MOST_INPUT: Final = 2 * archive.MOST
_BECOMES_SHELL: Final = re.compile(r"(?:^|[;&|])\s*exec\s+(?:/bin/)?(?:ba|a)?sh\s*$")
Send = Callable[[int, bytes], None]
"""Sends bytes on one of the channels above."""


def outcome(code: int) -> bytes:
    """The last word on the error channel."""
    status: Object = {"metadata": {}, "status": "Success"}
    if code:
        cause = {"reason": "ExitCode", "message": str(code)}
        status = {
            "metadata": {},
            "status": "Failure",
            "message": (f"command terminated with non-zero exit code: exit status {code}"),
            "reason": "NonZeroExitCode",
            "details": {"causes": [cause]},
        }
    return msgspec.json.encode(status)


class Terminal:
    """Lines from what is typed, echoed if the other side is a terminal.

    Args:
        echo: sends back what is typed; None where no terminal is.
        whole: keep all that comes as it is, for a command that reads its standard input.
        prompt: what follows a line that was given up.
    """

    def __init__(
        self,
        echo: Callable[[bytes], None] | None,
        *,
        whole: bool = False,
        prompt: str = PROMPT,
    ) -> None:
        self._echo = echo
        self._prompt = prompt
        self._typed = ""
        self._whole = bytearray() if whole else None
        self._ended = asyncio.Event()
        self.lines: asyncio.Queue[str | None] = asyncio.Queue()
        self.interrupted = asyncio.Event()
        """Ctrl+C was typed."""
        self.gone = False
        """Nobody is there any more who could type."""

    async def everything(self) -> bytes:
        """All that is sent, once it has ended."""
        await self._ended.wait()
        return bytes(self._whole or b"")

    def received(self, data: bytes) -> None:
        """Take what was typed."""
        if self._whole is not None:
            if self._echo is not None:
                self._echo(data)
            self._whole += data[: max(0, _MOST_INPUT - len(self._whole))]
            if self._echo is not None and b"\x04" in data:
                self.finished()
            return
        if self._echo is None:
            self._typed += data.decode("utf-8", "replace")
            *whole, self._typed = self._typed[-_MOST_LINE:].split("\n")
            for line in whole:
                self.lines.put_nowait(line)
            return
        for letter in data.decode("utf-8", "replace"):
            self._key(letter, self._echo)

    def _key(self, letter: str, echo: Callable[[bytes], None]) -> None:
        if letter in "\r\n":
            echo(b"\r\n")
            self.lines.put_nowait(self._typed)
            self._typed = ""
        elif letter in "\x7f\b":
            if self._typed:
                self._typed = self._typed[:-1]
                echo(b"\b \b")
        elif letter == "\x03":
            self._typed = ""
            echo(b"^C\r\n" + self._prompt.encode())
            self.interrupted.set()
        elif letter == "\x04":
            if not self._typed:
                self.finished()
        elif letter.isprintable() and len(self._typed) < _MOST_LINE:
            self._typed += letter
            echo(letter.encode())

    def finished(self) -> None:
        """No more will be typed."""
        if self._typed and self._echo is None:
            self.lines.put_nowait(self._typed)
        self.lines.put_nowait(None)
        self._ended.set()

    def lost(self) -> None:
        """Whoever typed is gone."""
        self.gone = True
        self.finished()


async def execute(
    shell: Shell, command: list[str], terminal: Terminal, send: Send, *, stdin: bool, tty: bool
) -> None:
    """Run a command to its end, telling how it ended."""
    interactive = stdin and shell_alone(command)

    def show(result: Result) -> None:
        # Errors first: kubectl cp stops listening when it has the files.
        for channel, text in ((STDERR, result.err), (STDOUT, result.out)):
            if text:
                shown = text.replace("\n", "\r\n") if tty else text
                send(STDOUT if tty else channel, archive.bytes_of(shown))

    code = 0
    if not interactive:
        if stdin:
            shell.world.stdin = terminal.everything
        result = await shell.run(command)
        show(result)
        code = result.code
    else:
        if tty:
            send(STDOUT, PROMPT.encode())
        while (line := await terminal.lines.get()) is not None:
            result = await shell.script(line)
            show(result)
            code = result.code
            if shell.ended:
                break
            if tty:
                send(STDOUT, PROMPT.encode())
    send(ERROR, outcome(code))


def shell_alone(command: list[str]) -> bool:
    """Whether a command is a shell that reads what is typed, or a script that becomes one.

    Such as ``sh -c "command -v bash >/dev/null && exec bash || exec sh"``, with which other
    programs than kubectl open one.
    """
    names = ("sh", "bash", "ash")
    if command[0].rpartition("/")[2] not in names:
        return False
    if any(word.startswith("-") and word.endswith("c") for word in command[1:]):
        return _BECOMES_SHELL.search(command[-1]) is not None
    return True
