"""The files that make a private cell: bootstrap, global configuration, queues, parallel environments, scheduler.

Sources: sge_bootstrap(5), sge_conf(5), sge_queue_conf(5), sge_pe(5), sge_sched_conf(5), access_list(5), of 8.1.9.
"""

from __future__ import annotations

import contextlib
import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.accounting_record import parse_record
from gcs_lab.backends.gridengine.demo.network import network_of, write_network
from gcs_lab.backends.gridengine.demo.spooled_hosts import SIMULATION
from gcs_lab.backends.gridengine.demo.spooling_library import DEBIANS
from gcs_lab.backends.gridengine.sge_cell import architecture

if TYPE_CHECKING:
    from gcs_lab.backends.gridengine.demo.layout import DemoFolder
    from gcs_lab.backends.gridengine.demo.shape import Shape

__all__ = [
    "PARALLEL_ENVIRONMENTS",
    "SHARE",
    "USER_SETS",
    "VERSION",
    "global_conf",
    "keep_job_numbers",
    "keep_messages_short",
    "parallel_environment",
    "sched_conf",
    "user_name",
    "write_all",
    "write_mailer",
]

#: Of what is configured here; it grows with every change that an existing cell is to get, too.
VERSION = 3

SHARE = Path("/usr/share/gridengine")
#: Of messages, before they are set aside: a line of 70 bytes is written for each job that is deleted.
_LONG_MESSAGES = 16 << 20
#: Numbers that may have gone to jobs of which no trace is left, because they were deleted before they ran.
_UNSEEN_JOBS = 100
#: Name to allocation rule: round robin over hosts, all on one host, host after host, two on each host.
PARALLEL_ENVIRONMENTS = {"make": "$round_robin", "smp": "$pe_slots", "mpi": "$fill_up", "two": "2"}
#: Who may make advance reservations, and who may give deadlines (qrsub(1), qsub(1)): the cell's user.
USER_SETS = ("arusers", "deadlineusers")

#: Usage and load often, so that a short job's memory is seen; a dead execution daemon is noticed within half a
#: minute.
_GLOBAL = {
    "min_uid": "0",
    "min_gid": "0",
    "administrator_mail": "none",
    "user_lists": "owner",
    "max_aj_tasks": "1000000",
    # At this level the qmaster's messages tell who deleted a job.
    "loglevel": "log_info",
    "load_report_time": "00:00:05",
    "max_unheard": "00:00:30",
    # What the daemon was started with is none of a job's business.
    "execd_params": "INHERIT_ENV=false",
    # 0 writes a job's record the moment it ends.
    "reporting_params": "accounting=true reporting=false flush_time=00:00:15 accounting_flush_time=00:00:00 "
    "joblog=false "
    "sharelog=00:00:00",
}
#: A flush of 1 s is the least there is; 0 would mean "only every schedule_interval". An idle cell starts a job about
#: 15 ms after its submission, because the second is counted from the last event. A cell as it is installed gives
#: `qsub -p` the weight 0, so that it has no effect (sge_priority(5)).
_SCHEDULER = {
    "schedule_interval": "0:0:1",
    "flush_submit_sec": "1",
    "flush_finish_sec": "1",
    "job_load_adjustments": "NONE",
    "load_adjustment_decay_time": "0:0:0",
    "schedd_job_info": "true",
    "weight_priority": "1.000000",
    "weight_urgency": "0.100000",
    "weight_ticket": "0.010000",
}
_QUEUE = """
seq_no 0
load_thresholds NONE
suspend_thresholds NONE
nsuspend 1
suspend_interval 00:05:00
priority 0
min_cpu_interval 00:05:00
processors UNDEFINED
qtype BATCH INTERACTIVE
ckpt_list NONE
rerun FALSE
shell /bin/sh
prolog NONE
epilog NONE
shell_start_mode posix_compliant
starter_method NONE
suspend_method NONE
resume_method NONE
terminate_method NONE
notify 00:00:60
owner_list NONE
user_lists NONE
xuser_lists NONE
subordinate_list NONE
complex_values NONE
projects NONE
xprojects NONE
calendar NONE
initial_state default
""".lstrip()
_PARALLEL_ENVIRONMENT = """
slots 999
user_lists NONE
xuser_lists NONE
start_proc_args NONE
stop_proc_args NONE
control_slaves TRUE
job_is_first_task TRUE
urgency_slots min
accounting_summary TRUE
qsort_args NONE
""".lstrip()
_LIMITS = ("rt", "cpu", "fsize", "data", "stack", "core", "rss", "vmem")


