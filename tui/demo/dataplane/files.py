"""A container's files: what its image has, and what ConfigMaps are mounted over it.

A ConfigMap mounted as a directory follows the ConfigMap, late: the kubelet looks at it about once
a minute. One mounted by ``subPath`` stays what it was when the container started.
"""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tui.demo.store import Object

SYNC_DELAY: Final = (40.0, 90.0)
"""Simulated seconds until a changed ConfigMap is seen in a mounted directory, least and most."""


@dataclass(slots=True)
class Volume:
    """A volume of a pod: its files by their path inside it."""

    config_map: str
    """The name of the ConfigMap it comes from; empty for any other kind, which is empty here."""
    items: tuple[tuple[str, str], ...] | None
    """Keys and their paths; None for all, each under its own name."""
    content: dict[str, str]

    @classmethod
    def of(cls, volume: Object) -> Volume:
        """From a pod's ``spec.volumes``."""
        source = volume.get("configMap") or {}
        items = source.get("items")
        chosen = tuple((one["key"], one["path"]) for one in items) if items else None
        return cls(source.get("name", ""), chosen, {})

    def fill(self, data: Mapping[str, str]) -> None:
        """Take over what the ConfigMap has."""
        if self.items is None:
            self.content = dict(data)
        else:
            self.content = {path: data[key] for key, path in self.items if key in data}


class Files:
    """What a process finds when it opens files.

    Args:
        image: the image's text files by path.
        mounts: the container's ``volumeMounts``.
        volumes: the pod's volumes by name.
    """

    def __init__(
        self, image: Mapping[str, str], mounts: Iterable[Object], volumes: Mapping[str, Volume]
    ) -> None:
        self._image = dict(image)
        self._fixed: dict[str, str] = {}
        self._directories: list[tuple[str, Volume, str]] = []
        for mount in mounts:
            volume = volumes.get(mount.get("name", ""))
            path = posixpath.normpath(str(mount.get("mountPath", "/")))
            inside = str(mount.get("subPath") or "").strip("/")
            if volume is None:
                continue
            if inside in volume.content:
                self._fixed[path] = volume.content[inside]
            else:
                self._directories.append((path, volume, inside))

    def read(self, path: str) -> str | None:
        """The text of a file; None if there is none."""
        path = posixpath.normpath(path)
        if path in self._fixed:
            return self._fixed[path]
        for directory, volume, inside in self._directories:
            if path.startswith(directory + "/"):
                return volume.content.get(posixpath.join(inside, path[len(directory) + 1 :]))
        return self._image.get(path)

    def paths(self) -> set[str]:
        """Every file there is."""
        found = set(self._fixed)
        covered = tuple(directory + "/" for directory, _, _ in self._directories)
        found |= {path for path in self._image if not path.startswith(covered)}
        for directory, volume, inside in self._directories:
            prefix = f"{inside}/" if inside else ""
            found |= {
                f"{directory}/{path[len(prefix) :]}"
                for path in volume.content
                if path.startswith(prefix)
            }
        return found

    def matching(self, pattern: str) -> list[str]:
        """The files that a shell pattern names, sorted; ``*`` stays in its directory."""
        depth = pattern.count("/")
        return sorted(
            path
            for path in self.paths()
            if path.count("/") == depth and fnmatch.fnmatchcase(path, pattern)
        )

    def mounted(self, path: str) -> bool:
        """Whether a volume is mounted at a directory or above it."""
        path = posixpath.normpath(path)
        return any(
            path == directory or path.startswith(directory + "/")
            for directory, _, _ in self._directories
        )

    def has_directory(self, path: str) -> bool:
        """Whether there is a directory of this name."""
        path = posixpath.normpath(path)
        return self.mounted(path) or any(one.startswith(path + "/") for one in self.paths())
