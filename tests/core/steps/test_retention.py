"""What is old goes, and what is not final, or tells files and orders apart, never does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from data_connections.errors import ConfigurationError
from data_connections.landing.area import OriginalDamaged
from data_connections.settings import Keep
from data_connections.steps import replay
from data_connections.steps.retention import Cleaned, clean_up
from fixtures.desk import Desk, table

HEADER = "CampaignId,ActionTrackerId,EventDate,OrderId,Amount"
NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=91)


def orders(*names: str) -> str:
    return table(HEADER, *(f"1000,2001,2026-02-20T10:00:00Z,{name},1.00" for name in names))


def cleaned(desk: Desk, now: datetime = LATER, **options: Any) -> Cleaned:
    return clean_up(desk.ledger, desk.landing, Keep(), now, **options)


def kept(desk: Desk) -> int:
    return sum(path.is_file() for path in (desk.folder.parent / "landing" / "originals").rglob("*"))


def test_originals_go_after_their_time_and_everything_else_of_them_stays(desk: Desk) -> None:
    done = desk.submit(orders("A", "B"))
    assert cleaned(desk, NOW + timedelta(days=89)) == Cleaned({"originals": 0, "sent": 0}, 0, dict.fromkeys(NAMES, 0))
    found = cleaned(desk, dry_run=True)
    assert (found.files["originals"], found.bytes, kept(desk)) == (1, done["size"], 1)
    assert desk.ledger.one("select landing_key from submission")["landing_key"] is not None

    assert cleaned(desk) == found
    assert (kept(desk), len(desk.actions())) == (0, 2)
    assert cleaned(desk).files == {"originals": 0, "sent": 0}
    again = desk.submit(orders("A", "B"))
    assert (again["state"], kept(desk)) == ("duplicate", 1)
    order = desk.submit(orders("A"), "other.csv")
    assert (order["duplicate"], len(desk.actions())) == (1, 2)


def test_a_file_without_its_original_is_not_taken_again_and_says_why(desk: Desk) -> None:
    done = desk.submit(table(HEADER, "1000,2001,2026-02-20T10:00:00Z,A,oops"))
    cleaned(desk)
    with pytest.raises(ConfigurationError, match="deleted when its time was over"):
        replay.take_again(desk.ledger, done["id"], who="tester")
    with pytest.raises(OriginalDamaged, match="CONNECTIONS_KEEP_ORIGINALS"):
        desk.results(done)


def test_bytes_that_others_still_need_stay(desk: Desk) -> None:
    desk.submit(orders("A"))
    with desk.ledger.connect() as connection:
        connection.execute(
            """
            insert into submission (connection_id, revision, number, origin, file_name, received_at, state, data_type,
                                    landing_key, sha256)
            select connection_id, revision, 99, 'manual', 'same.csv', received_at, 'fetched', data_type, landing_key,
                   sha256 from submission
            """
        )
    assert (cleaned(desk).files["originals"], kept(desk)) == (0, 1)


def test_what_is_not_final_never_goes(desk: Desk) -> None:
    desk.connect("held", limits={"hold_if": {"rows_over": 0}})
    held = desk.submit(orders("H"), "held.csv", "held")
    assert held["state"] == "on_hold"
    desk.connect("changes", data_type="action_modifications")
    waiting = desk.submit(table("ActionTrackerId,OrderId,Amount,Reason", "2001,LOST,1.00,OTHER"), "m.csv", "changes")
    assert waiting["held"] == 1
    endpoint = desk.submit(orders("E"), "endpoint.csv")
    with desk.ledger.connect() as connection:
        connection.execute(
            "update submission set origin = 'endpoint', acknowledged_at = null where id = %s", [endpoint["id"]]
        )
    assert (cleaned(desk, NOW + timedelta(days=4000)).files["originals"], kept(desk)) == (0, 3)


def test_a_file_that_comes_again_while_it_is_cleaned_up_stays(desk: Desk) -> None:
    done = desk.submit(orders("A"))
    original = desk.ledger.one("select landing_key from submission where id = %s", [done["id"]])["landing_key"]
    assert not desk.landing.delete(original, before=NOW - timedelta(days=1))
    assert kept(desk) == 1


def test_what_a_clean_up_that_died_had_not_deleted_is_deleted_by_the_next(desk: Desk) -> None:
    done = desk.submit(orders("A"))
    originals = desk.folder.parent / "landing" / "originals"
    away = originals.rename(originals.with_name("away"))
    originals.write_text("the disk is away")
    with pytest.raises(NotADirectoryError):
        cleaned(desk)
    assert desk.ledger.one("select landing_key from submission")["landing_key"] is None
    originals.unlink()
    away.rename(originals)
    assert kept(desk) == 1

    found = cleaned(desk)

    assert (found.files["originals"], found.bytes, kept(desk)) == (1, done["size"], 0)
    assert cleaned(desk).files["originals"] == 0


def test_history_and_activity_go_by_their_own_settings(desk: Desk) -> None:
    done = desk.submit(table(HEADER, "1000,2001,2026-02-20T10:00:00Z,A,oops"))
    with desk.ledger.connect() as connection:
        connection.execute("insert into activity (who, what, subject) values ('ada', 'x', 'y')")
    found = cleaned(desk, NOW + timedelta(days=401))
    assert found.rows == {**dict.fromkeys(NAMES, 0), "outcomes": 1}
    assert desk.ledger.one("select rejected from submission where id = %s", [done["id"]])["rejected"] == 1
    short = Keep(None, None, None, timedelta(days=1))
    assert clean_up(desk.ledger, desk.landing, short, LATER).rows["activity"] > 0
    assert desk.ledger.one("select count(*) as left from activity")["left"] == 0


NAMES = ("outcomes", "files not taken", "incidents", "expected days")


def test_settings_are_days_and_0_is_for_ever() -> None:
    found = Keep.from_environment({"CONNECTIONS_KEEP_ORIGINALS": "7", "CONNECTIONS_KEEP_SENT": "0"})
    assert (found.originals, found.sent, found.history) == (timedelta(days=7), None, timedelta(days=400))
    with pytest.raises(ConfigurationError, match="CONNECTIONS_KEEP_HISTORY is 'long'"):
        Keep.from_environment({"CONNECTIONS_KEEP_HISTORY": "long"})


def test_files_that_went_out_go_after_a_month(desk: Desk) -> None:
    import io

    original = desk.landing.keep_file(io.BytesIO(b"a,b\n"))
    with desk.ledger.connect() as connection:
        delivery = connection.execute(
            """
            insert into delivery (connection_id, revision, report, business_date, last_date, date_from, version, state,
                                  file_name, rows, created_at, delivered_at)
            select id, 1, 'r', '2026-03-01', '2026-03-01', '2026-03-01', 1, 'sending', 'p.csv', 1, now(), null
            from connection returning id
            """
        ).fetchone()
        connection.execute(
            "insert into delivery_file (delivery_id, number, file_name, rows, size, sha256, landing_key) "
            "values (%s, 1, 'p.csv', 1, 4, %s, %s)",
            [delivery["id"], original.sha256, original.key],
        )
    assert (cleaned(desk).files["sent"], kept(desk)) == (0, 1)
    with desk.ledger.connect() as connection:
        connection.execute("update delivery set state = 'delivered', delivered_at = now()")
    assert cleaned(desk, NOW + timedelta(days=29)).files["sent"] == 0
    assert (cleaned(desk, NOW + timedelta(days=31)).files["sent"], kept(desk)) == (1, 0)
    assert desk.ledger.one("select sha256 from delivery_file")["sha256"] == original.sha256
