"""The dry run of one path: one file, or each of those that a zip holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

from data_connections.data_types import DataType
from data_connections.errors import FileRefused
from data_connections.formats.parcel import Parcel, open_parcel
from data_connections.spec.file_format import FileFormat
from data_connections.validation.check import CheckReport, LedgerSays, check_file
from data_connections.validation.copies import Copies
from data_connections.validation.outcomes import ValidationOptions


def check_path(
    path: Path,
    data_type: DataType,
    options: ValidationOptions,
    *,
    file_format: FileFormat,
    errors_shown: int,
    copies: Callable[[str], Copies],
    review: Callable[[], AbstractContextManager[LedgerSays | None]],
    most: int,
) -> Iterator[CheckReport]:
    """Check a file; of a zip with several files each of them, named ``PATH/MEMBER``.

    Args:
        path: The file.
        data_type: What its rows are.
        options: Received time, zone and settings.
        file_format: How it is written; what is not declared is detected.
        errors_shown: How many errors and warnings of rows to list for each file.
        copies: Where to write accepted and rejected rows, by the name of the copy.
        review: Opens, for each file, what judges its rows by what lies outside; gives None where there is none.
        most: Bytes that a packed file may hold, all in all.

    Raises:
        ConfigurationError: The data type's suite cannot be evaluated, or the time zone does not exist.
    """
    parcel = _parcel(path, most)
    if parcel is None:
        with review() as judging:
            yield check_file(
                path,
                data_type,
                options,
                file_format=file_format,
                errors_shown=errors_shown,
                copies=copies(path.name),
                review=judging,
                most=most,
            )
        return
    with closing(parcel):
        for place, member in enumerate(parcel.members):
            with review() as judging:
                yield check_file(
                    parcel.open(place),
                    data_type,
                    options,
                    file_format=file_format,
                    name=f"{path}/{member}",
                    errors_shown=errors_shown,
                    copies=copies(f"{path.name}_{member}".replace("/", "_")),
                    review=judging,
                    most=most,
                )


def _parcel(path: Path, most: int) -> Parcel | None:
    """Open a zip with several files; one that is refused is no parcel: reading it says why."""
    with path.open("rb") as source:
        try:
            return open_parcel(source, path.name, most=most)
        except FileRefused:
            return None
