"""Streams into pods: port-forward, exec and attach, over WebSocket and SPDY."""
