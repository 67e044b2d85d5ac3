"""``cluster.toml``: the file in which a user says what the embedded cluster consists of."""

from __future__ import annotations

import dataclasses
import getpass
import os
import tomllib
from pathlib import Path  # noqa: TC003
from typing import TYPE_CHECKING

from gcs_lab.backends.embedded.cluster_file_default import default_text
from gcs_lab.backends.embedded.cluster_file_entry import COMPLEX_NAME, Entry, distinct
from gcs_lab.backends.embedded.complexes import (
    CONSUMABLE_TYPES,
    LIMITS,
    RELATIONS,
    STANDARD,
    TYPES,
    Amount,
    ComplexDefinition,
)
from gcs_lab.backends.embedded.layout import (
    ALLOCATION_RULES,
    QUEUE_LIMITS,
    Host,
    Layout,
    MailSettings,
    ParallelEnvironment,
    Queue,
)
from gcs_lab.backends.embedded.native_options import parse_native
from gcs_lab.backends.embedded.patterns import matches
from gcs_lab.errors import GcsError, InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MOST_HOSTS", "default_text", "parse_layout", "read_layout"]

_LARGEST_RULE = 9_999_999
#: Of one entry: what a decision on who starts still looks through in an instant.
MOST_HOSTS = 5_000
_NAMED_HOSTS = 8


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
    except UnicodeDecodeError as error:
        raise InvalidArgument(f"{path}: it is no text in UTF-8 ({error}). Mend it, or remove the file.") from None
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
    top = Entry("the file", data)
    top.only(
        {
            "complexes",
            "hosts",
            "idle_seconds",
            "job_categories",
            "keep_ended_days",
            "mail",
            "max_array_tasks",
            "parallel_environments",
            "queues",
        }
    )
    complexes = _complexes(top)
    hosts = tuple(host for entry in top.tables("hosts") for host in _hosts(entry, complexes))
    names = distinct("host", [host.name for host in hosts])
    queues = tuple(_queue(entry, names) for entry in top.tables("queues"))
    distinct("queue", [queue.name for queue in queues])
    environments = tuple(_environment(entry) for entry in top.tables("parallel_environments", needed=False))
    distinct("parallel environment", [pe.name for pe in environments])
    return Layout(
        hosts,
        queues,
        environments,
        idle_seconds=top.number("idle_seconds", Layout.idle_seconds),
        keep_ended_days=top.number("keep_ended_days", Layout.keep_ended_days),
        max_array_tasks=top.count("max_array_tasks", Layout.max_array_tasks),
        complexes=tuple(complexes.values()),
        job_categories=_categories(top.part("job_categories")),
        mail=_mail(top.part("mail")) if "mail" in data else None,
    )


def _complexes(top: Entry) -> Mapping[str, ComplexDefinition]:
    found = [_complex(entry) for entry in top.tables("complexes", needed=False)]
    taken = [c.name for c in found] + [c.shortcut for c in found if c.shortcut != c.name]
    for name in distinct("complex", taken):
        if name in {word for c in STANDARD for word in (c.name, c.shortcut)}:
            raise InvalidArgument(
                f"[[complexes]]: {name!r} is a standard complex or its shortcut, which stays as it is; take another."
            )
    return {c.name: c for c in found}


def _complex(entry: Entry) -> ComplexDefinition:
    name = entry.name()
    entry.only({"name", "shortcut", "type", "relop", "consumable"})
    shortcut = entry.text("shortcut", name)
    for word in (name, shortcut):
        if not COMPLEX_NAME.match(word):
            raise InvalidArgument(f"{entry.where}: {word!r} is no name of a complex; it begins with a letter.")
    kind = entry.one_of("type", None, TYPES[:-1])
    consumable = entry.one_of("consumable", "NO", ("YES", "JOB", "NO"))
    if consumable != "NO" and kind not in CONSUMABLE_TYPES:
        raise InvalidArgument(
            f"{entry.where}: type {kind} cannot be consumed; expected {', '.join(CONSUMABLE_TYPES)} with "
            f"consumable = {consumable!r}."
        )
    relations = tuple(RELATIONS) if kind in CONSUMABLE_TYPES else ("==",) if kind == "RESTRING" else ("==", "!=")
    relation = entry.one_of("relop", "<=" if kind in CONSUMABLE_TYPES else "==", relations)
    if consumable != "NO" and relation != "<=":
        raise InvalidArgument(f"{entry.where}: relop is {relation!r}; what is consumed has '<='.")
    return ComplexDefinition(name, shortcut, kind, relation, consumable)


def _categories(entry: Entry) -> Mapping[str, str]:
    found = {}
    for name in entry.table:
        options = entry.text(name, "")
        try:
            parse_native(options)
        except GcsError as error:
            raise InvalidArgument(f"{entry.where}: {name}: {error}") from None
        found[name] = options
    return found


def _mail(entry: Entry) -> MailSettings:
    entry.only({"command", "sender"})
    command = entry.table.get("command")
    if not isinstance(command, list) or not command or not all(isinstance(w, str) and w for w in command):
        raise InvalidArgument(
            f"[mail]: command is {command!r}; expected a list of words, for example "
            '["/usr/sbin/sendmail", "-t", "-i"].'
        )
    sender = entry.text("sender", f"{getpass.getuser()}@localhost")
    if not sender.isascii() or set(sender) & set(" ,;<>()"):
        raise InvalidArgument(f"[mail]: sender is {sender!r}; expected an address, for example gcs-lab@localhost.")
    return MailSettings(tuple(command), sender)


