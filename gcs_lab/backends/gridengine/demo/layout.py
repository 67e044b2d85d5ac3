"""Where a private cell keeps what: the one module that knows the names in its folder."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shlex
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.demo.shape import Shape
from gcs_lab.backends.gridengine.sge_cell import SgeCell, architecture, debian_binaries, program
from gcs_lab.errors import ClusterNotFound, InvalidArgument, TryLater
from gcs_lab.user_paths import private_folder, state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["CELL", "DemoFolder", "Settings", "demo_folders", "locked"]

#: Name of the one cell in each demo's ``SGE_ROOT``.
CELL = "default"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,40}\Z", re.ASCII)
#: Grid Engine writes these paths, unquoted, into files of its own.
_SAFE_PATH = re.compile(r"/[\w/.+@%-]*\Z", re.ASCII)
_INSTALL = (
    "apt-get install -y --no-install-recommends gridengine-master gridengine-exec gridengine-client "
    "gridengine-drmaa1.0"
)


@dataclass(frozen=True)
class Settings:
    """What a started demo cell remembers of itself (``settings.json``).

    ``version`` counts the changes of a cell's configuration; one that is older is brought up to date when it starts.
    ``slots`` are those of each queue on each host; 0 ``nodes`` mean that its one real host is this machine.
    """

    name: str
    sge_root: str
    sge_cell: str
    qmaster_port: int
    execd_port: int
    slots: int
    version: int = 1
    nodes: int = 0
    simulated: int = 0

    @property
    def shape(self) -> Shape:
        """What the cell consists of."""
        return Shape(self.nodes, self.simulated, self.slots)


@dataclass(frozen=True)
class DemoFolder:
    """The folder of one demo cell, which may not exist (yet)."""

    name: str
    path: Path

    @classmethod
    def of(cls, name: str) -> DemoFolder:
        """Return the folder for the cell `name`.

        Raises
        ------
        InvalidArgument
            If the name or the place cannot be used.
        """
        if not _NAME.match(name):
            raise InvalidArgument(
                f"{name!r} cannot be the name of a demo cell. Use letters, digits, '-', '_' and '.', at most 41."
            )
        folder = cls(name, state_folder() / "demo" / name)
        if not _SAFE_PATH.match(str(folder.path)):
            raise InvalidArgument(
                f"a demo cell cannot live in {folder.path}: Grid Engine's own files cannot name a path with "
                f"white space or "
                "special characters. Set GCS_LAB_HOME to a plain path, for example /tmp/gcs-lab-$USER."
            )
        return folder

    @property
    def sge_root(self) -> Path:
        """``SGE_ROOT`` of the cell."""
        return self.path / "sge"

    @property
    def common(self) -> Path:
        """The cell's common folder."""
        return self.sge_root / CELL / "common"

    @property
    def qmaster_spool(self) -> Path:
        """Where the qmaster keeps its state."""
        return self.sge_root / CELL / "spool" / "qmaster"

    @property
    def execd_spool(self) -> Path:
        """Where the execution daemon keeps its state."""
        return self.sge_root / CELL / "spool" / "execd"

    @property
    def tmpdir(self) -> Path:
        """Parent of the jobs' ``TMPDIR``; a cell's own, for jobs of two cells may have the same number."""
        return self.path / "tmp"

    @property
    def mailer(self) -> Path:
        """The program that the daemons start to send an e-mail; it appends to `mailbox`."""
        return self.path / "mailer"

    @property
    def mailbox(self) -> Path:
        """All e-mails that the cell has sent, in mbox format; none leaves this machine."""
        return self.path / "mailbox"

    @property
    def commands(self) -> Path:
        """The programs for shells and jobs, ``$SGE_ROOT/bin/$SGE_ARCH``."""
        return self.sge_root / "bin" / architecture()

    @property
    def hosts(self) -> Path:
        """Names and addresses of hosts that only this cell knows, as in hosts(5)."""
        return self.path / "hosts"

    @property
    def sockets(self) -> Path:
        """The unix sockets that stand for the ports of the nodes; a short name, because their paths must be short."""
        return self.path / "s"

    @property
    def shepherd(self) -> Path:
        """The program that nodes start instead of sge_shepherd."""
        return self.path / "shepherd"

    @property
    def starter(self) -> Path:
        """The program that starts a node's jobs."""
        return self.path / "starter"

    @property
    def settings_sh(self) -> Path:
        """What a user sources to use ``qsub`` and ``qstat`` with the cell."""
        return self.path / "settings.sh"

    @property
    def settings_json(self) -> Path:
        """The same for programs; written last, so that it tells a complete cell from a half made one."""
        return self.path / "settings.json"

    def settings(self) -> Settings | None:
        """Return what the cell remembers of itself, or None if it was never completely made."""
        try:
            return Settings(**json.loads(self.settings_json.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write_settings(self, settings: Settings) -> None:
        """Write both settings files, whole or not at all."""
        binaries = installed()
        lines = [f"# Grid Engine demo cell {settings.name!r}: source this file, then use qstat, qsub …"]
        variables = {
            "SGE_ROOT": settings.sge_root,
            "SGE_CELL": settings.sge_cell,
            "SGE_QMASTER_PORT": settings.qmaster_port,
            "SGE_EXECD_PORT": settings.execd_port,
            "SGE_ARCH": architecture(),
        }
        lines += [f"{name}={shlex.quote(str(value))}; export {name}" for name, value in variables.items()]
        programs = self.commands if settings.nodes or settings.simulated else binaries
        lines += [f"PATH={shlex.quote(str(programs))}:$PATH; export PATH"]
        for path, text in (
            (self.settings_sh, "\n".join(lines) + "\n"),
            (self.settings_json, json.dumps(asdict(settings), indent=1) + "\n"),
        ):
            temporary = path.with_name(f".{path.name}.new")
            temporary.write_text(text)
            temporary.replace(path)

    def cell(self, qmaster_port: int, execd_port: int) -> SgeCell:
        """Return the cell for the clients."""
        return SgeCell(self.sge_root, CELL, installed(), architecture(), qmaster_port, execd_port)


def installed() -> Path:
    """Return Debian's Grid Engine programs, the daemons among them.

    Raises
    ------
    ClusterNotFound
        If the packages are missing; says how to install them.
    """
    binaries = debian_binaries()
    needed = ("sge_qmaster", "sge_execd", "qsub")
    missing = [name for name in needed if binaries is None or not program(binaries, name).is_file()]
    if binaries is None or missing:
        raise ClusterNotFound(
            f"a private Grid Engine needs Debian's packages, and {', '.join(missing)} of them is not there. "
            f"Install them "
            f"(they start nothing by themselves that you need): {_INSTALL}    "
            "(on Ubuntu 24.04, then: dpkg --configure -a)"
        )
    return binaries


def demo_folders() -> list[DemoFolder]:
    """Return the folders of all demo cells of this user."""
    base = state_folder() / "demo"
    if not base.is_dir():
        return []
    return [
        DemoFolder(path.name, path) for path in sorted(base.iterdir()) if path.is_dir() and _NAME.match(path.name)
    ]


@contextlib.contextmanager
def locked(timeout: float = 60.0) -> Iterator[None]:
    """Keep a second ``start`` or ``stop`` of this user out; the lock dies with its process.

    Raises
    ------
    TryLater
        If another one holds it for `timeout` seconds.
    """
    descriptor = os.open(private_folder(state_folder() / "demo"), os.O_RDONLY | os.O_DIRECTORY)
    deadline = time.monotonic() + timeout
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TryLater(
                        f"another start or stop of a demo cell has been running for {timeout:g} s; wait for "
                        f"it to end."
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)
