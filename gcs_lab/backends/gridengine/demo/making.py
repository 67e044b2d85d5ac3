"""The steps by which a new private cell is made, and one that an older version made gets what it lacks."""

from __future__ import annotations

import shutil
import socket
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.catalogue import parse_names
from gcs_lab.backends.gridengine.commands import ask, run_command
from gcs_lab.backends.gridengine.demo import configuration
from gcs_lab.backends.gridengine.demo.layout import CELL, Settings
from gcs_lab.backends.gridengine.demo.network import EXECD_PORT, QMASTER_PORT
from gcs_lab.backends.gridengine.demo.processes import execution_daemons
from gcs_lab.backends.gridengine.demo.readiness import (
    StepClock,
    await_until,
    closed_queues,
    start_execution_daemons,
    start_qmaster,
)
from gcs_lab.backends.gridengine.demo.spooled_hosts import PROJECTS, spool_hosts
from gcs_lab.errors import Internal
from gcs_lab.user_paths import private_folder

if TYPE_CHECKING:
    from pathlib import Path

    from gcs_lab.backends.gridengine.demo.layout import DemoFolder
    from gcs_lab.backends.gridengine.demo.shape import Shape
    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["bring_up_to_date", "make_cell"]


def make_cell(folder: DemoFolder, shape: Shape) -> dict[str, float]:
    """Make a new cell, which could run a job when this returns; return the seconds of each step.

    Raises
    ------
    Internal
        If a daemon ends, perhaps because another program took its port.
    GcsError
        If it does not come up, or if something that it needs is not there.
    """
    clock = StepClock()
    private_folder(folder.path)
    qmaster_port, execd_port = (QMASTER_PORT, EXECD_PORT) if shape.nodes else _free_ports()
    cell = folder.cell(qmaster_port, execd_port)
    objects = configuration.write_all(folder, cell.binaries, shape)
    _spool(folder, cell, objects)
    spool_hosts(folder, shape)
    clock.lap("configuration")
    start_qmaster(folder, cell)
    clock.lap("sge_qmaster")
    _configure(cell, objects, shape)
    start_execution_daemons(folder, cell, execution_daemons(shape), shape)
    clock.lap("sge_execd")
    await_until(lambda: not closed_queues(cell, shape), "no queue is open", folder)
    clock.lap("ready")
    shutil.rmtree(objects)
    own = (folder.name, str(folder.sge_root), CELL, qmaster_port, execd_port, shape.slots)
    folder.write_settings(Settings(*own, configuration.VERSION, shape.nodes, shape.simulated))
    return clock.laps


def _free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


def _spool(folder: DemoFolder, cell: SgeCell, objects: Path) -> None:
    library = {"LD_LIBRARY_PATH": str(cell.binaries)}
    resources = configuration.SHARE / "util" / "resources"
    for argv in (
        ["spoolinit", "classic", "libspoolc", configuration.spooling_parameters(folder), "init"],
        ["spooldefaults.bin", "configuration", str(objects / "global")],
        ["spooldefaults.bin", "complexes", str(resources / "centry")],
        ["spooldefaults.bin", "usersets", str(objects / "usersets")],
        ["spooldefaults.bin", "managers", configuration.user_name()],
    ):
        answer = run_command(cell, argv, extra_env=library)
        if answer.exit_status:
            raise Internal(
                f"{argv[0]} {argv[1]} failed: {answer.said or 'it said nothing'}. Its files: {folder.path}."
            )


def _configure(cell: SgeCell, objects: Path, shape: Shape) -> None:
    # From every host jobs may be submitted: those of nodes, too.
    ask(cell, ["qconf", "-as", ",".join((shape.head, *shape.node_names))])
    if shape.nodes:
        ask(cell, ["qconf", "-ah", ",".join(shape.node_names)])
    for name in shape.host_groups:
        ask(cell, ["qconf", "-Ahgrp", str(objects / name)])
    for name in configuration.PARALLEL_ENVIRONMENTS:
        ask(cell, ["qconf", "-Ap", str(objects / name)])
    for name in shape.queues:
        ask(cell, ["qconf", "-Aq", str(objects / name)])
    for name in PROJECTS if shape.simulated else ():
        (objects / name).write_text(f"name {name}\noticket 0\nfshare 0\nacl NONE\nxacl NONE\n")
        ask(cell, ["qconf", "-Aprj", str(objects / name)])
    _configure_scheduler(cell, objects)


def _configure_scheduler(cell: SgeCell, objects: Path) -> None:
    scheduler = objects / "scheduler"
    scheduler.write_text(configuration.sched_conf(ask(cell, ["qconf", "-ssconf"]).text))
    ask(cell, ["qconf", "-Msconf", str(scheduler)])


def bring_up_to_date(folder: DemoFolder, cell: SgeCell, shape: Shape) -> None:
    """Give a cell that an older version made what it lacks; what is not configured here stays as it is."""
    objects = private_folder(folder.path / "objects")
    configuration.write_mailer(folder)
    (objects / "global").write_text(configuration.global_conf(folder, shape, ask(cell, ["qconf", "-sconf"]).text))
    ask(cell, ["qconf", "-Mconf", str(objects / "global")])
    _configure_scheduler(cell, objects)
    there = parse_names(ask(cell, ["qconf", "-spl"]).text)
    for name in (name for name in configuration.PARALLEL_ENVIRONMENTS if name not in there):
        (objects / name).write_text(configuration.parallel_environment(name))
        ask(cell, ["qconf", "-Ap", str(objects / name)])
        for queue in shape.queues:
            ask(cell, ["qconf", "-aattr", "queue", "pe_list", name, queue])
    for users in configuration.USER_SETS:
        run_command(cell, ["qconf", "-au", configuration.user_name(), users])  # it complains if that is so
    shutil.rmtree(objects)
