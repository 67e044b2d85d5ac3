# ruff: noqa: PTH100, PTH103, PTH105, PTH108, PTH110, PTH116, PTH118, PTH120, PTH123, PTH208
# Importing pathlib alone would add a tenth to the start of every job.
"""The program that a cell's job runs: ``PYTHON runner.py FOLDER`` (docs/event-log.md).

One file that needs nothing but Python 3.9 or newer. It is copied into the job folder, and it is imported by the
submitting side for the payload format, which so has one implementation. Two processes work together:

* the *supervisor* writes the event log, beats the heart, passes signals on, and tells how the job ended, even when
  the cell was killed or crashed the interpreter;
* its *child*, forked before anything heavy is imported, runs the cell. What Python code prints, displays and reports
  goes through one pipe (:class:`Channel`), so its order is exact and what was sent outlives the child. What is
  written to file descriptors 1 and 2 below Python comes through two more pipes.

Exit status: the cell's own (``sys.exit(n)``), 1 for an exception, 128 + n for signal n, 74 (``EX_IOERR``) if the cell
went well and its outputs could not be written.

The sections: trust, payloads, the channel, streams, displays, IPython, imports, errors, the cell, the log,
the supervisor.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import pickle
import signal
import stat
import struct
import sys
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType, FrameType, ModuleType, TracebackType
    from typing import Any, NoReturn

__all__ = ["check_trusted", "main", "read_payload", "write_payload"]

LOG_VERSION = 1
EXIT_OUTPUT_LOST = 74
EXIT_NO_SPEC = 66

# ----------------------------------------------------------------------------------------------------
# Trust: nothing is unpickled that another user could have written
# ----------------------------------------------------------------------------------------------------


def check_trusted(path: str) -> str:
    """Return the real path of `path` if only this user and root can write it and every folder above.

    A group may write if it is the user's private group (named like the user, with no other member). A folder that
    all may write to, like ``/tmp``, passes when its sticky bit keeps others from renaming what is in it.

    Raises
    ------
    PermissionError
        If someone else could have.
    FileNotFoundError
        If there is no such file.
    """
    real = os.path.realpath(path)
    step = real
    while True:
        status = os.lstat(step)
        who = _other_writer(status, is_parent=step != real)
        if who:
            raise PermissionError(
                f"{path} is not read: {step} {who}, so what it holds need not be yours. "
                f"Only files that nobody but you and root can write are unpickled; look at `ls -ld {step}`."
            )
        parent = os.path.dirname(step)
        if parent == step:
            return real
        step = parent


def _other_writer(status: os.stat_result, *, is_parent: bool) -> str:
    if status.st_uid not in (0, os.geteuid()):
        return f"belongs to user {status.st_uid}"
    if is_parent and status.st_mode & stat.S_ISVTX:
        return ""
    if status.st_mode & stat.S_IWOTH:
        return "may be written by everybody"
    if status.st_mode & stat.S_IWGRP and status.st_gid != 0 and not _is_private_group(status.st_gid):
        return f"may be written by group {status.st_gid}"
    return ""


def _is_private_group(gid: int) -> bool:
    import grp
    import pwd

    try:
        group, user = grp.getgrgid(gid), pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return gid == user.pw_gid and group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}


# ----------------------------------------------------------------------------------------------------
# Payloads: the values that travel
# ----------------------------------------------------------------------------------------------------

MAGIC = b"GCSPAY1\n"
ALIGNMENT = 64
_SMALL = 1 << 16
_GATHERED = 1 << 22
_OWN_MAPPING = 1 << 20
_HUGE_PAGES = 1 << 22


class Pickled:
    """One dict of values as a pickle and its out-of-band buffers."""

    def __init__(self, data: bytes, buffers: list[memoryview]) -> None:
        self.data = data
        self.buffers = buffers


def pickle_values(values: Mapping[str, object], by_value: Sequence[str] = ()) -> Pickled:
    """Pickle `values` as one dict, so that what they share stays shared.

    Plain pickle does it where it can. What lives in ``__main__`` or in a module named in `by_value` does not exist on
    the other side under that name, so it goes through cloudpickle, as does what plain pickle refuses.

    Raises
    ------
    Exception
        Whatever a value raises when it is pickled (``TypeError``, ``PicklingError`` …).
    """
    buffers: list[pickle.PickleBuffer] = []
    plain = dict(values)
    try:
        data = pickle.dumps(plain, protocol=5, buffer_callback=buffers.append)
    except MemoryError:
        raise
    except Exception:
        data = b""
    # A reference by name must spell the module; any other occurrence of the word only costs time.
    if data and not any(name.encode() in data for name in ("__main__", *by_value)):
        return Pickled(data, [buffer.raw() for buffer in buffers])
    return _cloudpickle_values(plain, by_value)


def _cloudpickle_values(values: dict[str, object], by_value: Sequence[str]) -> Pickled:
    import cloudpickle

    registered = [
        sys.modules[name]
        for name in by_value
        if name in sys.modules and name not in cloudpickle.list_registry_pickle_by_value()
    ]
    buffers: list[pickle.PickleBuffer] = []
    for module in registered:
        cloudpickle.register_pickle_by_value(module)
    try:
        data = cloudpickle.dumps(values, protocol=5, buffer_callback=buffers.append)
    finally:
        for module in registered:
            cloudpickle.unregister_pickle_by_value(module)
    return Pickled(data, [buffer.raw() for buffer in buffers])


def pickle_what_can_be(
    values: Mapping[str, object], by_value: Sequence[str] = ()
) -> tuple[dict[str, object], Pickled, dict[str, dict[str, str]]]:
    """Pickle all values, or those that can be; return them, the pickle, and ``{name: {type, why}}`` of the others."""
    try:
        return dict(values), pickle_values(values, by_value), {}
    except Exception:
        good: dict[str, object] = {}
        skipped: dict[str, dict[str, str]] = {}
        for name, value in values.items():
            try:
                pickle_values({name: value}, by_value)
                good[name] = value
            except Exception as error:
                skipped[name] = {"type": _type_name(type(value)), "why": _one_line(error)}
        return good, pickle_values(good, by_value), skipped


def _type_name(kind: type) -> str:
    module = kind.__module__
    return kind.__qualname__ if module in ("builtins", "__main__") else f"{module}.{kind.__qualname__}"


def _one_line(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:
        text = "(its message cannot be shown)"
    return f"{type(error).__name__}: {text}".splitlines()[0][:500]


def write_payload(
    path: str,
    values: Mapping[str, object],
    modules: Mapping[str, str],
    *,
    by_value: Sequence[str] = (),
    extra: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """Write values to a payload file (mode 0600, whole or not at all) and return its header.

    Parameters
    ----------
    path
        The file; it is written under a temporary name beside it and renamed. It is not synced to the disk.
    values
        The values by name.
    modules
        Names that are bound to modules, with the module's name: modules travel by name.
    by_value
        Modules whose functions and classes travel as code, because the other side cannot import them.
    extra
        More keys for the header.

    Raises
    ------
    OSError
        If it cannot be written.
    Exception
        Whatever a value raises when it is pickled; nothing is left behind.
    """
    return write_pickled(path, list(values), pickle_values(values, by_value), modules, extra or {})


def write_pickled(
    path: str, names: list[str], pickled: Pickled, modules: Mapping[str, str], extra: Mapping[str, object]
) -> dict[str, Any]:
    """Write values that are pickled already; as :func:`write_payload`."""
    header: dict[str, Any] = {
        "names": names,
        "python": list(sys.version_info[:2]),
        "skipped": {},
        "modules": dict(modules),
        **extra,
    }
    blocks = [memoryview(pickled.data), *pickled.buffers]
    head = _lay_out(header, [block.nbytes for block in blocks])
    temporary = f"{path}.{os.getpid()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        try:
            _write_blocks(descriptor, head, blocks)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    except BaseException:
        _unlink(temporary)
        raise
    return header


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return


def _aligned(position: int) -> int:
    return -(-position // ALIGNMENT) * ALIGNMENT


def _lay_out(header: dict[str, Any], sizes: list[int]) -> bytes:
    """Put the blocks' places into `header`; return magic, length and header, padded to where the first block is."""
    base, fixed = 0, len(MAGIC) + 8
    while True:
        places, position = [], base
        for size in sizes:
            places.append([position, size])
            position = _aligned(position + size)
        header["pickle"], header["buffers"] = places[0], places[1:]
        text = json.dumps(header, separators=(",", ":")).encode()
        needed = _aligned(fixed + len(text))
        if needed <= base:
            # Blanks are white space to JSON, so they can be part of the header's length.
            text = text.ljust(base - fixed)
            return MAGIC + struct.pack("<Q", len(text)) + text
        base = needed


