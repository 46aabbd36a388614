"""The row part of a data type's Great Expectations suite: which rows of a block fail which expectation."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_connections.data_types import Column, DataType, Expectation
from data_connections.errors import ConfigurationError
from data_connections.validation.outcomes import Finding, Lines

if TYPE_CHECKING:
    import pandas as pd

_COMPARISONS = (
    "expect_column_values_to_be_between",
    "expect_column_pair_values_a_to_be_greater_than_b",
    "expect_column_pair_values_to_be_equal",
)
_EXACT_DIGITS = 15
_NULLS_PASS = {"column_A": "either_value_is_missing", "column_list": "any_value_is_missing"}


@dataclass(frozen=True)
class _Condition:
    """What Great Expectations is asked for one expectation: the condition that marks unexpected rows."""

    expectation: Expectation
    metric: str
    domain: Mapping[str, Any]
    value: Mapping[str, Any]

    @property
    def compares(self) -> bool:
        """Whether it does nothing but compare numbers."""
        return self.expectation.type in _COMPARISONS


class RowExpectations:
    """Evaluates the row part of one file's suite, block by block.

    Great Expectations is asked for the condition behind each expectation, not for a validation result: a result costs
    16 ms an expectation and a dictionary for every failing row, the condition 1 ms and a mask.

    Args:
        data_type: Whose suite; it may have no expectations for rows.
    """

    def __init__(self, data_type: DataType) -> None:
        self._data_type = data_type
        self._conditions = _prepared(data_type)
        self._counts = [[0, 0] for _ in self._conditions]

    def evaluate(self, typed: pa.Table, lines: Lines) -> list[Finding]:
        """Return a finding for each row and expectation that it fails; empty cells pass.

        Args:
            typed: The typed columns that the file has; an expectation about another column is not evaluated.
            lines: Lines of the rows.

        Raises:
            ConfigurationError: An expectation cannot be evaluated on its columns.
        """
        asked = [
            number
            for number, condition in enumerate(self._conditions)
            if set(condition.expectation.columns) <= set(typed.column_names)
        ]
        if not asked or not len(lines):
            return []
        findings = []
        for compared in (True, False):
            numbers = [number for number in asked if self._conditions[number].compares == compared]
            conditions = [self._conditions[number] for number in numbers]
            columns = {name for condition in conditions for name in condition.expectation.columns}
            frame = to_pandas(typed, columns, compared=compared)
            for number, rows in zip(numbers, _unexpected_rows(conditions, frame), strict=True):
                expectation = self._conditions[number].expectation
                self._counts[number][0] += len(lines)
                self._counts[number][1] += len(rows)
                findings += [_finding(expectation, int(lines[row])) for row in rows]
        return findings

    def results(self) -> list[dict[str, Any]]:
        """Return what was found so far, one JSON-able object for each expectation."""
        return [
            {
                "expectation": condition.expectation.type,
                "kwargs": plain(condition.expectation.kwargs),
                "code": condition.expectation.code,
                "severity": condition.expectation.severity,
                "rows": rows,
                "unexpected_rows": unexpected,
                "success": unexpected == 0,
            }
            for condition, (rows, unexpected) in zip(self._conditions, self._counts, strict=True)
        ]


def to_pandas(typed: pa.Table, columns: Sequence[str] | set[str], *, compared: bool = False) -> pd.DataFrame:
    """Return typed columns as a data frame that keeps integers, decimals and times what they are.

    Args:
        typed: The typed columns.
        columns: Names of the wanted ones.
        compared: Numbers are only compared: those of up to 15 digits may be floats, which keep their order and
            equality exactly and are compared a hundred times faster.
    """
    import pandas as pd

    def kept(kind: pa.DataType) -> Any:
        return pd.StringDtype("pyarrow", na_value=float("nan")) if pa.types.is_string(kind) else pd.ArrowDtype(kind)

    frame: pd.DataFrame = typed.select(sorted(columns)).to_pandas(types_mapper=kept)
    if compared:
        for name in columns:
            if _fit_floats(typed.column(name)):
                frame[name] = _as_floats(typed.column(name).combine_chunks())
    return frame


def few_digits(kind: pa.DataType) -> bool:
    """Return whether numbers of a decimal type keep their order and equality as floats."""
    return pa.types.is_decimal128(kind) and int(kind.precision) <= _EXACT_DIGITS


def _fit_floats(column: pa.ChunkedArray) -> bool:
    if few_digits(column.type):
        return True
    if not pa.types.is_int64(column.type):
        return False
    least, most = pc.min_max(column).as_py().values()
    return least is None or max(-least, most) < 10**_EXACT_DIGITS


def _as_floats(numbers: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return numbers of up to 15 digits as the floats nearest to them, null as NaN.

    A decimal's digits as a whole number are exact, so is the power of ten, and IEEE division rounds correctly.
    """
    width, scale = (2, numbers.type.scale) if pa.types.is_decimal(numbers.type) else (1, 0)
    words = np.frombuffer(numbers.buffers()[1], dtype=np.int64)[::width]
    floats = words[numbers.offset : numbers.offset + len(numbers)] / float(10**scale)
    floats[numbers.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return floats


def typed_arguments(data_type: DataType, expectation: Expectation) -> dict[str, Any]:
    """Return an expectation's arguments with limits and sets in the type of its column, and nulls passing."""
    arguments = dict(expectation.kwargs)
    for key, rule in _NULLS_PASS.items():
        if key in arguments:
            arguments.setdefault("ignore_row_if", rule)
    if "column" in arguments:
        column = data_type.column(arguments["column"])
        for key in ("min_value", "max_value"):
            if arguments.get(key) is not None:
                arguments[key] = _as_type(column, arguments[key])
        if "value_set" in arguments:
            arguments["value_set"] = [_as_type(column, value) for value in arguments["value_set"]]
    return arguments


def configuration_error(data_type: DataType, expectation: Expectation, problem: object) -> ConfigurationError:
    """Return the error for an expectation that Great Expectations cannot work with."""
    reason = (str(problem).strip().splitlines() or [repr(problem)])[-1].partition("(type=")[0].strip()
    return ConfigurationError(
        f"Great Expectations cannot evaluate {expectation.type} ({expectation.code}): {reason}",
        path=f"{data_type.name}/suite.yaml",
    )


def plain(value: Any) -> Any:
    """Return a value as JSON takes it."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def start_great_expectations() -> None:
    """Import Great Expectations, which takes seconds; with no telemetry."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")
    import great_expectations  # noqa: F401


