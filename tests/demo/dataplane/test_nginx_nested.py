"""Locations inside locations."""

from __future__ import annotations

from tests.demo.dataplane.test_nginx import _served, _server

NESTED = """
  location /shop/ {
    add_header X-Part shop;
    location /shop/cart/ { return 200 cart; }
    location ~ \\.css$ { return 200 "style"; }
    return 200 shop;
  }
  location ^~ /fixed/ { location /fixed/in/ { return 200 inside; } return 200 fixed; }
  location ~ \\.css$ { return 200 "outer style"; }
"""


async def test_locations_in_locations() -> None:
    wanted = {
        "/shop/x": "shop",
        "/shop/cart/1": "cart",
        "/shop/a.css": "style",
        "/a.css": "outer style",
        "/fixed/a.css": "fixed",
        "/fixed/in/a.css": "inside",
    }
    async with _served(_server(NESTED)) as serving:
        answers = {path: (await serving.get("nginx", path)).text for path in wanted}
        inherited = (await serving.get("nginx", "/shop/cart/1")).header("x-part")
    assert answers == wanted
    assert inherited == "shop"
