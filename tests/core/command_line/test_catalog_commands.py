from __future__ import annotations

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data_connections.ledger import Ledger

pytestmark = pytest.mark.usefixtures("programs")

Cli = Callable[..., Any]


def test_apply_shows_what_it_did(cli: Cli, folder: Path) -> None:
    answer = cli("apply", "-f", folder)

    assert answer.code == 0
    assert answer.out.splitlines() == ["+ orders  create", "+ returns  create"]
    assert "2 created" in answer.err
    assert "2 unchanged" in cli("apply", "-f", folder).err


def test_apply_shows_each_field_that_changes(cli: Cli, folder: Path) -> None:
    cli("apply", "-f", folder)
    path = folder / "orders.yaml"
    path.write_text(path.read_text() + "schedule: hourly\n")

    answer = cli("apply", "-f", folder, "--dry-run")

    assert answer.out.splitlines() == ["~ orders  change", '    schedule: "daily" -> "hourly"']
    assert "nothing was changed" in answer.err
    assert cli("list", "--json").json[0]["schedule"] == "daily"


def test_apply_prints_json(cli: Cli, folder: Path) -> None:
    answer = cli("apply", "-f", folder, "--json").json

    assert (answer["source"], answer["dry_run"], answer["mistakes"]) == ("files:team-a", False, [])
    assert [(step["name"], step["action"]) for step in answer["steps"]] == [("orders", "create"), ("returns", "create")]


def test_every_mistake_is_shown_and_nothing_is_changed(cli: Cli, folder: Path) -> None:
    (folder / "broken.yaml").write_text("name: [\n")
    (folder / "misspelt.yaml").write_text((folder / "orders.yaml").read_text() + "shedule: daily\n")
    (folder / "wrong-type.yaml").write_text((folder / "orders.yaml").read_text().replace("conversions\n", "orders\n"))

    answer = cli("apply", "-f", folder)

    assert answer.code == 2
    assert answer.out == ""
    places = [line.partition(":")[2].split(": ")[0] for line in answer.err.splitlines()]
    assert [Path(place.strip()).name for place in places] == ["broken.yaml:2", "misspelt.yaml:10", "wrong-type.yaml:2"]
    assert cli("list", "--json").json == []


def test_what_contradicts_itself_is_refused_and_what_surprises_is_warned_about(cli: Cli, folder: Path) -> None:
    path = folder / "orders.yaml"
    plain = path.read_text() + 'time_zone: Europe/Berlin\nschedule: "30 2 * * *"\n'
    path.write_text(plain + 'expects:\n  - {by: "02:00", early: PT1H}\n')
    refused = cli("apply", "-f", folder)
    path.write_text(plain + 'alerts: {email: ["us at example.com"]}\n')
    misspelt = cli("apply", "-f", folder)
    path.write_text(plain + "alerts: {email: [ops@inside.test]}\n")
    answer = cli("apply", "-f", folder)

    assert (refused.code, misspelt.code, answer.code) == (2, 2, 0)
    assert "orders.yaml:12" in refused.err
    assert "no run looks for files" in refused.err
    assert "'us at example.com' is no e-mail address" in misspelt.err
    assert "the clocks of Europe/Berlin skip 02:30" in answer.err
    assert "skip" not in cli("apply", "-f", folder).err


def test_mistakes_in_json_say_place_and_suggestion(cli: Cli, folder: Path) -> None:
    (folder / "misspelt.yaml").write_text((folder / "orders.yaml").read_text() + "shedule: daily\n")

    answer = cli("apply", "-f", folder, "--json")

    (mistake,) = answer.json["mistakes"]
    assert answer.code == 2
    assert (mistake["line"], mistake["field"], mistake["suggestion"]) == (10, "shedule", "schedule")


def test_an_unknown_program_names_the_command_that_makes_one(cli: Cli, folder: Path) -> None:
    path = folder / "orders.yaml"
    path.write_text(path.read_text().replace("program: acme", "program: amce"))

    answer = cli("apply", "-f", folder)

    assert answer.code == 2
    assert "orders.yaml:1: program: There is no program 'amce'. Known: acme, globex." in answer.err
    assert "connections reference apply" in answer.err
    assert "Did you mean 'acme'?" in answer.err


def test_prune_is_for_folders(cli: Cli, folder: Path) -> None:
    cli("apply", "-f", folder)

    answer = cli("apply", "-f", folder / "orders.yaml", "--prune")

    assert answer.code == 2
    assert len(cli("list", "--json").json) == 2


