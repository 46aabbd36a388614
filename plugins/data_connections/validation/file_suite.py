"""The file part of a data type's Great Expectations suite: counts, uniqueness and aggregates over accepted rows."""

from __future__ import annotations

import json
import secrets
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pyarrow as pa

from data_connections.data_types import DataType, Expectation
from data_connections.validation.cells import arrow_type
from data_connections.validation.expectations import (
    configuration_error,
    few_digits,
    plain,
    start_great_expectations,
    to_pandas,
    typed_arguments,
)
from data_connections.validation.outcomes import Finding, Outcome, ValidatedBlock

MEMORY_LIMIT = 256 * 1024 * 1024
"""Bytes of columns that are kept for the file part where there is no database to ask."""


@dataclass(frozen=True)
class FileSuiteResult:
    """What the file part of a suite found.

    Attributes:
        findings: One for each expectation that failed; an ``error`` refuses the file. Their line is None.
        results: One JSON-able object for each expectation, as Great Expectations describes it.
    """

    findings: tuple[Finding, ...] = ()
    results: list[dict[str, Any]] = field(default_factory=list)


class FileSuite:
    """Keeps what the file part of a suite needs of the accepted rows, and evaluates it once at the end.

    Only the columns that the expectations name are kept, and no more than ``memory_limit`` bytes of them; a larger
    file is not evaluated here but said not to be. With a database at hand, use `evaluate_in_postgres`.

    Args:
        data_type: Whose suite.
        memory_limit: Bytes.
    """

    def __init__(self, data_type: DataType, memory_limit: int = MEMORY_LIMIT) -> None:
        self._data_type = data_type
        self._limit = memory_limit
        self._parts: list[pa.Table] = []
        self._bytes = 0
        named = dict.fromkeys(name for expectation in data_type.suite.file for name in expectation.columns)
        self._columns = list(named) or [data_type.columns[0].name]

    def add(self, block: ValidatedBlock) -> None:
        """Take the accepted rows of a block."""
        if not self._data_type.suite.file or self._bytes > self._limit:
            return
        accepted = block.typed.select([name for name in self._columns if name in block.typed.column_names]).filter(
            pa.array(block.where(Outcome.ACCEPTED))
        )
        part = pa.table(
            [
                accepted.column(name)
                if name in accepted.column_names
                else pa.nulls(int(block.where(Outcome.ACCEPTED).sum()), arrow_type(self._data_type.column(name)))
                for name in self._columns
            ],
            names=self._columns,
        )
        self._parts.append(part)
        self._bytes += part.nbytes
        if self._bytes > self._limit:
            self._parts = []

    def evaluate(self) -> FileSuiteResult:
        """Evaluate the file part over all accepted rows, in pandas.

        Raises:
            ConfigurationError: An expectation cannot be evaluated on its columns.
        """
        if not self._data_type.suite.file:
            return FileSuiteResult()
        if self._bytes > self._limit:
            return FileSuiteResult(tuple(map(_not_evaluated, self._data_type.suite.file)))
        whole = pa.concat_tables(self._parts) if self._parts else self._nothing()
        frame = to_pandas(whole, self._columns, compared=True)
        return _evaluate(self._data_type, _pandas_batch()(batch_parameters={"dataframe": frame}))

    def _nothing(self) -> pa.Table:
        return pa.schema([(name, arrow_type(self._data_type.column(name))) for name in self._columns]).empty_table()


