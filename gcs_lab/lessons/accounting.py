"""Checks of lesson 5: the node that fails, the memory that nobody uses, a question of one's own, a request that fits.

What was planted in the year of the lesson is known from its variable ``hidden``, and figures are computed again from
the records (``site``), so that they hold for a year that was made with other numbers, too.
"""

from __future__ import annotations

import ast
import contextlib
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeGuard

from gcs_lab.accounting.area import Accounting
from gcs_lab.accounting.choice import ChoiceWords
from gcs_lab.accounting.synthetic_year import SiteFacts
from gcs_lab.errors import GcsError
from gcs_lab.jobs.requests import parse_memory
from gcs_lab.lessons.evidence import jobs_named, namespace
from gcs_lab.lessons.report import CheckReport, Point

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcs_lab.accounting.advice import Advice
    from gcs_lab.lessons.evidence import LessonJob

__all__ = ["failing_node", "own_question", "own_request", "wasted_memory"]

#: So far a figure that was read off a table may be from the one that is computed.
_CLOSE = 0.05
#: A request may be so many times what is advised.
_GENEROUS = 2.0
#: Words that narrow a question, and how many of them the exercise asks for.
_WORDS, _WANTED_WORDS = frozenset(ChoiceWords.__annotations__) - {"by_end", "main_only"}, 2
_GIB_HOUR = float(1 << 30) * 3600
#: The function that the jobs of exercise 4 call.
_WORK = "drawn_means"

_NO_YEAR = Point(
    "the year of the lesson is open as `site`, and `hidden` says what is in it",
    met=False,
    hint="run the cells from the beginning of the lesson",
)


def failing_node() -> CheckReport:
    """Check the node that fails, and what its jobs end with: ``bad_node`` and ``bad_status`` (exercise 1)."""
    name = "The node that fails"
    facts = _facts()
    if facts is None:
        return CheckReport(name, (_NO_YEAR,))
    mine = namespace()
    node, status = mine.get("bad_node"), mine.get("bad_status")
    is_host = isinstance(node, str) and node in facts.hosts
    return CheckReport(
        name,
        (
            Point("`bad_node` is a host of the site", is_host, _said("bad_node", node, "a name such as `node001`")),
            Point(
                "jobs fail there far more often than on the other hosts of its queues",
                is_host and node == facts.failing_node,
                "ask for `failures` by host; of `rate` and `others`, which do not go together?",
            ),
            Point(
                "`bad_status` is an exit status",
                _is_number(status),
                _said("bad_status", status, "the number alone"),
            ),
            Point(
                "it is the one that is seen on this host alone",
                _is_number(status) and float(status) == facts.failing_status,
                "ask for the `failures` of all hosts: the column `hosts` says on how many of them a reason is seen",
            ),
        ),
    )


def wasted_memory() -> CheckReport:
    """Check ``waster``, the ``request`` that would do, and what it would have ``freed`` (exercise 2)."""
    name = "The memory that nobody uses"
    facts, site = _facts(), _site()
    if facts is None or site is None:
        return CheckReport(name, (_NO_YEAR,))
    mine = namespace()
    who, asked, freed = mine.get("waster"), _memory(mine.get("request")), mine.get("freed")
    advised = _advice(site, facts.memory_waster)
    memory = [one for advice in advised for one in advice.measures if one.name == "h_vmem" and one.enough]
    right = [one for one in memory if asked and one.most <= asked <= _GENEROUS * (one.enough or 0.0)]
    close = [
        one
        for one in memory
        if _is_number(freed) and abs(freed - one.freed / _GIB_HOUR) <= _CLOSE * one.freed / _GIB_HOUR
    ]
    return CheckReport(
        name,
        (
            Point(
                "`waster` is the one with the most memory asked for and never touched",
                isinstance(who, str) and who == facts.memory_waster,
                _said("waster", who, "ask for `efficiency` by owner; the column is `memory_idle`"),
            ),
            Point(
                "`request` says an amount of `h_vmem`",
                asked is not None,
                _said("request", mine.get("request"), 'text as behind -l, such as `"h_vmem=8G"`'),
            ),
            Point(
                "it is enough for 95 % of that person's largest family, and at most twice what is advised",
                bool(right),
                "`families(owner=…)`, and `advice` on the first of them: the columns `95 % needed` and `ask for`",
            ),
            Point(
                "`freed` says how many GiB h that would have freed",
                bool(close),
                _said(
                    "freed",
                    freed,
                    "the last column of the advice, as a number; a part in twenty more or less is fine",
                ),
            ),
        ),
    )


def own_question() -> CheckReport:
    """Check that ``mine`` is the answer of a question that was narrowed by two of qacct's words (exercise 3)."""
    name = "A question of your own"
    site = _site()
    if site is None:
        return CheckReport(name, (_NO_YEAR,))
    answer = namespace().get("mine")
    call = _last_question()
    words = _narrowed_by(call)
    some = _count(site, call)
    return CheckReport(
        name,
        (
            Point("`mine` is a table with something in it", _rows(answer) > 0, _rows_said(answer)),
            Point(
                "a question to `site` made it",
                call is not None,
                "as `mine = site.summary(…)`, or any other question of the lesson, in one statement",
            ),
            Point(
                "it is narrowed by at least two words of qacct",
                len(words) >= _WANTED_WORDS,
                "so far by {}; `help(site.records)` has them all".format(", ".join(sorted(words)) or "none"),
            ),
            Point(
                "it is about some of the records: neither none of them nor all",
                some,
                "other values of the words choose others: `site.top(5, by=…)` shows which there are",
            ),
        ),
    )