def _hosts(entry: Entry, complexes: Mapping[str, ComplexDefinition]) -> list[Host]:
    """Return the hosts of one entry: as many as its ``count`` says, which then are numbered."""
    first = _host(entry, complexes)
    if "count" not in entry.table:
        return [first]
    count = entry.count("count")
    if count > MOST_HOSTS:
        raise InvalidArgument(f"{entry.where}: count is {count}; expected {MOST_HOSTS:,} at most.")
    # node01, but sim001, as the private Grid Engine calls them.
    digits = max(3 if first.simulated else 2, len(str(count)))
    return [dataclasses.replace(first, name=f"{first.name}{number:0{digits}}") for number in range(1, count + 1)]


def _host(entry: Entry, complexes: Mapping[str, ComplexDefinition]) -> Host:
    name = entry.name()
    topology = ("sockets", "cores_per_socket", "threads_per_core")
    more = ("arch", "consumables", "complex_values", "count", "simulated", *topology)
    entry.only({"name", "num_proc", "mem_total", *more})
    plain = Host(name)
    consumables, fixed_values = _complex_values(entry, complexes)
    return Host(
        name,
        num_proc=entry.count("num_proc", plain.num_proc),
        mem_total=int(_finite(entry, "mem_total")) if "mem_total" in entry.table else plain.mem_total,
        arch=_arch(entry, plain.arch),
        consumables=_plain_consumables(entry, complexes) | consumables,
        fixed_values=fixed_values,
        sockets=entry.optional_count("sockets"),
        cores_per_socket=entry.optional_count("cores_per_socket"),
        threads_per_core=entry.optional_count("threads_per_core"),
        simulated=entry.truth("simulated"),
    )


def _arch(entry: Entry, default: str) -> str:
    arch = entry.text("arch", default)
    if not COMPLEX_NAME.match(arch):
        raise InvalidArgument(f"{entry.where}: arch is {arch!r}; expected a name such as lx-amd64.")
    return arch


def _finite(entry: Entry, key: str) -> float:
    found = entry.quantity(key, memory=True)
    if found == float("inf"):
        raise InvalidArgument(f"{entry.where}: {key} is without end; expected how much there is, for example 64G.")
    return found


def _plain_consumables(entry: Entry, complexes: Mapping[str, ComplexDefinition]) -> dict[str, Amount]:
    shared = entry.part("consumables")
    for key in shared.table:
        if not COMPLEX_NAME.match(key):
            raise InvalidArgument(f"{shared.where}: {key!r} is no name of a complex; it begins with a letter.")
        if key in complexes or key in LIMITS or key in {word for c in STANDARD for word in (c.name, c.shortcut)}:
            raise InvalidArgument(
                f"{shared.where}: {key!r} is a complex already; those of [[complexes]] get values by complex_values."
            )
    return {key: shared.count(key, least=0) for key in shared.table}


def _complex_values(
    entry: Entry, complexes: Mapping[str, ComplexDefinition]
) -> tuple[dict[str, Amount], dict[str, str]]:
    """Return what a host has to consume, and its fixed values."""
    values = entry.part("complex_values")
    amounts: dict[str, Amount] = {}
    fixed: dict[str, str] = {}
    for key in values.table:
        definition = complexes.get(key)
        if definition is None:
            there = ", ".join(sorted(complexes)) or "none"
            raise InvalidArgument(f"{values.where}: {key!r} is none of [[complexes]]; there is {there}.")
        text = values.written(key)
        try:
            amount = definition.amount(text)
        except InvalidArgument as error:
            raise InvalidArgument(f"{values.where}: {key}: {error}") from None
        if definition.consumable == "NO":
            fixed[key] = text
        elif amount == float("inf"):
            raise InvalidArgument(f"{values.where}: {key} is without end; expected how much there is.")
        else:
            amounts[key] = amount
    return amounts, fixed


def _queue(entry: Entry, hosts: list[str]) -> Queue:
    name = entry.name()
    entry.only({"name", "slots", "hosts", *QUEUE_LIMITS})
    listed = _listed_hosts(entry, hosts)
    limits = {key: entry.quantity(key, memory=LIMITS[key] == "MEMORY") for key in QUEUE_LIMITS if key in entry.table}
    return Queue(name, entry.count("slots", least=0), listed, limits)


def _listed_hosts(entry: Entry, hosts: list[str]) -> tuple[str, ...]:
    """Return the hosts of a queue, which may be given by patterns."""
    if "hosts" not in entry.table:
        return tuple(hosts)
    listed = entry.table["hosts"]
    if isinstance(listed, list) and listed:
        words = [str(word) for word in listed]
        known = set(hosts)
        found = [[word] if word in known else [host for host in hosts if matches(word, host)] for word in words]
        if all(found):
            return tuple(dict.fromkeys(host for group in found for host in group))
    there = ", ".join(hosts[:_NAMED_HOSTS]) + (" …" if len(hosts) > _NAMED_HOSTS else "")
    raise InvalidArgument(f"{entry.where}: hosts is {listed!r}; expected a list of {there}, or of patterns (node*).")


def _environment(entry: Entry) -> ParallelEnvironment:
    name = entry.name()
    entry.only({"name", "slots", "allocation_rule"})
    rule = entry.table.get("allocation_rule")
    number = str(rule).isascii() and str(rule).isdigit() and not isinstance(rule, bool)
    if rule not in ALLOCATION_RULES and not (number and 1 <= int(str(rule)[:9]) <= _LARGEST_RULE):
        raise InvalidArgument(
            f"{entry.where}: allocation_rule is {rule!r}; expected {', '.join(ALLOCATION_RULES)}, or the number of "
            "slots on each host."
        )
    return ParallelEnvironment(name, entry.count("slots", least=0), str(int(str(rule))) if number else str(rule))
