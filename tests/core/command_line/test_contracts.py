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
      - {id: 12, name: Second order, chained_to: 11, locking: {after: event, days: 10}}
      - id: 11
        name: Sale
        locking: {after: month_end, months: 0, days: 27}
        reason_codes: [{code: Swapped, effect: modify, name: Swapped}]
  - {id: 2, key: other, name: Other, currency: EUR, event_types: [{id: 21, name: Sale}]}
partners:
  - id: 7
    name: Seven
    media: [{id: 71, name: seven.example}]
    promo_codes: [{program: shop, code: SEVEN}]
contracts:
  - id: 5
    program: shop
    partner: 7
    name: Standard
    terms:
      - {event_type: 11, starts: 2026-01-01, percent: 5}
      - {event_type: 12, starts: 2026-01-01, fixed: 2.50, currency: EUR}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "reference.yaml"
    path.write_text(PROGRAMS)
    return path


def terms_of(ledger: Ledger) -> list[tuple[int, Any, Any, bool]]:
    rows = ledger.all("select event_type_id, percent, fixed, replaced_at from contract_term order by id")
    return [(row["event_type_id"], row["percent"], row["fixed"], row["replaced_at"] is None) for row in rows]


def test_everything_of_a_file_comes_into_the_ledger_once(cli: Cli, file: Path) -> None:
    assert cli("reference", "apply", "-f", file).code == 0
    again = cli("reference", "apply", "-f", file, "--json")

    assert {step["action"] for step in again.json} == {"keep"}
    found = cli("reference", "list", "--json").json
    sale, second = found["programs"][0]["event_types"]
    assert (sale["locking_after"], sale["locking_months"], sale["locking_days"]) == ("month_end", 0, 27)
    assert [reason["code"] for reason in sale["reason_codes"]] == ["Swapped"]
    assert (second["parent_id"], second["locking_after"], second["locking_days"]) == (11, "event", 10)
    assert found["programs"][1]["event_types"][0]["locking_days"] == 730
    [partner] = found["partners"]
    assert [media["id"] for media in partner["media"]] == [71]
    assert [promo_code["code"] for promo_code in partner["promo_codes"]] == ["SEVEN"]
    assert [term["starts"] for term in found["contracts"][0]["terms"]] == ["2026-01-01", "2026-01-01"]


def test_another_rate_is_a_new_term_beside_the_old_one(cli: Cli, ledger: Ledger, file: Path) -> None:
    cli("reference", "apply", "-f", file)
    file.write_text(PROGRAMS.replace("percent: 5}", "percent: 6}"))
    answer = cli("reference", "apply", "-f", file)

    assert answer.out.splitlines() == [
        "~ contract term of contract 5 for event type 11 from 2026-01-01",
        '    percent: "5" -> "6"',
    ]
    assert terms_of(ledger) == [(11, 5, None, False), (12, None, 2.5, True), (11, 6, None, True)]
    newest = activity.recent(ledger)[0]
    assert (newest["what"], newest["details"]["changes"]) == (
        "contract_term.changed",
        [{"field": "percent", "before": "5", "after": "6"}],
    )


def test_a_rate_written_in_another_way_is_no_change(cli: Cli, ledger: Ledger, file: Path) -> None:
    cli("reference", "apply", "-f", file)
    file.write_text(PROGRAMS.replace("percent: 5}", "percent: 5.00}"))

    assert cli("reference", "apply", "-f", file).out == ""
    assert len(terms_of(ledger)) == 2


