"""The reader of the classic file: all good lines are records, whatever stands between them."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from classic_lines_made import START, block, line
from hypothesis import given, settings
from hypothesis import strategies as st

from gcs_lab.accounting import classic
from gcs_lab.accounting.classic import ClassicReader
from gcs_lab.accounting.classic_fields import WIDTHS
from gcs_lab.accounting.tables import record_schema
from gcs_lab.backends.gridengine.accounting_record import parse_record

RECORDED = Path(__file__).parents[1] / "data" / "sge-8.1.9" / "accounting"


def when(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def read(*lines: str | bytes):
    return ClassicReader().read(block(*lines), 0)


def only(*lines: str | bytes) -> dict:
    batch = read(*lines)
    assert batch.rejects == []
    (record,) = batch.records.to_dicts()
    return record


def test_reads_what_sge_8_1_9_wrote():
    data = RECORDED.read_bytes()
    batch = ClassicReader().read(data, 0)
    assert batch.records.schema == record_schema()
    assert (batch.rejects, batch.lines) == ([], data.count(b"\n"))
    # The jobs area's own reader of single records says the same.
    expected = [record for text in data.decode().splitlines() if (record := parse_record(text))]
    assert len(expected) == len(batch.records)
    for record, row in zip(expected, batch.records.to_dicts(), strict=True):
        assert (row["job_id"], row["task"] or 0) == (record.job_id, record.task)
        assert (row["name"], row["owner"], row["queue"], row["host"]) == (
            record.name,
            record.owner,
            record.queue,
            record.host,
        )
        assert [row[name] for name in ("submission_time", "start_time", "end_time")] == [
            record.submission_time,
            record.start_time,
            record.end_time,
        ]
        assert (row["failed"], row["exit_status"], row["slots"]) == (record.failed, record.exit_status, record.slots)
        assert (row["wallclock"], row["cpu"], row["max_vmem"], row["max_rss"]) == (
            record.wallclock,
            record.cpu,
            record.max_vmem,
            record.max_rss,
        )
        assert (row["category"] or "NONE") == record.category
    assert batch.records["start_time"].null_count() == 2  # they never started


def test_every_field_is_in_its_column_and_unit():
    record = only(line(task_number=3, arid=7, ar_submission_time=START - 5, project="gpu", pe_taskid="2.node2"))
    assert record | {"max_vmem": 0} == record | {
        "job_id": "17",
        "task": 3,
        "pe_task": "2.node2",
        "name": "fit",
        "owner": "alice",
        "group": "users",
        "account": "sge",
        "project": "gpu",
        "department": "defaultdepartment",
        "queue": "all.q",
        "host": "node1",
        "parallel_environment": "smp",
        "slots": 4,
        "submission_time": when(START),
        "start_time": when(START + 10),
        "end_time": when(START + 70),
        "nice": 0,
        "wallclock": 60.0,
        "cpu": 51.75,
        "memory": 2.5 * 2**30,
        "io": 2**27,
        "io_wait": 0.25,
        "max_vmem": 0,
        "max_rss": 4508 * 1024,
        "category": "-l h_rt=600 -pe smp 4",
        "reservation_id": "7",
        "reservation_submission_time": when(START - 5),
        "command": None,
        "deleted_by": None,
        "ru_wallclock": 60.0,
        "ru_utime": 50.25,
        "ru_maxrss": 4508.0,
        "ru_inblock": 24.0,
        "ru_nivcsw": 3.0,
        "more": None,
    }
    assert record["max_vmem"] == 104857600


def test_what_was_not_measured_or_not_there_is_null():
    record = only(
        line(
            qname="UNKNOWN", hostname="UNKNOWN", start_time=0, maxvmem=0, ru_maxrss=0, granted_pe="NONE", category="-"
        )
    )
    names = ("queue", "host", "start_time", "max_vmem", "max_rss", "parallel_environment", "category", "task")
    assert [record[name] for name in names] == [None] * len(names)
    assert (record["ru_maxrss"], record["name"]) == (0.0, "fit")


def test_a_negative_nice_value_comes_without_its_sign():
    assert only(line(priority=2**32 - 10))["nice"] == -10
    assert only(line(priority=-10))["nice"] == -10


@pytest.mark.parametrize("width", WIDTHS)
def test_relatives_are_told_by_their_fields(width):
    record = only(line(width))
    assert (record["job_id"], record["slots"], record["wallclock"]) == ("17", 4, 60.125 if width > 52 else 60.0)
    assert [record[name] for name in ("submission_time", "end_time")] == [when(START), when(START + 70)]
    assert (record["command"], record["deleted_by"]) == (
        ("qsub fit.sh", "alice@login") if width > 45 else (None, None)
    )
    if width > 45:
        assert record["max_rss"] == 2048
        more = json.loads(record["more"])
        assert more["cwd"] == "/home/alice"
        assert "job_class" not in more
    else:
        assert record["more"] is None


def test_several_relatives_in_one_block_are_read_in_order():
    lines = [line(width, job_number=number) for number, width in enumerate((45, 45, 45, 52, 43, 54, 45, 55, 52))]
    batch = read(*lines)
    assert batch.rejects == []
    assert batch.records["job_id"].to_list() == [str(number) for number in range(9)]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_line_too_short_does_not_hide_one_too_long(width):
    short = line(width, job_number=2).rsplit(":", 1)[0]
    batch = read(line(width), line(width), short, line(width, category="a:b", job_number=3), line(width))
    assert [record["category"] for record in batch.records.filter(batch.records["job_id"] == "3").to_dicts()] == [
        "a:b"
    ]
    assert all(record["slots"] == 4 for record in batch.records.to_dicts())
    assert [reject.line for reject in batch.rejects] == ([] if width == 55 else [2])


@pytest.mark.parametrize("neighbours", [0, 3])
def test_univa_writes_0xff_for_a_colon_and_its_wallclock_in_either_unit(neighbours):
    odd = line(52, submit_cmd="qsub -l h_rt=1:00:00", cwd="/a:b", ru_wallclock=60000)
    for text in ("1:00:00", "/a:b"):
        odd = odd.replace(text, text.replace(":", "\udcff"))
    batch = read(*[line(52)] * neighbours, odd.encode("utf-8", "surrogateescape"))
    record = batch.records.to_dicts()[-1]
    assert record["command"] == "qsub -l h_rt=1:00:00"
    assert json.loads(record["more"])["cwd"] == "/a:b"
    assert batch.records["ru_wallclock"].to_list() == [60.0] * (neighbours + 1)


@pytest.mark.parametrize(
    "values",
    [
        {"category": "-l h_rt=1:00:00,s_rt=0:50:00 -q all.q@a:b"},
        {"job_name": "a:b::c"},
        {"account": "x:y"},
        {"job_name": "step:5", "category": "-l h_rt=1:0:0"},
        {"category": "a:b:c:d:e:f:g:h"},  # as many pieces as a record of 52 fields
    ],
)
def test_colons_stay_where_they_were(values):
    columns = {"job_name": "name"}
    batch = read(line(job_number=1), line(**values), line(job_number=2))
    assert batch.rejects == []
    assert batch.records["job_id"].to_list() == ["1", "17", "2"]
    record = batch.records.to_dicts()[1]
    assert {name: record[columns.get(name, name)] for name in values} == values
    assert (record["slots"], record["cpu"], record["max_vmem"]) == (4, 51.75, 104857600)


@pytest.mark.parametrize(
    ("field", "text", "column"),
    [
        ("cpu", "nan", "cpu"),
        ("ru_utime", "-inf", "ru_utime"),
        ("ru_utime", "1,5", "ru_utime"),
        ("cpu", "1e400", "cpu"),
        ("maxvmem", "1e30", "max_vmem"),
        ("maxvmem", "18446744073709551616.000000", "max_vmem"),
        ("end_time", "1000000000000000000", "end_time"),
        ("start_time", "-5", "start_time"),
        ("submission_time", "9" * 40, "submission_time"),
        ("slots", "99999999999", "slots"),
    ],
)
def test_a_figure_that_cannot_be_is_kept_beside_its_record(field, text, column):
    batch = read(line(), line(**{field: text}), line())
    assert batch.rejects == []
    records = batch.records.to_dicts()
    assert records[1][column] is None
    assert json.loads(records[1]["more"]) == {field: text}
    assert records[0] == records[2]
    assert records[0][column] is not None


def test_an_empty_figure_or_name_is_missing():
    record = only(line(cpu="", owner="", category=""))
    assert [record[name] for name in ("cpu", "owner", "category", "more")] == [None] * 4


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"abc", "it has 1 fields; expected"),
        (line()[:200].encode(), "fields; expected"),
        (line(job_number="x").encode(), r"field 6 \(job_number\) is 'x'; expected a whole number"),
        (line(end_time="").encode(), r"field 11 \(end_time\) is ''"),
        (line(slots="1.5").encode(), r"field 35 \(slots\) is '1.5'"),
        (line().encode().replace(b"fit", b"f\0t"), "NUL"),
        (b":" * 44, "job_number"),
        (b":" * 100_000, "100,001 fields"),
        (b"x:" * 10_000, "10,001 fields"),
        (b"\xff\xfe\x80" * 30, "it has 1 fields"),
    ],
)
def test_a_bad_line_is_a_reject_and_its_neighbours_are_not(bad, reason):
    good = line().encode()
    data = b"# Version\n" + block(good, bad, good, b"", good)
    batch = ClassicReader().read(data, 1000)
    assert (len(batch.records), batch.lines) == (3, 6)
    (reject,) = batch.rejects
    assert (reject.line, reject.offset) == (2, 1000 + data.index(bad + b"\n"))
    assert re.search(reason, reject.reason)
    assert reject.text.isprintable()


def test_a_line_that_was_cut_off_is_no_record():
    whole = line()
    # Of the last two fields, less than all does no harm.
    for cut in range(1, len(whole.removesuffix(":0:0")), 3):
        batch = read(line(job_number=1), whole[:cut], line(job_number=2))
        assert (len(batch.records), len(batch.rejects)) == (2, 1), whole[:cut]


def test_a_record_behind_one_that_was_cut_off_is_not_lost():
    for cut in (1, 30, 120, 300):
        batch = read(line(job_number=1), line(job_number=2)[:cut] + line(job_number=3), line(job_number=4))
        assert batch.rejects == []
        assert [*batch.records["job_id"]] == ["1", "3", "4"]
    assert "cut_off_before_it" in batch.records["more"][1]


def test_carriage_returns_and_text_that_is_not_utf8():
    batch = ClassicReader().read(block(line()).replace(b"\n", b"\r\n") * 2, 0)
    assert len(batch.records) == 2
    record = only(line().encode().replace(b"fit", b"fit\xe4\xf6"))
    assert record["name"] == "fit\ufffd\ufffd"


def test_the_last_line_may_lack_its_newline():
    batch = ClassicReader().read(block(line()) + line().encode(), 0)
    assert (len(batch.records), batch.lines) == (2, 2)
    assert ClassicReader().read(b"", 0).lines == 0


def test_a_line_of_16_megabytes():
    huge = "x" * (16 << 20)
    batch = read(line(), line(category=huge), huge, line())
    assert batch.records["category"].str.len_bytes().to_list()[1] == len(huge)
    assert [(reject.line, len(reject.text)) for reject in batch.rejects] == [(2, 200)]


def test_only_lines_that_are_not_plain_are_read_by_python(monkeypatch):
    seen: list[bytes] = []
    real = classic.read_line
    monkeypatch.setattr(classic, "read_line", lambda text: seen.append(text) or real(text))
    lines = [*[line()] * 1000, "torn", *[line()] * 1000, line(category="-l a=1:2"), line()]
    batch = read(*lines)
    assert len(batch.records) == 2002
    assert seen == [b"torn\n"]


_PIECES = st.one_of(
    st.binary(max_size=60),
    st.binary(max_size=60).map(lambda data: line().encode() + data),
    st.integers(0, 260).map(lambda cut: line().encode()[:cut]),
    st.tuples(
        st.integers(0, 44), st.sampled_from(["", "-1", "nan", ":", "1e999", "9" * 30, "\0", "é", "\r", "#"])
    ).map(
        lambda change: ":".join(
            change[1] if place == change[0] else text for place, text in enumerate(line().split(":"))
        ).encode()
    ),
    st.sampled_from([b"", b"#", b"\r", b"\0", b":" * 44, b":" * 60, b'"', b"'"]),
)


def test_a_record_behind_a_hash_is_a_comment():
    for number in range(3):
        lines = [line(job_number=1), line(job_number=2), line(job_number=3)]
        lines[number] = "#" + lines[number]
        batch = read(*lines)
        assert (len(batch.records), batch.rejects, batch.lines) == (2, [], 3)
    assert only(line(job_name="a#b"))["name"] == "a#b"


@settings(max_examples=120, deadline=None)
@given(st.lists(_PIECES, max_size=8), st.randoms(use_true_random=False))
def test_all_good_lines_are_there_whatever_is_between_them(pieces, random):
    good = [line(job_number=10_000_000 + number, owner=f"user{number}") for number in range(5)]
    odd = [data.replace(b"\n", b"") for data in pieces]
    lines = [text.encode() for text in good] + odd
    random.shuffle(lines)
    # Their order among themselves is the file's.
    expected = [
        text.split(b":")[5].decode() for text in lines if text.split(b":")[5:6] and text.decode("latin-1") in good
    ]
    batch = ClassicReader().read(block(*lines), 0)
    found = batch.records.filter(batch.records["job_id"].cast(int) >= 10_000_000)
    assert found["job_id"].to_list() == expected
    assert found["owner"].to_list() == [f"user{int(number) - 10_000_000}" for number in expected]
    assert found["cpu"].to_list() == [51.75] * 5
    ignored = sum(text.startswith(b"#") or not text.strip() for text in lines)
    assert len(batch.records) + len(batch.rejects) + ignored == batch.lines == len(lines)
