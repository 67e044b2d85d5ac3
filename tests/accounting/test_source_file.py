"""Files as they lie on the disk: compressed, damaged, rotated."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import zlib
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pytest
from classic_lines_made import block, line

from gcs_lab.accounting import source_file
from gcs_lab.accounting.classic import ClassicReader
from gcs_lab.accounting.source_file import compression, line_spans, open_source, rotated_files

if TYPE_CHECKING:
    from pathlib import Path

TEXT = block(*(line(job_number=number, job_name=f"job{number * number}") for number in range(3000)))


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


KINDS = {"gzip": gzip.compress, "zstd": zstd, "bz2": bz2.compress, "xz": lzma.compress}


@pytest.mark.parametrize("kind", KINDS)
def test_compressed_files_are_known_by_their_content(tmp_path, kind):
    path = tmp_path / "accounting"
    path.write_bytes(KINDS[kind](TEXT))
    assert compression(path) == kind
    with open_source(path) as file:
        assert file.read() == TEXT
    # The name does not matter, and neither does it make a plain file compressed.
    plain = tmp_path / "accounting.gz"
    plain.write_bytes(TEXT)
    assert compression(plain) is None
    with open_source(plain) as file:
        file.seek(10)
        assert file.read(5) == TEXT[10:15]


@pytest.mark.parametrize("kind", KINDS)
def test_several_members_are_one_text(tmp_path, kind):
    path = tmp_path / "accounting"
    path.write_bytes(KINDS[kind](TEXT[:1000]) + KINDS[kind](TEXT[1000:]))
    with open_source(path) as file:
        assert file.read() == TEXT


def read_to_the_failure(file: BinaryIO, at_once: int) -> bytes:
    """Return what can be read before it is said that the file is damaged."""
    found = []
    while True:
        try:
            piece = file.read(at_once)
        except OSError as error:
            assert re.search(r"accounting.* is damaged or ends early, after [\d,]+ bytes", str(error))  # noqa: PT017
            return b"".join(found)
        assert piece, "it ends as if it were whole"
        found.append(piece)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("whole", [20, 0.5, -5])
def test_a_file_that_ends_early_gives_what_is_whole_and_then_says_so(tmp_path, kind, whole):
    data = KINDS[kind](TEXT)
    path = tmp_path / "accounting"
    path.write_bytes(data[: int(len(data) * whole) if isinstance(whole, float) else whole])
    with open_source(path) as file:
        found = read_to_the_failure(file, 10_000)
    assert TEXT.startswith(found)
    if whole == 0.5 and kind in {"gzip", "xz"}:
        assert len(found) > len(TEXT) / 4
    records = ClassicReader().read(found, 0)
    assert len(records.records) == found.count(b"\n")


@pytest.mark.parametrize("at_once", [1000, 1 << 24])
def test_what_is_whole_is_whole_to_the_last_byte(tmp_path, at_once):
    first, second = gzip.compress(TEXT[:50_000]), gzip.compress(TEXT[50_000:])[:-200]
    path = tmp_path / "accounting.0.gz"
    path.write_bytes(first + second)
    with open_source(path) as file:
        found = read_to_the_failure(file, at_once)
    assert found == TEXT[:50_000] + zlib.decompressobj(wbits=31).decompress(second)
    assert len(found) > 100_000


def test_a_file_that_is_not_there_or_may_not_be_read(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_source(tmp_path / "accounting")
    (tmp_path / "accounting").touch()
    with open_source(tmp_path / "accounting") as file:
        assert file.read() == b""


@pytest.mark.parametrize("size", [1, 300, 1000, 5000, 10**9])
def test_blocks_are_whole_lines(tmp_path, monkeypatch, size):
    monkeypatch.setattr(source_file, "_TAIL", 16)
    path = tmp_path / "accounting"
    text = TEXT[:20_000] + b"\n" * 5 + b"x" * 3000 + b"\n" + TEXT[20_000:40_000]
    text = text[: text.rindex(b"\n")]
    path.write_bytes(text)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        spans = list(line_spans(descriptor, 0, len(text), size))
    finally:
        os.close(descriptor)
    pieces = [text[start:end] for start, end in spans]
    assert b"".join(pieces) == text
    assert all(piece.endswith(b"\n") for piece in pieces[:-1])
    assert all(len(piece) <= size or piece.count(b"\n") <= 1 for piece in pieces)


def made(folder: Path, *names: str) -> list[Path]:
    for number, name in enumerate(names):
        (folder / name).write_text(name)
        os.utime(folder / name, (number, number))
    return [folder / name for name in names]


@pytest.mark.parametrize(
    ("growing", "older"),
    [
        ("accounting", ["accounting.10.gz", "accounting.2.gz", "accounting.1", "accounting.0"]),
        ("accounting", ["accounting-20251231.xz", "accounting-20260101.zst", "accounting-20260901"]),
        ("accounting", ["accounting.2026-01-01_00:00.gz", "accounting.2026-02-01_00:00.gz"]),
        ("accounting.jsonl", ["accounting.jsonl.2.gz", "accounting.jsonl.1"]),
        ("accounting.jsonl", ["accounting-20260101.jsonl.gz", "accounting-20260201.jsonl"]),
        ("accounting.jsonl", ["accounting.jsonl-20260101.gz"]),
    ],
)
def test_rotated_files_come_first_the_oldest_before(tmp_path, growing, older):
    others = [
        "accounting.lock", "accounting_notes", "accounting.bak", "accountings", "reporting", "reporting.1",
        "accounting.jsonl" if growing == "accounting" else "accounting",
        "accounting.jsonl.3" if growing == "accounting" else "accounting.3",
    ]  # fmt: skip
    made(tmp_path, *reversed(older), growing, *others)
    (tmp_path / "accounting.7").mkdir()
    assert [path.name for path in rotated_files(tmp_path / growing)] == [*older, growing]


def test_of_two_ways_of_rotating_the_time_of_writing_tells(tmp_path):
    files = made(tmp_path, "accounting.1.gz", "accounting.0", "accounting-20260101.gz", "accounting")
    assert rotated_files(tmp_path / "accounting") == files


def test_while_a_file_is_being_compressed_it_is_there_once(tmp_path):
    made(tmp_path, "accounting.1", "accounting.1.gz", "accounting")
    assert [path.name for path in rotated_files(tmp_path / "accounting")] == ["accounting.1", "accounting"]


def test_there_may_be_no_growing_file_or_none_at_all(tmp_path):
    assert rotated_files(tmp_path / "accounting") == []
    made(tmp_path, "accounting.0")
    assert [path.name for path in rotated_files(tmp_path / "accounting")] == ["accounting.0"]
