"""What is written nowhere: e-mail addresses in plain text where a hash is due."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from data_connections.validation.outcomes import Mask

WITHHELD = "(address withheld)"
_ADDRESS = r"""[^\s@,;<>"']{1,64}@[^\s@,;<>"']{1,255}"""
_FINDER = re.compile(_ADDRESS)


def without_addresses(text: str) -> str:
    """Return a text with every e-mail address in it replaced."""
    return _FINDER.sub(WITHHELD, text) if "@" in text else text


def cells_without_addresses(cells: pa.Array, rows: Mask) -> pa.Array:
    """Return cells with every e-mail address in those of some rows replaced."""
    if not rows.any():
        return cells
    return pc.if_else(pa.array(rows), pc.replace_substring_regex(cells, _ADDRESS, WITHHELD), cells)


def only_fitting(cells: pa.Array, pattern: str) -> pa.Array:
    """Return cells, those left empty that do not fit a pattern."""
    return pc.if_else(pc.match_substring_regex(cells, rf"\A(?:{pattern})\z"), cells, "")
