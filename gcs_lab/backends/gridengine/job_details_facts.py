"""Put what ``qstat -j -xml`` tells of a job into names and values, in its own words and order."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.job_details_xml import time_of

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Callable, Iterable

__all__ = ["facts_of", "queues_of"]

#: What an environment's variable is called whose value is nobody's business.
_SECRET = re.compile(r"pass|secret|token|credential|auth|(^|_)key|api_?key|private", re.IGNORECASE)
_HIDDEN = "(hidden)"
#: qsub's own variables, as `qstat -j` prints them: sge_o_home.
_OWN_VARIABLE = "__SGE_PREFIX__"
_TIMES = {"JB_submission_time", "JB_execution_time", "JB_deadline"}
#: ``JB_priority`` is counted from here (``BASE_PRIORITY``, sge_job.h).
_BASE_PRIORITY = 1024
#: Bits of ``JB_type`` (sge_job.h; those that were seen).
_TYPES = {0x40: "noshell", 0x80: "array", 0x100: "binary"}
#: Those have a place of their own in the details.
_LEFT_OUT = {"JB_ja_tasks"}


def facts_of(job: ET.Element) -> dict[str, str]:
    """Return all that is told of a job but of its tasks: names without ``JB_``, times in UTC.

    Of variables of the environment whose name looks like that of a secret the value is left out.
    """
    facts: dict[str, str] = {}
    for element in job:
        if element.tag == "JB_request_set_list":  # since 9.1: the lists are in it, by scope
            for some in element.iter():
                if some.tag.startswith("JRS_") and some.tag.endswith("_list"):
                    _add(facts, some.tag.removeprefix("JRS_"), _list(some))
        elif element.tag == "JB_env_list":
            _environment(facts, element)
        elif element.tag not in _LEFT_OUT:
            _add(facts, element.tag.removeprefix("JB_"), _value(element))
    return facts


def queues_of(job: ET.Element) -> tuple[str, ...]:
    """Return the queues that a job may run in (``qsub -q``)."""
    lists = [some for tag in ("JB_hard_queue_list", "JRS_hard_queue_list") for some in job.iter(tag)]
    return tuple(entry.text for some in lists for entry in some.iter("QR_name") if entry.text)


def _add(facts: dict[str, str], name: str, value: str) -> None:
    if value:
        facts.setdefault(name, value)


def _environment(facts: dict[str, str], variables: ET.Element) -> None:
    others = []
    for entry in variables:
        name, value = entry.findtext("VA_variable") or "", entry.findtext("VA_value") or ""
        if name.startswith(_OWN_VARIABLE):
            _add(facts, f"sge_{name.removeprefix(_OWN_VARIABLE).lower()}", value)
        else:
            others.append(f"{name}={_HIDDEN if _SECRET.search(name) else value}")
    _add(facts, "env_list", ",".join(others))


def _value(element: ET.Element) -> str:
    if len(element):
        return _list(element)
    text = (element.text or "").strip()
    if element.tag in _TIMES:
        time = time_of(text)
        return "" if time is None else time.isoformat(sep=" ", timespec="seconds")
    if element.tag == "JB_priority" and text.isdecimal():
        return str(int(text) - _BASE_PRIORITY)
    if element.tag == "JB_type" and text.isdecimal():
        return ",".join(word for bit, word in _TYPES.items() if int(text) & bit) or text
    return text


def _list(element: ET.Element) -> str:
    made = [_ITEMS.get(_kind(entry), _plain)(entry) for entry in element]
    words = [word for word in made if word]
    return shlex.join(words) if element.tag == "JB_job_args" else ",".join(words)


def _kind(entry: ET.Element) -> str:
    return entry[0].tag if len(entry) else ""


def _text(entry: ET.Element, tag: str) -> str:
    return (entry.findtext(tag) or "").strip()


def _pair(name: str, value: str) -> Callable[[ET.Element], str]:
    return lambda entry: f"{_text(entry, name)}={_text(entry, value)}"


def _range(entry: ET.Element) -> str:
    least, most, step = (_text(entry, tag) for tag in ("RN_min", "RN_max", "RN_step"))
    if least == most:
        return least
    return f"{least}-{most}" if step in ("", "1") else f"{least}-{most}:{step}"


def _path(entry: ET.Element) -> str:
    host, path = _text(entry, "PN_host"), _text(entry, "PN_path")
    return f"{host}:{path}" if host else path


def _before(entry: ET.Element) -> str:
    number = _text(entry, "JRE_job_number")
    return number if number not in ("", "0") else _text(entry, "JRE_job_name")


def _plain(entry: ET.Element) -> str:
    if not len(entry):
        return (entry.text or "").strip()
    return " ".join(_leaves(entry))


def _leaves(entry: ET.Element) -> Iterable[str]:
    for leaf in entry.iter():
        if not len(leaf) and leaf.text and leaf.text.strip():
            yield f"{leaf.tag.partition('_')[2]}={leaf.text.strip()}"


#: How the entries of a list are written, by their first child.
_ITEMS: dict[str, Callable[[ET.Element], str]] = {
    "CE_name": _pair("CE_name", "CE_stringval"),
    "JRE_job_name": _before,
    "JRE_job_number": _before,
    "MR_user": lambda entry: "@".join(filter(None, (_text(entry, "MR_user"), _text(entry, "MR_host")))),
    "PN_path": _path,
    "QR_name": lambda entry: _text(entry, "QR_name"),
    "RN_min": _range,
    "ST_name": lambda entry: entry.findtext("ST_name") or "",
    "VA_variable": _pair("VA_variable", "VA_value"),
}
