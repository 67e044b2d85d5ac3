"""The payload format: values that travel between notebook and job."""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcs_lab.cells import runner
from gcs_lab.cells.runner import trust
from gcs_lab.cells.runner.pickled import pickle_values

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=20,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return str(tmp_path_factory.mktemp("payload") / "p.payload")


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.text(min_size=1), values), st.lists(st.integers(0, 200_000), max_size=4))
def test_what_is_written_is_read_again(path, plain, sizes):
    arrays = {f"array {i}": np.arange(size, dtype="u1") for i, size in enumerate(sizes)}
    header = runner.write_payload(path, {**plain, **arrays}, {"np": "numpy"})
    back, header_back = runner.read_payload(path)
    assert header_back == header
    assert header["names"] == [*plain, *arrays]
    assert header["modules"] == {"np": "numpy"}
    assert {name: back[name] for name in plain} == plain
    assert all(np.array_equal(back[name], array) for name, array in arrays.items())


def test_blocks_stand_at_multiples_of_64_where_the_header_says(path):
    header = runner.write_payload(path, {"a": np.arange(5), "b": np.ones(100_000), "c": "text"}, {})
    data = Path(path).read_bytes()
    assert data[:8] == b"GCSPAY1\n"
    (length,) = struct.unpack("<Q", data[8:16])
    places = [header["pickle"], *header["buffers"]]
    assert all(offset % 64 == 0 for offset, _ in places)
    assert places[0][0] == 16 + length
    offset, size = header["buffers"][1]
    assert np.array_equal(np.frombuffer(data[offset : offset + size]), np.ones(100_000))


def test_arrays_of_any_layout_come_back_writable(path):
    whole = np.arange(2_000_000.0).reshape(1000, 2000)
    frozen = whole.copy()
    frozen.flags.writeable = False
    sent = {
        "c": whole,
        "fortran": np.asfortranarray(whole),
        "view": whole[::2, ::3],
        "frozen": frozen,
        "none": whole[:0],
    }
    runner.write_payload(path, sent, {})
    back, _ = runner.read_payload(path)
    for name, array in sent.items():
        assert np.array_equal(back[name], array)
        assert back[name].flags.writeable == array.flags.writeable, name


def test_data_frames_come_back(path):
    frame = pd.DataFrame({"a": np.arange(1000), "b": ["x"] * 1000, "c": pd.date_range("2024", periods=1000)})
    runner.write_payload(path, {"f": frame}, {})
    pd.testing.assert_frame_equal(runner.read_payload(path)[0]["f"], frame)


def test_the_file_is_private_and_whole_or_not_there(tmp_path):
    path = tmp_path / "x"
    with pytest.raises(TypeError, match="pickle"):
        runner.write_payload(str(path), {"bad": sys._getframe()}, {})
    assert list(tmp_path.iterdir()) == []
    runner.write_payload(str(path), {"a": 1}, {})
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_main_defines_travels_by_value_and_is_noticed_without_cloudpickles_help(monkeypatch):
    import __main__

    monkeypatch.setattr(__main__, "made_here", lambda: 5, raising=False)
    __main__.made_here.__module__ = "__main__"
    __main__.made_here.__qualname__ = __main__.made_here.__name__ = "made_here"
    pickled = pickle_values({"f": __main__.made_here})
    assert b"cloudpickle" in pickled.data
    assert b"cloudpickle" not in pickle_values({"f": os.path.join, "x": [1]}).data


@pytest.mark.parametrize("cut", [4, 12, 100, -40])
def test_a_file_that_is_cut_short_says_so(path, cut):
    runner.write_payload(path, {"a": np.arange(100)}, {})
    os.truncate(path, cut if cut > 0 else Path(path).stat().st_size + cut)
    with pytest.raises(ValueError, match=r"cut short|no payload"):
        runner.read_payload(path)


def test_something_else_is_no_payload(path):
    Path(path).write_bytes(b"\x80\x05K\x01.............")
    with pytest.raises(ValueError, match="is no payload"):
        runner.read_payload(path)


def test_a_file_that_others_may_write_is_not_read(tmp_path):
    path = tmp_path / "x"
    runner.write_payload(str(path), {"a": 1}, {})
    assert runner.check_trusted(str(path)) == os.path.realpath(path)
    path.chmod(0o666)
    with pytest.raises(PermissionError, match="may be written by everybody"):
        runner.read_payload(str(path))
    path.chmod(0o600)
    tmp_path.chmod(0o777)
    with pytest.raises(PermissionError, match="may be written by everybody"):
        runner.read_payload(str(path))
    tmp_path.chmod(0o1777)
    assert runner.read_payload(str(path))[0] == {"a": 1}
    tmp_path.chmod(0o700)


def test_a_link_is_judged_by_where_it_leads(tmp_path):
    runner.write_payload(str(tmp_path / "real"), {"a": 1}, {})
    (tmp_path / "open").mkdir(mode=0o700)
    (tmp_path / "real").rename(tmp_path / "open/real")
    (tmp_path / "link").symlink_to(tmp_path / "open/real")
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(PermissionError):
        runner.check_trusted(str(tmp_path / "link"))


def test_a_file_of_another_user_is_not_read(tmp_path, monkeypatch):
    runner.write_payload(str(tmp_path / "x"), {"a": 1}, {})
    other = os.geteuid() + 12345
    if os.geteuid() == 0:
        os.chown(tmp_path / "x", other, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: other)
    with pytest.raises(PermissionError, match="belongs to user"):
        runner.read_payload(str(tmp_path / "x"))


def test_a_group_that_may_write_is_trusted_only_if_it_is_the_users_own(tmp_path, monkeypatch):
    import grp
    import pwd

    path = tmp_path / "x"
    runner.write_payload(str(path), {"a": 1}, {})
    path.chmod(0o660)
    gid = 54321
    status = os.stat_result((path.stat().st_mode, 0, 0, 1, os.geteuid(), gid, 0, 0, 0, 0))
    assert "group 54321" in trust._other_writer(status, is_parent=False)
    user = pwd.getpwuid(os.geteuid())
    mine = pwd.struct_passwd((user.pw_name, "x", user.pw_uid, gid, "", "/", "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwuid", lambda _: mine)
    monkeypatch.setattr(grp, "getgrgid", lambda _: grp.struct_group((user.pw_name, "x", gid, [])))
    assert trust._other_writer(status, is_parent=False) == ""
    monkeypatch.setattr(grp, "getgrgid", lambda _: grp.struct_group((user.pw_name, "x", gid, ["eve"])))
    assert "group 54321" in trust._other_writer(status, is_parent=False)
