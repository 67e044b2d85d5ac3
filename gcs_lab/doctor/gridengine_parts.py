"""What of Grid Engine is installed on this machine: the clients, what a private one needs, libdrmaa."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.sge_cell import OWN_QMASTER
from gcs_lab.doctor.finding import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["apt", "grid_engine"]

_PROGRAMS = Path("/usr/lib/gridengine")
_DRMAA = Path("/usr/lib/gridengine-drmaa/lib/libdrmaa.so.1.0")
_LIBRARIES = (Path(f"/usr/lib/{os.uname().machine}-linux-gnu"), Path("/usr/lib64"), Path("/usr/lib"))

#: Debian's packages, each by a file that it brings.
PRIVATE = {
    "gridengine-master": (_PROGRAMS / "sge_qmaster", OWN_QMASTER),
    "gridengine-exec": (_PROGRAMS / "sge_execd",),
    "gridengine-client": (_PROGRAMS / "qstat",),
}
DRMAA = {"gridengine-drmaa1.0": (_DRMAA,)}
NODES = {
    "libnss-wrapper": tuple(folder / "libnss_wrapper.so" for folder in _LIBRARIES),
    "libsocket-wrapper": tuple(folder / "libsocket_wrapper.so" for folder in _LIBRARIES),
}


def apt(*packages: str) -> str:
    """Return the command that installs Debian's packages; Ubuntu's master is to be configured a second time."""
    command = f"{_root()}apt-get install -y --no-install-recommends {' '.join(packages)}"
    return f"{command} || {_configure()}" if "gridengine-master" in packages and _on_ubuntu() else command


def grid_engine() -> list[Finding]:
    """Return what is there of Grid Engine, and the command that adds the rest."""
    lacking = [name for group in (PRIVATE, DRMAA, NODES) for name in missing(group)]
    if missing(PRIVATE):
        remedy = apt(*lacking) if shutil.which("apt-get") else ""
        site = shutil.which("qstat")
        text = f"the commands of a site are there ({site}); " if site and "gridengine-client" in lacking else ""
        wanted = ", ".join(missing(PRIVATE))
        text += f"for a private Grid Engine (`gcs-lab demo start`) {wanted} of Debian is missing"
        return [Finding("Grid Engine", Level.NOTE, text, remedy)]
    text = f"Debian's {_version()}: all that a private one needs (`gcs-lab demo start`)"
    found = [Finding("Grid Engine", Level.GOOD, text)]
    if "gridengine-master" in _half_configured():
        text = "gridengine-master is there, and apt could not configure it; that keeps apt from ending well"
        found.append(Finding("apt", Level.NOTE, text, _configure()))
    if missing(DRMAA):
        text = "libdrmaa is missing: jobs are sent with qsub, which takes four times as long"
        found.append(Finding("libdrmaa", Level.NOTE, text, apt(*DRMAA)))
    if missing(NODES):
        text = f"{', '.join(missing(NODES))} missing: a private Grid Engine has one host (no --nodes, --simulated)"
        found.append(Finding("nodes", Level.NOTE, text, apt(*missing(NODES))))
    elif not missing(DRMAA):
        found[0] = Finding("Grid Engine", Level.GOOD, f"{found[0].text[:-1]}, --nodes, --simulated), libdrmaa")
    return found


def missing(packages: Mapping[str, tuple[Path, ...]]) -> list[str]:
    """Return those packages of which no file is there."""
    return [name for name, files in packages.items() if not any(path.exists() for path in files)]


def _version() -> str:
    """Return the version of Debian's package, without Debian's own part; "packages" if dpkg does not say it."""
    return _dpkg("${Version}", "gridengine-client").partition("+")[0].strip() or "packages"


def _half_configured() -> list[str]:
    """Return those packages for a private Grid Engine that are unpacked, with a configuration that failed."""
    lines = _dpkg("${Package} ${db:Status-Status}\n", *PRIVATE).splitlines()
    return [line.split()[0] for line in lines if line.endswith(" half-configured")]


def _dpkg(form: str, *packages: str) -> str:
    """Return what dpkg says of packages; empty if there is no dpkg, or it knows none of them."""
    command = ["dpkg-query", "--show", f"--showformat={form}", *packages]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _root() -> str:
    return "" if os.geteuid() == 0 else "sudo "


def _configure() -> str:
    return f"{_root()}dpkg --configure -a"


def _on_ubuntu() -> bool:
    try:
        return platform.freedesktop_os_release().get("ID") == "ubuntu"
    except OSError:
        return False
