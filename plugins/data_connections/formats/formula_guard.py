"""The apostrophe that keeps a spreadsheet from running a text as a formula: put before it, and taken away again.

Guarded is every text that begins with such a sign, or with apostrophes and such a sign; so what was guarded is told
apart from what began with an apostrophe anyway, and ``without_guard`` gives back any text that ``guarded`` took.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

_SIGNS = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"
_AT_RISK = re.compile(f"'*[{_SIGNS}]")
_GUARDED = f"^'('*[{_SIGNS}])"


def guarded(text: str) -> str:
    """Return ``text``, with an apostrophe before it where a spreadsheet could run it as a formula."""
    return f"'{text}" if _AT_RISK.match(text) else text


def looks_guarded(cells: pa.Array) -> pa.Array | None:
    """Return where a cell is written like a guarded text; None where none is."""
    if not pc.any(pc.starts_with(cells, "'")).as_py():
        return None
    return pc.match_substring_regex(cells, _GUARDED)


def without_guard(cells: pa.Array) -> pa.Array:
    """Return cells without the apostrophe of the guard; the same array where there is none."""
    if looks_guarded(cells) is None:
        return cells
    return pc.replace_substring_regex(cells, _GUARDED, r"\1", max_replacements=1)
