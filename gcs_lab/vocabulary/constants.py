"""The constants of DRMAA2 (GFD.231, section 5; ``drmaa2.h`` of the C binding)."""

from __future__ import annotations

__all__ = [
    "HOME_DIRECTORY",
    "INFINITE_TIME",
    "NOW",
    "PARAMETRIC_INDEX",
    "UNSET_ENUM",
    "UNSET_NUM",
    "UNSET_TIME",
    "WORKING_DIRECTORY",
    "ZERO_TIME",
]

#: A wait that only looks.
ZERO_TIME = 0
#: A wait without end.
INFINITE_TIME = -1
#: The moment at which the system looks at the request.
NOW = -2
UNSET_TIME = -3
UNSET_NUM = -1
UNSET_ENUM = -1

#: Placeholder at the beginning of a path: the home folder of the job's user, where the job runs.
HOME_DIRECTORY = "$DRMAA2_HOME_DIR$"
#: Placeholder at the beginning of a path: the job's working directory.
WORKING_DIRECTORY = "$DRMAA2_WORKING_DIR$"
#: Placeholder anywhere in a path: the index of the task of an array job.
PARAMETRIC_INDEX = "$DRMAA2_INDEX$"
