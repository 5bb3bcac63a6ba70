"""Caddy in a pod, as its Caddyfile has it: the part of the language that proxies need."""