def own_request() -> CheckReport:
    """Check that the job `thrifty` asks for what `bootstrap` was measured to need (exercise 4)."""
    first = next((job for job in jobs_named("bootstrap") if job.done), None)
    thrifty = next(iter(jobs_named("thrifty", kind="cell")), None)
    peak = float(first.ended.get("max_vmem") or 0) if first else 0.0
    had, asked = _requested(first), _requested(thrifty)
    return CheckReport(
        "A request that fits",
        (
            Point(
                "`bootstrap` has ended well, and its memory was measured",
                peak > 0,
                "`%gcs wait bootstrap`; `%gcs logs bootstrap` if it failed",
            ),
            Point("a job called `thrifty` was submitted", thrifty is not None, "`-N` names it"),
            Point(
                "it does the same work as `bootstrap`",
                first is not None and thrifty is not None and _WORK in thrifty.inputs,
                f"`{_WORK}` is what has to travel with it",
            ),
            Point(
                "it asks for at least as much `h_vmem` as `bootstrap` had in use at most",
                bool(asked and peak and asked >= peak),
                "`%gcs advice bootstrap`, and the card of `bootstrap`",
            ),
            Point(
                "it asks for at most half of what `bootstrap` asked for",
                bool(asked and had and asked <= had / 2),
                "`%gcs advice bootstrap` ends with a line to copy",
            ),
            Point("it has ended well", thrifty is not None and thrifty.done, _why_not(thrifty)),
        ),
    )


def _facts() -> SiteFacts | None:
    facts = namespace().get("hidden")
    return facts if isinstance(facts, SiteFacts) and facts.failing_node and facts.memory_waster else None


def _site() -> Accounting | None:
    site = namespace().get("site")
    return site if isinstance(site, Accounting) else None


def _is_number(value: Any) -> TypeGuard[float]:
    # numpy's numbers, as they stand in tables, too.
    return isinstance(value, Real) and not isinstance(value, bool)


def _said(name: str, value: Any, wanted: str) -> str:
    # `...` is what the exercise's cell leaves.
    return wanted if value is None or value is ... else f"`{name}` is {str(value)[:40]!r} now; {wanted}"


def _memory(text: Any) -> float | None:
    """Return the bytes that ``"h_vmem=8G"`` (``"-l h_vmem=8G,h_rt=…"``) asks for; None if it does not."""
    if not isinstance(text, str):
        return None
    for part in text.removeprefix("-l").split(","):
        key, _, value = part.strip().partition("=")
        if key == "h_vmem":
            with contextlib.suppress(GcsError):
                return parse_memory(value.strip())
    return None


def _advice(site: Accounting, owner: str) -> list[Advice]:
    """Return the advice on a person's largest family, and on all of that person's jobs."""
    names = site.families(owner=owner)["family"].tolist()[:1]
    return [site.advice(name, owner=owner) for name in [*names, "*"]]


def _last_question() -> ast.Call | None:
    """Return the call of the last ``mine = site.…(…)`` that was run; None if there is none."""
    for source in reversed(namespace().get("In", [])):
        with contextlib.suppress(SyntaxError, ValueError):
            if (found := _question_in(str(source))) is not None:
                return found
    return None


def _question_in(source: str) -> ast.Call | None:
    found = None
    for statement in ast.parse(source).body:
        if not isinstance(statement, ast.Assign):
            continue
        called = statement.value
        names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
        # site.summary(…), and site.summary(…)[["jobs"]], site.summary(…).head() …
        calls = [
            node
            for node in ast.walk(called)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "site"
        ]
        if "mine" in names and calls:
            found = calls[0]
    return found


def _narrowed_by(call: ast.Call | None) -> set[str]:
    return {word.arg for word in call.keywords if word.arg in _WORDS} if call is not None else set()


def _count(site: Accounting, call: ast.Call | None) -> bool:
    """Tell whether the words of a question choose some of the records, and not all."""
    choice = dict(_values(call))
    if not choice:
        return False
    try:
        chosen = len(site.frame(["job_id"], **choice))
    except (GcsError, TypeError, ValueError):
        return False
    return 0 < chosen < site.totals().records


def _values(call: ast.Call | None) -> Iterator[tuple[str, Any]]:
    """Yield the narrowing words of a question, with those values that are written there or have a name."""
    for word in call.keywords if call is not None else ():
        if word.arg in _WORDS:
            with contextlib.suppress(ValueError, KeyError, AttributeError):
                yield word.arg, _value(word.value)


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Name):
        return namespace()[node.id]
    if isinstance(node, ast.Attribute):
        return getattr(_value(node.value), node.attr)
    return ast.literal_eval(node)


def _rows(answer: Any) -> int:
    shape = getattr(answer, "shape", (0,))
    return int(shape[0]) if len(shape) > 1 else 0


def _rows_said(answer: Any) -> str:
    if answer is None or answer is ...:
        return "there is no `mine` yet"
    return "no record fits" if hasattr(answer, "shape") else f"it is a {type(answer).__name__} now"


def _requested(job: LessonJob | None) -> float | None:
    return _memory(f"h_vmem={job.requests['h_vmem']}") if job is not None and "h_vmem" in job.requests else None


def _why_not(job: LessonJob | None) -> str:
    if job is None:
        return ""
    return job.error if job.failed else "`%gcs wait thrifty` waits for it"
