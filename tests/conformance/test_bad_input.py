"""What cannot work is refused before a submission, attribute by attribute, and there is no job (issue 3, Bad input)."""

from __future__ import annotations

import contextlib
import json
import sys
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from conformance.statements import clause
from gcs_lab.errors import InvalidArgument, UnsupportedAttribute
from gcs_lab.vocabulary import JobState, JobTemplate

if TYPE_CHECKING:
    from conformance.site import Site

BAD = clause("issue 3, bad input")
#: Examples are few, and more under a profile: each that is accepted is a job.
CAREFUL = settings(
    deadline=None,
    max_examples=60,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
REFUSALS = (InvalidArgument, UnsupportedAttribute)
OBJECT, HUGE = object(), "x" * 20_000_000
TEXTS = [5, 1.5, True, b"bytes", ["list"], {"a": "b"}, OBJECT, "", "a\0b", "\ud800", HUGE]
NAMES = [*TEXTS, "a\nb", "a\rb"]
BOOLEANS = ["yes", "true", 0, 1, 2, [], OBJECT]
NUMBERS = ["1", 1.5, True, [1], OBJECT, 2**80, -(2**80)]
LISTS = ["text", 5, True, {"a": "b"}, OBJECT, [5], [None], [["a"]], ["a\0b"], ["\ud800"], [HUGE]]
MAPPINGS = ["text", 5, True, ["a"], OBJECT, {"a": 5}, {5: "a"}, {"a": None}, {"a": "b\0"}, {"a": HUGE}, {"": "a"}]
MOMENTS = ["tomorrow", 5, 5.0, True, OBJECT, datetime(2001, 1, 1, tzinfo=UTC).date()]
PATHS = [*NAMES, "../outside", "a/../../b", "$DRMAA2_HOME_DIR$/../../b", "a" * 5000, "x/$DRMAA2_HOME_DIR$/y"]

#: For every attribute, values that no system can honour.
HOPELESS: dict[str, list[Any]] = {
    "remote_command": [*NAMES, None],
    "args": LISTS,
    "submit_as_hold": BOOLEANS,
    "rerunnable": BOOLEANS,
    "job_environment": [*MAPPINGS, {"a=b": "c"}],
    "working_directory": [*NAMES, "../outside", "$DRMAA2_HOME_DIR$/../../b", "a" * 5000],
    "job_category": [*NAMES, "no such category"],
    "email": [*LISTS, [], ["no address"], ["a@b@c"], ["a@b.c\nBcc: d@e.f"], ["a b@c.d"]],
    "email_on_started": BOOLEANS,
    "email_on_terminated": BOOLEANS,
    "job_name": [*NAMES, "1name", "a/b", "a:b", "a@b", "a\\b", "a*b", "a?b", "x" * 5000],
    "input_path": PATHS,
    "output_path": PATHS,
    "error_path": PATHS,
    "join_files": BOOLEANS,
    "reservation_id": [*NAMES, "no-such-reservation"],
    "queue_name": [*NAMES, "no-such.q", "all.q@no-such-host"],
    "min_slots": [*NUMBERS, 0, -1],
    "max_slots": [*NUMBERS, 0, -1],
    "priority": [*NUMBERS, -1024, 1025],
    "candidate_machines": [*LISTS, [], [""], ["a\nb"], ["a b"]],
    "min_phys_memory": [*NUMBERS, 0, -1],
    "machine_os": ["LINUX", 99, True, [], OBJECT],
    "machine_arch": ["X64", 99, True, [], OBJECT],
    "start_time": MOMENTS,
    "deadline_time": [*MOMENTS, datetime(2001, 1, 1, tzinfo=UTC)],
    "stage_in_files": [*MAPPINGS, {"/a": ""}, {"/a": "../outside"}, {"/a\n": "/b"}],
    "stage_out_files": [*MAPPINGS, {"/a": ""}, {"/a": "../outside"}, {"/a\n": "/b"}],
    "resource_limits": [*MAPPINGS, {"NO_SUCH_LIMIT": "1"}, {"CPU_TIME": "much"}, {"CPU_TIME": "-1"}],
    "accounting_id": [*NAMES, "a:b"],
    "parallel_environment": [*NAMES, "no-such-pe"],
    "resource_requests": [
        *MAPPINGS,
        {"h_rt": "soon"},
        {"h_vmem": "much"},
        {"no_such": "1"},
        {"h_rt": "1\n2"},
        {"h_rt": "1h"},
        {"h_rt": "-5"},
        {"h_rt": "1-12:00:00"},
        {"h_vmem": "4GB"},
        {"h_vmem": "-4G"},
        {"h_vmem": "4"},
        {"num_proc": "4G"},
        {"num_proc": "1_0"},
        {"hostname": "no-such-host"},
        {"slots": "2"},
        {"h_rt": "60", "no_such": "1"},
    ],
    "hold_jid": [*LISTS, [""], ["a\nb"]],
    "hold_jid_ad": [*LISTS, [""], ["a\nb"]],
    "native_specification": [*TEXTS, "-N 'open", "-nosuchoption", "words"],
}


def _refused(site: Site, **attributes: Any) -> str:
    """Submit in each of the three ways; return what the refusal said."""
    template = JobTemplate(**({"remote_command": "/bin/true", "submit_as_hold": True} | attributes))
    with pytest.raises(REFUSALS) as caught:
        site.jobs.submit(template)
    with pytest.raises(REFUSALS):
        site.jobs.submit_many([template])
    with pytest.raises(REFUSALS):
        site.jobs.submit_array(template, 1, 2)
    return str(caught.value)


@BAD
@pytest.mark.parametrize("attribute", list(HOPELESS))
def test_a_value_that_cannot_work_is_refused_and_there_is_no_job(site: Site, attribute: str) -> None:
    before = site.jobs.backend.job_ids()
    for value in HOPELESS[attribute]:
        shown = repr(value)[:60]
        try:
            said = _refused(site, **{attribute: value})
        except BaseException as error:
            raise AssertionError(f"{attribute}={shown}: {error!r}"[:2000]) from error
        assert said.strip(), shown
        assert len(said) < 5000, f"{attribute}={shown}: the message has {len(said)} characters"
    assert site.jobs.backend.job_ids() == before


@BAD
def test_every_attribute_has_values_that_cannot_work() -> None:
    assert HOPELESS.keys() == {f.name for f in fields(JobTemplate)}


TEXT = st.text(max_size=30)
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=True),
    TEXT,
    st.binary(max_size=5),
    st.lists(TEXT, max_size=3),
    st.dictionaries(TEXT, TEXT, max_size=3),
    st.lists(st.integers(), max_size=2),
)


