"""The embedded Kubernetes cluster: a process of its own, reached by URL only."""