def evaluate_in_postgres(data_type: DataType, database_url: str, query: str) -> FileSuiteResult:
    """Evaluate the file part of a suite over staged rows, in PostgreSQL.

    Args:
        data_type: Whose suite.
        database_url: URL of the database, as libpq takes it; Great Expectations reads it through psycopg2.
        query: Selects the accepted rows, each column under the name that the data type gives it; numbers of up to
            15 digits are read as floats, as Great Expectations keeps its limits.

    Raises:
        ConfigurationError: An expectation cannot be evaluated on its columns.
    """
    if not data_type.suite.file:
        return FileSuiteResult()
    from psycopg.conninfo import conninfo_to_dict

    context = _context()
    name = f"staged_{secrets.token_hex(8)}"
    arguments = {"connect_args": conninfo_to_dict(database_url)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it would rather have a host in the address; ours may be a socket
        source = context.data_sources.add_sql(name, connection_string="postgresql+psycopg2://", kwargs=arguments)
    try:
        asset = source.add_query_asset(name="rows", query=f"select {_selected(data_type)} from ({query}) as accepted")
        return _evaluate(data_type, asset.add_batch_definition_whole_table("whole").get_batch())
    finally:
        source.get_execution_engine().engine.dispose()
        context.data_sources.delete(name)


def _selected(data_type: DataType) -> str:
    columns = dict.fromkeys(name for expectation in data_type.suite.file for name in expectation.columns)
    names = {name: '"' + name.replace('"', '""') + '"' for name in columns}
    casts = {name: "::double precision" if few_digits(arrow_type(data_type.column(name))) else "" for name in columns}
    return ", ".join(f"{names[name]}{casts[name]} as {names[name]}" for name in columns) or "1 as one"


def _evaluate(data_type: DataType, batch: Any) -> FileSuiteResult:
    import great_expectations as gx

    suite = gx.ExpectationSuite(name=data_type.name)
    asked = {_question(expectation): expectation for expectation in data_type.suite.file}
    for question, expectation in asked.items():
        suite.add_expectation(_configured(data_type, expectation, {"question": question}))
    answer = batch.validate(suite, result_format={"result_format": "SUMMARY", "partial_unexpected_count": 0})
    answers = {result.expectation_config.meta["question"]: result for result in answer.results}
    findings, results = [], []
    for expectation in data_type.suite.file:
        result = answers[_question(expectation)]
        raised = _exception(result.exception_info)
        if raised:
            raise configuration_error(data_type, expectation, raised)
        results.append(_summary(expectation, result))
        if not result.success:
            findings.append(
                Finding(None, _column(expectation), expectation.code, expectation.message, expectation.severity)
            )
    return FileSuiteResult(tuple(findings), results)


def _question(expectation: Expectation) -> str:
    """Return what is asked, whatever the answer means: Great Expectations takes a question only once."""
    return json.dumps([expectation.type, plain(expectation.kwargs)], sort_keys=True)


def _configured(data_type: DataType, expectation: Expectation, meta: dict[str, str]) -> Any:
    from great_expectations.expectations.registry import get_expectation_impl

    kind: Any = get_expectation_impl(expectation.type)
    try:
        return kind(**typed_arguments(data_type, expectation), meta=meta)
    except (ValueError, TypeError) as invalid:
        raise configuration_error(data_type, expectation, invalid) from invalid


def _exception(information: dict[str, Any]) -> str | None:
    if "raised_exception" in information:
        return information["exception_message"] if information["raised_exception"] else None
    return next((str(one["exception_message"]) for one in information.values() if one["raised_exception"]), None)


def _summary(expectation: Expectation, result: Any) -> dict[str, Any]:
    described = json.loads(json.dumps(result.to_json_dict()["result"], default=str))
    return {
        "expectation": expectation.type,
        "kwargs": plain(expectation.kwargs),
        "code": expectation.code,
        "severity": expectation.severity,
        "success": bool(result.success),
        "result": described,
    }


def _column(expectation: Expectation) -> str | None:
    return expectation.columns[0] if expectation.columns else None


def _not_evaluated(expectation: Expectation) -> Finding:
    message = (
        f"{expectation.type} ({expectation.code}) looks at the whole file and was not evaluated in this dry run: "
        "the file is too large. It is evaluated when the file is submitted."
    )
    return Finding(None, _column(expectation), "EXPECTATION_NOT_EVALUATED", message, "warning")


@cache
def _context() -> Any:
    """Return the one context of this process; nothing of it is written to disk."""
    start_great_expectations()
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}  # type: ignore[assignment]
    return context


@cache
def _pandas_batch() -> Callable[..., Any]:
    source = _context().data_sources.add_pandas("accepted_rows")
    definition = source.add_dataframe_asset("rows").add_batch_definition_whole_dataframe("whole")
    return definition.get_batch  # type: ignore[no-any-return]
