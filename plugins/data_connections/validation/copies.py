"""Copies of a file's rows by outcome: the accepted ones as read, the rejected ones with their errors."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
import pyarrow as pa

from data_connections.formats import CsvWriter, encode_rows
from data_connections.validation.header import REJECTS_COLUMNS, Header
from data_connections.validation.outcomes import Finding, Mask, Outcome, ValidatedBlock
from data_connections.validation.withheld import cells_without_addresses, only_fitting, without_addresses


class AcceptedCopy:
    """Writes the accepted rows of a file: its own header, RFC 4180 in UTF-8, the values exactly as read.

    Args:
        target: Where the bytes go.
        header: The file's header.
    """

    def __init__(self, target: BinaryIO, header: Header) -> None:
        self._writer = CsvWriter(target, header.names)

    def add(self, block: ValidatedBlock) -> None:
        """Write the accepted rows of a block."""
        self._writer.write(block.cells.filter(pa.array(block.where(Outcome.ACCEPTED))))


class RejectsCopy:
    """Writes the rejected rows of a file: the sender's columns, then SubmissionId, Line and the error.

    ErrorCode and ErrorColumn are those of the first error, ErrorMessage holds the sentences of all. Cells that a row
    has too many stand behind the error, so that nothing is lost and the columns stay where they are. An
    address in plain text where a hash is due is left out, also where a row's cells stand in the wrong places.

    Args:
        target: Where the bytes go.
        header: The file's header; columns of an earlier rejects file are not repeated.
        submission_id: Names the submission in the column SubmissionId; empty in a dry run.
    """

    def __init__(self, target: BinaryIO, header: Header, submission_id: str = "") -> None:
        self._target = target
        self._own = [position for position in range(len(header.names)) if header.names[position] in header.own_names]
        self._width = len(header.names)
        self._submission_id = submission_id
        self._written = header.written
        target.write(encode_rows([pa.array([name]) for name in (*header.own_names, *REJECTS_COLUMNS)]))

    def add(self, block: ValidatedBlock) -> None:
        """Write the rejected rows of a block."""
        rejected = block.where(Outcome.REJECTED)
        if not rejected.any():
            return
        lines = block.lines[rejected].tolist()
        columns = [self._shown(position, block, rejected, lines) for position in self._own]
        columns += self._error_columns(lines, block.findings)
        for start, stop, surplus in self._stretches(lines, block):
            cells = [column.slice(start, stop - start) for column in columns]
            self._target.write(encode_rows([*cells, *(pa.array([cell]) for cell in surplus)]))

    def _shown(self, position: int, block: ValidatedBlock, rejected: Mask, lines: Sequence[int]) -> pa.Array:
        """Return one column of the rejected rows, without what is written nowhere."""
        column = block.cells.column(position).filter(pa.array(rejected)).combine_chunks()
        if self._written is None:
            return column
        broken = np.array([line in block.broken for line in lines], dtype=bool)
        column = cells_without_addresses(column, broken)
        return only_fitting(column, self._written[position]) if position in self._written else column

    def _error_columns(self, lines: Sequence[int], findings: Sequence[Finding]) -> list[pa.Array]:
        errors: dict[int, list[Finding]] = {line: [] for line in lines}
        for finding in findings:
            if finding.severity == "error" and finding.line in errors:
                errors[finding.line].append(finding)
        rows = [
            (self._submission_id, str(line), found[0].code, found[0].column or "", " ".join(_sentences(found)))
            for line, found in errors.items()
        ]
        return [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]

    def _stretches(self, lines: Sequence[int], block: ValidatedBlock) -> Iterator[tuple[int, int, tuple[str, ...]]]:
        """Yield stretches of rows of equal length; a row with too many cells by itself, with those cells."""
        start = 0
        for row, line in enumerate(lines):
            surplus = block.broken.get(line, ())[self._width :]
            surplus = surplus if self._written is None else tuple(map(without_addresses, surplus))
            if surplus:
                if row > start:
                    yield start, row, ()
                yield row, row + 1, surplus
                start = row + 1
        if start < len(lines):
            yield start, len(lines), ()


class CopyFile:
    """A file that appears under its name only when it is whole.

    Args:
        path: Its final path; the folder is made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(f".{path.name}.part")
        path.parent.mkdir(parents=True, exist_ok=True)
        self.stream: BinaryIO = self._partial.open("wb")

    def publish(self) -> None:
        """Give the file its name, in place of an older one."""
        self.stream.close()
        os.replace(self._partial, self._path)  # noqa: PTH105 - the same file system, replacing on purpose

    def discard(self) -> None:
        """Leave no file, neither a partial nor an older one."""
        self.stream.close()
        self._partial.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Copies:
    """Where the rows of a checked file are written to.

    Attributes:
        accepted: Path of the copy of the accepted rows.
        rejects: Path of the copy of the rejected rows with their errors.
    """

    accepted: Path | None = None
    rejects: Path | None = None


class CopyWriters:
    """Writes the wanted copies of one file; unless they are published, none is left, not even an older one.

    Args:
        copies: Which ones are wanted.
    """

    def __init__(self, copies: Copies) -> None:
        self._files = {
            kind: CopyFile(path)
            for kind, path in ((AcceptedCopy, copies.accepted), (RejectsCopy, copies.rejects))
            if path is not None
        }
        self._writers: list[AcceptedCopy | RejectsCopy] = []
        self._published = False

    def start(self, header: Header) -> None:
        """Begin the copies, now that the file's header is known."""
        self._writers = [kind(file.stream, header) for kind, file in self._files.items()]

    def add(self, block: ValidatedBlock) -> None:
        """Write the rows of a block."""
        for writer in self._writers:
            writer.add(block)

    def publish(self) -> None:
        """Give the copies their names."""
        for file in self._files.values():
            file.publish()
        self._published = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._published:
            for file in self._files.values():
                file.discard()


def _sentences(found: Sequence[Finding]) -> Iterator[str]:
    yield from dict.fromkeys(finding.message for finding in found)
