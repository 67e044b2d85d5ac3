"""One Grid Engine cell as the clients see it: where it is, and the environment of its commands."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from gcs_lab.backends.gridengine.private_network import PrivateNetwork

__all__ = ["OWN_QMASTER", "SgeCell", "architecture", "debian_binaries", "program"]

#: Where Debian puts the real programs; ``/usr/bin/qstat`` is a shell wrapper that costs 30 ms a call.
_DEBIAN = Path("/usr/lib/gridengine")
#: The qmaster's program beside Python, put there by who cannot install its package: Ubuntu 24.04's
#: (8.1.9+dfsg-11build3) ends with a segmentation fault when it is configured (binder/postBuild).
OWN_QMASTER = Path(sys.prefix) / "lib" / "gridengine" / "sge_qmaster"
_LIBDRMAA = ("libdrmaa.so.1.0", "libdrmaa.so")


def debian_binaries() -> Path | None:
    """Return the folder of Debian's Grid Engine programs, if the packages are installed."""
    return _DEBIAN if (_DEBIAN / "qstat").is_file() else None


def program(binaries: Path, name: str) -> Path:
    """Return the path of a program of Grid Engine, which may not be there; the qmaster's may stand beside Python."""
    packaged = binaries / name
    own = name == OWN_QMASTER.name and OWN_QMASTER.is_file() and not packaged.is_file()
    return OWN_QMASTER if own else packaged


def architecture() -> str:
    """Return Grid Engine's name for this machine (``util/arch``): ``lx-amd64``, ``lx-arm64``."""
    machine = os.uname().machine
    return "lx-" + {"x86_64": "amd64", "aarch64": "arm64", "i686": "x86", "i386": "x86"}.get(machine, machine)


@dataclass(frozen=True)
class SgeCell:
    """A cell (``SGE_ROOT``/``SGE_CELL``), found but not necessarily answering.

    ``qmaster_port`` and ``execd_port`` are None where the services file is to tell them to the clients.
    """

    root: Path
    name: str
    binaries: Path
    arch: str
    qmaster_port: int | None = None
    execd_port: int | None = None

    @property
    def common(self) -> Path:
        """The folder of files that all hosts share: ``act_qmaster``, ``accounting`` and others."""
        return self.root / self.name / "common"

    def qmaster_host(self) -> str | None:
        """Return the host in ``act_qmaster``, or None if no qmaster was ever set up."""
        try:
            host = (self.common / "act_qmaster").read_text().split()
        except OSError:
            return None
        # Debian's package installs the file with this word in it.
        return host[0] if host and host[0] != "none" else None

    def port(self) -> int | None:
        """Return the qmaster's port, from the environment's figure or the services file."""
        if self.qmaster_port is not None:
            return self.qmaster_port
        for service in ("sge_qmaster", "sge-qmaster"):
            try:
                return socket.getservbyname(service, "tcp")
            except OSError:
                continue
        return None

    def answers(self, timeout: float = 0.03) -> bool:
        """Tell whether something accepts connections at the qmaster's port, within `timeout` seconds."""
        host, port = self.qmaster_host(), self.port()
        if host is None or port is None:
            return False
        network = PrivateNetwork.of(self.common)
        if network is not None and network.sockets:
            return network.qmaster_listens(port)
        try:
            with socket.create_connection((host, port), timeout=timeout):
                return True
        except OSError:
            return False

    def environment(self) -> dict[str, str]:
        """Return the whole environment for a command of this cell.

        The user's own, without another cell's variables; messages in English, so that they can be understood.
        """
        env = {name: value for name, value in os.environ.items() if not name.startswith("SGE_")}
        env |= {"SGE_ROOT": str(self.root), "SGE_CELL": self.name, "SGE_ARCH": self.arch, "LC_ALL": "C.UTF-8"}
        env |= {"SGE_SINGLE_LINE": "1"}  # `qconf` else breaks long lines with a backslash
        if self.qmaster_port is not None:
            env["SGE_QMASTER_PORT"] = str(self.qmaster_port)
        if self.execd_port is not None:
            env["SGE_EXECD_PORT"] = str(self.execd_port)
        network = PrivateNetwork.of(self.common)
        return env if network is None else network.environment(env)

    def command(self, name: str) -> str:
        """Return the path of the cell's program `name` (``qstat``, ``qsub`` …)."""
        return str(program(self.binaries, name))

    def drmaa_library(self) -> Path | None:
        """Return libdrmaa of this cell, if it is installed."""
        folders = [self.root / "lib" / self.arch, Path("/usr/lib/gridengine-drmaa/lib")]
        if self.binaries != _DEBIAN:
            folders.pop()  # another version's library does not speak this cell's protocol
        return next((f / name for f in folders for name in _LIBDRMAA if (f / name).is_file()), None)
