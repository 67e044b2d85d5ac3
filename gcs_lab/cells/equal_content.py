"""Results whose inputs came straight from earlier jobs, found again by the content of these inputs.

A job that was submitted while its input was still being computed has the earlier job in its key, not a value. When
the same cell comes again and the value is in the notebook, it is held against what that earlier job left.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.cells.cell_cache import DONE
from gcs_lab.cells.content_digest import content_digest
from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.runner import read_outputs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gcs_lab.cells.cell_cache import CacheEntry, CellCache
    from gcs_lab.cells.cell_key import CellKey

__all__ = ["equal_by_content"]

_log = logging.getLogger(__name__)


def equal_by_content(cache: CellCache, key: CellKey) -> Iterator[CacheEntry]:
    """Yield the jobs that are equal to `key` but for inputs that they had from earlier jobs, with the same content.

    Parameters
    ----------
    cache
        Where they are looked for; the newest is the first.
    key
        A key that no job has. The values of all its inputs are known.
    """
    for entry in cache.with_source(key):
        old = entry.cell_key
        names = set(old.parts["from jobs"])
        if entry.state == DONE and names and _same_besides(names, old, key):
            try:
                spec = JobFolder(Path(entry.folder)).read_spec()
                same = all(_left(cache, spec["from_jobs"][name], name, old, key) for name in names)
            except Exception:
                # A value may raise anything when it is rebuilt: then the cell runs.
                _log.debug("what job %s had from earlier jobs cannot be compared", entry.job_id, exc_info=True)
                continue
            if same:
                yield entry


def _same_besides(names: set[str], old: CellKey, new: CellKey) -> bool:
    """Tell whether all but these inputs, and the packages that are known only with their types, is the same."""
    inputs = new.parts["inputs"]
    if new.parts["from jobs"] or not names <= set(inputs):
        return False
    rest = {name: digest for name, digest in inputs.items() if name not in names}
    if rest != old.parts["inputs"] or old.parts["packages"].items() - new.parts["packages"].items():
        return False
    apart = {"inputs", "from jobs", "packages"}
    return all(old.parts.get(group) == part for group, part in new.parts.items() if group not in apart)


def _left(cache: CellCache, upstream: Mapping[str, object], name: str, old: CellKey, new: CellKey) -> bool:
    """Tell whether an earlier job left the value that `new` has under `name`.

    Raises
    ------
    Exception
        If what it left cannot be read, rebuilt or compared.
    """
    folder = JobFolder(Path(str(upstream["folder"])))
    entry = cache.of_folder(str(folder.path))
    if entry is None or entry.what_is_wrong():
        return False
    # The packages of the value's type count in the versions that the earlier job had.
    more = new.parts["packages"].items() - old.parts["packages"].items()
    if more - entry.cell_key.parts["packages"].items():
        return False
    folder.check_trusted(folder.outputs)
    values, _ = read_outputs(str(folder.path))
    left = str(upstream.get("output") or name)
    return left in values and content_digest(values[left]).digest == new.parts["inputs"][name]
