"""A test that fails on large values says so at once, and in few words."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import pytest

BYTES = os.urandom(300_000)
TEXT = "".join(f"{n},{n * n}\n" for n in range(20_000))


@dataclass
class Kept:
    raw: bytes


def changed_at(value, at):
    return value[:at] + (b"\0\1\2\3" if isinstance(value, bytes) else "~~~") + value[at:]


@pytest.mark.parametrize(
    ("left", "right", "seen"),
    [
        (BYTES, changed_at(BYTES, 150_000), "bytes of 300,000"),
        (BYTES, BYTES[:-1], "the first difference is at 299,999"),
        (bytearray(BYTES), bytearray(b"\0\1\2\3") + BYTES, "bytearray of 300,004"),
        (TEXT, changed_at(TEXT, 100_000), "the first difference is at 100,000"),
        ([b"same", BYTES], [b"same", BYTES[::-1]], "other at 1"),
        ([*range(5000)], [*range(4999)], "other at 4,999"),
        ({"same": 1, "raw": BYTES}, {"same": 1, "raw": b""}, "other at ['raw']"),
        (Kept(BYTES), Kept(b""), "Kept"),
        (b"", BYTES, "the first difference is at 0"),
    ],
    ids=["changed", "cut", "bytearray", "text", "list", "numbers", "mapping", "dataclass", "empty"],
)
def test_large_values_that_differ_are_told_apart_at_once(left, right, seen):
    began = time.process_time()
    with pytest.raises(AssertionError) as failed:
        assert left == right
    assert seen in str(failed.value)
    assert len(str(failed.value)) < 2_000
    assert time.process_time() - began < 5  # pytest's own diff of most of them takes minutes


def test_a_word_in_a_large_text_is_found_at_once():
    text = TEXT + "secret" + TEXT
    with pytest.raises(AssertionError, match=r"str of 6 .* not in str of"):
        assert "secret" not in text


def test_small_values_are_still_compared_line_by_line():
    with pytest.raises(AssertionError, match=r"(?s)- +b.*\+ +c"):
        assert "a\nc\n" == "a\nb\n"