def _write_blocks(descriptor: int, head: bytes, blocks: list[memoryview]) -> None:
    # What is gathered always begins at a multiple of the alignment; large blocks are written from where they are.
    gathered = bytearray(head)
    for block in blocks:
        padding = bytes(_aligned(block.nbytes) - block.nbytes)
        if block.nbytes < _SMALL:
            gathered += block
            gathered += padding
        if block.nbytes >= _SMALL or len(gathered) > _GATHERED:
            _write_all(descriptor, gathered)
            gathered.clear()
        if block.nbytes >= _SMALL:
            _write_all(descriptor, block)
            _write_all(descriptor, padding)
    _write_all(descriptor, gathered)


def _write_all(descriptor: int, data: bytes | bytearray | memoryview) -> None:
    position = os.write(descriptor, data)
    while position < len(data):
        position += os.write(descriptor, memoryview(data)[position:])


def read_payload(path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values of a payload file and its header. Arrays come back writable.

    Raises
    ------
    PermissionError
        If another user could have written the file (:func:`check_trusted`).
    ValueError
        If it is no payload, or is cut short.
    ModuleNotFoundError
        If a module that the values need is not installed here; it says which and for which names.
    Exception
        Whatever a value raises when it is rebuilt.
    """
    with open(check_trusted(path), "rb", buffering=0) as file:
        header = _read_header(file, path)
        data = _read_block(file, header["pickle"], path)
        buffers = [_read_block(file, place, path) for place in header["buffers"]]
    try:
        values = pickle.loads(data, buffers=buffers)
    except ModuleNotFoundError as error:
        names = _names_that_need(data, buffers) or header["names"]
        needed = ", ".join(f"`{name}`" for name in names)
        raise ModuleNotFoundError(
            f"the module {error.name!r} is not installed for {sys.executable}, and {needed} cannot be rebuilt "
            "without it. Install it there, name another Python for the job, or leave the value out.",
            name=error.name,
        ) from None
    return dict(values), header


def _read_header(file: io.FileIO, path: str) -> dict[str, Any]:
    head = file.read(len(MAGIC) + 8) or b""
    if head[: len(MAGIC)] != MAGIC or len(head) < len(MAGIC) + 8:
        raise ValueError(f"{path} is no payload of version 1: it begins with {head[:8]!r} instead of {MAGIC!r}.")
    (length,) = struct.unpack("<Q", head[len(MAGIC) :])
    if length > os.fstat(file.fileno()).st_size:
        raise ValueError(f"{path} is cut short: its header alone should have {length} bytes.")
    header: dict[str, Any] = json.loads(bytes(_read_block(file, [len(head), length], path)))
    return header


def _read_block(file: io.FileIO, place: Sequence[int], path: str) -> Any:
    """Read one block into memory of its own that may be written, so that an array keeps only its own alive."""
    offset, size = place
    block: Any = bytearray(size) if size < _OWN_MAPPING else _mapping(size)
    view = memoryview(block)
    file.seek(offset)
    while view:
        count = file.readinto(view)
        if not count:
            raise ValueError(f"{path} is cut short: {len(view)} of {size} bytes at {offset} are missing.")
        view = view[count:]
    return block


def _mapping(size: int) -> Any:
    import mmap

    block = mmap.mmap(-1, size)
    if size >= _HUGE_PAGES and hasattr(mmap, "MADV_HUGEPAGE"):
        try:
            block.madvise(mmap.MADV_HUGEPAGE)
        except OSError:
            return block
    return block


class _StandIn:
    """Takes the place of whatever a missing module has."""

    def __new__(cls, *_: object, **__: object) -> Any:
        return object.__new__(cls)

    def __setstate__(self, _: object) -> None:
        return


class _LenientUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return super().find_class(module, name)
        except ImportError:
            return _StandIn


class _StandInFinder(pickle.Pickler):
    def reducer_override(self, value: object) -> Any:
        if value is _StandIn or isinstance(value, _StandIn):
            raise LookupError
        return NotImplemented


def _holds_stand_in(value: object) -> bool:
    try:
        _StandInFinder(io.BytesIO(), protocol=5, buffer_callback=lambda _: None).dump(value)
    except LookupError:
        return True
    except Exception:
        return False
    return False


def _names_that_need(data: Any, buffers: list[Any]) -> list[str]:
    """Return the names whose values hold something of a missing module: rebuild all with stand-ins and look."""
    try:
        values = _LenientUnpickler(io.BytesIO(data), buffers=buffers).load()
    except Exception:
        return []
    return [name for name, value in values.items() if _holds_stand_in(value)]


# ----------------------------------------------------------------------------------------------------
# The channel: what the child says to the supervisor
# ----------------------------------------------------------------------------------------------------

# Bare bytes are text of the stream chosen last. 0xFF, which no UTF-8 text has, opens a frame: its kind, the
# length of what follows, and that. So plain printing costs one write and almost nothing to read.
_MARK = 0xFF
_HEAD = struct.Struct("<BcI")
_TO_STDOUT, _TO_STDERR, _DRAIN, _EVENT, _END = b"o", b"e", b"d", b"j", b"x"
_SWITCH = {_TO_STDOUT: _HEAD.pack(_MARK, _TO_STDOUT, 0), _TO_STDERR: _HEAD.pack(_MARK, _TO_STDERR, 0)}
_FIONREAD = 0x541B
_QUIET_SECONDS = 0.0002


class Channel:
    """The child's end of the pipe.

    Safe to use from threads, from signal handlers and from ``__del__``. In a process that the cell forks (a worker of
    multiprocessing) text goes to file descriptors 1 and 2 instead, and events are dropped: two writers of one
    pipe would mix their frames.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.busy = False
        self.interrupted = False
        self._detached = False
        self._lock = threading.RLock()
        self._stream = _TO_STDOUT
        self._last = 0.0
        self._deferred: list[tuple[bytes, bytes]] = []
        self._lines = {_TO_STDOUT: b"", _TO_STDERR: b""}
        os.register_at_fork(after_in_child=self._detach)

    @property
    def detached(self) -> bool:
        """Whether this process is one that the cell forked."""
        return self._detached

    def _detach(self) -> None:
        self._detached = True
        self._lock = threading.RLock()
        self.busy = False
        self._deferred.clear()

    def post(self, kind: bytes, data: bytes) -> None:
        """Send text (`kind` is a stream) or a frame; blocks while the supervisor is behind.

        Raises
        ------
        KeyboardInterrupt
            If the job was interrupted meanwhile: not in the middle of a frame, but after it.
        """
        with self._lock:
            if self.busy:
                self._deferred.append((kind, data))
                return
            self.busy = True
            try:
                self._send(kind, data)
                while self._deferred:
                    self._send(*self._deferred.pop(0))
            finally:
                self.busy = False
        if self.interrupted:
            self.interrupted = False
            raise KeyboardInterrupt

    def event(self, body: Mapping[str, object]) -> None:
        """Send one event of the log, without its time and number."""
        self.post(_EVENT, to_json(body))

    def flush(self, kind: bytes) -> None:
        """Write the line begun, in a process that the cell forked; elsewhere nothing waits."""
        if self._lines[kind]:
            line, self._lines[kind] = self._lines[kind], b""
            _write_all(1 if kind == _TO_STDOUT else 2, line)

    def _send_lines(self, kind: bytes, data: bytes) -> None:
        # Whole lines, so that those of several workers do not mix.
        whole, newline, rest = (self._lines[kind] + data).rpartition(b"\n")
        self._lines[kind] = whole + newline
        self.flush(kind)
        self._lines[kind] = rest

    def _send(self, kind: bytes, data: bytes) -> None:
        is_text = kind in _SWITCH
        if self._detached:
            if is_text:
                self._send_lines(kind, data)
            return
        now = time.monotonic()
        if now - self._last > _QUIET_SECONDS and _bytes_below_python():
            # What a subprocess wrote before must come before what Python writes now.
            data = _HEAD.pack(_MARK, _DRAIN, 0) + (data if is_text else _HEAD.pack(_MARK, kind, len(data)) + data)
        elif not is_text:
            data = _HEAD.pack(_MARK, kind, len(data)) + data
        if is_text and kind != self._stream:
            self._stream = kind
            data = _SWITCH[kind] + data if data[:1] != b"\xff" else data[: _HEAD.size] + _SWITCH[kind] + data[6:]
        self._last = now
        _write_all(self.descriptor, data)


def _bytes_below_python() -> bool:
    import fcntl

    for descriptor in (1, 2):
        try:
            if fcntl.ioctl(descriptor, _FIONREAD, b"\0\0\0\0") != b"\0\0\0\0":
                return True
        except OSError:
            continue
    return False


def to_json(value: object) -> bytes:
    """Return strict JSON of anything: NaN becomes null, arrays lists, bytes base64, lone surrogates ``?``."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        text = json.dumps(_jsonable(value, 0), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


_DEEPEST = 200


def _jsonable(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        # Infinity and NaN differ from themselves when taken from themselves.
        return value if value - value == 0 else None
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _base64(value)
    return "…" if depth > _DEEPEST else _jsonable_whole(value, depth + 1)


def _jsonable_whole(value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        return {str(key): _jsonable(item, depth) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_jsonable(item, depth) for item in value]
    for method in ("tolist", "isoformat"):
        if hasattr(value, method):
            return _jsonable(getattr(value, method)(), depth)
    return str(value)


def _base64(data: bytes | bytearray | memoryview) -> str:
    import binascii

    return binascii.b2a_base64(data, newline=False).decode("ascii")


# ----------------------------------------------------------------------------------------------------
# Streams: sys.stdout and sys.stderr of the cell
# ----------------------------------------------------------------------------------------------------


class TextStream(io.TextIOBase):
    """``sys.stdout`` or ``sys.stderr``: every write goes out at once, so that a crash loses nothing."""

    def __init__(self, channel: Channel, kind: bytes) -> None:
        self._channel = channel
        self._kind = kind
        self.name = "<stdout>" if kind == _TO_STDOUT else "<stderr>"
        self.mode = "w"
        self.line_buffering = True
        self.write_through = True
        self.buffer = io.BufferedWriter(_ByteStream(self), 1)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Always UTF-8."""
        return "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        """What cannot be encoded is shown escaped instead of failing the cell."""
        return "backslashreplace"

    def write(self, text: str) -> int:
        """Send `text`; return its length."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if text:
            self._channel.post(self._kind, text.encode("utf-8", "backslashreplace"))
        return len(text)

    def fileno(self) -> int:
        """Return the descriptor below, for subprocesses and C code."""
        return 1 if self._kind == _TO_STDOUT else 2

    def writable(self) -> bool:
        """Return True."""
        return True

    def isatty(self) -> bool:
        """Return False: no terminal is there."""
        return False

    def flush(self) -> None:
        """Send what was written to ``.buffer``; text was sent when it was written."""
        if not self.buffer.closed:
            self.buffer.flush()
        self._channel.flush(self._kind)

    def reconfigure(self, **_: object) -> None:
        """Accept what ``io.TextIOWrapper`` accepts; there is nothing to choose."""

    def close(self) -> None:
        """Stay open: what comes later must not fail."""


class _ByteStream(io.RawIOBase):
    """``sys.stdout.buffer``: bytes join the text, decoded as they come."""

    def __init__(self, stream: TextStream) -> None:
        import codecs

        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, data: Any) -> int:
        self._stream.write(self._decoder.decode(bytes(data)))
        return memoryview(data).nbytes


