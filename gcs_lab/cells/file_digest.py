"""Digests of files and folders by their content."""

from __future__ import annotations

from pathlib import Path

from xxhash import xxh3_128

from gcs_lab.errors import InvalidArgument

__all__ = ["file_digest", "named_file_digest"]

_BLOCK = 1 << 20
_MOST_FILES = 100_000


def file_digest(path: Path) -> str:
    """Return the xxh3 digest (32 hexadecimal digits) of a file's content. Raises OSError."""
    hasher = xxh3_128()
    block = bytearray(_BLOCK)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(block):
            hasher.update(memoryview(block)[:count])
    return hasher.hexdigest()


def named_file_digest(text: str, folder: str) -> tuple[str, str]:
    """Return the path and the digest of a file of ``--cache-file``, or of all files in a folder, with their names.

    Parameters
    ----------
    text
        What the user gave; ``~`` is the home folder.
    folder
        Where a relative path starts: the folder that the job runs in.

    Raises
    ------
    InvalidArgument
        If it is not there or cannot be read, or a folder has more than 100,000 files.
    """
    path = Path(folder) / Path(text).expanduser()
    try:
        if not path.is_dir():
            return str(path), file_digest(path)
        hasher, files = xxh3_128(), sorted(part for part in path.rglob("*") if part.is_file())
        if len(files) > _MOST_FILES:
            raise InvalidArgument(
                f"--cache-file {text}: the folder has {len(files):,} files; {_MOST_FILES:,} are read at the most. "
                "Name the files that the cell reads. Nothing was sent."
            )
        for file in files:
            hasher.update(f"{file.relative_to(path)}\0{file_digest(file)}\n".encode("utf-8", "surrogateescape"))
        return str(path), hasher.hexdigest()
    except OSError as error:
        raise InvalidArgument(
            f"--cache-file {text}: {path} cannot be read: {error.strerror}. Name a file or a folder that is there. "
            "Nothing was sent."
        ) from error
