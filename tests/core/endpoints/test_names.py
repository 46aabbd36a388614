"""Remote names: kept byte for byte, fit to store, and safe to show."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_connections.endpoints.names import decode_name, encode_path, is_safe_name, join, shown, split
from data_connections.endpoints.publish import temporary_name

RAW_NAMES = st.binary(min_size=1, max_size=255).filter(lambda raw: b"/" not in raw and b"\0" not in raw)


@given(RAW_NAMES)
def test_names_survive_byte_for_byte(raw: bytes) -> None:
    assert encode_path(decode_name(raw)) == raw


@given(st.binary(max_size=255))
def test_decoded_names_can_be_stored_and_hold_no_separator(raw: bytes) -> None:
    name = decode_name(raw)
    assert name.encode("utf-8").decode("utf-8") == name
    assert json.loads(json.dumps(name)) == name
    assert "/" not in name
    assert "\0" not in name


@given(st.binary(max_size=255))
def test_a_listed_name_never_leads_into_another_folder(raw: bytes) -> None:
    assert b"/" not in encode_path(decode_name(raw))


@pytest.mark.parametrize("raw", [b"../../etc/passwd", b"/etc/passwd", b"..", b".", b"", b"a\0b"])
def test_names_that_a_server_made_up_are_not_safe(raw: bytes) -> None:
    assert not is_safe_name(decode_name(raw))


@given(st.text(max_size=50))
def test_what_is_shown_is_printable(text: str) -> None:
    assert shown(text).isprintable()


def test_showing() -> None:
    assert shown("a\nb\u202ec d\N{MONEY BAG}é") == "a\\nb\\u202ec d\N{MONEY BAG}é"


@pytest.mark.parametrize(
    ("folder", "name", "path"),
    [
        ("/in", "a", "/in/a"),
        ("/in/", "a", "/in/a"),
        ("/", "a", "/a"),
        ("", "a", "a"),
        (".", "a", "a"),
        ("x", "a", "x/a"),
    ],
)
def test_joining(folder: str, name: str, path: str) -> None:
    assert join(folder, name) == path


@pytest.mark.parametrize(
    ("path", "parts"), [("/in/a", ("/in", "a")), ("/a", ("/", "a")), ("a", ("", "a")), ("x/y/a", ("x/y", "a"))]
)
def test_splitting(path: str, parts: tuple[str, str]) -> None:
    assert split(path) == parts


@pytest.mark.parametrize("name", ["report.csv", "n" * 255, "é" * 127])
def test_temporary_names_fit_and_are_hidden(name: str) -> None:
    made = temporary_name(name, "0123456789abcdef")
    assert made.startswith(".")
    assert made.endswith("0123456789abcdef.part")
    assert len(made.encode()) <= 255