# ----------------------------------------------------------------------------------------------------
# Displays
# ----------------------------------------------------------------------------------------------------

_LARGE_PART = 256 * 1024
_WIDGET = "application/vnd.jupyter.widget-view+json"
_REPR_METHODS = {
    "_repr_html_": "text/html",
    "_repr_markdown_": "text/markdown",
    "_repr_svg_": "image/svg+xml",
    "_repr_png_": "image/png",
    "_repr_jpeg_": "image/jpeg",
    "_repr_latex_": "text/latex",
    "_repr_json_": "application/json",
    "_repr_javascript_": "application/javascript",
    "_repr_pdf_": "application/pdf",
}


class Displays:
    """Makes display events of MIME bundles; large parts go to ``files/`` under their hash."""

    def __init__(self, channel: Channel, folder: str) -> None:
        self.channel = channel
        self._files = os.path.join(folder, "files")

    def send(
        self, kind: str, data: Mapping[str, object], metadata: Mapping[str, object] | None, **more: object
    ) -> None:
        """Send a ``display``, ``update_display`` or ``result`` event."""
        # A widget's model lives in this process, which no front end can reach.
        kept = {str(mime): part for mime, part in data.items() if mime != _WIDGET}
        if not kept:
            return
        if self.channel.detached:
            sys.stdout.write(f"{kept.get('text/plain', '')}\n")
            return
        parts = b",".join(to_json(mime) + b":" + self._part(mime, part) for mime, part in kept.items())
        rest = to_json({"metadata": metadata or {}, **more})
        self.channel.post(_EVENT, b'{"type":' + to_json(kind) + b',"data":{' + parts + b"}," + rest[1:])

    def clear(self, *, wait: bool) -> None:
        """Send a ``clear_output`` event."""
        self.channel.event({"type": "clear_output", "wait": bool(wait)})

    def _part(self, mime: str, part: object) -> bytes:
        encoded = to_json(part)
        if len(encoded) <= _LARGE_PART:
            return encoded
        is_text = isinstance(part, str)
        content = part.encode("utf-8", "replace") if isinstance(part, str) else encoded
        try:
            name = self._store(content)
        except OSError as error:
            sys.stderr.write(f"the {mime} part of an output ({len(content)} bytes) was not kept: {error}\n")
            return to_json("")
        return to_json({"$file": name, "encoding": "text" if is_text else "json"})

    def _store(self, content: bytes) -> str:
        import hashlib

        name = hashlib.sha256(content).hexdigest()
        path = os.path.join(self._files, name)
        if not os.path.exists(path):
            os.makedirs(self._files, mode=0o700, exist_ok=True)
            temporary = f"{path}.{os.getpid()}.tmp"
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                try:
                    _write_all(descriptor, content)
                finally:
                    os.close(descriptor)
                os.replace(temporary, path)
            except BaseException:
                _unlink(temporary)
                raise
        return name


def plain_bundle(value: object) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the MIME bundle of `value` and its metadata, as far as they can be made without IPython."""
    data: dict[str, Any] = {"text/plain": repr(value)}
    metadata: dict[str, Any] = {}
    kind = type(value)
    if hasattr(kind, "_repr_mimebundle_"):
        _merge(data, metadata, _called(value, "_repr_mimebundle_", include=None, exclude=None))
    for method, mime in _REPR_METHODS.items():
        if mime not in data and hasattr(kind, method):
            part = _called(value, method)
            if isinstance(part, tuple):
                part, metadata[mime] = part
            if part is not None:
                data[mime] = part
    return data, metadata


def _merge(data: dict[str, Any], metadata: dict[str, Any], bundle: Any) -> None:
    if isinstance(bundle, tuple):
        bundle, more = bundle
        metadata.update(more or {})
    data.update(bundle or {})


def _called(value: object, method: str, **arguments: object) -> Any:
    """Call a ``_repr_*_`` method; a failure is told and costs only this representation."""
    try:
        return getattr(value, method)(**arguments)
    except NotImplementedError:
        return None
    except Exception as error:
        sys.stderr.write(f"{type(value).__name__}.{method} failed: {_one_line(error)}\n")
        return None


class PlainHandle:
    """What ``display(…, display_id=…)`` returns where there is no IPython."""

    def __init__(self, displays: Displays, display_id: str) -> None:
        self._displays = displays
        self.display_id = display_id

    def display(self, value: object) -> None:
        """Show `value` once more under this id."""
        self._displays.send("display", *plain_bundle(value), display_id=self.display_id)

    def update(self, value: object) -> None:
        """Show `value` in place of what was shown."""
        self._displays.send("update_display", *plain_bundle(value), display_id=self.display_id)


def plain_display(displays: Displays, *values: Any, **options: Any) -> PlainHandle | None:
    """Do what IPython's ``display`` does, where there is no IPython."""
    display_id = options.get("display_id")
    if display_id is True:
        display_id = os.urandom(16).hex()
    for value in values:
        bundle = (value, {}) if options.get("raw") else plain_bundle(value)
        data, metadata = bundle[0], {**bundle[1], **(options.get("metadata") or {})}
        displays.send("display", data, metadata, display_id=display_id)
    return PlainHandle(displays, str(display_id)) if display_id else None


_SIMPLE = ("bool", "int", "float", "complex", "str", "bytes", "bytearray", "range")
_WIDTH = 79


def needs_rich_display(value: object) -> bool:
    """Tell whether IPython would show `value` otherwise than its ``repr``."""
    kind = type(value)
    if kind.__module__ == "builtins" and kind.__name__ in _SIMPLE:
        return False
    if isinstance(value, (list, tuple, dict, set, frozenset)):
        # It wraps what is longer than a line.
        return len(value) > _WIDTH or len(repr(value)) > _WIDTH
    if any(hasattr(kind, name) for name in (*_REPR_METHODS, "_repr_mimebundle_", "_ipython_display_")):
        return True
    own_repr = kind.__repr__ is not object.__repr__
    return kind.__module__.partition(".")[0] in ("builtins", "matplotlib", "PIL", "sympy") or not own_repr


# ----------------------------------------------------------------------------------------------------
# IPython, made when it is first needed
# ----------------------------------------------------------------------------------------------------


