"""The runner as one file: a zip application, made once for each content and each version of Python."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import marshal
import zipfile
from pathlib import Path

from gcs_lab.cells import runner
from gcs_lab.cells.runner.private_file import write_all, write_whole
from gcs_lab.user_paths import cache_folder

__all__ = ["runner_archive"]

#: The runner's name in the archive: that of nothing that a cell could want to import.
_PACKAGE = "gcs_lab_runner"
#: The folder of the archive that the runner puts at the end of ``sys.path``.
_FALLBACK = "fallback"
_START = b"""\
from gcs_lab_runner.main import start

start()
"""
#: Flags of a ``.pyc``: checked by hash, and not even that (PEP 552). Nothing else writes into the archive.
_UNCHECKED_HASH = 1


def runner_archive() -> Path:
    """Return the archive that a job runs as ``PYTHON runner.pyz FOLDER``; it is made if it is not there.

    It holds the sources of :mod:`gcs_lab.cells.runner`, for any Python from 3.9 on, beside them what the running
    Python compiled them to, which the same version loads instead (that saves half of a job's start), and the
    installed cloudpickle (pure Python) for hosts that have none. Nothing in it is compressed: a Python without zlib
    can read it.

    Raises
    ------
    OSError
        If it cannot be written to the cache folder.
    """
    members = _sources()
    digest = hashlib.sha256(importlib.util.MAGIC_NUMBER + Path(__file__).read_bytes())
    for name, content in members.items():
        digest.update(b"%s %d\n" % (name.encode(), len(content)) + content)
    kept = cache_folder() / f"runner-{digest.hexdigest()[:32]}.pyz"
    if not kept.exists():
        archive = _archive({**members, **_compiled(members)})
        write_whole(str(kept), lambda descriptor: write_all(descriptor, archive))
    return kept


def _sources() -> dict[str, bytes]:
    """Return the sources of the archive by their names in it."""
    members = {"__main__.py": _START}
    for source in sorted(Path(runner.__file__).parent.glob("*.py")):
        members[f"{_PACKAGE}/{source.name}"] = source.read_bytes()
    found = importlib.util.find_spec("cloudpickle")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("gcs_lab needs cloudpickle, and it is not installed. Install gcs_lab with pip.")
    home = Path(found.origin).parent
    for source in sorted(home.rglob("*.py")):
        members[f"{_FALLBACK}/cloudpickle/{source.relative_to(home).as_posix()}"] = source.read_bytes()
    return members


def _compiled(members: dict[str, bytes]) -> dict[str, bytes]:
    """Return the ``.pyc`` of the sources that every job runs."""
    head = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH.to_bytes(4, "little")
    found = {}
    for name, source in members.items():
        if not name.startswith(_FALLBACK):
            # Docstrings are left out: nobody can read them there.
            code = compile(source, f"runner.pyz/{name}", "exec", dont_inherit=True, optimize=2)
            found[f"{name}c"] = head + importlib.util.source_hash(source) + marshal.dumps(code)
    return found


def _archive(members: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(members.items()):
            # An entry of its own making bears the format's first day, so that equal contents are equal archives.
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, content)
    return whole.getvalue()
