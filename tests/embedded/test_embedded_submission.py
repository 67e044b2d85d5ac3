from __future__ import annotations

from pathlib import Path

import pytest

from gcs_lab.backends.embedded.native_options import parse_native, parse_slots
from gcs_lab.backends.embedded.submission import SUPPORTED_ATTRIBUTES, submit_request
from gcs_lab.backends.embedded.submit_request import SubmitRequest
from gcs_lab.errors import InvalidArgument, UnsupportedAttribute
from gcs_lab.vocabulary import JobTemplate


def request(**attributes):
    return submit_request(JobTemplate(**{"remote_command": "/bin/true", **attributes}))


def test_a_request_survives_the_wire():
    made = request(args=["a", "ü"], resource_requests={"h_rt": "1"}, parallel_environment="smp", min_slots=2)
    assert SubmitRequest.from_wire(made.to_wire()) == made
    with pytest.raises(InvalidArgument, match="has the entries"):
        SubmitRequest.from_wire({"name": "x"})


def test_each_request_has_a_token_of_its_own():
    assert request().token != request().token


def test_all_native_options_are_understood(monkeypatch):
    monkeypatch.setenv("FROM_HERE", "kept")
    made = request(
        native_specification="-N fit -q all.q,short.q@n -l h=node1,h_rt=5 -l h_vmem=1G -pe smp 2-4 -p -7 -h "
        "-wd '/tmp/a b' -o out -e err -i in -j y -v A=1,FROM_HERE,C=x=y -r y"
    )
    assert (made.name, made.queues) == ("fit", ["all.q", "short.q@n"])
    assert made.requests == {"hostname": "node1", "h_rt": "5", "h_vmem": "1G"}
    assert (made.parallel_environment, made.min_slots, made.max_slots) == ("smp", 2, 4)
    assert (made.priority, made.held, made.join_files, made.rerunnable) == (-7, True, True, True)
    assert (made.working_directory, made.output_path) == ("/tmp/a b", "out")
    assert (made.error_path, made.input_path) == ("err", "in")
    assert made.environment == {"A": "1", "FROM_HERE": "kept", "C": "x=y"}


def test_attributes_of_the_template_count_more_than_native_options():
    made = request(
        native_specification="-N native -p 5 -l h_rt=1,h_vmem=1G -pe smp 8 -r y -cwd",
        job_name="own", priority=0, resource_requests={"h_rt": "9"}, min_slots=2, rerunnable=False,
    )  # fmt: skip
    assert (made.name, made.priority, made.rerunnable) == ("own", 0, False)
    assert made.requests == {"h_rt": "9", "h_vmem": "1G"}
    assert (made.min_slots, made.max_slots) == (2, 2)
    assert made.working_directory == str(Path.cwd())


@pytest.mark.parametrize("option", ["-t 1-5", "-tc 3", "-S /bin/sh", "-sync y", "stray"])
def test_other_native_options_are_refused_by_name(option):
    with pytest.raises(UnsupportedAttribute, match=option.split()[0]):
        parse_native(option)


@pytest.mark.parametrize("text", ["-N", "-p high", "-j maybe", "-pe smp", "-pe smp x", "-pe smp 4-2", "-N 'open"])
def test_native_options_with_wrong_values_are_refused(text):
    with pytest.raises(InvalidArgument):
        parse_native(text)


@pytest.mark.parametrize(("text", "slots"), [("4", (4, 4)), ("2-8", (2, 8)), ("2-", (2, 9_999_999)), ("-8", (1, 8))])
def test_ranges_of_slots_are_those_of_qsub(text, slots):
    assert parse_slots(text) == slots


@pytest.mark.parametrize(
    "name", ["a/b", "a:b", "a@b", "a\\b", "a*", "a?", "1st", "a\nb", "a\tb", "", " ", "a\0", "\udc80"]
)
def test_names_that_grid_engine_forbids_are_refused(name):
    with pytest.raises(InvalidArgument, match="is no name for a job"):
        request(job_name=name)


@pytest.mark.parametrize("name", ["fit", "my job", "größe", "模型", "a-b_c.d", "$(x)"])
def test_names_with_spaces_and_any_letters_are_fine(name):
    assert request(job_name=name).name == name


@pytest.mark.parametrize(("command", "name"), [("/usr/bin/env", "env"), ("./7z", "_7z"), ("a:b", "a_b")])
def test_the_name_is_made_from_the_command(command, name):
    assert request(remote_command=command).name == name


@pytest.mark.parametrize(
    "attributes",
    [{"args": ["a\0b"]}, {"job_environment": {"A=B": "c"}}, {"job_environment": {"": "c"}}, {"priority": 1025},
     {"min_slots": 0}, {"min_slots": 3, "max_slots": 2}, {"output_path": "a\nb"}],
)  # fmt: skip
def test_values_that_cannot_work_are_refused(attributes):
    with pytest.raises(InvalidArgument):
        request(**attributes)


def test_every_supported_attribute_is_one_of_the_standard():
    assert set(JobTemplate.__dataclass_fields__) >= SUPPORTED_ATTRIBUTES
