"""The fixture ``site``, one backend after the other, and how statements are run on it."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

import pytest

from conformance.outcome_table import PROPERTY
from conformance.sites import SITES, site_parameters
from conformance.statements import HONOURED
from conformance.together import Companions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.site import Site

_COMPANIONS = pytest.StashKey[Companions]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_COMPANIONS] = Companions()


def _companions(config: pytest.Config) -> Companions:
    # Configured already when the suite's folder is found only while tests are collected.
    return config.stash.setdefault(_COMPANIONS, Companions())


@pytest.fixture(scope="session", params=site_parameters())
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    context = SITES[request.param]()
    # It lives as long as the tests of other folders may run in this process: they have a home of their own.
    with _own_home_afterwards():
        made = context.__enter__()
    yield made
    with _own_home_afterwards():
        os.environ["GCS_LAB_HOME"] = str(made.home)
        _companions(request.config).close()
        context.__exit__(None, None, None)


@contextlib.contextmanager
def _own_home_afterwards() -> Iterator[None]:
    before = os.environ["GCS_LAB_HOME"]
    try:
        yield
    finally:
        os.environ["GCS_LAB_HOME"] = before


@pytest.fixture(autouse=True)
def _in_the_home_of_the_site(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let sessions, and schedulers that are started anew, find the site's files."""
    if "site" not in request.fixturenames:
        yield
        return
    with _own_home_afterwards():
        os.environ["GCS_LAB_HOME"] = str(request.getfixturevalue("site").home)
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note which rows of the table the statement speaks of; a site that cannot be made fails them too."""
    site = getattr(item, "callspec", None) and item.callspec.params.get("site")  # type: ignore[attr-defined]
    if site:
        rows = [row for mark in item.iter_markers("subject") for row in mark.args]
        item.user_properties.append((PROPERTY, [site, rows, HONOURED]))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a statement, alone or with the others of its file; what it returns is its word for the table."""
    site: Site | None = pyfuncitem.funcargs.get("site")
    if site is None:
        return None
    companions = _companions(pyfuncitem.config)
    if pyfuncitem.get_closest_marker("together"):
        answer = companions.outcome(pyfuncitem, site)
    else:
        companions.wait(pyfuncitem, site)
        names = pyfuncitem._fixtureinfo.argnames
        answer = site.check(lambda: pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    if answer is not None:
        note: Any = dict(pyfuncitem.user_properties)[PROPERTY]
        note[2] = answer
    return True
