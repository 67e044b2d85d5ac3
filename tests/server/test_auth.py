"""Who may: every route and verb is for the authenticated and authorized, also behind a prefix."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

import pytest
import requests
import websocket
from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.utils import JupyterServerAuthWarning
from live_server import TOKEN, Line

from gcs_lab.server.routes import api_routes

if TYPE_CHECKING:
    from collections.abc import Callable

    from live_server import LiveServer

_VERBS = ("get", "post", "put", "patch", "delete")
OPERATIONS = [
    (verb.upper(), re.sub(r"\{job_id\}", "1", path.replace("{name}", "embedded")))
    for path, handler in api_routes()
    for verb in _VERBS
    if hasattr(getattr(handler, verb), "operation")
]


def test_there_are_operations_in_every_route() -> None:
    assert len(OPERATIONS) >= len(api_routes())


@pytest.mark.parametrize(("verb", "path"), OPERATIONS)
def test_nobody_without_a_token_is_answered(server: LiveServer, verb: str, path: str) -> None:
    assert server.refused(403, verb, path, token=False)["type"] == "Forbidden"
    assert server.request(verb, path, token=False, headers={"Authorization": "token wrong"}).status_code == 403


@pytest.mark.parametrize(
    ("verb", "path"), [("PUT", "about"), ("POST", "about"), ("DELETE", "clusters/embedded/start")]
)
def test_verbs_that_are_not_there_are_refused(server: LiveServer, verb: str, path: str) -> None:
    assert server.refused(405, verb, path)["type"] == "MethodNotAllowed"
    assert server.request(verb, path, token=False).status_code in {403, 405}


def test_a_route_that_is_not_there_is_refused(server: LiveServer) -> None:
    assert server.request("GET", "nonsense").status_code == 404
    assert server.request("GET", "about/more").status_code == 404


def _logged_in(server: LiveServer) -> requests.Session:
    """Return a browser that logged in: it has a cookie instead of a token."""
    browser = requests.Session()
    base = server.url("").removesuffix("gcs-lab/")
    page = browser.get(f"{base}login", timeout=10)
    xsrf = re.search(r'name="_xsrf" value="([^"]+)"', page.text)
    assert xsrf
    answer = browser.post(
        f"{base}login", data={"password": TOKEN, "_xsrf": xsrf[1]}, timeout=10, allow_redirects=False
    )
    assert answer.status_code == 302
    return browser


@pytest.mark.parametrize("base_url", ["/", "/user/ann/"])
def test_a_page_changes_something_only_with_the_xsrf_header(
    start_server: Callable[..., LiveServer], base_url: str
) -> None:
    with start_and_log_in(start_server, base_url) as (server, browser):
        start = server.url("api/clusters/embedded/start")
        assert browser.get(server.url("api/about"), timeout=10).status_code == 200
        refused = browser.post(start, timeout=10)
        assert refused.status_code == 403
        assert "_xsrf" in refused.json()["message"]
        token = next(cookie.value for cookie in browser.cookies if cookie.name == "_xsrf")
        assert browser.post(start, headers={"X-XSRFToken": str(token)}, timeout=30).status_code == 200
        # The page's WebSocket has the cookie; one of another site has it, too, and another origin.
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies)
        origin = f"http://127.0.0.1:{server.port}"
        line = Line(server, header=[], cookie=cookies, origin=origin)
        assert line.start()["session"]
        with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
            Line(server, header=[], cookie=cookies, origin="http://elsewhere.example")


class start_and_log_in:  # noqa: N801
    """A server, and a browser that logged in to it."""

    def __init__(self, start_server: Callable[..., LiveServer], base_url: str) -> None:
        self._server = start_server(base_url)
        self._browser = _logged_in(self._server)

    def __enter__(self) -> tuple[LiveServer, requests.Session]:
        return self._server, self._browser

    def __exit__(self, *_: object) -> None:
        self._browser.close()


def test_behind_a_prefix_nothing_answers_without_it(start_server: Callable[..., LiveServer]) -> None:
    server = start_server("/user/ann/")
    assert server.get("about")["version"]
    assert server.line().started["session"]
    outside = requests.get(
        f"http://127.0.0.1:{server.port}/gcs-lab/api/about", headers={"Authorization": f"token {TOKEN}"}, timeout=10
    )
    assert outside.status_code == 404


def test_a_line_without_a_token_is_refused(server: LiveServer) -> None:
    for header in ([], ["Authorization: token wrong"]):
        with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
            Line(server, header=header)


class NoClusters(Authorizer):
    """Lets everybody do everything but what has to do with clusters."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        return resource != "gcs_lab"


def test_an_authorizer_that_refuses_clusters_refuses_every_route(start_server: Callable[..., LiveServer]) -> None:
    server = start_server(ServerApp={"authorizer_class": NoClusters})
    for verb, path in OPERATIONS:
        assert server.refused(403, verb, path)["type"] == "Forbidden", path
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        server.line()


class ReadOnly(Authorizer):
    """Lets everybody look, and nobody do."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        return action == "read"


def test_an_authorizer_that_lets_look_lets_nobody_do(start_server: Callable[..., LiveServer]) -> None:
    server = start_server(ServerApp={"authorizer_class": ReadOnly})
    assert server.get("about")["version"]
    for verb, path in OPERATIONS:
        if verb != "GET":
            assert server.refused(403, verb, path)["type"] == "Forbidden", path
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        server.line()


def test_jupyter_finds_no_route_that_forgot_to_authenticate(start_server: Callable[..., LiveServer]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", JupyterServerAuthWarning)
        server = start_server(ServerApp={"allow_unauthenticated_access": False})
        server.line()
        server.get("about")
    ours = [str(one.message) for one in caught if issubclass(one.category, JupyterServerAuthWarning)]
    assert not [text for text in ours if "gcs" in text.lower()], ours
