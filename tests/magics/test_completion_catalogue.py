"""What completion knows of a cluster that is slow, silent, or was never asked."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import wait_for

from gcs_lab import cluster
from gcs_lab.backends.provider import Offer
from gcs_lab.errors import DrmCommunication
from gcs_lab.jobs.protocol import Catalogue, Complex
from gcs_lab.magics.completion_catalogue import CatalogueCache, catalogue_from_json, catalogue_to_json
from gcs_lab.magics.stale_value import StaleValue

THERE = Catalogue(queues=("all.q",), complexes=(Complex("h_rt", "h_rt", "TIME"),), pe_slots={"smp": 4})


class SlowProvider:
    """Offers one cluster, ``slow``, that answers when it is let."""

    name = "slow"

    def __init__(self) -> None:
        self.let = threading.Event()
        self.fails = False
        self.asked = 0

    def offers(self) -> list[Offer]:
        return [Offer("slow", 3, "a test wants it")]

    def explain(self) -> str:
        return "there"

    def connect(self, name: str) -> None:
        raise AssertionError("a Tab connects to nothing")

    def catalogue(self, name: str) -> Catalogue:
        self.asked += 1
        self.let.wait(30)
        if self.fails:
            raise DrmCommunication("it does not answer")
        return THERE


@pytest.fixture
def provider(monkeypatch, tmp_path):
    provider = SlowProvider()
    monkeypatch.setenv("GCS_LAB_HOME", str(tmp_path))
    monkeypatch.delenv("GCS_LAB_CLUSTER", raising=False)
    monkeypatch.setattr(cluster, "providers", lambda: {"slow": provider})
    yield provider
    provider.let.set()
    for thread in threading.enumerate():
        if thread.name == "gcs-lab completion":
            thread.join(30)


def test_a_cluster_that_does_not_answer_is_asked_once_and_nobody_waits_for_it(provider):
    cache = CatalogueCache(lambda: None)
    for _ in range(3):
        assert cache.catalogue() == Catalogue()
        assert cache.catalogue("slow") == Catalogue()
    wait_for(lambda: provider.asked == 2)  # once by its name, once as the one that is taken
    provider.let.set()
    wait_for(lambda: cache.catalogue("slow") == THERE == cache.catalogue())


def test_a_new_kernel_knows_what_an_earlier_one_learnt_though_the_cluster_is_silent_now(provider):
    provider.let.set()
    first = CatalogueCache(lambda: None)
    wait_for(lambda: first.catalogue() == THERE)
    provider.fails = True
    second = CatalogueCache(lambda: None)
    assert second.catalogue() == THERE
    wait_for(lambda: provider.asked == 2)
    assert second.catalogue() == THERE


def test_loading_the_extension_asks_the_cluster_only_if_nothing_is_known_of_it(provider):
    provider.let.set()
    first = CatalogueCache(lambda: None)
    first.warm_up()
    wait_for(lambda: first.catalogue() == THERE)
    CatalogueCache(lambda: None).warm_up()
    assert provider.asked == 1


def test_a_file_that_is_damaged_is_as_good_as_none(provider, tmp_path):
    provider.let.set()
    first = CatalogueCache(lambda: None)
    wait_for(lambda: first.catalogue() == THERE)
    (file,) = (tmp_path / "cache" / "catalogues").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    provider.let.clear()
    for text in ("", "[]", '{"version": 1}', '{"version": 99}', '{"version": 1, "complexes": [{"nope": 1}]}', "\0"):
        file.write_text(text)
        assert CatalogueCache(lambda: None).catalogue() == Catalogue()


def test_a_name_that_no_provider_offers_has_no_names_and_raises_nothing(provider):
    assert CatalogueCache(lambda: None).catalogue("nowhere") == Catalogue()


TEXT = st.text(max_size=8)


@given(
    st.builds(
        Catalogue,
        queues=st.lists(TEXT, max_size=3).map(tuple),
        complexes=st.lists(st.builds(Complex, TEXT, TEXT, TEXT, st.booleans(), st.booleans()), max_size=3).map(tuple),
        projects=st.lists(TEXT, max_size=3).map(tuple),
        hosts=st.lists(TEXT, max_size=3).map(tuple),
        pe_slots=st.dictionaries(TEXT, st.integers(0, 10**6), max_size=3),
    )
)
def test_a_catalogue_is_read_back_as_it_was_written(catalogue):
    assert catalogue_from_json(catalogue_to_json(catalogue)) == catalogue


def test_a_failure_leaves_the_last_value_and_is_not_tried_again_at_once():
    asked = []

    def read():
        asked.append(1)
        raise DrmCommunication("no")

    value = StaleValue(read, 5)
    assert value.get() == 5
    wait_for(lambda: len(asked) == 1)
    assert [value.get(0.01) for _ in range(3)] == [5, 5, 5]
    assert len(asked) == 1
