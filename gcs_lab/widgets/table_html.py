"""A table without a kernel: HTML without style sheet and script (see :mod:`gcs_lab.widgets.card_line`)."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from gcs_lab.widgets.card_line import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

__all__ = ["table_html"]


def table_html(
    columns: Sequence[str], rows: Iterable[Sequence[str]], caption: str, right: Collection[str] = ()
) -> str:
    """Return a table as HTML; all texts are escaped here, and control characters are taken out.

    Parameters
    ----------
    columns
        Labels.
    rows
        Cells as text, as many as there are columns.
    caption
        What the table says, and as of when.
    right
        Labels of the columns whose figures stand below figures.
    """
    places = [f' style="text-align:{"right" if label in right else "left"}"' for label in columns]
    head = "".join(
        f'<th scope="col"{place}>{_safe(label)}</th>' for label, place in zip(columns, places, strict=True)
    )
    body = "".join(
        f"<tr>{''.join(f'<td{place}>{_safe(cell)}</td>' for cell, place in zip(row, places, strict=True))}</tr>"
        for row in rows
    )
    return (
        f'<table><caption style="text-align:left">{_safe(caption)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _safe(text: str) -> str:
    return escape(printable(text))
