"""The dry run of one path: one file, or each of those that a zip holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from functools import partial
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
    opened: Callable[[Path], AbstractContextManager[Path]] = nullcontext,
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
        opened: Opens what a file holds, which is another one where it is encrypted.

    Raises:
        ConfigurationError: The data type's suite cannot be evaluated, or the time zone does not exist.
    """
    check = partial(
        check_file,
        data_type=data_type,
        options=options,
        file_format=file_format,
        errors_shown=errors_shown,
        most=most,
    )
    with ExitStack() as stack:
        try:
            content = stack.enter_context(opened(path))
        except FileRefused as refused:
            received_at = options.received_at.isoformat().replace("+00:00", "Z")
            yield CheckReport(data_type.name, str(path), received_at, file_error=refused)
            return
        parcel = _parcel(content, path.name, most)
        if parcel is None:
            with review() as judging:
                yield check(content, name=str(path), copies=copies(path.name), review=judging)
            return
        stack.enter_context(closing(parcel))
        for place, member in enumerate(parcel.members):
            copy = copies(f"{path.name}_{member}".replace("/", "_"))
            with review() as judging:
                yield check(parcel.open(place), name=f"{path}/{member}", copies=copy, review=judging)


def _parcel(path: Path, name: str, most: int) -> Parcel | None:
    """Open a zip with several files; one that is refused is no parcel: reading it says why."""
    with path.open("rb") as source:
        try:
            return open_parcel(source, name, most=most)
        except FileRefused:
            return None
