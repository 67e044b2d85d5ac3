"""The objects of the DRMAA2 face: attributes, dictionaries, reflection; no cluster is asked."""

from __future__ import annotations

import copy
import pickle
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcs_lab import drmaa2, vocabulary
from gcs_lab.drmaa2 import (
    Bool,
    JobInfo,
    JobState,
    JobTemplate,
    Os,
    ReservationInfo,
    ReservationTemplate,
    ResourceLimit,
    SlotInfo,
    Time,
)
from gcs_lab.drmaa2.notification import Notification

STANDARD = {
    JobTemplate: set(vocabulary.JobTemplate.__dataclass_fields__)
    - {"parallel_environment", "resource_requests", "hold_jid", "hold_jid_ad", "native_specification"},
    ReservationTemplate: set(vocabulary.ReservationTemplate.__dataclass_fields__)
    - {"parallel_environment", "queue_name", "native_specification"},
}


@pytest.mark.parametrize("kind", STANDARD)
def test_a_template_has_the_attributes_of_the_standard(kind: type) -> None:
    assert set(kind.attribute_names()) == STANDARD[kind]
    assert len(JobTemplate.attribute_names()) == 30


@pytest.mark.parametrize(
    "kind",
    [
        JobTemplate,
        JobInfo,
        ReservationTemplate,
        ReservationInfo,
        drmaa2.QueueInfo,
        drmaa2.MachineInfo,
        Notification,
        SlotInfo,
    ],
)
def test_every_attribute_is_described(kind: type) -> None:
    names = [*kind.attribute_names(), *kind.get_implementation_specific_keys()]
    assert all(drmaa2.describe_attribute(kind, name).endswith(".") for name in names)
    with pytest.raises(drmaa2.InvalidArgument):
        kind.describe_attribute("no_such_attribute")


def test_only_what_is_set_is_shown() -> None:
    template = JobTemplate({"remote_command": "/bin/sleep", "args": ["10"]})
    assert template.to_dict() == {"args": ["10"], "remote_command": "/bin/sleep"}
    assert str(template) == "{'args': ['10'], 'remote_command': '/bin/sleep'}"
    assert repr(template) == f"JobTemplate({template})"
    assert (template.queue_name, template.email, template.stage_in_files) == (None, [], {})
    assert template.rerunnable == "FALSE"
    assert not template.rerunnable
    assert template.to_dict() == {"args": ["10"], "remote_command": "/bin/sleep"}


def test_templates_are_equal_when_what_is_set_is() -> None:
    template = JobTemplate({"remote_command": "x"})
    assert template == JobTemplate.create_from_dict({"remote_command": "x"})
    assert template != JobTemplate({"remote_command": "y"})
    assert JobTemplate.create_from_dict(template) is template
    template.from_dict({"job_name": "fit"})
    assert template.to_dict() == {"job_name": "fit", "remote_command": "x"}
    template.job_name = None
    assert template == JobTemplate({"remote_command": "x"})


def test_what_was_read_of_a_list_can_be_appended_to() -> None:
    template = JobTemplate({"remote_command": "x"})
    template.args.append("1")
    template.job_environment["A"] = "b"
    assert template.to_dict() == {"args": ["1"], "job_environment": {"A": "b"}, "remote_command": "x"}


@pytest.mark.parametrize("value", [True, 1, Bool.TRUE, "TRUE"])
def test_a_flag_is_set_in_many_ways(value: object) -> None:
    template = JobTemplate({"rerunnable": value})
    assert template.rerunnable
    assert template.rerunnable == Bool.TRUE == Bool.TRUE.value
    assert template.rerunnable == Bool(1).name
    assert template.plain().rerunnable is True


@pytest.mark.parametrize("value", [False, 0, Bool.FALSE, "FALSE"])
def test_a_flag_that_is_no_is_not_the_same_as_not_set(value: object) -> None:
    assert JobTemplate({"rerunnable": value}).plain().rerunnable is False
    assert JobTemplate().plain().rerunnable is None


@pytest.mark.parametrize("value", ["LINUX", Os.LINUX, 3, vocabulary.OperatingSystem.LINUX])
def test_a_choice_is_given_by_name_member_or_number_and_read_as_its_name(value: object) -> None:
    template = JobTemplate({"machine_os": value})
    assert template.machine_os == "LINUX"
    assert template.machine_os == Os.LINUX
    assert template.to_dict() == {"machine_os": "LINUX"}
    assert template.plain().machine_os is vocabulary.OperatingSystem.LINUX


