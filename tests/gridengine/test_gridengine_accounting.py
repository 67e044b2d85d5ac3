"""Accounting: records of both versions, why a job failed, and a file that grows, rotates and is torn."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from gcs_lab.accounting.endings import annotation, ends_the_job, signal_name
from gcs_lab.backends.gridengine import accounting_file
from gcs_lab.backends.gridengine.accounting_file import AccountingFile
from gcs_lab.backends.gridengine.accounting_record import FIELDS, parse_record
from gcs_lab.backends.gridengine.job_infos import info_of_ended
from gcs_lab.backends.gridengine.qacct import parse_qacct
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from pathlib import Path

    from gcs_lab.backends.gridengine.accounting_record import AccountingRecord

CLASSIC = {
    "qname": "all.q", "hostname": "node1", "group": "users", "owner": "ann", "job_name": "fit", "job_number": "7",
    "account": "sge", "submission_time": "1795217350", "start_time": "1795217351", "end_time": "1795217354",
    "ru_wallclock": "3", "slots": "1", "category": "NONE", "granted_pe": "NONE", "pe_taskid": "NONE",
}  # fmt: skip


def line(**values: object) -> str:
    known = dict.fromkeys(FIELDS, "0") | CLASSIC | {name: str(value) for name, value in values.items()}
    return ":".join(known[name] for name in FIELDS) + "\n"


def record(**values: object) -> AccountingRecord:
    parsed = parse_record(line(**values))
    assert parsed is not None
    return parsed


def test_a_classic_record_has_45_fields() -> None:
    assert len(FIELDS) == 45


def test_a_colon_in_the_category_moves_no_field() -> None:
    parsed = record(category="-l h_rt=1:00:00 -q a:b", maxvmem="1234", failed=0)
    assert parsed.category == "-l h_rt=1:00:00 -q a:b"
    assert (parsed.max_vmem, parsed.requests()) == (1234, {"h_rt": "1:00:00"})


def test_times_are_aware_and_usage_is_in_seconds_and_bytes() -> None:
    parsed = record(cpu="1.5", ru_maxrss="100")
    assert parsed.submission_time == datetime.fromtimestamp(1795217350, UTC)
    assert (parsed.wallclock, parsed.cpu, parsed.max_rss) == (3.0, 1.5, 102400)


@pytest.mark.parametrize("text", ["", "# comment", "a:b:c", "{", '{"job_number": 1}', ":" * 44, "x" * 1000])
def test_what_is_no_record_is_left_out(text: str) -> None:
    assert parse_record(text) is None


def test_every_recorded_line_of_ocs_is_a_record(ocs: Path) -> None:
    lines = (ocs / "accounting.jsonl").read_text().splitlines()
    records = [parse_record(text) for text in lines]
    assert all(records)
    ended = {r.job_id: r for r in records if r is not None}
    assert ended["22"].exit_status == 139
    assert ended["23"].requests() == {"h_rt": "2"}
    assert ended["14"].deleted_by == "alice@vm"
    assert ended["21"].submission_time is not None
    assert ended["21"].submission_time.year == 2026


def test_both_versions_say_the_same_of_the_job_that_took_too_long(sge: Path, ocs: Path) -> None:
    old = AccountingFile(sge).find(["231"])["231"]
    new = AccountingFile(ocs).find(["23"])["23"]
    assert (old.failed, new.failed) == (37, 100)
    assert annotation(old) == "killed: h_rt=2 s exceeded (ran 3 s)"
    said = annotation(new)
    assert said is not None
    assert said.startswith("killed: h_rt=2 s exceeded (ran ")


def test_memory_beyond_h_vmem_is_named_with_what_was_used() -> None:
    said = annotation(record(category="-l h_vmem=100M", maxvmem=130 << 20, failed=100, exit_status=137))
    assert said == "killed: h_vmem=100M exceeded (used 130 MiB)"


def test_h_vmem_counts_for_each_slot() -> None:
    ended = record(category="-l h_vmem=100M -pe smp 2", slots=2, maxvmem=130 << 20, failed=100, exit_status=137)
    assert annotation(ended) == "ended by signal SIGKILL"


def test_an_exit_status_near_the_memory_limit_has_a_hint() -> None:
    said = annotation(record(category="-l h_vmem=100M", maxvmem=95 << 20, exit_status=1))
    assert said == "exit status 1; it may have had too little memory (h_vmem=100M)"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"failed": 0, "exit_status": 0}, None),
        ({"failed": 0, "exit_status": 3}, "exit status 3"),
        ({"failed": 100, "exit_status": 139}, "ended by signal SIGSEGV"),
        ({"failed": 28, "exit_status": 0}, "failed changing into working directory (code 28)"),
        ({"failed": 77, "exit_status": 0}, "failed for an unknown reason (code 77)"),
        (
            {"failed": 30, "exit_status": 100},
            "failed rescheduling on application error (code 30): exit status 100 asks for error state",
        ),
        ({"failed": 37, "exit_status": 137}, "killed: a limit of the job or of its queue was exceeded (ran 3 s)"),
    ],
)
def test_the_end_of_a_job_in_words(values: dict[str, int], said: str | None) -> None:
    assert annotation(record(**values)) == said


def test_signals_have_their_names() -> None:
    assert (signal_name(137), signal_name(3), signal_name(255)) == ("SIGKILL", None, None)


def test_a_record_of_a_job_that_went_back_into_the_queue_is_not_its_end() -> None:
    assert not ends_the_job(25)
    assert not ends_the_job(28)
    assert ends_the_job(37)


def test_info_of_an_ended_job_has_all_attributes() -> None:
    ended = record(failed=100, exit_status=137, maxvmem=5000, cpu="2.5", category="-l h_rt=60")
    info = info_of_ended(ended, "deleted by ann", "ann")
    assert info.job_state is JobState.FAILED
    assert (info.exit_status, info.terminating_signal, info.annotation) == (137, "SIGKILL", "deleted by ann")
    assert (info.cpu_time, info.max_vmem, info.deleted_by) == (2.5, 5000, "ann")
    assert (info.allocated_machines[0].machine_name, info.queue_name, info.job_owner) == ("node1", "all.q", "ann")
    assert info.resource_requests == {"h_rt": "60"}


def test_what_is_appended_is_found_and_a_torn_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "accounting"
    path.write_text("# header\n" + line(job_number=1))
    file = AccountingFile(tmp_path)
    assert set(file.find(["1", "2"])) == {"1"}
    second = line(job_number=2)
    with path.open("a") as growing:
        growing.write(second[:60])
        growing.flush()
        assert set(file.find(["2"])) == set()
        growing.write(second[60:])
    assert set(file.find(["2"])) == {"2"}


def test_of_a_job_that_ran_twice_the_last_record_counts(tmp_path: Path) -> None:
    path = tmp_path / "accounting"
    path.write_text(line(job_number=5, failed=25, exit_status=99) + line(job_number=5, exit_status=0))
    file = AccountingFile(tmp_path)
    assert file.find(["5"])["5"].exit_status == 0
    with path.open("a") as growing:
        growing.write(line(job_number=5, exit_status=4))
    assert file.find(["5"])["5"].exit_status == 4


def test_rotation_and_truncation_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "accounting"
    path.write_text(line(job_number=1) + line(job_number=2))
    file = AccountingFile(tmp_path)
    assert set(file.find(["1"])) == {"1"}
    path.rename(tmp_path / "accounting.0")
    path.write_text(line(job_number=3))
    assert set(file.find(["1", "3"])) == {"3"}
    path.write_text("")
    assert file.find(["3"]) == {}


def test_old_jobs_are_found_by_reading_backwards_in_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounting_file, "_CHUNK", 1000)
    (tmp_path / "accounting").write_text("".join(line(job_number=n, exit_status=n % 7) for n in range(1, 200)))
    file = AccountingFile(tmp_path)
    found = file.find([str(n) for n in range(1, 200)])
    assert {int(job_id): r.exit_status for job_id, r in found.items()} == {n: n % 7 for n in range(1, 200)}


def test_a_second_look_reads_only_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "accounting"
    path.write_text("".join(line(job_number=n) for n in range(1, 500)))
    file = AccountingFile(tmp_path)
    file.find(["1"])
    seen: list[int] = []
    real = accounting_file._entries
    monkeypatch.setattr(
        accounting_file, "_entries", lambda block, start: seen.append(len(block)) or real(block, start)
    )
    with path.open("a") as growing:
        growing.write(line(job_number=777))
    assert set(file.find(["777"])) == {"777"}
    assert sum(seen) == len(line(job_number=777))


def test_no_file_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        AccountingFile(tmp_path).find(["1"])


def test_qacct_text_of_both_versions_says_what_the_file_says(sge: Path, ocs: Path) -> None:
    for folder, job_ids in ((sge, ["230", "231", "222", "224"]), (ocs, ["21", "22", "23"])):
        text = parse_qacct((folder / "qacct-j.txt").read_text())
        raw = AccountingFile(folder).find(job_ids)
        assert raw.keys() == set(job_ids)
        for job_id, expected in raw.items():
            got = text[job_id]
            assert (got.failed, got.exit_status, got.owner) == (expected.failed, expected.exit_status, expected.owner)
            assert (got.name, got.queue, got.slots) == (expected.name, expected.queue, expected.slots)
            # 9.x prints no category.
            assert got.requests() == (expected.requests() if folder is sge else {})
            assert got.start_time is not None
            assert expected.start_time is not None
            assert abs((got.start_time - expected.start_time).total_seconds()) <= 1