def test_a_term_that_its_contract_leaves_out_holds_no_more(cli: Cli, ledger: Ledger, file: Path) -> None:
    cli("reference", "apply", "-f", file)
    file.write_text(PROGRAMS.replace("      - {event_type: 12, starts: 2026-01-01, fixed: 2.50, currency: EUR}\n", ""))
    dry = cli("reference", "apply", "-f", file, "--dry-run")

    assert dry.out.splitlines() == ["- contract term of contract 5 for event type 12 from 2026-01-01"]
    assert terms_of(ledger)[1] == (12, None, 2.5, True)
    cli("reference", "apply", "-f", file)
    assert terms_of(ledger) == [(11, 5, None, True), (12, None, 2.5, False)]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("percent: 5}", "percent: 5, fixed: 1}", "Give either `percent` or `fixed`"),
        ("fixed: 2.50, currency: EUR", "fixed: 2.50", "`fixed` needs its `currency`"),
        ("percent: 5}", "percent: 5, ends: 2025-12-31}", "It ends before it starts"),
        ("event_type: 12", "event_type: 21", "not one of its program"),
        ("event_type: 12", "event_type: 99", "names the event type 99"),
        ("partner: 7\n", "partner: 8\n", "names the partner 8"),
        ("program: shop\n    partner", "program: shup\n    partner", "names the program 'shup'"),
        ("{program: shop, code: SEVEN}", "{program: shup, code: SEVEN}", "names the program 'shup'"),
        ("chained_to: 11", "chained_to: 99", "names the event type 99"),
        ("after: event, days: 10", "after: event", "Say how many `days` follow"),
        ("after: event, days: 10", "after: event, months: 1, days: 10", "`months` are for `after: month_end`"),
        ("code: Swapped", "code: Swapped, effect: refund", "effect"),
        (
            "event_type: 12, starts: 2026-01-01, fixed: 2.50, currency: EUR",
            "event_type: 11, starts: 2026-01-01, percent: 1",
            "is already used",
        ),
    ],
)
def test_a_mistake_in_a_contract_is_told_and_changes_nothing(
    cli: Cli, file: Path, old: str, new: str, words: str
) -> None:
    assert old in PROGRAMS
    file.write_text(PROGRAMS.replace(old, new, 1))
    answer = cli("reference", "apply", "-f", file)

    assert answer.code == 2
    assert words in answer.err
    assert cli("reference", "list", "--json").json["programs"] == []


@pytest.mark.parametrize(
    ("event", "zone", "policy", "locks"),
    [
        # January's actions lock on 28 February: 31 January and 27 days, and then the next midnight
        ("2026-01-01T00:00:00Z", "UTC", ("month_end", 0, 27), "2026-02-28T00:00:00Z"),
        ("2026-01-31T23:59:59Z", "UTC", ("month_end", 0, 27), "2026-02-28T00:00:00Z"),
        ("2026-02-01T00:00:00Z", "UTC", ("month_end", 0, 27), "2026-03-28T00:00:00Z"),
        ("2026-01-31T23:30:00Z", "Europe/Berlin", ("month_end", 0, 27), "2026-03-27T23:00:00Z"),
        ("2026-01-15T12:00:00Z", "UTC", ("month_end", 1, 20), "2026-03-21T00:00:00Z"),
        ("2028-01-15T12:00:00Z", "UTC", ("month_end", 0, 29), "2028-03-01T00:00:00Z"),
        ("2026-03-20T12:00:00Z", "Europe/Berlin", ("event", 0, 10), "2026-03-30T22:00:00Z"),
        ("2026-03-20T23:30:00Z", "Europe/Berlin", ("event", 0, 0), "2026-03-21T23:00:00Z"),
        ("2026-03-20T23:30:00Z", "America/New_York", ("event", 0, 0), "2026-03-21T04:00:00Z"),
        ("2024-11-24T08:00:00Z", "UTC", ("approval", 0, 730), "2026-11-25T00:00:00Z"),
    ],
)
def test_locking_dates_follow_the_calendar_of_the_program(
    ledger: Ledger, event: str, zone: str, policy: tuple[str, int, int], locks: str
) -> None:
    row = ledger.one(
        "select locking_date(%s::timestamptz, %s, %s, %s, %s) = %s::timestamptz as right",
        [event, zone, *policy, locks],
    )

    assert row == {"right": True}
