"""The exceptions under the names of Univa's Python binding: they are those of :mod:`gcs_lab.errors`, not others.

Each has an ``error_code``, a number of :class:`~gcs_lab.drmaa2.drmaa2_constants.StatusCode`.
"""

from __future__ import annotations

from gcs_lab.errors import (
    DeniedByDrms,
    GcsError,
    InvalidArgument,
    InvalidSession,
    InvalidState,
    UnsupportedAttribute,
    UnsupportedOperation,
)
from gcs_lab.errors import DrmCommunication as DrmCommunicationError
from gcs_lab.errors import ImplementationSpecific as ImplementationSpecificError
from gcs_lab.errors import Internal as InternalError
from gcs_lab.errors import NotAuthorized as AuthorizationError
from gcs_lab.errors import OutOfResource as ResourceNotAvailable
from gcs_lab.errors import SessionManagement as SessionManagementError
from gcs_lab.errors import Timeout as TimeoutError  # noqa: A004  (the binding's name)
from gcs_lab.errors import TryLater as TryLaterError

__all__ = [
    "AuthorizationError",
    "DeniedByDrms",
    "DrmCommunicationError",
    "Drmaa2Exception",
    "ImplementationSpecificError",
    "InternalError",
    "InvalidArgument",
    "InvalidSession",
    "InvalidState",
    "ResourceNotAvailable",
    "SessionManagementError",
    "TimeoutError",
    "TryLaterError",
    "UnsupportedAttribute",
    "UnsupportedOperation",
]

Drmaa2Exception = GcsError