def user_name() -> str:
    """Return the name of the user that this process runs as."""
    return pwd.getpwuid(os.getuid()).pw_name


#: sge_conf(5): called with ``-s SUBJECT RECIPIENT`` and the message on standard input, once for each recipient. Two
#: may run at once: the message is read first, then written in one piece, by one at a time. In a mailbox a line that
#: begins with "From " begins a message.
_MAILER = r"""#!/bin/sh
umask 077
export LC_ALL=C
message=$(sed 's/^From />From /')
begin=$(date '+%a %b %e %H:%M:%S %Y')
sent=$(date '+%a, %d %b %Y %H:%M:%S %z')
exec 9>>"${0%/*}/mailbox"
flock 9
printf 'From gcs-lab@localhost %s\nDate: %s\nFrom: gcs-lab@localhost\nTo: %s\nSubject: %s\n\n%s\n\n' \
    "$begin" "$sent" "$3" "$2" "$message" >&9
"""


def _table(values: dict[str, str]) -> str:
    return "".join(f"{name} {value}\n" for name, value in values.items())


def _replaced(text: str, values: dict[str, str]) -> str:
    """Return a Grid Engine configuration with some of its values replaced, one a line."""
    lines = []
    for line in text.splitlines():
        name = line.split(maxsplit=1)[0] if line.strip() else ""
        if name and not name.startswith("#"):
            lines.append(f"{name} {values[name]}" if name in values else line)
    return "\n".join(lines) + "\n"


def sched_conf(present: str) -> str:
    """Return the scheduler's configuration (``qconf -ssconf``) with what makes it quick."""
    return _replaced(present, _SCHEDULER)


def global_conf(folder: DemoFolder, shape: Shape, present: str) -> str:
    """Return the global configuration (``qconf -sconf``) with what makes it this cell's."""
    own = {"execd_spool_dir": str(folder.execd_spool), "mailer": str(folder.mailer)}
    if shape.nodes:
        own["shepherd_cmd"] = str(folder.shepherd)
    if shape.simulated:
        # One array may fill all hosts; else it is 2,000 tasks at once. 0, "no limit", lets 8.1.9 start none at all.
        own |= {"qmaster_params": SIMULATION, "max_aj_instances": "1000000"}
    return _replaced(present, _GLOBAL | own)


def write_mailer(folder: DemoFolder) -> None:
    """Write the program that keeps the cell's e-mails. Raises OSError if it cannot be written."""
    folder.mailer.write_text(_MAILER)
    folder.mailer.chmod(0o700)


def _bootstrap(folder: DemoFolder, binaries: Path, library: str) -> dict[str, str]:
    return {
        "admin_user": user_name(),
        "default_domain": "none",
        "ignore_fqdn": "true",
        "spooling_method": "classic",
        "spooling_lib": library,
        "spooling_params": spooling_parameters(folder),
        "binary_path": str(binaries),
        "qmaster_spool_dir": str(folder.qmaster_spool),
        "security_mode": "none",
        "listener_threads": "2",
        "worker_threads": "2",
        "scheduler_threads": "1",
    }


def write_bootstrap(folder: DemoFolder, binaries: Path, library: str = DEBIANS) -> None:
    """Write what the daemons read first. Raises OSError if it cannot be written.

    Parameters
    ----------
    folder
        The cell's.
    binaries
        Where Grid Engine's programs are.
    library
        The spooling library. The programs that make a cell need Debian's, the qmaster may need another.
    """
    path = folder.common / "bootstrap"
    new = path.with_suffix(".new")
    new.write_text(_table(_bootstrap(folder, binaries, library)))
    new.replace(path)


def spooling_parameters(folder: DemoFolder) -> str:
    """Return the argument of classic spooling."""
    return f"{folder.common};{folder.qmaster_spool}"


def _queue(name: str, shape: Shape, tmpdir: Path) -> str:
    group, h_rt = shape.queues[name]
    limits = {f"{kind}_{limit}": "INFINITY" for limit in _LIMITS for kind in ("s", "h")}
    # Each node has a folder of its own, as each machine has its /tmp: parts of one job have the same name.
    folders = ",".join([str(tmpdir), *(f"[{node}={tmpdir / node}]" for node in shape.node_names)])
    own = {"qname": name, "hostlist": group, "slots": str(shape.slots), "tmpdir": folders}
    own |= {"pe_list": " ".join(PARALLEL_ENVIRONMENTS)} | limits | {"h_rt": h_rt}
    return _table(own) + _QUEUE