class Rich:
    """Shows values: through an IPython shell where one can be had and is needed, else plainly.

    The shell costs a fifth of a second, so a cell that only computes never makes one.
    """

    def __init__(self, displays: Displays, main: ModuleType) -> None:
        self.displays = displays
        self.shell: Any = None
        self._main = main
        self._making = False
        self.available = _find_module("IPython")

    def install(self) -> None:
        """Give the cell ``display``, ``get_ipython`` (if IPython is there) and an ``input`` that says why not."""
        import builtins

        builtins.__dict__["display"] = self._display
        if self.available:
            builtins.__dict__["get_ipython"] = self._get_ipython
        builtins.input = _no_input

    def ensure(self) -> Any:
        """Return the shell, made now if need be; None where there is no IPython or it is being made."""
        if self.shell is None and self.available and not self._making:
            self._making = True
            try:
                self.shell = make_shell(self.displays, self._main)
            finally:
                self._making = False
            import builtins

            from IPython.display import display

            builtins.__dict__["display"] = display
            builtins.__dict__["get_ipython"] = self.shell.get_ipython
            builtins.input = _no_input
        return self.shell

    def _display(self, *values: Any, **options: Any) -> Any:
        if self.ensure() is None:
            return plain_display(self.displays, *values, **options)
        import IPython.display

        show: Callable[..., Any] = IPython.display.display
        return show(*values, **options)

    def _get_ipython(self) -> Any:
        return self.ensure()

    def result(self, value: object) -> None:
        """Send the value of the cell's last expression."""
        shell = self.shell or (self.ensure() if needs_rich_display(value) else None)
        bundle = plain_bundle(value) if shell is None else shell.display_formatter.format(value)
        self.displays.send("result", *bundle)

    def finish(self) -> None:
        """Do what a notebook does after a cell: show the figures that are open and close them."""
        if self.shell is not None:
            self.shell.events.trigger("post_execute")
        figures = sys.modules.get("matplotlib._pylab_helpers")
        if self.shell is not None or figures is None:
            return
        for manager in figures.Gcf.get_all_fig_managers():
            content = io.BytesIO()
            manager.canvas.figure.savefig(content, format="png", bbox_inches="tight")
            data = {"text/plain": repr(manager.canvas.figure), "image/png": content.getvalue()}
            self.displays.send("display", data, {}, display_id=None)
        figures.Gcf.destroy_all()


def _no_input(prompt: object = "") -> NoReturn:
    raise EOFError(
        f"input({str(prompt)!r}) was called in a job, where nobody can answer. "
        "Put the value into a variable before the cell is submitted."
    )


def make_shell(displays: Displays, main: ModuleType) -> Any:
    """Make an IPython shell around the cell's namespace: its displays are our events, and it remembers nothing."""
    import atexit
    import tempfile

    from IPython.core.profiledir import ProfileDir
    from traitlets.config import Config

    folder = tempfile.TemporaryDirectory(prefix="gcs_lab-")
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "NoColor" if _ipython_major() < 9 else "nocolor"  # noqa: PLR2004
    config.InteractiveShell.display_page = True
    profile_class: Any = ProfileDir
    shell = _shell_class(displays).instance(
        config=config,
        ipython_dir=folder.name,
        profile_dir=profile_class.create_profile_dir(folder.name),
        user_module=main,
        user_ns=main.__dict__,
    )
    atexit.register(_clean_up_in, os.getpid(), folder)
    # Both would serve a person at a keyboard.
    sys.excepthook = sys.__excepthook__
    for name in ("exit", "quit"):
        main.__dict__.pop(name, None)
    return shell


def _shell_class(displays: Displays) -> Any:
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell

    class Publisher(DisplayPublisher):
        def publish(  # type: ignore[override,unused-ignore]
            self,
            data: dict[str, Any],
            metadata: dict[str, Any] | None = None,
            *_: object,
            transient: dict[str, Any] | None = None,
            update: bool = False,
            **__: object,
        ) -> None:
            display_id = (transient or {}).get("display_id")
            displays.send("update_display" if update else "display", data, metadata, display_id=display_id)

        def clear_output(self, wait: bool = False) -> None:
            displays.clear(wait=wait)

    class Hook(DisplayHook):
        def __call__(self, result: object = None) -> None:
            if result is not None:
                shell: Any = self.shell
                displays.send("result", *shell.display_formatter.format(result))

    class JobShell(InteractiveShell):
        def init_virtualenv(self) -> None:
            """Leave sys.path as the cell's."""

        def enable_gui(self, gui: object = None) -> None:
            """Do nothing: a job has no event loop of a window system."""

        def ask_exit(self) -> None:
            """Do nothing: the cell ends when its code does."""

    shell_class: Any = JobShell
    shell_class.displayhook_class = Hook
    shell_class.display_pub_class = Publisher
    return shell_class


def _clean_up_in(pid: int, folder: Any) -> None:
    # A process that the cell forked leaves through here too, and must not take the folder away.
    if os.getpid() == pid:
        folder.cleanup()


def _ipython_major() -> int:
    import IPython

    return int(IPython.version_info[0])


def _find_module(name: str) -> bool:
    from importlib.machinery import PathFinder

    return PathFinder.find_spec(name) is not None


# ----------------------------------------------------------------------------------------------------
# Imports that want something done: IPython, matplotlib, plotly, tqdm
# ----------------------------------------------------------------------------------------------------


class ImportWatch:
    """A finder that acts when the cell, or what it unpickles, imports a library that shows things."""

    def __init__(self, rich: Rich, progress: ProgressBars) -> None:
        self._rich = rich
        self._before: dict[str, Callable[[], object]] = {"matplotlib": _choose_backend, "plotly": rich.ensure}
        self._after: dict[str, Callable[[], object]] = {
            "IPython": rich.ensure,
            "tqdm.std": progress.watch,
            "tqdm.notebook": progress.use_text_bars,
        }

    def find_spec(self, name: str, path: Sequence[str] | None = None, _: object = None) -> ModuleSpec | None:
        """Act on `name` (``importlib.abc.MetaPathFinder``); return None to let the usual finders find it."""
        before = self._before.pop(name, None)
        if before is not None:
            before()
        after = self._after.pop(name, None)
        if after is None:
            return None
        from importlib.machinery import PathFinder

        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            _call_after_loading(spec.loader, after)
        return spec


def _call_after_loading(loader: Any, after: Callable[[], object]) -> None:
    execute = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        execute(module)
        after()

    loader.exec_module = exec_module


def _choose_backend() -> None:
    """Let figures show inline where that can be; a backend that is not installed here would fail the import."""
    inline = _find_module("matplotlib_inline") and _find_module("IPython")
    chosen = os.environ.get("MPLBACKEND", "")
    if inline and not chosen:
        os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    elif not inline and (not chosen or "inline" in chosen):
        os.environ["MPLBACKEND"] = "agg"


class ProgressBars:
    """Tells the state of tqdm's bars as events, at most ten a second for each bar, beside their text."""

    _EVERY = 0.1

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._count = 0

    def watch(self) -> None:
        """Watch the bars of ``tqdm.std.tqdm``, from which all text bars derive."""
        bar_class: Any = sys.modules["tqdm.std"].tqdm
        refresh, close = bar_class.refresh, bar_class.close

        def refresh_and_tell(bar: Any, *args: Any, **kwargs: Any) -> Any:
            self._tell(bar, done=False)
            return refresh(bar, *args, **kwargs)

        def close_and_tell(bar: Any) -> Any:
            self._tell(bar, done=True)
            return close(bar)

        bar_class.refresh, bar_class.close = refresh_and_tell, close_and_tell

    @staticmethod
    def use_text_bars() -> None:
        """Replace the widget bars of ``tqdm.notebook``: no front end could reach their widgets."""
        notebook: Any = sys.modules["tqdm.notebook"]
        std: Any = sys.modules["tqdm.std"]
        notebook.tqdm = notebook.tqdm_notebook = std.tqdm
        notebook.trange = notebook.tnrange = std.trange

    def _tell(self, bar: Any, *, done: bool) -> None:
        told = getattr(bar, "_gcs_told", None)
        now = time.monotonic()
        if getattr(bar, "disable", True) or self._channel.detached:
            return
        if told is None:
            self._count += 1
            told = bar._gcs_told = {"id": f"{os.getpid()}-{self._count}", "at": 0.0, "done": False}  # noqa: SLF001
        if told["done"] or (not done and now - told["at"] < self._EVERY):
            return
        told["at"], told["done"] = now, done
        event = {"type": "progress", "id": told["id"], "n": bar.n, "total": bar.total, "done": done}
        self._channel.event({**event, "desc": (bar.desc or "").removesuffix(": "), "unit": bar.unit})


# ----------------------------------------------------------------------------------------------------
# Errors
# ----------------------------------------------------------------------------------------------------

_FRAMES_KEPT = 100
_CAUSES_KEPT = 10
_LONGEST_TEXT = 20_000


