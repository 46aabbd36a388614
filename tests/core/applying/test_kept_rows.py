"""Rows that are kept as a folder says: one folder, no Python, through the steps of a submission."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from data_connections.catalog import apply_specs
from data_connections.catalog.data_type_versions import apply_data_types
from data_connections.catalog.planning import Intent, Known
from data_connections.data_types import DataTypes, load_data_types
from data_connections.errors import ConfigurationError, OutOfTurn
from data_connections.spec import LoadedSpec, parse_spec
from data_connections.steps import approval, inbound, manual
from data_connections.steps.replay import take_again
from fixtures.desk import RECEIVED, Desk, table

PARCELS = """
title: Parcels
keep:
  how: {how}
  table: parcel
  key: [ParcelId, Part]
  program: CampaignId
  removal: {{column: Change, value: remove}}
measures: {{amounts: [Value, Weight*Rate], currency: Currency, quantity: Pieces}}
columns:
  - {{name: ParcelId, required: true, max_length: 20}}
  - {{name: Part, type: integer}}
  - {{name: CampaignId, type: integer}}
  - {{name: Value, type: decimal, precision: 10, scale: 2}}
  - {{name: Weight, type: decimal, precision: 10, scale: 2}}
  - {{name: Rate, type: decimal, precision: 10, scale: 2}}
  - {{name: Currency}}
  - {{name: Pieces, type: integer}}
  - {{name: Change}}
  - {{name: Note, carried: true}}
"""
EVENTS = """
title: Events
keep: {how: append}
columns:
  - {name: What, required: true}
  - {name: At, type: datetime}
  - {name: Big, type: integer, precision: 30}
"""


class Depot:
    """A desk with data types of its own."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        self.desk, self.folder = desk, folder
        self.types = DataTypes({})

    def write(self, name: str, text: str) -> None:
        (self.folder / name).mkdir(exist_ok=True)
        (self.folder / name / "columns.yaml").write_text(text)
        self.types = load_data_types([self.folder])

    def apply(self, *, dry_run: bool = False) -> list[dict[str, Any]]:
        steps = apply_data_types(self.desk.ledger, self.types.values(), "tester", dry_run=dry_run)
        return [step.as_json() for step in steps]

    def connect(self, name: str = "parcels", **changes: Any) -> None:
        spec = {
            "name": name,
            "program": "acme",
            "data_type": "parcels",
            "direction": "inbound",
            "method": "sftp",
            "credentials": "partner",
            "details": {"host": "localhost", "folder": "/out", "file_pattern": "*.csv"},
            **changes,
        }
        known = Known(frozenset({"acme", "globex"}), frozenset(self.types), frozenset())
        apply_specs(self.desk.ledger, [LoadedSpec(parse_spec(spec))], known, Intent("api"), "tester")

    def submit(self, *lines: str, connection: str = "parcels", **options: Any) -> dict[str, Any]:
        return self.desk.submit(table(*lines), connection=connection, data_types=self.types, **options)

    def kept(self, columns: str = "parcel_id, value", where: str = "true") -> list[tuple[Any, ...]]:
        rows = self.desk.ledger.all(f"select {columns} from parcel where {where} order by parcel_id, part")
        return [tuple(row.values()) for row in rows]


@pytest.fixture
def depot(desk: Desk, tmp_path: Path) -> Depot:
    (tmp_path / "types").mkdir()
    return Depot(desk, tmp_path / "types")


@pytest.fixture
def parcels(depot: Depot) -> Depot:
    """The data type `parcels`, written over by key."""
    depot.write("parcels", PARCELS.format(how="upsert"))
    depot.apply()
    depot.connect()
    return depot


@pytest.fixture
def whole(depot: Depot) -> Depot:
    """The data type `parcels`, where a file is the whole set."""
    depot.write("parcels", PARCELS.format(how="replace"))
    depot.apply()
    depot.connect()
    return depot


def test_upsert_writes_the_columns_of_the_file_over_the_row_of_the_key(parcels: Depot) -> None:
    parcels.submit("ParcelId,Value,Currency,Pieces,Note", "A,1.50,EUR,2,first", "B,2.00,usd,1,")
    done = parcels.submit("ParcelId,Pieces", "A,7", "C,1")

    assert (done["state"], done["accepted"]) == ("applied", 2)
    assert parcels.kept("parcel_id, value, pieces, extra, line") == [
        ("A", Decimal("1.50"), 7, {"Note": "first"}, 2),
        ("B", Decimal("2.00"), 1, None, 3),
        ("C", None, 1, None, 3),
    ]
    owners = {row[0]: row[1] for row in parcels.kept("parcel_id, submission_id")}
    assert owners["A"] == owners["C"] == done["id"] != owners["B"]


