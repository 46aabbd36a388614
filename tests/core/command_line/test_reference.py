from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data_connections.catalog import activity
from data_connections.ledger import Ledger

Cli = Callable[..., Any]

PROGRAMS = """programs:
  - id: 1
    key: shop
    name: Shop
    currency: EUR
    event_types:
      - {id: 11, code: SALE, name: Sale}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "reference"
    path.mkdir()
    (path / "programs.yaml").write_text(PROGRAMS)
    return path


def test_the_samples_are_applied_by_default(cli: Cli) -> None:
    assert cli("reference", "apply").code == 0

    found = cli("reference", "list", "--json").json
    acme = found["programs"][0]
    assert (acme["id"], acme["key"], acme["time_zone"], acme["currency"]) == (1000, "acme", "Europe/Berlin", "EUR")
    assert [(each["id"], each["code"]) for each in acme["event_types"]] == [(2001, "SALE"), (2002, "SIGNUP")]
    assert [each["name"] for each in found["partners"]] == ["Northwind Media", "Contoso Coupons", "Fabrikam Reviews"]


def test_applying_twice_changes_nothing(cli: Cli, ledger: Ledger) -> None:
    cli("reference", "apply")
    logged = len(activity.recent(ledger))

    answer = cli("reference", "apply", "--json")

    assert {step["action"] for step in answer.json} == {"keep"}
    assert len(activity.recent(ledger)) == logged


def test_a_change_is_made_and_logged(cli: Cli, ledger: Ledger, folder: Path) -> None:
    cli("reference", "apply", "-f", folder)
    (folder / "programs.yaml").write_text(PROGRAMS.replace("name: Sale}", "name: Sale, duplicate_window_days: 7}"))

    answer = cli("reference", "apply", "-f", folder)

    assert answer.out.splitlines() == ["~ event type 11 (Sale)", "    duplicate_window_days: 30 -> 7"]
    newest = activity.recent(ledger)[0]
    assert (newest["who"], newest["what"], newest["subject"]) == ("ada", "event_type.changed", "event type 11 (Sale)")


def test_a_dry_run_changes_nothing(cli: Cli, folder: Path) -> None:
    assert "2 of 2 to change" in cli("reference", "apply", "-f", folder, "--dry-run").err
    assert cli("reference", "list", "--json").json == {"programs": [], "partners": [], "contracts": []}


def test_what_yaml_leaves_out_stays(cli: Cli, folder: Path) -> None:
    cli("reference", "apply")
    cli("reference", "apply", "-f", folder)

    assert [each["key"] for each in cli("reference", "list", "--json").json["programs"]] == ["shop", "acme", "globex"]


@pytest.mark.parametrize(
    ("wrong", "place", "words"),
    [
        (PROGRAMS.replace("currency: EUR", "currency: euro"), "programs.yaml:5: programs.0.currency", "'euro'"),
        (PROGRAMS.replace("currency", "curency"), "programs.yaml:5: programs.0.curency", "Did you mean 'currency'?"),
        (PROGRAMS.replace("id: 11", "id: eleven"), "programs.yaml:7: programs.0.event_types.0.id", "a whole number"),
        (PROGRAMS + "      - {id: 11, name: Again}\n", "programs.yaml:8", "event type id 11 is already used"),
        (PROGRAMS + "      - {id: 12, code: SALE, name: B}\n", "programs.yaml:8", "'SALE' is already used"),
        (PROGRAMS + "    time_zone: Berlin\n", "programs.yaml:8: programs.0.time_zone", "not a time zone"),
        ("programs: [\n", "programs.yaml:2", "not readable YAML"),
    ],
)
def test_a_mistake_is_told_with_its_place(cli: Cli, folder: Path, wrong: str, place: str, words: str) -> None:
    (folder / "programs.yaml").write_text(wrong)

    answer = cli("reference", "apply", "-f", folder)

    assert answer.code == 2
    assert place in answer.err
    assert words in answer.err
    assert cli("reference", "list", "--json").json["programs"] == []


def test_mistakes_of_all_files_are_told(cli: Cli, folder: Path) -> None:
    (folder / "programs.yaml").write_text(PROGRAMS.replace("currency", "curency"))
    (folder / "partners.yaml").write_text("partners:\n  - {id: 1}\n")

    err = cli("reference", "apply", "-f", folder).err

    assert "partners.yaml:2: partners.0.name: This field is required." in err
    assert "programs.yaml:5" in err


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (PROGRAMS.replace("id: 1\n", "id: 2\n").replace("id: 11", "id: 12"), "key 'shop' belongs to the program 1"),
        (
            PROGRAMS.replace("id: 1\n", "id: 2\n").replace("key: shop", "key: other"),
            "Event type 11 belongs to program 1",
        ),
        (PROGRAMS.replace("id: 11", "id: 12"), "code 'SALE' belongs to the event type 11"),
    ],
)
def test_ids_keep_their_meaning(cli: Cli, folder: Path, second: str, words: str) -> None:
    cli("reference", "apply", "-f", folder)
    before = cli("reference", "list", "--json").json
    (folder / "programs.yaml").write_text(second)

    answer = cli("reference", "apply", "-f", folder)

    assert answer.code == 2
    assert words in answer.err
    assert cli("reference", "list", "--json").json == before
