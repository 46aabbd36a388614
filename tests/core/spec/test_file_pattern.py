"""File patterns: stars, question marks and the business date."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_connections.errors import ConfigurationError
from data_connections.spec.file_pattern import FilePattern

NAMES = st.text(st.sampled_from("ab._*?[]\n1é"), max_size=12)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("a.csv", "a.csv", True),
        ("a.csv", "aXcsv", False),
        ("*.csv", ".csv", True),
        ("*.csv", "a.csv.gz", False),
        ("*.csv", "new\nline.csv", True),
        ("a.csv", "a.csv\n", False),
        ("*", "", True),
        ("?", "é", True),
        ("?", "", False),
        ("a?c", "abc", True),
        ("[ab].csv", "a.csv", False),
        ("[ab].csv", "[ab].csv", True),
        ("a\\*.csv", "a\\x.csv", True),
        ("Conversions_202?_*.csv", "Conversions_2026_x.csv", True),
        ("a**b", "ab", True),
        ("*a*b*", "xaybz", True),
        ("*ab*ab", "ab", False),
        ("*ab*ab", "abab", True),
        ("A.csv", "a.csv", False),
    ],
)
def test_matching(pattern: str, name: str, expected: bool) -> None:
    assert FilePattern(pattern).matches(name) is expected


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("a_{date:%Y_%m_%d}.csv", "a_2026_11_22.csv", date(2026, 11, 22)),
        ("a_{date:%Y_%m_%d}.csv", "a_2026_02_30.csv", None),
        ("a_{date:%Y_%m_%d}.csv", "a_2026_2_3.csv", None),
        ("{date:%d%b%y}*", "22Nov26_x.csv", date(2026, 11, 22)),
        ("{date:%Y%j}.csv", "2024366.csv", date(2024, 12, 31)),
        ("{date:%Y%j}.csv", "2026366.csv", None),
        ("m_{date:%Y-%m}.csv", "m_2026-11.csv", date(2026, 11, 1)),
        ("*_{date:%Y%m%d}_*.csv", "a_b_20261122_c_d.csv", date(2026, 11, 22)),
        ("*{date:%Y%m%d}*", "id99999999_20261122.csv", date(2026, 11, 22)),
        ("x_{date:%Y%m%d%H%M%S}.csv", "x_20261122235959.csv", date(2026, 11, 22)),
        ("x{date:%%%Y}.csv", "x%2026.csv", date(2026, 1, 1)),
        ("plain_*.csv", "plain_2026.csv", None),
    ],
)
def test_business_dates(pattern: str, name: str, expected: date | None) -> None:
    compiled = FilePattern(pattern)
    assert compiled.business_date(name) == expected
    if compiled.has_date:
        assert compiled.matches(name) is (expected is not None)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("", "file name"),
        ("in/*.csv", "its own field"),
        ("a{b}.csv", "brace"),
        ("a{date}.csv", "brace"),
        ("a{date:%m_%d}.csv", "no year"),
        ("a{date:%Q%Y}.csv", "not known"),
        ("a{date:%Y%}.csv", "not known"),
        ("{date:%Y}{date:%Y}", "more than one"),
    ],
)
def test_patterns_that_cannot_be_meant(pattern: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        FilePattern(pattern)


@given(NAMES)
def test_a_name_without_signs_matches_itself_alone(name: str) -> None:
    plain = name.replace("*", "").replace("?", "") or "a"
    assert FilePattern(plain).matches(plain)
    assert not FilePattern(plain).matches(plain + "x")


@given(st.text(st.sampled_from("ab*?"), min_size=1, max_size=10), st.text(st.sampled_from("ab"), max_size=10))
def test_it_agrees_with_the_plain_definition(pattern: str, name: str) -> None:
    def matches(rest: str, left: str) -> bool:
        if not rest:
            return not left
        if rest[0] == "*":
            return any(matches(rest[1:], left[start:]) for start in range(len(left) + 1))
        return bool(left) and rest[0] in ("?", left[0]) and matches(rest[1:], left[1:])

    assert FilePattern(pattern).matches(name) is matches(pattern, name)


@pytest.mark.timeout(20)
def test_many_stars_do_not_take_for_ever() -> None:
    assert not FilePattern("*a" * 40 + "b").matches("a" * 255)
