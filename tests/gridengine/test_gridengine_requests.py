"""From a template to a request: what is carried, and what is refused with words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gcs_lab.backends.gridengine.commands import error_of
from gcs_lab.backends.gridengine.discovery import find_site_cell, parse_settings
from gcs_lab.backends.gridengine.job_request import JobRequest, make_request
from gcs_lab.backends.gridengine.provider import GridEngineProvider
from gcs_lab.backends.provider import BackendProvider
from gcs_lab.errors import (
    CommandFailed,
    DeniedByDrms,
    GcsError,
    InvalidArgument,
    OutOfResource,
    UnsupportedAttribute,
)
from gcs_lab.vocabulary import JobTemplate

if TYPE_CHECKING:
    from pathlib import Path


def request_of(**attributes: Any) -> JobRequest:
    return make_request(JobTemplate(**{"remote_command": "true", **attributes}))


@pytest.mark.parametrize(
    "name",
    ["1st", "a b", "a/b", "a:b", "a@b", "a\\b", "a*b", "a?b", "tab\t", "nl\n", "näme", "", "none", "ALL", "x" * 513],
)
def test_names_that_grid_engine_forbids_are_refused_saying_what_is_allowed(name: str) -> None:
    with pytest.raises(InvalidArgument, match="does not begin with a digit"):
        request_of(job_name=name)


@pytest.mark.parametrize("name", ["fit", "odd_na-me.v2", "a;b$(c)'d", "-x", "#1", "x" * 512])
def test_names_that_it_takes_are_left_as_they_are(name: str) -> None:
    assert request_of(job_name=name).name == name


def test_slots_without_a_parallel_environment_are_refused_naming_the_option() -> None:
    with pytest.raises(UnsupportedAttribute, match="-pe NAME SLOTS"):
        request_of(min_slots=2)
    assert request_of(min_slots=1).options == ()


@pytest.mark.parametrize(
    ("slots", "option"),
    [({"min_slots": 2}, "2"), ({"min_slots": 2, "max_slots": 4}, "2-4"), ({"max_slots": 3}, "1-3")],
)
def test_slots_become_a_range(slots: dict[str, int], option: str) -> None:
    assert request_of(parallel_environment="smp", **slots).options == ("-pe", "smp", option)


def test_more_slots_at_least_than_at_most_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="1 <= min_slots <= max_slots"):
        request_of(parallel_environment="smp", min_slots=4, max_slots=2)


def test_a_line_break_in_an_argument_goes_by_env_without_a_shell() -> None:
    request = request_of(remote_command="/bin/prog", args=["a\nb", 'q"$x\\'])
    assert request.command == "/usr/bin/env"
    assert request.args == ("-S", '"/bin/prog" "a\\nb" "q\\"\\$x\\\\"')


@pytest.mark.parametrize(
    "attributes",
    [
        {"args": ["nul\0"]},
        {"args": ["x" * 100_000]},
        {"args": ["\udc80"]},
        {"remote_command": "a\nb"},
        {"job_environment": {"A": "x" * 10_000}},
        {"job_environment": {"A": "\n" * 5_000}},
        {"job_environment": {"A B": "x"}},
        {"job_environment": {"É": "x"}},
        {"job_environment": {"LD_PRELOAD": "a,b"}},
        {"working_directory": "relative"},
        {"working_directory": "/a/$HOME/b"},
        {"working_directory": "/a\nb"},
        {"output_path": ""},
        {"output_path": "a\nb"},
        {"accounting_id": "a:b"},
        {"accounting_id": "a b"},
        {"resource_requests": {"arch": "a b"}},
        {"resource_requests": {"arch": "a,b"}},
        {"native_specification": "-t 1-10"},
        {"native_specification": "-sync y"},
        {"native_specification": "-N 'open"},
        {"native_specification": "no_option"},
    ],
)
def test_what_would_arrive_changed_is_refused(attributes: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        request_of(**attributes)


def test_a_path_in_a_folder_named_like_a_pseudo_variable_is_refused(tmp_path: Path) -> None:
    (tmp_path / "$USER").mkdir()
    with pytest.raises(InvalidArgument, match="would replace"):
        request_of(output_path=str(tmp_path / "$USER" / "out"))
    assert request_of(output_path="/scratch/$USER/out.$JOB_ID").output_path == ":/scratch/$USER/out.$JOB_ID"


def test_white_space_in_a_native_option_takes_the_way_of_qsub() -> None:
    assert request_of(native_specification="-M 'a b'").needs_qsub()
    assert not request_of(native_specification="-l h_rt=60").needs_qsub()


def test_variables_that_would_change_qsub_itself_go_by_value() -> None:
    request = request_of(job_environment={"SGE_MINE": "1", "MINE": "a,b"})
    assert request.variables() == ["MINE", "SGE_MINE=1"]
    assert request.environment == {"MINE": "a,b"}


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("error: commlib error: got select error (Connection refused)", CommandFailed),
        (
            'Unable to run job: Job was rejected because job requests unknown queue "nosuch"\nExiting.',
            InvalidArgument,
        ),
        ('Unable to run job: unknown resource "nosuch"\nExiting.', InvalidArgument),
        ('denied: host "x" is no submit host', DeniedByDrms),
        ('nobody - you do not have the necessary privileges to delete the job "190"', DeniedByDrms),
        ("can't write: No space left on device", OutOfResource),
        ("something else", CommandFailed),
    ],
)
def test_grid_engines_words_have_their_error(said: str, kind: type[GcsError]) -> None:
    error = error_of(said, ["qsub"], 1)
    assert type(error) is kind
    assert "Exiting" not in str(error)


def test_an_unreachable_master_has_advice() -> None:
    assert "gcs-lab demo start" in str(error_of("commlib error: x (Connection refused)", ["qstat"], 1))


def test_settings_are_read_and_never_run(tmp_path: Path) -> None:
    text = (
        "SGE_ROOT=/opt/sge; export SGE_ROOT\nexport SGE_CELL='my cell'\nSGE_ARCH=`util/arch`\n"
        "# SGE_QMASTER_PORT=1\nunset SGE_EXECD_PORT\nSGE_QMASTER_PORT=6444; export SGE_QMASTER_PORT\n"
    )
    assert parse_settings(text) == {"SGE_ROOT": "/opt/sge", "SGE_CELL": "my cell", "SGE_QMASTER_PORT": "6444"}


def make_cell(root: Path, act_qmaster: str | None = "localhost") -> Path:
    common = root / "default" / "common"
    common.mkdir(parents=True)
    (root / "bin" / "lx-test").mkdir(parents=True)
    (root / "bin" / "lx-test" / "qstat").touch()
    if act_qmaster is not None:
        (common / "act_qmaster").write_text(act_qmaster + "\n")
    settings = common / "settings.sh"
    settings.write_text(
        f"SGE_ROOT={root}; export SGE_ROOT\nSGE_ARCH=lx-test\nSGE_QMASTER_PORT=1; export SGE_QMASTER_PORT\n"
    )
    return settings


def test_a_site_is_found_by_the_environment(tmp_path: Path) -> None:
    make_cell(tmp_path)
    cell = find_site_cell({"SGE_ROOT": str(tmp_path), "SGE_QMASTER_PORT": "4711"}, [])
    assert cell is not None
    assert (cell.root, cell.name, cell.qmaster_port, cell.arch) == (tmp_path, "default", 4711, "lx-test")


def test_a_site_is_found_by_its_settings_file(tmp_path: Path) -> None:
    cell = find_site_cell({}, [make_cell(tmp_path)])
    assert cell is not None
    assert (cell.qmaster_port, cell.qmaster_host()) == (1, "localhost")
    assert find_site_cell({}, []) is None


def test_a_site_whose_master_does_not_answer_is_only_offered_on_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_cell(tmp_path / "sge")
    monkeypatch.setenv("GCS_LAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SGE_ROOT", str(tmp_path / "sge"))
    (offer,) = GridEngineProvider().offers()
    assert (offer.cluster, offer.affinity) == ("gridengine", 0)
    assert "does not answer" in offer.why


def test_files_of_a_package_without_a_master_are_no_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_cell(tmp_path / "sge", act_qmaster="none")
    monkeypatch.setenv("GCS_LAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SGE_ROOT", str(tmp_path / "sge"))
    provider = GridEngineProvider()
    assert provider.offers() == []
    assert "no master was ever set up" in provider.explain()
    assert isinstance(provider, BackendProvider)
