"""The flags of ``%%gcs``: parsed, checked, and turned into what a plan needs."""

from __future__ import annotations

import argparse
import functools
import os
import re
import shlex
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from IPython.core.error import UsageError

from gcs_lab.cells.environment import parse_assignments
from gcs_lab.errors import GcsError, InvalidArgument, nearest, together

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab.cells.plan import CellOptions

__all__ = [
    "FlagParser",
    "add_after_flag",
    "add_asking_flags",
    "add_how_flags",
    "add_interpreter_flags",
    "add_place_flags",
    "cell_parser",
    "parse_flags",
    "slots_of",
    "to_options",
]

_PRIORITIES = range(-1023, 1025)
#: What argparse says of one argument, and of those that are not there.
_ABOUT_FLAG = re.compile(r"argument ([^\s:]+): (.*)", re.DOTALL)
_MISSING = re.compile(r"the following arguments are required: (.*)")
#: Options of qsub that have another name here, or none.
_OF_QSUB = {
    "-t": 'For an array job use --over "task=range(1, 11)"; a script may have its #$ -t line.',
    "-cwd": "A job runs in the notebook's folder anyway; --cwd FOLDER names another.",
    "-wd": "Use --cwd FOLDER.",
    "-v": "Use --env NAME=VALUE.",
    "-V": "The environment travels anyway, without what looks like a secret.",
    "-hold_jid": "Use --after JOB.",
    "-hold_jid_ad": "Use --after-each SWEEP.",
    "-S": "Use --lang PATH.",
    "-o": "The output appears below the cell; `%gcs logs JOB` shows it again.",
    "-e": "The output appears below the cell; `%gcs logs JOB` shows it again.",
    "-j": "The output appears below the cell; `%gcs logs JOB` shows it again.",
    "-sync": "`%%gcs run` waits for the job.",
}
T = TypeVar("T")


