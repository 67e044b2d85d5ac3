"""``cluster.toml``: the file in which a user says what the embedded cluster consists of."""

from __future__ import annotations

import os
import re
import socket
import tomllib
from pathlib import Path  # noqa: TC003
from typing import Any

from gcs_lab.backends.embedded.layout import (
    ALLOCATION_RULES,
    QUEUE_LIMITS,
    Host,
    Layout,
    ParallelEnvironment,
    Queue,
)
from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.requests import parse_memory, parse_time

__all__ = ["default_text", "parse_layout", "read_layout"]

_NAME = re.compile(r"[A-Za-z0-9_][\w.\-]*\Z", re.ASCII)
_COMPLEX_NAME = re.compile(r"[A-Za-z_][\w.\-]*\Z", re.ASCII)
_MEMORY_LIMITS = {"h_vmem"}

_DEFAULT = """\
# The embedded cluster of gcs_lab. It is read when the scheduler starts: after a change, `gcs-lab embedded stop`
# (running jobs go on); the next use starts it again.

# The scheduler ends itself after this many seconds with no job and no client.
idle_seconds = 86400
# What is known of ended jobs is forgotten after so many days; the accounting file keeps them.
keep_ended_days = 90

# Virtual hosts. All of them are this machine: jobs are spread over them by the rules, and all run here.
# Optional: num_proc = 8, mem_total = "64G", arch = "lx-amd64", consumables = {{ gpu = 2 }}
[[hosts]]
name = "{host}"

# Queues, in the order in which they are tried. `slots` are those on each host; `hosts` may list hosts (default: all).
# A queue may have limits h_rt, s_rt, h_cpu (times) and h_vmem (memory a slot). A queue with h_rt or h_vmem takes
# only jobs that ask for no more than that, or that name the queue: nobody is cut off by a limit unasked.
[[queues]]
name = "all.q"
slots = {slots}

[[queues]]
name = "short.q"
slots = 2
h_rt = "0:10:00"

# Parallel environments. allocation_rule: $pe_slots (all slots on one host), $fill_up (one host after the other),
# $round_robin (one slot from each host in turn). `slots` are those that it gives out in all.
[[parallel_environments]]
name = "smp"
slots = 999
allocation_rule = "$pe_slots"

[[parallel_environments]]
name = "make"
slots = 999
allocation_rule = "$round_robin"

[[parallel_environments]]
name = "mpi"
slots = 999
allocation_rule = "$fill_up"
"""


def default_text() -> str:
    """Return the file as it is written at the first start: one host named after this machine, two queues."""
    host = re.sub(r"[^A-Za-z0-9_.\-]", "-", socket.gethostname()).lstrip(".-") or "localhost"
    return _DEFAULT.format(host=host, slots=max(4, os.cpu_count() or 1))


def read_layout(path: Path) -> Layout:
    """Return what the file says; it is written with defaults if it is not there.

    Raises
    ------
    InvalidArgument
        If it is no valid description; the message names the file and the entry.
    OSError
        If it cannot be read or written.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        text = default_text()
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_text(text, encoding="utf-8")
        temporary.rename(path)
    try:
        return parse_layout(text)
    except InvalidArgument as error:
        raise InvalidArgument(f"{path}: {error} Mend it, or remove the file to get the default back.") from None


def parse_layout(text: str) -> Layout:
    """Return what `text` says. Raises InvalidArgument as :func:`read_layout`."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidArgument(f"it is no TOML: {error}.") from None
    top = _Entry("the file", data)
    top.only({"idle_seconds", "keep_ended_days", "hosts", "queues", "parallel_environments"})
    hosts = tuple(_host(entry) for entry in top.tables("hosts"))
    names = _distinct("host", [host.name for host in hosts])
    queues = tuple(_queue(entry, names) for entry in top.tables("queues"))
    _distinct("queue", [queue.name for queue in queues])
    environments = tuple(
        _environment(entry) for entry in data.get("parallel_environments", []) and top.tables("parallel_environments")
    )
    _distinct("parallel environment", [pe.name for pe in environments])
    return Layout(
        hosts,
        queues,
        environments,
        idle_seconds=top.number("idle_seconds", Layout.idle_seconds),
        keep_ended_days=top.number("keep_ended_days", Layout.keep_ended_days),
    )


