"""The names and sockets of a cell that has a network of its own, as :mod:`gcs_lab.backends.gridengine.demo` makes it.

Debian's libnss-wrapper gives host names that only this cell knows (nss_wrapper(1)); libsocket-wrapper lets the
traffic of its daemons and clients run over unix sockets in one folder, so that many nodes live on one machine
(socket_wrapper(1)). Both are preloaded into every program of the cell. What has to be set for that is told by a file
beside ``act_qmaster``, so that whoever finds the cell finds it too.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FILE", "PrivateNetwork", "socket_path"]

#: The file in the cell's ``common`` folder.
FILE = "gcs_lab_network.json"
#: What ``/proc/net/unix`` says of a socket that accepts connections (``__SO_ACCEPTCON`` of Linux).
_LISTENS = b"00010000"
_UNIX_SOCKETS = Path("/proc/net/unix")


def socket_path(folder: str, interface: int, port: int) -> str:
    """Return the unix socket that stands for a TCP port of the host 127.0.0.`interface` (``socket_wrapper.c``)."""
    return f"{folder}/T{interface:02X}{port:04X}"


@dataclass(frozen=True)
class PrivateNetwork:
    """What programs of such a cell need in their environment.

    ``libraries`` are preloaded; ``variables`` are those of a client. ``sockets`` is the folder of the unix sockets,
    empty where only names are the cell's own; ``qmaster_interface`` the last byte of the qmaster's address there.
    """

    libraries: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    sockets: str = ""
    qmaster_interface: int = 0

    @classmethod
    def of(cls, common: Path) -> PrivateNetwork | None:
        """Return the network of the cell with this ``common`` folder, or None: it uses that of the machine."""
        try:
            told = json.loads((common / FILE).read_text())
            return cls(**(told | {"libraries": tuple(told["libraries"])}))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def write(self, common: Path) -> None:
        """Write it where :meth:`of` finds it. Raises OSError if that fails."""
        (common / FILE).write_text(json.dumps(asdict(self), indent=1) + "\n")

    def environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return `environment` with what a client of the cell needs; libraries that it preloads already stay."""
        others = [word for word in environment.get("LD_PRELOAD", "").replace(":", " ").split() if word]
        preload = [*self.libraries, *(word for word in others if word not in self.libraries)]
        return {**environment, **self.variables, "LD_PRELOAD": ":".join(preload)}

    def qmaster_listens(self, port: int) -> bool:
        """Tell whether the qmaster's unix socket accepts connections.

        The kernel's list is read: a connection that is no client's would be an error in the qmaster's messages.
        """
        wanted = socket_path(self.sockets, self.qmaster_interface, port).encode()
        try:
            lines = _UNIX_SOCKETS.read_bytes().splitlines()
        except OSError:
            return False
        # Num RefCount Protocol Flags Type St Inode Path
        return any(line.endswith(b" " + wanted) and line.split(maxsplit=7)[3] == _LISTENS for line in lines)
