"""`connections check`: what would become of files, with no effect."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from command_line.check_setting import connection_setting, plain_setting
from command_line.exits import BAD
from command_line.output import AsJson, cell, note, print_fields, print_json_line, print_table
from command_line.session import current_settings
from data_connections.currencies import money
from data_connections.errors import ConfigurationError

if TYPE_CHECKING:
    from data_connections.data_types import DataTypes
    from data_connections.validation.check import CheckReport

_FORMAT_OPTION = re.compile(r"[A-Za-z_-]+=")


def check(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Files to check.", show_default=False)],
    data_type: Annotated[
        str | None,
        typer.Option("--data-type", "-t", help="What the rows are, such as conversions; the connection's if left out."),
    ] = None,
    connection: Annotated[
        str | None,
        typer.Option(
            "--connection", "-c", metavar="NAME", help="Check by this connection's settings, and against the ledger."
        ),
    ] = None,
    schemas: Annotated[
        list[Path] | None, typer.Option("--schemas", metavar="DIR", help="A folder of data types of your own.")
    ] = None,
    file_format: Annotated[
        list[str] | None,
        typer.Option("--format", metavar="KEY=VALUE ...", help="How the files are written, such as delimiter=tab."),
    ] = None,
    received_at: Annotated[
        str | None,
        typer.Option("--received-at", metavar="TIME", help="When the files came, ISO 8601; now if left out."),
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="IANA zone of times without an offset; the connection's, else UTC.")
    ] = None,
    errors: Annotated[int, typer.Option("--errors", metavar="N", min=0, help="How many errors to list a file.")] = 1000,
    accepted: Annotated[
        Path | None, typer.Option("--accepted", metavar="DIR", help="Write the accepted rows into this folder.")
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option("--rejects", metavar="DIR", help="Write the rejected rows into this folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check files: what would be accepted and rejected, and why; nothing is changed.

    Ends with 0 when every row of every file is accepted, with 1 when not.
    """
    from data_connections.validation.check_path import check_path
    from data_connections.validation.copies import Copies

    names, options = _split(files, file_format or [])
    known, moment = _data_types(schemas or []), _moment(received_at)
    if connection is not None:
        setting = connection_setting(connection, data_type, options, known, moment, time_zone)
    else:
        setting = plain_setting(data_type, options, known, moment, time_zone)
    paths = _readable(names, [folder for folder in (accepted, rejects) if folder is not None])
    good = True
    for path in paths:
        with _disk_answers(path), _shown_at_work(path):
            for report in check_path(
                path,
                setting.data_type,
                setting.options,
                file_format=setting.file_format,
                errors_shown=errors,
                copies=lambda name: Copies(accepted and accepted / name, rejects and rejects / name),
                review=setting.review,
                most=setting.most,
                opened=setting.opened,
            ):
                good &= report.good
                if as_json:
                    print_json_line(report.as_json())
                else:
                    _print_report(report)
    raise typer.Exit(0 if good else BAD)


@contextmanager
def _disk_answers(path: Path) -> Iterator[None]:
    """Turn what the disk refuses, of the file or of its copies, into a sentence."""
    try:
        yield
    except OSError as failed:
        place = Path(failed.filename) if isinstance(failed.filename, str) else path
        raise ConfigurationError(f"It cannot be read or written: {failed.strerror}.", path=place) from failed


def _shown_at_work(path: Path) -> AbstractContextManager[object]:
    """Show a person who watches that something is going on."""
    if not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console

    return Console(stderr=True).status(f"Checking {path.name}")


def _split(arguments: Sequence[str], options: Sequence[str]) -> tuple[list[str], list[str]]:
    """Tell files from the format options that follow the first after one ``--format``."""
    more = [text for text in arguments if _FORMAT_OPTION.match(text) and not Path(text).exists()]
    return [text for text in arguments if text not in more], [*options, *more]


def _data_types(folders: Sequence[Path]) -> DataTypes:
    from data_connections.data_types import load_data_types

    return load_data_types([*current_settings().schemas, *folders])


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise ConfigurationError(
            f"{text!r} is no date and time: write it like 2026-03-01T14:05:09Z.", field="--received-at"
        ) from wrong
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _readable(names: Sequence[str], folders: Sequence[Path]) -> list[Path]:
    """Return the files as paths; refuse those that cannot be read, and copies that would overwrite something."""
    if not names:
        raise ConfigurationError("Name at least one file to check.")
    paths = [Path(name) for name in names]
    for path in paths:
        if not path.is_file():
            raise ConfigurationError("There is no such file." if not path.exists() else "This is no file.", path=path)
    twice = {path.name for path in paths if [other.name for other in paths].count(path.name) > 1} if folders else set()
    if twice:
        raise ConfigurationError(f"Two files are named {min(twice)}: their copies would overwrite each other.")
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise ConfigurationError("--accepted and --rejects need different folders.")
    for path in paths:
        if path.resolve().parent in {folder.resolve() for folder in folders}:
            raise ConfigurationError("The copy of this file would overwrite it: name another folder.", path=path)
    return paths


def _print_report(report: CheckReport) -> None:
    totals = report.totals
    amounts = ", ".join(f"{money(amount, currency)} {currency}" for currency, amount in sorted(totals.amounts.items()))
    refused = report.file_error
    verdict = "refused" if refused else "good" if report.good else "not all rows are good"
    print_fields(
        {
            "File": f"{report.file}: {verdict}",
            "Data type": f"{report.data_type}, as received {report.received_at}",
            "Refused": f"{refused.code}: {refused.message}" if refused else None,
            "Line": refused.line if refused else None,
            "Try": " ".join(f"--format {key}={cell(value)}" for key, value in refused.options.items())
            if refused
            else "",
            "Rows": None
            if refused
            else f"{totals.rows:,}: {totals.accepted:,} accepted ({totals.warned:,} with a warning), "
            f"{totals.rejected:,} rejected, {totals.duplicate:,} duplicate, {totals.held:,} held",
            "Amounts": amounts,
            "Corrects": ", ".join(sorted(report.corrects)),
            "Approval": f"{report.hold[0]}: {report.hold[1]}" if report.hold else None,
        }
    )
    if report.effect:
        changes = [
            (
                one.state,
                one.currency,
                f"{one.count:+,}",
                _signed(one.amount, one.currency),
                "" if one.payout is None else _signed(one.payout, one.currency),
            )
            for one in report.effect
        ]
        print_table(["State", "Currency", "Count", "Amount", "Payout"], changes)
    for warning in report.file_warnings:
        note(f"{warning.code}: {warning.message}")
    if report.errors:
        rows = [(one.line, one.column, one.code, one.severity, one.message) for one in report.errors]
        print_table(["Line", "Column", "Code", "Severity", "Message"], rows)
        if totals.findings > len(report.errors):
            note(f"{totals.findings - len(report.errors):,} more; --errors N lists N of them.")
    sys.stdout.write("\n")


def _signed(amount: Decimal, currency: str | None) -> str:
    return f"{'+' if amount >= 0 else ''}{money(amount, currency)}"
