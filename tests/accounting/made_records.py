"""Records of accounting made by hand, for questions whose answer is known."""

from datetime import UTC, datetime

import polars as pl

from gcs_lab.accounting.tables import record_schema

BEGIN = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
GIB = 1 << 30


def when(seconds):
    return datetime.fromtimestamp(BEGIN + seconds, UTC)


def record(number=0, *, sent=None, wait=10.0, wall=600.0, **more):
    """Return one record as a mapping; job `number`, sent an hour after the one before."""
    sent = 3600.0 * number if sent is None else sent
    return {
        "job_id": str(1000 + number),
        "name": f"fit_{number:03d}",
        "owner": "ann",
        "queue": "all.q",
        "host": "node1",
        "slots": 1,
        "submission_time": when(sent),
        "start_time": when(sent + wait),
        "end_time": when(sent + wait + wall),
        "failed": 0,
        "exit_status": 0,
        "wallclock": wall,
        "cpu": wall,
        "max_vmem": GIB,
        "category": "-l h_rt=3600,h_vmem=4G",
        **more,
    }


def records(rows):
    return pl.DataFrame(rows, schema=record_schema()).lazy()