def test_an_empty_cell_of_a_key_is_equal_to_another_one(parcels: Depot) -> None:
    parcels.submit("ParcelId,Part,Value", "A,,1", "A,1,2", "a,1,3")
    parcels.submit("ParcelId,Value", "A,5")

    assert parcels.kept("parcel_id, part, value") == [
        ("A", 1, Decimal(2)),
        ("A", None, Decimal(5)),
        ("a", 1, Decimal(3)),
    ]


def test_the_last_line_of_a_key_counts_and_sums_are_those_of_what_was_written(parcels: Depot) -> None:
    done = parcels.submit(
        *("ParcelId,Value,Weight,Rate,Currency,Pieces", "A,1.00,,,EUR,1", "B,,2.50,4,EUR,2", "A,3.00,,,EUR,5"),
    )

    assert (done["accepted"], done["duplicate"], done["amounts"]) == (2, 1, {"EUR": "13.00"})
    assert parcels.desk.codes(done) == {2: ["KEY_REPEATED"]}
    assert "Line 4" in done["errors"][0]["message"]
    assert {each["outcome"]: each["quantity"] for each in done["totals"]} == {"accepted": "7", "duplicate": "1"}


def test_a_row_may_remove_another_by_key(parcels: Depot) -> None:
    parcels.submit("ParcelId,Value", "A,1", "B,2", "C,3")
    done = parcels.submit("ParcelId,Value,Change", "B,,Remove", "X,,remove", "C,4,")

    assert (done["accepted"], done["duplicate"], parcels.desk.codes(done)) == (2, 1, {3: ["NOTHING_TO_REMOVE"]})
    assert [row[0] for row in parcels.kept()] == ["A", "C"]


def test_rows_of_another_program_are_rejected(parcels: Depot) -> None:
    done = parcels.submit("ParcelId,CampaignId", "A,1000", "B,1001", "C,")

    assert (done["accepted"], parcels.desk.codes(done)) == (2, {3: ["CAMPAIGN_NOT_FOUND"]})
    assert parcels.kept("parcel_id, program_id") == [("A", 1000), ("C", 1000)]


def test_programs_and_datasets_have_rows_of_their_own(parcels: Depot) -> None:
    parcels.connect("of-globex", program="globex")
    parcels.connect("second", dataset={"name": "second"})
    for connection, value in (("parcels", 1), ("of-globex", 2), ("second", 3)):
        parcels.submit("ParcelId,Value", f"A,{value}", connection=connection)

    assert sorted(parcels.kept("program_id, dataset, value")) == [
        (1000, "main", Decimal(1)),
        (1000, "second", Decimal(3)),
        (1001, "main", Decimal(2)),
    ]


def test_a_whole_set_takes_away_what_it_does_not_name(whole: Depot) -> None:
    whole.submit("ParcelId,Value,Pieces,Note", "A,1,1,x", "B,2,1,x", "C,3,1,x", "D,4,1,x")
    done = whole.submit("ParcelId,Value", "A,9", "B,oops", "D,4")

    assert done["state"] == "partly_applied"
    assert whole.kept("parcel_id, value, pieces, extra") == [
        ("A", Decimal(9), None, None),
        ("B", Decimal(2), 1, {"Note": "x"}),  # named, but its row was rejected: what is kept stays
        ("D", Decimal(4), None, None),
    ]


def test_a_whole_set_that_would_take_too_many_away_waits_for_approval(whole: Depot) -> None:
    whole.submit("ParcelId,Value", *(f"P{number},1" for number in range(4)))
    held = whole.submit("ParcelId,Value", "P0,2")

    assert (held["state"], held["code"]) == ("on_hold", "ROWS_VANISH")
    assert "3 of the 4 rows" in held["message"]
    assert len(whole.kept()) == 4
    with pytest.raises(OutOfTurn):
        whole.submit("ParcelId,Value", "P0,3", "P1,3", "P2,3")

    approval.approve(whole.desk.ledger, held["id"], "boss")
    done = manual.finish(whole.desk.ledger, whole.desk.landing, held["id"], data_types=whole.types)
    assert (done["state"], done["approved_by"]) == ("applied", "boss")
    assert whole.kept() == [("P0", Decimal(2))]


def test_half_of_the_rows_may_go_unasked_and_a_connection_may_say_otherwise(whole: Depot) -> None:
    whole.submit("ParcelId,Value", "A,1", "B,1", "C,1", "D,1")
    assert whole.submit("ParcelId,Value", "A,2", "B,2")["state"] == "applied"
    whole.connect(dataset={"most_removed": 0.2})
    assert whole.submit("ParcelId,Value", "A,3")["state"] == "on_hold"


