"""Attaching to a container's process: a shell that waits for words, or whatever else prints."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from tui.demo.streams.archive import bytes_of
from tui.demo.streams.commands import ERROR, STDERR, STDOUT, Send, Terminal, outcome
from tui.demo.streams.shell import PROMPT, Result, Shell

_INTERRUPTED: Final = 130
_LOOK: Final = 0.2
"""Seconds between two looks at whether it lives."""


@dataclass(slots=True)
class Process:
    """The first process of a container, as somebody who attaches meets it."""

    shell: Shell | None
    """What reads the words that are typed; None where it is no shell."""
    reads: bool
    """Whether it has a standard input."""
    tty: bool
    once: bool
    """Whether its standard input closes when the one who attached is gone (``stdinOnce``)."""
    output: AsyncIterator[bytes]
    """What it prints; ends with it."""
    over: Callable[[], bool]
    """Whether it has ended."""
    log: Callable[[str], None]
    """Keeps what the shell prints."""
    end: Callable[[int], None]
    """Ends it with that code."""


async def attach(process: Process, terminal: Terminal, send: Send, *, stdin: bool) -> None:
    """Join the process until it ends or the client is gone.

    As with Kubernetes, its exit code is told by the pod's status and not here.
    """
    if process.shell is not None and stdin:
        ended = await _typed(process, process.shell, terminal, send)
    else:
        ended = await _watched(process, terminal, send)
    if ended:
        send(ERROR, outcome(0))


async def _typed(process: Process, shell: Shell, terminal: Terminal, send: Send) -> bool:
    """Have the shell do what is typed; whether it has ended."""

    def show(result: Result) -> None:
        process.log(result.out + result.err)
        for channel, text in ((STDERR, result.err), (STDOUT, result.out)):
            if text:
                shown = text.replace("\n", "\r\n") if process.tty else text
                send(STDOUT if process.tty else channel, bytes_of(shown))

    code = 0
    try:
        while True:
            if process.tty:
                send(STDOUT, PROMPT.encode())
            line = await _unless_over(process, terminal.lines.get())
            if process.over():
                return True
            if line is None:
                break
            result = await shell.script(line)
            show(result)
            code = result.code
            if shell.ended:
                process.end(code)
                return True
    except asyncio.CancelledError:
        if process.once:
            process.end(code)
        raise
    if terminal.gone and not process.once:
        return False  # it waits for the next one
    process.end(code)
    return True


async def _watched(process: Process, terminal: Terminal, send: Send) -> bool:
    """Show what is printed; Ctrl+C ends it. Whether it has ended."""

    async def interrupt() -> None:
        await terminal.interrupted.wait()
        process.end(_INTERRUPTED)

    waiting = asyncio.ensure_future(interrupt())
    try:
        async for chunk in process.output:
            send(STDOUT, chunk.replace(b"\n", b"\r\n") if process.tty else chunk)
    finally:
        waiting.cancel()
    return True


async def _unless_over(process: Process, line: Awaitable[str | None]) -> str | None:
    """The next line; None if the process ends before it comes."""
    reading = asyncio.ensure_future(line)
    try:
        while not process.over():
            done, _ = await asyncio.wait({reading}, timeout=_LOOK)
            if done:
                return reading.result()
    finally:
        reading.cancel()
    return None
