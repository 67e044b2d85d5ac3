"""The text of qacct -j against the files that it was made of."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcs_lab.accounting.json_lines import JsonLinesReader
from gcs_lab.accounting.qacct_text import QacctTextReader
from gcs_lab.accounting.tables import record_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).parent.parent / "data"
SGE = (DATA / "sge-8.1.9/qacct-j.txt").read_bytes()
OCS = (DATA / "ocs-9.2/qacct-j.txt").read_bytes()
RULE = b"=" * 62 + b"\n"


def zone(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[None]:
    monkeypatch.setenv("TZ", name)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield from zone(monkeypatch, "UTC")


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield from zone(monkeypatch, "Europe/Berlin")


@pytest.mark.usefixtures("utc")
def test_the_text_of_9_2_says_what_its_file_says() -> None:
    batch = QacctTextReader().read(OCS, 0)
    assert batch.rejects == []
    assert batch.lines == OCS.count(b"\n")
    found = {(r["job_id"], r["task"], r["end_time"]): r for r in batch.records.to_dicts()}
    expected = JsonLinesReader().read((DATA / "ocs-9.2/accounting.jsonl").read_bytes(), 0).records.to_dicts()
    in_both = [r for r in expected if (r["job_id"], r["task"], r["end_time"]) in found]
    assert len(in_both) == len(found) > 5
    for record in in_both:
        text = found[record["job_id"], record["task"], record["end_time"]]
        for name, value in record.items():
            if name == "category":  # 9.x does not print it
                continue
            assert text[name] == (pytest.approx(value, abs=6e-4) if isinstance(value, float) else value), name


@pytest.mark.usefixtures("utc")
def test_the_text_of_8_1_9_says_what_its_file_says() -> None:
    batch = QacctTextReader().read(SGE, 0)
    assert batch.rejects == []
    lines = [x.split(":") for x in (DATA / "sge-8.1.9/accounting").read_text().splitlines() if not x.startswith("#")]
    records = batch.records.to_dicts()
    assert batch.records.schema == record_schema()
    by_job = {(f[5], int(f[35]) or None, int(f[10])): f for f in lines}
    compared = 0
    for record in records:
        fields = by_job.get((record["job_id"], record["task"], int(record["end_time"].timestamp())))
        if fields is None:
            continue
        compared += 1
        assert [record["queue"], record["host"], record["group"], record["owner"], record["name"]] == fields[:5]
        assert record["submission_time"].timestamp() == int(fields[8])
        assert (record["start_time"].timestamp() if record["start_time"] else 0) == int(fields[9])
        assert (record["failed"], record["exit_status"]) == (int(fields[11]), int(fields[12]))
        assert record["ru_maxrss"] == pytest.approx(float(fields[16]), abs=1.1)  # three digits of MiB
        assert record["max_rss"] == (pytest.approx(float(fields[16]) * 1024, abs=1100) if float(fields[16]) else None)
        assert record["cpu"] == pytest.approx(float(fields[36]), abs=6e-4)
        assert (record["category"] or "NONE") == fields[39]
    assert compared > 5


HEAVY = b"""\
qname        all.q
jobname      heavy
jobnumber    1
taskid       undefined
qsub_time    Mon Jul  6 12:00:00 2026
start_time   -/-
end_time     Sun Oct 25 02:30:00 2026
failed       37  : qmaster enforced h_rt, h_cpu, or h_vmem limit
exit_status  137                  (Killed)
ru_wallclock 5s
ru_maxrss    293.957KB
cpu          5.560s
mem          677.875MBs
io           858.358MB
iow          0.000s
maxvmem      152.043MB
arid         12
category     -l h_rt=600,x=a:b
"""


def test_units_of_8_1_9() -> None:
    # The file's line for this job had ru_maxrss 301012, mem 0.661987, io 0.838240, maxvmem 159428608.
    (record,) = QacctTextReader().read(RULE + HEAVY, 0).records.to_dicts()
    assert record["ru_maxrss"] == 301012
    assert record["memory"] == pytest.approx(0.661987 * 2**30, rel=1e-5)
    assert record["io"] == pytest.approx(0.838240 * 2**30, rel=1e-5)
    assert record["max_vmem"] == pytest.approx(159428608, rel=1e-5)
    assert (record["failed"], record["exit_status"], record["reservation_id"]) == (37, 137, "12")
    assert record["start_time"] is None
    assert record["category"] == "-l h_rt=600,x=a:b"
    assert (record["wallclock"], record["ru_wallclock"]) == (5, 5)


@pytest.mark.parametrize(
    ("mem", "expected"), [("0.5", 2**29), ("0.5GBs", 2**29), ("2.000KGBs", 2**41), ("3.000Bs", 3)]
)
def test_integrals_of_other_versions(mem: str, expected: float) -> None:
    text = RULE + HEAVY.replace(b"677.875MBs", mem.encode())
    assert QacctTextReader().read(text, 0).records["memory"].to_list() == [expected]


@pytest.mark.usefixtures("berlin")
def test_local_times_become_utc_and_the_doubled_hour_is_its_first_pass() -> None:
    (record,) = QacctTextReader().read(RULE + HEAVY, 0).records.to_dicts()
    assert record["submission_time"].isoformat() == "2026-07-06T10:00:00+00:00"
    assert record["end_time"].isoformat() == "2026-10-25T00:30:00+00:00"


def test_a_command_of_several_lines_and_own_values() -> None:
    text = OCS.replace(b"exit 3'\n", b"echo a\nfailed 3\n'\n", 1).replace(
        b"\nmaxrss ", b"\nmy_gpu   2.500\nmaxrss ", 1
    )
    batch = QacctTextReader().read(text, 0)
    assert batch.rejects == []
    record = batch.records.to_dicts()[0]
    assert record["command"].endswith("sh -c 'echo a\nfailed 3\n'")
    assert record["failed"] == 0
    assert json.loads(record["more"]) == {"my_gpu": 2.5}


def test_a_block_ends_where_a_record_ends() -> None:
    reader = QacctTextReader()
    cut = reader.cut(SGE[: len(SGE) // 2])
    first, second = reader.read(SGE[:cut], 0), reader.read(SGE[cut:], cut)
    assert first.records.vstack(second.records).equals(reader.read(SGE, 0).records)
    assert first.rejects == second.rejects == []


def test_what_is_no_record_is_told() -> None:
    text = b"error: job id 5 not found\n" + RULE + b"qname all.q\n" + RULE + HEAVY + b"x\x00y\n"
    batch = QacctTextReader().read(text, 100)
    assert batch.records["job_id"].to_list() == ["1"]
    assert [reject.line for reject in batch.rejects] == [0, 2, text.count(b"\n") - 1]
    assert [text[reject.offset - 100 :].split(b"\n")[0] for reject in batch.rejects] == [
        b"error: job id 5 not found", b"qname all.q", b"x\x00y",
    ]  # fmt: skip


def test_nothing_is_nothing() -> None:
    assert len(QacctTextReader().read(b"", 0).records) == 0


@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(st.none(), st.binary(max_size=50).map(lambda b: b"\x7f" + b)), max_size=10))
def test_garbage_costs_no_good_record(pieces: list[bytes | None]) -> None:
    block = b"".join(RULE + HEAVY if piece is None else piece + b"\n" for piece in pieces)
    batch = QacctTextReader().read(block, 0)
    assert batch.lines == block.count(b"\n")
    assert batch.records["name"].to_list() == ["heavy"] * pieces.count(None)
    assert batch.records["cpu"].to_list() == [5.56] * pieces.count(None)
