from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal

import great_expectations as gx
import numpy as np
import psycopg
import pyarrow as pa
import pytest
from great_expectations.expectations.expectation import (
    ColumnMapExpectation,
    ColumnPairMapExpectation,
    MulticolumnMapExpectation,
)
from great_expectations.expectations.registry import (
    _registered_metrics,
    get_expectation_impl,
    list_registered_expectation_implementations,
)
from pydantic import ValidationError

from data_connections.data_types import DataType, Expectation, Suite
from data_connections.data_types.suite import FILE_EXPECTATIONS, ROW_EXPECTATIONS
from data_connections.errors import ConfigurationError
from data_connections.formats import open_rows
from data_connections.spec.file_format import FileFormat
from data_connections.validation import ValidationOptions, validate_rows
from data_connections.validation.cells import arrow_type
from data_connections.validation.expectations import RowExpectations, to_pandas, typed_arguments
from data_connections.validation.file_suite import FileSuite, evaluate_in_postgres

COLUMNS = [
    {"name": "Text"},
    {"name": "Other"},
    {"name": "Whole", "type": "integer"},
    {"name": "Money", "type": "decimal", "precision": 8, "scale": 2},
    {"name": "Long", "type": "decimal", "precision": 30, "scale": 10},
    {"name": "Day", "type": "datetime"},
    {"name": "Flag", "type": "boolean"},
]
ROWS = [
    "a,a,1,1.00,1.0,2026-06-01,true",
    "ab,b,2,2.50,2.5000000001,2026-06-02,false",
    "abc,abc,3,100000.00,3,2026-06-03,",
    "2026-01-01,x,4,99999.99,4,2026-06-04,true",
    '"{""n"": 1}",x,,,,,',
    ",,5,0.10,100000000000000000.1,2026-06-05,false",
    "a,a,1,1.00,1.0,2026-06-01,true",
]
TEXT = "Text,Other,Whole,Money,Long,Day,Flag\n" + "\n".join(ROWS) + "\n"

# Why a map expectation of Great Expectations is not taken for rows.
NOT_FOR_ROWS = {
    "expect_column_value_z_scores_to_be_less_than": "depends on the other rows",
    "expect_column_values_to_be_decreasing": "depends on the other rows",
    "expect_column_values_to_be_increasing": "depends on the other rows",
    "expect_column_values_to_be_unique": "depends on the other rows",
    "expect_column_values_to_not_be_outliers": "depends on the other rows",
    "expect_compound_columns_to_be_unique": "depends on the other rows",
    "expect_column_values_to_be_in_type_list": "types are those of columns.yaml",
    "expect_column_values_to_be_of_type": "types are those of columns.yaml",
    "expect_column_values_to_match_json_schema": "stops at a text that is no JSON",
    "expect_column_values_to_match_like_pattern": "not in pandas",
    "expect_column_values_to_match_like_pattern_list": "not in pandas",
    "expect_column_values_to_not_match_like_pattern": "not in pandas",
    "expect_column_values_to_not_match_like_pattern_list": "not in pandas",
}

