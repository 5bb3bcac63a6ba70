"""Configuration files as trees, whatever they hold."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.thorough import examples
from tui.analysis.doctor.directives import caddyfile, nginx_conf, walk
from tui.analysis.doctor.proxies import nginx_upstreams, service_at


def test_a_caddyfile() -> None:
    text = """
    # a comment
    example.com, :80 {
        respond "two words { }" 200
        handle_path /a/* { # opens
            reverse_proxy app:80
        }
    }
    """
    (site,) = caddyfile(text)
    assert site.words == ("example.com,", ":80")
    respond, handle = site.block
    assert respond.words == ("respond", "two words { }", "200")
    assert handle.block[0].words == ("reverse_proxy", "app:80")


def test_an_nginx_configuration() -> None:
    text = """
    user nginx; # who
    http { upstream a { server "app:80" weight=2; }
      server { location ~ \\.php$ { proxy_pass http://a; } } }
    """
    user, http = nginx_conf(text)
    assert user.words == ("user", "nginx")
    names = [" ".join(w.directive.words) for w in walk(http.block)]
    assert "server app:80 weight=2" in names
    assert "proxy_pass http://a" in names


def test_which_services_nginx_resolves_at_its_start() -> None:
    text = """
    upstream a { server app-svc:80; server app-svc.other.svc.cluster.local:8080; }
    server { location / { proxy_pass http://a; } location /b/ { proxy_pass http://b-svc/; }
      location /c/ { proxy_pass http://$up; } }
    """
    found = nginx_upstreams(walk(nginx_conf(text)), "default")
    assert [(u.namespace, u.name, u.port) for u in found] == [
        ("default", "app-svc", 80),
        ("other", "app-svc", 8080),
        ("default", "b-svc", 80),
    ]


def test_what_names_no_service() -> None:
    for address in (
        "127.0.0.1:80", "localhost:80", "example.co.uk:80", "unix:/run/x.sock", "", "{$APP}:80",
    ):  # fmt: skip
        assert service_at(address, "default") is None, address
    secure = service_at("https://app", "default")
    assert secure is not None
    assert secure.port == 443


_PIECES = st.lists(
    st.sampled_from(["{", "}", ";", "\n", '"', "'", "`", "#", " ", "server", "upstream", "a:80"])
)


@settings(max_examples=examples(80, 1000), deadline=None)
@given(_PIECES.map("".join) | st.text(max_size=200))
def test_any_text_is_read_without_complaint(text: str) -> None:
    for directives in (caddyfile(text), nginx_conf(text)):
        assert all(w.directive.words or w.directive.block is not None for w in walk(directives))


def test_deep_nesting_is_cut() -> None:
    deep = max(len(w.around) for w in walk(nginx_conf("a { " * 5000)))
    assert deep < 40