class FlagParser(argparse.ArgumentParser):
    """A parser that raises IPython's one-line UsageError, with the nearest flags that exist."""

    def __init__(self, prog: str, description: str | None = None) -> None:
        super().__init__(prog=prog, description=description, add_help=False, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Raise the usage error."""
        told = _ABOUT_FLAG.sub(lambda match: f"{match[1]}: {_plain(match[2])}", message)
        told = _MISSING.sub(r"\1 is missing", told)
        explains = f"{self.prog}?" if self.prog.startswith("%%") else f"{self.prog} --help"
        raise UsageError(f"{self.prog}: {told}.{self._hint(message)} `{explains}` explains them all.")

    def _get_option_tuples(self, option_string: str) -> list[Any]:
        # argparse takes the beginning of a flag with one minus for the flag: qsub's -h and -t are not -hold and -tc.
        found: list[Any] = super()._get_option_tuples(option_string)
        return [candidate for candidate in found if option_string.startswith(candidate[1])]

    def _hint(self, message: str) -> str:
        if match := re.match(r"unrecognized arguments: (\S+)", message):
            known = {flag.lstrip("-"): flag for action in self._actions for flag in action.option_strings}
            word = match[1].partition("=")[0] if match[1].startswith("--") else match[1]
            otherwise = f" The flags are: {' '.join(known.values())}." if known else " It has no flags."
            if match[1] in _OF_QSUB and self.prog.startswith("%%"):
                return f" {_OF_QSUB[match[1]]}"
        elif match := re.match(r"argument (\S+): invalid choice: '([^']*)'", message):
            action = next(a for a in self._actions if match[1] in {a.dest, a.metavar, "/".join(a.option_strings)})
            known, word, otherwise = {str(choice): str(choice) for choice in action.choices or ()}, match[2], ""
        else:
            return ""
        near = [known[name] for name in nearest(word.lstrip("-"), known, 2)]
        return f" Did you mean {' or '.join(near)}?" if near else otherwise


def _plain(text: str) -> str:
    """Return what argparse says is wrong with a flag's value, in a user's words."""
    if match := re.fullmatch(r"expected (?:one argument|(\d+) arguments)", text):
        return f"{match[1] or 'a'} value{'s' if match[1] else ''} must follow"
    if match := re.fullmatch(r"invalid (\w+) value: (.*)", text):
        return f"{match[2]} is not a whole number" if match[1] == "int" else text
    if match := re.match(r"invalid choice: ('[^']*') \(choose from (.*)\)", text):
        return f"there is no {match[1]}. There is: {match[2].replace(chr(39), '')}"
    return text


def cell_parser() -> FlagParser:
    """Return the parser of ``%%gcs run`` and ``%%gcs submit``."""
    parser = FlagParser(prog="%%gcs")
    add = parser.add_argument
    add("verb", choices=["run", "submit"], metavar="run|submit", help="run: wait for the job; submit: return at once")
    add_asking_flags(parser, "-p", "cell_N")
    travel = parser.add_argument_group("what travels")
    travel.add_argument(
        "--in", dest="inputs", metavar="A,B", action="append", default=[],
        help="send these variables too (those the cell reads are found)",
    )  # fmt: skip
    travel.add_argument(
        "--out", dest="outputs", metavar="A,B", action="append", default=[],
        help="these must come back (those the cell assigns do anyway, if they can)",
    )  # fmt: skip
    add_place_flags(travel)
    with_what = parser.add_argument_group("what runs it")
    add_interpreter_flags(with_what)
    with_what.add_argument(
        "--lang", metavar="LANG", help="the cell is bash, R, julia, ruby … or a program's path; #$ lines are honoured"
    )
    _add_many_jobs_flags(parser)
    add_how_flags(parser.add_argument_group("how"))
    return parser


def add_asking_flags(parser: argparse.ArgumentParser, priority: str, name: str) -> None:
    """Add the flags that ask the cluster for something.

    Parameters
    ----------
    parser
        Takes them.
    priority
        The flag of the priority.
    name
        What a job is called without ``-N``, for the help.
    """
    ask = parser.add_argument_group("what the job asks for (as qsub)")
    ask.add_argument("-N", dest="name", metavar="NAME", help=f"name of the job (default: {name})")
    ask.add_argument("-q", dest="queue", metavar="QUEUE", help="queue: all.q, all.q@host, a list with commas")
    ask.add_argument(
        "-l", dest="requests", metavar="NAME=VALUE,…", action="append", default=[],
        help="resources: -l h_rt=1:00:00,h_vmem=4G; may be given more than once",
    )  # fmt: skip
    ask.add_argument(
        "-pe", dest="pe", metavar=("NAME", "N"), nargs=2, help="parallel environment and slots: 4 or 2-8"
    )
    ask.add_argument(priority, dest="priority", metavar="N", type=int, help="priority, -1023 to 1024 (default 0)")
    ask.add_argument("-hold", dest="hold", action="store_true", help="submit on hold; %%gcs release lets it go")
    ask.add_argument("-P", dest="project", metavar="PROJECT", help="project that the job is accounted to")
    ask.add_argument("--native", metavar="OPTIONS", help="more options in the scheduler's own words, quoted")


def add_place_flags(group: argparse._ArgumentGroup) -> None:
    """Add the flags of folder and environment."""
    group.add_argument("--cwd", metavar="FOLDER", help="folder to run in (default: the notebook's)")
    group.add_argument(
        "--env", dest="environment", metavar="NAME[=VALUE]", action="append", default=[],
        help="set a variable; what looks like a secret travels only if it is named here",
    )  # fmt: skip


def add_interpreter_flags(group: argparse._ArgumentGroup) -> None:
    """Add the flags of the job's Python."""
    group.add_argument("--python", metavar="PATH", help="Python 3.9 or newer for the job (default: the notebook's)")
    group.add_argument("--conda", metavar="ENV", help="run in this conda environment: its name or its folder")
    group.add_argument(
        "--module", dest="modules", metavar="NAME", action="append", default=[],
        help="load an environment module first (module load NAME); may be given more than once",
    )  # fmt: skip


def add_how_flags(group: argparse._ArgumentGroup) -> None:
    """Add the flags that say what is done with the job."""
    group.add_argument("--explain", action="store_true", help="show what would be sent, and send nothing")
    group.add_argument("--on", dest="cluster", metavar="CLUSTER", help="cluster: embedded, gridengine, demo …")
    group.add_argument("--no-defaults", action="store_true", help="leave out what %%gcs defaults shows")


def add_after_flag(group: argparse._ArgumentGroup) -> None:
    """Add the flag of the jobs that must have ended before."""
    group.add_argument(
        "--after", metavar="JOB,…", action="append", default=[],
        help="start when these have ended well: names, ids, variables",
    )  # fmt: skip


def _add_many_jobs_flags(parser: FlagParser) -> None:
    many = parser.add_argument_group("many jobs")
    many.add_argument(
        "--over", metavar="X=VALUES", action="append", default=[],
        help='run once for each: --over "x=range(100)" --over "model=[\'a\', \'b\']" (all combinations), or a '
        "DataFrame or list of dicts of the notebook: --over grid",
    )  # fmt: skip
    many.add_argument("--zip", dest="side_by_side", action="store_true", help="walk the --over lists side by side")
    many.add_argument("-tc", dest="max_parallel", metavar="N", type=int, help="run at most N of them at once")
    many.add_argument(
        "--as", dest="sweep_name", metavar="NAME", default="sweep",
        help="variable for the sweep (default: sweep); NAME.frame is its table",
    )  # fmt: skip
    add_after_flag(many)
    many.add_argument(
        "--after-each", metavar="SWEEP", help="start each task when the same task of this sweep has ended well"
    )
    many.add_argument(
        "--cache", action=argparse.BooleanOptionalAction, help="take the results of an equal job, if there was one"
    )
    many.add_argument(
        "--cache-file", dest="cache_files", metavar="PATH", action="append", default=[],
        help="as --cache, and what this file (or folder) holds counts, too; may be given more than once",
    )  # fmt: skip


def whole_line(line: str, cell: str) -> tuple[str, str]:
    r"""Return a cell magic's line with the lines that it goes on in: each but the last ends with a backslash.

    The cell comes back with empty lines in their place, so that lines keep their numbers.

    Examples
    --------
    >>> whole_line("submit -N fit \\", "    -l h_rt=60\nx = 1")
    ('submit -N fit  -l h_rt=60', '\nx = 1')
    """
    rest = cell.split("\n")
    taken = 0
    while line.rstrip().endswith("\\") and taken < len(rest):
        line = f"{line.rstrip()[:-1]} {rest[taken].strip()}"
        taken += 1
    return line, "\n".join([""] * taken + rest[taken:])


def parse_flags(parser: argparse.ArgumentParser, line: str) -> argparse.Namespace:
    """Parse a magic's line; quotes work as in a shell, and nothing else of a shell does.

    Raises
    ------
    UsageError
        If a quote is not closed, or a flag is unknown or lacks its value.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"{parser.prog}: {error} in: {line}") from None
    return parser.parse_args(words)


def to_options(flags: argparse.Namespace, problems: list[GcsError] | None = None) -> CellOptions:
    """Return the options that the flags ask for.

    Parameters
    ----------
    flags
        As :func:`parse_flags` returned them.
    problems
        Takes what is wrong; the options lack it then. None: it is raised.

    Raises
    ------
    InvalidArgument
        If a value cannot work; SeveralProblems if more than one does.
    """
    # `%load_ext` needs the flags for its help, and none of these.
    from gcs_lab.cells.plan import CellOptions
    from gcs_lab.jobs.requests import parse_requests

    wrong: list[GcsError] = []
    requests: dict[str, str] = {}
    for text in flags.requests:
        requests |= _read(wrong, functools.partial(parse_requests, text)) or {}
    if flags.priority is not None and flags.priority not in _PRIORITIES:
        wrong.append(InvalidArgument(f"-p {flags.priority}: a priority is a whole number from -1023 to 1024."))
    if flags.name is not None and not flags.name.strip():
        wrong.append(InvalidArgument("-N: the name is empty. Give the job a name, or leave -N out."))
    if flags.max_parallel is not None and flags.max_parallel < 1:
        wrong.append(InvalidArgument(f"-tc {flags.max_parallel}: how many may run at once is 1 or more."))
    wrong += _empty_words("--after", flags.after)
    wrong += _empty_words("--after-each", [] if flags.after_each is None else [flags.after_each])
    pe, slots = (flags.pe[0], _read(wrong, lambda: slots_of(*flags.pe))) if flags.pe else (None, None)
    files = bool(flags.lang)
    inputs = _read(wrong, lambda: _names(flags.inputs, "--in", files=files)) or []
    outputs = _read(wrong, lambda: _names(flags.outputs, "--out", files=files)) or []
    environment = _read(wrong, lambda: parse_assignments(flags.environment, os.environ)) or {}
    if wrong and problems is None:
        raise together(wrong)
    if problems is not None:
        problems += wrong
    return CellOptions(
        name=flags.name,
        queue=flags.queue,
        requests=requests,
        parallel_environment=pe,
        slots=slots,
        priority=flags.priority,
        hold=flags.hold,
        inputs=inputs,
        outputs=outputs,
        cwd=flags.cwd,
        environment=environment,
        python=flags.python,
        native=flags.native,
        project=flags.project,
        over=flags.over,
        side_by_side=flags.side_by_side,
        max_parallel=flags.max_parallel,
        sweep_name=flags.sweep_name,
        after=[word.strip() for text in flags.after for word in text.split(",") if word.strip()],
        after_each=flags.after_each,
        cache=flags.cache or bool(flags.cache_files),
        cache_files=flags.cache_files,
        lang=flags.lang,
        conda=flags.conda,
        modules=flags.modules,
    )


def _empty_words(flag: str, texts: list[str]) -> list[GcsError]:
    return [
        InvalidArgument(f"{flag} {text!r} names no job. Give a name, an id or a variable, or leave {flag} out.")
        for text in texts
        if not text.replace(",", "").strip()
    ]


def _read(wrong: list[GcsError], read: Callable[[], T]) -> T | None:
    """Return what `read` returns, or None, and add to `wrong` what it raised."""
    try:
        return read()
    except InvalidArgument as error:
        wrong.append(error)
        return None


def _names(texts: list[str], flag: str, *, files: bool) -> list[str]:
    # Scripts take and leave files, too; the plan looks at their names.
    names = [name.strip() for text in texts for name in text.split(",") if name.strip()]
    for name in names:
        if not files and not name.isidentifier():
            raise InvalidArgument(f"{flag} {name}: {name!r} cannot be the name of a variable.")
    return list(dict.fromkeys(names))


def slots_of(pe: str, text: str) -> tuple[int, int]:
    """Return the slots of ``-pe NAME TEXT`` (4, or a range as 2-8). Raises InvalidArgument if it is neither."""
    match = re.fullmatch(r"(\d+)(?:-(\d+))?", text, re.ASCII)
    if match is None:
        raise InvalidArgument(f"-pe {pe} {text}: expected a number of slots or a range, for example 4 or 2-8.")
    low, high = int(match[1]), int(match[2] or match[1])
    if not 1 <= low <= high:
        raise InvalidArgument(f"-pe {pe} {text}: slots start at 1, and a range goes upward.")
    return low, high
