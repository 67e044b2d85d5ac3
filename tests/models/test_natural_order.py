"""Names in the order that people expect."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given
from hypothesis import strategies as st

from gcs_lab.models.natural_order import natural_keys

TEXTS = st.lists(st.none() | st.text(st.sampled_from("aB0019.éb_ "), max_size=8), max_size=12)


def _naive(text: str) -> bytes:
    lowered = text.lower().encode()

    def with_length(match: re.Match[bytes]) -> bytes:
        number = match[0].lstrip(b"0") or b"0"
        return bytes([ord("0") + len(number)]) + number

    return re.sub(rb"[0-9]+", with_length, lowered)


@given(TEXTS, st.integers(0, 3), st.booleans())
def test_keys_are_as_one_text_after_the_other(texts: list[str | None], left_out: int, chunked: bool) -> None:
    array = pa.array(texts, pa.string())[left_out:]
    given_array = pa.chunked_array([array[:2], array[2:]]) if chunked else array
    assert natural_keys(given_array).to_pylist() == [
        None if text is None else _naive(text) for text in texts[left_out:]
    ]


@given(st.lists(st.integers(0, 10**20).map(str) | st.integers(0, 12).map(lambda n: f"{n:03}")))
def test_numbers_are_in_the_order_of_their_values(numbers: list[str]) -> None:
    order = pc.array_sort_indices(natural_keys(pa.array(numbers, pa.string()))).to_pylist()
    assert [int(numbers[place]) for place in order] == sorted(map(int, numbers))


def test_nodes_are_in_the_order_of_their_numbers() -> None:
    hosts = ["node10", "Node2", "node1", None, "node01-b", "alpha", "node002.x"]
    order = pc.array_sort_indices(natural_keys(pa.array(hosts))).to_pylist()
    assert [hosts[place] for place in order] == ["alpha", "node1", "node01-b", "Node2", "node002.x", "node10", None]
