"""The few commands that can be run in a simulated container.

Nothing is executed: each command is worked out from the pod and what it mounts. What is not here
says so, on standard error, with code 127.
"""

from __future__ import annotations

import asyncio
import re
import shlex
import tarfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from tui.demo.dataplane.files import Files
from tui.demo.dataplane.messages import Request, Response, reason
from tui.demo.dataplane.network import Broken, Network
from tui.demo.streams import archive

_SHELLS: Final = frozenset({"sh", "bash", "ash", "/bin/sh", "/bin/bash", "/bin/ash"})
_NOT_SIMULATED: Final = re.compile(r"[|<>`]|\$\(|\b(for|while|if|case|until)\b")
_PATIENCE: Final = 10.0
_LONGEST_SLEEP: Final = 3600.0
PROMPT: Final = "# "
# Of a simulated container: nothing on this machine is meant.
_DIRECTORIES: Final = frozenset(
    (
        *("/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/media", "/mnt", "/opt"),
        *("/proc", "/root", "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/var"),  # noqa: S108
        *("/usr/bin", "/usr/lib", "/usr/local", "/usr/sbin", "/usr/share"),
        *("/var/cache", "/var/lib", "/var/log", "/var/tmp"),  # noqa: S108
    )
)
_OWN: Final = frozenset({"/etc/hostname", "/etc/resolv.conf"})
"""Files that are made for each container."""
_TO_STDERR: Final = re.compile(r"1?>&2")


@dataclass(slots=True)
class World:
    """What a command can see."""

    hostname: str
    namespace: str
    address: str
    env: Mapping[str, str]
    files: Files
    network: Network
    now: Callable[[], datetime]
    speed: float = 1.0
    """Simulated seconds in a real one."""
    directory: str = "/"
    written: dict[str, str] = field(default_factory=dict)
    """Files that were made here, by path."""
    stdin: Callable[[], Awaitable[bytes]] | None = None
    """Reads the standard input to its end; None where there is none."""


@dataclass(slots=True)
class Result:
    """What a command printed, and its exit code."""

    out: str = ""
    err: str = ""
    code: int = 0


