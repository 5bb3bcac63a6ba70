"""The kubernetes client's classes, imported while other threads import as well."""

from __future__ import annotations

import subprocess
import sys

_CHILD = """
import sys, threading
from types import ModuleType
from tui.cluster.lean import kubernetes_client

sys.setswitchinterval(1e-6)
done = threading.Event()

def others() -> None:
    while not done.is_set():
        for number in range(300):
            sys.modules[f"other{number}"] = ModuleType("other")
        for number in range(300):
            del sys.modules[f"other{number}"]

wrong = []

def mine() -> None:
    try:
        for _ in range(25):
            kubernetes_client()
    except Exception as error:
        wrong.append(repr(error))

threads = [threading.Thread(target=mine) for _ in range(2)]
beside = threading.Thread(target=others)
beside.start()
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
done.set()
beside.join()
assert not wrong, wrong
assert not [name for name in sys.modules if name.partition(".")[0] == "kubernetes"]
"""


def test_threads_that_import_meanwhile_do_no_harm() -> None:
    subprocess.run([sys.executable, "-c", _CHILD], check=True, timeout=60)
