"""Everything that speaks to a Kubernetes API."""
