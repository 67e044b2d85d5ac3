"""The words of the DRMAA2 face: enumerations, exceptions, timeouts, versions, names; no cluster is asked."""

from __future__ import annotations

import copy
import logging
import pickle

import pytest

from gcs_lab import drmaa2, errors, vocabulary
from gcs_lab.drmaa2 import JobInfo, JobState, JobTemplate, StatusCode, Sudo, Time
from gcs_lab.drmaa2.sudo import check_authority
from gcs_lab.drmaa2.timeouts import seconds_of
from gcs_lab.drmaa2.version import version_in


def test_the_numbers_of_states_are_those_of_c() -> None:
    names = "UNSET_JSTATE UNDETERMINED QUEUED QUEUED_HELD RUNNING SUSPENDED REQUEUED REQUEUED_HELD DONE FAILED RUNNING_HELD"
    assert {state.name: int(state) for state in JobState} == dict(zip(names.split(), range(-1, 10), strict=True))
    assert str(JobState.DONE) == "JobState.DONE"
    assert JobState.DONE == vocabulary.JobState.DONE


@pytest.mark.parametrize(
    ("ours", "vocabularys"),
    [
        (drmaa2.Capability, vocabulary.Capability),
        (drmaa2.Os, vocabulary.OperatingSystem),
        (drmaa2.Cpu, vocabulary.CpuArchitecture),
        (drmaa2.Event, vocabulary.Event),
    ],
)
def test_enumerations_have_the_numbers_of_the_vocabulary(ours: type, vocabularys: type) -> None:
    assert {one.name: int(one) for one in ours if one >= 0} == {one.name: int(one) for one in vocabularys}


def test_a_word_differs_from_what_it_does_not_equal_only() -> None:
    word = JobInfo({"job_state": "DONE"}).job_state
    assert not word != JobState.DONE  # noqa: SIM202  (the operator is what is tested)
    assert not JobState.DONE != word  # noqa: SIM202, SIM300
    assert word != JobState.FAILED
    assert word != "FAILED"
    assert not word != "DONE"  # noqa: SIM202


def test_a_word_survives_pickling_and_hashes_as_text() -> None:
    word = JobInfo({"job_state": "DONE"}).job_state
    assert pickle.loads(pickle.dumps(word)) == JobState.DONE
    assert {word: 1}["DONE"] == 1
    assert copy.deepcopy(word) == JobState.DONE
    assert word.lower() == "done"


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in drmaa2.__all__
        if name.endswith(("Error", "Exception")) or name.startswith(("Invalid", "Unsupported", "Denied"))
    ],
)
def test_every_exception_is_ours_and_carries_its_number(name: str) -> None:
    kind = getattr(drmaa2, name)
    assert issubclass(kind, errors.GcsError)
    assert kind("so it is").args == ("so it is",)
    assert str(kind(error="so it is")) == "so it is"
    assert StatusCode(kind("x").error_code)


def test_the_numbers_of_the_exceptions_are_those_of_c() -> None:
    numbers = {
        drmaa2.Drmaa2Exception: StatusCode.UNSET_ERROR,
        drmaa2.DeniedByDrms: StatusCode.DENIED_BY_DRMS,
        drmaa2.DrmCommunicationError: StatusCode.DRM_COMMUNICATION,
        drmaa2.TryLaterError: StatusCode.TRY_LATER,
        drmaa2.SessionManagementError: StatusCode.SESSION_MANAGEMENT,
        drmaa2.TimeoutError: StatusCode.TIMEOUT,
        drmaa2.InternalError: StatusCode.INTERNAL,
        drmaa2.InvalidArgument: StatusCode.INVALID_ARGUMENT,
        drmaa2.InvalidSession: StatusCode.INVALID_SESSION,
        drmaa2.InvalidState: StatusCode.INVALID_STATE,
        drmaa2.ResourceNotAvailable: StatusCode.OUT_OF_RESOURCE,
        drmaa2.UnsupportedAttribute: StatusCode.UNSUPPORTED_ATTRIBUTE,
        drmaa2.UnsupportedOperation: StatusCode.UNSUPPORTED_OPERATION,
        drmaa2.ImplementationSpecificError: StatusCode.IMPLEMENTATION_SPECIFIC,
        drmaa2.AuthorizationError: StatusCode.AUTHORIZATION,
    }
    assert {kind: kind("x").error_code for kind in numbers} == numbers
    assert drmaa2.Drmaa2Exception("x", StatusCode.TIMEOUT).error_code == StatusCode.TIMEOUT
    assert errors.UnknownName("queue", "x", []).error_code == StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [
        (Time.INFINITE_TIME, None),
        (-1, None),
        (None, None),
        ("INFINITE_TIME", None),
        (0, 0),
        (Time.ZERO_TIME, 0),
        (2.5, 2.5),
    ],
)
def test_timeouts_have_the_words_of_the_standard(timeout: object, seconds: float | None) -> None:
    assert seconds_of(timeout) == seconds


