"""Connecting to a cluster, its five areas, and the folders of the user."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest
from in_memory_backend import InMemoryProvider, InMemorySystem

from gcs_lab import cluster as cluster_module
from gcs_lab import user_paths
from gcs_lab.backends.provider import BackendProvider, Offer, SystemBackend
from gcs_lab.cluster import Cluster, connect, offers, providers
from gcs_lab.errors import ClusterNotFound, InvalidState, UnsupportedOperation
from gcs_lab.vocabulary import Capability


@pytest.fixture
def laptop(monkeypatch: pytest.MonkeyPatch) -> InMemoryProvider:
    """Pretend that one backend is installed, which offers an embedded and a hidden cluster."""
    return _installed(monkeypatch, Offer("embedded", 1, "it is always there"), Offer("hidden", 0, "it was named"))


def _installed(monkeypatch: pytest.MonkeyPatch, *offered: Offer) -> InMemoryProvider:
    provider = InMemoryProvider("memory", *offered)
    monkeypatch.setattr(cluster_module, "providers", lambda: {"memory": provider})
    monkeypatch.setattr(cluster_module, "_connected", {})
    monkeypatch.delenv("GCS_LAB_CLUSTER", raising=False)
    return provider


def test_the_fakes_follow_the_protocols(laptop: InMemoryProvider) -> None:
    assert isinstance(laptop, BackendProvider)
    assert isinstance(laptop.connect("embedded"), SystemBackend)


def test_both_backends_of_this_version_are_found_and_follow_the_protocol() -> None:
    found = providers()
    assert {"embedded", "gridengine"} <= set(found)
    assert all(isinstance(provider, BackendProvider) for provider in found.values())


def test_the_embedded_cluster_is_always_offered() -> None:
    assert "embedded" in [offer.cluster for _, offer in offers()]


def test_a_backend_that_cannot_be_loaded_is_left_out_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint("mars", "no_such_package_on_mars:PROVIDER", "gcs_lab.backends")
    monkeypatch.setattr(cluster_module, "entry_points", lambda group: [broken])
    with pytest.warns(UserWarning, match=r"the backend 'mars'.*could not be loaded.*no_such_package_on_mars"):
        assert providers() == {}


def test_connect_takes_the_offer_of_the_highest_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(
        monkeypatch, Offer("embedded", 1, "a"), Offer("gridengine", 3, "SGE_ROOT is set"), Offer("demo", 2, "b")
    )
    cluster = connect()
    assert (cluster.name, cluster.why) == ("gridengine", "SGE_ROOT is set")


def test_a_cluster_of_affinity_nought_is_taken_only_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(monkeypatch, Offer("hidden", 0, "it was named"))
    with pytest.raises(ClusterNotFound, match=r"no cluster was found. There is: hidden\."):
        connect()
    assert connect("hidden").why == "it was asked for"


def test_a_cluster_is_connected_to_once(laptop: InMemoryProvider) -> None:
    assert connect() is connect("embedded") is connect()
    assert laptop.connected == ["embedded"]


def test_the_environment_may_name_the_cluster(laptop: InMemoryProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GCS_LAB_CLUSTER", "hidden")
    assert (connect().name, connect().why) == ("hidden", "GCS_LAB_CLUSTER names it")
    assert connect("embedded").name == "embedded"


def test_an_unknown_cluster_is_an_error_that_says_what_there_is_and_what_was_looked_for(
    laptop: InMemoryProvider,
) -> None:
    with pytest.raises(ClusterNotFound, match=r"'mars'. There is: embedded, hidden. memory: 2 in memory\."):
        connect("mars")


def test_a_closed_cluster_is_forgotten(laptop: InMemoryProvider) -> None:
    first = connect()
    first.close()
    assert first._backend.closed
    assert connect() is not first


def test_a_closed_cluster_asks_for_no_events(laptop: InMemoryProvider) -> None:
    cluster = connect()
    subscription = cluster.jobs.on_event(lambda _: None)
    cluster.close()
    assert subscription.closed


def test_repr_says_which_cluster_it_is_and_why_it_was_chosen(laptop: InMemoryProvider) -> None:
    assert repr(connect()) == "<Cluster embedded: in-memory system; chosen because it is always there>"


def test_status_answers_with_data_frames() -> None:
    status = Cluster(InMemorySystem("embedded")).status
    assert list(status.jobs()["job_id"]) == ["1", "2"]
    assert list(status.jobs(owner="bob")["job_id"]) == ["2"]
    assert list(status.jobs(owner="bob").index) == [0]
    assert (len(status.queues()), len(status.hosts())) == (1, 1)


def test_the_status_area_is_one_and_is_closed_with_the_cluster() -> None:
    cluster = Cluster(InMemorySystem("embedded"))
    status = cluster.status
    assert cluster.status is status
    status.poller.follow(lambda _: None)
    cluster.close()
    with pytest.raises(InvalidState, match="was closed"):
        status.jobs()


def test_the_accounting_area_is_one_and_knows_what_is_live(tmp_path: Path) -> None:
    system = InMemorySystem("embedded", with_accounting=True)
    cluster = Cluster(system)
    assert cluster.supports("accounting")
    assert cluster.accounting is cluster.accounting
    assert "in-memory system" in repr(cluster.accounting)
    lives = cluster.accounting.timeline()
    assert lives[["job_id", "state"]].astype(str).to_numpy().tolist() == [["1", "running"], ["2", "pending"]]
    cluster.close()


def test_accounting_without_status_knows_what_was_recorded() -> None:
    cluster = Cluster(InMemorySystem("embedded", with_status=False, with_accounting=True))
    assert len(cluster.accounting.timeline()) == 0
    cluster.close()


def test_connecting_imports_no_library_that_only_accounting_needs() -> None:
    code = "import sys, gcs_lab.cluster, gcs_lab.backends.embedded.system, gcs_lab.backends.gridengine.system as s"
    code += "; sys.exit('polars' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_dashboard_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(InMemorySystem("embedded"))
    asked: list[dict[str, str]] = []

    class Point:
        def load(self) -> object:
            return lambda cluster, **options: (cluster, options)

    def points(**what: str) -> list[Point]:
        asked.append(what)
        return [Point()]

    monkeypatch.setattr(cluster_module, "entry_points", points)
    assert cluster.dashboard(mine=True) == (cluster, {"mine": True})
    assert asked == [{"group": "gcs_lab.faces", "name": "dashboard"}]
    monkeypatch.setattr(cluster_module, "entry_points", lambda **_: [])
    with pytest.raises(UnsupportedOperation, match="no dashboard is installed"):
        cluster.dashboard()
    with pytest.raises(UnsupportedOperation, match="nothing for a dashboard to show"):
        Cluster(InMemorySystem("embedded", with_status=False)).dashboard()


@pytest.mark.parametrize("area", ["accounting", "configuration", "control"])
def test_an_area_that_a_system_lacks_says_so_before_and_when_it_is_used(area: str) -> None:
    cluster = Cluster(InMemorySystem("embedded"))
    assert not cluster.supports(area)
    with pytest.raises(UnsupportedOperation, match=f"in-memory system offers no {area}"):
        getattr(cluster, area)


def test_a_system_without_status_says_so() -> None:
    cluster = Cluster(InMemorySystem("embedded", with_status=False))
    assert not cluster.supports("status")
    with pytest.raises(UnsupportedOperation, match="offers no status"):
        _ = cluster.status


def test_supports_knows_areas_and_capabilities() -> None:
    cluster = Cluster(InMemorySystem("embedded"))
    assert cluster.supports("jobs")
    assert cluster.supports("status")
    assert cluster.supports(Capability.JT_MAXSLOTS)
    assert not cluster.supports(Capability.CALLBACK)


def test_supports_refuses_a_word_that_is_no_area() -> None:
    with pytest.raises(ValueError, match="'job' is no area; the areas are jobs, status"):
        Cluster(InMemorySystem("embedded")).supports("job")


@pytest.mark.parametrize("folder", [user_paths.state_folder, user_paths.cache_folder, user_paths.runtime_folder])
def test_the_users_folders_are_private_and_under_gcs_lab_home(
    folder: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GCS_LAB_HOME", str(tmp_path / "home"))
    path = folder()  # type: ignore[operator]
    assert path.is_relative_to(tmp_path / "home")
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_a_folder_that_others_could_read_is_closed(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    assert stat.S_IMODE(user_paths.private_folder(tmp_path / "open").stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a folder to another user needs root")
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 12345, -1)
    with pytest.raises(PermissionError, match="belongs to uid 12345"):
        user_paths.private_folder(tmp_path / "theirs")


def test_a_network_file_system_is_known_by_the_nearest_mount(monkeypatch: pytest.MonkeyPatch) -> None:
    import psutil

    mounts = [
        SimpleNamespace(mountpoint=m, fstype=t) for m, t in (("/", "ext4"), ("/proj", "nfs4"), ("/s", "fuse.sshfs"))
    ]
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: mounts)
    assert user_paths.is_on_network(Path("/proj/ann/x"))
    assert user_paths.is_on_network(Path("/s"))
    assert not user_paths.is_on_network(Path("/project/ann"))


def test_sockets_live_in_the_sessions_runtime_folder_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GCS_LAB_HOME")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert user_paths.runtime_folder() == tmp_path / "gcs-lab"


def test_sockets_live_in_the_state_folder_where_there_is_no_runtime_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GCS_LAB_HOME")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "gone"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert user_paths.runtime_folder() == tmp_path / "state" / "gcs-lab" / "run"
