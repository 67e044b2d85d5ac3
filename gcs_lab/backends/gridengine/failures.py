"""Whether a record of accounting is a job's last, and why the job failed (:mod:`gcs_lab.accounting.endings`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.accounting.endings import FAILED_CODES, annotation, ends_the_job, signal_name

if TYPE_CHECKING:
    from gcs_lab.backends.gridengine.accounting_record import AccountingRecord

__all__ = ["FAILED_CODES", "annotation", "ends_the_job", "is_final", "signal_name"]


def is_final(record: AccountingRecord) -> bool:
    """Tell whether the job ended with this record, rather than going back into the queue."""
    return ends_the_job(record.failed)