def parallel_environment(name: str) -> str:
    """Return the configuration of one of `PARALLEL_ENVIRONMENTS`."""
    rule = PARALLEL_ENVIRONMENTS[name]
    return _table({"pe_name": name, "allocation_rule": rule}) + _PARALLEL_ENVIRONMENT


def _aliases() -> str:
    """Return ``host_aliases``: every name of this machine means the loopback one, which is all that is served."""
    name, served = os.uname().nodename, "localhost"
    others = dict.fromkeys(n for n in (name, name.partition(".")[0]) if n and n != served)
    return f"{served} {' '.join(others)}\n" if others else ""


def keep_job_numbers(folder: DemoFolder) -> None:
    """See to it that a qmaster that was killed goes on counting where it was.

    8.1.9 writes ``jobseqnum`` only now and then, and guesses from the jobs it still has: a number could come twice.
    """
    path = folder.qmaster_spool / "jobseqnum"
    known = [0]
    with contextlib.suppress(OSError, ValueError):
        known.append(int(path.read_text()))
    with contextlib.suppress(OSError), (folder.common / "accounting").open() as accounting:
        known += [int(record.job_id) for line in accounting if (record := parse_record(line)) is not None]
    # Jobs are spooled as jobs/00/0012/3456.
    spooled = (folder.qmaster_spool / "jobs").glob("??/????/????*")
    known += [int(number) for job in spooled if (number := "".join(job.parts[-3:]).partition("-")[0]).isdigit()]
    path.write_text(f"{max(known) + _UNSEEN_JOBS}\n")


def keep_messages_short(folder: DemoFolder) -> None:
    """Set the messages of a qmaster that is not running aside if they are long; those set aside before are gone."""
    messages = folder.qmaster_spool / "messages"
    with contextlib.suppress(OSError):
        if messages.stat().st_size > _LONG_MESSAGES:
            messages.replace(messages.with_name("messages.0"))


def write_all(folder: DemoFolder, binaries: Path, shape: Shape) -> Path:
    """Write all files of a new cell; return the folder with those that the commands load later.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    objects = folder.path / "objects"
    own = [folder.tmpdir / node for node in shape.node_names]
    for path in (folder.common, folder.qmaster_spool, folder.execd_spool, folder.tmpdir, *own, objects / "usersets"):
        path.mkdir(parents=True)
    for part in ("bin", "utilbin", "lib"):
        (folder.sge_root / part).mkdir()
    network = network_of(folder, shape)
    if network is None:
        folder.commands.symlink_to(binaries)
        (folder.common / "host_aliases").write_text(_aliases())
    else:
        write_network(folder, shape, network, binaries)
        if not shape.nodes:
            (folder.common / "host_aliases").write_text(_aliases())
    for part in ("utilbin", "lib"):
        (folder.sge_root / part / architecture()).symlink_to(binaries)
    (folder.sge_root / "util").symlink_to(SHARE / "util")
    write_bootstrap(folder, binaries)
    (folder.common / "act_qmaster").write_text(f"{shape.head}\n")
    write_mailer(folder)
    (objects / "global").write_text(global_conf(folder, shape, (SHARE / "default-configuration").read_text()))
    # Without security_mode anybody on this machine may talk to the qmaster: only the owner's jobs are to run.
    owner = {"name": "owner", "type": "ACL", "fshare": "0", "oticket": "0", "entries": user_name()}
    (objects / "usersets" / "owner").write_text(_table(owner))
    for template in (SHARE / "util/resources/usersets").iterdir():
        entries = {"entries": user_name()} if template.name in USER_SETS else {}
        (objects / "usersets" / template.name).write_text(_replaced(template.read_text(), entries))
    for name, members in shape.host_groups.items():
        (objects / name).write_text(f"group_name {name}\nhostlist {' '.join(members)}\n")
    for name in PARALLEL_ENVIRONMENTS:
        (objects / name).write_text(parallel_environment(name))
    for name in shape.queues:
        (objects / name).write_text(_queue(name, shape, folder.tmpdir))
    return objects