def _as_type(column: Column, value: Any) -> Any:
    if column.type == "decimal" and isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(str(value))
    if column.type == "datetime":
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(moment, date) and not isinstance(moment, datetime):
            moment = datetime.combine(moment, time())
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return value


def _finding(expectation: Expectation, line: int) -> Finding:
    return Finding(line, expectation.columns[0], expectation.code, expectation.message, expectation.severity)


_cache: dict[tuple[str, str, str], tuple[_Condition, ...]] = {}


def _prepared(data_type: DataType) -> tuple[_Condition, ...]:
    """Return the conditions of a data type's suite, a connection's own included; made once in a process."""
    if not data_type.suite.rows:
        return ()
    identity = (data_type.name, data_type.version, data_type.suite.model_dump_json(include={"rows"}))
    if identity not in _cache:
        start_great_expectations()
        _cache[identity] = tuple(_condition(data_type, expectation) for expectation in data_type.suite.rows)
    return _cache[identity]


def _condition(data_type: DataType, expectation: Expectation) -> _Condition:
    from great_expectations.expectations.registry import get_expectation_impl, get_metric_kwargs

    kind: Any = get_expectation_impl(expectation.type)
    try:
        configured = kind(**typed_arguments(data_type, expectation))
    except (ValueError, TypeError) as invalid:
        raise configuration_error(data_type, expectation, invalid) from invalid
    metric = f"{configured.map_metric}.condition"
    arguments = get_metric_kwargs(metric_name=metric, configuration=configured.configuration)
    domain = {key: value for key, value in arguments["metric_domain_kwargs"].items() if value is not None}
    return _Condition(expectation, metric, domain, arguments["metric_value_kwargs"])


def _unexpected_rows(conditions: Sequence[_Condition], frame: pd.DataFrame) -> list[list[int]]:
    from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
    from great_expectations.validator.metric_configuration import MetricConfiguration
    from great_expectations.validator.metrics_calculator import MetricsCalculator

    if not conditions:
        return []
    metrics = [MetricConfiguration(each.metric, dict(each.domain), dict(each.value)) for each in conditions]
    engine = PandasExecutionEngine(batch_data_dict={"block": frame})
    found, failed = MetricsCalculator(engine).compute_metrics(metrics)
    if failed:
        raise ConfigurationError(f"Great Expectations cannot evaluate the suite: {_first_problem(failed)}")
    masks = [found[metric.id][0] for metric in metrics]
    return [mask.index[mask.to_numpy(dtype=bool)].tolist() for mask in masks]


def _first_problem(failed: Mapping[Any, Mapping[str, Any]]) -> str:
    metric, problem = next(iter(failed.items()))
    information = problem["exception_info"]
    message = information.get("exception_message") or next(iter(information.values()))["exception_message"]
    return f"{metric[0]}: {message}"
