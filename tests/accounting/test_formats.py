"""Formats are told by what is in a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from classic_lines_made import block, line

from gcs_lab.accounting.classic import ClassicReader
from gcs_lab.accounting.formats import HEAD, Reader, reader_for
from gcs_lab.accounting.json_lines import JsonLinesReader
from gcs_lab.accounting.qacct_text import QacctTextReader
from gcs_lab.accounting.sacct import SacctReader
from gcs_lab.errors import InvalidArgument

DATA = Path(__file__).parents[1] / "data"
SACCT = b"JobID|JobName|State|ExitCode\n17|fit|COMPLETED|0:0\n"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("sge-8.1.9/accounting", ClassicReader),
        ("ocs-9.2/accounting.jsonl", JsonLinesReader),
        ("sge-8.1.9/qacct-j.txt", QacctTextReader),
        ("ocs-9.2/qacct-j.txt", QacctTextReader),
    ],
)
@pytest.mark.parametrize("name", ["accounting", "anything.txt"])
def test_recorded_files_whatever_they_are_called(path, kind, name):
    reader = reader_for((DATA / path).read_bytes()[:HEAD], name)
    assert isinstance(reader, kind)
    assert isinstance(reader, Reader)


def test_a_dump_of_sacct():
    assert isinstance(reader_for(SACCT, "dump"), SacctReader)


@pytest.mark.parametrize("width", [43, 45, 52, 54, 55])
def test_relatives_of_the_classic_file(width):
    assert isinstance(reader_for(block(line(width)), "x"), ClassicReader)


def test_a_damaged_beginning_does_no_harm():
    damage = b"\0" * 5000 + b"\n{torn\n" + line()[:100].encode() + b"\n\xff\xfe\n"
    assert isinstance(reader_for(damage + block(line()), "x"), ClassicReader)
    jsonl = (DATA / "ocs-9.2" / "accounting.jsonl").read_bytes()
    assert isinstance(reader_for(damage + jsonl, "x"), JsonLinesReader)
    # The last line of a whole head is cut off: it decides nothing.
    assert isinstance(
        reader_for((damage + jsonl)[: len(damage) + 50].ljust(HEAD), "accounting.jsonl"), JsonLinesReader
    )


@pytest.mark.parametrize("head", [b"", b"# Version: 8.1.9\n#\n"])
def test_a_file_without_records_is_taken_by_its_name(head):
    assert isinstance(reader_for(head, "accounting"), ClassicReader)
    assert isinstance(reader_for(head, "accounting.0.gz"), ClassicReader)
    assert isinstance(reader_for(head, "accounting.jsonl"), JsonLinesReader)


@pytest.mark.parametrize(
    ("head", "seen"),
    [
        (b"root:x:0:0:root:/root:/bin/bash\n", r"root:x:0:0"),
        (b'{"name": "package"}\n', "package"),
        (b"\x7fELF\x02\x01\x01\0\0", r"\\x7fELF"),
        (b"# only\n", "no line"),
    ],
)
def test_another_file_is_refused_with_what_was_seen_and_what_is_known(head, seen):
    with pytest.raises(InvalidArgument, match=seen) as caught:
        reader_for(head, "notes.txt")
    assert "notes.txt" in str(caught.value)
    assert "sacct -P" in str(caught.value)
