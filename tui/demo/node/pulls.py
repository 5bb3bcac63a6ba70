"""Getting a container's image: there already, pulled, or not to be had."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final, Protocol

from tui.demo.node import status
from tui.demo.node.containers import Container

LONGEST_BACKOFF: Final = 300.0
_FIRST_BACKOFF: Final = 10.0


class Puller(Protocol):
    """Who needs the image."""

    stopping: bool

    def say(self, type_: str, reason: str, message: str, container: Container | None) -> None:
        """Record an event."""

    def later(self, delay: float, call: Callable[[], None]) -> None:
        """Call after simulated seconds, unless the pod is gone by then."""

    def publish(self) -> None:
        """Write the pod's status."""

    def create(self, container: Container) -> None:
        """The image is there."""


class Pull:
    """One container's image, until it is there."""

    def __init__(self, worker: Puller, container: Container) -> None:
        self._worker = worker
        self._container = container
        self._image: str = container.spec["image"]

    def begin(self, images: set[str], rng: Random) -> None:
        """Look for the image on the node, and pull it if the policy or its absence asks for it.

        Args:
            images: those on the node; what is pulled is added.
            rng: how long pulling takes.
        """
        if self._worker.stopping:
            return
        image, program = self._image, self._container.program
        policy = self._container.spec.get("imagePullPolicy")
        if image in images and policy != "Always" and not program.pull_fails:
            self._say(
                "Normal",
                "Pulled",
                f'Container image "{image}" already present on machine and can be accessed by '
                "the pod",
            )
            self._worker.create(self._container)
            return
        self._say("Normal", "Pulling", f'Pulling image "{image}"')
        took = program.pull_time
        if took is None:
            took = rng.uniform(0.3, 0.6) if image in images else rng.uniform(1.5, 4)
        self._worker.later(took, lambda: self._pulled(images, rng, took))

    def _say(self, type_: str, reason: str, message: str) -> None:
        self._worker.say(type_, reason, message, self._container)

    def _pulled(self, images: set[str], rng: Random, took: float) -> None:
        if self._container.program.pull_fails:
            self._failed(images, rng)
            return
        images.add(self._image)
        size = 20_000_000 + sum(self._image.encode()) * 40_009
        self._say(
            "Normal",
            "Pulled",
            f'Successfully pulled image "{self._image}" in {took:.3f}s ({took:.3f}s including '
            f"waiting). Image size: {size} bytes.",
        )
        self._worker.create(self._container)

    def _failed(self, images: set[str], rng: Random) -> None:
        container, why = self._container, status.pull_error(self._image)
        self._say("Warning", "Failed", f'Failed to pull image "{self._image}": {why}')
        self._say("Warning", "Failed", "Error: ErrImagePull")
        container.state = {"waiting": {"reason": "ErrImagePull", "message": why}}
        self._worker.publish()
        container.backoff = min(max(_FIRST_BACKOFF, container.backoff * 2), LONGEST_BACKOFF)

        def back_off() -> None:
            self._say("Normal", "BackOff", f'Back-off pulling image "{self._image}"')
            self._say("Warning", "Failed", "Error: ImagePullBackOff")
            message = f'Back-off pulling image "{self._image}": ErrImagePull: {why}'
            container.state = {"waiting": {"reason": "ImagePullBackOff", "message": message}}
            self._worker.publish()

        self._worker.later(0.9, back_off)
        self._worker.later(container.backoff + 1, lambda: self.begin(images, rng))
