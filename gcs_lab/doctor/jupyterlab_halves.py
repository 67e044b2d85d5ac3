"""Whether both halves of the JupyterLab extension are there and on: what the page loads, and what answers it.

The page's half is asked of JupyterLab, the server's half of the Jupyter server, by the functions that ``jupyter
labextension list`` and ``jupyter server extension list`` use: the answers are the same. Both are those of the Python
that asks; a JupyterLab that was started by another one has its own.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from gcs_lab._version import __version__
from gcs_lab.doctor.finding import Finding, Level
from gcs_lab.doctor.machine import pip

__all__ = ["Fault", "Half", "jupyterlab", "page_half", "server_half"]

PAGE_NAME = "gcs-lab"
SERVER_NAME = "gcs_lab"
ENABLE_SERVER = "jupyter server extension enable gcs_lab"
ENABLE_PAGE = "jupyter labextension enable gcs-lab"
INSTALL = "pip install --force-reinstall --no-deps gcs-lab   (in a checkout: make lab)"


class Fault(NamedTuple):
    """Something that is wrong, and the command that mends it."""

    what: str
    command: str


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
    faults
        What is wrong.
    """

    version: str
    enabled: bool
    where: str
    faults: tuple[Fault, ...] = ()

    @property
    def works(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.enabled and not self.faults

    def line(self, name: str) -> str:
        """Return it in one line, under a name."""
        if not self.version:
            return f"{name}: not found"
        return f"{name} {self.version}, {'enabled' if self.enabled else 'DISABLED'}: {self.where}"


def jupyterlab() -> list[Finding]:
    """Return whether both halves are there and on, and what is wrong with each."""
    about = "JupyterLab"
    try:
        page, server = page_half(), server_half()
    except ImportError as error:
        text = f"{error.name} is not installed for this Python; magics and widgets work in other notebooks"
        return [Finding(about, Level.NOTE, text, f"{pip()} {error.name}")]
    faults = [*page.faults, *server.faults]
    if page.version and server.version and page.version != server.version:
        faults.append(Fault(f"the page's half is {page.version}, the server's {server.version}", INSTALL))
    if not faults:
        both = f"{version(about.lower())} has both halves of gcs_lab {page.version}, and both are on: {page.where}"
        return [Finding(about, Level.GOOD, both)]
    if page.works != server.works:
        half = "page" if page.works else "server"
        halves = f"half-installed, only the {half}'s half works; {page.line('page')}; {server.line('server')}"
    else:
        halves = f"{page.line('page')}; {server.line('server')}"
    return [
        Finding(about, Level.NOTE, halves),
        *(Finding(about, Level.BROKEN, fault.what, fault.command) for fault in faults),
    ]


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
        return Half("", enabled=False, where="", faults=(Fault("JupyterLab does not find the extension", INSTALL),))
    folder = Path(found["ext_path"])
    where = f"{folder} (a link to {folder.resolve()})" if folder.is_symlink() else str(folder)
    faults = []
    if not _fits(options):
        what = f"the page's half is made for another JupyterLab than {info['version']} (jupyter labextension list)"
        faults.append(Fault(what, INSTALL))
    entry = found["jupyterlab"].get("_build", {}).get("load", "")
    if not (folder / entry).is_file():
        faults.append(Fault(f"{folder / entry} is missing", INSTALL))
    disabled, locked = _chosen(info["disabled"]), _chosen(info["locked"])
    enabled = not any(_covers(pattern, PAGE_NAME) for pattern in disabled)
    if not enabled:
        faults.append(Fault("the page's half is switched off (reload the page after)", ENABLE_PAGE))
    faults += [
        Fault(f"a part of the page, {name}, is switched off", f"jupyter labextension enable {name}")
        for name in disabled
        if name.startswith(f"{PAGE_NAME}:")
    ]
    if PAGE_NAME in locked:
        where += ", locked"
    return Half(found["version"], enabled=enabled, where=where, faults=tuple(faults))


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
        fault = Fault("no configuration of the Jupyter server names gcs_lab (start JupyterLab again after)", INSTALL)
        return Half(__version__, enabled=False, where="named nowhere", faults=(fault,))
    # The first folder counts, as for the server: in a virtual environment its own, elsewhere the user's.
    folder, enabled = told[0]
    faults = []
    if not enabled:
        what = f"{folder} switches the server's half off (start JupyterLab again after)"
        faults.append(Fault(what, ENABLE_SERVER + _level(folder)))
    if trouble := _cannot_load():
        faults.append(Fault(f"the Jupyter server cannot load gcs_lab: {trouble}", INSTALL))
    return Half(__version__, enabled=bool(enabled), where=f"by {folder}", faults=tuple(faults))


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
