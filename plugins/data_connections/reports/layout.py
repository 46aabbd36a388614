"""How one report stands in a file: which columns under which names, and what of them can be added up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from data_connections.errors import ConfigurationError, nearest
from data_connections.formats.formula_guard import guarded
from data_connections.formats.outputs import OutputColumn
from data_connections.formats.outputs.xml_rows import check_element_names
from data_connections.reports.definition import Check, Report, ReportColumn
from data_connections.reports.library import Reports
from data_connections.spec import OutboundConnection, OutputFormat
from data_connections.spec.trailer import Trailer


@dataclass(frozen=True)
class Layout:
    """A report in the format of a connection.

    Attributes:
        report: The report.
        output: The format.
        columns: The report's columns that the file has, in its order.
        positions: Where each of them stands in a row of the query.
    """

    report: Report
    output: OutputFormat
    columns: tuple[ReportColumn, ...]
    positions: tuple[int, ...]

    @classmethod
    def of(cls, report: Report, output: OutputFormat | None = None) -> Layout:
        """Return the layout that ``output`` asks for; plain CSV where there is none.

        Raises:
            ConfigurationError: It names a column that the report has not, or one name twice.
        """
        output = output or OutputFormat()
        for name in (*(output.columns or ()), *output.headers):
            if name not in report.header:
                raise ConfigurationError(
                    f"The report {report.name} has no column {name!r}; it has {', '.join(report.header)}.",
                    field="format.columns",
                    suggestion=nearest(name, report.header),
                )
        positions = tuple(report.header.index(name) for name in output.columns or report.header)
        layout = cls(report, output, tuple(report.columns[position] for position in positions), positions)
        names = [column.name for column in layout.output_columns]
        if len(set(names)) < len(names):
            raise ConfigurationError("Two columns would have the same name.", field="format.headers")
        if output.trailer:
            _check_summed(Trailer(output.trailer), layout.output_columns)
        if output.type == "xml":
            check_element_names(layout.output_columns)
        return layout

    @property
    def output_columns(self) -> list[OutputColumn]:
        """The columns under the names that they have in the file."""
        return [OutputColumn(self.output.headers.get(column.name, column.name), column.type) for column in self.columns]

    @property
    def check(self) -> Check:
        """What can be added up and compared: the report's check, as far as the file has its columns."""
        chosen = {column.name for column in self.columns}
        check = self.report.check
        return Check(
            per=check.per if check.per in chosen else None,
            totals=tuple(name for name in check.totals if name in chosen),
        )

    def row(self, row: Sequence[Any]) -> list[Any]:
        """Return what the file has of a row of the query."""
        return [row[position] for position in self.positions]

    def group_name(self, value: object) -> str:
        """Return a value of the check's ``per`` as the file shows it."""
        text = "" if value is None else str(value)
        return guarded(text) if self.output.is_delimited else text

    def position_of(self, name: str) -> int:
        """Return where a column of the report stands in the file."""
        return [column.name for column in self.columns].index(name)


def _check_summed(trailer: Trailer, columns: Sequence[OutputColumn]) -> None:
    numbers = [column.name for column in columns if column.type in ("integer", "decimal")]
    for name in trailer.columns:
        if name not in numbers:
            raise ConfigurationError(
                f"The trailer sums up {name!r}; the file's columns of numbers are {', '.join(numbers) or 'none'}.",
                field="format.trailer",
                suggestion=nearest(name, numbers),
            )


def unfit_output(reports: Reports, spec: OutboundConnection) -> ConfigurationError | None:
    """Return why a connection cannot send its report the way its spec wants; None where it can."""
    report = reports[spec.data_type]
    try:
        Layout.of(report, spec.format)
        report.basis(spec.covers.date_basis)
    except ConfigurationError as unfit:
        return unfit
    name = spec.details.file_name.replace("{report}", spec.data_type)
    if report.kind == "segment" and "segment" not in name:
        return ConfigurationError(
            "The file of a remarketing segment says so in its name: write `segment` into it, or {report}.",
            field="details.file_name",
        )
    return None
