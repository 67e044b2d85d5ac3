"""What stands in the namespace for a value that a job is still computing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from gcs_lab.errors import NotReady

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab.cells.cell_job import CellJob

__all__ = ["Placeholder", "awaited_job", "is_placeholder", "name_there", "why_not_ready"]


class Placeholder:
    """A name whose value is not there yet; any use but looking at it raises :class:`~gcs_lab.errors.NotReady`.

    Parameters
    ----------
    name
        The name it stands under.
    why
        Called when it is looked at or used; says what it waits for and what to do.
    job
        The job that computes it: a later cell that needs the value depends on it.
    """

    __slots__ = ("_gcs_job", "_gcs_name", "_gcs_why")

    def __init__(self, name: str, why: Callable[[str], str], job: CellJob | None = None) -> None:
        object.__setattr__(self, "_gcs_name", name)
        object.__setattr__(self, "_gcs_why", why)
        object.__setattr__(self, "_gcs_job", job)

    def __repr__(self) -> str:
        return f"<{why_not_ready(self)}>"

    def __getattr__(self, attribute: str) -> NoReturn:
        # IPython, copy and pandas probe for private names; they must hear the usual "there is none".
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        _refuse(self)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        _refuse(self)


def _refuse(placeholder: Placeholder, *_: Any, **__: Any) -> NoReturn:
    raise NotReady(why_not_ready(placeholder))


_OPERATIONS = (
    "add radd sub rsub mul rmul matmul rmatmul truediv rtruediv floordiv rfloordiv mod rmod divmod rdivmod pow rpow "
    "lshift rlshift rshift rrshift and rand xor rxor or ror neg pos abs invert lt le gt ge eq ne len length_hint "
    "getitem setitem delitem iter next reversed contains call bool int float complex index round trunc floor ceil "
    "enter exit aenter aexit await aiter anext array setattr format str bytes fspath"
)
for _method in _OPERATIONS.split():
    setattr(Placeholder, f"__{_method}__", _refuse)
Placeholder.__str__ = Placeholder.__repr__  # type: ignore[method-assign,assignment]
Placeholder.__hash__ = object.__hash__  # type: ignore[method-assign]
del _method


def is_placeholder(value: object) -> bool:
    """Tell whether `value` is a placeholder, without using it."""
    return type(value) is Placeholder


def why_not_ready(placeholder: Placeholder) -> str:
    """Return what the placeholder waits for, in words."""
    name: str = object.__getattribute__(placeholder, "_gcs_name")
    why: Callable[[str], str] = object.__getattribute__(placeholder, "_gcs_why")
    return why(name)


def awaited_job(placeholder: Placeholder) -> CellJob | None:
    """Return the job that computes it, if that is known."""
    job: CellJob | None = object.__getattribute__(placeholder, "_gcs_job")
    return job


def name_there(placeholder: Placeholder) -> str:
    """Return the name of the value in its job: a placeholder may stand under others here."""
    name: str = object.__getattribute__(placeholder, "_gcs_name")
    return name
