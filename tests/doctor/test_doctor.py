"""`gcs-lab doctor`: one screen that says what is there, which cluster would be used and why, and what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gcs_lab import cli
from gcs_lab.backends.embedded import service
from gcs_lab.backends.provider import Offer
from gcs_lab.cells.journal import Journal, JournalEntry
from gcs_lab.doctor import choice as choosing
from gcs_lab.doctor import examination, gridengine_parts, machine
from gcs_lab.doctor.choice import choice
from gcs_lab.doctor.examination import Examination, examine
from gcs_lab.doctor.finding import Finding, Level
from gcs_lab.doctor.screen import Pen, diagnose, drawn
from gcs_lab.user_paths import state_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

JUPYTERLAB = [Finding("JupyterLab", Level.GOOD, "has both halves")]


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of the test's own, and no cluster that this machine has by chance; JupyterLab takes a second to ask."""
    for name in ("SGE_ROOT", "SGE_CELL", "GCS_LAB_CLUSTER", "GCS_LAB_JOBS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("gcs_lab.backends.gridengine.discovery._PATTERNS", ())
    monkeypatch.setattr(examination, "jupyterlab", lambda: JUPYTERLAB)
    # As short as a usual one: longer paths take lines of their own.
    with tempfile.TemporaryDirectory(prefix="dr-", dir="/tmp") as place:
        monkeypatch.setenv("GCS_LAB_HOME", place)
        yield Path(place)


def broken(found: Examination) -> dict[str, Finding]:
    return {one.about: one for one in found.first}


def test_a_usual_machine_fits_on_one_screen(home: Path) -> None:
    Journal().add(JournalEntry(folder="/x", cluster="embedded", job_id="1", name="fit"))
    lines = diagnose().splitlines()
    assert len(lines) <= 30
    # A path that is longer than the room is not broken: it is to be copied.
    assert all(len(line) <= 100 or str(home) in line or sys.executable in line for line in lines)
    text = "\n".join(lines)
    assert "→ embedded     it is always there" in text
    assert f"✓ state        {home}/state (" in text
    assert "1 jobs remembered, 1 of them not known to have ended" in text
    assert text.endswith("All that is needed works.")


def test_the_command_tells_by_its_status_and_starts_nothing(home: Path) -> None:
    def run(**variables: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).parent / "gcs-lab"), "doctor", "--json"]
        return subprocess.run(
            command, env=os.environ | variables, capture_output=True, text=True, timeout=60, check=False
        )

    done = run()
    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr, found["good"]) == (0, "", True)
    assert {"about", "level", "text", "remedy"} == set(found["findings"][0])
    assert [one["name"] for one in found["clusters"] if one["used"]] == ["embedded"]
    assert service.status().pid is None
    done = run(GCS_LAB_CLUSTER="nowhere")
    assert (done.returncode, json.loads(done.stdout)["good"]) == (1, False)


def test_colours_and_signs_only_where_they_can_be_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["doctor"]) == 0
    assert "\x1b" not in capsys.readouterr().out
    found = examine()
    assert "\x1b[32m✓\x1b[0m" in drawn(found, Pen(colour=True))
    assert drawn(found, Pen(signs=False)).isascii()


def test_a_variable_that_names_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GCS_LAB_CLUSTER", "nowhere")
    found = examine()
    assert "Clusters: none would be used" in drawn(found, Pen())
    assert broken(found)["choice"].text == "GCS_LAB_CLUSTER=nowhere names no cluster; there is embedded"
    monkeypatch.setenv("GCS_LAB_CLUSTER", "demo-two")
    assert broken(examine())["choice"].remedy == "gcs-lab demo start --name two"
    monkeypatch.setenv("GCS_LAB_CLUSTER", "embedded")
    found = examine()
    assert found.good
    assert found.clusters[0].why.startswith("GCS_LAB_CLUSTER names it")


def test_sge_root_that_leads_nowhere_is_named_with_what_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SGE_ROOT", str(tmp_path / "sge"))
    text = broken(examine())["SGE_ROOT"].text
    assert text == f"SGE_ROOT is {tmp_path}/sge, and {tmp_path}/sge is not there"
    (tmp_path / "sge" / "default" / "common").mkdir(parents=True)
    assert broken(examine())["SGE_ROOT"].text.endswith("common/act_qmaster is not there")


class Site:
    """A provider whose offers the test gives."""

    name = "site"

    def __init__(self, look: Callable[[], list[Offer]]) -> None:
        self.offers = look

    def explain(self) -> str:
        return "it was looked for in vain."


def test_each_cluster_is_told_with_why_it_would_or_would_not_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = Offer("one", 3, "its master answers"), Offer("other", 1, "it is there")
    there = {"a": Site(lambda: [other, one]), "b": Site(lambda: [Offer("dead", 0, "it is dead")]), "c": Site(list)}
    monkeypatch.setattr(choosing, "providers", lambda: there)
    lines = {line.name: line for line in choice().clusters}
    assert [(name, line.used) for name, line in lines.items()] == [
        ("one", True), ("other", False), ("dead", False), ("c", False),
    ]  # fmt: skip
    assert (lines["other"].why, lines["other"].remedy) == ("it is there; one goes before", "%gcs connect other")
    assert (lines["dead"].why, lines["c"].why) == ("it is dead", "it was looked for in vain.")
    assert choice("other").clusters[0].why == "this kernel is connected to it"
    monkeypatch.setenv("GCS_LAB_CLUSTER", "dead")
    assert [finding.text for finding in choice().findings] == ["GCS_LAB_CLUSTER names dead, and it is dead"]


