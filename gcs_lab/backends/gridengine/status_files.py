"""XML that a command prints, in a file that has no name: looked over before anything is read out of it.

The command writes into an unlinked file, not into a pipe of ours. So its document is never in this process's memory,
the command ends as quickly as it can, :mod:`xml2arrow` reads the file by itself (a Python pipe would need the
interpreter's lock for every 8 kB, which takes seconds beside a cell that computes), and a parser that refuses can be
followed by another one without a second question to the qmaster.
"""

from __future__ import annotations

import codecs
import os
import re
import tempfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from gcs_lab.backends.gridengine.commands import error_of, run_command
from gcs_lab.backends.gridengine.status_values import INSTEAD
from gcs_lab.errors import DrmCommunication, Internal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["XmlFile", "cleaned", "xml_of"]

_CHUNK = 1 << 18
#: Enough for the declaration and the root's first tag.
_HEAD = 4096
_ROOT = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")
#: What no XML may contain, and carriage returns, which parsers treat differently.
_FORBIDDEN = bytes([*range(9), 11, 12, *range(13, 32)])
_WHITE = b" \t\r\n"


def cleaned(document: bytes) -> bytes:
    """Return `document` as it should have been printed.

    8.1.9 passes on whatever bytes users gave it, for instance control characters and Latin-1 in a job's arguments
    (``qstat -j``); each becomes U+FFFD. It writes ``%lt;`` for ``<``.
    """
    document = document.replace(b"%lt;", b"&lt;")
    if document.isascii() and len(document.translate(None, _FORBIDDEN)) == len(document):
        return document
    return document.decode("utf-8", "replace").translate(INSTEAD).encode()


class XmlFile:
    """A whole document in a file, as it was printed.

    Parameters
    ----------
    file
        The file, written. It belongs to this object from now on.
    root
        Name of the document's element.

    Raises
    ------
    DrmCommunication
        If it says that the qmaster could not be reached (8.1.9 prints that as XML, too).
    Internal
        If it is empty, cut, or another document.
    """

    def __init__(self, file: IO[bytes], root: str) -> None:
        self._file, self._root = file, root
        self._check_root(os.pread(file.fileno(), _HEAD, 0))
        self._check_end()

    @property
    def path(self) -> str:
        """A path under which this process can open it once more."""
        return f"/proc/self/fd/{self._file.fileno()}"

    @property
    def size(self) -> int:
        """Bytes."""
        return os.fstat(self._file.fileno()).st_size

    def chunks(self) -> Iterator[bytes]:
        """Yield its bytes in order."""
        self._file.seek(0)
        while chunk := self._file.read(_CHUNK):
            yield chunk

    def read(self) -> bytes:
        """Return all of it."""
        return b"".join(self.chunks())

    def contains(self, word: bytes) -> bool:
        """Tell whether `word` occurs anywhere."""
        count = _Count(word)
        for chunk in self.chunks():
            count.add(chunk)
            if count.found:
                return True
        return False

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def cleaned(self) -> XmlFile:
        """Return another one with the document as it should have been printed (see :func:`cleaned`)."""
        copy = _nameless()
        try:
            decoder = codecs.getincrementaldecoder("utf-8")("replace")
            for chunk in self.chunks():
                copy.write(decoder.decode(chunk).translate(INSTEAD).encode())
            copy.write(decoder.decode(b"", final=True).encode())
            copy.flush()
            return XmlFile(copy, self._root)
        except BaseException:
            copy.close()
            raise

    def _check_end(self) -> None:
        """Check that the document ends with its last tag.

        xml2arrow takes a document that ends between two elements for a whole one. ``job_info`` is the root and also
        an element within: where it ends but once, it must have begun but once.
        """
        tag = b"</" + self._root.encode()
        tail = os.pread(self._file.fileno(), _HEAD, max(0, self.size - _HEAD)).rstrip(_WHITE)
        # What ends twice in a row has ended; only then need nothing be counted, which takes a tenth of all.
        twice = tail.removesuffix(tag + b">").rstrip(_WHITE).endswith(tag + b">")
        if not tail.endswith(tag + b">") or not (twice or self._ends_once()):
            raise Internal(
                f"the document {self._root!r} that Grid Engine printed is cut: it ends with "
                f"{tail[-60:].decode('utf-8', 'replace')!r}. The next look asks again; if this "
                "stays, report it with the version."
            )

    def _ends_once(self) -> bool:
        """Tell whether the element that ends the document has ended as often as it began."""
        tag = self._root.encode()
        return self._count(b"</" + tag) != 1 or self._count(b"<" + tag) == 1

    def _count(self, word: bytes) -> int:
        count = _Count(word)
        for chunk in self.chunks():
            count.add(chunk)
        return count.found

    def _check_root(self, head: bytes) -> None:
        root = self._root
        found = _ROOT.search(head)
        name = "" if found is None else found[1].decode()
        if name == root:
            return
        if name == "communication_error":
            words = re.sub(r"<[^>]*>", " ", head.decode("utf-8", "replace")).split()
            raise DrmCommunication(f"the Grid Engine master does not answer: {' '.join(words)}")
        start = head[:80].decode("utf-8", "replace")
        raise Internal(
            f"Grid Engine printed what is no XML document {root!r}: {start!r}. If this stays, report it with the "
            "version."
        )


class _Count:
    """How often a tag begins in the pieces of a document."""

    def __init__(self, tag: bytes) -> None:
        self.tag, self.found, self._carried = tag, 0, b""

    def add(self, piece: bytes) -> None:
        """Count it in the next piece, and where it lies across the seam."""
        short = len(self.tag) - 1
        seam = self._carried + piece[:short]
        self.found += piece.count(self.tag) + seam.count(self.tag)
        self._carried = (seam if len(piece) < short else piece)[-short:]


def _nameless() -> IO[bytes]:
    return tempfile.TemporaryFile(prefix="gcs-")


@contextmanager
def xml_of(cell: SgeCell, argv: Sequence[str], root: str) -> Iterator[XmlFile]:
    """Run a command that prints XML with times in UTC, and yield its document.

    Raises
    ------
    CommandFailed, DrmCommunication
        If it failed or the qmaster does not answer.
    Internal
        As :class:`XmlFile`.
    """
    file = _nameless()
    try:
        # The client turns seconds into words; in UTC no hour is there twice.
        answer = run_command(cell, argv, extra_env={"TZ": "UTC"}, output=file)
        if answer.exit_status:
            raise error_of(answer.stderr or _head(file), answer.argv, answer.exit_status)
        document = XmlFile(file, root)
    except BaseException:
        file.close()
        raise
    try:
        yield document
    finally:
        document.close()


def _head(file: IO[bytes]) -> str:
    return os.pread(file.fileno(), _HEAD, 0).decode("utf-8", "replace")
