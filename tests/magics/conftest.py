from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from kernel_session import BOTH, start_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernel_session import KernelSession


@pytest.fixture(scope="session")
def grid_engine() -> Iterator[None]:
    """A private Grid Engine called ``cells``, offered as ``demo-cells``."""
    if shutil.which("sge_qmaster", path="/usr/lib/gridengine") is None:
        pytest.skip(
            "Grid Engine's Debian packages are not installed: make test installs them, root or sudo permitting"
        )
    from gcs_lab.backends.gridengine import demo

    demo.start("cells")
    yield
    demo.stop("cells")


@pytest.fixture(scope="session")
def cluster(request) -> str:
    """The cluster of a test that runs on both systems."""
    if request.param != "embedded":
        request.getfixturevalue("grid_engine")
    return request.param


@pytest.fixture(scope="module")
def shared_kernel(tmp_path_factory, cluster) -> Iterator[KernelSession]:
    session = start_kernel(tmp_path_factory, cluster)
    yield session
    session.close()


@pytest.fixture
def kernel(shared_kernel: KernelSession) -> KernelSession:
    """A kernel whose namespace is empty."""
    shared_kernel.run("%reset -f")
    return shared_kernel


@pytest.fixture
def own_kernel(tmp_path_factory, cluster) -> Iterator[KernelSession]:
    """A kernel that the test may kill."""
    session = start_kernel(tmp_path_factory, cluster)
    yield session
    session.close()


def pytest_generate_tests(metafunc) -> None:
    """Run every test that has a kernel on both systems, unless it says otherwise."""
    if {"cluster", "kernel", "own_kernel"} & set(metafunc.fixturenames) and not any(
        mark.name == "parametrize" and "cluster" in mark.args[0] for mark in metafunc.definition.iter_markers()
    ):
        metafunc.parametrize("cluster", BOTH, indirect=True, scope="session")
