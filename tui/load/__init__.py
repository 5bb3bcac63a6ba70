"""Load bursts: an HTTP/1.1 engine in worker processes, honest figures, profiles and reports."""