def test_prune_deletes_and_list_shows_deleted_ones_when_asked(cli: Cli, folder: Path) -> None:
    cli("apply", "-f", folder)
    (folder / "returns.yaml").unlink()

    answer = cli("apply", "-f", folder, "--prune")

    assert answer.out.splitlines() == ["- returns  delete"]
    assert [each["name"] for each in cli("list", "--json").json] == ["orders"]
    assert [each["name"] for each in cli("list", "--deleted", "--json").json] == ["orders", "returns"]


def test_two_sources_do_not_prune_each_other(cli: Cli, folder: Path) -> None:
    cli("apply", "-f", folder / "returns.yaml", "--source", "team-b")
    (folder / "returns.yaml").unlink()

    assert "deleted" not in cli("apply", "-f", folder, "--prune").err
    assert [each["managed_by"] for each in cli("list", "--json").json] == ["files:team-a", "files:team-b"]


@pytest.mark.parametrize(("arguments", "who"), [((), "ada"), (("--by", "grace"), "grace")])
def test_show_tells_who_changed_what(cli: Cli, folder: Path, arguments: tuple[str, ...], who: str) -> None:
    cli("apply", "-f", folder, *arguments)

    shown = cli("show", "orders", "--json").json

    assert (shown["revision"], shown["status"], shown["changed_by"]) == (1, "None", who)
    assert shown["spec"]["details"]["folder"] == "/outbox"
    assert [(each["who"], each["what"]) for each in shown["activity"]] == [(who, "connection.created")]


def test_without_a_name_it_is_the_systems_user(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONNECTIONS_BY")
    cli("apply", "-f", folder)

    assert cli("show", "orders", "--json").json["changed_by"] == getpass.getuser()


def test_show_is_readable(cli: Cli, folder: Path) -> None:
    cli("apply", "-f", folder)

    out = cli("show", "orders").out

    assert "managed by  files:team-a" in out
    assert "  folder: /outbox" in out
    assert "connection.created" in out


def test_list_is_a_table_and_can_be_narrowed(cli: Cli, folder: Path) -> None:
    cli("apply", "-f", folder)

    assert [name in cli("list").out for name in ("orders", "returns", "conversions", "None")] == [True] * 4
    assert cli("list", "--program", "globex", "--json").json == []
    assert len(cli("list", "--direction", "inbound", "--json").json) == 2


@pytest.mark.parametrize("command", ["show", "history", "export", "run", "test"])
def test_an_unknown_connection_suggests_the_nearest(cli: Cli, folder: Path, command: str) -> None:
    cli("apply", "-f", folder)

    answer = cli(command, "ordres")

    assert answer.code == 2
    assert "There is no connection 'ordres'. Known: orders, returns. Did you mean 'orders'?" in answer.err


def test_what_is_exported_applies_back_to_the_same_revision(cli: Cli, folder: Path, tmp_path: Path) -> None:
    path = folder / "orders.yaml"
    path.write_text(
        path.read_text()
        + 'schedule: "30 6 * * 1-5"\nformat: {delimiter: tab, header: false}\nactive_from: 2026-10-01\n'
        + "arrival: {until: 15:00, look_every: 10}\nlimits: {hold_if: {amount_over: {EUR: 50000.00}}}\n"
        + "access_control: {managers: [view, run]}\ndescription: |\n  Two\n  lines.\n"
    )
    cli("apply", "-f", folder)
    before = cli("show", "orders", "--json").json

    assert cli("export", "-o", tmp_path / "out").code == 0
    again = cli("apply", "-f", tmp_path / "out", "--source", "team-a")

    assert "2 unchanged" in again.err
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == ["orders.yaml", "returns.yaml"]
    assert cli("show", "orders", "--json").json["hash"] == before["hash"]


def test_export_does_not_overwrite_what_differs(cli: Cli, folder: Path) -> None:
    cli("apply", "-f", folder)

    assert cli("export", "orders", "-o", folder).code == 2
    assert cli("export", "orders", "-o", folder, "--force").code == 0
    assert "name: orders" in (folder / "orders.yaml").read_text()


def test_history_without_airflow_shows_what_the_ledger_knows(cli: Cli, folder: Path) -> None:
    cli("apply", "-f", folder)

    answer = cli("history", "orders", "--json")

    assert (answer.code, answer.json) == (0, [])
    assert "Only what the ledger knows" in answer.err


def test_a_revision_that_is_no_spec_any_more_is_shown_all_the_same(cli: Cli, folder: Path, ledger: Ledger) -> None:
    cli("apply", "-f", folder)
    with ledger.connect() as connection:
        connection.execute("""update connection_revision set spec = spec || '{"gone": 1}'""")

    shown = cli("show", "orders")

    assert shown.code == 0
    assert "gone: 1" in shown.out
    assert "Connection orders, revision 1: There is no field 'gone' here" in shown.err
    assert cli("list").code == 0
    assert "Connection orders, revision 1" in cli("export", "orders").err
