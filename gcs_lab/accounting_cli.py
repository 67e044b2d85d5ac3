"""``gcs-lab accounting …``: what the cluster did, in a shell; flags as of ``qacct``, and more."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    import pandas as pd

    from gcs_lab.accounting import Accounting

    _Verb = Callable[[Accounting, argparse.Namespace], str]

__all__ = ["add_accounting"]

#: qacct's flags that choose by text: without a value they split by it, as in qacct.
_TEXTS = (
    ("-o", "--owner", "owner", "OWNER"),
    ("-g", "--group", "group", "GROUP"),
    ("-P", "--project", "project", "PROJECT"),
    ("-D", "--department", "department", "DEPARTMENT"),
    ("-A", "--account", "account", "ACCOUNT"),
    ("-q", "--queue", "queue", "QUEUE"),
    ("-H", "--host", "host", "HOST"),
    ("-pe", "--parallel-environment", "parallel_environment", "PE"),
    ("-slots", "--slots", "slots", "N"),
)
#: Stands for a flag without its value.
_EACH = "\0each"


def add_accounting(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``accounting`` with its verbs to the commands of ``gcs-lab``."""
    text = "what the cluster did: sums, waits, failures, advice, out of its records or any file of records"
    verbs = commands.add_parser("accounting", help=text, description=text).add_subparsers(
        required=True, metavar="summary|top|waits|efficiency|failures|…"
    )
    for name, do, help_text in (
        ("summary", _summary, "what was used: qacct's sums, and jobs, slot seconds and waits"),
        ("top", _top, "who or what used most"),
        ("waits", _waits, "how long jobs waited"),
        ("efficiency", _efficiency, "what was used of what was asked for; the most wasteful first"),
        ("failures", _failures, "what failed and why, in words; -H alone: by host, a bad one first"),
        ("families", _families, "jobs that are alike, and what they used"),
    ):
        command = _verb(verbs, name, do, help_text)
        _add_choice(command)
        if name != "families":
            command.add_argument("--by", metavar="COLUMN,…", help="split by these: owner, queue, project, month …")
        if name == "top":
            command.add_argument("-n", type=int, default=10, metavar="N", help="how many (default 10)")
            command.add_argument(
                "--measure", default="slot_seconds", metavar="COLUMN", help="of what (default slot_seconds)"
            )
    command = _verb(verbs, "job", _job, "all records of a job, as `qacct -j` shows them, and why it failed")
    command.add_argument("job", metavar="ID", help="4711, or 4711.3 for a task")
    command = _verb(verbs, "advice", _advice, "what jobs like these should ask for")
    command.add_argument("family", metavar="FAMILY", help="a name or pattern ('fit_*'), or the id of a job")
    _add_choice(command)
    command = _verb(verbs, "sql", _sql, "answer a select; the table is `records`")
    command.add_argument("query", metavar="QUERY", help="select owner, sum(cpu) from records group by owner")
    _verb(verbs, "rejects", _rejects, "the lines that are no records, and why")
    _verb(verbs, "ingest", _ingest, "read all records into the store, so that later answers take no time")
    _add_synthetic(verbs)


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    do: _Verb,
    text: str,
) -> argparse.ArgumentParser:
    command = verbs.add_parser(name, help=text, description=text, allow_abbrev=False)
    source = command.add_mutually_exclusive_group()
    source.add_argument(
        "-f",
        "--file",
        action="append",
        metavar="FILE",
        help="these records instead of the cluster's; plain or compressed, wildcards work, may be repeated",
    )
    source.add_argument(
        "--on", metavar="CLUSTER", help="this cluster's (default: the one that `gcs-lab doctor` names)"
    )
    shape = command.add_mutually_exclusive_group()
    shape.add_argument("--csv", action="store_true", help="print comma-separated values")
    shape.add_argument("--json", action="store_true", help="print JSON: a list of objects")
    command.set_defaults(do=partial(_answer, do))
    return command


