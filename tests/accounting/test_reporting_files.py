"""reporting, monitoring.jsonl and the share tree.

``data/sge-8.1.9/reporting`` was written by Debian's sge_qmaster 8.1.9 with ``reporting_params reporting=true
joblog=true sharelog=00:00:04 log_consumables=true`` while a few jobs and two reservations ran, and was shortened;
``sge_share_mon-*.txt`` is the output of its sge_share_mon (``-c 2 -h`` and ``-c 1 -n``). Of OCS 9.x there is no
recording: its lines here follow ``ocs_JsonReportingFileWriter.cc`` and the example in sge_monitoring(5).
"""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcs_lab.accounting.monitoring import read_monitoring
from gcs_lab.accounting.reporting import read_reporting
from gcs_lab.accounting.share_tree import read_share_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).parent.parent / "data/sge-8.1.9"
REPORTING = DATA / "reporting"
MICRO = 1_795_277_065_123_456


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def counts(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            kind = line.split(":")[1].replace("ar_attr", "ar_attribute")
            found[kind] = found.get(kind, 0) + 1
    return found


def test_the_recorded_reporting_file() -> None:
    frames = read_reporting([REPORTING])
    assert len(frames.pop("rejects")) == 0
    expected = counts(REPORTING.read_text())
    assert frames.keys() == expected.keys()
    assert {k: len(f) for k, f in frames.items() if k != "host"} == {k: n for k, n in expected.items() if k != "host"}
    assert all(frame["time"].null_count() == 0 for frame in frames.values())
    heavy = frames["new_job"].row(0, named=True)
    assert (heavy["job_id"], heavy["name"], heavy["project"], heavy["posix_priority"]) == ("1", "heavy", "alpha", 0)
    assert heavy["task"] is None


def test_the_log_of_a_job_reads_from_pending_to_finished() -> None:
    log = read_reporting([REPORTING])["job_log"].filter(pl.col("job_id") == "1")
    assert log["event"].to_list() == ["pending", "sent", "delivered", "finished", "finished", "deleted"]
    assert log["state"].to_list()[:3] == [None, "t", "r"]
    assert log["user"].to_list()[0] == "alice"
    assert log["message"].to_list()[1] == "sent to execd"
    assert set(log["submission_time"]) == {log["event_time"][0]}
    sweep = read_reporting([REPORTING])["job_log"].filter(pl.col("job_id") == "3")
    assert set(sweep["task"]) >= {None, 1, 2, 3}


def test_priorities_are_qsubs() -> None:
    log = read_reporting([REPORTING])["job_log"]
    # The file says 1024; job 6 was given -5 by qalter, and 1019 stands there from then on.
    assert set(log.filter(pl.col("job_id") != "6")["posix_priority"]) == {0}
    assert log.filter(pl.col("job_id") == "6")["posix_priority"].to_list()[-1] == -5


def test_load_values_and_consumables_have_one_row_each() -> None:
    frames = read_reporting([REPORTING])
    host = frames["host"].filter(pl.col("time") == frames["host"]["time"][0])
    assert host["variable"].to_list() == ["load_avg", "np_load_avg", "mem_free", "arch"]
    assert host["number"].to_list() == [0.380371, 0.190186, 23296.21875 * 2**20, None]
    assert host["value"].to_list()[3] == "lx-amd64"
    slots = frames["queue_consumable"].row(0, named=True)
    assert (slots["queue"], slots["variable"], slots["used"], slots["capacity"]) == ("all.q", "slots", 1.0, 4.0)


def test_reservations() -> None:
    frames = read_reporting([REPORTING])
    first, second = frames["ar_attribute"].to_dicts()
    assert (first["reservation_id"], first["name"], first["account"]) == ("2", "myar", "aracct")
    assert (first["parallel_environment"], first["granted_resources"]) == (None, "h_rt=5")
    assert (second["parallel_environment"], second["granted_resources"]) == ("smp", None)
    assert (first["end_time"] - first["start_time"]).total_seconds() == 5
    assert frames["ar_log"]["event"].to_list()[0] == "START TIME REACHED"
    assert frames["ar_acct"]["slots"].to_list() == [1, 1]


def test_accounting_records_within_are_records_of_accounting() -> None:
    acct = read_reporting([REPORTING])["acct"]
    bad = acct.filter(pl.col("name") == "bad").row(0, named=True)
    assert (bad["job_id"], bad["exit_status"], bad["slots"]) == ("2", 3, 1)
    assert bad["time"] >= bad["end_time"]


def json_lines() -> list[dict[str, Any]]:
    job = {"job_number": 7, "task_number": 0, "pe_taskid": "NONE"}
    whose = {
        "job_name": "x:y",
        "owner": "alice",
        "group": "staff",
        "department": "d",
        "account": "sge",
        "priority": 1019,
    }
    ar = {"ar_submission_time": MICRO, "ar_number": 4}
    at = {"hostname": "n1", "report_time": MICRO, "state": "X"}
    rusage = {"ru_wallclock": 9, "ru_utime": 1.5, "ru_maxrss": 100}
    records: list[tuple[str, dict[str, Any]]] = [
        ("new_job", {"submission_time": MICRO, **job, **whose}),
        ("job_log", {"event_time": MICRO, "event": "running", **job, "state": 128, "user": "execd", "host": "n1",
                     "submission_time": MICRO, **whose, "message": "a: b"}),
        ("online_usage", {**job, "usage": {"cpu": 1.5, "maxrss": 2e9}}),
        ("host", {**at, "load_values": {"load_avg": "0.5", "mem_free": "1.5G"}}),
        ("host_consumable", {**at, "consumables": {"slots": {"utilization": 1.0, "capacity": 8.0}}}),
        ("queue", {"qname": "all.q", **at}),
        ("queue_consumable", {"qname": "all.q", **at, "consumables": {"slots": {"utilization": 2.0, "capacity": 8.0}}}),
        ("sharelog", {"curr_time": MICRO, "usage_time": 0, "node_name": "/", "user_name": "", "project_name": "",
                      "shares": 1, "job_count": 2, "level%": 1.0, "total%": 1.0, "long_target_share": 1.0,
                      "short_target_share": 0.0, "actual_share": 1.0, "usage": 3.0, "cpu": 4.0, "mem": 0.5, "io": 2.0,
                      "ltcpu": 0.0, "ltmem": 0.0, "ltio": 0.0}),
        ("new_ar", {**ar, "ar_owner": "bob"}),
        ("ar_attribute", {**ar, "ar_name": "n", "ar_account": "sge", "ar_start_time": MICRO, "ar_end_time": MICRO,
                          "ar_granted_resources": {"h_rt": "5"}}),
        ("ar_log", {"ar_state_change_time": MICRO, **ar, "ar_state": "r", "ar_event": "E", "ar_message": "m"}),
        ("ar_acct", {"ar_termination_time": MICRO, **ar, "ar_qname": "all.q", "ar_hostname": "n1", "ar_slots": 3}),
        ("acct", {**job, "end_time": MICRO, "owner": "alice", "failed": 0, "exit_status": -1, "slots": 2,
                  "usage": {"rusage": rusage, "eusage": {"wallclock": 9.5, "cpu": 2.5, "mem": 0.5}}}),
    ]  # fmt: skip
    return [{"time": MICRO, "type": kind, **values} for kind, values in records]


def as_bytes(records: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(record, separators=(",", ":")).encode() + b"\n" for record in records)


def test_reporting_jsonl_makes_the_same_frames(tmp_path: Path) -> None:
    path = tmp_path / "reporting.jsonl"
    path.write_bytes(as_bytes(json_lines()))
    frames = read_reporting([path])
    text = read_reporting([REPORTING])
    assert len(frames["rejects"]) == 0
    assert set(frames) == {*text, "online_usage", "host_consumable"}
    assert all(frames[kind].schema == text[kind].schema for kind in text)
    assert all(
        frame["time"].dt.epoch("us").unique().to_list() == [MICRO] for k, frame in frames.items() if k != "rejects"
    )
    log = frames["job_log"].row(0, named=True)
    assert (log["name"], log["state"], log["message"], log["posix_priority"]) == ("x:y", "128", "a: b", -5)
    assert frames["host"]["number"].to_list() == [0.5, 1.5 * 2**30]
    assert frames["online_usage"].select("variable", "number").rows() == [("cpu", 1.5), ("maxrss", 2e9)]
    assert frames["host_consumable"]["capacity"].to_list() == [8.0]
    assert frames["sharelog"]["memory"].to_list() == [2**29]
    assert frames["ar_attribute"]["granted_resources"].to_list() == ["h_rt=5"]
    acct = frames["acct"].row(0, named=True)
    assert (acct["exit_status"], acct["wallclock"], acct["memory"], acct["more"]) == (-1, 9.5, 2**29, None)


def test_several_files_one_of_them_compressed(tmp_path: Path) -> None:
    old = tmp_path / "reporting.0.gz"
    old.write_bytes(gzip.compress(REPORTING.read_bytes()))
    twice, once = read_reporting([old, REPORTING]), read_reporting([REPORTING])
    assert {k: len(f) for k, f in twice.items()} == {k: 2 * len(f) for k, f in once.items()}


@pytest.mark.parametrize(
    "bad",
    [
        b"1795277065:no_such_type:1",
        b"not a record",
        b"1795277065:queue:short.q:localhost:17952",
        b"1795277065:new_job:x:1:-1:NONE:heavy:a:a:p:d:sge:1024",
        b"1795277065:acct:all.q:localhost",
        b'{"time":1,"type":"host"',
        b'{"time":1,"type":"nothing"}',
        b'{"time":1,"type":"acct","job_number":1}',
        b'{"type":"queue","hostname":"a"}',
        b"\x00\x01\xff",
    ],
)
def test_lines_that_are_no_records_are_told(tmp_path: Path, bad: bytes) -> None:
    path = tmp_path / "reporting"
    whole = REPORTING.read_bytes()
    path.write_bytes(whole + bad + b"\n" + whole)
    frames = read_reporting([path])
    (reject,) = frames.pop("rejects").to_dicts()
    assert (reject["file"], reject["line"], reject["offset"]) == (str(path), whole.count(b"\n") + 1, len(whole))
    assert {k: len(f) for k, f in frames.items()} == {
        k: 2 * len(f) for k, f in read_reporting([REPORTING]).items() if k != "rejects"
    }


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.one_of(
            st.integers(0, 30), st.binary(max_size=40), st.binary(max_size=20).map(lambda b: b"17:job_log:" + b)
        ),
        max_size=20,
    )
)
def test_garbage_costs_no_good_record(tmp_path_factory: pytest.TempPathFactory, pieces: list[int | bytes]) -> None:
    good = [x for x in REPORTING.read_bytes().splitlines() if b":job_log:" in x][:31]
    lines = [good[piece] if isinstance(piece, int) else piece for piece in pieces]
    path = tmp_path_factory.mktemp("reporting") / "reporting"
    # A comment first: who begins with the sign of a compressed file is one.
    path.write_bytes(b"#\n" + b"".join(line + b"\n" for line in lines))
    frames = read_reporting([path])
    wanted = sum(isinstance(piece, int) for piece in pieces)
    assert len(frames.get("job_log", pl.DataFrame())) >= wanted
    assert len(frames["rejects"]) <= path.read_bytes().count(b"\n") - wanted


