"""What a filter says, and what is said of a text that is none."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from status.made_jobs import NOW, jobs_table, tasks_table

from gcs_lab.errors import InvalidArgument
from gcs_lab.status.filter_columns import HELP, VIEW_COLUMNS, words_of
from gcs_lab.status.filter_language import FilterError, parse_everywhere, parse_filter
from gcs_lab.status.filter_values import read_bytes, read_duration, read_moment
from gcs_lab.status.filter_words import filter_words
from gcs_lab.status.tables import HOST_COLUMNS, JOB_COLUMNS, QUEUE_INSTANCE_COLUMNS, TASK_COLUMNS

JOBS = jobs_table(
    [
        {"job_id": "9", "name": "fit", "owner": "alice", "letters": "r", "slots": 4, "queue": "all.q", "host": "node2",
         "submission_time": NOW - 7200, "start_time": NOW - 3600, "cpu": 5000.0, "memory": 2.0**33, "project": "lab"},
        {"job_id": "10", "name": "Fit_2", "owner": "bob", "letters": "qw", "submission_time": NOW - 600,
         "parallel_environment": "smp 8", "slots": 8, "requests": "h_vmem=4G"},
        {"job_id": "11", "name": "a b*", "owner": "alice", "letters": "hqw", "submission_time": NOW - 90000},
        {"job_id": "12", "name": "sweep", "owner": "carl", "letters": "r", "task": 1, "queue": "all.q", "host": "node10",
         "submission_time": NOW - 86400 * 3, "start_time": NOW - 60},
        {"job_id": "12", "name": "sweep", "owner": "carl", "letters": "qw", "tasks": "2-9:1", "task_count": 8,
         "submission_time": NOW - 86400 * 3},
        {"job_id": "13", "name": "broken", "owner": "bob", "letters": "Eqw", "submission_time": NOW - 86400},
    ]
)  # fmt: skip


def _jobs(text: str) -> str:
    mask = parse_filter(text, JOB_COLUMNS).mask(JOBS, NOW)
    return " ".join(job_id for job_id, found in zip(JOBS["job_id"].to_pylist(), mask, strict=True) if found)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "9 10 11 12 13"),
        ("  ", "9 10 11 12 13"),
        ("owner:alice", "9 11"),
        ("user:alice,carl", "9 11 12"),
        ("owner:al*", "9 11"),
        ("owner:?ob", "10 13"),
        ("owner:Alice", ""),
        ("owner!=alice", "10 12 13"),
        ("-owner:alice", "10 12 13"),
        ("not owner:alice,bob", "12"),
        ("name~fit", "9 10"),
        ("name:fit", "9"),
        ('name:"a b*"', "11"),
        ("name:'a b*'", "11"),
        (r'name:"a \b*"', "11"),
        ("name:a?b*", "11"),
        ("fit", "9 10"),
        ("node10", "12"),
        ("1", "10 11 12 13"),
        ('"a b"', "11"),
        ("swe*", "12"),
        ("alice or bob", "9 10 11 13"),
        ("alice,bob", "9 10 11 13"),
        ("alice fit", "9"),
        ("alice and fit", "9"),
        ("(alice or bob) -(fit or broken)", "11"),
        ("alice or bob fit", "9 10 11"),
        ("slots>1", "9 10"),
        ("slots >= 4", "9 10"),
        ("slots<4", "11 12 13"),
        ("slots:4,8", "9 10"),
        ("slots=8", "10"),
        ("id:9", "9"),
        ("id:12.1", "12"),
        ("id:1*", "10 11 12 13"),
        ("id>10", "11 12 13"),
        ("id~1", "10 11 12 13"),
        ("12.7", "12"),
        ("state:r", "9 12"),
        ("state:running", "9 12"),
        ("state:RUNNING", "9 12"),
        ("state:qw", "10 12"),
        ("state:queued", "10 12"),
        ("state:p", "10 11 12 13"),
        ("state:pending", "10 11 12 13"),
        ("state:held", "11"),
        ("state:h,Eqw", "11 13"),
        ("state:E", "13"),
        ("state:error", "13"),
        ("state:FAILED", "13"),
        ("state:s", ""),
        ("letters:*qw", "10 11 13"),
        ("array:yes", "12"),
        ("array:no state:r", "9"),
        ("tasks>5", "12"),
        ("pending>0", "10 12"),
        ("queue:all.q", "9 12"),
        ('queue:""', "10 11 13"),
        ("-queue:all.q", "10 11 13"),
        ("project:lab", "9"),
        ("pe:smp*", "10"),
        ("pe:smp", "10"),
        ("request~h_vmem", "10"),
        ("cpu>1h", "9"),
        ("cpu>1:00:00", "9"),
        ("cpu>3600", "9"),
        ("memory>4G", "9"),
        ("memory>=8GiB", "9"),
        ("memory>8.6g", ""),
        ("submitted<1d", "9 10"),
        ("submitted>1d", "11 12"),
        ("submitted>=1d", "11 12 13"),
        ("submitted>1d12h", "12"),
        ("started<5m", "12"),
        ("runtime>30min", "9"),
        ("waiting>2h", "11 12 13"),
        ("waiting<2h", "10"),
        ("age>2d", "12"),
        ("submitted<2026-11-18Z", None),
        ("submitted:2026-11", "9 10 11 12 13"),
        ("submitted>=2026-11-20T11:00Z", "10"),
        ("submitted:2026-11-20T10Z", "9"),
        ("submitted:2026-11-20T09Z", ""),
        ("submitted<=2026-11-20T09Z", "11 12 13"),
        ("submitted<=2026-11-20T10Z", "9 11 12 13"),
        ("submitted>2026-11-20T09Z", "9 10"),
        ("submitted<2026-11-20T10Z", "11 12 13"),
        ('submitted>"2026-11-20 10:30+00:00"', "10"),
    ],
)
def test_it_finds(text: str, found: str | None) -> None:
    if found is None:
        with pytest.raises(FilterError):
            _jobs(text)
    else:
        assert _jobs(text) == found


def test_a_day_without_a_zone_is_local_time_and_is_whole() -> None:
    noon = datetime.fromtimestamp(NOW).astimezone().replace(tzinfo=None)
    begin, end = read_moment(noon.strftime("%Y-%m-%d"), NOW) or (0, 0)
    assert begin == noon.replace(hour=0).timestamp()
    assert end == (noon.replace(hour=0) + timedelta(days=1)).timestamp()
    assert read_moment("today", NOW) == (begin, end)
    december, january = noon.replace(month=12, day=1, hour=0), noon.replace(year=2027, month=1, day=1, hour=0)
    assert read_moment("2026-12", NOW) == (december.timestamp(), january.timestamp())


def test_units_are_grid_engines() -> None:
    assert [read_bytes(text) for text in ("4", "4k", "4K", "1.5M", "1GiB")] == [4, 4000, 4096, 1.5 * 2**20, 2**30]
    assert [read_bytes(text) for text in ("4GB", "", "G", "-1", "4Gi")] == [None] * 5
    assert [read_duration(text) for text in ("90", "1h30m", "2d", "1w", "0:01:30")] == [90, 5400, 172800, 604800, 90]
    assert [read_duration(text) for text in ("", "h", "1x", "1h x", "-3")] == [None] * 5


@pytest.mark.parametrize(
    ("text", "start", "end", "said"),
    [
        ("ownr:alice", 0, 4, "Did you mean owner"),
        ("alice load>4", 6, 10, "queues and queue instances and hosts"),
        ("state:runing fit", 6, 12, "Did you mean running"),
        ("slots>many", 6, 10, "expected a number"),
        ("slots:>4 ", 6, 8, "write slots>4"),
        ("slots~4", 0, 7, "`~` looks for a piece"),
        ("owner<b", 0, 7, "`owner` is a text"),
        ("memory>4GB", 7, 10, "Did you mean 4G (1024) or 4g (1000)?"),
        ("submitted:2h", 10, 12, "write submitted<2h"),
        ("submitted>08:00", 10, 15, "expected a day"),
        ("id>100,200", 7, 10, "one value"),
        ("array:maybe", 6, 11, "yes or no"),
        ("a)", 1, 2, "cannot stand here"),
        ("3:4", 1, 3, "cannot stand here"),
        ("name~a" + "x" * 300, 5, 306, "200 at the most"),
        ("-(a or " * 100 + "b" + ")" * 100, 497, 701, "deep"),
        ("a\ud800", 1, 2, "half a character"),
    ],
)
def test_what_is_wrong_is_said_and_where(text: str, start: int, end: int, said: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(text, JOB_COLUMNS)
    assert said in str(caught.value)
    assert not caught.value.incomplete
    assert isinstance(caught.value, InvalidArgument)
    if "deep" not in said:
        assert (caught.value.start, caught.value.end) == (start, end)


@pytest.mark.parametrize(
    "text",
    ["owner:", "owner:a,", "slots>", "-", "not ", "a or", "(a", "(a or", 'name:"my jo', "state:runn", "memory>4Gi",
     "submitted>2026-1", "submitted:tod", "runtime>1:30:", "runtime>2h3", "array:tr", 'name~""'],
)  # fmt: skip
def test_what_somebody_still_types_is_no_mistake_yet(text: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(text, JOB_COLUMNS)
    assert caught.value.incomplete


def test_a_half_term_before_others_is_a_mistake() -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter("state:runn owner:alice", JOB_COLUMNS)
    assert not caught.value.incomplete


@pytest.mark.parametrize(
    ("text", "column", "value", "narrowed"),
    [
        ("", "owner", "alice", "owner:alice"),
        ("owner:alice", "owner", "alice", ""),
        ("user:alice fit", "owner", "alice", "fit"),
        ("fit owner:alice state:r", "owner", "alice", "fit state:r"),
        ("owner:alice", "owner", "bob", "owner:alice,bob"),
        ("owner:alice,bob", "owner", "alice", "owner:bob"),
        ("fit", "name", "a b*", 'fit name:"a b*"'),
        ('fit name:"a b*"', "name", "a b*", "fit"),
        ("fit", "name", "-x", 'fit name:"-x"'),
        ("alice or bob", "queue", "all.q", "(alice or bob) queue:all.q"),
        ("(owner:alice)", "owner", "alice", ""),
        ("fit and owner:alice", "owner", "alice", "fit"),
        ("owner:alice and fit", "owner", "alice", "fit"),
        ("-owner:alice", "owner", "alice", "-owner:alice owner:alice"),
    ],
)
def test_a_click_adds_a_term_or_takes_it_away(text: str, column: str, value: str, narrowed: str) -> None:
    assert parse_filter(text, JOB_COLUMNS).narrowed(column, value) == narrowed


def test_a_click_on_an_unknown_column_is_refused() -> None:
    with pytest.raises(FilterError, match="colour"):
        parse_filter("", JOB_COLUMNS).narrowed("colour", "red")


@given(st.text(max_size=30), st.sampled_from(["", "fit", "owner:x", "a or b", "fit (owner:y)"]))
def test_a_click_twice_is_no_click(value: str, text: str) -> None:
    once = parse_filter(text, JOB_COLUMNS).narrowed("queue", value)
    assert {"job_id", "queue"} & {*parse_filter(once, JOB_COLUMNS).columns, "job_id"}
    twice = parse_filter(once, JOB_COLUMNS).narrowed("queue", value)
    assert twice in {text, f"({text})"}


def test_queues_and_hosts_have_letters_of_their_own() -> None:
    instances = {"": "open", "d": "disabled", "au": "unknown alarm", "E": "error", "S": "suspended"}
    import pyarrow as pa

    table = pa.table({"state": pa.array([*instances, None]).dictionary_encode()})

    def found(text: str) -> list[str | None]:
        mask = parse_filter(text, QUEUE_INSTANCE_COLUMNS).mask(table)
        return [state for state, there in zip(table["state"].to_pylist(), mask, strict=True) if there]

    assert found("state:open") == [""]
    assert found("state:closed") == ["d", "au", "E", "S"]
    assert found("state:u") == found("state:unknown") == found("state:ua") == ["au"]
    assert found("state:disabled,error") == ["d", "E"]
    with pytest.raises(FilterError, match="Did you mean disabled"):
        found("state:dissabled open")


def test_one_filter_counts_for_all_views() -> None:
    hosts = {"host": "string", "load_avg": "double"}
    import numpy as np
    import pyarrow as pa

    table = pa.table({"host": ["n1", "n2", "n3"], "load_avg": [1.0, 8.0, None]})
    assert set(hosts) <= set(HOST_COLUMNS)

    def found(text: str, *related: bool) -> list[bool]:
        return parse_everywhere(text, "hosts").mask(table, related=np.array(related) if related else None).tolist()

    assert found("owner:alice") == [True, True, True]
    assert found("owner:alice", True, False, False) == [True, False, False]
    assert found("-owner:alice", True, False, False) == [True, False, False]
    assert found("owner:alice load>4", True, True, False) == [False, True, False]
    assert found("owner:alice or host:n3", True, False, False) == [True, False, True]
    assert found("state:r slots>4") == [True, True, True]
    assert found("n2", False, False, True) == [False, True, True]
    assert parse_everywhere("owner:alice", "hosts").foreign
    assert not parse_everywhere("host:n1", "hosts").foreign
    assert not parse_everywhere("state:r", "jobs").foreign
    assert parse_everywhere("load>4 owner:alice", "jobs").mask(JOBS, NOW).tolist() == [
        True,
        False,
        True,
        False,
        False,
    ]
    with pytest.raises(FilterError):
        parse_everywhere("lod>4", "hosts")


def test_tasks_are_found_by_their_own_index() -> None:
    tasks = tasks_table([{"job_id": "7", "letters": "r", "task": n} for n in (1, 2, 3)])
    assert parse_filter("id:7.2", TASK_COLUMNS).mask(tasks, NOW).tolist() == [False, True, False]
    assert parse_filter("task>1 state:r", TASK_COLUMNS).mask(tasks, NOW).tolist() == [False, True, True]


def test_words_are_offered_with_their_values() -> None:
    words = {word["word"]: word for word in filter_words("jobs", JOBS)}
    assert words["owner"]["values"] == ["alice", "bob", "carl"]
    assert "running" in words["state"]["values"]
    assert words["name"]["values"] == []
    assert words["queue"]["values"] == ["all.q"]
    for view, columns in VIEW_COLUMNS.items():
        known = words_of(columns)
        assert all(word["word"] in known and word["help"] for word in filter_words(view)), view
    assert not {word.column for columns in VIEW_COLUMNS.values() for word in words_of(columns).values()} - set(HELP)


_PIECES = st.sampled_from(
    ["owner", "slots", "state", ":", "~", ">", "<", "=", "!=", ",", "(", ")", '"', "'", "\\", "-", "not", "or", "and", "4G",
     "2h", "r", "qw", "2026-11-20", "*", "?", " ", "\0", "é", "\ud800", "submitted", "id", "4.5", "[", "x" * 201]
)  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(_PIECES, max_size=14).map("".join), st.lists(_PIECES).map(" ".join)))
def test_any_text_is_a_filter_or_a_filter_error(text: str) -> None:
    error = None
    try:
        mask = parse_filter(text, JOB_COLUMNS).mask(JOBS, NOW)
    except FilterError as caught:
        error = caught
    else:
        assert len(mask) == JOBS.num_rows
    assert error is None or (0 <= error.start <= error.end <= len(text) and str(error))


def test_the_document_has_every_word_and_its_examples_are_filters() -> None:
    document = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
    words = {name for columns in VIEW_COLUMNS.values() for name in words_of(columns)}
    assert not {name for name in words if f"`{name}`" not in document.partition("### All words")[2]}
    table = document.partition("## The filter language")[2].partition("### States")[0]
    examples = [
        text
        for line in table.splitlines()
        if line.startswith("|")
        for text in re.findall(r"`([^`]+)`", line.partition(" | ")[0])
    ]
    assert len(examples) > 15
    for text in examples:
        assert parse_filter(text, JOB_COLUMNS)
    states = document.partition("### States of jobs")[2].partition("An array job")[0]
    for line in [line for line in states.splitlines() if line.startswith("| `")]:
        for text in re.findall(r"`([^`]+)`", line.partition(" | ")[0]):
            assert parse_filter(f"state:{text}", JOB_COLUMNS)
