"""Who answered a burst, as the pods' logs tell: waited for, but not by somebody who has enough."""

from __future__ import annotations

import threading
import time

from tests.cluster.server import Server as Cluster
from tests.cluster.server import stall
from tests.load.running import plan
from tests.load.server import ok
from tests.load.serving import serving
from tests.samples import pod
from tui.cluster.access import ClusterConfig
from tui.cluster.access_log import AccessLogs
from tui.cluster.transport import Transport
from tui.commands.burst_pods import Counter
from tui.doors.kin import Kin
from tui.doors.pod_counts import PodCounts
from tui.load.burst import Burst


def test_whoever_has_enough_gets_the_result_without_the_logs() -> None:
    with Cluster() as cluster, serving(ok) as target:
        cluster.on("/api/v1/namespaces/default/pods/web-1/log", stall)
        transport = Transport(ClusterConfig(cluster.url))
        pods = [pod("web-1", age=100)]
        logs = AccessLogs(transport, "GET", "/", 0.0)
        burst = Burst(plan(target, count=30))
        burst.start()
        assert burst.wait(30)
        counter = Counter(burst, PodCounts(logs, lambda: pods, Kin(lambda: pods, "default")))
        enough = threading.Event()

        def interrupt() -> None:
            while not cluster.requests:
                time.sleep(0.01)
            enough.set()

        threading.Thread(target=interrupt, daemon=True).start()
        began = time.monotonic()
        found = counter.finish(burst.result(), enough)
        assert time.monotonic() - began < 4  # a log that stalls is waited for for 5 s
        assert (found.good, found.pods) == (30, {})
        transport.close()