MONITORING = {
    "time": 1735914863000676, "type": "worker-thread", "version": "1",
    "data": {
        "start_time": 1735914803568156, "end_time": 1735914863000676, "name": "worker-00", "hostname": "u24",
        "duration": 59432520, "idle": 99.5, "wait": 0.25, "busy": 0.25, "requests_in": 12, "answers_out": 6, "runs": 12,
        "extensions": {"execd_reports": {"load_reports": 6}, "queue_lengths": {"writer": 1, "reader": 0}},
    },
}  # fmt: skip


def test_monitoring(tmp_path: Path) -> None:
    path = tmp_path / "monitoring.jsonl"
    timer = json.loads(json.dumps(MONITORING)) | {"type": "timer-thread"}
    timer["data"]["extensions"] = {"pending_events": 480}
    # A mean over nothing is written as nothing.
    damaged = json.dumps(MONITORING, separators=(",", ":")).replace('"writer":1', '"writer":')
    path.write_text("\n".join([json.dumps(MONITORING), json.dumps(timer), damaged, "{", '{"time":1}', ""]))
    frames = read_monitoring([path])
    assert set(frames) == {"worker", "timer", "rejects"}
    assert frames["rejects"]["line"].to_list() == [4, 5]
    assert frames["timer"]["pending_events"].to_list() == [480]
    worker = frames["worker"].row(0, named=True)
    assert (worker["name"], worker["host"], worker["duration"], worker["busy"]) == (
        "worker-00",
        "u24",
        59.43252,
        0.25,
    )
    assert (worker["requests_in"], worker["execd_reports_load_reports"]) == (12, 6)
    assert worker["end_time"] == worker["time"]
    assert frames["worker"]["queue_lengths_writer"].to_list() == [1, None]


