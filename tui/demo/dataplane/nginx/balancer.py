"""The choice among an upstream's servers, and what failures do to it."""

from __future__ import annotations

from random import Random

from tui.demo.dataplane.nginx.model import Peer, Upstream


class Balancer:
    """Chooses servers as nginx does: smooth weighted round robin, or the least connections.

    Args:
        upstream: whose servers.
        rng: for ``random``.
    """

    def __init__(self, upstream: Upstream, rng: Random) -> None:
        self.upstream = upstream
        self._rng = rng
        self._active: dict[int, int] = {}

    def choose(self, tried: set[int], now: float) -> Peer | None:
        """The next server; None if no live one is left that was not tried."""
        peers = self.upstream.peers
        alone = len(peers) == 1
        for backup in (False, True):
            live = [
                peer
                for peer in peers
                if peer.backup == backup
                and id(peer) not in tried
                # A single server is never taken out: there would be nobody to ask.
                and (peer.down_until <= now or (alone and peer.down_until != float("inf")))
            ]
            if live:
                return self._of(live)
        return None

    def _of(self, live: list[Peer]) -> Peer:
        if self.upstream.method == "random":
            return self._rng.choices(live, [peer.weight for peer in live])[0]
        if self.upstream.method == "least_conn":
            least = min(self._active.get(id(peer), 0) / peer.weight for peer in live)
            live = [peer for peer in live if self._active.get(id(peer), 0) / peer.weight == least]
        total = 0
        for peer in live:
            peer.current += peer.weight
            total += peer.weight
        best = max(live, key=lambda peer: peer.current)
        best.current -= total
        return best

    def begin(self, peer: Peer) -> None:
        """A request goes to a server."""
        self._active[id(peer)] = self._active.get(id(peer), 0) + 1

    def done(self, peer: Peer) -> None:
        """A request has come back, well or not."""
        self._active[id(peer)] -= 1

    @staticmethod
    def well(peer: Peer) -> None:
        """A server has answered."""
        peer.fails = 0

    @staticmethod
    def failed(peer: Peer, now: float) -> None:
        """A server did not answer: after ``max_fails`` it is left alone for a while."""
        if peer.max_fails:
            peer.fails += 1
            if peer.fails >= peer.max_fails:
                peer.fails = 0
                peer.down_until = max(peer.down_until, now + peer.fail_timeout)
