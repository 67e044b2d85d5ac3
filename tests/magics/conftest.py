from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from kernel_session import KernelSession

if TYPE_CHECKING:
    from collections.abc import Iterator


def start_kernel(tmp_path_factory, **env: str) -> KernelSession:
    environment = {**os.environ, "GCS_LAB_CLUSTER": "embedded", "PYTHONWARNINGS": "default", **env}
    session = KernelSession(tmp_path_factory.mktemp("notebook"), environment)
    loaded = session.run("%load_ext gcs_lab")
    assert loaded.error() is None, loaded.traceback()
    return session


@pytest.fixture(scope="module")
def shared_kernel(tmp_path_factory) -> Iterator[KernelSession]:
    session = start_kernel(tmp_path_factory)
    yield session
    session.close()


@pytest.fixture
def kernel(shared_kernel: KernelSession) -> KernelSession:
    """A kernel on the embedded cluster whose namespace is empty."""
    shared_kernel.run("%reset -f")
    return shared_kernel


@pytest.fixture
def own_kernel(tmp_path_factory) -> Iterator[KernelSession]:
    """A kernel that the test may kill."""
    session = start_kernel(tmp_path_factory)
    yield session
    session.close()
