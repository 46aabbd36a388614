from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]
COMMANDS = ("apply", "export", "schema", "list", "show", "test", "run", "history", "submissions", "deliveries")
MORE = ("submit", "check", "template", "report", "credentials", "reference")


def test_help_names_every_command(cli: Cli) -> None:
    answer = cli("--help")

    assert answer.code == 0
    listed = {line.split()[0] for line in answer.out.splitlines() if line.startswith("  ") and line.split()}
    assert {*COMMANDS, *MORE} <= listed


@pytest.mark.parametrize("command", [*COMMANDS, *MORE])
def test_each_command_has_help(cli: Cli, command: str) -> None:
    answer = cli(command, "--help")

    assert answer.code == 0
    assert f"connections {command}" in answer.out.replace("root ", "connections ")


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys, command_line.main as m; from typer.main import get_command; get_command(m.app);"
        "print([n for n in ('pydantic','psycopg','pandas','pyarrow','asyncssh','airflow','httpx') if n in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "plugins")}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)

    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("arguments", [("aply",), ("apply",), ("apply", "--nonsense"), ("list", "orders")])
def test_wrong_use_is_exit_code_2(cli: Cli, arguments: tuple[str, ...]) -> None:
    answer = cli(*arguments)

    assert (answer.code, answer.out) == (2, "")
    assert "Error" in answer.err


def test_a_ledger_that_is_away_is_a_sentence_and_exit_code_2(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTIONS_DATABASE_URL", "postgresql://u:hunter2@127.0.0.1:1/ledger")

    answer = cli("list")

    assert (answer.code, answer.out) == (2, "")
    assert "The ledger does not answer" in answer.err
    assert "Traceback" not in answer.err
    assert "hunter2" not in answer.err


def test_verbose_shows_where_an_error_came_from(cli: Cli, tmp_path: Path) -> None:
    answer = cli("-v", "apply", "-f", tmp_path / "nowhere")

    assert answer.code == 2
    assert "Traceback" in answer.err
    assert "Error: " in answer.err


def test_an_empty_database_is_migrated_on_the_way(
    cli: Cli, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECTIONS_DATABASE_URL", empty_database)

    assert cli("list", "--json").json == []


def test_a_ledger_of_a_newer_version_is_left_alone(cli: Cli, ledger: Any) -> None:
    with ledger.connect() as connection:
        connection.execute("update schema_version set version_num = '9999'; update schema_serves set oldest = '9999'")

    answer = cli("list")

    assert answer.code == 2
    assert "update Connections" in answer.err


@pytest.mark.parametrize(
    ("data_type", "levels"),
    [("conversions", ["item", "order"]), ("action_modifications", ["approval", "item", "mobile", "order"])],
)
def test_templates_are_accepted_by_check(cli: Cli, tmp_path: Path, data_type: str, levels: list[str]) -> None:
    for level in levels:
        for example in ((), ("--example",)):
            path = tmp_path / f"{level}{len(example)}.csv"
            assert cli("template", data_type, level, "-o", path, *example).code == 0

    answer = cli("check", "--data-type", data_type, *sorted(tmp_path.glob("*.csv")), "--json")

    assert answer.code == 0
    assert [line.count('"rejected": 0') for line in answer.out.splitlines()] == [1] * 2 * len(levels)
    assert (tmp_path / "order0.csv").read_text().count("\n") == 1


def test_a_check_is_one_line_of_json_whatever_the_file_holds(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"no_utf_8_\xff.csv")
    path.write_text("CampaignId,EventTypeCode,a\u2028b\u0085c\n1,SALE,1\n", encoding="utf-8")

    answer = cli("check", "--data-type", "conversions", path, "--json")

    (line,) = answer.out.splitlines()
    report = json.loads(line)
    assert report["file"] == str(path)
    assert "a\u2028b\u0085c" in report["file_error"]["message"]


def test_a_template_is_never_written_over_a_file(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("mine")

    assert cli("template", "conversions", "-o", tmp_path / "mine.csv").code == 2
    assert (tmp_path / "mine.csv").read_text() == "mine"
    assert "'conversions'?" in cli("template", "conversion").err
