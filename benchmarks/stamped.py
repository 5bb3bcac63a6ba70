"""``python -m benchmarks.stamped``: a server to aim at, and when requests were sent to it.

Prints its port, serves until its standard input closes, then prints 64-bit floats in base64: for
each request when it entered the network, as the kernel stamps it in the sender's own call, and
when this server saw it. Between the two lies how late the server was woken, which is no matter of
the sender. See SO_TIMESTAMPING, https://docs.kernel.org/networking/timestamping.html; where there
is none, both are the same.
"""

from __future__ import annotations

import base64
import selectors
import socket
import struct
import sys
import time
from array import array

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SO_TIMESTAMPING = 37
RECEIVED, SOFTWARE = 1 << 3, 1 << 4
_TIMES = struct.Struct("6q")


def main() -> None:
    """Serve, then tell."""
    seen = array("d")
    selector = selectors.DefaultSelector()
    server = socket.create_server(("127.0.0.1", 0), backlog=2048)
    server.setblocking(False)
    selector.register(server, selectors.EVENT_READ)
    selector.register(sys.stdin, selectors.EVENT_READ)
    print(server.getsockname()[1], flush=True)
    while True:
        for key, _ in selector.select():
            if key.fileobj is server:
                connection, _ = server.accept()
                connection.setblocking(False)
                if sys.platform == "linux":
                    wanted = RECEIVED | SOFTWARE
                    connection.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, wanted)
                selector.register(connection, selectors.EVENT_READ)
            elif isinstance(key.fileobj, socket.socket):
                if not _answer(key.fileobj, seen):
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
            else:
                print(base64.b64encode(seen.tobytes()).decode(), flush=True)
                return


def _answer(connection: socket.socket, seen: array[float]) -> bool:
    """Answer one request; whether the connection is still open."""
    try:
        data, more, _, _ = connection.recvmsg(4096, 128)
    except OSError:
        return False
    now = time.time()
    if not data:
        return False
    sent = now
    for _, kind, raw in more:
        if kind == SO_TIMESTAMPING:
            seconds, nanoseconds, *_ = _TIMES.unpack(raw)
            sent = seconds + nanoseconds / 1e9
    connection.send(REPLY)
    seen.extend((sent, now))
    return True


if __name__ == "__main__":
    main()
