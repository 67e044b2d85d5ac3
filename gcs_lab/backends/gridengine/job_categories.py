"""Job categories: the sets of options that qtask(5) files name, as libdrmaa understands them."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.qsub_options import Option, parse_options
from gcs_lab.errors import InvalidArgument, UnknownName

if TYPE_CHECKING:
    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["category_options", "parse_qtask", "read_categories"]


def parse_qtask(text: str) -> dict[str, str]:
    """Return what stands behind each name in a ``qtask`` file; the names keep their ``!`` (qtask(5))."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, _, options = line.strip().partition(" ")
        if "\t" in name:
            name, _, options = line.strip().partition("\t")
        if name and not name.startswith("#"):
            found[name] = options.strip()
    return found


def _read(path: Path) -> dict[str, str]:
    try:
        return parse_qtask(path.read_text(errors="surrogateescape"))
    except OSError:
        return {}


def read_categories(cell: SgeCell) -> dict[str, str]:
    """Return the options of each category, as they are written.

    The cluster's file ``common/qtask`` is read first; ``~/.qtask`` overrides and adds, but not where the cluster's
    has a ``!`` before the name.
    """
    cluster = _read(cell.common / "qtask")
    fixed = {name.removeprefix("!") for name in cluster if name.startswith("!")}
    found = {name.removeprefix("!"): options for name, options in cluster.items()}
    for name, options in _read(Path.home() / ".qtask").items():
        if name.removeprefix("!") not in fixed:
            found[name.removeprefix("!")] = options
    return found


def category_options(cell: SgeCell, name: str) -> list[Option]:
    """Return the options of the category `name`.

    Raises
    ------
    UnknownName
        If there is no such category.
    InvalidArgument
        If its options cannot be used for a job of this kind.
    """
    categories = read_categories(cell)
    if name not in categories:
        raise UnknownName("job category", name, categories, where=f"{cell.common / 'qtask'} or in ~/.qtask")
    where = f"the job category {name!r} (qtask(5))"
    try:
        words = shlex.split(categories[name])
    except ValueError as error:
        raise InvalidArgument(f"{where}: {error}. Close every quote in the file.") from None
    # qtask files are made for qrsh, whose own default is the opposite of this; for qsub it says nothing.
    at = 0
    while at < len(words):
        if words[at] == "-now" and words[at + 1 : at + 2] in (["n"], ["no"]):
            del words[at : at + 2]
        else:
            at += 1
    return parse_options(where, words)
