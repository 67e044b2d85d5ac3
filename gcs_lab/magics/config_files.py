"""IPython's configuration files: which of them sets a trait of ``GcsMagics``, and one that is written.

The files are read, never run a second time: what is said of them is found in their text.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["SECTION", "file_that_sets", "saved_defaults", "write_defaults"]

SECTION = "GcsMagics"


def file_that_sets(name: str) -> str:
    """Return the path of the configuration file that set a trait last; empty if none can be found."""
    return next((path for path in reversed(_loaded_files()) if _mentions(Path(path), name)), "")


def _loaded_files() -> list[str]:
    """Return the files that the running application has loaded, those that count more later."""
    from traitlets.config import Application

    if not Application.initialized():
        return []
    return list(getattr(Application.instance(), "loaded_config_files", []))


def _mentions(path: Path, name: str) -> bool:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    if path.suffix == ".json":
        try:
            return name in (json.loads(text).get(SECTION) or {})
        except (ValueError, AttributeError):
            return False
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return re.search(rf"\b{SECTION}\b[^\n]*?\b{re.escape(name)}\b", code) is not None


def saved_defaults(path: Path) -> dict[str, Any]:
    """Return the defaults that a JSON configuration file has.

    Raises
    ------
    InvalidArgument
        If it cannot be read as one.
    """
    return dict(_content(path).get(SECTION) or {})


def write_defaults(path: Path, values: Mapping[str, Any], *, removed: Collection[str] = ()) -> None:
    """Put `values` into a JSON configuration file and take `removed` out; whatever else it has stays.

    It is written whole or not at all (mode 0600).

    Raises
    ------
    InvalidArgument
        If there is a file that is no JSON configuration; it stays as it is.
    OSError
        If it cannot be written.
    """
    # Loaded when it is needed: the runner's package would add to each `%load_ext`.
    from gcs_lab.cells.runner.private_file import write_all, write_whole

    content = _content(path)
    section = {name: value for name, value in (content.get(SECTION) or {}).items() if name not in removed}
    section |= dict(values)
    content = {key: value for key, value in content.items() if key != SECTION} | (
        {SECTION: section} if section else {}
    )
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    # A link of someone who keeps configuration elsewhere stays a link.
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(str(target), lambda descriptor: write_all(descriptor, text.encode()))


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InvalidArgument(
            f"{path} cannot be read as a configuration file: {error}. It stays as it is; mend it or move it away."
        ) from None
    if not isinstance(content, dict):
        raise InvalidArgument(f"{path} is no configuration file: expected a JSON object. It stays as it is.")
    return content