@BAD
@CAREFUL
@given(attribute=st.sampled_from(sorted(HOPELESS)), value=ANYTHING)
@example(attribute="job_name", value="ünï")
@example(attribute="queue_name", value="all.q\n-b y")
@example(attribute="accounting_id", value="a b")
@example(attribute="native_specification", value="-N a\0b")
def test_whatever_is_given_either_is_refused_as_an_argument_or_becomes_one_job(
    site: Site, attribute: str, value: Any
) -> None:
    before = set(site.jobs.backend.job_ids())
    quiet = {"working_directory": "/tmp", "output_path": "/dev/null", "error_path": "/dev/null"}
    template = JobTemplate(**{"remote_command": "/bin/true", **quiet, "submit_as_hold": True, attribute: value})
    try:
        job = site.jobs.submit(template)
    except REFUSALS as error:
        said = str(error)
        assert said.strip()
        assert set(site.jobs.backend.job_ids()) <= before
        return
    site.end(job)


@BAD
@CAREFUL
@given(name=st.one_of(TEXT, st.text("abc_.-+ ünï/:@*?\\\"'", min_size=1, max_size=12)))
@example(name="NONE")
@example(name="-x")
@example(name="a,b")
@example(name="$HOME")
def test_a_job_has_exactly_the_name_that_was_given_or_is_refused(site: Site, name: str) -> None:
    try:
        job = site.jobs.submit(
            site.template("/bin/true", folder=site.work, job_name=name, submit_as_hold=True, output_path="/dev/null")
        )
    except REFUSALS:
        return
    try:
        assert job.info().job_name == name
    finally:
        site.end(job)


_WORDS = st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20), max_size=5)
_ODD = [(["-b", "y", "--", "-", "a\\nb", "%s", "\x01"], ["", " ", "\n", "\\", ","])]


@BAD
@settings(parent=CAREFUL, max_examples=1)
@given(cases=st.lists(st.tuples(_WORDS, _WORDS), min_size=15, max_size=15))
@example(cases=_ODD)
def test_arguments_and_variables_arrive_exactly_or_are_refused(
    site: Site, cases: list[tuple[list[str], list[str]]]
) -> None:
    script = (
        "import json, os, sys; print(json.dumps([sys.argv[2:], [os.environ.get(n) for n in sys.argv[1].split()]]))"
    )
    runs = []
    for args, values in cases:
        names = [f"CS_FUZZ_{number}" for number in range(len(values))]
        variables = dict(zip(names, values, strict=True))
        with contextlib.suppress(*REFUSALS):
            command = [sys.executable, "-c", script, " ".join(names), *args]
            runs.append((site.run(*command, job_environment=variables), args, values))
    for run, args, values in runs:
        run.ended(JobState.DONE)
        assert json.loads(run.shown()) == [args, values]
