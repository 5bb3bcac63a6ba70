"""``python -m benchmarks.target [STALL EVERY]``: a server to aim at, and when requests came.

Prints its port, serves until its standard input closes, then prints the arrivals as 64-bit floats
in base64. With two numbers it says nothing for STALL seconds at the end of every EVERY seconds,
beginning with the first request.
"""

from __future__ import annotations

import asyncio
import base64
import sys
from array import array
from time import perf_counter

import uvloop

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Target(asyncio.Protocol):
    arrivals = array("d")
    stall, every = (float(n) for n in sys.argv[1:3]) if len(sys.argv) > 2 else (0.0, 1.0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        now = perf_counter()
        Target.arrivals.append(now)
        after = (now - Target.arrivals[0]) % self.every
        if after < self.every - self.stall:
            self.transport.write(REPLY)  # type: ignore[attr-defined]  # set when connected
        else:
            asyncio.get_running_loop().call_later(self.every - after, self.answer)

    def answer(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(REPLY)  # type: ignore[attr-defined]  # set when connected


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Target, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    print(base64.b64encode(Target.arrivals.tobytes()).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