class _Entry:
    """One table of the file, with its place in it for messages."""

    def __init__(self, where: str, table: Any) -> None:
        if not isinstance(table, dict):
            raise InvalidArgument(f"{where} is {table!r}; expected a table of keys and values.")
        self.where, self.table = where, table

    def only(self, known: set[str]) -> None:
        for key in self.table.keys() - known:
            raise InvalidArgument(f"{self.where} has an unknown key {key!r}; known are {', '.join(sorted(known))}.")

    def tables(self, key: str) -> list[_Entry]:
        found = self.table.get(key)
        if not isinstance(found, list) or not found:
            raise InvalidArgument(f"{key!r} is missing or empty; expected at least one [[{key}]].")
        return [_Entry(f"[[{key}]] number {number}", table) for number, table in enumerate(found, 1)]

    def name(self) -> str:
        name = self.table.get("name")
        if not isinstance(name, str) or not _NAME.match(name):
            raise InvalidArgument(f"{self.where}: name is {name!r}; expected letters, digits, '_', '.' and '-'.")
        self.where = f"{self.where} ({name})"
        return name

    def count(self, key: str, default: int | None = None, least: int = 1) -> int:
        value = self.table.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise InvalidArgument(f"{self.where}: {key} is {value!r}; expected a whole number of {least} or more.")
        return value

    def number(self, key: str, default: float) -> float:
        value = self.table.get(key, default)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not value > 0:
            raise InvalidArgument(f"{self.where}: {key} is {value!r}; expected a number above 0.")
        return float(value)

    def quantity(self, key: str, *, memory: bool) -> float:
        value = self.table[key]
        text = value if isinstance(value, str) else str(value)
        try:
            return parse_memory(text) if memory else parse_time(text)
        except InvalidArgument as error:
            raise InvalidArgument(f"{self.where}: {key}: {error}") from None


def _host(entry: _Entry) -> Host:
    name = entry.name()
    entry.only({"name", "num_proc", "mem_total", "arch", "consumables"})
    plain = Host(name)
    arch = entry.table.get("arch", plain.arch)
    if not isinstance(arch, str) or not _NAME.match(arch):
        raise InvalidArgument(f"{entry.where}: arch is {arch!r}; expected a name such as lx-amd64.")
    shared = _Entry(f"{entry.where}: consumables", entry.table.get("consumables", {}))
    for key in shared.table:
        if not _COMPLEX_NAME.match(key):
            raise InvalidArgument(f"{shared.where}: {key!r} is no name of a complex; it begins with a letter.")
    return Host(
        name,
        num_proc=entry.count("num_proc", plain.num_proc),
        mem_total=int(entry.quantity("mem_total", memory=True)) if "mem_total" in entry.table else plain.mem_total,
        arch=arch,
        consumables={key: shared.count(key, least=0) for key in shared.table},
    )


def _queue(entry: _Entry, hosts: list[str]) -> Queue:
    name = entry.name()
    entry.only({"name", "slots", "hosts", *QUEUE_LIMITS})
    listed = entry.table.get("hosts", hosts)
    if not isinstance(listed, list) or not listed or not set(map(str, listed)) <= set(hosts):
        raise InvalidArgument(f"{entry.where}: hosts is {listed!r}; expected a list of {', '.join(hosts)}.")
    limits = {key: entry.quantity(key, memory=key in _MEMORY_LIMITS) for key in QUEUE_LIMITS if key in entry.table}
    return Queue(name, entry.count("slots", least=0), tuple(listed), limits)


def _environment(entry: _Entry) -> ParallelEnvironment:
    name = entry.name()
    entry.only({"name", "slots", "allocation_rule"})
    rule = entry.table.get("allocation_rule")
    if rule not in ALLOCATION_RULES:
        raise InvalidArgument(f"{entry.where}: allocation_rule is {rule!r}; expected {', '.join(ALLOCATION_RULES)}.")
    return ParallelEnvironment(name, entry.count("slots", least=0), rule)


def _distinct(kind: str, names: list[str]) -> list[str]:
    for name in names:
        if names.count(name) > 1:
            raise InvalidArgument(f"there are two {kind}s called {name!r}; every {kind} has a name of its own.")
    return names
