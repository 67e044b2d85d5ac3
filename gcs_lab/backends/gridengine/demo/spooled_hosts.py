"""What a qmaster is to find in its spool when it starts: hosts, and what belongs to each of them.

A new cell's hosts are written as classic spooling keeps them (the format is that of ``qconf -se``, ``-sc`` and
``-sconf`` of 8.1.9), because 500 of them take ``qconf`` half a minute, and a qmaster that reads them a moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gcs_lab.backends.gridengine.demo.layout import DemoFolder
    from gcs_lab.backends.gridengine.demo.shape import Shape

__all__ = ["PROJECTS", "SIMULATION", "spool_hosts"]

#: sge_conf(5), ``qmaster_params``: jobs are sent nowhere, and end after the seconds of their first argument.
SIMULATION = "SIMULATE_EXECDS=TRUE"
_HEAD = "# Version: 8.1.9\n# \n# DO NOT MODIFY THIS FILE MANUALLY!\n# \n"
_REPORTER = "load_report_host"
_COMPLEX = f"""\
name        {_REPORTER}
shortcut    lrh
type        STRING
relop       ==
requestable YES
consumable  NO
default     NONE
urgency     0
"""
_HOST = """\
hostname              {name}
load_scaling          {scaling}
complex_values        {values}
load_values           NONE
processors            0
reschedule_unknown_list NONE
user_lists            NONE
xuser_lists           NONE
projects              NONE
xprojects             NONE
usage_scaling         NONE
report_variables      NONE
"""
#: Load and used memory of the one host that reports, multiplied for every simulated one by one of these.
_SCALES = (0.2, 0.5, 0.8, 1.0, 1.5, 2.5, 4.0)
_PROCESSORS = (8, 16, 16, 32)
#: sge_conf(5): the groups by which an execution daemon that runs as root finds the processes of a job. Nodes share a
#: machine, so they may not share a range: the end of a job would kill another node's.
_FIRST_GROUP, _GROUPS = 20_000, 200


#: Those of a simulated cell, where only one user can submit jobs (project(5)).
PROJECTS = ("physics", "biology", "climate", "teaching")


def spool_hosts(folder: DemoFolder, shape: Shape) -> None:
    """Write the hosts of a new cell into the spool of its qmaster, which does not run yet.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    spool = folder.qmaster_spool
    if shape.simulated:
        (spool / "centry" / _REPORTER).write_text(_HEAD + _COMPLEX)
    for number, name in enumerate(shape.simulated_names):
        scale = _SCALES[number * 5 % len(_SCALES)]
        loads = ("load_avg", "load_short", "load_medium", "load_long", "np_load_avg", "mem_used")
        values = f"{_REPORTER}={shape.head},num_proc={_PROCESSORS[number % len(_PROCESSORS)]}"
        scaling = ",".join(f"{load}={scale:.6f}" for load in loads)
        (spool / "exec_hosts" / name).write_text(_HEAD + _HOST.format(name=name, scaling=scaling, values=values))
    if shape.nodes:
        local = folder.common / "local_conf"
        local.mkdir(exist_ok=True)
        for number, name in enumerate(shape.node_names):
            first = _FIRST_GROUP + number * _GROUPS
            (local / name).write_text(f"{_HEAD}gid_range             {first}-{first + _GROUPS - 1}\n")
