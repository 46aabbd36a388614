from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data_connections.data_types import load_data_types
from data_connections.settings import PROJECT
from fixtures.desk import table

Cli = Callable[..., Any]

PARCELS = "keep: {how: upsert, key: [Id]}\ntitle: Parcels\ncolumns:\n  - {name: Id, required: true}\n"
DATA_TYPES = load_data_types([PROJECT / "include" / "schemas"])
SPEC = """program: acme
data_type: parcels
direction: inbound
method: sftp
credentials: acme-sftp
details: {host: sftp.example, folder: /out, file_pattern: "*.csv"}
"""


@pytest.fixture
def parcels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The columns of a data type in a folder of its own, which the installation knows."""
    path = tmp_path / "types" / "parcels" / "columns.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(PARCELS)
    monkeypatch.setenv("CONNECTIONS_SCHEMAS", str(tmp_path / "types"))
    return path


@pytest.mark.usefixtures("programs")
def test_a_folder_becomes_a_data_type_without_any_python(cli: Cli, parcels: Path, tmp_path: Path) -> None:
    (tmp_path / "depot.yaml").write_text(SPEC)
    (tmp_path / "a.csv").write_text(table("Id", "1", "2"))

    shown = cli("apply", "-f", tmp_path / "depot.yaml", "--dry-run")
    assert '+ data type parcels\n    create table "parcels"' in shown.out
    assert cli("data-types", "apply", "--dry-run", "--json").json[-1]["action"] == "create"
    assert cli("apply", "-f", tmp_path / "depot.yaml").code == 0
    assert cli("check", "--connection", "depot", tmp_path / "a.csv").code == 0
    done = cli("submit", "depot", tmp_path / "a.csv", "--json")

    assert (done.code, done.json["state"], done.json["accepted"]) == (0, "applied", 2)
    assert cli("template", "parcels").out == "Id\n"


@pytest.mark.usefixtures("programs")
def test_a_changed_folder_is_shown_before_it_is_applied(cli: Cli, parcels: Path, tmp_path: Path) -> None:
    (tmp_path / "depot.yaml").write_text(SPEC)
    (tmp_path / "a.csv").write_text(table("Id,Height", "1,2"))
    cli("apply", "-f", tmp_path / "depot.yaml")
    parcels.write_text(f"{PARCELS}  - {{name: Height, type: integer}}\n")

    refused = cli("submit", "depot", tmp_path / "a.csv")
    assert (refused.code, "connections data-types apply" in refused.err) == (2, True)
    shown = cli("data-types", "apply", "--dry-run")
    assert "~ data type parcels" in shown.out
    assert 'columns.Height.type: nothing -> "integer"' in shown.out
    assert 'alter table "parcels" add column "height" bigint' in shown.out
    assert cli("data-types", "apply").out == shown.out
    assert cli("data-types", "apply").out == ""
    assert cli("submit", "depot", tmp_path / "a.csv").code == 0


def test_the_built_in_tables_are_those_of_their_folders(cli: Cli) -> None:
    steps = {step["data_type"]: step for step in cli("data-types", "apply", "--dry-run", "--json").json}

    assert {name for name, step in steps.items() if step["statements"]} <= {"store_locations"}
    assert steps["clicks"]["table"] == "click"
    listed = {each["name"]: each for each in cli("data-types", "list", "--json").json}
    assert (listed["clicks"]["kept"], listed["conversions"]["kept"]) == ("append", None)


def test_a_connection_of_a_data_type_that_is_kept_nowhere_takes_no_file(
    cli: Cli, parcels: Path, programs: None, tmp_path: Path
) -> None:
    parcels.write_text("title: Parcels\ncolumns: [{name: Id}]\n")
    (tmp_path / "depot.yaml").write_text(SPEC)
    (tmp_path / "a.csv").write_text(table("Id", "1"))
    cli("apply", "-f", tmp_path / "depot.yaml")

    refused = cli("submit", "depot", tmp_path / "a.csv")
    assert (refused.code, "Add `keep`" in refused.err) == (2, True)


def test_every_template_is_good_as_it_is(cli: Cli, tmp_path: Path) -> None:
    folders = [path for path in (PROJECT / "include" / "templates").iterdir() if path.name in DATA_TYPES]
    assert {path.name for path in folders} == set(DATA_TYPES)
    for folder in folders:
        paths = []
        for template in folder.iterdir():
            for example in ([], ["--example"]):
                paths.append(tmp_path / f"{len(example)}-{folder.name}-{template.name}")
                assert cli("template", folder.name, template.stem, *example, "-o", paths[-1]).code == 0
        answer = cli("check", "--data-type", folder.name, *paths, "--json")
        for path, line in zip(paths, answer.out.splitlines(), strict=True):
            report = json.loads(line)
            assert (report["file_error"], report["errors"]) == (None, []), path
            assert bool(report["rows"]) == path.name.startswith("1-")
        assert answer.code == 0
