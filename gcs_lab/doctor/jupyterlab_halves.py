"""Whether both halves of the JupyterLab extension are there and on: what the page loads, and what answers it.

The page's half is asked of JupyterLab, the server's half of the Jupyter server, by the functions that ``jupyter
labextension list`` and ``jupyter server extension list`` use: the answers are the same. Both are those of the Python
that asks; a JupyterLab that was started by another one has its own.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gcs_lab._version import __version__

__all__ = ["Half", "explain_jupyterlab", "page_half", "server_half"]

PAGE_NAME = "gcs-lab"
SERVER_NAME = "gcs_lab"
ENABLE_SERVER = "jupyter server extension enable gcs_lab"
ENABLE_PAGE = "jupyter labextension enable gcs-lab"
INSTALL = "pip install --force-reinstall --no-deps gcs-lab (in a checkout: make lab)"


@dataclass(frozen=True)
class Half:
    """One half of the extension.

    Attributes
    ----------
    version
        What is installed; empty if nothing was found.
    enabled
        Whether it is loaded.
    where
        The folder or file that says so, for people.
    remedies
        What is wrong, each with the command that mends it.
    """

    version: str
    enabled: bool
    where: str
    remedies: tuple[str, ...] = ()

    @property
    def works(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.enabled and not self.remedies

    def line(self, name: str) -> str:
        """Return it in one line, under a name."""
        if not self.version:
            return f"{name}: not found"
        return f"{name} {self.version}, {'enabled' if self.enabled else 'DISABLED'}: {self.where}"


def explain_jupyterlab() -> list[str]:
    """Return both halves in a line each, and what to do about what is wrong, for people."""
    try:
        page, server = page_half(), server_half()
    except ImportError as error:
        return [f"JupyterLab's extension: {error.name} is not installed for this Python (pip install jupyterlab)"]
    lines = [
        "JupyterLab's extension (of this Python; another one's JupyterLab has its own):",
        f"   {page.line('page')}",
        f"   {server.line('server')}",
    ]
    remedies = [*page.remedies, *server.remedies]
    if page.version and server.version and page.version != server.version:
        remedies.append(f"the page's half is {page.version}, the server's {server.version}: {INSTALL}")
    if page.works != server.works:
        lines.append(f" → half-installed: only the {'page' if page.works else 'server'}'s half works")
    elif not remedies:
        lines.append("   both halves work")
    return lines + [f" → {remedy}" for remedy in remedies]


def page_half() -> Half:
    """Return what JupyterLab would load into its page.

    Raises
    ------
    ImportError
        If JupyterLab is not installed.
    """
    from jupyter_core.paths import jupyter_path
    from jupyterlab.commands import AppOptions, get_app_info

    options = AppOptions(labextensions_path=jupyter_path("labextensions"))
    info = get_app_info(options)
    found = info["federated_extensions"].get(PAGE_NAME)
    if found is None:
        return Half("", enabled=False, where="", remedies=(f"JupyterLab does not find the extension: {INSTALL}",))
    folder = Path(found["ext_path"])
    where = f"{folder} (a link to {folder.resolve()})" if folder.is_symlink() else str(folder)
    remedies = []
    if not _fits(options):
        remedies.append(
            f"it is made for another JupyterLab than {info['version']} (jupyter labextension list): {INSTALL}"
        )
    entry = found["jupyterlab"].get("_build", {}).get("load", "")
    if not (folder / entry).is_file():
        remedies.append(f"{folder / entry} is missing: {INSTALL}")
    disabled, locked = _chosen(info["disabled"]), _chosen(info["locked"])
    enabled = not any(_covers(pattern, PAGE_NAME) for pattern in disabled)
    if not enabled:
        remedies.append(f"the page's half is switched off: {ENABLE_PAGE}, then reload the page")
    remedies += [
        f"a part of the page, {name}, is switched off: jupyter labextension enable {name}"
        for name in disabled
        if name.startswith(f"{PAGE_NAME}:")
    ]
    if PAGE_NAME in locked:
        where += ", locked"
    return Half(found["version"], enabled=enabled, where=where, remedies=tuple(remedies))


def _fits(options: Any) -> bool:
    """Tell whether JupyterLab finds the extension made for its own version; only the text of its list says so."""
    from jupyterlab.commands import list_extensions

    told: list[str] = []
    logger = logging.Logger("gcs_lab.doctor")  # noqa: LOG001 - one of our own, that reaches nobody else
    handler = logging.Handler()
    handler.emit = lambda record: told.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)
    options.logger = logger
    list_extensions(options)
    line = next((line for line in told if f" {PAGE_NAME} v" in line), "")
    return "OK" in line


def server_half() -> Half:
    """Return what the Jupyter server would load.

    Raises
    ------
    ImportError
        If the Jupyter server is not installed.
    """
    from jupyter_core.paths import jupyter_config_path

    told = [(folder, value) for folder in jupyter_config_path() if (value := _said_in(folder)) is not None]
    if not told:
        # `jupyter server extension enable` refuses what no configuration names.
        remedy = f"no configuration of the Jupyter server names gcs_lab: {INSTALL}, then start JupyterLab again"
        return Half(__version__, enabled=False, where="named nowhere", remedies=(remedy,))
    # The first folder counts, as for the server: in a virtual environment its own, elsewhere the user's.
    folder, enabled = told[0]
    remedies = []
    if not enabled:
        remedies.append(
            f"{folder} switches the server's half off: {ENABLE_SERVER}{_level(folder)}, then start JupyterLab again"
        )
    if trouble := _cannot_load():
        remedies.append(f"the Jupyter server cannot load gcs_lab: {trouble}. {INSTALL}")
    return Half(__version__, enabled=bool(enabled), where=f"by {folder}", remedies=tuple(remedies))


def _said_in(folder: str) -> bool | None:
    """Return whether a configuration folder switches the server's half on or off; None if it says nothing of it."""
    from jupyter_server.extension.config import ExtensionConfigManager

    manager = ExtensionConfigManager(read_config_path=[folder])
    said: dict[str, bool] = manager.get_jpserver_extensions()  # type: ignore[no-untyped-call]
    return said.get(SERVER_NAME)


def _cannot_load() -> str:
    """Say why the Jupyter server would fail to load its half; empty if it would not."""
    from jupyter_server.extension.manager import ExtensionPackage

    try:
        package = ExtensionPackage(name=SERVER_NAME, enabled=True)  # type: ignore[no-untyped-call]
        valid = package.validate()  # type: ignore[no-untyped-call]
    except Exception as error:
        # It imports our server part: whatever that raises is the finding.
        return f"{type(error).__name__}: {error}"
    return "" if valid else "it is not valid (jupyter server extension list says more)"


def _level(folder: str) -> str:
    """Return the option that makes the command write where the extension is switched off."""
    from jupyter_core.paths import SYSTEM_CONFIG_PATH, jupyter_config_dir

    if folder == jupyter_config_dir():
        return " --user"
    return " --system" if folder in SYSTEM_CONFIG_PATH else ""


def _chosen(config: dict[str, Any] | list[str]) -> list[str]:
    """Return what a part of JupyterLab's page configuration has switched on; both of its forms are in use."""
    return [name for name, on in config.items() if on is not False] if isinstance(config, dict) else list(config)


def _covers(pattern: str, name: str) -> bool:
    """Tell whether an entry of ``disabledExtensions`` (a name or a regular expression) means an extension."""
    return pattern == name or re.match(pattern, name) is not None