@dataclass(slots=True)
class Shell:
    """Runs commands, one at a time."""

    world: World
    ended: bool = field(default=False)
    """``exit`` was said."""

    async def run(self, words: list[str]) -> Result:
        """Run a command given by its words, as ``kubectl exec`` does."""
        if not words:
            return Result()
        if words[0] in _SHELLS:
            if len(words) > 2 and words[1] in ("-c", "-ec", "-lc"):
                return await self.script(words[2])
            return Result()
        return await self._command(words)

    async def script(self, text: str) -> Result:
        """Run a line or several: commands joined by ``;``, ``&&`` and ``||``."""
        if _NOT_SIMULATED.search(_TO_STDERR.sub("", text)):
            return _not_here("pipes, redirections, loops and conditions")
        total = Result()
        joint = ";"
        for part in re.split(r"(;|&&|\|\||\n)", text):
            if part in (";", "&&", "||", "\n"):
                joint = part
                continue
            if (joint == "&&" and total.code) or (joint == "||" and not total.code):
                continue
            plain, redirected = _TO_STDERR.subn("", part)
            try:
                words = shlex.split(self._expanded(plain))
            except ValueError:
                return Result(total.out, total.err + "sh: syntax error: unterminated quote\n", 2)
            if not words:
                continue
            one = await self._command(words)
            if redirected:
                one = Result("", one.out + one.err, one.code)
            total = Result(total.out + one.out, total.err + one.err, one.code)
            if self.ended:
                break
        return total

    def _expanded(self, text: str) -> str:
        def value(match: re.Match[str]) -> str:
            return self.world.env.get(match[1] or match[2], "")

        return re.sub(r"\$(?:\{(\w+)\}|(\w+))", value, text)

    async def _command(self, words: list[str]) -> Result:
        name = words[0].rpartition("/")[2]
        simple = _SIMPLE.get(name)
        if simple is not None:
            return simple(self, words)
        waiting = _WAITING.get(name)
        if waiting is not None:
            return await waiting(self, words)
        return _not_here(name)

    # -- files

    def _path(self, text: str) -> str:
        joined = text if text.startswith("/") else f"{self.world.directory.rstrip('/')}/{text}"
        parts: list[str] = []
        for part in joined.split("/"):
            if part == "..":
                parts = parts[:-1]
            elif part not in ("", "."):
                parts.append(part)
        return "/" + "/".join(parts)

    async def cat(self, words: list[str]) -> Result:
        """``cat [FILE...]``."""
        result = Result()
        names = [one for one in words[1:] if not one.startswith("-")]
        if not names and self.world.stdin is not None:
            return Result(archive.text_of(await self.world.stdin()))
        for name in names:
            path = self._path(name)
            text = self.world.files.read(path)
            if path == "/etc/hostname":
                text = f"{self.world.hostname}\n"
            if path == "/etc/resolv.conf":
                search = f"{self.world.namespace}.svc.cluster.local svc.cluster.local cluster.local"
                text = f"search {search}\nnameserver 10.96.0.10\noptions ndots:5\n"
            if text is None:
                what = "Is a directory" if self._is_directory(path) else "No such file or directory"
                result.err += f"cat: {name}: {what}\n"
                result.code = 1
            else:
                result.out += text
        return result

    def _is_directory(self, path: str) -> bool:
        return path in _DIRECTORIES or self.world.files.has_directory(path)

    def test(self, words: list[str]) -> Result:
        """``test -d PATH``, with ``-e`` and ``-f``, and the same between brackets."""
        if len(words) < 3 or words[1] not in ("-d", "-e", "-f"):
            return Result(code=2)
        path = self._path(words[2])
        is_file = path in self.world.files.paths() or path == "/etc/hostname"
        found = {"-d": self._is_directory(path), "-f": is_file}
        return Result(code=int(not found.get(words[1], any(found.values()))))

    async def tar(self, words: list[str]) -> Result:
        """``tar cf - PATH...`` and ``tar xf - [-C DIRECTORY]``, as ``kubectl cp`` has them."""
        flags = "".join(
            one for one in words[1:] if one[:2] != "--" and "f" in one and "/" not in one
        )
        if "x" in flags and self.world.stdin is not None:
            directory = words[words.index("-C") + 1] if "-C" in words[:-1] else "."
            try:
                made = archive.unpack(await self.world.stdin(), self._path(directory))
            except tarfile.TarError:
                return Result(err="tar: invalid tar header checksum\n", code=1)
            except archive.TooLargeError:
                return Result(err="tar: write error: No space left on device\n", code=1)
            kept = {**self.world.written, **made}
            if sum(map(len, kept.values())) > archive.MOST:
                return Result(err="tar: write error: No space left on device\n", code=1)
            self.world.written.update(made)
            return Result()
        if "c" not in flags:
            return Result(err="tar: only cf - and xf - are simulated here\n", code=1)
        return self._packed([one for one in words[2:] if one != "-"])

    def _packed(self, names: list[str]) -> Result:
        said, chosen = "", []
        files, own = self.world.files, {"/etc/hostname": f"{self.world.hostname}\n"}
        for name in names:
            path = self._path(name)
            inside = {one for one in files.paths() if one.startswith(f"{path}/")}
            if path in own or path in files.paths():
                inside.add(path)
            if not inside:
                said += f"tar: {name}: No such file or directory\n"
            if name.startswith("/"):
                said += "tar: removing leading '/' from member names\n"
            chosen += [(one, own.get(one) or files.read(one) or "") for one in sorted(inside)]
        code = int("No such" in said)
        if code:
            said += "tar: error exit delayed from previous errors\n"
        packed = archive.pack(chosen, self.world.now().timestamp())
        return Result(archive.text_of(packed), said, code)

    def ls(self, words: list[str]) -> Result:
        """``ls [PATH...]``; of the image's files only those that matter are known, and the usual
        directories.
        """
        result = Result()
        paths = [one for one in words[1:] if not one.startswith("-")] or [self.world.directory]
        for name in paths:
            path = self._path(name).rstrip("/") or "/"
            known = self.world.files.paths() | _OWN
            if path in known:
                result.out += f"{name}\n"
                continue
            prefix = path.rstrip("/") + "/"
            there = known if self.world.files.mounted(path) else known | _DIRECTORIES
            inside = {
                one[len(prefix) :].partition("/")[0] for one in there if one.startswith(prefix)
            } - {""}
            if not inside and not self._is_directory(path):
                result.err += f"ls: {name}: No such file or directory\n"
                result.code = 1
            result.out += "".join(f"{one}\n" for one in sorted(inside))
        return result

    def cd(self, words: list[str]) -> Result:
        """``cd DIRECTORY``."""
        path = self._path(words[1] if len(words) > 1 else "/")
        if not self._is_directory(path):
            return Result(
                err=f"sh: cd: can't cd to {words[1]}: No such file or directory\n", code=2
            )
        self.world.directory = path
        return Result()

    # -- words

    def env(self, words: list[str]) -> Result:
        """``env``, or ``printenv [NAME...]``."""
        names = words[1:] if words[0].endswith("printenv") else []
        if names:
            found = [self.world.env[name] for name in names if name in self.world.env]
            return Result("".join(f"{one}\n" for one in found), code=int(len(found) < len(names)))
        return Result("".join(f"{name}={value}\n" for name, value in self.world.env.items()))

    def leave(self, words: list[str]) -> Result:
        """``exit [CODE]``."""
        self.ended = True
        code = words[1] if len(words) > 1 else "0"
        return Result(code=int(code) % 256 if code.isdigit() else 2)

    async def sleep(self, words: list[str]) -> Result:
        """``sleep SECONDS``, as the cluster's clock goes."""
        try:
            seconds = float(words[1].rstrip("s"))
        except (IndexError, ValueError):
            return Result(err="sleep: invalid number\n", code=1)
        await asyncio.sleep(min(max(0.0, seconds), _LONGEST_SLEEP) / self.world.speed)
        return Result()

    # -- network

    async def fetch(self, words: list[str]) -> Result:
        """``curl`` and ``wget`` of plain HTTP inside the cluster, with their commonest options."""
        tool = words[0].rpartition("/")[2]
        quiet = any(one.startswith("-") and "s" in one for one in words[1:]) or tool == "wget"
        url = next((one for one in words[1:] if not one.startswith("-") and one not in ("-",)), "")
        if not url:
            return Result(err=f"{tool}: no URL specified\n", code=2)
        parts = urlsplit(url if "//" in url else f"http://{url}")
        if parts.scheme != "http":
            return Result(err=f"{tool}: only http is simulated here\n", code=1)
        host, port = parts.hostname or "", parts.port or 80
        addresses = self.world.network.resolve(host, self.world.namespace)
        if not addresses:
            return _failed(tool, f"Could not resolve host: {host}", 6, quiet)
        found = self.world.network.call(self.world.address, addresses[0], port)
        if isinstance(found, Broken):
            said = f"Failed to connect to {host} port {port}: Connection refused"
            return _failed(tool, said, 7, quiet)
        answered: asyncio.Future[Response | None] = asyncio.get_running_loop().create_future()

        def reply(response: Response | None) -> None:
            if not answered.done():
                answered.set_result(response)

        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = [("Host", parts.netloc), ("User-Agent", f"{tool}/8.0"), ("Accept", "*/*")]
        method = "HEAD" if "-I" in words else "GET"
        found.send(Request(method, target, headers), reply)
        try:
            async with asyncio.timeout(_PATIENCE):
                response = await answered
        except TimeoutError:
            return _failed(tool, f"Operation timed out after {_PATIENCE:.0f} s", 28, quiet)
        if response is None:
            return _failed(tool, "Empty reply from server", 52, quiet)
        return _printed(tool, words, response)

    async def lookup(self, words: list[str]) -> Result:
        """``nslookup NAME`` and ``getent hosts NAME``."""
        name = words[-1]
        found = self.world.network.resolve(name, self.world.namespace)
        if words[0].endswith("getent"):
            return Result("".join(f"{one}  {name}\n" for one in found), code=0 if found else 2)
        head = "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\n"
        if not found:
            return Result(head, f"** server can't find {name}: NXDOMAIN\n", 1)
        return Result(head + "".join(f"Name:\t{name}\nAddress: {one}\n" for one in found) + "\n")


