"""What was found on this machine, for ``gcs-lab doctor`` and ``%gcs doctor``: :mod:`gcs_lab.doctor.screen`."""
