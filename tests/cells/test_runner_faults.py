"""The runner when things go wrong: signals, crashes, exits, a log that is torn, full or gone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time

import pytest
from test_runner import Run, end, folders, make_folder, run, start, wait_for

from gcs_lab.cells import runner
from gcs_lab.cells.event_log import EventLog
from gcs_lab.cells.runner import event_writer

__all__ = ["folders", "run"]

FOREVER = "import time, os\nprint(os.getpid())\nwhile True:\n    time.sleep(0.05)"


def first_text(folder):
    """Wait for the first line of output and return it."""
    log = EventLog(folder / "events.jsonl")
    seen = []
    wait_for(lambda: seen.extend(e for e in log.read() if e.type == "stream") or seen)
    return seen[0].body["text"].strip()


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_segmentation_fault_is_told_with_the_line_and_keeps_what_was_printed(run):
    job = run("print('before')\nimport ctypes\nctypes.string_at(0)", outputs=["ctypes"])
    assert job.text() == "before\n"
    assert job.finished["signal"] == "SIGSEGV"
    assert job.finished["reason"] == "killed"
    assert job.status == job.finished["exit_status"] == 128 + signal.SIGSEGV
    assert "Segmentation fault" in job.text("stderr")
    assert "line 3" in job.text("stderr")


def test_os_exit_is_told_with_its_status(run):
    job = run("print('x', end='')\nimport os\nos._exit(3)")
    assert (job.status, job.finished["exit_status"], job.finished["reason"]) == (3, 3, "exit")
    assert job.text() == "x"
    assert job.of("error") == []


@pytest.mark.parametrize(("code", "status"), [("4", 4), ("", 0), ("None", 0), ("'why'", 1), ("True", 1)])
def test_sys_exit_is_no_error_and_outputs_still_come_back(run, code, status):
    job = run(f"x = 1\nimport sys\nsys.exit({code})", outputs=["x"])
    assert job.status == status
    assert job.finished["reason"] == "exit"
    assert job.of("error") == []
    assert job.outputs == {"x": 1}


def test_a_killed_child_is_told_and_what_it_sent_is_read(folders):
    folder = make_folder(
        "for i in range(1000):\n    print('line', i)\nprint('last')\nimport os\nos.kill(os.getpid(), 9)"
    )
    folders.append(folder)
    job = end(folder, start(folder))
    assert job.text().endswith("line 999\nlast\n")
    assert job.finished["signal"] == "SIGKILL"
    assert job.status == 137


def test_the_child_dies_with_a_killed_supervisor(folders):
    folder = make_folder(FOREVER)
    folders.append(folder)
    process = start(folder)
    child = int(first_text(folder))
    assert child != process.pid
    process.kill()
    process.communicate(timeout=20)
    wait_for(lambda: not is_alive(child))


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1", "SIGUSR2", "SIGXCPU"])
def test_signals_are_passed_on_and_told(folders, name):
    folder = make_folder(FOREVER, outputs=["time"])
    folders.append(folder)
    process = start(folder)
    first_text(folder)
    process.send_signal(getattr(signal, name))
    job = end(folder, process)
    assert job.finished["signal"] == name
    assert job.status == 128 + getattr(signal, name)


def test_a_cell_may_handle_a_signal_to_save_its_work(folders):
    folder = make_folder(
        "import signal, time\nx = 0\ndef save(*_):\n    global x\n    x = 7\nsignal.signal(signal.SIGUSR2, save)\n"
        "print('ready')\nwhile not x:\n    time.sleep(0.01)",
        outputs=["x"],
    )
    folders.append(folder)
    process = start(folder)
    first_text(folder)
    process.send_signal(signal.SIGUSR2)
    job = end(folder, process)
    assert (job.status, job.outputs) == (0, {"x": 7})


def test_an_interrupt_is_a_keyboard_interrupt_in_the_cell_and_outputs_come_back(folders):
    folder = make_folder("x = 5\n" + FOREVER, outputs=["x"])
    folders.append(folder)
    process = start(folder)
    child = int(first_text(folder))
    # As from a terminal: both get it.
    os.kill(child, signal.SIGINT)
    process.send_signal(signal.SIGINT)
    job = end(folder, process)
    assert job.error["ename"] == "KeyboardInterrupt"
    assert job.error["frames"][-1]["cell"]
    assert (job.status, job.finished["reason"], job.outputs) == (1, "error", {"x": 5})


def test_an_interrupt_told_again_while_python_ends_changes_nothing(folders):
    folder = make_folder(
        "import os, signal\nclass Late:\n    def __del__(self, kill=os.kill, pid=os.getpid(), number=signal.SIGINT):\n"
        "        kill(pid, number)\nlate, x = Late(), 5",
        outputs=["x"],
    )
    folders.append(folder)
    job = end(folder, start(folder))
    assert (job.status, job.finished["reason"], job.outputs) == (0, "done", {"x": 5})


def test_an_interrupt_during_heavy_printing_breaks_no_event(folders):
    folder = make_folder("print('go')\nwhile True:\n    print('y' * 5000)\n    display('z' * 5000)")
    folders.append(folder)
    process = start(folder)
    first_text(folder)
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    job = end(folder, process)
    assert job.damaged == 0
    assert job.error["ename"] == "KeyboardInterrupt"
    assert set(job.text()) <= set("goy\n")


def test_a_cell_that_ignores_the_end_is_killed_after_the_grace(folders):
    folder = make_folder(
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + FOREVER, grace_seconds=0.3
    )
    folders.append(folder)
    process = start(folder)
    first_text(folder)
    process.terminate()
    job = end(folder, process)
    assert job.finished["signal"] == "SIGKILL"
    assert job.finished["wall"] < 60


def test_a_second_try_goes_on_with_the_numbers_after_a_torn_line(run, folders):
    first = run("print(1)")
    events = first.folder / "events.jsonl"
    count = len(first.events)
    with events.open("ab") as file:
        file.write(b'{"seq":%d,"t":1.0,"type":"stre' % count)
    job = end(first.folder, start(first.folder))
    # How many heartbeats there are among them, nobody knows.
    assert [event.seq for event in job.events] == list(range(len(job.events)))
    assert len(job.events) > count
    assert [body["try"] for body in job.of("started")] == [1, 2]
    assert job.damaged == 1
    assert events.read_bytes().endswith(b"\n")


def test_a_second_try_that_dies_leaves_no_outputs_of_the_first(folders):
    folder = make_folder(
        "import os\nif os.path.exists('again'): os._exit(9)\nopen('again', 'w').close()\nx = 1", outputs=["x"]
    )
    folders.append(folder)
    assert end(folder, start(folder)).outputs == {"x": 1}
    assert end(folder, start(folder)).status == 9
    assert not (folder / "outputs.payload").exists()


def test_a_process_that_the_cell_forks_and_forgets_to_end_spoils_nothing(run):
    job = run("import os\nx = os.fork()\nif x:\n    os.waitpid(x, 0)\nprint('both')\ndisplay(1)", outputs=["x"])
    assert job.outputs["x"] > 0
    assert len(job.of("outputs")) == 1
    assert job.text().count("both") == 2
    assert (job.status, job.finished["reason"]) == (0, "done")


def test_a_folder_deleted_under_the_running_job_lets_the_cell_go_on_and_is_told(folders):
    folder = make_folder(
        "import os, time\nprint('up')\n"
        "while not os.path.exists(MARK + '.go'): time.sleep(0.01)\n"
        "for i in range(30):\n    print(i)\n    time.sleep(0.05)\nopen(MARK + '.done', 'w').close()",
        imports={},
    )
    folders.append(folder)
    spec = json.loads((folder / "spec.json").read_text())
    spec["source"] = spec["source"].replace("MARK", repr(str(folder)))
    (folder / "spec.json").write_text(json.dumps(spec))
    process = start(folder)
    first_text(folder)
    shutil.rmtree(folder)
    go, done = folder.with_name(folder.name + ".go"), folder.with_name(folder.name + ".done")
    go.touch()
    _, stderr = process.communicate(timeout=30)
    assert done.exists(), "the cell did not go on"
    go.unlink()
    done.unlink()
    assert process.returncode == runner.EXIT_OUTPUT_LOST
    assert "outputs could not be written" in stderr
    assert "Traceback" not in stderr


def test_a_log_that_cannot_be_written_for_a_while_is_caught_up(folders, tmp_path):
    writer = event_writer.EventWriter(str(tmp_path))
    writer.event("stream", name="stdout", text="one")
    descriptor, writer._descriptor = writer._descriptor, os.open("/dev/full", os.O_WRONLY)
    writer.event("stream", name="stdout", text="two")
    assert writer.failure is not None
    os.close(writer._descriptor)
    writer._descriptor = descriptor
    writer.event("stream", name="stdout", text="three")
    writer.retry(now=True)
    assert writer.failure is None
    events = EventLog(tmp_path / "events.jsonl").read()
    assert [(event.seq, event.body["text"]) for event in events] == [(0, "one"), (1, "two"), (2, "three")]
    os.close(descriptor)


def test_what_a_full_disk_cut_short_is_written_again_whole(tmp_path, monkeypatch):
    writer = event_writer.EventWriter(str(tmp_path))
    write, cut = os.write, [10]

    def write_short(descriptor, data):
        return write(descriptor, data[: cut.pop()]) if cut else write(descriptor, data)

    monkeypatch.setattr(os, "write", write_short)
    writer.event("stream", name="stdout", text="whole")
    writer.retry(now=True)
    log = EventLog(tmp_path / "events.jsonl")
    assert [(event.seq, event.body["text"]) for event in log.read()] == [(0, "whole")]
    assert log.damaged == 1
    os.close(writer._descriptor)


def test_what_does_not_fit_into_the_backlog_is_counted_and_told(tmp_path, monkeypatch):
    monkeypatch.setattr(event_writer, "_BACKLOG_BYTES", 1000)
    writer = event_writer.EventWriter(str(tmp_path))
    descriptor, writer._descriptor = writer._descriptor, os.open("/dev/full", os.O_WRONLY)
    for _ in range(20):
        writer.event("stream", name="stdout", text="x" * 200)
    os.close(writer._descriptor)
    writer._descriptor = descriptor
    writer.retry(now=True)
    events = EventLog(tmp_path / "events.jsonl").read()
    assert [event.seq for event in events] == list(range(len(events)))
    assert "events were lost" in events[-1].body["text"]
    assert len(events) < 8
    os.close(descriptor)


def test_a_background_process_left_behind_does_not_hold_up_the_end(run):
    job = run("import subprocess\np = subprocess.Popen(['sleep', '600'])\nprint(p.pid)")
    # It is still there, or this raises.
    os.kill(int(job.text()), signal.SIGKILL)
    assert job.status == 0


def test_running_out_of_memory_is_told_as_an_error(run):
    job = run(
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (300 << 20, 300 << 20))\nkept = []\n"
        "while True:\n    kept.append(bytearray(1 << 20))",
    )
    assert job.error["ename"] == "MemoryError"
    assert job.error["frames"][-1]["line"] == "kept.append(bytearray(1 << 20))"
    assert job.status == 1


def test_a_folder_without_a_spec_is_told_on_the_schedulers_stderr(folders):
    folder = make_folder("pass")
    folders.append(folder)
    (folder / "spec.json").unlink()
    process = start(folder)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == runner.EXIT_NO_SPEC
    assert "spec.json" in stderr
    assert "Traceback" not in stderr


def test_a_folder_that_others_may_write_is_not_trusted(folders):
    folder = make_folder("print('evil')")
    folders.append(folder)
    folder.chmod(0o777)
    process = start(folder)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == runner.EXIT_NO_SPEC
    assert "may be written by everybody" in stderr


def test_no_process_is_left_and_nothing_but_the_documented_files(run):
    job = run("import matplotlib.pyplot as plt\nplt.plot([1])\nx = 1\n1 / 0", outputs=["x"])
    names = {path.name for path in job.folder.iterdir()} - {"work", ".config", ".cache"}
    assert names <= {"spec.json", "runner.pyz", "events.jsonl", "outputs.payload", "exception.payload", "files"}
    assert isinstance(job, Run)
    assert sys.executable == job.of("started")[0]["executable"]
