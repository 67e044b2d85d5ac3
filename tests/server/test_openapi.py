"""The OpenAPI document is what the routes are, and what a fuzzer finds them to be."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live_server import TOKEN
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gcs_lab.backends.embedded import service
from gcs_lab.server import job_routes
from gcs_lab.server.about_routes import DOCUMENT
from gcs_lab.server.job_actions import JOB_ACTIONS
from gcs_lab.server.log_streams import STREAMS
from gcs_lab.server.openapi import document, document_text
from gcs_lab.server.routes import api_routes, routes
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from live_server import LiveServer

_CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
_DOCUMENT = document()
OPERATIONS = [(path, verb) for path, told in _DOCUMENT["paths"].items() for verb in told if verb != "parameters"]


def test_the_file_is_what_the_routes_say() -> None:
    assert DOCUMENT.read_text() == document_text(), "write it anew: python -m gcs_lab.server.openapi"


def test_every_route_is_in_it_and_every_verb() -> None:
    assert {path for path, _ in api_routes()} == {path.removeprefix("/") for path in _DOCUMENT["paths"]}
    verbs = ("get", "post", "put", "patch", "delete")
    for path, handler in api_routes():
        own = {verb for verb in verbs if verb in vars(handler)}
        assert own == set(_DOCUMENT["paths"][f"/{path}"]) - {"parameters"}, path
        assert own, path
    patterns = [pattern for pattern, _ in routes()]
    assert len(patterns) == len(set(patterns)) == len(_DOCUMENT["paths"]) + 1


def test_the_server_sends_it(server: LiveServer) -> None:
    assert server.get("openapi.json") == _DOCUMENT


def test_no_two_operations_have_one_name() -> None:
    names = [_DOCUMENT["paths"][path][verb]["operationId"] for path, verb in OPERATIONS]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"\w+", name) for name in names)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str, str]]:
    """The document's operations at a server that starts and stops nothing, and the id of a job there."""
    from live_server import LiveServer

    import gcs_lab

    service.start()
    made = LiveServer(tmp_path_factory.mktemp("fuzzed"), config={"GcsLabServer": {"allow_start": False}})
    job = gcs_lab.connect("embedded").jobs.run("/bin/echo", "hello")
    job.wait_terminated(30)
    yield schemathesis.openapi.from_dict(_DOCUMENT), made.url("api"), job.id
    made.stop()


@pytest.mark.parametrize(("path", "verb"), OPERATIONS)
def test_a_fuzzer_finds_no_fault(fuzzed: tuple[Any, str, str], path: str, verb: str) -> None:
    schema, url, job_id = fuzzed
    operation = schema[path][verb.upper()]
    modes = schemathesis.GenerationMode
    # What fits the document, and what does not; at a cluster and a job that are there, and elsewhere.
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in (modes.POSITIVE, modes.NEGATIVE)))

    @given(case=cases, there=st.sampled_from([True, True, True, False]))
    @settings(
        max_examples=20 if "{" in path else 5,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def fuzz(case: Any, there: bool) -> None:
        if there and isinstance(case.path_parameters, dict):
            known = {"name": "embedded", "job_id": job_id}
            case.path_parameters.update({name: known[name] for name in case.path_parameters if name in known})
        case.call_and_validate(
            base_url=url, headers={"Authorization": f"token {TOKEN}"}, checks=_CHECKS, allow_redirects=False
        )

    fuzz()


@pytest.mark.parametrize(
    ("query", "field"),
    [("nonsense=1", "nonsense"), ("notebook=a&notebook=b", "notebook"), ("notebook=a%00b", "notebook")],
)
def test_what_the_query_may_not_have_is_named(server: LiveServer, query: str, field: str) -> None:
    assert server.refused(400, "GET", f"clusters/embedded/catalogue?{query}")["field"] == field


def test_what_jupyterlab_adds_to_a_query_is_no_fault(server: LiveServer) -> None:
    assert server.request("GET", "about?1795291029747").status_code == 200


def test_the_names_of_the_document_are_those_of_the_code() -> None:
    """They are written out beside the routes, so that a start of the server does not load what has them."""
    assert tuple(JobState.__members__) == job_routes.STATES
    assert job_routes._ACTION["enum"] == list(JOB_ACTIONS)
    assert job_routes._STREAM["enum"] == list(STREAMS)


def test_a_long_body_is_checked_while_others_are_answered(server: LiveServer) -> None:
    rerun = "clusters/embedded/jobs/1/rerun"
    answered: list[dict[str, Any]] = []
    long = threading.Thread(
        target=lambda: answered.append(server.refused(400, "POST", rerun, json={"tasks": [0] * 150_000}))
    )
    long.start()
    meanwhile = 0
    while not answered:
        assert server.get("about")
        meanwhile += not answered
    long.join()
    assert answered[0]["field"].startswith("tasks.")
    # Of the loop itself none would be answered.
    assert meanwhile >= 2
    assert server.refused(413, "POST", rerun, data=b" " * 2_000_001)


def test_what_is_no_exception_is_answered_and_the_server_goes_on(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave(*_: object) -> None:
        raise SystemExit("away")

    with monkeypatch.context() as patched:
        patched.setattr(server.extension._clusters, "list", leave)
        assert "SystemExit: away" in server.refused(500, "GET", "clusters")["message"]
    assert server.get("clusters")