FOR_ROWS = [
    ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "Money", "column_B": "Whole"}),
    ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "Money", "column_B": "Whole", "or_equal": True}),
    ("expect_column_pair_values_to_be_equal", {"column_A": "Text", "column_B": "Other"}),
    (
        "expect_column_pair_values_to_be_in_set",
        {"column_A": "Text", "column_B": "Other", "value_pairs_set": [("a", "a")]},
    ),
    ("expect_column_value_lengths_to_be_between", {"column": "Text", "min_value": 2, "max_value": 3}),
    ("expect_column_value_lengths_to_equal", {"column": "Text", "value": 1}),
    (
        "expect_column_values_to_be_between",
        {"column": "Money", "min_value": 1, "max_value": 100000, "strict_max": True},
    ),
    ("expect_column_values_to_be_between", {"column": "Money", "min_value": 1.5}),
    ("expect_column_values_to_be_between", {"column": "Whole", "max_value": 3}),
    ("expect_column_values_to_be_between", {"column": "Long", "max_value": 10}),
    ("expect_column_values_to_be_between", {"column": "Day", "min_value": "2026-06-02", "max_value": "2026-06-04"}),
    ("expect_column_values_to_be_dateutil_parseable", {"column": "Text"}),
    ("expect_column_values_to_be_in_set", {"column": "Text", "value_set": ["a", "ab"]}),
    ("expect_column_values_to_be_in_set", {"column": "Whole", "value_set": [1, 2]}),
    ("expect_column_values_to_be_in_set", {"column": "Money", "value_set": [1, 2.5]}),
    ("expect_column_values_to_be_in_set", {"column": "Flag", "value_set": [True]}),
    ("expect_column_values_to_be_json_parseable", {"column": "Text"}),
    ("expect_column_values_to_be_null", {"column": "Whole"}),
    ("expect_column_values_to_match_regex", {"column": "Text", "regex": "^a"}),
    ("expect_column_values_to_match_regex_list", {"column": "Text", "regex_list": ["^a$", "^ab$"], "match_on": "any"}),
    ("expect_column_values_to_match_strftime_format", {"column": "Text", "strftime_format": "%Y-%m-%d"}),
    ("expect_column_values_to_not_be_in_set", {"column": "Text", "value_set": ["a"]}),
    ("expect_column_values_to_not_be_null", {"column": "Whole"}),
    ("expect_column_values_to_not_match_regex", {"column": "Text", "regex": "^a"}),
    ("expect_column_values_to_not_match_regex_list", {"column": "Text", "regex_list": ["^a$", "^ab$"]}),
    ("expect_multicolumn_sum_to_equal", {"column_list": ["Whole", "Money"], "sum_total": 2}),
    ("expect_multicolumn_values_to_be_equal", {"column_list": ["Text", "Other"]}),
    ("expect_select_column_values_to_be_unique_within_record", {"column_list": ["Text", "Other"]}),
]
FOR_FILE = [
    ("expect_column_distinct_values_to_be_in_set", {"column": "Other", "value_set": ["a", "b", "abc", "x"]}),
    ("expect_column_distinct_values_to_contain_set", {"column": "Other", "value_set": ["a", "z"]}),
    ("expect_column_distinct_values_to_equal_set", {"column": "Other", "value_set": ["a", "b", "abc", "x"]}),
    ("expect_column_max_to_be_between", {"column": "Money", "min_value": 5, "max_value": 100000}),
    ("expect_column_max_to_be_between", {"column": "Whole", "max_value": 4}),
    ("expect_column_mean_to_be_between", {"column": "Whole", "min_value": 2, "max_value": 3}),
    ("expect_column_median_to_be_between", {"column": "Whole", "min_value": 2, "max_value": 3}),
    ("expect_column_min_to_be_between", {"column": "Money", "min_value": 0.1}),
    ("expect_column_most_common_value_to_be_in_set", {"column": "Whole", "value_set": [1]}),
    ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "Money", "column_B": "Whole", "mostly": 0.3}),
    ("expect_column_pair_values_to_be_equal", {"column_A": "Text", "column_B": "Other", "mostly": 0.3}),
    ("expect_column_proportion_of_non_null_values_to_be_between", {"column": "Whole", "min_value": 0.9}),
    ("expect_column_proportion_of_unique_values_to_be_between", {"column": "Whole", "max_value": 0.9}),
    (
        "expect_column_quantile_values_to_be_between",
        {"column": "Whole", "quantile_ranges": {"quantiles": [0.5], "value_ranges": [[1, 4]]}},
    ),
    ("expect_column_stdev_to_be_between", {"column": "Whole", "max_value": 5}),
    ("expect_column_sum_to_be_between", {"column": "Whole", "min_value": 16, "max_value": 16}),
    ("expect_column_sum_to_be_between", {"column": "Whole", "min_value": 17}),
    ("expect_column_unique_value_count_to_be_between", {"column": "Other", "max_value": 3}),
    ("expect_column_value_lengths_to_be_between", {"column": "Text", "max_value": 3, "mostly": 0.5}),
    ("expect_column_value_lengths_to_equal", {"column": "Text", "value": 1, "mostly": 0.9}),
    ("expect_column_values_to_be_between", {"column": "Money", "max_value": 5, "mostly": 0.6}),
    ("expect_column_values_to_be_in_set", {"column": "Other", "value_set": ["a"], "mostly": 0.9}),
    ("expect_column_values_to_be_null", {"column": "Whole", "mostly": 0.5}),
    ("expect_column_values_to_be_unique", {"column": "Text"}),
    ("expect_column_values_to_match_regex", {"column": "Text", "regex": "^a", "mostly": 0.5}),
    ("expect_column_values_to_not_be_in_set", {"column": "Other", "value_set": ["a"], "mostly": 0.5}),
    ("expect_column_values_to_not_be_null", {"column": "Whole", "mostly": 0.9}),
    ("expect_column_values_to_not_match_regex", {"column": "Text", "regex": "^a", "mostly": 0.5}),
    ("expect_compound_columns_to_be_unique", {"column_list": ["Text", "Other"]}),
    ("expect_table_row_count_to_be_between", {"min_value": 1, "max_value": 7}),
    ("expect_table_row_count_to_equal", {"value": 6}),
]


