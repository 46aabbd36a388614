"""The Great Expectations suite of a data type: which expectations look at one row, which at the whole file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from data_connections.data_types.column import Severity
from data_connections.errors import nearest

ROW_EXPECTATIONS = frozenset(
    {
        "expect_column_pair_values_a_to_be_greater_than_b",
        "expect_column_pair_values_to_be_equal",
        "expect_column_pair_values_to_be_in_set",
        "expect_column_value_lengths_to_be_between",
        "expect_column_value_lengths_to_equal",
        "expect_column_values_to_be_between",
        "expect_column_values_to_be_dateutil_parseable",
        "expect_column_values_to_be_in_set",
        "expect_column_values_to_be_json_parseable",
        "expect_column_values_to_be_null",
        "expect_column_values_to_match_regex",
        "expect_column_values_to_match_regex_list",
        "expect_column_values_to_match_strftime_format",
        "expect_column_values_to_not_be_in_set",
        "expect_column_values_to_not_be_null",
        "expect_column_values_to_not_match_regex",
        "expect_column_values_to_not_match_regex_list",
        "expect_multicolumn_sum_to_equal",
        "expect_multicolumn_values_to_be_equal",
        "expect_select_column_values_to_be_unique_within_record",
    }
)
"""Expectations of Great Expectations whose answer for a row depends on that row alone."""

FILE_EXPECTATIONS = frozenset(
    {
        "expect_column_distinct_values_to_be_in_set",
        "expect_column_distinct_values_to_contain_set",
        "expect_column_distinct_values_to_equal_set",
        "expect_column_max_to_be_between",
        "expect_column_mean_to_be_between",
        "expect_column_median_to_be_between",
        "expect_column_min_to_be_between",
        "expect_column_most_common_value_to_be_in_set",
        "expect_column_pair_values_a_to_be_greater_than_b",
        "expect_column_pair_values_to_be_equal",
        "expect_column_proportion_of_non_null_values_to_be_between",
        "expect_column_proportion_of_unique_values_to_be_between",
        "expect_column_quantile_values_to_be_between",
        "expect_column_stdev_to_be_between",
        "expect_column_sum_to_be_between",
        "expect_column_unique_value_count_to_be_between",
        "expect_column_value_lengths_to_be_between",
        "expect_column_value_lengths_to_equal",
        "expect_column_values_to_be_between",
        "expect_column_values_to_be_in_set",
        "expect_column_values_to_be_null",
        "expect_column_values_to_be_unique",
        "expect_column_values_to_match_regex",
        "expect_column_values_to_not_be_in_set",
        "expect_column_values_to_not_be_null",
        "expect_column_values_to_not_match_regex",
        "expect_compound_columns_to_be_unique",
        "expect_table_row_count_to_be_between",
        "expect_table_row_count_to_equal",
    }
)
"""Expectations whose answer is the file's, and that pandas and PostgreSQL both evaluate."""

_COLUMN_KEYS = ("column", "column_A", "column_B")
_COLUMN_LIST_KEYS = ("column_list", "column_set")


class Expectation(BaseModel):
    """One Great Expectations expectation, with what its failure means for a row or the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str = Field(description="Such as `expect_column_values_to_be_between`.")
    kwargs: Mapping[str, Any] = Field(
        default_factory=dict, description="Its arguments; columns by the names that columns.yaml gives them."
    )
    code: str = Field(description="Code of the rows or the file that fail.")
    message: str = Field(description="Sentence that says what is wrong and what to do.")
    severity: Severity = Field(default="error", description="`error` rejects the row or refuses the file.")

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that it looks at."""
        return tuple(self._columns())

    def _columns(self) -> Iterator[str]:
        for key in _COLUMN_KEYS:
            if key in self.kwargs:
                yield str(self.kwargs[key])
        for key in _COLUMN_LIST_KEYS:
            yield from self.kwargs.get(key, ())


class Suite(BaseModel):
    """The suite in its two parts: a row's outcome never depends on other rows, the file's answer on all of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: tuple[Expectation, ...] = Field(default=(), description="Map expectations: each failure is a row's.")
    file: tuple[Expectation, ...] = Field(
        default=(), description="Counts, uniqueness, aggregates, `mostly`: once, over the accepted rows."
    )

    @model_validator(mode="after")
    def _each_fits_its_part(self) -> Suite:
        for expectation in self.rows:
            _refuse(expectation, "rows", ROW_EXPECTATIONS, FILE_EXPECTATIONS, "file")
            if expectation.kwargs.get("mostly", 1) != 1:
                raise ValueError(f"`mostly` is about all rows together; put {expectation.type} under `file`")
        for expectation in self.file:
            _refuse(expectation, "file", FILE_EXPECTATIONS, ROW_EXPECTATIONS, "rows")
        return self


def _refuse(
    expectation: Expectation, part: str, fitting: frozenset[str], others: frozenset[str], other_part: str
) -> None:
    """Refuse an expectation that the part of the suite cannot answer."""
    name = expectation.type
    if "row_condition" in expectation.kwargs:
        raise ValueError(f"`row_condition` of {name} is not taken; use a rule with `when` in columns.yaml")
    if name in fitting:
        return
    if name in others:
        raise ValueError(f"`{part}` cannot take {name}; put it under `{other_part}`")
    similar = nearest(name, fitting | others)
    hint = f"; did you mean {similar}?" if similar else ""
    raise ValueError(f"neither `rows` nor `file` takes {name} (docs/data-type-reference.md lists all){hint}")
