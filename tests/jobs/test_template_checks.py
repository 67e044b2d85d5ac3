"""Templates are checked before anything reaches a system: every attribute, with values that cannot work and that can."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from in_memory_backend import CATALOGUE, InMemoryJobs, InMemoryReservations

from gcs_lab.errors import InvalidArgument, UnknownName, UnsupportedAttribute
from gcs_lab.jobs import Jobs
from gcs_lab.vocabulary import (
    CpuArchitecture,
    JobTemplate,
    OperatingSystem,
    ReservationTemplate,
    ResourceLimit,
    TaskRange,
)

LATER = datetime.now(UTC) + timedelta(days=30)
_FAMILIES: dict[str, str] = {
    "text": """remote_command working_directory job_category job_name input_path output_path error_path reservation_id
    queue_name accounting_id parallel_environment native_specification reservation_name""",
    "list": "args email candidate_machines hold_jid hold_jid_ad users_acl",
    "dict": "job_environment stage_in_files stage_out_files resource_limits resource_requests",
    "bool": "submit_as_hold rerunnable email_on_started email_on_terminated join_files",
    "int": "min_slots max_slots priority min_phys_memory duration",
    "enum": "machine_os machine_arch",
    "time": "start_time deadline_time end_time",
}
FAMILY = {name: family for family, names in _FAMILIES.items() for name in names.split()}
OF_TYPE: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "list": (list, tuple),
    "dict": (dict,),
    "bool": (bool,),
    "int": (int,),
    "enum": (OperatingSystem, CpuArchitecture),
    "time": (datetime,),
}
PATHS = ["working_directory", "input_path", "output_path", "error_path"]

anything = st.one_of(
    st.text(max_size=5),
    st.binary(max_size=5),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.datetimes(),
    st.sampled_from([*OperatingSystem, object(), JobTemplate, [[]], {1: 2}, {"a": None}, [None], ["x", 1], {3}, ()]),
    st.dictionaries(st.integers(), st.text(max_size=3), min_size=1, max_size=2),
    st.lists(st.integers(), min_size=1, max_size=2),
)
#: Characters that no attribute takes, wherever they stand (arguments and values of variables take line breaks).
spoilt_text = st.builds(
    lambda left, spoil, right: left + spoil + right,
    st.text("ab/", max_size=5),
    st.sampled_from(["\0", "\ud800", "\udcff"]),
    st.text("ab/", max_size=5),
)
broken_text = st.builds(
    lambda left, spoil, right: left + spoil + right,
    st.text("ab/", max_size=5),
    st.sampled_from(["\n", "\r", "\r\n", "\u2028", "\x85"]),
    st.text("ab/", max_size=5),
)
huge_text = st.integers(200_000, 300_000).map(lambda number: "x" * number)
climbing_path = st.sampled_from(
    ["../x", "..", "a/../../x", "./../x", "a/..//../b", "$DRMAA2_HOME_DIR$/../x", "$DRMAA2_HOME_DIR$/a/../../../etc"]
)
misplaced = st.sampled_from(
    ["a/$DRMAA2_HOME_DIR$", "/$DRMAA2_HOME_DIR$/x", "$DRMAA2_HOME_DIR$x", "$DRMAA2_HOME$/x", "$drmaa_hd_ph$/x",
     "a$DRMAA2_WORKING_DIR$/x", "$DRMAA2_HOME_DIR/x"]
)  # fmt: skip

WRONG: dict[str, list[Any]] = {
    "remote_command": ["", "../bin/x", "$DRMAA2_HOME_DIR$/x", "$DRMAA2_INDEX$"],
    "working_directory": ["", "$DRMAA2_WORKING_DIR$/x"],
    "input_path": [""],
    "output_path": [""],
    "error_path": [""],
    "job_name": ["", "1st", "٣rd", "a/b", "a:b", "a@b", "a\\b", "a*", "a?", 'a"b', " a", "a\tb", "x" * 513, "é" * 300],
    "job_category": ["", "a b", "x" * 513],
    "reservation_id": ["", "1 2"],
    "queue_name": ["", "all.q short.q"],
    "accounting_id": ["", "a:b", "a/b", "a\tb"],
    "parallel_environment": ["", "s mp"],
    "native_specification": [""],
    "email": [[], "ann@example.org", ["ann"], ["@example.org"], ["ann@"], ["a@b@c"], ["Ann <ann@example.org>"],
              ["ann@example.org\nBcc: bob@example.org"], ["ann@example.org, bob@example.org"], ["-oX@example.org"],
              ["ann @example.org"], [""], ["x" * 250 + "@example.org"]],
    "email_on_started": [True, "yes", 1],
    "email_on_terminated": [True],
    "min_slots": [0, -1, True, 2.0, "2", 10**9],
    "max_slots": [0, 10**30],
    "priority": [-1024, 1025, False, "3"],
    "min_phys_memory": [0, -5, 2**60],
    "candidate_machines": [[], "node1", [""], ["node 1"], ["node1|node2"], ["node*"], ["-x"], ["nöde"], ["x" * 256]],
    "machine_os": [3, "LINUX", CpuArchitecture.X64],
    "machine_arch": [8, OperatingSystem.LINUX],
    "start_time": ["now", 0, datetime.min, datetime.max, LATER.date(), datetime(9000, 1, 1)],  # noqa: DTZ001, DTZ901
    "deadline_time": [datetime(2020, 1, 1), datetime(2020, 1, 1, tzinfo=UTC), 7],  # noqa: DTZ001
    "stage_in_files": [{"": "a"}, {"a": ""}, {"../a": "b"}, {"a": "../b"}, {"a": "x/$DRMAA2_HOME_DIR$"}, {"a": 1}],
    "stage_out_files": [[("a", "b")], {"a": "$DRMAA2_WORKING_DIR$/../b"}],
    "resource_limits": [{"CPU": "1"}, {"CPU_TIME": 60}, {"CPU_TIME": "1h"}, {"CPU_TIME": "-1"}, {"CPU_TIME": "0"},
                        {"CPU_TIME": ""}, {"WALLCLOCK_TIME": "0"}, {"VIRTUAL_MEMORY": "0"}, {"OPEN_FILES": "2"},
                        {"STACK_SIZE": "9" * 30}, {"CPU_TIME": "\u0661"}, {"CPU_TIME": "1.5"}],
    "job_environment": [{"": "x"}, {"A=B": "x"}, {"A B": "x"}, {"A": None}, {"A\n": "x"}, {1: "x"}, {"A": "x" * 200_000}],
    "resource_requests": [{"h_rt": 60}, {"h_rt": ""}, {"h_rt": "1 0"}, {"": "1"}, {"h rt": "1"}],
    "hold_jid": ["5", [5], [""], ["a,,b"], [","], ["a/b"], [" a"]],
    "hold_jid_ad": [[5], "5"],
    "args": ["a", [1], [None], ["x" * 131_072], ["a"] * 100_001],
    "submit_as_hold": [1, 0, "true"],
    "rerunnable": ["n"],
    "join_files": ["y", 1],
}  # fmt: skip
RIGHT: dict[str, list[Any]] = {
    "remote_command": ["true", "/bin/true", "bin/x", "a b", "./x", "a..b", "dé/x"],
    "args": [[], [""], ["a\nb", "é", "x" * 131_071], ("a", "b")],
    "submit_as_hold": [True, False],
    "rerunnable": [True, False],
    "job_environment": [{}, {"A": "", "B_1": "x\ny", "é": "é"}],
    "working_directory": ["/tmp", "$DRMAA2_HOME_DIR$", "$DRMAA2_HOME_DIR$/a/../b", "a", "a/../b", "a..b/...", "/a/../b"],
    "job_category": ["quick"],
    "email": [["ann@example.org"], ["ann@localhost", "b.o+b@x.y"]],
    "email_on_started": [False],
    "email_on_terminated": [False],
    "job_name": ["fit", "a1", "über", "a b", "x" * 512, "-x"],
    "input_path": ["/a", "$DRMAA2_WORKING_DIR$/a", "$DRMAA2_HOME_DIR$/in.$TASK_ID"],
    "output_path": ["out", "a,b:c"],
    "error_path": ["/dev/null"],
    "join_files": [True],
    "reservation_id": ["7"],
    "queue_name": ["all.q", "all.q@node1,short.q", "*"],
    "min_slots": [1, 9_999_999],
    "max_slots": [1, 8],
    "priority": [-1023, 0, 1024],
    "candidate_machines": [["node1"], ["node1", "node2.example.org", "@big"]],
    "min_phys_memory": [1, 2**40],
    "machine_os": [OperatingSystem.LINUX],
    "machine_arch": [CpuArchitecture.X64, CpuArchitecture.PPC64LE],
    "start_time": [LATER, LATER.replace(tzinfo=None), datetime(2000, 1, 1)],  # noqa: DTZ001
    "deadline_time": [LATER, LATER.astimezone(timezone(timedelta(hours=9)))],
    "stage_in_files": [{}, {"/a": "b", "$DRMAA2_HOME_DIR$/c": "$DRMAA2_WORKING_DIR$/d"}],
    "stage_out_files": [{"a": "/b"}],
    "resource_limits": [{"CPU_TIME": "60", ResourceLimit.OPEN_FILES: "64"}, {"CORE_FILE_SIZE": "0"},
                        {"VIRTUAL_MEMORY": "unlimited"}],
    "accounting_id": ["project x", "p1"],
    "parallel_environment": ["smp"],
    "resource_requests": [{}, {"h_rt": "1:00:00", "h_vmem": "4G"}],
    "hold_jid": [[], ["5"], ["5.3", "prep*", "a b", "5,6,x"]],
    "hold_jid_ad": [[]],
    "native_specification": ["-R y"],
}  # fmt: skip
GOOD_RESERVATION: dict[str, Any] = {
    "reservation_name": "course", "start_time": LATER, "end_time": LATER + timedelta(hours=1), "duration": 3600,
    "min_slots": 2, "max_slots": 4, "job_category": "quick", "candidate_machines": ["node1"], "min_phys_memory": 1,
    "machine_os": OperatingSystem.LINUX, "machine_arch": CpuArchitecture.X64, "parallel_environment": "smp",
    "queue_name": "all.q", "native_specification": "-he yes",
}  # fmt: skip


def _jobs() -> tuple[Jobs, InMemoryJobs]:
    backend = InMemoryJobs()
    backend.supports_everything()
    backend.reservations = InMemoryReservations()
    backend.known_catalogue = dataclasses.replace(
        CATALOGUE, job_categories=("quick",), hosts=("node1", "node2.example.org")
    )
    return Jobs(backend), backend


def _refused(attribute: str, value: Any) -> InvalidArgument:
    """Submit in every way, see that nothing reached the system, and return the error."""
    jobs, backend = _jobs()
    values = {"remote_command": "true", attribute: value}
    with pytest.raises(InvalidArgument) as refused:
        jobs.submit(JobTemplate(**values))
    with pytest.raises(InvalidArgument):
        jobs.submit_array(JobTemplate(**values), 1, 2)
    with pytest.raises(InvalidArgument, match="template 2 of 2"):
        jobs.submit_many([JobTemplate(remote_command="true"), JobTemplate(**values)])
    assert not backend.templates
    return refused.value


def test_the_tables_of_this_test_have_every_attribute() -> None:
    attributes = {f.name for f in dataclasses.fields(JobTemplate)}
    assert attributes == WRONG.keys() == RIGHT.keys()
    assert attributes | {f.name for f in dataclasses.fields(ReservationTemplate)} == FAMILY.keys()


@pytest.mark.parametrize(("attribute", "value"), [(name, value) for name in WRONG for value in WRONG[name]])
def test_a_value_that_cannot_work_is_refused_by_name(attribute: str, value: Any) -> None:
    error = _refused(attribute, value)
    assert attribute in str(error)
    assert len(str(error)) < 1000


@pytest.mark.parametrize(("attribute", "value"), [(name, value) for name in RIGHT for value in RIGHT[name]])
def test_a_value_that_can_work_reaches_the_system_as_it_is(attribute: str, value: Any) -> None:
    jobs, backend = _jobs()
    job = jobs.submit(JobTemplate(**{"remote_command": "true", attribute: value}))
    assert getattr(backend.templates[job.id], attribute) == value


@pytest.mark.parametrize("attribute", sorted(WRONG))
@settings(max_examples=40, deadline=None)
@given(value=anything)
def test_a_value_of_another_type_is_refused(attribute: str, value: Any) -> None:
    family = FAMILY[attribute]
    same_type = isinstance(value, OF_TYPE[family]) and not (family == "int" and isinstance(value, bool))
    holds_text = not isinstance(value, list | tuple | dict) or all(isinstance(entry, str) for entry in value)
    if value == {} or (same_type and holds_text and not isinstance(value, dict)):
        return
    assert attribute in str(_refused(attribute, value))


@pytest.mark.parametrize(
    "attribute", sorted(name for name, family in FAMILY.items() if family in ("text", "list", "dict"))
)
@settings(max_examples=15, deadline=None)
@given(spoilt=spoilt_text, broken=broken_text, huge=huge_text)
def test_text_that_no_system_carries_is_refused(attribute: str, spoilt: str, broken: str, huge: str) -> None:
    if attribute in ("reservation_name", "users_acl"):
        return
    bad = [spoilt, huge] if attribute in ("args", "job_environment") else [spoilt, broken, huge]
    for value in bad:
        if FAMILY[attribute] == "list":
            _refused(attribute, [value])
        elif FAMILY[attribute] == "dict":
            _refused(attribute, {value: "1"})
            _refused(attribute, {"CPU_TIME" if attribute == "resource_limits" else "A": value})
        else:
            _refused(attribute, value)


@pytest.mark.parametrize("attribute", PATHS)
@settings(max_examples=30, deadline=None)
@given(value=climbing_path | misplaced)
def test_paths_that_climb_or_misplace_placeholders_are_refused(attribute: str, value: str) -> None:
    error = _refused(attribute, value)
    assert ("Give the absolute path" in str(error)) or ("placeholders only where they may stand" in str(error))


@pytest.mark.parametrize("attribute", sorted(WRONG))
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_the_value_it_is_refused_as_such_or_arrives(attribute: str, data: st.DataObject) -> None:
    entry = st.text(max_size=20)
    value = data.draw(
        {
            "text": entry,
            "list": st.lists(entry, max_size=3),
            "dict": st.dictionaries(entry, entry, max_size=3),
            "bool": st.booleans(),
            "int": st.integers(),
            "enum": st.sampled_from([*OperatingSystem, *CpuArchitecture]),
            "time": st.datetimes(timezones=st.none() | st.timezones()),
        }[FAMILY[attribute]]
    )
    jobs, backend = _jobs()
    error: InvalidArgument | None = None
    try:
        jobs.submit(JobTemplate(**{"remote_command": "true", attribute: value}))
    except InvalidArgument as refused:
        error = refused
    if error is None:
        assert getattr(backend.templates["1"], attribute) == value
    else:
        for one in getattr(error, "problems", [error]):
            assert attribute in str(one) or isinstance(one, UnknownName) or str(one).startswith("-l ")
        assert not backend.templates


def test_a_line_break_in_a_mail_address_cannot_add_a_header() -> None:
    assert "email[0]" in str(_refused("email", ["ann@example.org\r\nBcc: all@example.org"]))


def test_a_whole_template_may_have_ten_mebibytes() -> None:
    assert "10485760 at the most" in str(_refused("args", ["x" * 131_000] * 81))


def test_slots_deadline_and_start_must_agree() -> None:
    jobs, backend = _jobs()
    with pytest.raises(InvalidArgument, match="max_slots is 2, less than min_slots, 4"):
        jobs.run("true", min_slots=4, max_slots=2)
    with pytest.raises(InvalidArgument, match="a time after start_time"):
        jobs.run("true", start_time=LATER, deadline_time=LATER)
    jobs.run("true", start_time=LATER, deadline_time=LATER + timedelta(seconds=1), min_slots=2, max_slots=2)
    assert len(backend.templates) == 1


def test_the_index_of_a_task_stands_only_in_arrays() -> None:
    jobs, backend = _jobs()
    template = JobTemplate(remote_command="true", output_path="out.$DRMAA2_INDEX$", hold_jid_ad=["5"])
    with pytest.raises(InvalidArgument, match=r"hold_jid_ad.*no array job"):
        jobs.submit(template)
    with pytest.raises(InvalidArgument, match=r"DRMAA2_INDEX.*no array job"):
        jobs.submit(JobTemplate(remote_command="true", output_path="out.$DRMAA2_INDEX$"))
    jobs.submit_array(template, 1, 3)
    assert backend.tasks == {"1": TaskRange(1, 3)}


def test_an_attribute_that_templates_do_not_have_is_refused() -> None:
    jobs, backend = _jobs()
    template = JobTemplate(remote_command="true")
    template.job_nmae = "x"  # type: ignore[attr-defined]
    with pytest.raises(InvalidArgument, match=r"no attribute 'job_nmae'.*Did you mean job_name"):
        jobs.submit(template)
    with pytest.raises(InvalidArgument, match="expected a JobTemplate, not a dict"):
        jobs.submit({"remote_command": "true"})  # type: ignore[arg-type]
    assert not backend.templates


def test_what_the_system_does_not_honour_is_refused_with_what_to_use_instead() -> None:
    backend = InMemoryJobs()
    with pytest.raises(
        UnsupportedAttribute, match=r"in-memory system does not honour priority\. priority: use something else than"
    ):
        Jobs(backend).run("true", priority=3)
    assert not backend.templates


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"job_category": "quik"}, r"no job category is called 'quik'.*Did you mean quick"),
        ({"candidate_machines": ["node1", "nod2"]}, r"no host is called 'nod2'"),
    ],
)
def test_categories_and_hosts_must_exist(attributes: dict[str, Any], message: str) -> None:
    jobs, backend = _jobs()
    with pytest.raises(UnknownName, match=message):
        jobs.run("true", **attributes)
    assert not backend.templates


@pytest.mark.parametrize("name", ["node1", "NODE1", "node1.example.org", "node2", "node2.example.org"])
def test_hosts_may_be_called_by_short_or_full_name(name: str) -> None:
    assert _jobs()[0].run("true", candidate_machines=[name]).id


def test_a_name_that_came_to_the_cluster_within_the_minute_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs, backend = _jobs()
    jobs.run("true", queue_name="all.q")
    backend.known_catalogue = dataclasses.replace(CATALOGUE, queues=("all.q", "new.q"))
    asked = jobs._catalogue
    assert asked is not None
    jobs._catalogue = (asked[0] - 2, asked[1])
    assert jobs.run("true", queue_name="new.q").id


@pytest.mark.parametrize(
    "change",
    [
        {"end_time": None, "duration": None},
        {"start_time": None, "end_time": None, "duration": None},
        {"duration": 10},
        {"end_time": LATER, "duration": None},
        {"end_time": LATER - timedelta(hours=1), "duration": None},
        {
            "start_time": datetime(2020, 1, 1, tzinfo=UTC),
            "end_time": datetime(2020, 1, 2, tzinfo=UTC),
            "duration": None,
        },
        {"min_slots": 5},
        {"duration": True},
        {"duration": 0},
        {"users_acl": "ann"},
        {"users_acl": ["a b"]},
        {"users_acl": []},
        {"reservation_name": "1st"},
        {"candidate_machines": ["nodeX"]},
        {"queue_name": "x.q"},
        {"parallel_environment": ""},
        {"native_specification": "a\nb"},
    ],
)
def test_a_reservation_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    jobs, backend = _jobs()
    assert backend.reservations is not None
    backend.reservations.supported_attributes |= {"users_acl"}
    with pytest.raises(InvalidArgument):
        jobs.reservations.request(ReservationTemplate(**GOOD_RESERVATION | change))
    assert not backend.reservations.granted


@pytest.mark.parametrize("attribute", [f.name for f in dataclasses.fields(ReservationTemplate)])
@settings(max_examples=40, deadline=None)
@given(value=anything)
def test_reservations_take_no_value_of_another_type(attribute: str, value: Any) -> None:
    family = FAMILY[attribute]
    if isinstance(value, OF_TYPE[family]):
        return
    jobs, backend = _jobs()
    with pytest.raises((InvalidArgument, UnsupportedAttribute), match=attribute):
        jobs.reservations.request(ReservationTemplate(**GOOD_RESERVATION | {attribute: value}))
    assert backend.reservations is not None
    assert not backend.reservations.granted


@pytest.mark.parametrize(
    "change",
    [{}, {"duration": None}, {"end_time": None}, {"start_time": None}, {"start_time": None, "end_time": None}],
)
def test_two_of_start_end_and_duration_are_enough(change: dict[str, Any]) -> None:
    jobs, backend = _jobs()
    assert jobs.reservations.request(ReservationTemplate(**GOOD_RESERVATION | change)).id == "1"
    assert backend.reservations is not None
    assert len(backend.reservations.granted) == 1


def test_a_reservation_attribute_that_the_system_does_not_honour_is_refused() -> None:
    jobs, _ = _jobs()
    with pytest.raises(UnsupportedAttribute, match=r"in-memory system does not honour users_acl\. users_acl: reser"):
        jobs.reservations.request(ReservationTemplate(**GOOD_RESERVATION | {"users_acl": ["ann"]}))
