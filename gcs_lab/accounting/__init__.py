"""What the cluster did: records of accounting, whatever wrote them, in one table with one set of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gcs_lab.accounting.area import Accounting
    from gcs_lab.accounting.choice import Choice
    from gcs_lab.accounting.opening import open_accounting
    from gcs_lab.accounting.protocol import AccountingBackend

__all__ = ["Accounting", "AccountingBackend", "Choice", "open_accounting"]

_HOMES = {
    "Accounting": "area",
    "AccountingBackend": "protocol",
    "Choice": "choice",
    "open_accounting": "opening",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