def data_type(part: str = "rows", *expectations, **more) -> DataType:
    suite = {
        part: [{"type": kind, "kwargs": kwargs, "code": "C", "message": "M."} | more for kind, kwargs in expectations]
    }
    version = str((part, expectations, more))
    return DataType(name="sample", title="Sample", version=version, columns=COLUMNS, suite=suite)


def test_the_row_part_takes_every_map_expectation_that_looks_at_one_row():
    maps = set()
    for name in list_registered_expectation_implementations():
        kind = get_expectation_impl(name)
        if issubclass(kind, ColumnMapExpectation | ColumnPairMapExpectation | MulticolumnMapExpectation):
            maps.add(name)
    assert maps - set(NOT_FOR_ROWS) == ROW_EXPECTATIONS
    for name in ROW_EXPECTATIONS:
        metric = f"{get_expectation_impl(name).map_metric}.condition"
        assert "PandasExecutionEngine" in _registered_metrics[metric]["providers"]
    assert {name for name, _ in FOR_ROWS} == ROW_EXPECTATIONS


def test_the_file_part_is_tried_completely():
    assert {name for name, _ in FOR_FILE} == FILE_EXPECTATIONS
    assert set(list_registered_expectation_implementations()) >= FILE_EXPECTATIONS


@pytest.fixture(scope="module")
def batch_of():
    context = gx.get_context(mode="ephemeral")
    definition = context.data_sources.add_pandas("p").add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")
    return lambda frame: definition.get_batch(batch_parameters={"dataframe": frame})


@pytest.mark.parametrize("case", FOR_ROWS, ids=str)
def test_rows_that_fail_are_those_that_great_expectations_reports(judge, batch_of, case):
    kind = data_type("rows", case)
    judged = judge(TEXT, kind)
    schema = pa.schema([(column.name, arrow_type(column)) for column in kind.columns])
    typed = pa.Table.from_pylist(list(judged.typed.values()), schema=schema)
    frame = to_pandas(typed, typed.column_names, compared="between" in case[0] or "pair" in case[0])
    configured = get_expectation_impl(case[0])(**typed_arguments(kind, kind.suite.rows[0]))
    answer = batch_of(frame).validate(configured, result_format={"result_format": "COMPLETE"})
    assert answer.exception_info["raised_exception"] is False
    expected = [row + 2 for row in answer.result["unexpected_index_list"]]
    assert [finding.line for finding in judged.findings] == expected
    assert 0 < len(expected) < 7