@pytest.mark.parametrize("timeout", [-2, Time.NOW, Time.UNSET_TIME, -0.5, "soon", True, float("nan"), [1]])
def test_what_is_no_timeout_is_refused(timeout: object) -> None:
    with pytest.raises(drmaa2.InvalidArgument, match="timeout"):
        seconds_of(timeout)


def test_nobody_elses_rights_are_taken() -> None:
    import getpass
    import os

    check_authority(None)
    check_authority({})
    check_authority(Sudo(username=getpass.getuser()))
    check_authority({"uid": os.geteuid(), "gid": os.getegid()})
    with pytest.raises(drmaa2.AuthorizationError, match="gcs_lab acts with your own rights only") as caught:
        check_authority(Sudo(username="nobody-else"))
    assert isinstance(caught.value, drmaa2.DeniedByDrms)
    with pytest.raises(drmaa2.DeniedByDrms):
        check_authority(Sudo(sudo_dict={"uid": os.geteuid() + 1}))
    with pytest.raises(drmaa2.InvalidArgument):
        check_authority("root")


@pytest.mark.parametrize(
    ("system", "name", "major", "minor"),
    [
        ("Grid Engine 8.1.9", "Grid Engine", "8", "1.9"),
        ("Grid Engine 8.1.9 (demo)", "Grid Engine", "8", "1.9"),
        ("Open Cluster Scheduler 9.2.0prealpha", "Open Cluster Scheduler", "9", "2.0prealpha"),
        ("some system", "some system", None, None),
    ],
)
def test_a_systems_version_is_read_from_its_name(
    system: str, name: str, major: str | None, minor: str | None
) -> None:
    found, version = version_in(system)
    assert (found, version.major, version.minor) == (name, major, minor)


def test_modules_that_scripts_import_from_are_called_as_the_bindings() -> None:
    from gcs_lab.drmaa2.drmaa2_constants import POSIX_EPOCH, UNSET_BOOL, UNSET_PRIORITY, JobState
    from gcs_lab.drmaa2.drmaa2_exceptions import Drmaa2Exception

    assert (POSIX_EPOCH.timetuple()[:6], POSIX_EPOCH.tzinfo) == ((1970, 1, 1, 0, 0, 0), None)
    assert JobTemplate({"rerunnable": UNSET_BOOL, "priority": UNSET_PRIORITY}).priority is None
    assert (JobState, Drmaa2Exception) == (drmaa2.JobState, drmaa2.Drmaa2Exception)


def test_placeholders_and_numbers_are_those_of_the_standard() -> None:
    assert drmaa2.HOME_DIRECTORY == "$DRMAA2_HOME_DIR$"
    assert drmaa2.WORKING_DIRECTORY == "$DRMAA2_WORKING_DIR$"
    assert drmaa2.PARAMETRIC_INDEX == "$DRMAA2_INDEX$"
    assert (drmaa2.ZERO_TIME, drmaa2.INFINITE_TIME, drmaa2.NOW, drmaa2.UNSET_TIME) == (0, -1, -2, -3)
    assert (drmaa2.UNSET_NUM, drmaa2.UNSET_ENUM) == (-1, -1)
    assert (drmaa2.Time.NOW, drmaa2.ListType.JOBLIST) == (drmaa2.NOW, 1)


def test_the_log_is_set_up_as_the_binding_does(monkeypatch) -> None:
    manager = drmaa2.LogManager.get_instance()
    assert manager is drmaa2.LogManager.get_instance()
    assert manager.get_logger("JobSession").name == "JobSession"
    assert manager.get_logger().name == "LogManager"
    root = logging.getLogger()
    monkeypatch.setattr(root, "level", root.level)
    monkeypatch.setenv("DRMAA2_LOG_LEVEL", "error")
    manager.configure()
    assert root.level == logging.ERROR
    manager.configure("WARNING")
    assert root.level == logging.WARNING
    with pytest.raises(drmaa2.InvalidArgument, match="LOUD"):
        manager.configure("loud")


def test_there_is_no_c_library() -> None:
    manager = drmaa2.LibraryManager.get_instance()
    assert manager is drmaa2.LibraryManager.get_instance()
    with pytest.raises(drmaa2.UnsupportedOperation, match="no libdrmaa2"):
        manager.get_drmaa2_library()


def test_the_names_of_the_binding_are_there() -> None:
    binding = (
        "Bool Capability Cpu Event JobState ListType Os ResourceLimit StatusCode Time Drmaa2Exception DeniedByDrms "
        "DrmCommunicationError TryLaterError SessionManagementError TimeoutError InternalError InvalidArgument "
        "InvalidSession InvalidState ResourceNotAvailable UnsupportedAttribute UnsupportedOperation "
        "ImplementationSpecificError AuthorizationError LibraryManager LogManager JobSession JobInfo JobArray "
        "JobTemplate Job ReservationSession ReservationTemplate ReservationInfo Reservation Sudo Version "
        "MonitoringSession MachineInfo QueueInfo Notification get_drms_name get_drmaa_name drmaa_supports "
        "get_drms_version get_drmaa_version get_job_session_names get_reservation_session_names __version__"
    )
    assert set(binding.split()) <= set(drmaa2.__all__)
    assert all(hasattr(drmaa2, name) for name in drmaa2.__all__)
