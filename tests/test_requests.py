"""Resource requests, times and memory sizes as people write them."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.requests import format_memory, format_time, parse_memory, parse_requests, parse_time

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.\-]{0,12}", fullmatch=True)
PLAIN_VALUES = st.text(
    st.characters(codec="ascii", categories=["L", "N"], include_characters="*:._-/@|&!"), min_size=1
)
QUOTED_VALUES = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, categories=["L", "N", "P", "S"], exclude_characters='"'),
    min_size=1,
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("512", 512),
        ("4G", 4 * 1024**3),
        ("4g", 4 * 1000**3),
        ("1.5M", 1536 * 1024),
        ("2T", 2 * 1024**4),
        ("9007199254740993", 9007199254740993),  # one more than a float can hold
        ("INFINITY", math.inf),
        ("infinity", math.inf),
    ],
)
def test_memory_is_read_with_grid_engines_units(text: str, size: float) -> None:
    assert parse_memory(text) == size


@pytest.mark.parametrize("text", ["", "G", "4GB", "4 G", "-4G", "1e9", "4G\n", "٤G", "9" * 5000])
def test_what_is_no_memory_value_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidArgument, match="for example 4G or 500M"):
        parse_memory(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("1:30", 90),
        ("1:30:00", 5400),
        ("1::", 3600),
        (":2:", 120),
        ("0:90:0", 5400),
        ("INFINITY", math.inf),
    ],
)
def test_times_are_seconds_or_clock_times(text: str, seconds: float) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", ":", "::", "1h", "1:2:3:4", "-5", "1.5", "1:00\n", "9" * 5000])
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(InvalidArgument, match="90, 1:30 or 2:00:00"):
        parse_time(text)


@given(st.integers(0, 10**15), st.integers(0, 10**6), st.integers(0, 10**6))
def test_every_clock_time_is_the_sum_of_its_parts(hours: int, minutes: int, seconds: int) -> None:
    assert parse_time(f"{hours}:{minutes:02}:{seconds:02}") == hours * 3600 + minutes * 60 + seconds


@given(st.integers(0, 10**24), st.sampled_from("kKmMgGtT"))
def test_memory_is_exact_however_large(number: int, unit: str) -> None:
    power = "kmgt".index(unit.lower()) + 1
    assert parse_memory(f"{number}{unit}") == number * (1024 if unit.isupper() else 1000) ** power


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_an_invalid_argument(text: str) -> None:
    for parse in (parse_time, parse_memory):
        with contextlib.suppress(InvalidArgument):
            assert parse(text) >= 0


@given(st.dictionaries(NAMES, PLAIN_VALUES, min_size=1, max_size=5))
def test_requests_are_read_back_as_they_were_written(requests: dict[str, str]) -> None:
    assert parse_requests(",".join(f"{name}={value}" for name, value in requests.items())) == requests


@given(st.dictionaries(NAMES, QUOTED_VALUES, min_size=1, max_size=5))
def test_a_quoted_value_may_hold_commas_and_equals_signs(requests: dict[str, str]) -> None:
    assert parse_requests(",".join(f'{name}="{value}"' for name, value in requests.items())) == requests


@given(st.text(max_size=40))
def test_any_text_is_requests_or_an_invalid_argument(text: str) -> None:
    with contextlib.suppress(InvalidArgument):
        requests = parse_requests(text)
        assert all(name and value and not any(c.isspace() for c in value) for name, value in requests.items())


def test_a_complex_without_a_value_asks_for_true_as_in_qsub() -> None:
    assert parse_requests("exclusive,h_rt=60") == {"exclusive": "TRUE", "h_rt": "60"}


@pytest.mark.parametrize("text", ["", "h_rt=", "=60", "h_rt=60,", "2fast=1", "h rt=60", "a=b c", 'a="b', "a=b\x00"])
def test_what_is_no_request_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="-l "):
        parse_requests(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (102400, "100 KiB"),
        (1024**2 - 1, "1.0 MiB"),
        (5 * 1024**3, "5.0 GiB"),
        (5000 * 1024**4, "5000 TiB"),
        (math.inf, "unlimited"),
    ],
)
def test_memory_is_written_for_people(size: float, text: str) -> None:
    assert format_memory(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.96, "10 s"),
        (12, "12 s"),
        (59.7, "1:00"),
        (185, "3:05"),
        (3723, "1:02:03"),
        (math.inf, "unlimited"),
    ],
)
def test_times_are_written_for_people(seconds: float, text: str) -> None:
    assert format_time(seconds) == text


@given(st.floats(0, 1024**5))
def test_a_written_size_never_shows_more_than_four_digits_before_its_unit(size: float) -> None:
    number = format_memory(size).split()[0]
    assert len(number.partition(".")[0]) <= 4
    assert float(number) < 1024 or format_memory(size).endswith("TiB")
