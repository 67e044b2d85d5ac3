"""accounting.jsonl: every version, and everything that is none of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcs_lab.accounting.json_lines import JsonLinesReader
from gcs_lab.accounting.tables import record_schema

RECORDED = (Path(__file__).parent.parent / "data/ocs-9.2/accounting.jsonl").read_bytes()
LINES = RECORDED.splitlines()


def read(*lines: bytes | str | dict[str, Any], offset: int = 0) -> Any:
    block = b"\n".join(encoded(line) for line in lines)
    return JsonLinesReader().read(block, offset)


def encoded(line: bytes | str | dict[str, Any]) -> bytes:
    if isinstance(line, dict):
        return json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    return line if isinstance(line, bytes) else line.encode()


def record(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(LINES[1])
    eusage = changes.pop("eusage", {})
    found["usage"]["eusage"] |= eusage
    found |= changes
    return {name: value for name, value in found.items() if value is not ...}


def test_the_recorded_file_of_9_2() -> None:
    batch = JsonLinesReader().read(RECORDED, 0)
    assert batch.rejects == []
    assert batch.lines == len(batch.records) == len(LINES)
    assert batch.records.schema == record_schema()
    for row, line in zip(batch.records.to_dicts(), LINES, strict=True):
        raw = json.loads(line)
        usage = raw["usage"]
        assert row["job_id"] == str(raw["job_number"])
        assert row["task"] == (raw["task_number"] or None)
        assert row["start_time"] == datetime.fromtimestamp(0, UTC) + _micros(raw["start_time"])
        assert row["wallclock"] == usage["eusage"]["wallclock"]
        assert row["ru_wallclock"] == usage["rusage"]["ru_wallclock"]
        assert row["max_rss"] == (usage["rusage"]["ru_maxrss"] * 1024 or None)
        assert row["max_vmem"] is None
        assert row["category"] == (None if raw["category"] == "-" else raw["category"])
        assert row["deleted_by"] == raw.get("deleted_by")
        assert row["command"] == raw["submit_cmd_line"]
        assert (row["pe_task"], row["project"], row["reservation_id"], row["more"]) == (None, None, None, None)


def _micros(value: int) -> Any:
    from datetime import timedelta

    return timedelta(microseconds=value)


def test_9_0_wrote_usage_for_eusage_and_no_pe_taskid() -> None:
    old = record(pe_taskid=..., deleted_by=...)
    old["usage"]["usage"] = old["usage"].pop("eusage")
    del old["usage"]["usage"]["ioops"]
    (row,) = read(old).records.to_dicts()
    (new,) = read(record(deleted_by=...)).records.to_dicts()
    assert row == new
    assert row["wallclock"] == 10.983893


def test_units_and_all_the_rest() -> None:
    (row,) = read(
        record(
            eusage={"mem": 0.5, "io": 2.0, "maxvmem": 3e9, "maxrss": 2e9, "ioops": 12.0, "maxpss": 5.0},
            project="p",
            granted_pe="mpi",
            slots=8,
            arid=4,
            ar_submission_time=1_795_219_248_400_465,
            pe_taskid="1.node7",
            priority=2**32 - 10,
            task_number=3,
        )
    ).records.to_dicts()
    assert (row["memory"], row["io"]) == (2**29, 2**31)
    assert (row["max_vmem"], row["max_rss"]) == (3_000_000_000, 2_000_000_000)
    assert (row["project"], row["parallel_environment"], row["slots"], row["task"]) == ("p", "mpi", 8, 3)
    assert (row["reservation_id"], row["pe_task"], row["nice"]) == ("4", "1.node7", -10)
    assert row["reservation_submission_time"].microsecond == 400465
    assert json.loads(row["more"]) == {"ioops": 12.0, "maxpss": 5.0}


def test_usage_patterns_custom_values_and_new_fields_are_kept() -> None:
    odd = record(new_in_9_9="yes", eusage={"energy": 7})
    odd["usage"]["gpu"] = {"gpu_mem": 1.5, "card": 'A "100"'}
    batch = read(LINES[0], odd, LINES[2])
    assert batch.rejects == []
    more = batch.records["more"].to_list()
    assert (more[0], more[2]) == (None, None)
    assert json.loads(more[1]) == {"new_in_9_9": "yes", "energy": 7, "gpu": {"gpu_mem": 1.5, "card": 'A "100"'}}


def test_values_of_one_name_may_have_two_types() -> None:
    lines = []
    for i in range(200):
        line = record(job_number=i + 1)
        line["usage"]["custom"] = {"v": "text" if i % 3 else 1.5}
        lines.append(line)
    batch = read(*lines)
    assert batch.rejects == []
    assert batch.records["job_id"].to_list() == [str(i + 1) for i in range(200)]
    assert [json.loads(m)["custom"]["v"] for m in batch.records["more"]] == [
        "text" if i % 3 else 1.5 for i in range(200)
    ]


@pytest.mark.parametrize(
    ("changes", "column", "expected"),
    [
        ({"job_number": "77"}, "job_id", "77"),
        ({"slots": 2.0}, "slots", 2),
        ({"slots": 2**40}, "slots", None),
        ({"end_time": 2**62}, "end_time", None),
        ({"end_time": 0}, "end_time", None),
        ({"owner": 5}, "owner", "5"),
        ({"job_name": "a:b|\u00e4\u2028"}, "name", "a:b|\u00e4\u2028"),
        ({"job_name": "\ud800x"}, "name", "?x"),
        ({"exit_status": -1}, "exit_status", -1),
        ({"account": None}, "account", None),
    ],
)
def test_odd_values(changes: dict[str, Any], column: str, expected: Any) -> None:
    line = json.dumps(record(**changes)).encode()
    batch = read(LINES[0], line, LINES[2])
    assert batch.rejects == []
    assert batch.records[column].to_list()[1] == expected
    assert batch.records["job_id"].to_list()[0::2] == ["2", "8"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"{", "cut off"),
        (LINES[3][:200], "cut off"),
        (b'{"job_number":5,"x":1,"failed":0,"exit_status":0} x}', "expected a JSON object"),
        (b'{"job_number":5}{"job_number":6}', "expected a JSON object"),
        (b'{"job_number":5}', "no failed and no exit_status"),
        (b'{"x":1}', "no job_number"),
        (b"[1,2]", "begins with {"),
        (b"\x00\xff\x01", "binary"),
        (b'{"a" 1}', "expected a JSON object"),
        (b'{"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}", "expected a JSON object"),
        (b'{"x":' * 100_000 + b"1" + b"}" * 100_000, "expected a JSON object"),
    ],
)
def test_what_is_no_record_costs_only_itself(bad: bytes, reason: str) -> None:
    batch = read(*LINES, bad, *LINES, offset=1000)
    assert len(batch.records) == 2 * len(LINES)
    (reject,) = batch.rejects
    assert reason in reject.reason
    assert reject.line == len(LINES)
    assert reject.offset == 1000 + len(RECORDED)
    assert batch.lines == 2 * len(LINES) + 1


def test_text_that_is_not_utf8_is_kept_readable() -> None:
    batch = read(LINES[0], LINES[1].replace(b'"run1"', b'"r\xe4n"'))
    assert batch.rejects == []
    assert batch.records["name"].to_list()[1] == "r\ufffdn"


def test_comments_empty_lines_and_windows_line_ends() -> None:
    batch = JsonLinesReader().read(b"# hello\r\n\r\n" + LINES[0] + b"\r\n\n" + LINES[1], 0)
    assert batch.records["job_id"].to_list() == ["2", "1"]
    assert (batch.rejects, batch.lines) == ([], 5)


def test_an_object_over_two_lines_does_not_hide_behind_two_on_one() -> None:
    whole = LINES[0]
    cut = whole.index(b',"usage"')
    batch = read(LINES[1], whole[:cut], whole[cut:], LINES[2] + LINES[3], LINES[4])
    assert batch.records["job_id"].to_list() == ["1", "11"]
    assert [reject.line for reject in batch.rejects] == [1, 2, 3]


def test_nothing_is_nothing() -> None:
    batch = JsonLinesReader().read(b"", 0)
    assert (len(batch.records), batch.rejects, batch.lines) == (0, [], 0)


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.one_of(
            st.none(),
            st.binary(max_size=80),
            st.binary(max_size=40).map(lambda b: b"{" + b + b"}"),
            st.recursive(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
                         lambda v: st.dictionaries(st.sampled_from(["job_number", "failed", "exit_status", "usage", "x", "slots"]), v, max_size=5),
                         max_leaves=8).map(lambda v: json.dumps(v).encode()),
        ),
        max_size=25,
    )
)  # fmt: skip
def test_garbage_costs_no_good_line(pieces: list[bytes | None]) -> None:
    count = 0
    lines = []
    for piece in pieces:
        count += piece is None
        lines.append(encoded(record(job_number=10_000 + count, job_name="hypo")) if piece is None else piece)
    block = b"".join(line + b"\n" for line in lines)
    batch = JsonLinesReader().read(block, 0)
    found = batch.records.filter(batch.records["name"] == "hypo")["job_id"].to_list()
    assert found == [str(10_001 + i) for i in range(count)]
    assert batch.records.schema == record_schema()
    split = block.split(b"\n")[:-1]
    assert batch.lines == len(split)
    assert len(batch.records) + len(batch.rejects) <= len(split)
    assert all(block[reject.offset :].startswith(split[reject.line]) for reject in batch.rejects)