def test_a_backend_that_fails_takes_nothing_else_along(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> list[Offer]:
        raise OSError(5, "Input/output error", "/opt/sge")

    monkeypatch.setattr(choosing, "providers", lambda: {"a": Site(fails), "b": Site(lambda: [Offer("x", 1, "y")])})
    found = examine()
    assert broken(found)["a"].text.endswith("could not be looked for: Input/output error: /opt/sge")
    assert "Clusters: none would be used" in drawn(found, Pen())


def test_a_look_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> list[Finding]:
        raise ValueError("the disk is\non fire")

    monkeypatch.setattr(examination, "journal", fails)
    monkeypatch.setattr(examination, "grid_engine", fails)
    found = examine()
    assert broken(found)["journal"].text == "could not look: the disk is"
    assert [one.level for one in found.findings if one.about == "Grid Engine"] == [Level.NOTE]


def test_folders_of_somebody_else_and_folders_that_cannot_be_written(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("tempfile.TemporaryFile", full)
        found = broken(examine())["state"]
        assert found.text.endswith("cannot be written: No space left on device")
        assert found.remedy == "export GCS_LAB_HOME=/a/folder/of/yours"
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: 4711)
        assert f"{home}/state belongs to uid {os.getuid()}, not to you" in broken(examine())["state"].text
    (home / "file").write_text("")
    monkeypatch.setenv("GCS_LAB_JOBS", str(home / "file" / "jobs"))
    assert broken(examine())["job folders"].text.startswith(f"{home}/file/jobs: ")


def test_a_disk_that_is_nearly_full_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 2**28})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    (found,) = machine.folders()
    assert (found.level, found.remedy) == (Level.NOTE, "%gcs clean")
    usage.free = 2**20
    assert machine.folders()[0].level is Level.BROKEN


def test_packages_that_are_missing_or_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name in {"papermill", "drmaa"}:
            raise PackageNotFoundError(name)
        return {"pandas": "1.5.3", "polars": "2.0.0rc1"}.get(name, "999.0")

    monkeypatch.setattr(machine, "version", version)
    needed, better = machine.packages()
    assert needed.level is Level.BROKEN
    assert "drmaa is missing, pandas 1.5.3 is older than 2.2; there are ipython 999.0" in needed.text
    assert needed.remedy == f"{machine.pip()} --upgrade drmaa pandas"
    assert (better.level, better.remedy) == (Level.NOTE, f"{machine.pip()} papermill")


@pytest.mark.parametrize(
    ("lacking", "about", "level", "package"),
    [
        ("PRIVATE", "Grid Engine", Level.NOTE, "gridengine-exec"),
        ("DRMAA", "libdrmaa", Level.NOTE, "gridengine-drmaa1.0"),
        ("NODES", "nodes", Level.NOTE, "libsocket-wrapper"),
    ],
)
def test_debians_packages_that_are_missing_come_with_the_command_that_adds_them(
    monkeypatch: pytest.MonkeyPatch, lacking: str, about: str, level: Level, package: str
) -> None:
    for group in ("PRIVATE", "DRMAA", "NODES"):
        place = Path("/nowhere" if group == lacking else "/")
        there = dict.fromkeys(getattr(gridengine_parts, group), (place,))
        monkeypatch.setattr(gridengine_parts, group, there)
    found = {one.about: one for one in gridengine_parts.grid_engine()}[about]
    assert found.level is level
    assert package in found.remedy
    assert found.remedy.removeprefix("sudo ").startswith("apt-get install")


def test_ubuntus_master_is_configured_a_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.freedesktop_os_release", lambda: {"ID": "ubuntu"})
    assert gridengine_parts.apt("gridengine-master", "gridengine-exec").endswith("dpkg --configure -a")
    assert "dpkg" not in gridengine_parts.apt("gridengine-exec")
    monkeypatch.setattr("platform.freedesktop_os_release", lambda: {"ID": "debian"})
    assert "dpkg" not in gridengine_parts.apt("gridengine-master")


def test_a_master_that_apt_could_not_configure_is_told_with_what_completes_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for group in ("PRIVATE", "DRMAA", "NODES"):
        monkeypatch.setattr(gridengine_parts, group, dict.fromkeys(getattr(gridengine_parts, group), (Path("/"),)))
    program = tmp_path / "dpkg-query"
    program.write_text(
        "#!/bin/sh\ncase $2 in *Version*) echo 8.1.9+x;;"
        " *) echo gridengine-exec installed; echo gridengine-master half-configured;; esac\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = {one.about: one for one in gridengine_parts.grid_engine()}
    assert found["apt"].remedy.endswith("dpkg --configure -a")
    program.write_text("#!/bin/sh\necho gridengine-master installed\n")
    assert "apt" not in {one.about for one in gridengine_parts.grid_engine()}


def test_what_failed_at_the_start_of_a_binder_is_told() -> None:
    assert machine.start_notes() == []
    (state_folder() / "start-failures.txt").write_text(
        "`gcs-lab demo start` ended with status 1\ngcs-lab: no room\n\n"
    )
    (found,) = machine.start_notes()
    assert found.text.endswith("gcs-lab: no room")