class ErrorReport:
    """Describes exceptions as the log does: without our frames, the cell under its display name.

    Parameters
    ----------
    cells
        File names of cells, with what to call them.
    """

    def __init__(self, cells: Mapping[str, str]) -> None:
        self._cells = cells

    def body(self, error: BaseException, *, payload: bool = False, depth: int = 0) -> dict[str, Any]:
        """Return the keys of an ``error`` event (without ``type``)."""
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return {
            "ename": type(error).__name__,
            "evalue": _message(error),
            "frames": self._frames(error),
            "traceback": self._lines(error, chain=depth == 0),
            "notes": [str(note) for note in getattr(error, "__notes__", None) or ()],
            "payload": payload,
            "cause": self.body(cause, depth=depth + 1) if cause is not None and depth < _CAUSES_KEPT else None,
            "missing_module": error.name if isinstance(error, ModuleNotFoundError) else None,
        }

    def _frames(self, error: BaseException) -> list[dict[str, Any]]:
        frames = _frames_of_others(error.__traceback__)
        if len(frames) > 2 * _FRAMES_KEPT:
            frames = frames[:_FRAMES_KEPT] + frames[-_FRAMES_KEPT:]
        described = [self._frame(*frame) for frame in frames]
        if isinstance(error, SyntaxError) and error.filename:
            described.append(self._frame(error.filename, error.lineno or 1, "<module>", 1))
        return described

    def _frame(self, filename: str, lineno: int, name: str, firstlineno: int) -> dict[str, Any]:
        import linecache

        return {
            "filename": filename,
            "lineno": lineno,
            "firstlineno": firstlineno,
            "name": name,
            "line": linecache.getline(filename, lineno).strip(),
            "cell": filename in self._cells,
        }

    def _lines(self, error: BaseException, *, chain: bool) -> list[str]:
        import traceback

        try:
            described = traceback.TracebackException(type(error), error, error.__traceback__)
            _drop_our_frames(described, set())
            lines = "".join(described.format(chain=chain)).splitlines()
        except Exception:
            return [_one_line(error)]
        return [_shortened(self._renamed(line)) for line in lines]

    def _renamed(self, line: str) -> str:
        for filename, name in self._cells.items():
            line = line.replace(f'File "{filename}", line ', f"{name}, line ")
        return line


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}… ({len(text)} characters)"


def _message(error: BaseException) -> str:
    try:
        return _shortened(str(error))
    except Exception as failure:
        return f"(its message cannot be shown: {type(failure).__name__})"


#: This file as tracebacks name it.
_OURS = check_trusted.__code__.co_filename


def _is_wanted(filenames: Sequence[str]) -> list[bool]:
    """Tell which frames to show: none of ours, nor those of asyncio by which we start a cell that awaits."""
    wanted = [filename != _OURS for filename in filenames]
    asyncio = getattr(sys.modules.get("asyncio"), "__file__", None)
    if filenames and filenames[0] == _OURS and asyncio:
        for place, filename in enumerate(filenames):
            if filename != _OURS and os.path.dirname(filename) != os.path.dirname(asyncio):
                break
            wanted[place] = False
    return wanted


def _frames_of_others(trace: TracebackType | None) -> list[tuple[str, int, str, int]]:
    frames = []
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append((code.co_filename, trace.tb_lineno, code.co_name, code.co_firstlineno))
        trace = trace.tb_next
    return list(itertools.compress(frames, _is_wanted([frame[0] for frame in frames])))


def _drop_our_frames(described: Any, seen: set[int]) -> None:
    if described is None or id(described) in seen:
        return
    seen.add(id(described))
    wanted = _is_wanted([frame.filename for frame in described.stack])
    described.stack[:] = list(itertools.compress(described.stack, wanted))
    for other in (described.__cause__, described.__context__, *(getattr(described, "exceptions", None) or ())):
        _drop_our_frames(other, seen)


def write_exception(path: str, error: BaseException, by_value: Sequence[str]) -> bool:
    """Pickle the exception if it comes back as the same type; return whether the file is there."""
    _unlink(path)
    try:
        pickled = pickle_values({"exception": error}, by_value)
        back = pickle.loads(pickled.data, buffers=pickled.buffers)["exception"]
        if type(back).__qualname__ != type(error).__qualname__:
            return False
        write_pickled(path, ["exception"], pickled, {}, {})
    except Exception:
        return False
    return True


# ----------------------------------------------------------------------------------------------------
# The cell
# ----------------------------------------------------------------------------------------------------

_RESERVE_BYTES = 16 << 20
_PR_SET_PDEATHSIG = 1
_CO_COROUTINE = 0x80


class Cell:
    """Runs one cell in the child process.

    Parameters
    ----------
    folder
        The job folder, absolute.
    spec
        What ``spec.json`` says.
    channel
        Where everything is told.
    """

    def __init__(self, folder: str, spec: dict[str, Any], channel: Channel) -> None:
        self._folder = folder
        self._spec = spec
        self._channel = channel
        self._filename = str(spec["filename"])
        self._by_value: list[str] = list(spec.get("notebook_modules") or ())
        self._main: ModuleType = type(sys)("__main__")
        self._namespace: dict[str, Any] = self._main.__dict__
        # Functions that came along from other cells have their lines shown too.
        self._sources = {**(spec.get("sources") or {}), self._filename: [spec["display_name"], spec["source"]]}
        self._cells = {filename: str(name) for filename, (name, _) in self._sources.items()}
        self._report = ErrorReport(self._cells)
        self._rich: Rich | None = None
        self._loop: Any = None
        self._reserve = _reserve_memory()
        self._pid = os.getpid()

    def run(self) -> int:
        """Run it, send back what it leaves, and return the exit status."""
        reason, status = "done", 0
        try:
            self._prepare()
            self._execute()
        except SystemExit as leaving:
            reason, status = "exit", _exit_status(leaving)
        except BaseException as error:  # an interrupt is an outcome like any other
            reason, status = "error", 1
            self._tell_error(error)
        if self._channel.detached:
            # A process that the cell forked and that came out of the cell's end; the cell itself goes on elsewhere.
            return status
        reason, status = self._finish(reason, status)
        self._channel.post(_END, to_json({"reason": reason, **_peaks()}))
        return status

    def _finish(self, reason: str, status: int) -> tuple[str, int]:
        steps: list[Callable[[], object]] = [
            self._close_loop,
            self._show_figures,
            lambda: self._send_outputs(strict=status == 0),
        ]
        for step in steps:
            try:
                step()
            except BaseException as error:
                self._tell_error(error)
                lost = isinstance(error, OSError) and step is steps[-1]
                reason, status = "error", status or (EXIT_OUTPUT_LOST if lost else 1)
        return reason, status

    def _prepare(self) -> None:
        spec = self._spec
        os.chdir(spec["cwd"])
        sys.path[:] = [
            entry for entry in sys.path if os.path.realpath(entry or ".") != os.path.realpath(self._folder)
        ]
        extra = [entry for entry in spec.get("sys_path") or () if os.path.exists(entry) and entry not in sys.path]
        own_cloudpickle = os.path.join(self._folder, "cloudpickle.zip")
        sys.path[:] = [
            spec["cwd"],
            *sys.path,
            *extra,
            *([own_cloudpickle] if os.path.exists(own_cloudpickle) else []),
        ]
        self._namespace["__builtins__"] = __import__("builtins")
        # Our own module must live on: its functions still run.
        self._ours = sys.modules["__main__"]
        sys.modules["__main__"] = self._main
        self._register_sources()
        displays = Displays(self._channel, self._folder)
        self._rich = Rich(displays, self._main)
        self._rich.install()
        sys.meta_path.insert(0, ImportWatch(self._rich, ProgressBars(self._channel)))
        if spec.get("shell") and self._rich.ensure() is None:
            raise ModuleNotFoundError(
                f"the cell uses magics or !commands, which need IPython, and {sys.executable} has none. "
                "Install ipython there, name another Python for the job, or write the cell without them.",
                name="IPython",
            )
        self._bind()

    def _register_sources(self) -> None:
        import linecache
        import warnings

        for filename, (_, source) in self._sources.items():
            linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        shown, names = warnings.formatwarning, self._cells

        def formatwarning(message: Any, category: Any, filename: str, lineno: int, line: str | None = None) -> str:
            line = linecache.getline(filename, lineno) if line is None else line
            return shown(message, category, names.get(filename, filename), lineno, line)

        warnings.formatwarning = formatwarning

    def _bind(self) -> None:
        import importlib

        for name, module in (self._spec.get("imports") or {}).items():
            self._namespace[name] = importlib.import_module(module)
        if self._spec.get("inputs"):
            values, header = read_payload(os.path.join(self._folder, "inputs.payload"))
            self._namespace.update(values)
            for name, module in header["modules"].items():
                self._namespace[name] = importlib.import_module(module)

    def _execute(self) -> None:
        import ast

        source = self._spec["source"]
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        tree = compile(source, self._filename, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        self._evaluate(compile(tree, self._filename, "exec", flags, dont_inherit=True))
        if last is None:
            return
        value = self._evaluate(compile(ast.Expression(last.value), self._filename, "eval", flags, dont_inherit=True))
        if value is not None and self._rich is not None and not ends_with_semicolon(source):
            self._namespace["_"] = value
            try:
                self._rich.result(value)
            except Exception as error:
                # As in a notebook: what cannot be shown does not make the cell fail.
                sys.stderr.write("".join(f"{line}\n" for line in self._report.body(error)["traceback"]))

    def _evaluate(self, code: CodeType) -> Any:
        value = eval(code, self._namespace)  # noqa: S307  (running the user's code is what this is for)
        if not code.co_flags & _CO_COROUTINE:
            return value
        if self._loop is None:
            import asyncio

            self._loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self._loop)
        return self._loop.run_until_complete(value)

    def _close_loop(self) -> None:
        if self._loop is None:
            return
        import asyncio

        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        asyncio.set_event_loop(None)
        self._loop.close()

    def _show_figures(self) -> None:
        if self._rich is not None:
            self._rich.finish()

    def _tell_error(self, error: BaseException) -> None:
        if isinstance(error, MemoryError):
            self._reserve = None
        try:
            path = os.path.join(self._folder, "exception.payload")
            body = self._report.body(error, payload=write_exception(path, error, self._by_value))
        except Exception:
            body = {"ename": type(error).__name__, "evalue": _message(error), "frames": [], "traceback": []}
            body.update(notes=[], payload=False, cause=None, missing_module=None)
        self._channel.event({"type": "error", **body})

    def _send_outputs(self, *, strict: bool) -> None:
        spec, explicit = self._spec, self._spec.get("explicit_outputs") or []
        wanted = list(dict.fromkeys([*(spec.get("outputs") or []), *explicit]))
        bound = {name: self._namespace[name] for name in wanted if name in self._namespace}
        modules = {name: value.__name__ for name, value in bound.items() if isinstance(value, type(sys))}
        values = {name: value for name, value in bound.items() if name not in modules}
        good, pickled, skipped = pickle_what_can_be(values, self._by_value)
        missing = [name for name in wanted if name not in bound]
        path = os.path.join(self._folder, "outputs.payload")
        write_pickled(path, list(good), pickled, modules, {"skipped": skipped, "missing": missing})
        told = {"names": [*good, *modules], "missing": missing, "skipped": skipped}
        self._channel.event({"type": "outputs", **told, "bytes": os.stat(path).st_size})
        if strict:
            _insist_on(explicit, skipped, missing)


