"""The nodes of the embedded cluster: kubelet, programs, what they use."""