def test_what_means_unset_in_c_is_not_set() -> None:
    template = JobTemplate(
        {"machine_os": Os.UNSET_OS, "min_slots": -1, "start_time": Time.UNSET_TIME, "priority": -99999}
    )
    assert template.to_dict() == {}
    assert JobTemplate({"priority": -1}).priority == -1
    assert JobInfo({"job_state": JobState.UNSET_JSTATE, "wallclock_time": -3, "exit_status": -1}).to_dict() == {}


def test_a_naive_time_is_local_and_an_aware_one_is_the_same_moment() -> None:
    now = datetime.now()  # noqa: DTZ005  (naive on purpose)
    template = JobTemplate({"start_time": now})
    assert template.start_time == now
    assert template.plain().start_time == now.astimezone()
    template.start_time = datetime(2030, 1, 1, 12, tzinfo=UTC)
    assert template.start_time.tzinfo is None
    assert template.start_time.astimezone() == datetime(2030, 1, 1, 12, tzinfo=UTC)
    template.start_time = 1_900_000_000
    assert template.plain().start_time == datetime.fromtimestamp(1_900_000_000, tz=UTC)


def test_now_and_infinity_are_words() -> None:
    template = JobTemplate({"start_time": Time.NOW, "deadline_time": "INFINITE_TIME"})
    assert template.start_time == "NOW"
    assert template.start_time == Time.NOW
    assert (template.plain().start_time, template.plain().deadline_time) == (None, None)
    deadline = JobTemplate({"deadline_time": "NOW"}).plain().deadline_time
    assert abs(deadline - datetime.now(UTC)) < timedelta(seconds=5)
    with pytest.raises(drmaa2.InvalidArgument, match="INFINITE_TIME, which is no moment"):
        JobTemplate({"start_time": "INFINITE_TIME"}).plain()


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("remote_command", 5),
        ("remote_command", ["x"]),
        ("remote_command", b"\xff"),
        ("args", "10"),
        ("args", [10]),
        ("args", {"a": "b"}),
        ("job_environment", ["A=b"]),
        ("job_environment", {"A": 5}),
        ("rerunnable", "perhaps"),
        ("rerunnable", 2),
        ("min_slots", "2"),
        ("min_slots", True),
        ("min_slots", 2.5),
        ("machine_os", "PLAN9"),
        ("machine_os", 99),
        ("machine_os", ["LINUX"]),
        ("start_time", "tomorrow"),
        ("start_time", 1e300),
        ("start_time", [1]),
        ("implementation_specific", "x"),
        ("no_such_attribute", "x"),
        (5, "x"),
    ],
)
def test_what_cannot_be_a_value_is_an_invalid_argument_that_names_the_attribute(
    attribute: str, value: object
) -> None:
    with pytest.raises(drmaa2.InvalidArgument, match=str(attribute)):
        JobTemplate({attribute: value})


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.datetimes()
    | st.sampled_from([*Time, *Os, *JobState, *ResourceLimit, *Time.__members__, *JobState.__members__]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner),
    max_leaves=5,
)


@pytest.mark.parametrize("kind", [JobTemplate, JobInfo, ReservationTemplate, ReservationInfo, SlotInfo])
@given(data=st.data())
def test_any_value_is_taken_or_refused_with_one_of_our_errors(kind: type, data: st.DataObject) -> None:
    names = [*kind.attribute_names(), *kind.get_implementation_specific_keys(), "implementation_specific"]
    values = data.draw(st.dictionaries(st.sampled_from(names), ANYTHING, max_size=3))
    try:
        made = kind(values)
    except (drmaa2.InvalidArgument, drmaa2.UnsupportedAttribute):
        return
    assert kind(made.to_dict()) == made
    assert str(made)
    with suppress(drmaa2.InvalidArgument, drmaa2.UnsupportedAttribute):
        made.plain()


def test_an_attribute_that_is_misspelled_is_not_taken_in_silence() -> None:
    with pytest.raises(drmaa2.InvalidArgument, match="Did you mean remote_command"):
        JobTemplate().remote_comand = "x"
    with pytest.raises(AttributeError):
        _ = JobTemplate().remote_comand


