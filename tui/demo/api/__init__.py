"""The Kubernetes HTTP API of the embedded cluster: operations, patches, errors, handlers."""
