"""Marks of statements: the clause that one checks, and the attribute or operation that it speaks of."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest

from gcs_lab.errors import UnsupportedAttribute
from gcs_lab.vocabulary import JobTemplate, ReservationTemplate

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.site import Site

__all__ = ["HONOURED", "REFUSED", "attribute", "clause", "refused", "reservation_attribute", "subject", "together"]

HONOURED, REFUSED, FAILED = "honoured", "refused", "failed"

#: The statement may run at the same time as the others of its file that have this mark.
together = pytest.mark.together


def clause(text: str) -> pytest.MarkDecorator:
    """Name the clause of the standard, or the point of the requirements, that the statement checks."""
    return pytest.mark.clause(text)


def subject(*names: str) -> pytest.MarkDecorator:
    """Name the rows of the table that the statement's outcome belongs to: ``"Job.hold"``."""
    return pytest.mark.subject(*names)


def attribute(name: str, value: Any) -> Callable[[Callable[..., None]], Callable[..., str]]:
    """Make a function the statement of what an attribute of `JobTemplate` does.

    Where the backend does not honour the attribute, a job with `value` must be refused instead. `value` may be a
    function that takes the site.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., str]:
        @functools.wraps(function)
        def statement(site: Site, **more: Any) -> str:
            if name in site.jobs.backend.supported_attributes:
                function(site, **more)
                return HONOURED
            refused(site, name, value(site) if callable(value) else value)
            return REFUSED

        return subject(f"JobTemplate.{name}")(statement)

    return decorate


def reservation_attribute(name: str, value: Any) -> Callable[[Callable[..., None]], Callable[..., str]]:
    """Make a function the statement of what an attribute of `ReservationTemplate` does; as :func:`attribute`."""

    def decorate(function: Callable[..., None]) -> Callable[..., str]:
        @functools.wraps(function)
        def statement(site: Site, **more: Any) -> str:
            backend = site.jobs.backend.reservations
            if backend is not None and name in backend.supported_attributes:
                function(site, **more)
                return HONOURED
            reservation_refused(site, name, value(site) if callable(value) else value)
            return REFUSED

        return subject(f"ReservationTemplate.{name}")(statement)

    return decorate


def refused(site: Site, name: str, value: Any) -> None:
    """Make sure that a template with this attribute is refused, in words that help, and that there is no job.

    Raises
    ------
    AssertionError
        If it is not.
    """
    job_name = site.name_of_a_job()
    template = JobTemplate(remote_command="/bin/true", **{"job_name": job_name, name: value})
    backend = site.jobs.backend
    with pytest.raises(UnsupportedAttribute) as caught:
        site.jobs.submit(template)
    _says(str(caught.value), name, backend.system, backend.refusals[name])
    assert site.ids_with_name(job_name) == []


def reservation_refused(site: Site, name: str, value: Any) -> None:
    """Make sure that a reservation with this attribute is refused, and that there is none. As :func:`refused`."""
    backend = site.jobs.backend.reservations
    assert backend is not None, f"{site.name} has no reservations: the whole operation is refused elsewhere"
    # Other statements make reservations at the same time: this one would be known by its name.
    reservation_name = site.name_of_a_job()
    template = ReservationTemplate(**{"duration": 60, "reservation_name": reservation_name, name: value})
    with pytest.raises(UnsupportedAttribute) as caught:
        site.jobs.reservations.request(template)
    _says(str(caught.value), name, site.jobs.system, backend.refusals[name])
    assert reservation_name not in [info.reservation_name for info in backend.info(None).values()]


def _says(message: str, name: str, system: str, alternative: str) -> None:
    assert name in message
    assert system in message
    assert alternative.strip()
    assert alternative in message
