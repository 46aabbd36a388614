"""Data types: what the rows of a file are, as folders under ``include/schemas`` say."""

from data_connections.data_types.codes import FILE_CODES, ROW_CODES, Code
from data_connections.data_types.column import Column, MaximumAge, Refusal, Severity, Spelling
from data_connections.data_types.definition import DataType, Group, Measures, RefusedHeaders, RowRule, header_key
from data_connections.data_types.file_rules import Days, HeaderRule, OpenColumns
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
    "Days",
    "Expectation",
    "Group",
    "HeaderRule",
    "Keep",
    "MaximumAge",
    "Measures",
    "OpenColumns",
    "Refusal",
    "RefusedHeaders",
    "Removal",
    "RowRule",
    "Severity",
    "Spelling",
    "Suite",
    "header_key",
    "load_data_type",
    "load_data_types",
]
