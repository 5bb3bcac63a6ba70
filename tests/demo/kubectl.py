"""kubectl in every version there is, and a cluster for it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.demo.http import IDENTITY, TOKEN, Http
from tui.demo import kubeconfig
from tui.demo.clock import RealClock
from tui.demo.cluster import AGE, Cluster

NAMED = os.environ.get("KSCALE_TEST_KUBECTLS", "")
"""Paths of kubectls to test with, separated as in PATH; else the one in PATH."""
FOUND = [path for path in (NAMED.split(os.pathsep) if NAMED else [shutil.which("kubectl")]) if path]


class Kubectl:
    def __init__(self, program: str, directory: Path) -> None:
        self.program = program
        self.directory = directory
        programs = directory / "bin"
        programs.mkdir(exist_ok=True)
        (programs / "kubectl").symlink_to(program)
        self.environment = {
            **os.environ,
            "KUBECONFIG": str(directory / "config"),
            "HOME": str(directory),
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "GOGC": "off",  # it ends before there is garbage worth looking for
        }

    async def __call__(self, *words: str, given: str = "", code: int | None = 0) -> str:
        """Run a command; its output, with the errors if it is to fail."""
        return await self._run([self.program, *words], given, code)

    async def script(self, text: str) -> str:
        """Run lines as they are typed, in a directory of their own."""
        return await self._run(["sh", "-euc", text], "", 0)

    async def _run(self, words: list[str], given: str, code: int | None) -> str:
        process = await asyncio.create_subprocess_exec(
            *words,
            env=self.environment,
            cwd=self.directory,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(40):
            out, err = await process.communicate(given.encode())
        assert code is None or process.returncode == code, out.decode() + err.decode()
        return out.decode() + (err.decode() if code != 0 else "")


@asynccontextmanager
async def cluster_for(program: str, directory: Path, lesson: bool = True) -> AsyncIterator[Kubectl]:
    """A fast cluster and a kubectl that is set up for it."""
    clock = RealClock(50, AGE)
    cluster = Cluster(clock, wave=None)
    cluster.bring_up(classroom_lesson=lesson)
    clock.go_live(asyncio.get_running_loop())
    async with Http(cluster) as http:
        kubeconfig.write(directory / "config", http.server.url, TOKEN, IDENTITY.certificate)
        yield Kubectl(program, directory)
    clock.stop()