def test_a_failed_expectation_is_the_row_s_outcome(judge):
    case = ("expect_column_values_to_be_in_set", {"column": "Text", "value_set": ["a"]})
    error = judge("Text,Whole\na,1\nb,2\n,3\nc,x\n", data_type("rows", case))
    assert error.outcomes == {2: "accepted", 3: "rejected", 4: "accepted", 5: "rejected"}
    assert error.codes == {2: [], 3: ["C"], 4: [], 5: ["NOT_INTEGER", "C"]}
    warning = judge("Text\na\nb\n", data_type("rows", case, severity="warning"))
    assert warning.outcomes == {2: "accepted", 3: "accepted"}
    assert (warning.totals.accepted, warning.totals.warned) == (2, 1)
    assert warning.validation.expectation_results[0] | {"kwargs": None} == {
        "expectation": case[0],
        "kwargs": None,
        "code": "C",
        "severity": "warning",
        "rows": 2,
        "unexpected_rows": 1,
        "success": False,
    }


def test_expectations_about_columns_that_the_file_lacks_are_not_evaluated(judge):
    case = ("expect_column_values_to_not_be_null", {"column": "Text"})
    assert judge("Whole\n1\n", data_type("rows", case)).outcomes == {2: "accepted"}


def test_expectations_can_be_switched_off(judge):
    case = ("expect_column_values_to_be_in_set", {"column": "Text", "value_set": ["a"]})
    assert judge("Text\nb\n", data_type("rows", case), expectations=False).findings == []


def test_money_is_compared_exactly(judge):
    limit = {"column": "Money", "max_value": 999999.98}
    judged = judge("Money\n999999.98\n999999.99\n", data_type("rows", ("expect_column_values_to_be_between", limit)))
    assert judged.codes == {2: [], 3: ["C"]}


@pytest.mark.parametrize("case", FOR_FILE, ids=str)
def test_the_file_part_gives_the_same_answer_in_pandas_and_postgresql(case, postgres, staged):
    kind = data_type("file", case)
    suite = FileSuite(kind)
    blocks = _blocks(kind)
    for block in blocks:
        suite.add(block)
    in_pandas = suite.evaluate()
    in_postgres = evaluate_in_postgres(kind, postgres, staged)
    assert len(in_pandas.results) == 1
    assert in_pandas.results[0]["success"] == in_postgres.results[0]["success"]
    assert in_pandas.findings == in_postgres.findings
    assert [finding.line for finding in in_pandas.findings] == [None] * (not in_pandas.results[0]["success"])


def _blocks(kind: DataType):
    reader = open_rows(io.BytesIO(TEXT.encode()), FileFormat(), name="f", block_size=64)
    return list(validate_rows(reader, kind, ValidationOptions(datetime(2026, 6, 15, tzinfo=UTC))))


@pytest.fixture(scope="module")
def staged(postgres) -> str:
    types = ("text", "text", "bigint", "numeric(8,2)", "numeric(30,10)", "timestamptz", "boolean")
    names = [f'"{column["name"]}"' for column in COLUMNS]
    with psycopg.connect(postgres) as connection:
        described = ", ".join(f"{name} {kind}" for name, kind in zip(names, types, strict=True))
        connection.execute("create schema staged_rows")
        connection.execute(f"create table staged_rows.sample ({described})")
        for block in _blocks(data_type()):
            for row in block.typed.to_pylist():
                values = ", ".join(["%s"] * len(names))
                connection.execute(f"insert into staged_rows.sample values ({values})", list(row.values()))
    yield "select * from staged_rows.sample"
    with psycopg.connect(postgres) as connection:
        connection.execute("drop schema staged_rows cascade")


def test_answers_go_to_the_expectations_that_asked_even_if_two_ask_the_same():
    asked = [("Text", "T1"), ("Whole", "W"), ("Text", "T2"), ("Other", "O")]
    suite = {
        "file": [
            {"type": kind, "kwargs": {"column": column, "max_value": 5}, "code": code, "message": "M."}
            for column, code in asked
            for kind in ["expect_column_unique_value_count_to_be_between"]
        ]
        + [{"type": "expect_table_row_count_to_equal", "kwargs": {"value": 7}, "code": "N", "message": "M."}]
    }
    kind = DataType(name="sample", title="Sample", version="asked", columns=COLUMNS, suite=suite)
    whole = FileSuite(kind)
    for block in _blocks(kind):
        whole.add(block)
    answer = whole.evaluate()
    assert [(result["code"], result["success"]) for result in answer.results] == [
        ("T1", True),
        ("W", True),
        ("T2", True),
        ("O", True),
        ("N", True),
    ]
    assert [result["result"]["observed_value"] for result in answer.results] == [5, 5, 5, 4, 7]


