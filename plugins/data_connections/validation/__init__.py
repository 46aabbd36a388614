"""Validation: the rows of a file, each with its outcome and what was found about it."""

from data_connections.validation.header import REJECTS_COLUMNS, Header, read_header
from data_connections.validation.outcomes import (
    NO_CURRENCY,
    Finding,
    Outcome,
    Totals,
    ValidatedBlock,
    ValidationOptions,
)
from data_connections.validation.validated import Validation, validate_rows

__all__ = [
    "NO_CURRENCY",
    "REJECTS_COLUMNS",
    "Finding",
    "Header",
    "Outcome",
    "Totals",
    "ValidatedBlock",
    "Validation",
    "ValidationOptions",
    "read_header",
    "validate_rows",
]