def _printed(tool: str, words: list[str], response: Response) -> Result:
    body = response.body.decode("utf-8", "replace")
    if tool == "wget":
        if response.status >= 400:
            said = f"wget: server returned error: HTTP/1.1 {response.status}"
            return Result(err=f"{said} {reason(response.status)}\n", code=1)
        return Result(body)
    head = f"HTTP/1.1 {response.status} {reason(response.status)}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in response.headers) + "\r\n"
    if "-I" in words:
        return Result(head)
    return Result(head + body if "-i" in words else body)


def _failed(tool: str, why: str, code: int, quiet: bool) -> Result:
    if tool == "wget":
        return Result(err=f"wget: {why[0].lower()}{why[1:]}\n", code=1)
    return Result(err="" if quiet else f"curl: ({code}) {why}\n", code=code)


def _not_here(what: str) -> Result:
    known = " ".join(sorted({*_SIMPLE, *_WAITING}))
    said = f"{what}: not simulated in the embedded cluster. There are: {known}"
    return Result(err=f"sh: {said}\n", code=127)


_SIMPLE: Final[dict[str, Callable[[Shell, list[str]], Result]]] = {
    "ls": Shell.ls,
    "test": Shell.test,
    "[": Shell.test,
    "cd": Shell.cd,
    "env": Shell.env,
    "printenv": Shell.env,
    "exit": Shell.leave,
    "echo": lambda shell, words: Result(" ".join(words[1:]) + "\n"),
    "hostname": lambda shell, words: Result(
        f"{shell.world.address if '-i' in words else shell.world.hostname}\n"
    ),
    "pwd": lambda shell, words: Result(f"{shell.world.directory}\n"),
    "whoami": lambda shell, words: Result("root\n"),
    "id": lambda shell, words: Result("uid=0(root) gid=0(root) groups=0(root)\n"),
    "date": lambda shell, words: Result(f"{shell.world.now():%a %b %e %H:%M:%S UTC %Y}\n"),
    "true": lambda shell, words: Result(),
    "false": lambda shell, words: Result(code=1),
}
_WAITING: Final[dict[str, Callable[[Shell, list[str]], Awaitable[Result]]]] = {
    "cat": Shell.cat,
    "tar": Shell.tar,
    "curl": Shell.fetch,
    "wget": Shell.fetch,
    "nslookup": Shell.lookup,
    "getent": Shell.lookup,
    "sleep": Shell.sleep,
}
