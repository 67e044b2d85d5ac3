"""What was found on this machine, for ``gcs-lab doctor`` and ``%gcs doctor``."""

from gcs_lab.doctor.screen import diagnose

__all__ = ["diagnose"]
