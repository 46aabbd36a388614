"""Columns of the sender's own, other spellings and units, cell by cell."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from data_connections.data_types import Column
from data_connections.validation.open_columns import as_objects
from data_connections.validation.spellings import as_meant

TEXTS = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=12)


@settings(deadline=None)
@given(st.dictionaries(TEXTS.filter(bool), st.lists(TEXTS, min_size=3, max_size=3), min_size=1, max_size=4))
def test_whatever_stands_in_cells_the_object_says_the_same(columns: dict[str, list[str]]) -> None:
    bad = np.array([False, True, False])
    arrays = [(name, pa.array([text or None for text in texts], pa.string()), bad) for name, texts in columns.items()]
    objects = as_objects(arrays, 3).to_pylist()

    for row in (0, 2):
        expected = {name: texts[row] for name, texts in columns.items() if texts[row]}
        assert (json.loads(objects[row]) if objects[row] else {}) == expected
    assert objects[1] is None


def meant(columns: list[Column], **cells: list[str]) -> dict[str, list[str]]:
    arrays = {name: pa.array(values, pa.string()) for name, values in cells.items()}
    return {name: values.to_pylist() for name, values in as_meant(columns, arrays, 4).items()}


def test_the_first_spelling_that_fits_counts_and_the_rest_stays() -> None:
    spellings = [{"pattern": "(..)/(..)", "means": r"\2-\1"}, {"pattern": ".*/.*", "means": "other"}]
    column = Column(name="V", spellings=spellings)

    assert meant([column], V=["ab/cd", "a/b", "plain", ""])["V"] == ["cd-ab", "other", "plain", ""]


def test_a_unit_goes_to_its_column_unless_that_says_something_else() -> None:
    columns = [Column(name="Price", type="decimal", unit="Currency"), Column(name="Currency")]
    prices = ["1.50 EUR", "2EUR", "3.00 USD", "x"]

    assert meant(columns, Price=prices) == {"Price": ["1.50", "2", "3.00", "x"], "Currency": ["EUR", "EUR", "USD", ""]}
    assert meant(columns, Price=prices, Currency=["eur", "", "EUR", ""]) == {
        "Price": ["1.50", "2", "3.00 USD", "x"],
        "Currency": ["EUR", "EUR", "EUR", ""],
    }
