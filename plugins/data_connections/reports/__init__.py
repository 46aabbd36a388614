"""Reports: SQL that reads the ledger, kept as data in a folder, written as files that are checked before they leave."""

from data_connections.reports.definition import Report, ReportColumn
from data_connections.reports.export import Exported, export_report, write_checked
from data_connections.reports.library import Reports, load_reports
from data_connections.reports.parameters import Parameters, Program, find_program, unfinished_in
from data_connections.reports.recount import Recount, recount
from data_connections.reports.totals import compare

__all__ = [
    "Exported",
    "Parameters",
    "Program",
    "Recount",
    "Report",
    "ReportColumn",
    "Reports",
    "compare",
    "export_report",
    "find_program",
    "load_reports",
    "recount",
    "unfinished_in",
    "write_checked",
]
