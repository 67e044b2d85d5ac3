"""Files: the configuration, the accounting, the run folder, and what travels on the wire."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from patience import wait_for

from gcs_lab.backends.embedded.accounting import AccountingFile
from gcs_lab.backends.embedded.cluster_file import default_text, parse_layout, read_layout
from gcs_lab.backends.embedded.database import Database
from gcs_lab.backends.embedded.matching import matches
from gcs_lab.backends.embedded.process_tree import ProcessIdentity, descendants, kill_marked, measure
from gcs_lab.backends.embedded.spool import RunFolder, ShepherdRecord
from gcs_lab.backends.embedded.wire import decode, describe_error, encode, rebuild_error
from gcs_lab.errors import GcsError, InvalidState, UnknownName
from gcs_lab.vocabulary import ReservationTemplate, TaskRange

GOOD = '[[hosts]]\nname="n"\n[[queues]]\nname="q"\nslots=1\n'


def test_the_default_file_describes_one_host_two_queues_three_environments():
    layout = parse_layout(default_text())
    assert [queue.name for queue in layout.queues] == ["all.q", "short.q"]
    assert layout.queues[0].slots == max(4, os.cpu_count())
    assert layout.queues[1].limits == {"h_rt": 600}
    assert {pe.name: pe.rule for pe in layout.parallel_environments} == {
        "smp": "$pe_slots", "make": "$round_robin", "mpi": "$fill_up",
    }  # fmt: skip
    assert layout.idle_seconds == 86400


def test_a_file_that_is_not_there_is_written(tmp_path):
    assert read_layout(tmp_path / "cluster.toml") == parse_layout((tmp_path / "cluster.toml").read_text())


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("queues = [", "no TOML"),
        ("", "'hosts' is missing"),
        ('[[hosts]]\nname="n"\n', "'queues' is missing"),
        (GOOD + 'colour="red"\n', r"\(q\) has an unknown key 'colour'"),
        (GOOD.replace("slots=1", "slots=-1"), "slots is -1"),
        (GOOD.replace("slots=1", "slots=true"), "slots is True"),
        (GOOD + 'hosts=["m"]\n', r"hosts is \['m'\]; expected a list of n"),
        (GOOD + 'h_rt="long"\n', "h_rt: 'long' is not a time"),
        (GOOD + GOOD, "two hosts called 'n'"),
        (GOOD.replace('"n"', '"a b"'), "name is 'a b'"),
        (GOOD + '[[parallel_environments]]\nname="p"\nslots=1\nallocation_rule="x"\n', "allocation_rule is 'x'"),
        ("idle_seconds=0\n" + GOOD, "idle_seconds is 0"),
        (GOOD.replace('name="n"', 'name="n"\nconsumables={gpu="two"}'), "gpu is 'two'"),
        (GOOD.replace('name="n"', 'name="n"\nmem_total="much"'), "mem_total"),
    ],
)
def test_a_wrong_file_is_told_by_entry(text, match):
    with pytest.raises(GcsError, match=match):
        parse_layout(text)


def test_patterns_are_those_of_grid_engine():
    assert matches("all.q", "all.q")
    assert matches("short*|all.q", "all.q")
    assert not matches("!all.q", "all.q")
    assert not matches("all?", "all.q")


def test_an_accounting_record_has_45_fields_whatever_the_job_is_called(lab):
    # Not through the area, which refuses such a name.
    template = lab.template("exit 3", accounting_id="a:b", resource_requests={"h_rt": "0:01:00"}, priority=-3)
    job = lab.jobs.job(lab.system.jobs.submit(template))
    lab.ended(job)
    (line,) = [x for x in lab.places.accounting.read_text().splitlines() if not x.startswith("#")]
    fields = line.split(":")
    assert len(fields) == 45
    assert fields[0] == "all.q"
    assert fields[4:8] == ["sh", job.id, "a_b", "-3"]
    assert [int(fields[n]) for n in (11, 12)] == [0, 3]
    assert time.time() - 60 < int(fields[8]) <= int(fields[9]) <= int(fields[10]) <= time.time()
    assert float(fields[36]) == pytest.approx(float(fields[14]) + float(fields[15]))
    assert fields[33:36] == ["NONE", "1", "0"]
    assert fields[39] == "-l h_rt=60"


@pytest.mark.gridengine
@pytest.mark.skipif(shutil.which("qacct") is None, reason="Grid Engine's qacct is not installed")
def test_grid_engines_own_qacct_reads_the_accounting_file(lab, home):
    begin = datetime.now().astimezone()
    wish = ReservationTemplate(start_time=begin, end_time=begin + timedelta(hours=1))
    reservation = lab.jobs.reservations.request(wish)
    reserved = lab.shell("exit 7", reservation_id=reservation.id, job_name="reserved")
    lab.ended(reserved)
    array = lab.array("true", TaskRange(2, 6, 2), job_name="ärray")
    lab.wait_array(array)
    cell = home / "sge" / "default" / "common"
    cell.mkdir(parents=True)
    # qacct wants to know where a master is, though it asks none.
    (cell / "act_qmaster").write_text("localhost\n")
    names = ["admin_user", "default_domain", "spooling_method", "spooling_lib", "spooling_params", "security_mode"]
    lines = [f"{name} none\n" for name in names] + ["ignore_fqdn true\n"]
    folders = ["binary_path", "qmaster_spool_dir"]
    (cell / "bootstrap").write_text("".join(lines + [f"{name} /nowhere\n" for name in folders]))
    ports = {"SGE_QMASTER_PORT": "6444", "SGE_EXECD_PORT": "6445"}
    env = {**os.environ, "SGE_ROOT": str(home / "sge"), "SGE_CELL": "default", **ports}

    def qacct(job):
        argv = ["qacct", "-f", str(lab.places.accounting), "-j", job]
        said = subprocess.run(argv, env=env, capture_output=True, text=True, check=True, timeout=20).stdout
        lines = [line for line in said.splitlines() if line.split(None, 1)[1:]]
        starts = [n for n, line in enumerate(lines) if line.startswith("qname ")]
        return [dict(line.split(None, 1) for line in lines[a:b]) for a, b in pairwise([*starts, None])]

    (record,) = qacct(reserved.id)
    told = [record[name].strip() for name in ("jobname", "exit_status", "failed", "arid", "taskid")]
    assert told == ["reserved", "7", "0", reservation.id, "undefined"]
    tasks = qacct(array)
    assert sorted(task["taskid"].strip() for task in tasks) == ["2", "4", "6"]
    assert {task["jobname"].strip() for task in tasks} == {"ärray"}


def test_each_run_has_its_accounting_record_with_grid_engines_failure_code(lab):
    again = lab.shell("[ $RESTARTED = 1 ] || exit 99")
    error = lab.submit("true", working_directory="/nowhere")
    killed = lab.submit("sleep", "60")
    lab.wait_letters(killed, "r")
    killed.terminate()
    lab.ended(again)
    lab.wait_letters(error, "Eqw")
    lab.ended(killed)
    wait_for(lambda: lab.places.accounting.read_text().count("\n") == 5, "the records")
    records = [line.split(":") for line in lab.places.accounting.read_text().splitlines()[1:]]
    found = sorted((int(r[5]), int(r[11]), int(r[12])) for r in records)
    assert found == [(1, 0, 0), (1, 25, 99), (2, 28, 1), (3, 100, 137)]


def test_a_record_appended_by_a_scheduler_that_died_is_not_appended_again(tmp_path):
    database = Database(tmp_path / "db")
    with database.transaction():
        for line in ("one\n", "two\n", "three\n"):
            database.post_accounting(line)
    path = tmp_path / "accounting"
    path.write_text("# old\none\ntwo\n")
    file = AccountingFile(path, database)
    file.recover()
    file.append_due()
    file.append_due()
    assert path.read_text() == "# old\none\ntwo\nthree\n"
    assert database.accounting_due() == []
    database.close()


def test_of_two_shepherds_for_one_run_one_gets_it(tmp_path):
    folder = RunFolder(tmp_path)
    me = ShepherdRecord(ProcessIdentity.of(os.getpid()), "/tmp/x")
    other = ShepherdRecord(ProcessIdentity(1, 2, "boot"), "/tmp/y")
    assert folder.shepherd() is None
    assert folder.claim(me)
    assert not folder.claim(other)
    assert folder.shepherd() == me
    assert folder.wanted() == "running"
    folder.want("removed")
    assert folder.wanted() == "removed"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shepherd", "wanted"]


def test_a_process_is_known_by_more_than_its_pid():
    with subprocess.Popen(["sleep", "60"]) as process:
        identity = ProcessIdentity.of(process.pid)
        assert identity.alive()
        assert not ProcessIdentity(identity.pid, identity.start - 1, identity.boot).alive()
        assert not ProcessIdentity(identity.pid, identity.start, "another boot").alive()
        process.kill()
        wait_for(lambda: not identity.alive(), "death, though nobody has reaped it")
    with pytest.raises(ProcessLookupError):
        ProcessIdentity.of(process.pid)


def test_descendants_are_found_with_and_without_the_kernels_lists(monkeypatch):
    from gcs_lab.backends.embedded import process_tree

    with subprocess.Popen(["sh", "-c", "setsid sleep 60 & echo up; wait"], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        wait_for(lambda: len(descendants(process.pid)) == 1, "the child")
        monkeypatch.setattr(process_tree, "_kernel_lists_children", lambda: False)
        (child,) = descendants(process.pid)
        usage = measure([process.pid, child])
        assert usage.vmem > usage.rss > 0
        os.kill(child, 9)


def test_processes_are_found_and_killed_by_their_mark():
    mark = f"test-{os.getpid()}-{time.time_ns()}"
    environment = {**os.environ, "GCS_LAB_EMBEDDED_RUN": mark}
    with subprocess.Popen([sys.executable, "-c", "print(flush=True); import time; time.sleep(60)"],
                          env=environment, stdout=subprocess.PIPE) as process:  # fmt: skip
        process.stdout.readline()
        assert kill_marked("another " + mark) == 0
        assert kill_marked(mark) == 1
        assert process.wait(10) == -9


def test_errors_pass_the_wire_with_their_type_and_message():
    unknown = rebuild_error(describe_error(UnknownName("queue", "al.q", ["all.q"], where="embedded")))
    assert isinstance(unknown, UnknownName)
    assert "Did you mean all.q" in str(unknown)
    assert isinstance(rebuild_error(describe_error(InvalidState("no"))), InvalidState)
    assert type(rebuild_error({"type": "os.system", "message": "x"})).__name__ == "Internal"
    assert decode(encode({"do": "x\udc80\n"})[:-1])["do"] == "x\udc80\n"
