"""What of nginx.conf is taken care of, and what can be left alone without anybody noticing."""

from __future__ import annotations

from typing import Final

HANDLED: Final = frozenset(
    {
        "access_log",
        "add_header",
        "error_page",
        "listen",
        "location",
        "log_format",
        "proxy_set_header",
        "server_name",
        "upstream",
    }
)
"""Directives read in other places than the table of single values."""
WITHOUT_EFFECT: Final = frozenset(
    {
        "charset",
        "client_body_buffer_size",
        "client_body_timeout",
        "client_header_buffer_size",
        "client_header_timeout",
        "daemon",
        "error_log",
        "events",
        "gzip_comp_level",
        "gzip_disable",
        "gzip_http_version",
        "gzip_proxied",
        "gzip_vary",
        "keepalive_requests",
        "keepalive_time",
        "large_client_header_buffers",
        "log_not_found",
        "multi_accept",
        "pid",
        "proxy_buffer_size",
        "proxy_buffering",
        "proxy_buffers",
        "proxy_busy_buffers_size",
        "proxy_connect_timeout",
        "proxy_redirect",
        "proxy_request_buffering",
        "proxy_send_timeout",
        "proxy_socket_keepalive",
        "reset_timedout_connection",
        "resolver_timeout",
        "send_timeout",
        "sendfile",
        "server_names_hash_bucket_size",
        "tcp_nodelay",
        "tcp_nopush",
        "types",
        "types_hash_bucket_size",
        "types_hash_max_size",
        "use",
        "user",
        "variables_hash_max_size",
        "worker_connections",
        "worker_processes",
        "worker_rlimit_nofile",
        "zone",
    }
)
"""Directives about buffers, sockets and the like, which show in nothing that is simulated."""
