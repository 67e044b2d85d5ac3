"""Lines of the classic accounting file, made for tests: what they have of each relative, and what is wrong with them."""

from __future__ import annotations

from gcs_lab.accounting.classic_fields import ALL_FIELDS

START = 1_795_217_350
_ZEROS = (
    "ru_ixrss", "ru_ismrss", "ru_idrss", "ru_isrss", "ru_majflt", "ru_nswap", "ru_msgsnd", "ru_msgrcv", "ru_nsignals",
)  # fmt: skip
_VALUES = dict.fromkeys(_ZEROS, "0") | {
    "qname": "all.q",
    "hostname": "node1",
    "group": "users",
    "owner": "alice",
    "job_name": "fit",
    "job_number": "17",
    "account": "sge",
    "priority": "0",
    "submission_time": str(START),
    "start_time": str(START + 10),
    "end_time": str(START + 70),
    "failed": "0",
    "exit_status": "0",
    "ru_wallclock": "60",
    "ru_utime": "50.250000",
    "ru_stime": "1.500000",
    "ru_maxrss": "4508.000000",
    "ru_minflt": "537",
    "ru_inblock": "24.000000",
    "ru_oublock": "16",
    "ru_nvcsw": "11",
    "ru_nivcsw": "3",
    "project": "NONE",
    "department": "defaultdepartment",
    "granted_pe": "smp",
    "slots": "4",
    "task_number": "0",
    "cpu": "51.750000",
    "mem": "2.500000",
    "io": "0.125000",
    "category": "-l h_rt=600 -pe smp 4",
    "iow": "0.250000",
    "pe_taskid": "NONE",
    "maxvmem": "104857600.000000",
    "arid": "0",
    "ar_submission_time": "0",
    "job_class": "NONE",
    "qdel_info": "alice@login",
    "maxrss": "2048",
    "maxpss": "1024",
    "submit_host": "login",
    "cwd": "/home/alice",
    "submit_cmd": "qsub fit.sh",
    "wallclock": "60.125",
    "ioops": "12",
    "bound_cores": "0,1",
}


def line(width: int = 45, **values: object) -> str:
    """Return a line of `width` fields, without its newline; times are milliseconds where Univa's are."""
    fields = dict(_VALUES)
    if width > 45:
        fields |= {name: fields[name] + "000" for name in ("submission_time", "start_time", "end_time")}
    fields |= {name: str(value) for name, value in values.items()}
    return ":".join(fields[name] for name in ALL_FIELDS[:width])


def block(*lines: str | bytes) -> bytes:
    """Return lines as they stand in a file."""
    return b"".join((one if isinstance(one, bytes) else one.encode()) + b"\n" for one in lines)
