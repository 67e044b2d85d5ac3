"""What qstat, qhost and qquota print, read into the tables of the status area; no daemon is needed."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcs_lab.backends.gridengine import qstat_tasks
from gcs_lab.backends.gridengine.qstat_tasks import COLUMNS, read_tasks, tasks_with
from gcs_lab.backends.gridengine.qstat_xml import parse_jobs
from gcs_lab.backends.gridengine.status_columns import ArrowReader, PlainReader, Refused
from gcs_lab.backends.gridengine.status_files import XmlFile
from gcs_lab.backends.gridengine.status_submissions import KnownSubmissions
from gcs_lab.errors import DrmCommunication, Internal
from gcs_lab.status.tables import schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa


def file_of(document: bytes, root: str = "job_info") -> XmlFile:
    file = tempfile.TemporaryFile()  # noqa: SIM115
    file.write(document)
    file.flush()
    try:
        return XmlFile(file, root)
    except BaseException:
        file.close()
        raise


def tasks_of(document: bytes) -> list[dict[str, Any]]:
    read = file_of(document)
    try:
        table = read_tasks(read)
    finally:
        read.close()
    assert table.schema == schema("tasks")
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def by_both(document: bytes) -> tuple[pa.Table | None, pa.Table | None]:
    """Return what each of the readers makes of a document; None: it refuses."""
    try:
        read = file_of(document)
    except Internal:
        return None, None
    found: list[pa.Table | None] = []
    for reader in (ArrowReader(COLUMNS), PlainReader(COLUMNS)):
        try:
            found.append(tasks_with(reader, read))
        except (Refused, Internal):
            found.append(None)
    read.close()
    return found[0], found[1]


def at(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


# Recorded documents


QSTATS = ("qstat-ext", "qstat-r", "qstat-gd", "qstat-gt", "qstat-fF", "qstat-gc")


@pytest.mark.parametrize("name", QSTATS)
def test_both_readers_agree_on_every_recorded_document(recorded: Path, name: str) -> None:
    fast, plain = by_both((recorded / "status" / f"{name}.xml").read_bytes())
    assert fast is not None
    assert fast.equals(plain)


def test_the_columns_of_a_poll_have_every_kind_of_job(sge: Path) -> None:
    document = (sge / "status" / "qstat-poll.xml").read_bytes()
    fast, plain = by_both(document)
    assert fast is not None
    assert fast.equals(plain)
    rows = tasks_of(document)
    named = {(row["name"], row["task"]): row for row in rows}
    run = named["run", None]
    assert at(run, "tasks", "task_count", "letters", "state", "slots") == (None, 1, "r", "RUNNING", 1)
    assert at(run, "queue", "host", "requests") == ("all.q", "localhost", "h_rt=3600,h_vmem=20G")
    assert at(run, "posix_priority", "project", "department") == (-10, None, "defaultdepartment")
    assert datetime(2026, 11, 21, 13, 10, tzinfo=UTC) < run["start_time"] < datetime(2026, 11, 21, 13, 20, tzinfo=UTC)
    assert run["submission_time"] is None
    assert run["cpu"] > 1
    assert run["io"] == pytest.approx(4e9, rel=0.1)  # it copied 2 GB from here to there
    assert 1e6 < run["memory"] < 1e8
    assert at(named["par", None], "parallel_environment", "slots") == ("smp 4", 4)
    assert at(named["big", None], "parallel_environment", "slots", "state") == ("smp 64", 64, "QUEUED")
    assert at(named["sus", None], "letters", "state") == ("s", "SUSPENDED")
    assert at(named["errwd", None], "letters", "state", "queue") == ("Eqw", "FAILED", None)
    assert at(named["a&b<c>", None], "letters", "state") == ("hqw", "QUEUED_HELD")
    assert at(named["arr", 4], "tasks", "task_count", "state") == ("4", 1, "RUNNING")
    assert at(named["arr", None], "tasks", "task_count", "state") == ("7-19:3", 5, "QUEUED")
    assert named["wait", None]["submission_time"] is not None
    assert len({row["key"] for row in rows}) == len(rows)


def test_columns_say_the_same_as_the_rows_of_the_jobs_layer(recorded: Path) -> None:
    document = (recorded / "qstat.xml").read_bytes()
    expected = [
        (row.job_id, row.name, row.owner, row.letters, row.queue, row.host, row.slots, row.tasks, row.priority)
        for row in parse_jobs(document)
    ]
    names = ("job_id", "name", "owner", "letters", "queue", "host", "slots", "tasks", "priority")
    assert [at(row, *names) for row in tasks_of(document)] == expected


def test_microseconds_and_the_other_name_of_the_time_are_read(ocs: Path) -> None:
    rows = {row["name"]: row for row in tasks_of((ocs / "status" / "qstat-r.xml").read_bytes())}
    assert rows["run1"]["start_time"] == datetime(2026, 11, 21, 0, 2, 18, 484782, tzinfo=UTC)
    assert rows["nofit"]["submission_time"] == datetime(2026, 11, 21, 0, 2, 18, 551403, tzinfo=UTC)
    assert at(rows["par"], "parallel_environment", "requests") == ("make 2,3", None)
    assert rows["nofit"]["requests"] == "mem_total=999G"


def test_xml_and_json_of_the_same_moment_say_the_same(ocs: Path) -> None:
    said = json.loads((ocs / "status" / "qstat-ext.json").read_text())
    rows = tasks_of((ocs / "status" / "qstat-ext.xml").read_bytes())
    expected = [
        (str(job["job_number"]), job["name"], job["owner"], job["state"], job["slots"], job.get("tasks"))
        for job in [*said["jobs_running"], *said["jobs_pending"]]
    ]
    assert [at(row, "job_id", "name", "owner", "letters", "slots", "tasks") for row in rows] == expected
    priorities = [job["prio"] for job in [*said["jobs_running"], *said["jobs_pending"]]]
    assert [row["priority"] for row in rows] == pytest.approx(priorities, abs=1e-5)


def test_a_cell_without_jobs_has_an_empty_table() -> None:
    assert tasks_of(b"<?xml version='1.0'?><job_info><queue_info></queue_info><job_info></job_info></job_info>") == []


# What is refused


def test_a_document_that_is_cut_anywhere_is_an_error(sge: Path) -> None:
    document = (sge / "status" / "qstat-r.xml").read_bytes().rstrip()
    for end in range(0, len(document), 97):
        with pytest.raises(Internal):
            tasks_of(document[:end])
    inner = document.rindex(b"</job_info>")
    with pytest.raises(Internal, match="cut"):
        tasks_of(document[:inner])


def test_what_the_master_says_instead_of_rows_is_an_error() -> None:
    with pytest.raises(DrmCommunication, match="does not answer: no qmaster"):
        file_of(b"<?xml version='1.0'?><communication_error><text>no qmaster</text></communication_error>")
    with pytest.raises(Internal, match="no XML document 'job_info': 'rubbish'"):
        file_of(b"rubbish")
    with pytest.raises(Internal, match="no XML document"):
        file_of(b"")
    with pytest.raises(Internal, match="no XML document"):
        file_of(b"<?xml version='1.0'?><qhost></qhost>")


def test_tags_that_do_not_match_are_an_error_for_both(sge: Path) -> None:
    document = (sge / "status" / "qstat-r.xml").read_bytes().replace(b"</JB_name>", b"</JB_owner>", 1)
    assert by_both(document) == (None, None)
    with pytest.raises(Internal, match="not XML"):
        tasks_of(document)


def test_what_xml2arrow_refuses_the_plain_reader_reads() -> None:
    document = jobs("<JB_job_number>1</JB_job_number><JB_name>a</JB_name><JB_name>b</JB_name>")
    fast, plain = by_both(document)
    assert fast is None
    assert plain is not None
    assert [row["name"] for row in tasks_of(document)] == ["a"]


def test_without_xml2arrow_the_result_is_the_same(sge: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = (sge / "status" / "qstat-poll.xml").read_bytes()
    expected = tasks_of(document)

    def missing(_: object) -> ArrowReader:
        raise Refused("xml2arrow is not installed")

    monkeypatch.setattr(qstat_tasks, "ArrowReader", missing)
    assert tasks_of(document) == expected


def test_bytes_that_are_no_utf_8_and_control_characters_do_not_hide_the_others() -> None:
    document = jobs("<JB_job_number>1</JB_job_number><JB_name>ok</JB_name>").replace(
        b"<job_info>",
        b"<job_info><job_list><JB_job_number>2</JB_job_number><JB_name>lat\xe4in\x01</JB_name></job_list>",
        2,
    )
    document = document.replace(
        b"<job_info><job_list><JB_job_number>2", b"<job_info><!-- \xe4 --><job_list><JB_job_number>2", 1
    )
    names = {row["job_id"]: row["name"] for row in tasks_of(document)}
    assert names["1"] == "ok"
    assert names["2"] == "lat\ufffdin\ufffd"


def test_the_seams_between_pieces_are_no_matter(monkeypatch: pytest.MonkeyPatch, sge: Path) -> None:
    from gcs_lab.backends.gridengine import status_files

    document = (sge / "status" / "qstat-r.xml").read_bytes().replace(b"run1", "rün1".encode())
    expected = tasks_of(document)
    for size in (1, 2, 7, 64):
        monkeypatch.setattr(status_files, "_CHUNK", size)
        assert tasks_of(document) == expected


# Generated documents


def jobs(*rows: str) -> bytes:
    listed = "".join(f"<job_list state='pending'>{row}</job_list>" for row in rows)
    return (
        f"<?xml version='1.0'?>\n<job_info  xmlns:xsd='x'><queue_info></queue_info>"
        f"<job_info>{listed}</job_info></job_info>\n"
    ).encode()


PIECES = st.one_of(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="<>&\ufffe\uffff"),
    st.sampled_from(["&amp;", "&lt;", "&gt;", "&#228;", "&#x1F600;", "&quot;", "&apos;", " ", "\n", "\t"]),
    st.sampled_from(["<![CDATA[<x>&]]>", "<!-- c -->", "<?p i?>", "<inner>no</inner>", "%lt;", "]]&gt;"]),
)
TEXT = st.lists(PIECES, max_size=6).map("".join)
VALUES = st.one_of(
    st.integers(0, 10**9).map(str),
    st.sampled_from(["", "-", "-NA-", "0.5", "r", "qw", "Eqw", "hRwq", "dr", "2026-11-21T00:02:14.5", "all.q@h"]),
    st.sampled_from(["1-9:2", "3", "4,7", "1-3:1,9", "undefined"]),
    TEXT,
)
FIELD = st.sampled_from([name for name, path in COLUMNS.rows[0].fields if "@" not in path] + ["unknown", "JB_x"])


@st.composite
def rows(draw: st.DrawFn) -> str:
    parts = []
    # Each child at most once, as qstat prints them; requests as often as one likes.
    for name in draw(st.lists(FIELD, unique=True, max_size=8)):
        value = draw(VALUES)
        attribute = draw(st.sampled_from(["", " name='smp'", " name='a&amp;b' other=''"]))
        space = draw(st.sampled_from(["", "\n   "]))
        parts.append(f"{space}<{name}{attribute}>{value}</{name}>" if value or draw(st.booleans()) else f"<{name}/>")
    for _ in range(draw(st.integers(0, 3))):
        value = draw(VALUES)
        parts.append(f"<hard_request name='h_rt' resource_contribution='0.0'>{value}</hard_request>")
    return "".join(draw(st.permutations(parts)))


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    prefix = draw(st.sampled_from(["", "", "n:"]))

    def listed(state: str) -> Iterator[str]:
        for row in draw(st.lists(rows(), max_size=4)):
            yield f"<{prefix}job_list state='{state}'>{row}</{prefix}job_list>"

    running, pending = "".join(listed("running")), "".join(listed("pending"))
    root = draw(st.sampled_from(["job_info", "job_info xmlns='http://x'", "job_info  xmlns:n='http://y' "]))
    return (
        f"<?xml version='1.0'?>\n<{root}>\n<queue_info>{running}</queue_info>\n"
        f"<job_info>{pending}</job_info>\n</job_info>\n"
    ).encode()


@given(documents())
@settings(max_examples=60, deadline=None)
def test_both_readers_agree_on_generated_documents(document: bytes) -> None:
    fast, plain = by_both(document)
    assert fast is not None
    assert plain is not None
    assert fast.to_pylist() == plain.to_pylist()
    assert fast.equals(plain)


@given(documents(), st.data())
@settings(max_examples=60, deadline=None)
def test_a_damaged_document_is_refused_or_read_alike(document: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(document)))
    end = data.draw(st.integers(start, min(len(document), start + 20)))
    damaged = (
        document[:start] + data.draw(st.sampled_from([b"", b"<", b"&", b"</x>", b"<a>", b"\xff"])) + document[end:]
    )
    fast, plain = by_both(damaged)
    # expat is stricter: what it takes, xml2arrow reads alike or leaves to it.
    if fast is not None and plain is not None:
        assert fast.to_pylist() == plain.to_pylist()


@given(documents(), st.integers(1, 400))
@settings(max_examples=40, deadline=None)
def test_a_cut_document_is_never_a_shorter_table(document: bytes, cut: int) -> None:
    cut_off = document.rstrip()[:-cut]
    with pytest.raises(Internal):
        file_of(cut_off)


# Submission times


def waiting(number: int, time: str) -> str:
    return f"<JB_job_number>{number}</JB_job_number><JB_submission_time>{time}</JB_submission_time>"


def test_the_submission_time_of_a_job_is_kept_when_it_starts_and_forgotten_when_it_is_gone() -> None:
    known = KnownSubmissions()

    def filled(document: bytes) -> dict[str, Any]:
        read = file_of(document)
        table = known.filled(read_tasks(read))
        read.close()
        assert table.schema == schema("tasks")
        return {row["job_id"]: row["submission_time"] for row in table.to_pylist()}

    time = datetime(2026, 11, 21, 1, 2, 3, tzinfo=UTC)
    assert filled(jobs(waiting(1, "2026-11-21T01:02:03"), waiting(7, "2026-11-21T01:02:03"))) == {
        "1": time,
        "7": time,
    }
    runs = "<JB_job_number>{}</JB_job_number>"
    assert filled(jobs(runs.format(1), runs.format(5))) == {"1": time, "5": None}
    assert filled(jobs(runs.format(7), runs.format(1))) == {"7": None, "1": time}
    assert filled(jobs()) == {}
    assert filled(jobs(runs.format(1))) == {"1": None}
