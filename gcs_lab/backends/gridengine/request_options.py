"""The attributes of a job template as options of qsub(1), category and native specification put in their places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.carried_values import bad_characters, carried_text
from gcs_lab.backends.gridengine.date_times import local_date_time
from gcs_lab.backends.gridengine.job_categories import category_options
from gcs_lab.backends.gridengine.machine_requests import machine_requests
from gcs_lab.backends.gridengine.parallel_slots import slots_option
from gcs_lab.backends.gridengine.qsub_options import ATTRIBUTES_OF, Option, canonical, parse_options, refuse_twice
from gcs_lab.errors import InvalidArgument, UnsupportedAttribute, UnsupportedOperation
from gcs_lab.vocabulary import ResourceLimit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gcs_lab.backends.gridengine.sge_cell import SgeCell
    from gcs_lab.vocabulary import JobTemplate

__all__ = ["all_options"]

#: Options that are lists, which every further one adds to.
_LISTS = ("-l", "-v")
#: Limits of DRMAA2 and the complexes that set them (queue_conf(5), RESOURCE LIMITS).
_TIME_LIMITS = {ResourceLimit.WALLCLOCK_TIME: "h_rt", ResourceLimit.CPU_TIME: "h_cpu"}
_SIZE_LIMITS = {
    ResourceLimit.CORE_FILE_SIZE: "h_core",
    ResourceLimit.DATA_SIZE: "h_data",
    ResourceLimit.FILE_SIZE: "h_fsize",
    ResourceLimit.STACK_SIZE: "h_stack",
    ResourceLimit.VIRTUAL_MEMORY: "h_vmem",
}


def all_options(template: JobTemplate, cell: SgeCell | None) -> list[str]:
    """Return the options as words: those of the category, then the template's, then its native specification.

    What attributes and native specification say goes before the category. The same said by both of them is refused,
    for one of the two would not be honoured.

    Raises
    ------
    GcsError
        If something cannot be said in options, or not twice.
    """
    native = parse_options("native_specification", template.native_specification or "")
    requests = _requests(template)
    _check_native(native, template, requests)
    every = _category(template, cell)
    category = _beside(every, template, native, requests)
    own = slots_option(template, every, cell)
    own += [Option("-l", (f"{name}={value}",)) for name, value in requests.items()]
    own += _plain(template) + _mail(template)
    if any(option.name == "-soft" for option in category):
        own.insert(0, Option("-hard", ()))
    return [word for option in (*category, *own, *native) for word in option.words]


def _limits(template: JobTemplate) -> dict[str, str]:
    limits: dict[str, str] = {}
    for key, value in (template.resource_limits or {}).items():
        if key == ResourceLimit.OPEN_FILES:
            raise UnsupportedAttribute(
                "resource_limits: Grid Engine has no limit OPEN_FILES that a job may ask for. Set it in the job "
                "itself (`ulimit -n`, resource.setrlimit), or ask the managers for execd_params S_DESCRIPTORS."
            )
        name = _TIME_LIMITS.get(ResourceLimit(key)) or _SIZE_LIMITS[ResourceLimit(key)]
        unit = "" if key in _TIME_LIMITS else "K"
        limits[name] = "INFINITY" if value.lower() == "unlimited" else f"{int(value)}{unit}"
    return limits


def _requests(template: JobTemplate) -> dict[str, str]:
    """Return all complexes that the attributes ask for."""
    found = _limits(template) | machine_requests(template)
    for name, value in template.resource_requests.items():
        if "," in value or any(c.isspace() for c in value):
            raise InvalidArgument(f"-l {name}={value}: Grid Engine takes no comma and no white space in a request.")
        if canonical(name) in found:
            raise InvalidArgument(
                f"resource_requests has {name}, and another attribute asks for {canonical(name)}="
                f"{found[canonical(name)]} (resource_limits, candidate_machines, min_phys_memory, machine_os and "
                "machine_arch become requests, too). Give one of the two."
            )
        found[canonical(name)] = value
    return found


def _check_native(native: list[Option], template: JobTemplate, requests: dict[str, str]) -> None:
    for option in native:
        twice = template.attributes_set().intersection(ATTRIBUTES_OF.get(option.name, ()))
        if option.name in _LISTS:
            twice = option.names() & (requests if option.name == "-l" else template.job_environment or {}).keys()
        refuse_twice(option, twice)


def _category(template: JobTemplate, cell: SgeCell | None) -> list[Option]:
    if template.job_category is None:
        return []
    if cell is None:
        raise UnsupportedOperation("job categories belong to a cell; there is none here.")
    return category_options(cell, template.job_category)


def _beside(
    category: list[Option], template: JobTemplate, native: list[Option], requests: dict[str, str]
) -> list[Option]:
    """Return those options of a category that neither attributes nor native specification say, too."""
    given = template.attributes_set()
    said = {name for name, attributes in ATTRIBUTES_OF.items() if given.intersection(attributes)}
    said |= {option.name for option in native if option.name not in _LISTS}
    items = {"-l": set(requests), "-v": set(template.job_environment or {})}
    for option in native:
        if option.name in _LISTS:
            items[option.name] |= option.names()
    left = (option.without(items[option.name]) if option.name in _LISTS else option for option in category)
    return [option for option in left if option is not None and option.name not in said]


def _plain(template: JobTemplate) -> list[Option]:
    """Return the options that say one attribute each."""
    options: list[Option] = []
    if template.rerunnable is not None:
        options.append(Option("-r", ("y" if template.rerunnable else "n",)))
    if template.queue_name is not None:
        options.append(Option("-q", (carried_text("the queue", template.queue_name),)))
    if template.priority is not None:
        options.append(Option("-p", (str(template.priority),)))
    if template.accounting_id is not None:
        options.append(Option("-A", (_account(template.accounting_id),)))
    if template.start_time is not None:
        options.append(Option("-a", (local_date_time("start_time", template.start_time),)))
    if template.reservation_id is not None:
        options.append(Option("-ar", (_number("reservation_id", template.reservation_id),)))
    if template.hold_jid is not None:
        options += _dependencies("-hold_jid", "hold_jid", template.hold_jid)
    if template.hold_jid_ad is not None:
        options += _dependencies("-hold_jid_ad", "hold_jid_ad", template.hold_jid_ad)
    return options


def _account(account: str) -> str:
    if not carried_text("the accounting id", account) or bad_characters(account):
        raise InvalidArgument(
            f"Grid Engine does not take {account!r} as an accounting id. It is of ASCII letters, digits and signs "
            'other than / : @ \\ * ? ", without white space.'
        )
    return account


def _number(what: str, text: str) -> str:
    if not (text.isascii() and text.isdigit()):
        raise InvalidArgument(f"{what} is {text!r}; in Grid Engine it is a number, as qrsub and `qrstat` print it.")
    return text


def _dependencies(option: str, attribute: str, jobs: Iterable[str]) -> list[Option]:
    """Return the option for a list of ids and names; names may have wildcards (sge_types(1), ``wc_job_list``)."""
    names = list(dict.fromkeys(name for some in jobs for name in some.split(",")))
    for name in names:
        if any(c.isspace() for c in carried_text(f"{attribute}: the name", name)):
            raise InvalidArgument(
                f"{attribute} has {name!r}: expected an id or a name (it may have wildcards) without white space, "
                "which no job's name has in Grid Engine."
            )
        if name[:1].isdigit() and not name.isdigit():
            raise InvalidArgument(
                f"{attribute} has {name!r}, which is neither an id nor a name (names begin with no digit): Grid "
                "Engine would not wait for it. A task cannot be waited for by itself. Give the array's id; with two "
                "arrays alike use hold_jid_ad."
            )
    return [Option(option, (",".join(names),))] if names else []


def _mail(template: JobTemplate) -> list[Option]:
    """Return ``-M`` and ``-m``. A job that is deleted or aborted has ended, too: ``a`` goes with ``e``."""
    options: list[Option] = []
    if template.email:
        options.append(Option("-M", (",".join(template.email),)))
    started, ended = template.email_on_started, template.email_on_terminated
    if started is not None or ended is not None:
        letters = ("b" if started else "") + ("ea" if ended else "")
        options.append(Option("-m", (letters or "n",)))
    return options