def test_what_univa_adds_is_the_same_as_ours() -> None:
    template = JobTemplate({"remote_command": "x"})
    template.set_impl_spec_key_value(" uge_jt_pe ", "smp")
    template.implementation_specific = {"uge_jt_native": "-l h_rt=60"}
    assert template.get_impl_spec_key_value("uge_jt_pe") == "smp"
    assert template.implementation_specific == {"uge_jt_pe": "smp", "uge_jt_native": "-l h_rt=60"}
    assert template.plain().parallel_environment == "smp"
    assert template.plain().native_specification == "-l h_rt=60"
    template.parallel_environment = "mpi"
    with pytest.raises(drmaa2.InvalidArgument, match="they differ"):
        template.plain()
    template.set_impl_spec_key_value("uge_jt_pe", "")
    assert template.plain().parallel_environment == "mpi"


def test_what_we_add_has_our_names() -> None:
    template = JobTemplate({"resource_requests": {"h_rt": "60", "l": "a,b"}, "hold_jid": ["5", "prep*"]})
    assert template.implementation_specific == {"resource_requests": 'h_rt=60,l="a,b"', "hold_jid": "5,prep*"}
    assert template.hold_jid == "5,prep*"
    plain = template.plain()
    assert (plain.resource_requests, plain.hold_jid) == ({"h_rt": "60", "l": "a,b"}, ["5", "prep*"])


def test_an_unknown_key_is_an_unsupported_attribute() -> None:
    template = JobTemplate()
    with pytest.raises(drmaa2.UnsupportedAttribute, match="It has: uge_jt_pe"):
        template.set_impl_spec_key_value("uge_jt_no", "1")
    with pytest.raises(drmaa2.UnsupportedAttribute):
        drmaa2.get_instance_value(template, "uge_jt_no")
    drmaa2.set_instance_value(template, "hold_jid", "5")
    assert drmaa2.get_instance_value(template, "hold_jid") == "5"


def test_a_template_goes_there_and_back() -> None:
    plain = vocabulary.JobTemplate(
        remote_command="/bin/sh",
        args=["-c", "x"],
        rerunnable=False,
        machine_os=vocabulary.OperatingSystem.LINUX,
        machine_arch=vocabulary.CpuArchitecture.X64,
        start_time=datetime(2030, 1, 1, tzinfo=UTC),
        stage_in_files={"a": "b"},
        resource_limits={"CPU_TIME": "60"},
        priority=-5,
        resource_requests={"h_rt": "60"},
        hold_jid=["1"],
        native_specification="-q all.q",
    )
    assert JobTemplate(plain).plain() == plain
    reserved = vocabulary.ReservationTemplate(
        reservation_name="r",
        duration=60,
        users_acl=["ann"],
        machine_arch=vocabulary.CpuArchitecture.X64,
        queue_name="q",
    )
    assert ReservationTemplate(reserved).plain() == reserved
    assert vocabulary.ReservationTemplate.from_json(reserved.to_json()) == reserved


def test_limits_may_be_named_by_members() -> None:
    template = JobTemplate({"resource_limits": {ResourceLimit.CPU_TIME: "60"}})
    assert template.resource_limits == {"CPU_TIME": "60"}


def test_a_filter_becomes_the_filter_of_the_area() -> None:
    info = JobInfo({"job_name": "fit", "job_state": "DONE", "allocated_machines": ["node1"], "wallclock_time": 5})
    plain = info.plain()
    assert (plain.job_id, plain.job_name, plain.job_state) == ("", "fit", vocabulary.JobState.DONE)
    assert plain.allocated_machines == [vocabulary.SlotInfo("node1", 0)]
    with pytest.raises(drmaa2.InvalidArgument, match="RUNNING_HELD"):
        JobInfo({"job_state": "RUNNING_HELD"}).plain()