def test_one_whole_is_not_its_parts(judge):
    """Uniqueness, counts and `mostly` are asked once, however many blocks there are."""
    kind = data_type("file", ("expect_column_values_to_be_unique", {"column": "Text"}))
    suite = FileSuite(kind)
    blocks = _blocks(kind)
    assert len(blocks) > 2
    for block in blocks:
        suite.add(block)
    assert [finding.code for finding in suite.evaluate().findings] == ["C"]


def test_a_file_too_large_for_memory_is_said_not_to_be_evaluated():
    kind = data_type("file", ("expect_column_values_to_be_unique", {"column": "Text"}))
    suite = FileSuite(kind, memory_limit=50)
    for block in _blocks(kind):
        suite.add(block)
    assert [(finding.code, finding.severity) for finding in suite.evaluate().findings] == [
        ("EXPECTATION_NOT_EVALUATED", "warning")
    ]


def test_an_empty_file_is_evaluated_too():
    kind = data_type("file", ("expect_table_row_count_to_be_between", {"min_value": 1}))
    assert [finding.code for finding in FileSuite(kind).evaluate().findings] == ["C"]


@pytest.mark.parametrize(
    ("part", "expectation", "reason"),
    [
        ("rows", {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "Text"}}, "put it under `file`"),
        ("rows", {"type": "expect_column_mean_to_be_between", "kwargs": {"column": "Whole"}}, "put it under `file`"),
        ("file", {"type": "expect_multicolumn_sum_to_equal", "kwargs": {}}, "put it under `rows`"),
        (
            "rows",
            {"type": "expect_column_values_to_be_between", "kwargs": {"column": "Whole", "mostly": 0.9}},
            "`mostly` is about all rows",
        ),
        (
            "rows",
            {"type": "expect_column_values_to_be_betwen", "kwargs": {}},
            "did you mean expect_column_values_to_be",
        ),
        ("file", {"type": "expect_column_values_to_be_increasing", "kwargs": {}}, "neither `rows` nor `file`"),
        (
            "rows",
            {"type": "expect_column_values_to_be_between", "kwargs": {"column": "Whole", "row_condition": "x"}},
            "row_condition",
        ),
    ],
)
def test_an_expectation_that_fits_neither_part_is_refused_when_the_suite_is_loaded(part, expectation, reason):
    with pytest.raises(ValidationError, match=reason):
        Suite(**{part: [Expectation(**expectation, code="C", message="M.")]})


def test_an_expectation_about_no_column_of_the_data_type_is_refused():
    with pytest.raises(ValidationError, match="no column is named Nowhere"):
        data_type("rows", ("expect_column_values_to_not_be_null", {"column": "Nowhere"}))


@pytest.mark.parametrize(
    "case",
    [
        ("expect_column_values_to_be_between", {"column": "Whole"}),
        ("expect_column_values_to_be_between", {"column": "Whole", "minimum": 3}),
        ("expect_column_values_to_be_between", {"column": "Text", "min_value": 3}),
    ],
)
def test_arguments_that_make_no_sense_are_a_mistake_of_the_configuration(judge, case):
    with pytest.raises(ConfigurationError, match="Great Expectations cannot evaluate"):
        judge(TEXT, data_type("rows", case))


def test_row_expectations_see_decimals_and_not_floats():
    kind = data_type("rows", ("expect_column_values_to_be_in_set", {"column": "Money", "value_set": [0.1]}))
    table = pa.table({"Money": pa.array([Decimal("0.10"), Decimal("0.11")], pa.decimal128(8, 2))})
    assert [finding.line for finding in RowExpectations(kind).evaluate(table, np.array([2, 3]))] == [3]
