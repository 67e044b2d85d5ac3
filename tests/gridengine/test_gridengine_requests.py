"""From a template to a request: what is carried, and what is refused with words."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gcs_lab.backends.gridengine.commands import error_of
from gcs_lab.backends.gridengine.discovery import find_site_cell, parse_settings
from gcs_lab.backends.gridengine.job_categories import parse_qtask
from gcs_lab.backends.gridengine.job_request import JobRequest, RequestMaker, make_request
from gcs_lab.backends.gridengine.provider import GridEngineProvider
from gcs_lab.backends.gridengine.sge_cell import SgeCell
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
    from collections.abc import Callable, Iterator


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


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("/x/own script", "own_script"), ("1st:script", "_1st_script"), ('/x/näme"', "n_me_"), ("NONE", "_NONE"),
        ("/bin/sleep", None), ("odd_na-me.v2", None), ("x" * 600, "_" + "x" * 254),
    ],
)  # fmt: skip
def test_a_command_whose_name_is_none_for_a_job_gives_it_one(command: str, name: str | None) -> None:
    assert request_of(remote_command=command).name == name
    assert request_of(remote_command=command, native_specification="-N own").name is None


def test_a_request_is_made_anew_when_its_template_was_changed() -> None:
    maker = RequestMaker(SgeCell(Path("/x"), "default", Path("/x"), "lx-amd64", 1, 2))
    template = JobTemplate(remote_command="true", args=["a"], job_environment={"A": "1"})
    first, second = maker.of(template), maker.of(template)
    assert maker.of(template) is second
    assert first == second
    assert template.args is not None
    template.args.append("b")
    assert maker.of(template).args == ("a", "b")
    template.job_environment = {"A": "2"}
    assert maker.of(template).environment == {"A": "2"}
    assert maker.of(JobTemplate(remote_command="false")).command == "false"


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


def test_a_command_with_line_breaks_is_refused_if_it_would_be_cut_as_a_whole() -> None:
    with pytest.raises(InvalidArgument, match="travels as one argument"):
        request_of(args=["a\nb", *["x" * 50_000] * 2])
    assert request_of(args=["x" * 50_000] * 2).command == "true"


@pytest.mark.parametrize(
    "attributes",
    [{"args": ["x" * 50_000] * 40}, {"stage_in_files": {f"/{number}" * 9: "x" for number in range(40_000)}}],
)
def test_more_arguments_than_a_program_can_be_started_with_are_refused(attributes: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument, match="in all"):
        request_of(**attributes)


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def set_zone(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield set_zone
    monkeypatch.undo()
    time.tzset()


def test_a_start_is_told_in_the_zone_of_this_machine_and_never_too_early(zone: Callable[[str], None]) -> None:
    zone("Europe/Berlin")
    assert request_of(start_time=datetime(2027, 7, 1, 10, 0, 0, 1, UTC)).options == ("-a", "202707011200.01")
    assert request_of(start_time=datetime(2027, 1, 1, 10, tzinfo=UTC)).options == ("-a", "202701011100.00")
    assert request_of(start_time=datetime(2027, 1, 1, 10)).options == ("-a", "202701011000.00")  # noqa: DTZ001
    with pytest.raises(InvalidArgument, match="1970 to 2106"):
        request_of(start_time=datetime(2110, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("hour", [0, 1])
def test_a_start_in_the_hour_that_comes_twice_is_refused(zone: Callable[[str], None], hour: int) -> None:
    zone("Europe/Berlin")
    with pytest.raises(InvalidArgument, match="has twice"):
        request_of(start_time=datetime(2026, 10, 25, hour, 30, tzinfo=UTC))
    assert request_of(start_time=datetime(2026, 10, 24, 23, 59, tzinfo=UTC)).options == ("-a", "202610250159.00")
    assert request_of(start_time=datetime(2026, 10, 25, 2, 0, tzinfo=UTC)).options == ("-a", "202610250300.00")


@pytest.mark.parametrize(
    ("attributes", "options"),
    [
        ({"email": ["a@b.c", "d@e.f"], "email_on_started": True}, ("-M", "a@b.c,d@e.f", "-m", "b")),
        ({"email": ["a@b.c"], "email_on_started": True, "email_on_terminated": True}, ("-M", "a@b.c", "-m", "bea")),
        ({"email_on_started": False}, ("-m", "n")),
        ({"hold_jid": ["7,a", "prep*", "7"], "hold_jid_ad": ["8"]}, ("-hold_jid", "7,a,prep*", "-hold_jid_ad", "8")),
        ({"hold_jid": []}, ()),
        ({"candidate_machines": ["a", "b", "a"]}, ("-l", "hostname=a|b")),
        ({"resource_limits": {"STACK_SIZE": "9", "CPU_TIME": "unlimited"}}, ("-l", "h_stack=9K", "-l", "h_cpu=INFINITY")),
        ({"resource_requests": {"h": "x", "mt": "1G"}}, ("-l", "hostname=x", "-l", "mem_total=1G")),
        ({"native_specification": "-binding linear:1 -l 'a=b' -cwd"}, ("-binding", "linear:1", "-l", "a=b", "-cwd")),
        ({"native_specification": "-binding env linear:1"}, ("-binding", "env", "linear:1")),
    ],
)  # fmt: skip
def test_attributes_become_options(attributes: dict[str, Any], options: tuple[str, ...]) -> None:
    assert request_of(**attributes).options == options


@pytest.mark.parametrize(
    "attributes",
    [
        {"hold_jid": ["a b"]},
        {"hold_jid": ["5.3"]},
        {"hold_jid": ["5", "1st*"]},
        {"candidate_machines": ["@group"]},
        {"reservation_id": "x"},
        {"min_phys_memory": 5, "resource_requests": {"mt": "1G"}},
        {"native_specification": "-clear"},
        {"native_specification": "-pe smp"},
        {"native_specification": "-l a=b command"},
        {"native_specification": "-unknown -t 1-3"},
        {"native_specification": "-h", "submit_as_hold": False},
    ],
)
def test_what_would_be_misunderstood_is_refused(attributes: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        request_of(**attributes)


def test_qtask_files_are_read_as_their_format_says() -> None:
    text = "# comment\n\n  quick  -l h_rt=60 -p -5\n!fixed\t-q 'a b'\nbare\n"
    assert parse_qtask(text) == {"quick": "-l h_rt=60 -p -5", "!fixed": "-q 'a b'", "bare": ""}


def test_a_soft_request_of_a_category_does_not_make_the_templates_own_soft(tmp_path: Path) -> None:
    make_cell(tmp_path)
    cell = find_site_cell({"SGE_ROOT": str(tmp_path)}, [])
    assert cell is not None
    (cell.common / "qtask").write_text("wish -soft -l arch=x\n")
    template = JobTemplate(remote_command="true", job_category="wish", resource_requests={"h_rt": "60"})
    assert make_request(template, cell).options == ("-soft", "-l", "arch=x", "-hard", "-l", "h_rt=60")


def test_a_staged_job_is_called_after_its_own_command() -> None:
    staged = {"stage_in_files": {"a": "b"}}
    assert request_of(remote_command="/opt/my/prog", **staged).name == "prog"
    assert request_of(remote_command="/opt/my/7zip", **staged).name == "_7zip"
    assert request_of(job_name="mine", **staged).name == "mine"
    request = request_of(remote_command="/opt/my/prog", native_specification="-N native", **staged)
    assert (request.name, request.command) == (None, "/bin/sh")


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
