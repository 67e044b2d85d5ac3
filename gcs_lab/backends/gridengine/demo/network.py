"""The network of a private cell whose hosts are not this machine: host names, unix sockets, commands for a shell.

How its programs are told is in :mod:`gcs_lab.backends.gridengine.private_network`; here it is made.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.demo.job_programs import write_job_programs, write_program
from gcs_lab.backends.gridengine.private_network import PrivateNetwork, socket_path
from gcs_lab.errors import ClusterNotFound, InvalidArgument

if TYPE_CHECKING:
    from gcs_lab.backends.gridengine.demo.layout import DemoFolder
    from gcs_lab.backends.gridengine.demo.shape import Shape

__all__ = ["EXECD_PORT", "INSTALL", "QMASTER_PORT", "network_of", "node_environment", "write_network"]

INSTALL = "apt-get install -y --no-install-recommends libnss-wrapper libsocket-wrapper"
#: Grid Engine's own (services(5)): with sockets of its own each cell has all ports to itself.
QMASTER_PORT, EXECD_PORT = 6444, 6445
_HEAD_INTERFACE = 2
#: Behind the wrappers, so that malloc(3) is its own. jemalloc, which Grid Engine uses, calls syscall(2) when it is
#: first asked for memory; socket_wrapper 1.4 wraps that, asks for memory in turn, and each waits for the other.
_C_LIBRARY = "libc.so.6"
#: unix(7).
_LONGEST_SOCKET_PATH = 107
#: Places of shared libraries: Debian's for this machine, then other distributions'.
_LIBRARY_FOLDERS = (f"/usr/lib/{os.uname().machine}-linux-gnu", "/usr/lib64", "/usr/lib")
#: Programs that jobs and shells call; the daemons and their own helpers are started with all that they need.
_NO_COMMANDS = {"sge_coshepherd", "sge_execd", "sge_qmaster", "sge_shadowd", "sge_shepherd", "work"}


def _library(name: str, package: str) -> str:
    found = next((path for folder in _LIBRARY_FOLDERS if (path := Path(folder) / name).exists()), None)
    if found is None:
        raise ClusterNotFound(
            f"a private Grid Engine with nodes or simulated hosts needs {name} of Debian's package {package}, and it "
            f"is not there. Install it: {INSTALL}. Without --nodes and --simulated it is not needed."
        )
    return str(found)


def _addresses(shape: Shape) -> dict[str, str]:
    """Return the addresses by name; all are loopback ones, and nothing listens on those of simulated hosts.

    No two hosts have the same one, which Grid Engine would take for the same host.
    """
    if shape.nodes:
        names = (shape.head, *shape.node_names)
        return {name: f"127.0.0.{number}" for number, name in enumerate(names, start=_HEAD_INTERFACE)}
    machine = os.uname().nodename
    found = dict.fromkeys((shape.head, machine, machine.partition(".")[0]), "127.0.0.1")
    return found | {name: f"127.1.{n // 250}.{n % 250 + 1}" for n, name in enumerate(shape.simulated_names)}


def network_of(folder: DemoFolder, shape: Shape) -> PrivateNetwork | None:
    """Return the network that a cell of this shape needs, or None if that of the machine will do.

    Raises
    ------
    ClusterNotFound
        If a library is missing; says how to install it.
    InvalidArgument
        If the cell's folder has too long a path for unix sockets.
    """
    if not shape.nodes and not shape.simulated:
        return None
    nss = _library("libnss_wrapper.so", "libnss-wrapper")
    variables = {
        "NSS_WRAPPER_HOSTS": str(folder.hosts),
        # A line takes two entries of a table that does not grow; the default is 100.
        "NSS_WRAPPER_MAX_HOSTENTS": str(4 * len(_addresses(shape)) + 100),
    }
    if not shape.nodes:
        return PrivateNetwork((nss,), variables)
    longest = socket_path(str(folder.sockets), _HEAD_INTERFACE, QMASTER_PORT)
    if len(os.fsencode(longest)) > _LONGEST_SOCKET_PATH:
        raise InvalidArgument(
            f"a cell with nodes cannot live in {folder.path}: a unix socket in it, {longest}, has a path of more "
            f"than {_LONGEST_SOCKET_PATH} bytes. Set GCS_LAB_HOME to a shorter path, for example /tmp/gcs-lab-$USER."
        )
    sockets = {
        "SOCKET_WRAPPER_DIR": str(folder.sockets),
        "SOCKET_WRAPPER_DEFAULT_IFACE": str(_HEAD_INTERFACE),
        "NSS_WRAPPER_HOSTNAME": shape.head,
    }
    libraries = (nss, _library("libsocket_wrapper.so", "libsocket-wrapper"), _C_LIBRARY)
    return PrivateNetwork(libraries, variables | sockets, str(folder.sockets), _HEAD_INTERFACE)


def node_environment(shape: Shape, host: str) -> dict[str, str]:
    """Return what makes a daemon one of `host`, beside what every program of the cell gets."""
    if not shape.nodes:
        return {}
    interface = _HEAD_INTERFACE + (shape.head, *shape.node_names).index(host)
    return {"SOCKET_WRAPPER_DEFAULT_IFACE": str(interface), "NSS_WRAPPER_HOSTNAME": host}


def write_network(folder: DemoFolder, shape: Shape, network: PrivateNetwork, binaries: Path) -> None:
    """Write the names of the hosts, the programs for shells and jobs, and what clients are to know.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    # What is not in the file getaddrinfo(3) asks of the machine's own resolver; gethostbyname(3) does not find it.
    folder.hosts.write_text("".join(f"{address} {name}\n" for name, address in _addresses(shape).items()))
    if network.sockets:
        folder.sockets.mkdir(mode=0o700)
        write_job_programs(folder, network, binaries)
    commands = folder.commands
    commands.mkdir()
    assignments = network.environment({})
    words = " ".join(f"{name}={shlex.quote(value)}" for name, value in assignments.items() if name != "LD_PRELOAD")
    preload = f'LD_PRELOAD="{assignments["LD_PRELOAD"]}${{LD_PRELOAD:+:$LD_PRELOAD}}"'
    for program in sorted(binaries.iterdir()):
        if program.name in _NO_COMMANDS or program.suffix == ".so" or not os.access(program, os.X_OK):
            continue
        write_program(commands / program.name, f'#!/bin/sh\n{words} {preload} exec {program} "$@"\n')
    network.write(folder.common)
