"""Reports: SQL that reads the ledger, kept as data in a folder, written as files that are checked before they leave."""

from data_connections.reports.definition import Report, ReportColumn
from data_connections.reports.export import Exported, export_report, write_checked
from data_connections.reports.layout import Layout, unfit_output
from data_connections.reports.library import Reports, load_reports
from data_connections.reports.parameters import Parameters, Program, find_program, unfinished_in
from data_connections.reports.recount import Recount, recount
from data_connections.reports.totals import compare, together

__all__ = [
    "Exported",
    "Layout",
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
    "together",
    "unfinished_in",
    "unfit_output",
    "write_checked",
]
