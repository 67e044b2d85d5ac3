"""Records that are not of accounting: reporting, monitoring, the share tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.accounting.frames import as_pandas
from gcs_lab.accounting.opening import readable
from gcs_lab.errors import UnknownName, UnsupportedOperation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gcs_lab.accounting.area import Accounting

__all__ = ["other_records"]

_HOW_REPORTING = "sge_conf(5), reporting_params, says how Grid Engine is told to"
_HOW = {"share_tree": "sge_share_mon prints it, to where you tell it to"}


def other_records(
    area: Accounting, what: str, read: Callable[[Sequence[Path]], dict[str, Any]], kind: str | None
) -> Any:
    """Return the frames of another kind of file by kind of record, or the one of `kind`.

    Raises
    ------
    UnsupportedOperation
        If there is no such file; DeniedByDrms: it may not be read; UnknownName: no record of that kind in it.
    """
    paths = area.backend.other_files(what)
    if not paths:
        raise UnsupportedOperation(
            f"{area.system or 'this system'} wrote no file of {what.replace('_', ' ')} that can be read from here. "
            f"{_HOW.get(what, _HOW_REPORTING)}; gcs_lab.open_accounting reads a copy."
        )
    for path in paths:
        readable(path)
    frames = {name: as_pandas(one) for name, one in read(list(paths)).items()}
    if kind is None:
        return frames
    if kind not in frames:
        raise UnknownName("kind of record", kind, frames, where=what, relation="in")
    return frames[kind]
