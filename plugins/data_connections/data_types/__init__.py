"""Data types: what the rows of a file are, as folders under ``include/schemas`` say."""

from data_connections.data_types.codes import FILE_CODES, ROW_CODES, Code
from data_connections.data_types.column import Column, MaximumAge, Severity
from data_connections.data_types.definition import DataType, Group, Measures, RefusedHeaders, RowRule, header_key
from data_connections.data_types.keep import Keep, Removal
from data_connections.data_types.library import DataTypes, load_data_type, load_data_types
from data_connections.data_types.suite import Expectation, Suite

__all__ = [
    "FILE_CODES",
    "ROW_CODES",
    "Code",
    "Column",
    "DataType",
    "DataTypes",
    "Expectation",
    "Group",
    "Keep",
    "MaximumAge",
    "Measures",
    "RefusedHeaders",
    "Removal",
    "RowRule",
    "Severity",
    "Suite",
    "header_key",
    "load_data_type",
    "load_data_types",
]
