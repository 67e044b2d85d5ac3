from __future__ import annotations

import contextlib
import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from embedded_lab import processes_with
from patience import wait_for

from gcs_lab.backends.embedded import connection, service
from gcs_lab.backends.embedded.client import Client
from gcs_lab.backends.embedded.places import Places, check_private
from gcs_lab.backends.embedded.system import EmbeddedSystem
from gcs_lab.backends.embedded.wire import peer_uid
from gcs_lab.errors import InvalidArgument, UntrustedFile


def schedulers(home):
    def name_of(pid):
        # It may have ended since it was found.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            return Path(f"/proc/{pid}/comm").read_text()
        return ""

    return [pid for pid in processes_with(f"{home}/state/embedded\0") if name_of(pid) == "gcs-scheduler\n"]


def test_start_status_and_stop_tell_the_truth(home):
    assert service.status().pid is None
    assert service.stop() is False
    started = service.start()
    assert service.start().pid == started.pid == service.status().pid
    assert Path(f"/proc/{started.pid}/comm").read_text() == "gcs-scheduler\n"
    assert service.stop() is True
    assert service.status().pid is None


def test_the_scheduler_is_in_a_session_of_its_own_and_nobodys_child(home):
    pid = service.start().pid
    assert os.getsid(pid) not in (os.getsid(0), pid)
    assert service.status().socket.stat().st_mode & 0o777 == 0o600
    assert stat.S_IMODE(service.status().socket.parent.stat().st_mode) == 0o700


def test_clients_that_start_it_at_once_get_one_scheduler(home):
    program = "from gcs_lab.backends.embedded import service; print(service.start().pid)"
    clients = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(5)]
    pids = {client.communicate(timeout=30)[0] for client in clients}
    assert len(pids) == 1
    assert schedulers(home) == [int(pids.pop())]


def test_the_scheduler_does_not_inherit_the_environment_of_who_starts_it(home, monkeypatch):
    monkeypatch.setenv("TOKEN_OF_THE_KERNEL", "secret")
    pid = service.start().pid
    assert b"TOKEN_OF_THE_KERNEL" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_modules_beside_the_notebook_do_not_get_into_the_scheduler(home, monkeypatch):
    (home / "json.py").write_text("raise SystemExit('the wrong json')")
    monkeypatch.chdir(home)
    assert service.start().pid is not None


def test_it_ends_itself_after_long_idleness_but_not_with_a_client_or_a_job(home):
    places = Places.of_user()
    places.configuration.write_text('idle_seconds=0.2\n[[hosts]]\nname="n"\n[[queues]]\nname="all.q"\nslots=1\n')
    client = Client(service.ensure_running)
    pid = client.ask("about")["pid"]
    time.sleep(0.5)
    assert client.ask("about")["pid"] == pid
    client.close()
    wait_for(lambda: not schedulers(home), "the end of the idle scheduler")
    assert not places.socket.exists()


def test_a_client_whose_scheduler_ended_starts_it_again_unnoticed(home):
    system = EmbeddedSystem.connect()
    service.stop()
    assert system.jobs.job_ids() == []
    system.close()


def test_another_login_with_another_runtime_folder_finds_the_same_scheduler(home, monkeypatch):
    pid = service.start().pid
    elsewhere = Places(Places.of_user().folder, home / "other.sock")
    monkeypatch.setattr(service.Places, "of_user", lambda: elsewhere)
    assert service.start().pid == pid


def test_a_stale_socket_does_not_keep_a_scheduler_from_starting(home):
    places = Places.of_user()
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(places.socket))
    assert service.start().pid is not None


def test_a_path_too_long_for_a_socket_gets_a_short_private_one(home, monkeypatch):
    monkeypatch.setenv("GCS_LAB_HOME", str(home / ("x" * 120)))
    places = Places.of_user()
    assert len(os.fsencode(places.socket)) <= 107
    assert stat.S_IMODE(places.socket.parent.stat().st_mode) == 0o700
    assert service.start().socket == places.socket
    service.stop()


def test_a_folder_that_others_may_enter_is_not_trusted(home, monkeypatch):
    shared = home / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    with pytest.raises(UntrustedFile, match="drwxr-xr-x"):
        check_private(shared)
    (home / "link").symlink_to(home)
    with pytest.raises(UntrustedFile):
        check_private(home / "link")


def test_the_peers_uid_is_asked_of_the_kernel_and_another_user_is_refused(monkeypatch):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peer_uid(ours) == os.geteuid()
        assert connection.is_owner(os.geteuid())
        assert not connection.is_owner(os.geteuid() + 1)
        monkeypatch.setattr(connection, "peer_uid", lambda _: os.geteuid() + 1)
        assert connection.Connection.of_owner(ours) is None
        assert theirs.recv(1) == b""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_process_of_another_user_is_refused(home):
    path = service.start().socket
    for folder in (home, path.parent):
        folder.chmod(0o755)
    path.chmod(0o777)
    program = (
        "import os, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);\n"
        'try: s.sendall(b\'{"v": 1, "do": "about"}\\n\'); print(s.recv(100))\n'
        "except OSError: print(b'')"
    )
    said = subprocess.run([sys.executable, "-I", "-c", program, path], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "b''"
    path.parent.chmod(0o700)


def test_a_wrong_configuration_is_told_with_file_and_entry(home):
    places = Places.of_user()
    places.configuration.write_text('[[hosts]]\nname="n"\n[[queues]]\nname="all.q"\nslots="many"\n')
    with pytest.raises(InvalidArgument, match=r"cluster\.toml: \[\[queues\]\] number 1 \(all\.q\): slots is 'many'"):
        service.start()
    assert service.status().pid is None


def test_the_default_configuration_is_written_at_the_first_start(home):
    service.start()
    text = Places.of_user().configuration.read_text()
    assert "all.q" in text
    assert "$round_robin" in text


def test_nonsense_on_the_socket_is_answered_and_harms_nobody(home):
    path = service.start().socket
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(path))
        line.sendall(b'hello\n{"v": 99, "do": "about"}\n{"v": 2, "do": "dance"}\n')
        file = line.makefile("rb")
        answers = [file.readline() for _ in range(3)]
        file.close()
    assert b"is no JSON" in answers[0]
    assert b"speaks version 99" in answers[1]
    assert b"there is no question" in answers[2]
    assert service.status().pid is not None


def test_an_answer_larger_than_the_sockets_buffer_arrives_whole(home):
    system = EmbeddedSystem.connect()
    client = Client(service.ensure_running)
    ids = [str(number) for number in range(200_000)]
    answer = client.ask("control", action="hold", ids=ids, token="big")
    assert len(answer) == len(ids)
    client.close()
    system.close()


def test_a_connection_in_use_while_the_client_ends_is_closed_after_it(home):
    client = Client(service.ensure_running)
    with client._line() as line:
        client.end()
    assert line._socket.fileno() == -1
