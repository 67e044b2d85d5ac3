"""The tests of Univa's binding, with only their imports changed: without a cluster where they need none, else on both."""

from __future__ import annotations

import ast
import functools
import re
import unittest
from typing import TYPE_CHECKING, Any

import pytest
from drmaa2.drmaa2_lab import HERE

from gcs_lab import drmaa2

if TYPE_CHECKING:
    from collections.abc import Callable

    from drmaa2.drmaa2_lab import Site

FOLDER = HERE / "univa_tests"
#: What a test speaks of that asks a cluster.
ASKING = {
    "JobSession",
    "ReservationSession",
    "MonitoringSession",
    "Notification",
    "LibraryManager",
    "Version",
    "drmaa2",
}

#: What cannot hold here: see "What differs from the binding" in docs/drmaa2.md.
DIFFERENT = {
    # A job that runs cannot be held (GFD.231).
    "test_job::test_hold_and_release",
    # It is a number of seconds, not a datetime.
    "test_job_info::test_wallclock_time_attr",
}
#: They compare with what qconf says, which Grid Engine has only.
NEED_QCONF = {
    "test_machine_info::test_machine_info",
    "test_monitoring_session::test_get_all_machines",
    "test_monitoring_session::test_get_all_queues",
    "test_queue_info::test_queue_info",
}


def _tests() -> dict[str, bool]:
    """Return the names of all tests, and whether they ask a cluster."""
    found = {}
    for path in sorted(FOLDER.glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                words = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
                found[f"{path.stem}::{node.name}"] = bool(words & ASKING)
    return found


TESTS = _tests()


def _executed(name: str, names: dict[str, Any], *, short: bool = False) -> dict[str, Any]:
    """Return what a file of the folder defines; `names` stand for what it imports of nose and its neighbour."""
    text = (FOLDER / f"{name}.py").read_text()
    text = re.sub(r"^from (nose|\.utils).*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^import drmaa2$", "from gcs_lab import drmaa2", text, flags=re.MULTILINE)
    text = re.sub(r"^(\s*)from drmaa2", r"\1from gcs_lab.drmaa2", text, flags=re.MULTILINE)
    if short:  # jobs of 10 s take 1 s, of 5 s half a second
        text = re.sub(r"'args': \['(\d+)'\]", lambda match: f"'args': ['{int(match[1]) / 10:g}']", text)
    namespace = dict(names)
    exec(compile(text, str(FOLDER / f"{name}.py"), "exec"), namespace)
    return namespace


def _test(full_name: str) -> Callable[[], None]:
    file, _, name = full_name.partition("::")
    utils = _executed("utils", {"SkipTest": unittest.SkipTest, "make_decorator": functools.wraps})
    test: Callable[[], None] = _executed(file, utils, short="terminated" in name)[name]
    return test


def _named(*, asking: bool) -> list[str]:
    return [name for name, asks in TESTS.items() if asks is asking and name not in DIFFERENT]


def test_all_of_univas_tests_are_known() -> None:
    assert len(TESTS) == 139
    assert TESTS.keys() >= DIFFERENT | NEED_QCONF


@pytest.mark.parametrize("name", _named(asking=False))
def test_univas_test_of_objects_holds(name: str) -> None:
    _test(name)()


@pytest.mark.parametrize("name", sorted({*_named(asking=True)} - NEED_QCONF))
def test_univas_test_holds_on_the_cluster(name: str, site: Site, monkeypatch) -> None:
    monkeypatch.setenv("SGE_ROOT", str(site.home))  # some only look whether it is set
    try:
        _test(name)()
    finally:
        drmaa2.Notification.unregister_event_notification()  # theirs never does


@pytest.mark.gridengine
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # they do not close what os.popen opens
@pytest.mark.parametrize("name", sorted(NEED_QCONF))
def test_univas_test_with_qconf_holds_on_grid_engine(name: str, gridengine: Site, demo_cell, monkeypatch) -> None:
    for line in demo_cell.settings_sh.read_text().splitlines():
        if match := re.match(r"(\w+)=(.*); export", line):
            monkeypatch.setenv(match[1], match[2].replace("$PATH", "/usr/bin:/bin"))
    with gridengine.in_force():
        _test(name)()


def test_what_differs_is_refused_and_not_taken_otherwise(site: Site) -> None:
    with pytest.raises(drmaa2.InvalidArgument, match="wallclock_time"):
        _test("test_job_info::test_wallclock_time_attr")()
    with drmaa2.JobSession(contact=site.cluster) as session:
        job = session.run_job({"remote_command": "/bin/sleep", "args": ["60"]})
        job.wait_started(60)
        with pytest.raises(drmaa2.InvalidState):
            job.hold()
