"""sacct -P dumps. The lines follow sacct(1)'s formats and published examples of its output; no Slurm runs here."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcs_lab.accounting.sacct import SacctReader
from gcs_lab.accounting.tables import record_schema
from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = (
    "JobID|JobName|User|Group|Account|Partition|QOS|State|ExitCode|Submit|Start|End|Elapsed|TimelimitRaw|TotalCPU|"
    "NCPUS|NNodes|NodeList|ReqMem|MaxRSS|MaxVMSize|ReqTRES|WCKey"
)


def line(**values: str) -> str:
    base = {
        "JobID": "100", "JobName": "run", "User": "alice", "Group": "staff", "Account": "phys", "Partition": "main",
        "QOS": "normal", "State": "COMPLETED", "ExitCode": "0:0", "Submit": "2026-11-02T10:00:00",
        "Start": "2026-11-02T10:05:00", "End": "2026-11-02T11:05:00", "Elapsed": "01:00:00", "TimelimitRaw": "120",
        "TotalCPU": "03:00.500", "NCPUS": "4", "NNodes": "2", "NodeList": "n[03-04]", "ReqMem": "4G", "MaxRSS": "",
        "MaxVMSize": "", "ReqTRES": "cpu=4,mem=4G", "WCKey": "",
    }  # fmt: skip
    return "|".join((base | values).values())


def step(job_id: str, **values: str) -> str:
    return line(
        JobID=job_id, JobName="batch", User="", Group="", Partition="", QOS="", TimelimitRaw="", ReqMem="", ReqTRES="",
        **values,
    )  # fmt: skip


def read(*lines: str | bytes, header: str = HEADER) -> Any:
    block = b"".join((each if isinstance(each, bytes) else each.encode()) + b"\n" for each in (header, *lines))
    return SacctReader(header).read(block, 0)


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_job_and_its_steps_are_one_record() -> None:
    batch = read(
        line(),
        step("100.batch", MaxRSS="2048K", MaxVMSize="1G", State="COMPLETED"),
        step("100.extern", MaxRSS="4K", MaxVMSize=""),
        step("100.0", MaxRSS="1.50M", MaxVMSize="3G"),
    )
    assert batch.rejects == []
    assert batch.lines == 5
    (record,) = batch.records.to_dicts()
    assert batch.records.schema == record_schema()
    assert record["job_id"] == "100"
    assert record["task"] is None
    assert record["max_rss"] == 2 << 20
    assert record["max_vmem"] == 3 << 30
    assert record["wallclock"] == 3600
    assert record["cpu"] == 180.5
    assert (record["slots"], record["host"], record["queue"]) == (4, "n03", "main")
    assert (record["project"], record["account"]) == ("phys", None)
    assert record["category"] == "-l h_rt=7200,mem=4G"
    assert (record["failed"], record["exit_status"]) == (0, 0)
    assert json.loads(record["more"])["QOS"] == "normal"
    assert json.loads(record["more"])["NodeList"] == "n[03-04]"


def test_the_jobs_own_cpu_time_is_taken_before_the_steps() -> None:
    header = "JobID|State|ExitCode|TotalCPU"
    batch = read(
        "7|COMPLETED|0:0|00:00:00", "7.batch|COMPLETED|0:0|00:30", "7.0|COMPLETED|0:0|1-00:00:10", header=header
    )
    assert batch.records["cpu"].to_list() == [86440.0]
    assert read("7|COMPLETED|0:0|00:12", "7.0|COMPLETED|0:0|00:30", header=header).records["cpu"].to_list() == [12.0]


@pytest.mark.parametrize(
    ("job_id", "expected"),
    [
        ("123", ("123", None)),
        ("123_4", ("123", 4)),
        ("123_0", ("123", 0)),
        ("123_[1-9%2]", ("123", None)),
        ("123+1", ("123+1", None)),
    ],
)
def test_numbers_of_jobs(job_id: str, expected: tuple[str, int | None]) -> None:
    (record,) = read(line(JobID=job_id)).records.to_dicts()
    assert (record["job_id"], record["task"]) == expected


@pytest.mark.parametrize(
    ("state", "code", "failed", "status"),
    [
        ("FAILED", "3:0", 0, 3),
        ("FAILED", "0:11", 0, 139),
        ("TIMEOUT", "0:0", 37, 143),
        ("OUT_OF_MEMORY", "0:125", 100, 137),
        ("CANCELLED by 1000", "0:0", 100, 143),
        ("NODE_FAIL", "1:0", 21, 1),
    ],
)
def test_how_it_ended(state: str, code: str, failed: int, status: int) -> None:
    batch = read(line(State=state, ExitCode=code), step("100.batch", State="CANCELLED", ExitCode="0:15"))
    (record,) = batch.records.to_dicts()
    assert (record["failed"], record["exit_status"]) == (failed, status)
    assert record["deleted_by"] == ("1000" if "by" in state else None)
    assert json.loads(record["more"])["State"] == state


def test_a_job_that_never_started_has_no_start() -> None:
    (record,) = read(
        line(State="CANCELLED by 5", Start="None", Elapsed="00:00:00", NodeList="None assigned", NCPUS="0")
    ).records.to_dicts()
    assert record["start_time"] is None
    assert record["host"] is None
    assert record["failed"] == 22


def test_jobs_that_have_not_ended_are_no_records() -> None:
    batch = read(line(State="RUNNING", End="Unknown"), step("100.batch", State="RUNNING"), line(JobID="101"))
    assert batch.records["job_id"].to_list() == ["101"]
    assert [(reject.line, "not ended" in reject.reason) for reject in batch.rejects] == [(1, True)]


@pytest.mark.usefixtures("berlin")
def test_times_are_local() -> None:
    (record,) = read(line(Start="2026-07-01T12:00:00", End="Unknown")).records.to_dicts()
    assert record["start_time"].isoformat() == "2026-07-01T10:00:00+00:00"
    assert record["submission_time"].isoformat() == "2026-11-02T09:00:00+00:00"
    assert record["end_time"] is None


def test_times_may_be_seconds_since_the_epoch() -> None:
    (record,) = read(line(Submit="1795277065")).records.to_dicts()
    assert record["submission_time"].timestamp() == 1795277065


@pytest.mark.parametrize("name", ["a|b", "|", 'say "hi" \\ there', "a||b|c", "tab\there"])
def test_names_keep_what_the_user_wrote(name: str) -> None:
    batch = read(line(JobName=name), line(JobID="101"))
    assert batch.rejects == []
    assert batch.records["name"].to_list() == [name, "run"]


def test_any_subset_of_columns_in_any_order_and_a_bar_at_the_end() -> None:
    batch = read("0:0|9|COMPLETED|a\\b|", header="ExitCode|JobIDRaw|State|Comment|")
    (record,) = batch.records.to_dicts()
    assert (record["job_id"], record["exit_status"]) == ("9", 0)
    assert json.loads(record["more"])["Comment"] == "a\\b"


def test_a_block_ends_where_a_job_begins() -> None:
    reader = SacctReader(HEADER)
    block = "\n".join([HEADER, line(), step("100.0"), line(JobID="101"), step("101.0"), ""]).encode()
    cut = reader.cut(block)
    assert block[cut:].startswith(b"101|")
    first, second = reader.read(block[:cut], 0), reader.read(block[cut:], cut)
    assert (first.records["job_id"].to_list(), second.records["job_id"].to_list()) == (["100"], ["101"])
    assert first.rejects == second.rejects == []


def test_a_step_without_its_job_is_told() -> None:
    batch = read(step("99.0", MaxRSS="7G"), line(), step("55.batch", MaxRSS="8G"))
    assert batch.records["max_rss"].to_list() == [None]
    assert [reject.line for reject in batch.rejects] == [1, 3]


def test_a_header_without_a_number_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="JobID"):
        SacctReader("User|State")


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.just(None),
            st.text(max_size=30).map(lambda t: line(JobName=t).encode("utf-8", "replace")),
        ),
        max_size=12,
    )
)
def test_garbage_costs_no_good_line(pieces: list[bytes | None]) -> None:
    good = 0
    lines: list[bytes] = []
    for piece in pieces:
        good += piece is None
        lines.append(line(JobID=f"{900 + good}", User="hypo").encode() if piece is None else piece)
    block = b"\n".join([HEADER.encode(), *lines, b""])
    batch = SacctReader(HEADER).read(block, 0)
    assert batch.lines == block.count(b"\n")
    found = batch.records.filter(batch.records["owner"] == "hypo")["job_id"].to_list()
    assert found == [f"{900 + i + 1}" for i in range(good)]
    assert all(block[reject.offset :].startswith(block.split(b"\n")[reject.line]) for reject in batch.rejects)
