"""A report's values, checked against their columns' types, as the writer takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from data_connections.errors import ConfigurationError
from data_connections.formats.outputs import ColumnType
from data_connections.reports.definition import Report, ReportColumn


def checked_row(report: Report, row: Sequence[Any]) -> list[Any]:
    """Return the values of one row, each of its column's type.

    Raises:
        ConfigurationError: A value is of another type, with the cast that mends it.
    """
    return [
        None if value is None else _checked(report, column, value)
        for column, value in zip(report.columns, row, strict=True)
    ]


def _checked(report: Report, column: ReportColumn, value: Any) -> Any:
    fitting = _FITTING[column.type](value)
    if fitting is None:
        raise ConfigurationError(
            f"The column {column.name} is defined as {column.type}, and the SQL returns {type(value).__name__} "
            f"{value!r}; cast it to {_CASTS[column.type]}.",
            path=report.query.path,
        )
    return fitting


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _integer(value: Any) -> int | None:
    if type(value) is int:
        return value
    whole = isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value()
    return int(value) if whole else None


def _decimal(value: Any) -> int | Decimal | None:
    finite = type(value) is int or (isinstance(value, Decimal) and value.is_finite())
    return value if finite else None


def _date(value: Any) -> date | None:
    return value if type(value) is date else None


def _datetime(value: Any) -> datetime | None:
    return value if isinstance(value, datetime) and value.tzinfo is not None else None


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


_FITTING: dict[ColumnType, Callable[[Any], Any]] = {
    "text": _text,
    "integer": _integer,
    "decimal": _decimal,
    "date": _date,
    "datetime": _datetime,
    "boolean": _boolean,
}
_CASTS: dict[ColumnType, str] = {
    "text": "text",
    "integer": "bigint",
    "decimal": "numeric",
    "date": "date",
    "datetime": "timestamptz",
    "boolean": "boolean",
}