def test_the_share_tree_with_header_and_with_names() -> None:
    with_header = read_share_tree([DATA / "sge_share_mon-h.txt"])
    with_names = read_share_tree([DATA / "sge_share_mon-n.txt"])
    assert len(with_header["rejects"]) == len(with_names["rejects"]) == 0
    nodes = with_header["nodes"]
    assert nodes["node_name"].to_list() == ["/", "/default", "/default/alice", "/alpha"] * 2
    assert nodes.schema == with_names["nodes"].schema
    assert (
        nodes.tail(4)
        .drop("time", "curr_time", "usage", "cpu", "memory", "io", "actual_share")
        .equals(with_names["nodes"].drop("time", "curr_time", "usage", "cpu", "memory", "io", "actual_share"))
    )
    alpha = nodes.row(3, named=True)
    assert (alpha["project_name"], alpha["user_name"], alpha["shares"]) == ("alpha", None, 100)
    assert alpha["usage_time"] is None
    assert alpha["long_term_memory"] == pytest.approx(0.661987 * 2**30)


def test_the_share_tree_without_a_header_and_out_of_reporting(tmp_path: Path) -> None:
    path = tmp_path / "shares"
    lines = (DATA / "sge_share_mon-h.txt").read_text().splitlines()
    path.write_text("\n".join(lines[1:]) + "\nbroken\tline\t\n")
    found = read_share_tree([path])
    assert found["nodes"].equals(read_share_tree([DATA / "sge_share_mon-h.txt"])["nodes"])
    assert len(found["rejects"]) == 1
    assert read_share_tree([REPORTING])["nodes"].equals(read_reporting([REPORTING])["sharelog"])