def _add_choice(command: argparse.ArgumentParser) -> None:
    choice = command.add_argument_group("which records (as in qacct; without a value: split by it)")
    for short, long, name, metavar in _TEXTS:
        choice.add_argument(short, long, dest=name, nargs="?", const=_EACH, metavar=metavar)
    choice.add_argument("-j", "--job", metavar="ID|NAME|PATTERN", help="jobs of this number or name")
    choice.add_argument("-t", "--task", metavar="N-M:S", help="tasks of arrays")
    choice.add_argument("-l", "--requests", metavar="NAME>VALUE,…", help="what they asked for: h_vmem>4G,gpu")
    choice.add_argument(
        "-b", "--since", metavar="TIME", help="started then or later: 2026-11-01, 7d, [[CC]YY]MMDDhhmm"
    )
    choice.add_argument("-e", "--until", metavar="TIME", help="started then or before")
    choice.add_argument(
        "-d", "--days", type=float, metavar="N", help="so many days from -b, before -e, or before now"
    )
    choice.add_argument("-E", "--by-end", action="store_true", help="times choose by the end, not by the start")
    choice.add_argument("-m", "--main-only", action="store_true", help="without single processes of parallel jobs")
    choice.add_argument("--where", default="", metavar="FILTER", help='"slots>4 wallclock>2h name~fit"')


