"""A Sphinx extension: names in docstrings and annotations find what they mean, as Python's own reader does.

Code is annotated with names that are imported only for type checkers, from the module in which a class is defined;
the reference describes it in the package that users import. So ``Job`` in a signature is looked for among all that is
described: in the same module first, then in the same room, then in the other rooms but `drmaa2`, whose classes have
the same names. What is of Python itself or of another library is no link.
"""

# ruff: noqa: ARG001, PLR0917  (Sphinx gives the arguments of what it calls)

from __future__ import annotations

import ast
import builtins
import functools
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.addnodes import desc, pending_xref
from sphinx.ext.napoleon.docstring import NumpyDocstring
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sphinx.application import Sphinx
    from sphinx.domains.python import ObjectEntry

__all__ = ["ShortNames", "meant", "setup"]

_log = logging.getLogger(__name__)
#: The parameters of a long signature, a line each, as Sphinx writes them.
_PARAMETERS = re.compile(r'(<span class="sig-paren">[\[(]</span>\s*)<dl>(.*?)</dl>', re.DOTALL)
_PAGE = re.compile(r"(?:``)?docs/([\w/-]+)\.md(?:``)?")
#: What annotations name as a type.
_TYPES = frozenset({"class", "exception", "type"})
#: What an attribute's docstring is: napoleon takes "when it ended: seconds" for a type and its description.
_PLAIN = frozenset({"attribute", "data", "property"})
#: Python's own modules; and what traits and numpy bring into a signature, though no module here imports that name.
_OTHERS = frozenset({"t", "Bunch", "List", "numpy"}) | sys.stdlib_module_names


class ShortNames(SphinxPostTransform):
    """Gives each reference to a Python name the full name of what it means, before Sphinx looks for it."""

    default_priority = 5

    def run(self, **_: Any) -> None:
        """Look at all references of a page."""
        described = self.env.get_domain("py").data["objects"]
        for node in list(self.document.findall(pending_xref)):
            if node.get("refdomain") != "py":
                continue
            target = str(node["reftarget"])
            typed = node.get("reftype") == "class"
            found = meant(target, described, node.get("py:module") or "", node.get("py:class") or "", typed=typed)
            if found:
                node["reftarget"] = found
                node["reftype"] = "obj"  # drmaa2 has exceptions and functions that are other names of others
                node["refspecific"] = False
                continue
            if not _is_of_others(target) and target.rpartition(".")[2] not in _own_names():
                _log.warning("there is no %s, which %s names", target, _place(node), location=self.env.docname)
            node.replace_self(list(node.children))


def meant(
    name: str, described: Mapping[str, ObjectEntry], module: str, owner: str, *, typed: bool = False
) -> str | None:
    """Return the full name of what a short name means; None if the reference does not describe it.

    Parameters
    ----------
    name
        As it is written, in full or in part.
    described
        All that the reference describes, by full names.
    module, owner
        The module and the class in whose description it stands.
    typed
        Whether it must be a type.
    """

    def fits(full: str) -> bool:
        return full in described and (not typed or described[full].objtype in _TYPES)

    last = name.rpartition(".")[2]
    if typed and hasattr(builtins, name):
        return None
    near = (name, f"{module}.{owner}.{name}", f"{module}.{name}")
    for full in near:
        if fits(full):
            return full
    others = [full for full in described if full.rpartition(".")[2] == last and fits(full)]
    if not name.startswith("gcs_lab."):
        others = [full for full in others if full.endswith(f".{name}")]
    rooms = [".".join(place.split(".")[:2]) for place in (name, module)]
    for choice in (
        *([full for full in others if full.startswith(f"{room}.")] for room in rooms),
        [full for full in others if not full.startswith("gcs_lab.drmaa2.")],
    ):
        own = [full for full in choice if not described[full].aliased] or choice
        if len(own) == 1:
            return own[0]
    return None


def _is_of_others(target: str) -> bool:
    first = target.partition(".")[0]
    return first in _OTHERS or hasattr(builtins, first) or first == "builtins" or first in _imported_names()


@functools.cache
def _nodes() -> tuple[ast.AST, ...]:
    import gcs_lab

    kept = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Name, ast.Import, ast.ImportFrom)
    modules = (ast.parse(path.read_text()) for path in Path(gcs_lab.__file__).parent.rglob("*.py"))
    return tuple(node for module in modules for node in ast.walk(module) if isinstance(node, kept))


@functools.cache
def _own_names() -> frozenset[str]:
    """Return all names that the package's code defines: what is real, but not public, is shown without a link."""
    import gcs_lab

    package = Path(gcs_lab.__file__).parent
    names = {path.stem for path in package.rglob("*.py")} | {
        path.name for path in package.rglob("*") if path.is_dir()
    }
    for node in _nodes():
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return frozenset(names)


@functools.cache
def _imported_names() -> frozenset[str]:
    """Return the names under which the package's code imports something, as far as they are not its own."""
    imports = (node for node in _nodes() if isinstance(node, ast.Import | ast.ImportFrom))
    names: set[str] = set()
    for node in imports:
        names.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return frozenset(names) - _own_names() - {"gcs_lab"}


def _place(node: pending_xref) -> str:
    """Return the name of what is described where a reference stands."""
    place: Any = node
    while place is not None and not isinstance(place, desc):
        place = place.parent
    names = [] if place is None else place[0].get("ids", [])
    return names[0] if names else "the page"


def _keep(_: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Let ``docs/jobs.md`` in a docstring be a link to the page; keep an attribute's docstring from napoleon."""
    lines[:] = [_PAGE.sub(r":doc:`/\1`", line) for line in lines]
    if what in _PLAIN:
        _kept[name] = list(lines)


_kept: dict[str, list[str]] = {}


def _restore(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    if name in _kept and what in _PLAIN:
        lines[:] = NumpyDocstring(_kept.pop(name), app.config, app, "method", name).lines()


def _signature(
    _: Sphinx,
    what: str,
    name: str,
    obj: Any,
    options: Any,
    arguments: str | None,
    returned: str | None,
) -> tuple[str | None, str | None]:
    """Let Sphinx read the signature of a dataclass: ``<factory>`` is no Python."""
    return (arguments and arguments.replace("<factory>", "...")), returned


def _lines(found: re.Match[str]) -> str:
    """Return the parameters of a signature as lines: Sphinx's list of definitions has no terms, and is none."""
    lines = found[2].replace("<dd>", '<span class="gcs-parameter">').replace("</dd>", "</span>")
    return f"{found[1]}{lines}"


def _levels(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Give a page what a screen reader and a keyboard need: levels of headings, code to scroll, sound lists."""
    # What is wider than the page scrolls; without a mouse it does so only if it can be reached.
    body = (context.get("body") or "").replace("<pre>", '<pre tabindex="0">')
    context["body"] = _PARAMETERS.sub(_lines, body)
    tree = context.get("furo_navigation_tree") or ""
    context["furo_navigation_tree"] = tree.replace('role="heading"', 'role="heading" aria-level="2"')


def setup(app: Sphinx) -> dict[str, bool]:
    """Register; called by Sphinx."""
    app.add_post_transform(ShortNames)
    app.connect("autodoc-process-docstring", _keep, priority=400)  # napoleon has 500
    app.connect("autodoc-process-docstring", _restore, priority=600)
    app.connect("autodoc-process-signature", _signature)
    app.connect("html-page-context", _levels, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
