"""The names that submissions may use, as qconf tells them: from recordings, and from a cell that answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gcs_lab.backends.gridengine import PROVIDER
from gcs_lab.backends.gridengine.catalogue import parse_complexes, parse_pe_slots, read_catalogue
from gcs_lab.backends.provider import CatalogueReader

if TYPE_CHECKING:
    from pathlib import Path

    from gcs_lab.backends.gridengine.demo import DemoState


def test_slots_are_not_offered_as_a_request_whatever_the_table_says(recorded: Path) -> None:
    (slots,) = (c for c in parse_complexes((recorded / "qconf-sc.txt").read_text()) if c.name == "slots")
    assert not slots.requestable


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("pe_name              make\nslots                999\nuser_lists           NONE\n", 999),
        ("pe_name make\nslots 0\n", 0),
        ("pe_name make\nslots many\n", None),
        ("pe_name make\nurgency_slots 4\n", None),
        ("", None),
    ],
)
def test_the_slots_of_a_parallel_environment_are_read(text: str, slots: int | None) -> None:
    assert parse_pe_slots(text) == slots


@pytest.mark.gridengine
@pytest.mark.usefixtures("in_demo_home")
def test_the_provider_tells_the_names_without_a_connection(demo_cell: DemoState) -> None:
    assert isinstance(PROVIDER, CatalogueReader)
    told = PROVIDER.catalogue(demo_cell.cluster)
    assert told == read_catalogue(demo_cell.cell())
    assert told.pe_slots["smp"] == 999
    assert set(told.pe_slots) == set(told.parallel_environments)