def _insist_on(explicit: Iterable[str], skipped: Mapping[str, Mapping[str, str]], missing: Iterable[str]) -> None:
    absent = [name for name in explicit if name in set(missing)]
    if absent:
        raise NameError(f"the cell was to leave {', '.join(absent)}, and never bound it. Name what it does bind.")
    refused = [name for name in explicit if name in skipped]
    if refused:
        name = refused[0]
        raise pickle.PicklingError(
            f"the cell was to send back {name!r}, a {skipped[name]['type']} that cannot be pickled: "
            f"{skipped[name]['why']}. Leave something that can be, or write it to a file."
        )


def ends_with_semicolon(source: str) -> bool:
    """Tell whether the last token is ``;``, by which a notebook keeps a value from being shown."""
    if ";" not in source:
        return False
    import tokenize

    blank = (tokenize.ENDMARKER, tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.DEDENT)
    tokens = [t for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type not in blank]
    return tokens[-1].string == ";"


def _exit_status(leaving: SystemExit) -> int:
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code & 0xFF
    sys.stderr.write(f"{leaving.code}\n")
    return 1


def _reserve_memory() -> Any:
    """Return untouched address space that is given up when memory runs out, so that this can still be told."""
    import mmap

    try:
        return mmap.mmap(-1, _RESERVE_BYTES)
    except (OSError, ValueError):
        return None


def _peaks() -> dict[str, int]:
    peaks = _status_bytes(os.getpid())
    return {"max_rss": peaks.get("VmHWM", 0), "max_vmem": peaks.get("VmPeak", 0)}


def run_child(folder: str, spec: dict[str, Any], pipes: Pipes, supervisor: int) -> int:
    """Turn this process, just forked, into the one that runs the cell; return its exit status."""
    channel = Channel(pipes.channel[1])
    wake = signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, *FORWARDED):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, _Interrupt(channel))
    os.dup2(pipes.stdout[1], 1)
    os.dup2(pipes.stderr[1], 2)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    for descriptor in {*pipes.all(), nothing, wake} - {0, 1, 2, channel.descriptor}:
        if descriptor >= 0:
            os.close(descriptor)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  (it lives as long as the process)
    sys.stdout = sys.__stdout__ = TextStream(channel, _TO_STDOUT)  # type: ignore[misc,assignment]
    sys.stderr = sys.__stderr__ = TextStream(channel, _TO_STDERR)  # type: ignore[misc,assignment]
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD, *FORWARDED})
    _die_with(supervisor)
    import faulthandler

    # After a crash in C code the log shows which Python line was running.
    faulthandler.enable(file=2)
    return Cell(folder, spec, channel).run()


class _Interrupt:
    """Raises KeyboardInterrupt once, even if a signal reaches the job both from its group and from the supervisor."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._last = float("-inf")

    def __call__(self, _: int, __: FrameType | None) -> None:
        now = time.monotonic()
        if now - self._last < 1.0:
            return
        self._last = now
        if self._channel.busy:
            self._channel.interrupted = True
        else:
            raise KeyboardInterrupt


def _die_with(supervisor: int) -> None:
    """Have the kernel kill this process when the supervisor dies: nobody would read its output any more."""
    if sys.platform != "linux":
        return
    try:
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        return
    if os.getppid() != supervisor:
        os._exit(128 + signal.SIGKILL)


# ----------------------------------------------------------------------------------------------------
# The log
# ----------------------------------------------------------------------------------------------------

_BACKLOG_BYTES = 4 << 20
_RETRY_SECONDS = 1.0
_TAIL_BYTES = 1 << 20
_PREFIX = rb'\{"seq":(\d+),"t":[0-9.]+,"type":"'


class EventWriter:
    """Appends events to the log, one write a line, and bears with a disk that is full or gone.

    What cannot be written is kept, up to 4 MiB, and tried again each second; what is beyond that is counted.
    """

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, "events.jsonl")
        self._descriptor: int | None = None
        self._torn = False
        self._backlog: list[bytes] = []
        self._backlog_bytes = 0
        self._lost = 0
        self._retry_at = 0.0
        self.seq = 0
        self.tries = 0
        self.failure: OSError | None = None
        try:
            self._open()
        except OSError as error:
            self._fail(error)

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        self._descriptor = os.open(self._path, flags, 0o600)
        if not self.seq and os.fstat(self._descriptor).st_size:
            self._continue_earlier()

    def _continue_earlier(self) -> None:
        """Find the number reached by an earlier try of this job, and how many there were."""
        import re

        with open(self._path, "rb") as file:
            started, last, line = re.compile(_PREFIX + b"started"), re.compile(_PREFIX), b""
            for line in file:
                found = last.match(line)
                if found and line.endswith(b"\n"):
                    self.seq = int(found.group(1)) + 1
                    self.tries += started.match(line) is not None
            self._torn = not line.endswith(b"\n")

    def write(self, body: bytes) -> None:
        """Append one event; `body` is its JSON object without number and time."""
        stamped = b'"t":%.6f,' % time.time() + body[1:]
        if self._backlog or self._descriptor is None:
            self._keep(stamped)
            self.retry()
        elif not self._append(stamped):
            self._keep(stamped)

    def event(self, kind: str, **keys: object) -> None:
        """Append an event of the supervisor's own."""
        self.write(to_json({"type": kind, **keys}))

    def _append(self, stamped: bytes) -> bool:
        line = b'{"seq":%d,' % self.seq + stamped + b"\n"
        # A line that was cut short is ended first, so that it can only hurt itself.
        line = b"\n" + line if self._torn else line
        try:
            count = os.write(self._descriptor, line) if self._descriptor is not None else 0
        except OSError as error:
            self._fail(error)
            return False
        if count < len(line):
            self._torn = self._torn or count > 0
            self._fail(OSError(28, "only part of a line could be written"))
            return False
        self._torn = False
        self.seq += 1
        return True

    def _keep(self, stamped: bytes) -> None:
        if self._backlog_bytes + len(stamped) <= _BACKLOG_BYTES or not self._backlog:
            self._backlog.append(stamped)
            self._backlog_bytes += len(stamped)
        else:
            self._lost += 1

    def _fail(self, error: OSError) -> None:
        if self.failure is None:
            say(f"the event log {self._path} cannot be written: {error}. The cell goes on; it is tried again.")
        self.failure = error
        self._retry_at = time.monotonic() + _RETRY_SECONDS

    def check(self) -> None:
        """Notice that the log was deleted under the running job: writes to it would go nowhere without an error."""
        if self._descriptor is None:
            return
        try:
            gone = os.fstat(self._descriptor).st_nlink == 0
        except OSError:
            gone = True
        if gone:
            os.close(self._descriptor)
            self._descriptor = None
            self._fail(FileNotFoundError(2, "it was deleted"))

    def retry(self, *, now: bool = False) -> None:
        """Write what was kept, if a second has passed since it failed (or `now`)."""
        if self.failure is None or (not now and time.monotonic() < self._retry_at):
            return
        try:
            if self._descriptor is None:
                self._open()
        except OSError as error:
            self._fail(error)
            return
        while self._backlog:
            if not self._append(self._backlog[0]):
                return
            self._backlog_bytes -= len(self._backlog.pop(0))
        self.failure = None
        if self._lost:
            text = f"\n[{self._lost} events were lost while the event log could not be written]\n"
            self._lost = 0
            self.event("stream", name="stderr", text=text)


