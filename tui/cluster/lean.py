"""The two classes of the kubernetes package that are used, without the rest of it.

``import kubernetes`` runs imports of all its parts (OpenAPI models, watch, dynamic client, OAuth
libraries): several times the work of the screen's first frame, and 20 MB. Its configuration and
connection modules need none of them. They are imported as they are, from under empty packages
that are taken away again, so that a later ``import kubernetes`` is the usual one.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from types import ModuleType
from typing import Any, Final, NamedTuple

_PACKAGES: Final = ("kubernetes", "kubernetes.client", "kubernetes.utils")
_importing: Final = threading.Lock()


class Client(NamedTuple):
    """What of the kubernetes client makes connections."""

    configuration: Any
    """``kubernetes.client.configuration.Configuration``."""
    rest: Any
    """``kubernetes.client.rest.RESTClientObject``."""


def kubernetes_client() -> Client:
    """Import the client's connection classes. May be called from any thread."""
    with _importing:
        return _import() if "kubernetes" in sys.modules else _import_lean()


def _import_lean() -> Client:
    spec = importlib.util.find_spec("kubernetes")
    if spec is None or not spec.submodule_search_locations:
        return _import()
    root = next(iter(spec.submodule_search_locations))
    try:
        for name in _PACKAGES:
            package = ModuleType(name)
            package.__path__ = ["/".join([root, *name.split(".")[1:]])]
            sys.modules[name] = package
        return _import()
    except ImportError:
        # Another version, whose modules need more of each other.
        _forget()
        return _import()
    finally:
        if not hasattr(sys.modules.get("kubernetes"), "__file__"):
            _forget()


def _import() -> Client:
    configuration = importlib.import_module("kubernetes.client.configuration")
    rest = importlib.import_module("kubernetes.client.rest")
    return Client(configuration.Configuration, rest.RESTClientObject)


def _forget() -> None:
    # A copy, as other threads import meanwhile.
    for name in [n for n in sys.modules.copy() if n.partition(".")[0] == "kubernetes"]:
        del sys.modules[name]