@pytest.mark.usefixtures("berlin")
def test_chosen_columns_formatted_times_and_another_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "shares"
    path.write_text(
        "curr_time;node_name;level%;\n\nSat Nov  1 16:04:32 2025;/;1.000000;\nSat Jul 12 16:04:32 2025;/a b;0.5;\n"
    )
    found = read_share_tree([path])
    assert len(found["rejects"]) == 0
    nodes = found["nodes"]
    assert [t.isoformat() for t in nodes["time"]] == ["2025-11-01T15:04:32+00:00", "2025-07-12T14:04:32+00:00"]
    assert nodes["node_name"].to_list() == ["/", "/a b"]
    assert nodes["level"].to_list() == [1.0, 0.5]
    assert nodes["shares"].null_count() == nodes["cpu"].null_count() == 2


def test_times_of_9_x_are_microseconds(tmp_path: Path) -> None:
    path = tmp_path / "shares"
    path.write_text(f"curr_time={MICRO}\tusage_time=0\tnode_name=/\tshares=5\t\n")
    (row,) = read_share_tree([path])["nodes"].to_dicts()
    assert row["time"].microsecond == 123456
    assert row["shares"] == 5


def test_what_is_whole_of_a_compressed_file_that_ends_early_counts(tmp_path: Path) -> None:
    path = tmp_path / "shares.gz"
    packed = gzip.compress(f"curr_time={MICRO}\tusage_time=0\tnode_name=/\tshares=5\t\n".encode() * 2)
    path.write_bytes(packed[:-8])
    found = read_share_tree([path])
    assert found["nodes"]["shares"].to_list() == [5, 5]
    assert "ends early" in found["rejects"]["reason"].item()


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(st.none(), st.binary(max_size=40)), max_size=15))
def test_garbage_costs_no_share_or_thread(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes | None]
) -> None:
    folder = tmp_path_factory.mktemp("files")
    node = (DATA / "sge_share_mon-n.txt").read_bytes().splitlines()[0]
    thread = json.dumps(MONITORING).encode()
    for name, good in (("shares", node), ("monitoring", thread)):
        lines = [good if piece is None else piece for piece in pieces]
        (folder / name).write_bytes(b"#\n" + b"".join(line + b"\n" for line in lines))
    shares, threads = read_share_tree([folder / "shares"]), read_monitoring([folder / "monitoring"])
    assert (shares["nodes"]["node_name"] == "/").sum() >= pieces.count(None)
    assert len(threads.get("worker", pl.DataFrame())) == pieces.count(None)
