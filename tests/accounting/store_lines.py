"""Lines of the classic file for tests of the store: each is one record that is told from all others by its job."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: As sge_accounting(5) of SGE 8.1.9 has them; the job's number, owner and end are filled in.
_LINE = (
    "all.q:node01.example.org:users:{owner}:sleeper:{job}:sge:0:{submitted}:{started}:{ended}:0:0:60:1.500000:0.250000:"
    "8192.000000:0:0:0:0:100:0:0:0.000000:16:0:0:0:12:3:NONE:defaultdepartment:NONE:1:0:1.750000:0.125000:0.001000:"
    "-l h_rt=600:0.000000:NONE:1048576.000000:0:0\n"
)
START = 1_760_000_000


def record_line(job: int, owner: str = "") -> bytes:
    """Return the line of a job, with its newline."""
    at = START + 10 * job
    owner = owner or f"user{job % 3}"
    return _LINE.format(owner=owner, job=job, submitted=at, started=at + 1, ended=at + 61).encode()


def record_lines(jobs: Iterable[int]) -> bytes:
    return b"".join(record_line(job) for job in jobs)


def bad_line(number: int) -> bytes:
    return b"no record %d\n" % number
