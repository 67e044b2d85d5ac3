from __future__ import annotations

import pytest

from gcs_lab.cells.environment import parse_assignments, travelling_environment
from gcs_lab.errors import InvalidArgument


def test_variables_travel_but_not_what_looks_like_a_secret():
    here = {
        "OMP_NUM_THREADS": "2",
        "GITHUB_TOKEN": "x",
        "DB_PASSWORD": "y",
        "AWS_SECRET_ACCESS_KEY": "z",
        "KEYBOARD": "de",
    }
    travelling, withheld = travelling_environment(here, {})
    assert travelling == {"OMP_NUM_THREADS": "2", "KEYBOARD": "de"}
    assert withheld == ["AWS_SECRET_ACCESS_KEY", "DB_PASSWORD", "GITHUB_TOKEN"]


def test_a_named_secret_travels():
    travelling, withheld = travelling_environment({"API_TOKEN": "x"}, {"API_TOKEN": "x"})
    assert travelling == {"API_TOKEN": "x"}
    assert withheld == []


def test_a_job_finds_the_same_clusters_and_folders():
    here = {"GCS_LAB_HOME": "/h", "GCS_LAB_JOBS": "/j", "GCS_LAB_CLUSTER": "demo", "GCS_LAB_EMBEDDED_RUN": "3"}
    travelling, _ = travelling_environment(here, {})
    assert travelling == {"GCS_LAB_HOME": "/h", "GCS_LAB_JOBS": "/j", "GCS_LAB_CLUSTER": "demo"}


@pytest.mark.parametrize("name", ["PWD", "JPY_PARENT_PID", "SSH_AUTH_SOCK", "DISPLAY", "JOB_ID", "HOME", "TMPDIR"])
def test_what_belongs_to_this_process_stays(name):
    assert travelling_environment({name: "x"}, {}) == ({}, [])


def test_assignments_take_values_with_anything_in_them_and_names_set_here():
    named = parse_assignments(["A=x=y;$(z)\n'é", "B"], {"B": "here"})
    assert named == {"A": "x=y;$(z)\n'é", "B": "here"}


@pytest.mark.parametrize("text", ["1A=x", "A B=x", "=x", "NOT_SET", "A=\0"])
def test_impossible_assignments_are_refused(text):
    with pytest.raises(InvalidArgument):
        parse_assignments([text], {})