def say(text: str) -> None:
    """Tell the scheduler's own stderr file."""
    try:
        _write_all(2, f"gcs_lab: {text}\n".encode("utf-8", "backslashreplace"))
    except OSError:
        return


_MERGE_SECONDS = 0.05
_PARTIAL_SECONDS = 0.005
_MERGE_CHARACTERS = 1 << 16


class StreamMerger:
    """Gathers text into stream events: the first after a pause at once, then one each 50 ms or 64 Ki characters."""

    def __init__(self, log: EventWriter) -> None:
        self._log = log
        self._name = ""
        self._pieces: list[str] = []
        self._size = 0
        self._due = 0.0

    @property
    def due(self) -> float | None:
        """Monotonic time at which :meth:`flush` must be called; None: nothing waits."""
        return self._due if self._pieces else None

    def add(self, name: str, text: str) -> None:
        """Take text of a stream."""
        if not text:
            return
        if name != self._name:
            self.flush()
            self._name = name
        self._pieces.append(text)
        self._size += len(text)
        if self._size >= _MERGE_CHARACTERS:
            self._send_full_events()
        now = time.monotonic()
        if self._pieces and now >= self._due:
            if text.endswith("\n") or self._size > len(text):
                self.flush()
            else:
                # `print(a, b)` writes four times: what begins a line waits a moment for its rest.
                self._due = now + _PARTIAL_SECONDS

    def flush(self) -> None:
        """Write what waits."""
        if self._pieces:
            self._send("".join(self._pieces))
            self._pieces, self._size = [], 0

    def _send_full_events(self) -> None:
        text = "".join(self._pieces)
        whole = len(text) // _MERGE_CHARACTERS * _MERGE_CHARACTERS
        for start in range(0, whole, _MERGE_CHARACTERS):
            self._send(text[start : start + _MERGE_CHARACTERS])
        rest = text[whole:]
        self._pieces, self._size = ([rest] if rest else []), len(rest)

    def _send(self, text: str) -> None:
        self._log.event("stream", name=self._name, text=text)
        self._due = time.monotonic() + _MERGE_SECONDS


# ----------------------------------------------------------------------------------------------------
# The supervisor
# ----------------------------------------------------------------------------------------------------

#: Passed on to the cell. After SIGTERM and SIGXCPU, which mean "end", the cell has some seconds before it is killed.
FORWARDED = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGXCPU,
    signal.SIGHUP,
    signal.SIGQUIT,
)
_ENDING = (signal.SIGTERM, signal.SIGXCPU)
_GRACE_SECONDS = 10.0
_SAMPLE_SECONDS = 1.0
_READ_BYTES = 1 << 18
_FEW_BYTES = 1 << 16
_REST_SECONDS = 0.0005
_LAST_WORDS_BYTES = 16 << 20


class Pipes:
    """The three pipes between child and supervisor; read end first."""

    def __init__(self) -> None:
        self.channel, self.stdout, self.stderr = os.pipe(), os.pipe(), os.pipe()

    def all(self) -> list[int]:
        """Return all six descriptors."""
        return [*self.channel, *self.stdout, *self.stderr]

    def keep_read_ends(self) -> None:
        """Close the child's ends, and make ours not block; a roomier channel lets bursts through."""
        import fcntl

        for read, write in (self.channel, self.stdout, self.stderr):
            os.close(write)
            os.set_blocking(read, False)
        try:
            fcntl.fcntl(self.channel[0], getattr(fcntl, "F_SETPIPE_SZ", 1031), 1 << 20)
        except OSError:
            return