def test_a_filter_has_what_the_implementation_adds_too() -> None:
    info = JobInfo(
        {"uge_ji_failed": "1", "failed": "1", "uge_ji_rss": "4096", "uge_ji_mem": "1.5", "deleted_by": "ann"}
    )
    plain = info.plain()
    assert (plain.failed, plain.max_rss, plain.max_vmem, plain.deleted_by) == (1, 4096, None, "ann")
    assert plain.raw == {"mem": "1.5"}
    with pytest.raises(drmaa2.InvalidArgument, match="max_vmem is 'much'; a filter needs a whole number"):
        JobInfo({"uge_ji_vmem": "much"}).plain()
    with pytest.raises(drmaa2.InvalidArgument, match="they differ"):
        JobInfo({"uge_ji_failed": "1", "failed": "2"}).plain()
    reserved = ReservationInfo({"state": "w", "owner": "ann", "uge_ri_ar_json": "{}"}).plain()
    assert (reserved.state, reserved.owner, reserved.message) == ("w", "ann", None)


def test_an_info_says_what_the_system_said() -> None:
    info = JobInfo.of(
        vocabulary.JobInfo(
            job_id="5.3",
            job_state=vocabulary.JobState.FAILED,
            exit_status=0,
            wallclock_time=1.6,
            allocated_machines=[vocabulary.SlotInfo("node1", 2)],
            finish_time=datetime(2030, 1, 1, tzinfo=UTC),
            failed=0,
            max_rss=4096,
            raw={"mem": "1.5", "priority": "3"},
        )
    )
    assert (info.job_state, info.exit_status, info.wallclock_time) == ("FAILED", 0, 2)
    assert info.allocated_machines == [SlotInfo({"machine_name": "node1", "slots": 2})]
    assert info.allocated_machines == ["node1"]
    assert "node2" not in info.allocated_machines
    assert info.finish_time.astimezone() == datetime(2030, 1, 1, tzinfo=UTC)
    assert info.implementation_specific == {
        "uge_ji_priority": "3",
        "uge_ji_failed": "0",
        "uge_ji_mem": "1.5",
        "uge_ji_rss": "4096",
        "failed": "0",
        "max_rss": "4096",
    }


def test_infos_of_the_system_cannot_be_changed() -> None:
    queue = drmaa2.QueueInfo(vocabulary.QueueInfo("all.q", slots=8))
    assert str(queue) == "{'implementation_specific': {'slots': '8'}, 'name': 'all.q'}"
    with pytest.raises(drmaa2.UnsupportedOperation, match="cannot be set"):
        queue.name = "other"
    with pytest.raises(drmaa2.UnsupportedOperation):
        queue.set_impl_spec_key_value("slots", "9")
    machine = drmaa2.MachineInfo(
        vocabulary.MachineInfo(
            name="node1", available=False, load=0.5, machine_os_version=vocabulary.Version("6", "1")
        )
    )
    assert (machine.load, machine.machine_os_version.major, bool(machine.available)) == (0.5, "6", False)


def test_a_copy_of_a_template_is_another_template() -> None:
    template = JobTemplate({"remote_command": "x", "args": ["1"], "rerunnable": True, "hold_jid": "5"})
    for made in (copy.copy(template), copy.deepcopy(template), pickle.loads(pickle.dumps(template))):
        assert made == template
        made.args.append("2")
        made.job_name = "other"
        made.hold_jid = "6"
        assert made.rerunnable == Bool.TRUE
    assert template == JobTemplate({"remote_command": "x", "args": ["1"], "rerunnable": True, "hold_jid": "5"})


@pytest.mark.parametrize("wanted", [{"nam": "x"}, {"name": "x", "auth": None}, "x", {"contact": 5}])
def test_a_session_is_described_by_name_and_contact_only(wanted: object, home) -> None:
    for kind in (drmaa2.JobSession, drmaa2.ReservationSession, drmaa2.MonitoringSession):
        with pytest.raises(drmaa2.InvalidArgument):
            kind(session_dict=wanted)


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        (drmaa2.job_template_impl_spec, JobTemplate),
        (drmaa2.job_info_impl_spec, JobInfo),
        (drmaa2.reservation_template_impl_spec, ReservationTemplate),
        (drmaa2.reservation_info_impl_spec, ReservationInfo),
        (drmaa2.queue_info_impl_spec, drmaa2.QueueInfo),
        (drmaa2.machine_info_impl_spec, drmaa2.MachineInfo),
        (drmaa2.notification_impl_spec, Notification),
    ],
)
def test_what_is_added_is_listed_and_can_be_read(spec, kind: type) -> None:
    assert spec() == list(kind.implementation_specific_keys)
    assert all(drmaa2.describe_attribute(kind, name) for name in spec())