def _add_synthetic(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "write a year of records of a cluster that never was, to learn and to test with"
    command = verbs.add_parser("synthetic", help=text, description=text, allow_abbrev=False)
    command.add_argument("path", metavar="FILE", help="where to; a file that is there is not overwritten")
    for name, default, help_text in (
        ("records", 1_000_000, "about so many records"),
        ("users", 200, "of so many users"),
        ("days", 365, "in so many days"),
        ("hosts", 120, "on so many hosts"),
        ("seed", 1, "another number, another site"),
    ):
        command.add_argument(f"--{name}", type=int, default=default, metavar="N", help=f"{help_text} ({default:,})")
    command.set_defaults(do=_synthetic)


def _answer(verb: _Verb, flags: argparse.Namespace) -> str:
    """Return what a verb says of the accounting that is meant; what should be known goes to standard error."""
    if flags.file:
        from gcs_lab.accounting import open_accounting

        accounting = open_accounting(*flags.file)
    else:
        from gcs_lab.cluster import connect

        accounting = connect(flags.on).accounting
    text = verb(accounting, flags)
    for note in accounting.notes:
        print(f"gcs-lab: {note}", file=sys.stderr)  # noqa: T201
    return text


def _asked(flags: argparse.Namespace) -> tuple[list[str], dict[str, Any]]:
    """Return what to split by, and the keywords of the choice."""
    by = [name.strip() for name in (getattr(flags, "by", None) or "").split(",") if name.strip()]
    words: dict[str, Any] = {}
    for *_, name, _ in _TEXTS:
        value = getattr(flags, name)
        if value == _EACH:
            by += [name] if name not in by else []
        elif value is not None:
            words[name] = int(value) if name == "slots" and value.isdecimal() else value
    for name in ("job", "task", "requests", "since", "until", "days"):
        if getattr(flags, name) is not None:
            words[name] = getattr(flags, name)
    if flags.where:
        words["where"] = flags.where
    return by, words | {name: True for name in ("by_end", "main_only") if getattr(flags, name)}


def _summary(accounting: Accounting, flags: argparse.Namespace) -> str:
    by, choice = _asked(flags)
    return _printed(accounting.summary(by, **choice), flags)


def _top(accounting: Accounting, flags: argparse.Namespace) -> str:
    by, choice = _asked(flags)
    if len(by) > 1:
        raise InvalidArgument(
            f"top by {', '.join(by)}: expected one column; `summary --by {','.join(by)}` takes several."
        )
    return _printed(accounting.top(flags.n, by[0] if by else "owner", flags.measure, **choice), flags)


def _waits(accounting: Accounting, flags: argparse.Namespace) -> str:
    by, choice = _asked(flags)
    return _printed(accounting.waits(by, **choice), flags)


def _efficiency(accounting: Accounting, flags: argparse.Namespace) -> str:
    by, choice = _asked(flags)
    return _printed(accounting.efficiency(by or ["owner"], **choice), flags)


def _failures(accounting: Accounting, flags: argparse.Namespace) -> str:
    by, choice = _asked(flags)
    return _printed(accounting.failures(by or ["reason"], **choice), flags)


def _families(accounting: Accounting, flags: argparse.Namespace) -> str:
    by, choice = _asked(flags)
    if by and by != ["owner"]:
        raise InvalidArgument(f"families by {', '.join(by)}: they are split by owner, or not at all.")
    return _printed(accounting.families(by_owner=True, **choice), flags)


def _job(accounting: Accounting, flags: argparse.Namespace) -> str:
    job = accounting.job(flags.job)
    return _printed(job.frame, flags) if flags.csv or flags.json else repr(job)


def _advice(accounting: Accounting, flags: argparse.Namespace) -> str:
    by, choice = _asked(flags)
    if by or flags.csv or flags.json:
        raise InvalidArgument("advice is told in words: it is not split, and there is no --csv or --json of it.")
    return repr(accounting.advice(flags.family, **choice))


def _sql(accounting: Accounting, flags: argparse.Namespace) -> str:
    return _printed(accounting.sql(flags.query), flags)


def _rejects(accounting: Accounting, flags: argparse.Namespace) -> str:
    return _printed(accounting.rejects(), flags)


def _ingest(accounting: Accounting, flags: argparse.Namespace) -> str:
    from gcs_lab.jobs.requests import format_memory

    done = accounting.refresh()
    totals = accounting.totals()
    figures = {**done._asdict(), **{f"all_{name}": value for name, value in totals._asdict().items()}}
    if flags.csv or flags.json:
        import pandas as pd

        return _printed(pd.DataFrame([{**figures, "notes": " ".join(done.notes)}]), flags)
    return (
        f"read {done.records:,} records in {done.seconds:.1f} s; in the store are {totals.records:,} out of "
        f"{totals.files} files ({format_memory(totals.bytes)}), and {totals.rejects:,} lines that are no records"
    )


def _synthetic(flags: argparse.Namespace) -> str:
    from pathlib import Path

    from gcs_lab.accounting.synthetic import write_site

    path = Path(flags.path)
    if path.exists():
        raise InvalidArgument(f"{path} is there already and is not overwritten; remove it, or name another file.")
    try:
        facts = write_site(
            path, records=flags.records, users=flags.users, days=flags.days, hosts=flags.hosts, seed=flags.seed
        )
    except OSError as error:
        raise InvalidArgument(
            f"{path} cannot be written: {error.strerror}. Name a file in a folder of yours."
        ) from None
    planted = [
        f"{facts.failing_node} fails" if facts.failing_node else "",
        f"{facts.memory_waster} wastes memory" if facts.memory_waster else "",
        "a rush before a deadline" if facts.rush_begin else "",
    ]
    told = ", ".join(filter(None, planted)) or "nothing"
    return (
        f"{path}: {facts.records:,} records of {facts.users} users on {len(facts.hosts)} hosts with "
        f"{facts.slots:,} slots; planted: {told}"
    )


def _printed(frame: pd.DataFrame, flags: argparse.Namespace) -> str:
    """Return a frame as text: for people, or for programs."""
    if flags.csv:
        return frame.to_csv(index=False).removesuffix("\n")
    if flags.json:
        return str(frame.to_json(orient="records", date_format="iso", indent=1))
    if frame.empty:
        return "nothing was found"
    texts = {str(name): frame[name].fillna("-") for name, kind in frame.dtypes.items() if kind == "string"}
    return frame.assign(**texts).to_string(
        index=False, na_rep="-", float_format=lambda value: f"{value:,.3f}".rstrip("0").rstrip(".")
    )
