"""Text in, outcomes out: what every test of validation asks."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from data_connections.data_types import DataType, load_data_types
from data_connections.formats import open_rows
from data_connections.spec.file_format import FileFormat
from data_connections.validation import Finding, Outcome, Totals, Validation, ValidationOptions, validate_rows

SCHEMAS = Path(__file__).parents[3] / "include" / "schemas"
RECEIVED = datetime(2026, 6, 15, 12, tzinfo=UTC)


@dataclass
class Judged:
    """What became of a file."""

    outcomes: dict[int, str]
    findings: list[Finding]
    totals: Totals
    validation: Validation
    typed: dict[int, dict]

    @property
    def codes(self) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {line: [] for line in self.outcomes}
        for finding in self.findings:
            found[finding.line].append(finding.code)
        return found


def judge_text(text: str | bytes, data_type: DataType, block_size: int = 1 << 20, **options) -> Judged:
    source = io.BytesIO(text.encode() if isinstance(text, str) else text)
    reader = open_rows(source, FileFormat(delimiter=","), name="file.csv", block_size=block_size)
    validation = validate_rows(reader, data_type, ValidationOptions(**{"received_at": RECEIVED} | options))
    outcomes: dict[int, str] = {}
    findings: list[Finding] = []
    typed: dict[int, dict] = {}
    for block in validation:
        lines = block.lines.tolist()
        outcomes |= {line: Outcome(code).name.lower() for line, code in zip(lines, block.outcome.tolist(), strict=True)}
        typed |= dict(zip(lines, block.typed.to_pylist(), strict=True))
        findings += block.findings
    return Judged(outcomes, findings, validation.totals, validation, typed)


@pytest.fixture
def judge():
    return judge_text


@pytest.fixture(scope="session")
def conversions() -> DataType:
    return load_data_types([SCHEMAS])["conversions"]


@pytest.fixture
def one_column():
    """A data type with the column V as described, and a key-like column K that keeps rows from being blank."""

    def make(**column) -> DataType:
        columns = [{"name": "K"}, {"name": "V", **column}, {"name": "Other"}]
        return DataType(name="test", title="Test", version="1", columns=columns)

    return make