def test_an_empty_whole_set_waits_too(whole: Depot) -> None:
    whole.submit("ParcelId,Value", "A,1")
    assert whole.submit("ParcelId,Value")["code"] == "ROWS_VANISH"


def test_a_delta_leaves_what_it_does_not_name(whole: Depot) -> None:
    whole.connect("changes", dataset={"form": "delta"})
    whole.submit("ParcelId,Value,Pieces", "A,1,1", "B,2,1", "C,3,1")
    whole.submit("ParcelId,Value,Change", "A,5,", "B,,remove", "D,6,", connection="changes")

    assert whole.kept("parcel_id, value, pieces") == [
        ("A", Decimal(5), 1),
        ("C", Decimal(3), 1),
        ("D", Decimal(6), None),
    ]
    held = whole.submit("ParcelId,Change", "A,remove", "C,remove", connection="changes")
    assert held["code"] == "ROWS_VANISH"


def test_the_same_bytes_count_again_once_something_else_was_applied(parcels: Depot) -> None:
    first, second = ("ParcelId,Value", "A,1"), ("ParcelId,Value", "A,2")
    states = [parcels.submit(*lines)["state"] for lines in (first, first, second, first)]

    assert states == ["applied", "duplicate", "applied", "applied"]
    assert parcels.kept() == [("A", Decimal(1))]


def test_a_replay_leaves_what_was_received_later(whole: Depot) -> None:
    desk = whole.desk
    first = whole.submit("ParcelId,Value", "A,1", "B,oops", "C,1")
    whole.submit("ParcelId,Value", "A,2", "D,2", "C,2", received_at=RECEIVED + timedelta(hours=1))
    replayed = take_again(desk.ledger, first["id"], who="tester")
    done = manual.finish(desk.ledger, desk.landing, replayed, data_types=whole.types)

    assert done["accepted"] == 0
    assert desk.codes(done) == {2: ["SUPERSEDED"], 3: ["NOT_DECIMAL"], 4: ["SUPERSEDED"]}
    assert whole.kept() == [("A", Decimal(2)), ("C", Decimal(2)), ("D", Decimal(2))]


def test_an_unfinished_file_in_between_keeps_the_same_bytes_from_being_a_duplicate(parcels: Depot) -> None:
    desk = parcels.desk
    parcels.submit("ParcelId,Value", "A,1")
    texts = [table("ParcelId,Value", "A,2"), table("ParcelId,Value", "A,1")]
    taken = [
        manual.take(
            *(desk.ledger, desk.landing, "parcels", desk.file(text, f"{number}.csv")),
            who="x",
            received_at=RECEIVED,
            data_types=parcels.types,
        )
        for number, text in enumerate(texts)
    ]
    for submission in reversed(taken):
        inbound.validate(desk.ledger, submission, desk.landing, data_types=parcels.types)
    with pytest.raises(OutOfTurn):
        inbound.apply(desk.ledger, taken[1], desk.landing, data_types=parcels.types)
    for submission in taken:
        inbound.apply(desk.ledger, submission, desk.landing, data_types=parcels.types)

    assert parcels.kept() == [("A", Decimal(1))]


def test_appended_rows_are_duplicates_for_ever_and_told_apart_by_their_line(depot: Depot) -> None:
    depot.write("events", EVENTS)
    depot.apply()
    depot.connect("events", data_type="events")
    lines = ("What,At,Big", "x,2026-02-01,123456789012345678901234567890", "x,,")
    states = [depot.submit(*some, connection="events")["state"] for some in (lines, ("What", "y"), lines)]

    assert states == ["applied", "applied", "duplicate"]
    rows = depot.desk.ledger.all("select what, big, line from events order by submission_id, line")
    assert [tuple(row.values()) for row in rows] == [
        ("x", 123456789012345678901234567890, 2),
        ("x", None, 3),
        ("y", None, 2),
    ]


def test_lines_of_the_same_bytes_are_taken_once(depot: Depot) -> None:
    depot.write("events", EVENTS)
    depot.apply()
    depot.connect("events", data_type="events")
    lines = ("What,Big", "x,1", "y,oops", "z,")
    first = depot.submit(*lines, connection="events")
    again = depot.submit(*lines, connection="events")
    replayed = take_again(depot.desk.ledger, first["id"], who="tester")
    done = manual.finish(depot.desk.ledger, depot.desk.landing, replayed, data_types=depot.types)

    for each in (again, done):
        assert (each["accepted"], each["duplicate"], each["rejected"]) == (0, 2, 1)
        assert depot.desk.codes(each) == {2: ["LINE_KNOWN"], 3: ["NOT_INTEGER"], 4: ["LINE_KNOWN"]}
    assert depot.desk.ledger.one("select count(*) as events from events") == {"events": 2}


