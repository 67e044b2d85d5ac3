"""The pages of the reference: which names they show, and the directives that let Sphinx read their docstrings."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["REFERENCES", "Reference", "reference_page", "settings_page"]


@dataclass(frozen=True)
class Reference:
    """One page of the reference.

    Parameters
    ----------
    page
        Its name.
    title
        Its title.
    modules
        The modules whose public names (``__all__``) it shows, and, behind a colon, those of them that it shows.
    words
        What stands above the names.
    """

    page: str
    title: str
    modules: tuple[str, ...]
    words: str = ""


REFERENCES = (
    Reference(
        "cluster",
        "Clusters",
        ("gcs_lab.cluster", "gcs_lab.accounting:open_accounting"),
        "What ``import gcs_lab`` offers: :func:`~gcs_lab.cluster.connect`, :class:`~gcs_lab.cluster.Cluster`, "
        ":func:`~gcs_lab.accounting.open_accounting`, and, described on pages of their own, "
        ":class:`~gcs_lab.jobs.Job`, :class:`~gcs_lab.vocabulary.JobTemplate`, :class:`~gcs_lab.vocabulary.JobInfo` "
        "and :class:`~gcs_lab.vocabulary.JobState`.",
    ),
    Reference("jobs", "Jobs", ("gcs_lab.jobs",), "``cluster.jobs``. How they are used: :doc:`/jobs`."),
    Reference("status", "Status", ("gcs_lab.status",), "``cluster.status``. How it is used: :doc:`/status`."),
    Reference(
        "accounting",
        "Accounting",
        ("gcs_lab.accounting:Accounting,AccountingBackend,Choice",),
        "``cluster.accounting``. How it is used: :doc:`/accounting`.",
    ),
    Reference("vocabulary", "Vocabulary", ("gcs_lab.vocabulary",), "The words of DRMAA2 as plain data."),
    Reference("errors", "Errors", ("gcs_lab.errors",)),
    Reference(
        "cells",
        "Cells and sweeps",
        ("gcs_lab.cells.cell_job", "gcs_lab.cells.sweep", "gcs_lab.cells.placeholder"),
        "What ``%%gcs submit`` leaves in a notebook. How it is used: :doc:`/magics`, :doc:`/sweeps`.",
    ),
    Reference("models", "Models", ("gcs_lab.models",), "How they are used: :doc:`/models`."),
    Reference(
        "widgets",
        "Widgets",
        ("gcs_lab.widgets", "gcs_lab.widgets.cockpit", "gcs_lab.widgets.explorer", "gcs_lab.explorer"),
        "How they are used: :doc:`/dashboard`, :doc:`/explorer`.",
    ),
    Reference(
        "drmaa2", "drmaa2", ("gcs_lab.drmaa2",), "``from gcs_lab import drmaa2``. How it is used: :doc:`/drmaa2`."
    ),
    Reference(
        "lessons",
        "Checks of the lessons",
        ("gcs_lab.lessons.check", "gcs_lab.lessons.report"),
        "``from gcs_lab.lessons import check``.",
    ),
    Reference(
        "backends",
        "For backends",
        ("gcs_lab.backends.provider",),
        "What a package brings along that lets gcs_lab use another system: :doc:`/contributing`.",
    ),
)
#: Classes of other libraries (and of Python), whose members are not described again.
_STRANGERS = (
    "AnyWidget,DOMWidget,Widget,HasTraits,ExtensionApp,Exception,BaseException,Protocol,Enum,IntEnum,Flag,"
    "tuple,dict,list,str,int,object"
)


def reference_page(reference: Reference) -> str:
    """Return one page, in reStructuredText with autodoc's directives.

    Parameters
    ----------
    reference
        What it shows.
    """
    lines = [reference.title, "=" * len(reference.title), "", reference.words, ""]
    for place in reference.modules:
        module = place.partition(":")[0]
        lines += [f".. automodule:: {module}", "   :no-members:", "   :no-index:", ""]
        lines += [f".. py:currentmodule:: {module}", ""]
        for name, value in _names(place):
            lines += _directive(module, name, value)
    return "\n".join(lines)


def _names(place: str) -> Iterator[tuple[str, Any]]:
    module_name, _, chosen = place.partition(":")
    module = importlib.import_module(module_name)
    for name in chosen.split(",") if chosen else module.__all__:
        if not name.startswith("__"):
            yield name, getattr(module, name)


def _directive(module: str, name: str, value: Any) -> list[str]:
    if inspect.isclass(value):
        lines = [f".. autoclass:: {module}.{name}", "   :members:", f"   :inherited-members: {_STRANGERS}"]
        if issubclass(value, Exception):
            return [*lines[:1], "   :members:", "   :show-inheritance:", ""]
        return [*lines, ""]
    if inspect.isroutine(value):
        return [f".. autofunction:: {module}.{name}", ""]
    return [f".. autodata:: {module}.{name}", ""]


def settings_page() -> str:
    """Return the page of what can be set in Jupyter's configuration files, in markdown."""
    from gcs_lab.magics.config_files import SECTION
    from gcs_lab.magics.defaults import DefaultTraits
    from gcs_lab.server.extension import GcsLabServer

    lines = [
        "# Settings",
        "",
        "Made from the traits themselves. Where the files are and which counts more is told in",
        "[the server extension](../server.md) and in [environments and defaults](../environments.md).",
    ]
    for title, owner in (
        ("The server extension: `jupyter_server_config.py`", GcsLabServer),
        ("What every job is given: `ipython_config.py`", DefaultTraits),
    ):
        section = SECTION if owner is DefaultTraits else owner.__name__
        own = {name: trait for name, trait in owner.class_own_traits(config=True).items() if name in vars(owner)}
        lines += ["", f"## {title}", "", "| setting | usually | |", "|---|---|---|"]
        lines += [
            f"| `c.{section}.{name}` | `{trait.default()!r}` | {str(trait.help).replace('|', '&#124;')} |"
            for name, trait in sorted(own.items())
        ]
    return "\n".join(lines) + "\n"
