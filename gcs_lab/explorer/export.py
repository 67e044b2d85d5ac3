"""What is shown as a file: the matching records as CSV or Parquet, the view as a page of its own."""

from __future__ import annotations

import base64
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import InvalidArgument, OutOfResource
from gcs_lab.explorer.local_time import day_text

if TYPE_CHECKING:
    import polars as pl

    from gcs_lab.explorer.shown import Shown

__all__ = ["MOST_SENT", "exported"]

#: Bytes that are sent to the browser; larger files are written to the notebook's folder.
MOST_SENT = 20 * 2**20
_MIME = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet", "html": "text/html"}
_MOST_NAMES = 1_000


def exported(shown: Shown, form: str, folder: Path | None = None) -> dict[str, Any]:
    """Return the parts of ``IExported``: name, mime, content (base64), path and note.

    Parameters
    ----------
    shown
        What is shown: its period, filter, and lasso.
    form
        ``"csv"``, ``"parquet"`` or ``"html"``.
    folder
        Where a file that is too large to be sent is written, without overwriting; None: the notebook's.

    Raises
    ------
    OutOfResource
        If the file cannot be written.
    """
    since, until = shown.span
    name = f"accounting-{day_text(since)}-{day_text(until - 1)}.{form}"
    folder = Path.cwd() if folder is None else folder
    try:
        # Beside its place, so that it is only renamed to it; where nothing can be written, it may still be sent.
        with tempfile.TemporaryDirectory(dir=folder if os.access(folder, os.W_OK) else None) as place:
            made = Path(place) / name
            rows = _written(shown, form, made)
            size = made.stat().st_size
            note = f"{rows:,} records, {size / 2**20:.1f} MB" if form != "html" else f"{size / 2**20:.1f} MB"
            told = {"name": name, "mime": _MIME[form], "note": note}
            if size <= MOST_SENT:
                return {**told, "content": base64.b64encode(made.read_bytes()).decode("ascii"), "path": ""}
            kept = _kept(made, folder)
            return {**told, "name": kept.name, "content": "", "path": str(kept), "note": note}
    except OSError as reason:
        raise OutOfResource(
            f"the export could not be written to {folder}: {reason.strerror or reason}. Free some space, narrow the "
            "filter, or write the records elsewhere: accounting.records(…).sink_parquet(path)."
        ) from None


def _kept(made: Path, folder: Path) -> Path:
    """Move a file into a folder under a name that is not there yet."""
    for number in range(1, _MOST_NAMES):
        target = folder / (made.name if number == 1 else f"{made.stem}-{number}{made.suffix}")
        try:
            # A link is made only where nothing is; a rename would take another's place.
            os.link(made, target)
        except FileExistsError:
            continue
        except OSError:
            # File systems without hard links.
            try:
                with target.open("xb") as file:
                    file.write(made.read_bytes())
            except FileExistsError:
                continue
        return target
    raise InvalidArgument(f"{folder} has {_MOST_NAMES:,} exports of that name already. Remove some of them.")


def _written(shown: Shown, form: str, path: Path) -> int:
    import polars as pl

    if form == "html":
        from gcs_lab.explorer.html_page import html_page

        path.write_text(html_page(shown), encoding="utf-8")
        return shown.counts()[0]
    records = _records(shown)
    if form == "csv":
        # Times as ISO 8601 with their zone: other programs read them.
        times = pl.selectors.datetime().dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")
        records.with_columns(times).sink_csv(path)
    else:
        records.sink_parquet(path)
    return shown.counts()[0] if shown.state.lasso is None else shown.number_in_lasso()


def _records(shown: Shown) -> pl.LazyFrame:
    """Return all columns of the matching records."""
    from gcs_lab.accounting.truth import ALL_COLUMNS
    from gcs_lab.explorer.lasso import LASSO_COLUMNS

    lasso = set() if shown.state.lasso is None else set(LASSO_COLUMNS)
    return shown.in_lasso(shown.scanned({*ALL_COLUMNS, *lasso})).select(ALL_COLUMNS)
