"""kscale-tui: a terminal dashboard that shows why a Kubernetes workload scaled, or did not."""

__version__ = "0.1.0"
