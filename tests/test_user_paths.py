from __future__ import annotations

import os
import stat

import pytest

from gcs_lab.user_paths import private_folder, runtime_folder, state_folder


def test_folders_are_made_for_the_user_alone(tmp_path):
    made = private_folder(tmp_path / "a" / "b")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700


def test_a_folder_that_is_open_to_others_is_closed(tmp_path):
    (tmp_path / "open").mkdir(mode=0o755)
    assert stat.S_IMODE(private_folder(tmp_path / "open").stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a folder to another user needs root")
def test_a_folder_of_another_user_is_refused(tmp_path):
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 12345, -1)
    with pytest.raises(PermissionError, match="belongs to uid 12345"):
        private_folder(tmp_path / "theirs")


def test_gcs_lab_home_moves_them_all(tmp_path, monkeypatch):
    monkeypatch.setenv("GCS_LAB_HOME", str(tmp_path))
    assert state_folder() == tmp_path / "state"
    assert runtime_folder() == tmp_path / "run"


def test_without_it_sockets_go_to_the_session_s_runtime_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("GCS_LAB_HOME")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert runtime_folder() == tmp_path / "gcs-lab"