def test_a_submission_names_the_version_and_the_ledger_keeps_its_content(parcels: Depot) -> None:
    done = parcels.submit("ParcelId", "A")
    row = parcels.desk.ledger.one(
        "select content from data_type_version where name = 'parcels' and version = %s", [done["data_type_version"]]
    )
    assert row is not None
    assert row["content"]["columns"][0] == {"name": "ParcelId", "required": True, "max_length": 20}


def test_a_changed_folder_shows_its_diff_and_the_change_of_the_table(parcels: Depot) -> None:
    parcels.submit("ParcelId,Value", "A,1")
    changed = PARCELS.format(how="upsert").replace("max_length: 20}", "max_length: 30}")
    changed = changed.replace("  - {name: Note, carried: true}", "  - {name: Height, type: decimal}")
    parcels.write("parcels", changed.replace("{name: Part, type: integer}", "{name: Part}"))

    with pytest.raises(ConfigurationError, match="connections data-types apply"):
        parcels.submit("ParcelId,Height", "A,1")
    [shown] = parcels.apply(dry_run=True)
    assert shown["action"] == "change"
    fields = {change["field"] for change in shown["changes"]}
    assert {"columns.ParcelId.max_length", "columns.Height.type", "columns.Note.carried"} <= fields
    assert shown["statements"] == [
        'alter table "parcel" alter column "part" type text',
        'alter table "parcel" add column "height" numeric',
    ]
    assert parcels.apply() == [shown]
    assert [step["action"] for step in parcels.apply()] == ["keep"]
    done = parcels.submit("ParcelId,Height", "A,1")
    assert (done["state"], parcels.kept("parcel_id, value, height")) == ("applied", [("A", Decimal(1), Decimal(1))])


def test_rows_that_were_staged_by_an_older_version_are_staged_again(parcels: Depot) -> None:
    desk = parcels.desk
    path = desk.file(table("ParcelId,Value", "A,1", "TOO-LONG-BY-FAR-A-NUMBER,2"), "a.csv")
    taken = manual.take(desk.ledger, desk.landing, "parcels", path, who="x", data_types=parcels.types)
    inbound.validate(desk.ledger, taken, desk.landing, data_types=parcels.types)
    parcels.write("parcels", PARCELS.format(how="upsert").replace("max_length: 20", "max_length: 40"))
    parcels.apply()

    done = inbound.apply(desk.ledger, taken, desk.landing, data_types=parcels.types)

    assert (done["accepted"], done["rejected"]) == (2, 0)
    stored = desk.ledger.one("select data_type_version from submission where id = %s", [taken])
    assert stored == {"data_type_version": parcels.types["parcels"].version}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: Value, type: decimal, precision: 10, scale: 2", "name: Value, type: datetime", "could lose values"),
        ("key: [ParcelId, Part]", "key: [ParcelId]", "does not tell apart"),
        ("table: parcel", "table: action", "belongs to Connections itself"),
        ("table: parcel", "table: click", "belongs to the data type clicks"),
    ],
)
def test_a_change_that_would_lose_something_is_refused(parcels: Depot, old: str, new: str, message: str) -> None:
    parcels.submit("ParcelId,Part,Value", "A,1,1", "A,2,2")
    text = PARCELS.format(how="upsert").replace(old, new)
    if "datetime" in new:
        text = text.replace("amounts: [Value, Weight*Rate]", "amounts: [Weight*Rate]")
    parcels.write("parcels", text)

    with pytest.raises(ConfigurationError, match=message):
        parcels.apply()
    assert len(parcels.kept()) == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("key: [ParcelId, Part]", "", "needs the key"),
        ("how: upsert", "how: append", "for `upsert` and `replace`"),
        ("program: CampaignId", "program: Currency", "is no integer"),
        ("{name: Change}", "{name: Change, carried: true}", "cannot be `carried`"),
        ("{name: Change}", "{name: Change}\n  - {name: Line}", "taken by the ledger itself"),
        ("{name: Change}", "{name: Change}\n  - {name: parcel_id}", "taken by ParcelId"),
    ],
)
def test_a_folder_that_cannot_be_kept_is_refused(depot: Depot, old: str, new: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        depot.write("parcels", PARCELS.format(how="upsert").replace(old, new))
