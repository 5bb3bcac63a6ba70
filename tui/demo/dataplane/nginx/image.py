"""The text files of the nginx image."""

from __future__ import annotations

from typing import Final

VERSION: Final = "1.27.5"
MAIN: Final = "/etc/nginx/nginx.conf"
LOG_DIRECTORY: Final = "/var/log/nginx"
DIRECTORIES: Final = frozenset(
    {LOG_DIRECTORY, "/dev", "/run", "/tmp", "/var/cache/nginx", "/var/log", "/var/run", "/var/tmp"}  # noqa: S108
)
"""Directories of the image that a log can be written to."""
STDOUT: Final = frozenset({"/var/log/nginx/access.log", "/dev/stdout", "/dev/stderr"})
"""Where a log file ends up in the container's log; the first is a link in the image."""

_NGINX_CONF: Final = """\
user  nginx;
worker_processes  auto;

error_log  /var/log/nginx/error.log notice;
pid        /run/nginx.pid;


events {
    worker_connections  1024;
}


http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;

    log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                      '$status $body_bytes_sent "$http_referer" '
                      '"$http_user_agent" "$http_x_forwarded_for"';

    access_log  /var/log/nginx/access.log  main;

    sendfile        on;
    #tcp_nopush     on;

    keepalive_timeout  65;

    #gzip  on;

    include /etc/nginx/conf.d/*.conf;
}
"""
_DEFAULT_CONF: Final = """\
server {
    listen       80;
    server_name  localhost;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }

    error_page   500 502 503 504  /50x.html;
    location = /50x.html {
        root   /usr/share/nginx/html;
    }
}
"""
_INDEX: Final = """\
<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working. Further configuration is required.</p>
</body>
</html>
"""
_50X: Final = """\
<!DOCTYPE html>
<html>
<head>
<title>Error</title>
</head>
<body>
<h1>An error occurred.</h1>
<p>Sorry, the page you are looking for is currently unavailable.<br/>
Please try again later.</p>
</body>
</html>
"""
TYPES: Final = {
    "html": "text/html",
    "htm": "text/html",
    "css": "text/css",
    "xml": "text/xml",
    "js": "application/javascript",
    "txt": "text/plain",
    "json": "application/json",
    "svg": "image/svg+xml",
}
_MIME_TYPES: Final = (
    "types {\n" + "".join(f"    {kind} {end};\n" for end, kind in TYPES.items()) + "}\n"
)
FILES: Final = {
    MAIN: _NGINX_CONF,
    "/etc/nginx/conf.d/default.conf": _DEFAULT_CONF,
    "/etc/nginx/mime.types": _MIME_TYPES,
    "/etc/nginx/fastcgi_params": "",
    "/etc/nginx/uwsgi_params": "",
    "/etc/nginx/scgi_params": "",
    "/usr/share/nginx/html/index.html": _INDEX,
    "/usr/share/nginx/html/50x.html": _50X,
}
"""By path."""