class FrameReader:
    """Takes the channel's bytes apart."""

    def __init__(self, on_text: Callable[[str, bytes], None], on_frame: Callable[[bytes, bytes], None]) -> None:
        self._on_text = on_text
        self._on_frame = on_frame
        self._stream = "stdout"
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take the next bytes; text and whole frames are handed on in order."""
        data, start = self._rest + data if self._rest else data, 0
        while start < len(data):
            mark = data.find(_MARK, start)
            if mark != start:
                end = mark if mark >= 0 else len(data)
                self._on_text(self._stream, data[start:end])
                start = end
                continue
            if len(data) - start < _HEAD.size:
                break
            _, kind, size = _HEAD.unpack_from(data, start)
            if len(data) - start - _HEAD.size < size:
                break
            start += _HEAD.size
            self._take(kind, data[start : start + size])
            start += size
        self._rest = data[start:]

    def _take(self, kind: bytes, content: bytes) -> None:
        if kind in _SWITCH:
            self._stream = "stdout" if kind == _TO_STDOUT else "stderr"
        else:
            self._on_frame(kind, content)


class Usage:
    """What the process tree of this supervisor uses: seconds and bytes (Linux: ``proc(5)``; else ``getrusage``)."""

    def __init__(self) -> None:
        self.cpu = 0.0
        self.max_rss = 0
        self.max_vmem = 0

    def sample(self, child: int) -> dict[str, float]:
        """Measure now, and remember the peaks."""
        if sys.platform == "linux":
            cpu, rss, vmem = _tree_usage(os.getpid())
            peaks = _status_bytes(child)
            self.note(max(rss, peaks.get("VmHWM", 0)), max(vmem, peaks.get("VmPeak", 0)))
        else:
            cpu, rss, vmem = cpu_seconds(), _max_rss_of_ended(), 0
            self.note(rss, 0)
        self.cpu = max(self.cpu, cpu)
        return {
            "cpu": round(self.cpu, 3),
            "rss": rss,
            "vmem": vmem,
            "max_rss": self.max_rss,
            "max_vmem": self.max_vmem,
        }

    def note(self, rss: int, vmem: int) -> None:
        """Remember peaks that were measured elsewhere."""
        self.max_rss, self.max_vmem = max(self.max_rss, rss), max(self.max_vmem, vmem)


def _tree_usage(root: int) -> tuple[float, int, int]:
    ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    cpu, rss, vmem, todo = 0, 0, 0, [root]
    while todo:
        pid = todo.pop()
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                    todo += [int(number) for number in file.read().split()]
        except OSError:
            # It has ended meanwhile.
            continue
        # proc(5), counted from the state: utime, stime, cutime and cstime; vsize; rss in pages.
        cpu += sum(int(field) for field in fields[11:15])
        vmem += int(fields[20])
        rss += int(fields[21]) * page
    return cpu / ticks, rss, vmem


def _status_bytes(pid: int) -> dict[str, int]:
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            lines = [line.split() for line in file if line.startswith((b"VmHWM", b"VmPeak"))]
    except OSError:
        return {}
    return {line[0].decode().rstrip(":"): int(line[1]) * 1024 for line in lines}


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _max_rss_of_ended() -> int:
    import resource

    # getrusage(2) counts kibibytes on Linux and bytes on macOS.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit


class Supervisor:
    """Reads what the child says, writes the log, and tells how it ended.

    Parameters
    ----------
    spec
        What ``spec.json`` says.
    log
        The event log.
    """

    def __init__(self, spec: dict[str, Any], log: EventWriter) -> None:
        import codecs

        self._log = log
        self._merger = StreamMerger(log)
        self._usage = Usage()
        self._beat_seconds = float(spec.get("heartbeat_seconds") or 5.0)
        self._grace_seconds = float(spec.get("grace_seconds") or _GRACE_SECONDS)
        self._started = time.monotonic()
        self._reader = FrameReader(self._on_text, self._on_frame)
        new_decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {name: new_decoder("replace") for name in ("channel", "stdout", "stderr")}
        self.pipes = Pipes()
        self._wake = os.pipe()
        self._child = 0
        self._status: int | None = None
        self._end: dict[str, Any] = {}
        self._kill_at = float("inf")
        self._beat_at = self._started + self._beat_seconds
        self._sample_at = self._started + min(_SAMPLE_SECONDS, self._beat_seconds)

    def fork(self) -> bool:
        """Make the child; return True in it. Signals wait there until it has put its own handlers in place.

        Raises
        ------
        OSError
            If no process can be made.
        """
        for descriptor in self._wake:
            os.set_blocking(descriptor, False)
        watched = {signal.SIGCHLD, *FORWARDED}
        signal.pthread_sigmask(signal.SIG_BLOCK, watched)
        try:
            for number in watched:
                # nohup's wish to live on is kept.
                if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                    signal.signal(number, _only_wake_up)
            signal.set_wakeup_fd(self._wake[1], warn_on_full_buffer=False)
            self._child = os.fork()
        except OSError:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, watched)
            raise
        if not self._child:
            return True
        signal.pthread_sigmask(signal.SIG_UNBLOCK, watched)
        self.pipes.keep_read_ends()
        return False

    def supervise(self) -> int:
        """Serve the child until it has ended; return the job's exit status."""
        import select

        poll = select.poll()
        sources = {
            self.pipes.channel[0]: "channel",
            self.pipes.stdout[0]: "stdout",
            self.pipes.stderr[0]: "stderr",
        }
        for descriptor in (*sources, self._wake[0]):
            poll.register(descriptor, select.POLLIN)
        while self._status is None:
            ready = {descriptor for descriptor, _ in poll.poll(self._timeout() * 1000)}
            few = True
            # The channel is always read first: what Python printed came before what a subprocess prints.
            for descriptor, name in list(sources.items()):
                data = self._read(descriptor, name) if descriptor in ready else None
                few = few and len(data or b"") < _FEW_BYTES
                if data == b"":
                    poll.unregister(descriptor)
                    del sources[descriptor]
            if self._wake[0] in ready:
                self._take_signals()
            self._do_what_is_due()
            if few and self._status is None:
                # Being woken for every line would cost the cell more than printing it.
                time.sleep(_REST_SECONDS)
        self._hear_last_words(sources)
        return self._finish(self._status)

    def _timeout(self) -> float:
        due = [self._beat_at, self._sample_at, self._kill_at]
        if self._merger.due is not None:
            due.append(self._merger.due)
        if self._log.failure is not None:
            due.append(time.monotonic() + _RETRY_SECONDS)
        return max(0.0, min(due) - time.monotonic())

    def _read(self, descriptor: int, name: str) -> bytes | None:
        """Read once; return what came, ``b""`` at the end of the pipe, None if nothing is there."""
        try:
            data = os.read(descriptor, _READ_BYTES)
        except BlockingIOError:
            return None
        if name == "channel":
            self._reader.feed(data)
        else:
            self._merger.add(name, self._decoders[name].decode(data))
        return data

    def _on_text(self, stream: str, data: bytes) -> None:
        self._merger.add(stream, self._decoders["channel"].decode(data))

    def _on_frame(self, kind: bytes, content: bytes) -> None:
        if kind == _DRAIN:
            for name, pipe in (("stdout", self.pipes.stdout), ("stderr", self.pipes.stderr)):
                # Bounded: a noisy subprocess must not keep the channel waiting.
                for _ in range(16):
                    if not self._read(pipe[0], name):
                        break
        elif kind == _EVENT:
            self._merger.flush()
            self._log.write(content)
        elif kind == _END:
            self._end = json.loads(content)

    def _take_signals(self) -> None:
        try:
            numbers = os.read(self._wake[0], 4096)
        except BlockingIOError:
            return
        for number in numbers:
            if number == signal.SIGCHLD:
                self._reap()
            elif self._status is None:
                os.kill(self._child, number)
                if number in _ENDING:
                    self._kill_at = min(self._kill_at, time.monotonic() + self._grace_seconds)

    def _reap(self) -> None:
        pid, status = os.waitpid(self._child, os.WNOHANG)
        if pid:
            self._status = os.waitstatus_to_exitcode(status)

    def _do_what_is_due(self) -> None:
        now = time.monotonic()
        if self._merger.due is not None and now >= self._merger.due:
            self._merger.flush()
        if now >= self._sample_at:
            self._sample_at = now + min(_SAMPLE_SECONDS, self._beat_seconds)
            self._log.check()
            used = self._usage.sample(self._child)
            if now >= self._beat_at:
                self._beat_at = now + self._beat_seconds
                self._merger.flush()
                self._log.event("heartbeat", **used)
        self._log.retry()
        if now >= self._kill_at and self._status is None:
            self._kill_at = float("inf")
            os.kill(self._child, signal.SIGKILL)

    def _hear_last_words(self, sources: Mapping[int, str]) -> None:
        """Read what is still in the pipes; processes that the cell left behind are not waited for."""
        for descriptor, name in sources.items():
            heard = 0
            while heard < _LAST_WORDS_BYTES:
                data = self._read(descriptor, name)
                if not data:
                    break
                heard += len(data)
        for name in ("channel", "stdout", "stderr"):
            rest = self._decoders[name].decode(b"", final=True)
            self._merger.add("stdout" if name == "channel" else name, rest)
        self._merger.flush()

    def _finish(self, code: int) -> int:
        self._usage.note(_max_rss_of_ended(), 0)
        self._usage.note(int(self._end.get("max_rss", 0)), int(self._end.get("max_vmem", 0)))
        name = signal.Signals(-code).name if code < 0 and -code in list(signal.Signals) else None
        status = 128 - code if code < 0 else code
        reason = "killed" if code < 0 else str(self._end.get("reason") or "exit")
        self._log.check()
        if self._log.failure is not None:
            self._log.retry(now=True)
        self._log.event(
            "finished",
            exit_status=status,
            signal=name,
            wall=round(time.monotonic() - self._started, 3),
            cpu=round(max(self._usage.cpu, cpu_seconds()), 3),
            max_rss=self._usage.max_rss,
            max_vmem=self._usage.max_vmem,
            reason=reason,
        )
        if self._log.failure is not None:
            say(f"the job ended with status {status}, and its outputs could not be written: {self._log.failure}.")
            return status or EXIT_OUTPUT_LOST
        return status


def _only_wake_up(_: int, __: FrameType | None) -> None:
    """Let the wake-up descriptor tell of the signal."""


# ----------------------------------------------------------------------------------------------------
# The start
# ----------------------------------------------------------------------------------------------------

#: Variables that the dynamic loader, the C library or Python read only when a process starts.
_READ_AT_START = ("LD_", "DYLD_", "GLIBC_", "MALLOC_", "PYTHON", "LC_", "LANG")
_RESTARTED = "--restarted"


def apply_environment(wanted: Mapping[str, str | None], *, may_restart: bool) -> None:
    """Set the environment; start this program once more if something in it works only from the start."""
    changed = {name: value for name, value in wanted.items() if os.environ.get(name) != value}
    for name, value in changed.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    if may_restart and any(name.startswith(_READ_AT_START) for name in changed):
        arguments = getattr(sys, "orig_argv", [sys.executable, *sys.argv])[1:]
        os.execve(sys.executable, [sys.executable, *arguments, _RESTARTED], os.environ)  # noqa: S606  (no shell)


def _started_event(log: EventWriter) -> None:
    import platform

    def first(*names: str) -> str | None:
        found = [os.environ[name] for name in names if os.environ.get(name) not in (None, "", "undefined")]
        return found[0] if found else None

    slots = first("NSLOTS", "SLURM_NTASKS", "SLURM_CPUS_PER_TASK")
    log.event(
        "started",
        v=LOG_VERSION,
        host=os.uname().nodename,
        pid=os.getpid(),
        python=platform.python_version(),
        executable=sys.executable,
        job_id=first("JOB_ID", "SLURM_JOB_ID"),
        task_id=first("SGE_TASK_ID", "SLURM_ARRAY_TASK_ID"),
        queue=first("QUEUE", "SLURM_JOB_PARTITION"),
        slots=int(slots) if slots and slots.isdigit() else None,
        **{"try": log.tries + 1},
    )


def _read_spec(folder: str) -> dict[str, Any]:
    with open(check_trusted(os.path.join(folder, "spec.json")), encoding="utf-8", errors="surrogateescape") as file:
        spec: dict[str, Any] = json.load(file)
    if spec.get("version") != 1:
        raise ValueError(f"it is of version {spec.get('version')!r}, and this runner reads version 1")
    return spec


def main(arguments: Sequence[str]) -> int:
    """Run the job of a folder; return the exit status (in both processes)."""
    folder = os.path.abspath(arguments[0])
    try:
        spec = _read_spec(folder)
    except (OSError, ValueError) as error:
        say(f"the job cannot start: {os.path.join(folder, 'spec.json')} cannot be used: {error}")
        return EXIT_NO_SPEC
    apply_environment(spec.get("environment") or {}, may_restart=_RESTARTED not in arguments)
    log = EventWriter(folder)
    if log.tries:
        # What an earlier try left must not be taken for this one's.
        for name in ("outputs.payload", "exception.payload"):
            _unlink(os.path.join(folder, name))
    pid, supervisor = os.getpid(), Supervisor(spec, log)
    _started_event(log)
    try:
        is_child = supervisor.fork()
    except OSError as error:
        say(f"the cell cannot start: no process can be made: {error}")
        log.event("error", **ErrorReport({}).body(error))
        log.event("finished", exit_status=1, signal=None, wall=0, cpu=0, max_rss=0, max_vmem=0, reason="error")
        return 1
    return run_child(folder, spec, supervisor.pipes, pid) if is_child else supervisor.supervise()


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: PYTHON runner.py FOLDER")
    sys.exit(main(sys.argv[1:]))
