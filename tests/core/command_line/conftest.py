from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

ORDERS = """program: acme
data_type: conversions
direction: inbound
method: sftp
credentials: acme-sftp
details:
  host: sftp.partner.example
  folder: /outbox
  file_pattern: "conversions_*.csv"
"""


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Answer]


@pytest.fixture
def cli(ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs `connections` with the arguments given, on an empty ledger; the code and what it printed."""
    from command_line.main import app

    monkeypatch.setenv("CONNECTIONS_DATABASE_URL", ledger_url)
    monkeypatch.setenv("CONNECTIONS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CONNECTIONS_BY", "ada")
    for name in ("CONNECTIONS_AIRFLOW_USER", "CONNECTIONS_AIRFLOW_PASSWORD", "AIRFLOW_CONN_ACME-SFTP"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object) -> Answer:
        result = CliRunner().invoke(app, [str(each) for each in arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def programs(cli: Cli) -> None:
    """The sample programs, in the ledger."""
    assert cli("reference", "apply").code == 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the connections `orders` and `returns`."""
    path = tmp_path / "team-a"
    path.mkdir()
    for name in ("orders", "returns"):
        (path / f"{name}.yaml").write_text(ORDERS)
    return path
